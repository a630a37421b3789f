//! Reads NDJSON, version 1: the traffic of each line is replayed. `docs/formats.md` describes the keys.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read};
use std::net::SocketAddr;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::event::RecordEvent;
use super::record::{JsonRecord, RecordError};
use super::replay::{Replay, unknown_addresses};
use crate::capture::format::proxied::Proxied;
use crate::capture::store::Capture;
use crate::proto::dissected::Direction;
use crate::proto::rules::{count, grouped};
use crate::wire::printable;

/// The longest line that is read, in bytes. A line contains a frame twice: in hex, and as text with escapes or in base64.
const MAX_LINE: u64 = 512 * 1024 * 1024;

/// How many records of a connection are kept because a response may answer them.
const MAX_ANSWERABLE: usize = 8;

/// How much is read from the file at once, in bytes.
const BUFFER: usize = 256 * 1024;

/// U+FEFF in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads the file into the capture. At a damaged line it stops, and adds the damage to the capture's trouble.
pub fn read(capture: &Capture, file: &Arc<File>, replay: Replay, cancel: &AtomicBool) {
    let mut lines = LineReader::new(Arc::clone(file), 0);
    let mut importer = Importer {
        capture,
        replay,
        open: HashMap::new(),
        addresses: None,
        replaced: HashMap::new(),
        buffer: Vec::new(),
        missing_reported: false,
    };
    while !cancel.load(Ordering::Relaxed) {
        let line = match lines.next() {
            Ok(true) => lines.line.trim_ascii(),
            Ok(false) => break,
            Err(e) => {
                importer.damage(lines.number, &e);
                break;
            }
        };
        if !line.is_empty()
            && let Err(e) = importer.line(&lines)
        {
            importer.damage(lines.number, &e);
            break;
        }
    }
    importer.replay.finish();
}

/// Why a line cannot be replayed.
#[derive(Debug, thiserror::Error)]
enum LineError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("it is longer than {}", count(MAX_LINE, "byte"))]
    TooLong,
    #[error("{}, at column {}", without_place(.0), .0.column())]
    Json(#[from] serde_json::Error),
    #[error("{0}")]
    Record(#[from] RecordError),
}

/// The message of a JSON error without its line and column: the line is always the first.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(message, _)| message.to_owned())
}

/// How far the file was read in a connection.
#[derive(Default)]
struct Progress {
    /// The next offset of each direction, as the file counts it.
    next: [u64; 2],
    /// The numbers and offsets of the latest records that a response may answer, besides requests.
    answerable: VecDeque<(u64, u64)>,
}

impl Progress {
    fn offset_of(&self, no: u64) -> Option<u64> {
        self.answerable.iter().find(|(known, _)| *known == no).map(|(_, offset)| *offset)
    }
}

struct Importer<'a> {
    capture: &'a Capture,
    replay: Replay,
    /// The open connections.
    open: HashMap<u64, Progress>,
    /// The addresses of all connections in the file; read when the first connection begins without a request.
    addresses: Option<HashMap<u64, (SocketAddr, SocketAddr)>>,
    /// The records that were replaced: their numbers in the file, and in the capture.
    replaced: HashMap<u64, u64>,
    buffer: Vec<u8>,
    /// Whether missing records were reported: that is done once.
    missing_reported: bool,
}

