//! The index entry of a connection.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use super::round_trips::RoundTrips;
use super::stream::Stream;
use crate::capture::store::record::Record;
use crate::proto::connection::HandshakeSummary;
use crate::proto::dissected::{Direction, EndReason};
use crate::proto::time::Time;
use crate::wire::tls::Protection;

/// One connection.
#[derive(Debug)]
pub struct ConnectionEntry {
    pub client: SocketAddr,
    pub server: SocketAddr,
    pub first: Time,
    pub last: Time,
    pub about: HandshakeSummary,
    /// Where TLS had encrypted its bytes, if they are decrypted.
    pub tls: Option<Protection>,
    pub streams: [Stream; 2],
    /// How each direction ended.
    pub ended: [Option<EndReason>; 2],
    /// Which direction ended first.
    pub ended_first: Option<Direction>,
    /// How many records it has had.
    pub records: u32,
    /// The ordinal of the first that is not evicted.
    pub first_kept: u32,
    /// Its findings by severity: info, warning, error.
    pub findings: [u32; 3],
    /// The first Close frame of each direction: its record, and its code, 0 where it has none.
    pub closes: [Option<(u64, u16)>; 2],
    /// Which direction sent the first of them.
    pub closed_first: Option<Direction>,
    /// The records of the request to upgrade and of the answer that agreed.
    pub handshake: Option<[u64; 2]>,
    /// A copy of that request and answer; only in the capture of a ring, while the connection is open or the request is evicted.
    pub kept_handshake: Option<Arc<Handshake>>,
    /// Which part of each direction was evicted; `None` while nothing was.
    pub evicted: Option<Box<[EvictedPart; 2]>>,
    /// Its round-trip times; `None` while there is no pong.
    pub trips: Option<Box<RoundTrips>>,
    /// Runs of records with consecutive numbers: (ordinal of the first, number of the first). Record numbers fit into 32 bits.
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
            tls: None,
            streams: Default::default(),
            ended: [None; 2],
            ended_first: None,
            records: 0,
            first_kept: 0,
            findings: [0; 3],
            closes: [None; 2],
            closed_first: None,
            handshake: None,
            kept_handshake: None,
            evicted: None,
            trips: None,
            runs: VecDeque::new(),
        }
    }

    /// The number in the capture of the record with that ordinal in the connection.
    pub fn number_of(&self, ordinal: u32) -> Option<u64> {
        if ordinal >= self.records || ordinal < self.first_kept {
            return None;
        }
        let (start, no) = self.runs[self.runs.partition_point(|(start, _)| *start <= ordinal) - 1];
        Some(u64::from(no) + u64::from(ordinal - start))
    }

    /// The ordinal in the connection of the record with that number, or of the connection's next record when that is another
    /// connection's.
    pub fn ordinal_from(&self, no: u64) -> u32 {
        let i = self.runs.partition_point(|(_, first)| u64::from(*first) <= no);
        let Some(run) = i.checked_sub(1) else { return self.first_kept };
        let (start, first) = self.runs[run];
        let end = self.runs.get(i).map_or(self.records, |(next, _)| *next);
        u32::try_from(no - u64::from(first))
            .ok()
            .and_then(|n| start.checked_add(n))
            .map_or(end, |ordinal| ordinal.min(end))
    }

    /// Drops the records up to number `last`.
    pub fn evict(&mut self, last: u64) {
        let first_kept = self.ordinal_from(last + 1);
        let next = self.number_of(first_kept);
        while self.runs.front().is_some_and(|(start, _)| *start < first_kept) {
            self.runs.pop_front();
        }
        if let Some(next) = next.filter(|_| self.runs.front().is_none_or(|(start, _)| *start > first_kept)) {
            self.runs.push_front((first_kept, number(next)));
        }
        self.first_kept = first_kept;
    }

    /// Whether it has ended in both directions, and all its records are evicted.
    pub fn is_over(&self) -> bool {
        self.first_kept == self.records && self.ended.iter().all(Option::is_some)
    }

    /// The stream offset up to which the records of a direction are evicted.
    pub fn evicted_to(&self, direction: Direction) -> u64 {
        self.evicted.as_ref().map_or(0, |evicted| evicted[direction.index()].to)
    }

    /// At most `len` bytes of a direction from `offset` on that are evicted and part of the handshake.
    pub fn evicted_bytes(&self, direction: Direction, offset: u64, len: u64) -> Option<&[u8]> {
        let is_evicted = offset < self.streams[direction.index()].start();
        let handshake = self.kept_handshake.as_deref().filter(|_| is_evicted)?;
        let head = handshake.iter().find(|head| head.record.direction == direction)?;
        let bytes = head.bytes.get(usize::try_from(offset.checked_sub(head.record.offset)?).ok()?..)?;
        Some(&bytes[..usize::try_from(len).map_or(bytes.len(), |len| len.min(bytes.len()))])
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

/// The request to upgrade a connection and the answer that agreed, with their bytes.
pub type Handshake = [HandshakeHead; 2];

/// The head of a request or response, and its record.
#[derive(Debug)]
pub struct HandshakeHead {
    pub record: Record,
    pub bytes: Vec<u8>,
}

/// The part of a direction of which the records are evicted.
#[derive(Debug, Default)]
pub struct EvictedPart {
    /// The stream offset where it ends.
    pub to: u64,
    /// When its last record was complete.
    pub time: Time,
    /// The record of the direction's end, when that is evicted while the other direction continues.
    pub end: Option<Record>,
}

/// A record's number in a run.
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
        entry.evict(5);
        let numbers: Vec<_> = (0..6).map(|ordinal| entry.number_of(ordinal)).collect();
        assert_eq!(numbers, [None, None, None, Some(9), Some(10), None]);
        assert_eq!([1, 5, 6, 9, 10, 11].map(|no| entry.ordinal_from(no)), [3, 3, 3, 3, 4, 5]);
        entry.evict(9);
        assert_eq!((entry.number_of(3), entry.number_of(4), entry.first_kept), (None, Some(10), 4));
        entry.evict(20);
        assert_eq!((entry.number_of(4), entry.ordinal_from(20), entry.ordinal_from(21)), (None, 5, 5));
        entry.number(21);
        assert_eq!((entry.number_of(5), entry.ordinal_from(1), entry.ordinal_from(22)), (Some(21), 5, 6));
    }
}
