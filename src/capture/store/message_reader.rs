//! Inflates compressed messages: from the nearest checkpoint, or from the end of the previous message (RFC 7692 §7.2.2).

use std::collections::HashMap;
use std::io;

use super::record::Record;
use super::{Capture, to_usize};
use crate::proto::compressed_messages::MAX_INFLATED;
use crate::proto::deflate::{InflateError, MessageInflater};
use crate::proto::dissected::{Direction, Kind};
use crate::wire::frame::{FrameHead, MAX_HEAD_LEN};
use crate::wire::mask;
use crate::wire::opcode::Opcode;

/// How many directions a reader keeps a cursor in.
const CURSORS: usize = 16;

/// How many messages are cached, and the longest beginning of a message that is, in bytes.
const RECENT: usize = 1024;
const LITTLE: u64 = 1024;

/// For how many frames of a message [`Inflated::carried`] is filled.
const MAX_CARRIED: usize = 16 * 1024;

/// How much of a stream is read at once, in bytes.
const AHEAD: u64 = 128 * 1024;

/// How much of a long message is inflated when only its beginning is wanted, in bytes.
const BEGINNING: u64 = 64 * 1024;

/// How many compressed bytes are inflated at once then: at most about 0.5 MiB come out of them (DEFLATE compresses 1032:1 at best).
const STEP: u64 = 512;

/// What a compressed message inflates to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inflated {
    /// Text or binary.
    pub opcode: Opcode,
    /// True if the capture does not show that permessage-deflate was negotiated: the message could be inflated, which is no
    /// proof.
    pub assumed: bool,
    /// Its first bytes, as many as were requested.
    pub bytes: Vec<u8>,
    /// Its length in bytes, as far as it was inflated.
    pub len: u64,
    /// The length of its compressed payload in bytes, all fragments together, as far as it was read.
    pub compressed_len: u64,
    /// Whether it was inflated to its end or to a fault. [`MessageReader::beginning`] may stop before, and then the message is
    /// longer than `len`.
    pub complete: bool,
    /// Why it was not inflated to its end.
    pub fault: Option<InflateError>,
    /// For each frame of a fragmented message its stream offset, and the length of the message after it.
    pub carried: Vec<(u64, u64)>,
}

impl Inflated {
    /// A complete message without bytes.
    pub(in crate::capture) const fn empty(opcode: Opcode) -> Self {
        Self {
            opcode,
            assumed: false,
            bytes: Vec::new(),
            len: 0,
            compressed_len: 0,
            complete: true,
            fault: None,
            carried: Vec::new(),
        }
    }

    /// The first bytes as text; `None` for a binary message, or when they are not UTF-8. A last character that is cut is left out
    /// when more follows.
    pub fn text(&self) -> Option<&str> {
        if self.opcode != Opcode::Text {
            return None;
        }
        match std::str::from_utf8(&self.bytes) {
            Ok(text) => Some(text),
            Err(e) if e.error_len().is_none() && (!self.complete || (self.bytes.len() as u64) < self.len) => {
                std::str::from_utf8(&self.bytes[..e.valid_up_to()]).ok()
            }
            Err(_) => None,
        }
    }
}

/// Inflates messages of one capture. Keeps a cursor in some directions, so that the next message needs no checkpoint.
#[derive(Debug, Default)]
pub struct MessageReader {
    /// The latest used comes last.
    cursors: Vec<Cursor>,
    /// The latest short results by record and requested length: a list is drawn again and again.
    recent: HashMap<(u64, u64), Option<Inflated>>,
}

/// A stream offset between two messages, and the deflate window there.
#[derive(Debug)]
struct Cursor {
    connection: u32,
    direction: Direction,
    at: u64,
    inflation: MessageInflater,
    /// Bytes of the stream from `base` on, read ahead.
    buffer: Vec<u8>,
    base: u64,
}

