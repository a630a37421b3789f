//! What the index keeps of a connection.

use std::net::SocketAddr;

use super::stream::Stream;
use crate::capture::overview::RoundTrips;
use crate::proto::connection::About;
use crate::proto::dissected::{Direction, How};
use crate::proto::time::Time;

/// One connection.
#[derive(Debug)]
pub struct ConnectionEntry {
    pub client: SocketAddr,
    pub server: SocketAddr,
    pub first: Time,
    pub last: Time,
    pub about: About,
    pub streams: [Stream; 2],
    /// How each direction ended.
    pub ended: [Option<How>; 2],
    /// Which direction ended first.
    pub ended_first: Option<Direction>,
    /// How many records it has.
    pub records: u32,
    /// Its findings by severity: info, warning, error.
    pub findings: [u32; 3],
    /// The first Close frame of each direction: its record and its code, 0 where it has none.
    pub closes: [Option<(u64, u16)>; 2],
    /// How long its pongs took; nothing is kept while there is none.
    pub trips: Option<Box<RoundTrips>>,
    /// Runs of records with adjoining numbers: (ordinal of the first, number of the first). Numbers fit: an entry each would
    /// need 160 GiB before they did not.
    runs: Vec<(u32, u32)>,
}

impl ConnectionEntry {
    pub fn new(client: SocketAddr, server: SocketAddr, first: Time) -> Self {
        Self {
            client,
            server,
            first,
            last: first,
            about: About::default(),
            streams: Default::default(),
            ended: [None; 2],
            ended_first: None,
            records: 0,
            findings: [0; 3],
            closes: [None; 2],
            trips: None,
            runs: Vec::new(),
        }
    }

    /// The number in the capture of the record with that ordinal in the connection.
    pub fn number_of(&self, ordinal: u32) -> Option<u64> {
        if ordinal >= self.records {
            return None;
        }
        let (start, no) = self.runs[self.runs.partition_point(|(start, _)| *start <= ordinal) - 1];
        Some(u64::from(no) + u64::from(ordinal - start))
    }

    /// The ordinal in the connection of the record with that number, if it is one of this connection's; otherwise of the
    /// next one that is.
    pub fn ordinal_from(&self, no: u64) -> u32 {
        let i = self.runs.partition_point(|(_, first)| u64::from(*first) <= no);
        let Some(run) = i.checked_sub(1) else { return 0 };
        let (start, first) = self.runs[run];
        let end = self.runs.get(i).map_or(self.records, |(next, _)| *next);
        u32::try_from(no - u64::from(first))
            .ok()
            .and_then(|n| start.checked_add(n))
            .map_or(end, |ordinal| ordinal.min(end))
    }

    pub(super) fn number(&mut self, no: u64) {
        let adjoins = |(start, first): &(u32, u32)| u64::from(*first) + u64::from(self.records - start) == no;
        let joins = self.runs.last().is_some_and(adjoins);
        if !joins {
            self.runs.push((self.records, u32::try_from(no).unwrap_or(u32::MAX)));
        }
        self.records += 1;
    }
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
    }
}