impl Importer<'_> {
    fn line(&mut self, lines: &LineReader) -> Result<(), LineError> {
        let record: JsonRecord<'_> = serde_json::from_slice(lines.line.trim_ascii_end())?;
        let valid = record.validate()?;
        let connection = record.conn;
        if !self.replay.is_open(connection) {
            let addresses = record.addresses().unwrap_or_else(|| self.addresses_of(connection, lines));
            self.replay.begin(connection, addresses);
            if record.delivered {
                self.replay.deliver(connection);
            }
            self.open.remove(&connection);
        }
        let next = self.open.entry(connection).or_default().next;
        // A record without a direction belongs to the one in which its offset is the next.
        let by_offset = Direction::BOTH.into_iter().find(|way| next[way.index()] == record.offset);
        let direction = by_offset.filter(|_| record.is_undirected()).unwrap_or(valid.direction);
        let expected = next[direction.index()];
        if record.offset != expected && !std::mem::replace(&mut self.missing_reported, true) {
            let words = format!(
                "at offset {} of its direction where {} comes next: records before it are not in the file",
                grouped(record.offset),
                grouped(expected)
            );
            self.capture.add_notice(&in_line(lines.number, &words));
        }
        if let Some(missing) = record.offset.checked_sub(expected).filter(|missing| *missing > 0) {
            // Without the gap, what follows would be judged as if it came next.
            self.replay.event(connection, direction, valid.time, RecordEvent::Gap(missing.into()));
        }
        let progress = self.open.entry(connection).or_default();
        progress.next[direction.index()] = record.offset.saturating_add(valid.len);
        self.replay.expect(connection, direction, valid.time, record.hints(|no| progress.offset_of(no)));
        if record.may_be_answered() {
            progress.answerable.truncate(MAX_ANSWERABLE - 1);
            progress.answerable.push_front((record.no, record.offset));
        }
        match valid.event {
            RecordEvent::Bytes => {
                let replay = &mut self.replay;
                if let Some(note) = &record.note {
                    replay.note_next(connection, direction, valid.len, note);
                }
                let came = record.in_place_of.and_then(|no| self.replaced.remove(&no));
                let proxied = record.proxied.as_deref().and_then(Proxied::named);
                if let Some(how) = came.map(Proxied::InPlaceOf).or(proxied) {
                    replay.proxied_next(connection, direction, how);
                }
                record.pieces(&mut self.buffer, |bytes| replay.bytes(connection, direction, valid.time, bytes));
                if record.replaced_by.is_some() {
                    self.replaced.insert(record.no, replay.latest_number(connection));
                }
            }
            RecordEvent::Gap(_) | RecordEvent::End(..) => {
                self.replay.event(connection, direction, valid.time, valid.event);
                if !self.replay.is_open(connection) {
                    self.open.remove(&connection);
                }
            }
        }
        Ok(())
    }

    fn damage(&self, line: u64, error: &LineError) {
        match error {
            LineError::Io(_) => self.capture.add_failure(&format!("cannot read line {}: {error}", grouped(line))),
            _ => {
                let words = format!("{error}; records before the damage are shown");
                self.capture.add_damage(&in_line(line, &words));
            }
        }
    }

    /// The addresses of a connection: those of a later line, or made up.
    fn addresses_of(&mut self, connection: u64, lines: &LineReader) -> (SocketAddr, SocketAddr) {
        let known = self.addresses.get_or_insert_with(|| {
            let mut known = HashMap::new();
            let mut ahead = LineReader::new(Arc::clone(&lines.file), lines.end);
            while let Ok(true) = ahead.next() {
                if memchr::memmem::find(&ahead.line, b"\"client\":\"").is_none() {
                    continue;
                }
                if let Ok(record) = serde_json::from_slice::<JsonRecord<'_>>(&ahead.line)
                    && let Some(addresses) = record.addresses()
                {
                    known.entry(record.conn).or_insert(addresses);
                }
            }
            known
        });
        known.get(&connection).copied().unwrap_or_else(|| unknown_addresses(connection))
    }
}

/// Words about a line.
fn in_line(line: u64, words: &str) -> String {
    format!("line {}: {}", grouped(line), printable::text(words))
}

/// Reads a file line by line.
struct LineReader {
    file: Arc<File>,
    reader: BufReader<ReadAt>,
    line: Vec<u8>,
    /// The number of the line, from 1.
    number: u64,
    /// File position of the byte after the line.
    end: u64,
}

impl LineReader {
    fn new(file: Arc<File>, start: u64) -> Self {
        let reader = BufReader::with_capacity(BUFFER, ReadAt { file: Arc::clone(&file), position: start });
        Self { file, reader, line: Vec::new(), number: 0, end: start }
    }

    /// Reads the next line; returns false at the end of the file.
    fn next(&mut self) -> Result<bool, LineError> {
        self.line.clear();
        self.number += 1;
        // Some editors begin a file with a byte order mark.
        if self.end == 0 && self.reader.fill_buf()?.starts_with(BYTE_ORDER_MARK) {
            self.reader.consume(BYTE_ORDER_MARK.len());
            self.end += BYTE_ORDER_MARK.len() as u64;
        }
        let read = (&mut self.reader).take(MAX_LINE).read_until(b'\n', &mut self.line)? as u64;
        self.end += read;
        if read == MAX_LINE {
            return Err(LineError::TooLong);
        }
        Ok(read > 0)
    }
}

/// Reads a file from a position on, independent of other readers of the same file.
struct ReadAt {
    file: Arc<File>,
    position: u64,
}

impl Read for ReadAt {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.position)?;
        self.position += read as u64;
        Ok(read)
    }
}
