//! What a HAR tells, noted event by event: what happened, when and on which connection, and where its bytes stand in the
//! scratch file.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicBool, Ordering};

use super::entry::Entry;
use crate::capture::import::json::event::{Event, Next};
use crate::capture::import::json::record::{Sound, Told};
use crate::capture::import::json::replay::{Replay, unknown_addresses};
use crate::capture::live::recorder::Recorder;
use crate::capture::store::scratch;
use crate::proto::dissected::Direction;
use crate::proto::rules::{count, grouped};
use crate::proto::time::Time;
use crate::wire::printable;

/// How much of the scratch file is read at once, in bytes.
const PIECE: u64 = 256 * 1024;

/// Connections of entries without records are numbered from here on.
const FOREIGN: u64 = 1 << 32;

/// The longest name of a program that is kept, in characters.
const MAX_NAME: usize = 60;

/// What a HAR tells.
pub struct Events {
    noted: Vec<Noted>,
    scratch: BufWriter<File>,
    /// Bytes in the scratch file.
    len: u64,
    /// Addresses of client and server.
    addresses: HashMap<u64, (SocketAddr, SocketAddr)>,
    buffer: Vec<u8>,
    /// The entry that is being read.
    pub entry: Entry,
    /// Connections of entries without records.
    pub reconstructed: u64,
    /// Entries that are no WebSockets.
    pub skipped: u64,
    /// Messages that cannot be shown.
    pub odd: u64,
    /// The program that wrote the file.
    pub creator: Option<String>,
    /// What the file says its records were reconstructed from.
    pub marked: Option<String>,
}

/// An event.
#[derive(Debug)]
pub struct Noted {
    /// Events happen in the order of their times, where a connection's order does not say otherwise.
    pub order: Time,
    pub connection: u64,
    pub next: Next,
    pub direction: Direction,
    pub time: Time,
    pub event: Event,
    /// Its bytes in the scratch file.
    pub position: u64,
    pub len: u64,
}

impl Events {
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            noted: Vec::new(),
            scratch: BufWriter::with_capacity(1 << 18, scratch::file()?),
            len: 0,
            addresses: HashMap::new(),
            buffer: Vec::new(),
            entry: Entry::default(),
            reconstructed: 0,
            skipped: 0,
            odd: 0,
            creator: None,
            marked: None,
        })
    }

    /// The name of the program that wrote the file.
    pub fn created_by(&mut self, name: &str) {
        let name: String = printable::text(name).chars().take(MAX_NAME).collect();
        self.creator = Some(name).filter(|name| !name.is_empty());
    }

    /// What the file says its records were reconstructed from.
    pub fn marked_as(&mut self, words: Option<String>) {
        self.marked = words.map(|words| printable::text(&words).chars().take(8 * MAX_NAME).collect());
    }

    /// The entry has its records: its messages tell nothing else.
    pub fn own_entry(&mut self) {
        self.noted.truncate(self.entry.first);
        self.entry.is_own = true;
    }

    /// Notes a record of ours.
    pub fn told(&mut self, told: &Told<'_>, sound: Sound) -> io::Result<()> {
        if let Some(addresses) = told.addresses() {
            self.addresses.entry(told.conn).or_insert(addresses);
        }
        let (position, mut written) = (self.len, Ok(()));
        let mut buffer = std::mem::take(&mut self.buffer);
        told.pieces(&mut buffer, |bytes| {
            if written.is_ok() {
                written = self.write(bytes);
            }
        });
        self.buffer = buffer;
        written?;
        self.noted.push(Noted {
            order: sound.time,
            connection: told.conn,
            next: told.next(),
            direction: sound.direction,
            time: sound.time,
            event: sound.event,
            position,
            len: self.len - position,
        });
        Ok(())
    }

    /// Notes bytes that cross on the connection of the entry that is being read; at time 0 when that is not known yet.
    pub fn bytes(&mut self, direction: Direction, time: Time, pieces: &[&[u8]]) -> io::Result<()> {
        let position = self.len;
        for piece in pieces {
            self.write(piece)?;
        }
        self.noted.push(Noted {
            order: time,
            connection: FOREIGN + self.reconstructed,
            next: Next::default(),
            direction,
            time,
            event: Event::Bytes,
            position,
            len: self.len - position,
        });
        Ok(())
    }

    /// The events from position `first` on.
    pub fn since(&mut self, first: usize) -> &mut [Noted] {
        &mut self.noted[first..]
    }

    /// The entry that was read is a connection: it ends with the addresses that it had. The latest `moved` events of it come
    /// before the others.
    pub fn reconnected(&mut self, addresses: (SocketAddr, SocketAddr), moved: usize) {
        self.noted[self.entry.first..].rotate_right(moved);
        self.addresses.insert(FOREIGN + self.reconstructed, addresses);
        self.reconstructed += 1;
    }

    /// The entry ends.
    pub fn entry_ends(&mut self) -> io::Result<()> {
        let entry = std::mem::take(&mut self.entry);
        entry.finish(self)?;
        self.entry = Entry { first: self.noted.len(), ..Entry::default() };
        Ok(())
    }

    /// The file ends inside an entry; what it told so far is kept.
    pub fn interrupted(&mut self) {
        if self.entry.has_messages || self.entry.is_own {
            let _ = self.entry_ends();
        }
    }

    /// What cannot be shown of the file, in a line.
    pub fn trouble(&self) -> Option<String> {
        let no_entry = self.noted.is_empty();
        match self.odd {
            _ if no_entry => Some(match self.skipped {
                1 => "the one entry of this HAR is no WebSocket".to_owned(),
                n => format!("no WebSocket among {} entries of this HAR", grouped(n)),
            }),
            0 => None,
            odd => Some(format!("{} that no frame carries so: left out, or kept as text", count(odd, "message"))),
        }
    }

    /// Hands the events to the recorder, in order.
    pub fn replay(mut self, recorder: Recorder, cancel: &AtomicBool) -> io::Result<()> {
        self.scratch.flush()?;
        match self.reconstructed {
            // Our own records are numbered in the order in which they were recorded.
            0 => self.noted.sort_by_key(|noted| noted.next.no),
            _ => self.noted.sort_by_key(|noted| noted.order),
        }
        let mut replay = Replay::new(recorder);
        let file = self.scratch.get_ref();
        for noted in &self.noted {
            if cancel.load(Ordering::Relaxed) {
                break;
            }
            let connection = noted.connection;
            if !replay.knows(connection) {
                let addresses = self.addresses.get(&connection).copied();
                let addresses = addresses.unwrap_or_else(|| unknown_addresses(connection));
                replay.begin(connection, addresses, noted.next.is_frame);
            }
            replay.record(connection, noted.direction, noted.time, noted.next);
            let mut at = 0;
            while at < noted.len {
                self.buffer.resize(PIECE.min(noted.len - at) as usize, 0);
                file.read_exact_at(&mut self.buffer, noted.position + at)?;
                replay.bytes(connection, noted.direction, noted.time, &self.buffer);
                at += self.buffer.len() as u64;
            }
            replay.happens(connection, noted.direction, noted.time, noted.event);
        }
        replay.finish();
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.scratch.write_all(bytes)?;
        self.len += bytes.len() as u64;
        Ok(())
    }
}