impl MessageReader {
    /// Inflates the compressed message that ends with `record`, and returns at most its first `most` bytes. `None` when the record
    /// ends no compressed message, or when earlier messages that it refers to are missing: not captured, or evicted from a ring.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn message(&mut self, capture: &Capture, record: &Record, most: u64) -> io::Result<Option<Inflated>> {
        self.read(capture, record, most, false)
    }

    /// Like [`Self::message`], but inflates no more of a long message than its first `most` bytes, or 64 KiB if that is more,
    /// provided that later messages can be read without the rest.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn beginning(&mut self, capture: &Capture, record: &Record, most: u64) -> io::Result<Option<Inflated>> {
        self.read(capture, record, most, true)
    }

    /// The inflated bytes that messages after `record` may refer to, if it ends the latest message of its direction that was inflated.
    pub fn window_after(&self, record: &Record) -> Option<&[u8]> {
        let at = |cursor: &&Cursor| {
            let end = record.offset + record.wire_len;
            (cursor.connection, cursor.direction, cursor.at) == (record.connection, record.direction, end)
        };
        self.cursors.iter().find(at).map(|cursor| cursor.inflation.window())
    }

    fn read(&mut self, capture: &Capture, record: &Record, most: u64, may_stop: bool) -> io::Result<Option<Inflated>> {
        if record.kind != Kind::Frame || !record.compressed || !record.fin() {
            return Ok(None);
        }
        let usable = |known: &&Option<Inflated>| may_stop || known.as_ref().is_none_or(|inflated| inflated.complete);
        if let Some(known) = self.recent.get(&(record.no, most)).filter(usable) {
            return Ok(known.clone());
        }
        let Some(mut cursor) = self.cursor(capture, record)? else { return Ok(None) };
        let end = record.offset + record.wire_len;
        let may_stop = may_stop && (!cursor.inflation.is_takeover() || is_checkpoint(capture, record, end));
        let stop =
            if may_stop { start_of_message(capture, record).map(|start| (start, most.max(BEGINNING))) } else { None };
        let inflated = Walk { capture, cursor: &mut cursor, stop }.until(end, most)?;
        // A cursor inside a message has inflated more than its offset says.
        if cursor.at == end {
            if self.cursors.len() == CURSORS {
                self.cursors.remove(0);
            }
            self.cursors.push(cursor);
        }
        if most <= LITTLE {
            if self.recent.len() == RECENT {
                self.recent.clear();
            }
            self.recent.insert((record.no, most), inflated.clone());
        }
        Ok(inflated)
    }

    /// The nearest cursor before a record from which its message can be inflated.
    fn cursor(&mut self, capture: &Capture, record: &Record) -> io::Result<Option<Cursor>> {
        let Record { connection, direction, offset, .. } = *record;
        let Some((agreed, at, window)) = capture.checkpoint(connection, direction, offset) else {
            return Ok(None);
        };
        let takeover = agreed.is_none_or(|agreed| agreed.takeover(direction));
        // Without context every message can be read alone, also when bytes between it and the checkpoint are evicted.
        let start = if takeover { None } else { start_of_message(capture, record) };
        let start_after = |at: u64| start.map_or(at, |start| start.max(at));
        let same = |cursor: &Cursor| (cursor.connection, cursor.direction) == (connection, direction);
        let remembered = self.cursors.iter().position(same).map(|i| self.cursors.remove(i));
        if let Some(cursor) = remembered
            && (at..=offset).contains(&cursor.at)
        {
            return Ok(Some(Cursor { at: start_after(cursor.at), ..cursor }));
        }
        let at = start_after(at);
        let inflation = MessageInflater::resumed(takeover, MAX_INFLATED, &window.read()?);
        let inflation = if agreed.is_some() { inflation } else { inflation.on_trial() };
        Ok(Some(Cursor { connection, direction, at, inflation, buffer: Vec::new(), base: 0 }))
    }
}

/// Whether a checkpoint lies at that offset of the record's direction.
fn is_checkpoint(capture: &Capture, record: &Record, offset: u64) -> bool {
    capture.index().connection(record.connection).is_some_and(|entry| {
        let checkpoints = &entry.streams[record.direction.index()].checkpoints;
        checkpoints.binary_search_by_key(&offset, |(at, _)| *at).is_ok()
    })
}

/// The stream offset of the first frame of the message that ends with `record`; `None` when it is too many records away.
fn start_of_message(capture: &Capture, record: &Record) -> Option<u64> {
    let opens = |record: &Record| record.opcode().is_some_and(Opcode::opens_message);
    if opens(record) {
        return Some(record.offset);
    }
    let index = capture.index();
    let entry = index.connection(record.connection)?;
    let before = (entry.first_kept..entry.ordinal_from(record.no)).rev().take(MAX_CARRIED);
    let mut records = before.filter_map(|ordinal| index.record(entry.number_of(ordinal)?));
    let own = |other: &Record| other.direction == record.direction && other.message == record.message;
    records.find(|other| own(other) && opens(other)).map(|first| first.offset)
}

