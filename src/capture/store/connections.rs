//! The connections of a capture, and the records of each.

use std::net::SocketAddr;

use super::Capture;
use super::index::{ConnectionEntry, Totals};
use super::record::Record;
use crate::proto::connection::HandshakeSummary;
use crate::proto::dissected::EndReason;
use crate::proto::time::Time;

/// What is known of a connection.
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
    /// What its handshake said.
    pub about: HandshakeSummary,
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
            bytes: [entry.streams[0].len, entry.streams[1].len],
            ended: entry.ended,
            records: entry.records,
        }
    }
}

impl Capture {
    /// What is known of a connection; numbers begin at 1.
    pub fn connection(&self, number: u32) -> Option<ConnectionInfo> {
        let index = self.index();
        let entry = index.connection(number)?;
        Some(ConnectionInfo::of(entry, number))
    }

    /// How many connections are there: those of which nothing went with the ring, or not all.
    pub fn connections_there(&self) -> u32 {
        self.index().connections.count()
    }

    /// Whether something of a connection is there.
    pub fn connection_is_there(&self, number: u32) -> bool {
        self.index().connection(number).is_some()
    }

    /// The number of the connection before which so many others are there.
    pub fn connection_at(&self, rank: u32) -> Option<u32> {
        self.index().connections.number(rank)
    }

    /// How many connections with smaller numbers are there.
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

    /// The connections that are there, each with the ordinal of its first record that is, and the counts at the same moment.
    pub fn first_ordinals(&self) -> (Totals, Vec<(u32, u32)>) {
        let index = self.index();
        let numbers = (0..index.connections.count()).filter_map(|rank| index.connections.number(rank));
        (index.totals, numbers.filter_map(|number| Some((number, index.connection(number)?.base))).collect())
    }

    /// The ordinal of the first record of a connection that is there; `None` when the connection is gone.
    pub fn first_ordinal(&self, connection: u32) -> Option<u32> {
        self.index().connection(connection).map(|entry| entry.base)
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

    /// The request and the response that upgraded a connection, as long as they are there.
    pub(in crate::capture) fn handshake(&self, connection: u32) -> Option<[Record; 2]> {
        let index = self.index();
        let [request, response] = index.connection(connection)?.handshake?;
        Some([index.record(request)?, index.record(response)?])
    }
}
