//! Replays the records of a JSON file: their bytes and ends go through the recorder, in the order of the records.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::event::{RecordEvent, ReplayHints};
use crate::capture::format::proxied::Proxied;
use crate::capture::live::connection_recorder::Recording;
use crate::capture::live::recorder::{Chunk, Recorder};
use crate::proto::connection::Connection;
use crate::proto::dissected::Direction;
use crate::proto::time::Time;

/// Replays connections into a recorder.
pub struct Replay {
    recorder: Recorder,
    /// Whether permessage-deflate counts as negotiated.
    deflate: bool,
    /// The connections that have not ended, by their numbers in the file.
    connections: HashMap<u64, Replayed>,
    /// The connection of the latest event. Only it may have uncommitted records, because records are numbered when they are committed.
    latest: Option<u64>,
}

struct Replayed {
    recording: Recording,
    ended: [bool; 2],
}

impl Replay {
    pub fn new(recorder: Recorder, deflate: bool) -> Self {
        Self { recorder, deflate, connections: HashMap::new(), latest: None }
    }

    /// Returns true if a connection has begun and not ended.
    pub fn is_open(&self, connection: u64) -> bool {
        self.connections.contains_key(&connection)
    }

    /// Begins a connection with the addresses of client and server.
    pub fn begin(&mut self, connection: u64, (client, server): (SocketAddr, SocketAddr)) {
        let reading = Connection::new(Some(server)).assume_deflate(self.deflate);
        let recording = self.recorder.recording(client, server, reading);
        self.connections.insert(connection, Replayed { recording, ended: [false; 2] });
    }

    /// The bytes of a connection without bytes are those that the sides of an earlier one received.
    pub fn deliver(&mut self, connection: u64) {
        if let Some(replayed) = self.connections.get_mut(&connection) {
            replayed.recording.deliver();
        }
    }

    /// Prepares an open connection for its next record, whose bytes or event follow.
    pub fn expect(&mut self, connection: u64, direction: Direction, time: Time, hints: ReplayHints) {
        let Some(replayed) = self.connections.get_mut(&connection) else { return };
        if let Some(stated) = hints.stated {
            replayed.recording.state_record(direction, stated);
        }
        if let Some(outstanding) = hints.outstanding {
            replayed.recording.outstanding(direction.opposite(), outstanding);
        }
        if hints.altered {
            replayed.recording.alter(direction.opposite(), time);
        }
        if hints.overlapped > 0 {
            replayed.recording.overlapped(direction, hints.overlapped, time);
        }
    }

    /// Puts a note on the record that the next `len` bytes complete.
    pub fn note_next(&mut self, connection: u64, direction: Direction, len: u64, note: &str) {
        if let Some(replayed) = self.connections.get_mut(&connection).filter(|_| len > 0) {
            replayed.recording.note_next(direction, len, note.to_owned());
        }
    }

    /// What `proxy` did with the record that the next bytes of a connection begin.
    pub fn proxied_next(&mut self, connection: u64, direction: Direction, how: Proxied) {
        if let Some(replayed) = self.connections.get_mut(&connection) {
            replayed.recording.proxied_next(direction, how);
        }
    }

    /// The number of the latest record of the connection that had the latest event.
    pub fn latest_number(&mut self, connection: u64) -> u64 {
        if let Some(replayed) = self.connections.get_mut(&connection) {
            replayed.recording.commit();
        }
        self.recorder.capture().len()
    }

    /// Replays bytes on an open connection.
    pub fn bytes(&mut self, connection: u64, direction: Direction, time: Time, bytes: &[u8]) {
        self.commit_others(connection);
        let Some(replayed) = self.connections.get_mut(&connection) else { return };
        if !replayed.ended[direction.index()] {
            replayed.recording.batch(&[Chunk { direction, time, bytes }]);
            replayed.recording.commit_if_large();
        }
    }

    /// Replays a gap or an end on an open connection.
    pub fn event(&mut self, connection: u64, direction: Direction, time: Time, event: RecordEvent) {
        self.commit_others(connection);
        let Some(replayed) = self.connections.get_mut(&connection) else { return };
        let (reason, by) = match event {
            RecordEvent::Bytes => return,
            RecordEvent::Gap(missing) => return replayed.recording.gap(direction, missing, time),
            RecordEvent::End(reason, by) => (reason, by),
        };
        if std::mem::replace(&mut replayed.ended[direction.index()], true) {
            return;
        }
        replayed.recording.begin(time);
        if let Some(by) = by {
            replayed.recording.reset_by(by);
        }
        replayed.recording.end(direction, reason, time);
        if replayed.ended == [true; 2] {
            self.connections.remove(&connection);
        }
    }

    /// Ends every open connection with [`crate::proto::dissected::EndReason::Capture`]: the file has no more records.
    pub fn finish(mut self) {
        self.commit_others(u64::MAX);
        let mut open: Vec<_> = self.connections.drain().collect();
        open.sort_by_key(|(connection, _)| *connection);
        for (_, mut replayed) in open {
            replayed.recording.end_unknown();
        }
    }

    /// Commits the records of the connection of the latest event, if it was another one: they come first.
    fn commit_others(&mut self, connection: u64) {
        let before = self.latest.replace(connection).filter(|before| *before != connection);
        if let Some(before) = before.and_then(|before| self.connections.get_mut(&before)) {
            before.recording.commit();
        }
    }
}

/// Addresses for a connection whose addresses are not in the file: unspecified hosts, and a client port for each connection.
pub fn unknown_addresses(connection: u64) -> (SocketAddr, SocketAddr) {
    let server = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0);
    (unknown_client(connection, server), server)
}

/// A client address for a connection whose client is not in the file.
pub fn unknown_client(connection: u64, server: SocketAddr) -> SocketAddr {
    let host = match server.ip() {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    SocketAddr::new(host, u16::try_from(connection % 65_535).map_or(1, |port| port + 1))
}
