//! What records tell becomes traffic again: bytes and ends go through the recorder, connection by connection, in the order
//! of the records.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::event::{Event, Next};
use crate::capture::live::connection_recorder::Recording;
use crate::capture::live::recorder::{Chunk, Recorder};
use crate::proto::connection::Connection;
use crate::proto::dissected::{Direction, EndReason};
use crate::proto::time::Time;

/// How many requests of a connection are remembered.
const MAX_REQUESTS: usize = 256;

/// Records connections that others tell of.
pub struct Replay {
    recorder: Recorder,
    /// By the number that they were told with; those that have not ended.
    connections: HashMap<u64, Replayed>,
    /// The one that may hold something back: the order of records is that of commits.
    latest: Option<u64>,
}

struct Replayed {
    recording: Recording,
    /// Records so far.
    ordinals: u32,
    /// The latest requests: the number that each was told with, and its ordinal.
    requests: VecDeque<(u64, u32)>,
    /// A reset ends both directions at once, when the records of both were told: who sent it, and when.
    reset: Option<(Direction, Time)>,
    ended: [bool; 2],
}

impl Replay {
    pub fn new(recorder: Recorder) -> Self {
        Self { recorder, connections: HashMap::new(), latest: None }
    }

    /// Whether a connection has begun and not ended.
    pub fn knows(&self, connection: u64) -> bool {
        self.connections.contains_key(&connection)
    }

    /// Begins a connection with the addresses of client and server; `in_frames` when it begins behind its handshake.
    pub fn begin(&mut self, connection: u64, (client, server): (SocketAddr, SocketAddr), in_frames: bool) {
        let reading = if in_frames { Connection::in_frames() } else { Connection::new(Some(server)) };
        let recording = Recording::new(self.recorder.clone(), client, server, reading);
        self.connections.insert(
            connection,
            Replayed { recording, ordinals: 0, requests: VecDeque::new(), reset: None, ended: [false; 2] },
        );
    }

    /// A record comes next on a connection that has begun.
    pub fn record(&mut self, connection: u64, direction: Direction, time: Time, next: Next) {
        let Some(replayed) = self.connections.get_mut(&connection) else { return };
        if next.is_request {
            replayed.requests.push_back((next.no, replayed.ordinals));
            if replayed.requests.len() > MAX_REQUESTS {
                replayed.requests.pop_front();
            }
        }
        replayed.ordinals = replayed.ordinals.saturating_add(1);
        if next.begins {
            replayed.recording.begins_here(direction, time);
        }
        if next.overlapped > 0 {
            replayed.recording.overlapped(direction, next.overlapped, time);
        }
        if let Some(no) = next.unanswered
            && let Some((_, handshake)) = replayed.requests.iter().find(|(of, _)| *of == no)
        {
            replayed.recording.sent_before_answer(*handshake);
        }
    }

    /// Bytes cross on a connection that has begun.
    pub fn bytes(&mut self, connection: u64, direction: Direction, time: Time, bytes: &[u8]) {
        self.turn_to(connection);
        let Some(replayed) = self.connections.get_mut(&connection) else { return };
        if !replayed.ended[direction.index()] {
            replayed.recording.hold(&[Chunk { direction, time, bytes }]);
            replayed.recording.commit_when_much();
        }
    }

    /// Something else happens on a connection that has begun.
    pub fn happens(&mut self, connection: u64, direction: Direction, time: Time, event: Event) {
        self.turn_to(connection);
        let Some(replayed) = self.connections.get_mut(&connection) else { return };
        let (how, by) = match event {
            Event::Bytes => return,
            Event::Gap(missing) => return replayed.recording.gap(direction, missing, time),
            Event::End(how, by) => (how, by),
        };
        if std::mem::replace(&mut replayed.ended[direction.index()], true) {
            return;
        }
        replayed.recording.begin(time);
        match how {
            EndReason::Rst => {
                let reset = replayed.reset.get_or_insert((direction, time));
                reset.0 = by.unwrap_or(reset.0);
            }
            how => replayed.recording.end(direction, how, time),
        }
        if replayed.ended == [true; 2] {
            if let Some((by, time)) = replayed.reset {
                replayed.recording.reset(by, time);
            }
            self.connections.remove(&connection);
        }
    }

    /// No more is told: what has not ended ends with the capture.
    pub fn finish(mut self) {
        self.turn_to(u64::MAX);
        let mut open: Vec<_> = self.connections.drain().collect();
        open.sort_by_key(|(connection, _)| *connection);
        for (_, mut replayed) in open {
            if let Some((by, time)) = replayed.reset {
                replayed.recording.reset(by, time);
            }
            replayed.recording.end_unknown();
        }
    }

    /// What the connection before this one holds comes before what this one says.
    fn turn_to(&mut self, connection: u64) {
        let before = self.latest.replace(connection).filter(|before| *before != connection);
        if let Some(before) = before.and_then(|before| self.connections.get_mut(&before)) {
            before.recording.commit();
        }
    }
}

/// Addresses for a connection of which they are not known: of no host, but different for each connection.
pub fn unknown_addresses(connection: u64) -> (SocketAddr, SocketAddr) {
    let server = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0);
    (unknown_client(connection, server), server)
}

/// An address for a client of which it is not known.
pub fn unknown_client(connection: u64, server: SocketAddr) -> SocketAddr {
    let host = match server.ip() {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    SocketAddr::new(host, (connection % 65_535) as u16 + 1)
}
