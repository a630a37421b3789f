//! The connections of a capture, and the records of each.

use std::net::SocketAddr;
use std::sync::Arc;

use super::Capture;
use super::index::{ConnectionEntry, Handshake, HandshakeHead, Totals};
use super::record::Record;
use crate::proto::connection::HandshakeSummary;
use crate::proto::dissected::{Direction, EndReason};
use crate::proto::time::Time;
use crate::wire::tls::Protection;

/// A connection and the counts of its traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// Its number, from 1.
    pub number: u32,
    /// The client's address.
    pub client: SocketAddr,
    /// The server's address.
    pub server: SocketAddr,
    /// When its first bytes were seen.
    pub first: Time,
    /// When its latest record was complete.
    pub last: Time,
    /// What its handshake negotiated.
    pub about: HandshakeSummary,
    /// Where TLS had encrypted the bytes, if they are decrypted ones.
    pub tls: Option<Protection>,
    /// Bytes from client to server and back.
    pub bytes: [u64; 2],
    /// How each direction ended, if it did.
    pub ended: [Option<EndReason>; 2],
    /// Its records.
    pub records: u32,
}

impl ConnectionInfo {
    pub(in crate::capture) fn of(entry: &ConnectionEntry, number: u32) -> Self {
        Self {
            number,
            client: entry.client,
            server: entry.server,
            first: entry.first,
            last: entry.last,
            about: entry.about.clone(),
            tls: entry.tls,
            bytes: [entry.streams[0].len, entry.streams[1].len],
            ended: entry.ended,
            records: entry.records,
        }
    }
}

impl Capture {
    /// A connection by its number, from 1.
    pub fn connection(&self, number: u32) -> Option<ConnectionInfo> {
        let index = self.index();
        let entry = index.connection(number)?;
        Some(ConnectionInfo::of(entry, number))
    }

    /// How many connections are kept: those that are open or have a record that is not evicted.
    pub fn kept_connections(&self) -> u32 {
        self.index().connections.count()
    }

    /// Whether a connection is kept.
    pub fn has_connection(&self, number: u32) -> bool {
        self.index().connection(number).is_some()
    }

    /// The number of the kept connection before which there are `rank` others.
    pub fn connection_at(&self, rank: u32) -> Option<u32> {
        self.index().connections.number(rank)
    }

    /// How many kept connections have smaller numbers.
    pub fn rank_of(&self, connection: u32) -> u32 {
        self.index().connections.rank(connection)
    }

    /// The number of the record of `connection` that comes `steps` after record `no` in it (before, when negative). `no`
    /// need not be one of its own.
    pub fn neighbour(&self, connection: u32, no: u64, steps: i64) -> Option<u64> {
        let index = self.index();
        let entry = index.connection(connection)?;
        let ordinal = i64::from(entry.ordinal_from(no)) + steps;
        entry.number_of(u32::try_from(ordinal).ok()?)
    }

    /// The kept connections, each with the ordinal of its first record that is not evicted, and the counts at the same moment.
    pub fn first_ordinals(&self) -> (Totals, Vec<(u32, u32)>) {
        let index = self.index();
        let numbers = (0..index.connections.count()).filter_map(|rank| index.connections.number(rank));
        (index.totals, numbers.filter_map(|number| Some((number, index.connection(number)?.first_kept))).collect())
    }

    /// The ordinal of the first record of a connection that is not evicted; `None` when the connection is not kept.
    pub fn first_ordinal(&self, connection: u32) -> Option<u32> {
        self.index().connection(connection).map(|entry| entry.first_kept)
    }

    /// The ordinal of the record of `connection` with that number, or of the first one after it; `None` when the connection is not kept.
    pub fn ordinal(&self, connection: u32, no: u64) -> Option<u32> {
        self.index().connection(connection).map(|entry| entry.ordinal_from(no))
    }

