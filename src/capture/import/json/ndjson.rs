//! NDJSON, version 1: each line becomes traffic again. The schema is [`crate::capture::format::schema`].

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read};
use std::net::SocketAddr;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::event::Event;
use super::record::Told;
use super::replay::{Replay, unknown_addresses};
use crate::capture::live::recorder::Recorder;
use crate::capture::store::Capture;
use crate::proto::dissected::Direction;
use crate::proto::rules::{count, grouped};
use crate::wire::printable;

/// The longest line that is read, in bytes: it holds a frame twice, in hex and as text with its escapes or in base64.
const MAX_LINE: u64 = 512 * 1024 * 1024;

/// How much is read at once, in bytes.
const BUFFER: usize = 256 * 1024;

/// U+FEFF in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads the lines into the capture: everything before the first damage, and a line about that.
pub fn read(capture: &Capture, file: File, recorder: Recorder, cancel: &AtomicBool) {
    let mut lines = Lines::new(Arc::new(file), 0);
    let mut reading = Reading {
        capture,
        replay: Replay::new(recorder),
        next: HashMap::new(),
        addresses: None,
        buffer: Vec::new(),
        told_missing: false,
    };
    while !cancel.load(Ordering::Relaxed) {
        let line = match lines.next() {
            Ok(true) => &lines.line,
            Ok(false) => break,
            Err(e) => {
                reading.trouble(lines.number, &format!("{e}; what stands before it is shown"));
                break;
            }
        };
        if line.trim_ascii().is_empty() {
            continue;
        }
        if let Err(why) = reading.line(&lines) {
            reading.trouble(lines.number, &format!("{why}; what stands before it is shown"));
            break;
        }
    }
    reading.replay.finish();
}

struct Reading<'a> {
    capture: &'a Capture,
    replay: Replay,
    /// Of each connection the offsets that come next, as the lines count them.
    next: HashMap<u64, [u64; 2]>,
    /// Of connections that do not begin with a request; looked up when the first of them comes.
    addresses: Option<HashMap<u64, (SocketAddr, SocketAddr)>>,
    buffer: Vec<u8>,
    /// That records are missing was told.
    told_missing: bool,
}

impl Reading<'_> {
    fn line(&mut self, lines: &Lines) -> Result<(), String> {
        let told: Told<'_> = serde_json::from_slice(lines.line.trim_ascii_end()).map_err(|e| said(&e))?;
        let sound = told.sound().map_err(|e| e.to_string())?;
        let connection = told.conn;
        if !self.replay.knows(connection) {
            let addresses = told.addresses().unwrap_or_else(|| self.looked_up(connection, lines));
            self.replay.begin(connection, addresses, told.next().is_frame);
            self.next.remove(&connection);
        }
        let next = self.next.get(&connection).copied().unwrap_or_default();
        // Its offset tells where it was fed, if anything does.
        let fed = Direction::BOTH.into_iter().find(|way| told.is_undirected() && next[way.index()] == told.offset);
        let direction = fed.unwrap_or(sound.direction);
        let known = next[direction.index()];
        if told.offset != known && !std::mem::replace(&mut self.told_missing, true) {
            let words = format!(
                "at offset {} of its direction where {} comes next: records before it are not in the file",
                grouped(told.offset),
                grouped(known)
            );
            self.trouble(lines.number, &words);
        }
        self.next.entry(connection).or_default()[direction.index()] = told.offset.saturating_add(sound.len);
        self.replay.record(connection, direction, sound.time, told.next());
        match sound.event {
            Event::Bytes => {
                let replay = &mut self.replay;
                told.pieces(&mut self.buffer, |bytes| replay.bytes(connection, direction, sound.time, bytes));
            }
            Event::Gap(_) | Event::End(..) => {
                self.replay.happens(connection, direction, sound.time, sound.event);
                if !self.replay.knows(connection) {
                    self.next.remove(&connection);
                }
            }
        }
        Ok(())
    }

    fn trouble(&self, line: u64, words: &str) {
        self.capture.add_trouble(&format!("line {}: {}", grouped(line), printable::text(words)));
    }

    /// The addresses that a later line tells.
    fn looked_up(&mut self, connection: u64, lines: &Lines) -> (SocketAddr, SocketAddr) {
        let known = self.addresses.get_or_insert_with(|| {
            let mut known = HashMap::new();
            let mut ahead = Lines::new(Arc::clone(&lines.file), lines.end);
            while let Ok(true) = ahead.next() {
                if memchr::memmem::find(&ahead.line, b"\"client\":\"").is_none() {
                    continue;
                }
                if let Ok(told) = serde_json::from_slice::<Told<'_>>(&ahead.line)
                    && let Some(addresses) = told.addresses()
                {
                    known.entry(told.conn).or_insert(addresses);
                }
            }
            known
        });
        known.get(&connection).copied().unwrap_or_else(|| unknown_addresses(connection))
    }
}

/// The lines of a file, one at a time.
struct Lines {
    file: Arc<File>,
    reader: BufReader<At>,
    line: Vec<u8>,
    /// Of the line, from 1.
    number: u64,
    /// File position behind the line.
    end: u64,
}

impl Lines {
    fn new(file: Arc<File>, start: u64) -> Self {
        let reader = BufReader::with_capacity(BUFFER, At { file: Arc::clone(&file), position: start });
        Self { file, reader, line: Vec::new(), number: 0, end: start }
    }

    /// Reads the next line; whether there was one.
    fn next(&mut self) -> io::Result<bool> {
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
            return Err(io::Error::other(format!("it is longer than {}", count(MAX_LINE, "byte"))));
        }
        Ok(read > 0)
    }
}

/// Reads a file from a position on, whatever others do with it.
struct At {
    file: Arc<File>,
    position: u64,
}

impl Read for At {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.position)?;
        self.position += read as u64;
        Ok(read)
    }
}

/// What is wrong with a line, and at which of its columns.
fn said(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
    format!("{what}, at column {}", error.column())
}
