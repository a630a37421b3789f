//! What the index keeps of a connection.

use std::collections::VecDeque;
use std::net::SocketAddr;

use super::round_trips::RoundTrips;
use super::stream::Stream;
use crate::proto::connection::HandshakeSummary;
use crate::proto::dissected::{Direction, EndReason};
use crate::proto::time::Time;

/// One connection.
#[derive(Debug)]
pub struct ConnectionEntry {
    pub client: SocketAddr,
    pub server: SocketAddr,
    pub first: Time,
    pub last: Time,
    pub about: HandshakeSummary,
    pub streams: [Stream; 2],
    /// How each direction ended.
    pub ended: [Option<EndReason>; 2],
    /// Which direction ended first.
    pub ended_first: Option<Direction>,
    /// How many records it has had.
    pub records: u32,
    /// The ordinal of the first that is there: those before it went with the ring.
    pub base: u32,
    /// The ordinal of the first that stands where it always stood: those before it stand in for what is gone.
    pub(in crate::capture) settled: u32,
    /// Its findings by severity: info, warning, error.
    pub findings: [u32; 3],
    /// The first Close frame of each direction: its record, 0 when that is gone, and its code, 0 where it has none.
    pub closes: [Option<(u64, u16)>; 2],
    /// Which direction sent the first of them.
    pub closed_first: Option<Direction>,
    /// The records of the request to upgrade and of the answer that agreed.
    pub handshake: Option<[u64; 2]>,
    /// What went with the ring: up to which stream offset there are no records, and when the last of them was complete.
    pub(in crate::capture) gone: [(u64, Time); 2],
    /// The end of a direction, when it went while the other one goes on: its record.
    pub(in crate::capture) end_gone: [Option<u64>; 2],
    /// How long its pongs took; nothing is kept while there is none.
    pub trips: Option<Box<RoundTrips>>,
    /// Runs of records with adjoining numbers: (ordinal of the first, number of the first). Numbers fit: an entry each would
    /// need 160 GiB before they did not.
    runs: VecDeque<(u32, u32)>,
}

impl ConnectionEntry {
    pub fn new(client: SocketAddr, server: SocketAddr, first: Time) -> Self {
        Self {
            client,
            server,
            first,
            last: first,
            about: HandshakeSummary::default(),
            streams: Default::default(),
            ended: [None; 2],
            ended_first: None,
            records: 0,
            base: 0,
            settled: 0,
            findings: [0; 3],
            closes: [None; 2],
            closed_first: None,
            handshake: None,
            gone: [(0, first); 2],
            end_gone: [None; 2],
            trips: None,
            runs: VecDeque::new(),
        }
    }

    /// The number in the capture of the record with that ordinal in the connection.
    pub fn number_of(&self, ordinal: u32) -> Option<u64> {
        if ordinal >= self.records || ordinal < self.base {
            return None;
        }
        let (start, no) = self.runs[self.runs.partition_point(|(start, _)| *start <= ordinal) - 1];
        Some(u64::from(no) + u64::from(ordinal - start))
    }

    /// The ordinal in the connection of the record with that number, if it is one of this connection's; otherwise of the
    /// next one that is.
    pub fn ordinal_from(&self, no: u64) -> u32 {
        let i = self.runs.partition_point(|(_, first)| u64::from(*first) <= no);
        let Some(run) = i.checked_sub(1) else { return self.base };
        let (start, first) = self.runs[run];
        let end = self.runs.get(i).map_or(self.records, |(next, _)| *next);
        u32::try_from(no - u64::from(first))
            .ok()
            .and_then(|n| start.checked_add(n))
            .map_or(end, |ordinal| ordinal.min(end))
    }

    /// The number of the record with that ordinal, as other records refer to it.
    pub(in crate::capture) fn linked(&self, ordinal: u32) -> Option<u64> {
        self.number_of(ordinal).filter(|_| ordinal >= self.settled)
    }

    /// The records up to number `until` are gone; `count` others stand in for them, from number `from` on. There are not more of
    /// those than are gone.
    pub(in crate::capture) fn stand_in(&mut self, until: u64, count: u32, from: u64) {
        let settled = self.ordinal_from(until + 1);
        let next = self.number_of(settled);
        while self.runs.front().is_some_and(|(start, _)| *start < settled) {
            self.runs.pop_front();
        }
        if let Some(next) = next.filter(|_| self.runs.front().is_none_or(|(start, _)| *start > settled)) {
            self.runs.push_front((settled, number(next)));
        }
        (self.settled, self.base) = (settled, settled - count);
        if count > 0 {
            self.runs.push_front((self.base, number(from)));
        }
    }

    pub(in crate::capture) fn number(&mut self, no: u64) {
        let adjoins = |(start, first): &(u32, u32)| u64::from(*first) + u64::from(self.records - start) == no;
        let joins = self.runs.back().is_some_and(adjoins);
        if !joins {
            self.runs.push_back((self.records, number(no)));
        }
        self.records += 1;
    }
}

/// A record's number, as runs keep it.
fn number(no: u64) -> u32 {
    u32::try_from(no).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals_and_numbers_convert_both_ways() {
        let address = "127.0.0.1:1".parse().expect("address");
        let mut entry = ConnectionEntry::new(address, address, Time(0));
        for no in [1, 2, 5, 9, 10] {
            entry.number(no);
        }
        let numbers: Vec<_> = (0..6).map(|ordinal| entry.number_of(ordinal)).collect();
        assert_eq!(numbers, [Some(1), Some(2), Some(5), Some(9), Some(10), None]);
        assert_eq!([1, 2, 3, 5, 6, 9, 10, 11].map(|no| entry.ordinal_from(no)), [0, 1, 2, 2, 3, 3, 4, 5]);
        // Records up to number 9 are gone; two stand in for them.
        entry.stand_in(9, 2, 8);
        let numbers: Vec<_> = (0..6).map(|ordinal| entry.number_of(ordinal)).collect();
        assert_eq!(numbers, [None, None, Some(8), Some(9), Some(10), None]);
        assert_eq!([1, 8, 9, 10, 11].map(|no| entry.ordinal_from(no)), [2, 2, 3, 4, 5]);
        assert_eq!([2, 3, 4].map(|ordinal| entry.linked(ordinal)), [None, None, Some(10)]);
        entry.stand_in(20, 1, 20);
        assert_eq!((entry.number_of(4), entry.ordinal_from(20), entry.ordinal_from(21)), (Some(20), 4, 5));
        entry.number(21);
        assert_eq!((entry.number_of(5), entry.linked(5)), (Some(21), Some(21)));
    }
}