    /// The record of `connection` with that ordinal.
    pub fn at_ordinal(&self, connection: u32, ordinal: u32) -> Option<Record> {
        let index = self.index();
        index.record(index.connection(connection)?.number_of(ordinal)?)
    }

    /// The numbers of the records of `connection` from number `from` on, at most `limit` of them.
    pub fn numbers(&self, connection: u32, from: u64, limit: usize) -> Vec<u64> {
        let index = self.index();
        let Some(entry) = index.connection(connection) else { return Vec::new() };
        (entry.ordinal_from(from)..entry.records).map_while(|ordinal| entry.number_of(ordinal)).take(limit).collect()
    }

    /// The request and the response that upgraded a connection. Of a ring they can be read when they are evicted, too, as long as
    /// the connection is kept.
    pub fn handshake(&self, connection: u32) -> Option<[Record; 2]> {
        let index = self.index();
        let [request, response] = index.connection(connection)?.handshake?;
        Some([index.record(request)?, index.record(response)?])
    }

    /// The first Close of each direction of a connection that is not evicted.
    pub fn closes(&self, connection: u32) -> [Option<u64>; 2] {
        let index = self.index();
        let closes = index.connection(connection).map_or([None; 2], |entry| entry.closes);
        closes.map(|close| close.map(|(no, _)| no).filter(|no| *no >= index.totals.first))
    }

    /// Copies the handshake of a connection into memory, so that it can be read when it is evicted. `None` when there is none, or
    /// when it cannot be read.
    pub(in crate::capture) fn keep_handshake(&self, connection: u32) -> Option<Arc<Handshake>> {
        let read = |record: Record| {
            let bytes = self.wire(&record, 0..u64::MAX).ok()?;
            Some(HandshakeHead { record, bytes })
        };
        let [request, response] = self.handshake(connection)?;
        let handshake = Arc::new([read(request)?, read(response)?]);
        self.index_mut().connection_mut(connection)?.kept_handshake = Some(Arc::clone(&handshake));
        Some(handshake)
    }

    /// Copies into memory the handshakes of ended connections that the eviction of all records up to number `last` would lose.
    pub(in crate::capture) fn keep_handshakes_before(&self, last: u64) {
        let index = self.index();
        let needs_copy = |entry: &ConnectionEntry| {
            let is_evicted = entry.handshake.is_some_and(|[request, _]| request <= last);
            is_evicted && entry.kept_handshake.is_none() && entry.ordinal_from(last + 1) < entry.records
        };
        let numbers = (0..index.connections.count()).filter_map(|rank| index.connections.number(rank));
        let numbers: Vec<u32> = numbers.filter(|number| index.connection(*number).is_some_and(needs_copy)).collect();
        drop(index);
        for number in numbers {
            self.keep_handshake(number);
        }
    }

    /// The records that an export writes in place of the evicted ones of a connection, so that the rest of it can be read: the
    /// handshake, a gap for everything else, and the end of a direction. A gap has the number of the last evicted record.
    pub fn in_place_of_evicted(&self, connection: u32) -> Vec<Record> {
        let index = self.index();
        let Some(entry) = index.connection(connection) else { return Vec::new() };
        let Some(evicted) = entry.evicted.as_deref() else { return Vec::new() };
        let no = index.totals.evicted();
        let gap =
            |direction, from, to, time| (to > from).then(|| Record::gap(no, connection, direction, from..to, time));
        let mut written = [0; 2];
        let mut records = Vec::new();
        for head in entry.kept_handshake.as_deref().into_iter().flatten().filter(|head| head.record.no <= no) {
            let Record { direction, offset, wire_len, time, .. } = head.record;
            records.extend(gap(direction, written[direction.index()], offset, time));
            records.push(head.record.clone());
            written[direction.index()] = offset + wire_len;
        }
        for (direction, part) in Direction::BOTH.into_iter().zip(evicted) {
            records.extend(gap(direction, written[direction.index()], part.to, part.time));
            records.extend(part.end.clone());
        }
        records
    }
}