/// A walk from frame to frame.
struct Walk<'a> {
    capture: &'a Capture,
    cursor: &'a mut Cursor,
    /// From where on in the stream inflating may stop, and after how many bytes of a message.
    stop: Option<(u64, u64)>,
}

/// A message whose end has not been reached; its length is that of the cursor's inflation.
struct Open {
    message: Inflated,
    is_compressed: bool,
}

impl Walk<'_> {
    /// Inflates up to the frame that ends at `end`.
    fn until(&mut self, end: u64, most: u64) -> io::Result<Option<Inflated>> {
        let mut at = self.cursor.at;
        let mut open: Option<Open> = None;
        let mut payload = Vec::new();
        while at < end {
            let Some(head) = FrameHead::read(self.bytes(at, MAX_HEAD_LEN as u64)?) else {
                return Ok(None);
            };
            let (begin, next) = (at + head.header_len() as u64, at.saturating_add(head.wire_len()));
            let frame = std::mem::replace(&mut at, next);
            if head.opcode.is_control() || matches!(head.opcode, Opcode::Reserved(_)) {
                continue;
            }
            if head.opcode.opens_message() {
                if head.rsv1 {
                    self.cursor.inflation.begin();
                }
                let assumed = self.cursor.inflation.is_on_trial();
                let message = Inflated { assumed, ..Inflated::empty(head.opcode) };
                open = Some(Open { message, is_compressed: head.rsv1 });
            }
            let Some(Open { message, is_compressed }) = &mut open else { continue };
            if *is_compressed {
                message.compressed_len += head.payload_len;
                let stop_after = self.stop.filter(|(start, _)| *start <= frame).map(|(_, len)| len);
                let step = if stop_after.is_some() { STEP } else { AHEAD };
                let mut from = begin;
                while from < next {
                    let piece = self.bytes(from, (next - from).min(step))?;
                    if piece.is_empty() {
                        return Ok(None);
                    }
                    payload.clear();
                    match head.masking_key {
                        Some(key) => mask::append(&mut payload, piece, key, from - begin),
                        None => payload.extend_from_slice(piece),
                    }
                    from += payload.len() as u64;
                    let fed = self.cursor.inflation.feed(&payload, |piece| append(&mut message.bytes, piece, most));
                    message.fault = message.fault.or(fed.err());
                    if stop_after.is_some_and(|len| self.cursor.inflation.len() >= len) && message.fault.is_none() {
                        // The beginning is enough.
                        let len = self.cursor.inflation.len();
                        return Ok(open.map(|open| Inflated { len, complete: false, ..open.message }));
                    }
                }
                if (!head.fin || !message.carried.is_empty()) && message.carried.len() < MAX_CARRIED {
                    message.carried.push((frame, self.cursor.inflation.len()));
                }
            }
            if head.fin {
                let whole = open.take().map(|message| self.finish(message));
                self.cursor.at = at;
                if at == end {
                    return Ok(whole.flatten());
                }
            }
        }
        Ok(None)
    }

    fn finish(&mut self, Open { message, is_compressed }: Open) -> Option<Inflated> {
        let inflation = &mut self.cursor.inflation;
        if !is_compressed || (inflation.is_lost() && message.fault.is_none()) {
            return None;
        }
        let finished = inflation.finish();
        let fault = message.fault.or(finished.err());
        if message.assumed && matches!(fault, Some(InflateError::Invalid(_))) {
            // It refers to bytes that are not captured, or it is not compressed.
            return None;
        }
        let len = inflation.len().min(MAX_INFLATED);
        Some(Inflated { len, fault, ..message })
    }

    /// At most `len` bytes of the stream from `at` on; fewer where it ends.
    fn bytes(&mut self, at: u64, len: u64) -> io::Result<&[u8]> {
        let Cursor { connection, direction, buffer, base, .. } = &mut *self.cursor;
        if at < *base || at + len > *base + buffer.len() as u64 {
            *buffer = self.capture.stream(*connection, *direction, at, len.max(AHEAD))?;
            *base = at;
        }
        let start = to_usize(at - *base);
        Ok(&buffer[start..buffer.len().min(start + to_usize(len))])
    }
}

/// Appends a piece to `bytes`, up to `most` bytes.
fn append(bytes: &mut Vec<u8>, piece: &[u8], most: u64) {
    let space = most.saturating_sub(bytes.len() as u64).min(piece.len() as u64);
    bytes.extend_from_slice(&piece[..to_usize(space)]);
}
