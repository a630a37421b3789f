//! The events of a HAR: one for each head and frame, with the place of its bytes in the scratch file.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicBool, Ordering};

use super::entry::HarEntry;
use super::oddities::Oddities;
use crate::capture::import::json::replay::{Replay, unknown_addresses};
use crate::capture::live::recorder::Recorder;
use crate::capture::store::scratch;
use crate::proto::dissected::Direction;
use crate::proto::rules::{count, grouped};
use crate::proto::time::Time;
use crate::wire::printable;

/// How much of the scratch file is read at once, in bytes.
const PIECE: u64 = 256 * 1024;

/// The longest program name that is kept, in characters.
const MAX_NAME: usize = 60;

/// Collects the events of the entries while the file is parsed, and replays them.
pub struct Events {
    all: Vec<HarEvent>,
    scratch: BufWriter<File>,
    /// Why the scratch file cannot be written.
    pub write_error: Option<io::Error>,
    /// Bytes in the scratch file.
    len: u64,
    /// Addresses of client and server, by the number of the connection.
    addresses: HashMap<u64, (SocketAddr, SocketAddr)>,
    /// The entry that is being read.
    pub entry: HarEntry,
    /// Connections so far; the number of the connection of the entry that is being read.
    pub connections: u64,
    /// Entries that are not WebSockets.
    pub skipped: u64,
    /// WebSockets with a handshake that have no list of messages.
    pub without_list: u64,
    /// WebSockets with a handshake whose list of messages is empty.
    pub empty_lists: u64,
    /// What cannot be shown.
    pub oddities: Oddities,
    /// The program that wrote the file.
    pub creator: Option<String>,
    /// Whether the file is one of Firefox, which writes no messages.
    is_firefox: bool,
}

/// Bytes that cross.
#[derive(Debug)]
pub struct HarEvent {
    /// Events are replayed in the order of these times. Within a connection they never decrease.
    pub order: Time,
    connection: u64,
    direction: Direction,
    /// When the bytes crossed; 0 while that is not known.
    pub time: Time,
    /// The bytes in the scratch file.
    position: u64,
    len: u64,
}

impl Events {
    /// # Errors
    /// If the scratch file cannot be created.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            all: Vec::new(),
            scratch: BufWriter::with_capacity(1 << 18, scratch::file()?),
            write_error: None,
            len: 0,
            addresses: HashMap::new(),
            entry: HarEntry::default(),
            connections: 0,
            skipped: 0,
            without_list: 0,
            empty_lists: 0,
            oddities: Oddities::default(),
            creator: None,
            is_firefox: false,
        })
    }

    /// Notes the name of the browser, or of the program that wrote the file.
    pub fn made_by(&mut self, name: &str, is_creator: bool) {
        self.is_firefox |= name.contains("Firefox");
        if is_creator {
            let name: String = printable::text(name).chars().take(MAX_NAME).collect();
            self.creator = Some(name).filter(|name| !name.is_empty());
        }
    }

    /// Adds bytes that cross on the connection of the entry that is being read; at time 0 if the time is not known yet.
    pub fn bytes(&mut self, direction: Direction, time: Time, pieces: &[&[u8]]) -> io::Result<()> {
        let position = self.len;
        for piece in pieces {
            if let Err(e) = self.scratch.write_all(piece) {
                let kind = e.kind();
                self.write_error = Some(e);
                return Err(kind.into());
            }
            self.len += piece.len() as u64;
        }
        let connection = self.connections;
        self.all.push(HarEvent { order: time, connection, direction, time, position, len: self.len - position });
        Ok(())
    }

    /// The events from position `first` on.
    pub fn since(&mut self, first: usize) -> &mut [HarEvent] {
        &mut self.all[first..]
    }

    /// Makes the entry that was read a connection between these addresses. Its latest `moved` events move before the others.
    pub fn connect(&mut self, addresses: (SocketAddr, SocketAddr), moved: usize) {
        self.all[self.entry.first..].rotate_right(moved);
        self.addresses.insert(self.connections, addresses);
        self.connections += 1;
    }

    /// Ends the entry that was read.
    pub fn entry_ends(&mut self) -> io::Result<()> {
        let entry = std::mem::take(&mut self.entry);
        if !entry.is_odd {
            entry.finish(self)?;
        }
        self.entry = HarEntry { first: self.all.len(), ..HarEntry::default() };
        Ok(())
    }

    /// Keeps the messages of the entry in which the file ends.
    pub fn interrupted(&mut self) {
        if self.entry.has_messages {
            let _ = self.entry_ends();
        }
    }

    /// What of the file cannot be shown, a line each.
    pub fn notices(&self) -> Vec<String> {
        let mut lines = Vec::new();
        match (self.all.is_empty(), self.skipped) {
            (false, _) => {}
            (true, 0) => lines.push("this HAR has no entries".to_owned()),
            (true, 1) => lines.push("the only entry of this HAR is not a WebSocket".to_owned()),
            (true, n) => lines.push(format!("none of the {} entries of this HAR is a WebSocket", grouped(n))),
        }
        let without_messages = self.without_list + if self.is_firefox { self.empty_lists } else { 0 };
        if without_messages > 0 {
            lines.push(format!(
                "{} without messages{}; export the HAR with Chrome, or capture the packets",
                count(without_messages, "WebSocket"),
                if self.is_firefox { ": Firefox writes only the handshake into a HAR" } else { " in this HAR" }
            ));
        }
        lines.extend(self.oddities.lines());
        lines
    }

    /// Replays the events into the recorder, in the order of their times.
    pub fn replay(mut self, recorder: Recorder, cancel: &AtomicBool) -> io::Result<()> {
        self.scratch.flush()?;
        self.all.sort_by_key(|event| event.order);
        let mut replay = Replay::new(recorder, false);
        let file = self.scratch.get_ref();
        let mut buffer = Vec::new();
        for event in &self.all {
            if cancel.load(Ordering::Relaxed) {
                break;
            }
            let connection = event.connection;
            if !replay.is_open(connection) {
                let addresses = self.addresses.get(&connection).copied();
                replay.begin(connection, addresses.unwrap_or_else(|| unknown_addresses(connection)));
            }
            let mut at = 0;
            while at < event.len {
                let piece = PIECE.min(event.len - at);
                buffer.resize(usize::try_from(piece).unwrap_or(0), 0);
                file.read_exact_at(&mut buffer, event.position + at)?;
                replay.bytes(connection, event.direction, event.time, &buffer);
                at += piece;
            }
        }
        replay.finish();
        Ok(())
    }
}
