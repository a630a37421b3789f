//! Searches the records of a capture for text or bytes.

mod pattern;
mod picker;

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use memchr::memmem;

pub use self::pattern::{Pattern, PatternError};
use self::picker::Picker;
use super::messages;
use crate::capture::store::Capture;
use crate::capture::store::message_reader::MessageReader;
use crate::capture::store::record::Record;
use crate::capture::store::record_reader::RecordReader;
use crate::proto::dissected::Kind;
use crate::wire::mask;

/// Bytes of a record that are searched at once: few enough that they stay in the processor's cache between unmasking and searching.
const PIECE: u64 = 256 * 1024;

/// Records that are looked up at once.
const BATCH: u64 = 1024;

/// Records of a connection among which the next fragments of a message are looked for.
const REACH: usize = 1024;

/// Bytes of an inflated message that are searched.
const MAX_INFLATED: u64 = 16 << 20;

/// The direction of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toward {
    /// Later records; the first follows the last.
    Later,
    /// Earlier records; the last follows the first.
    Earlier,
}

/// The place of a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The number of the record.
    pub no: u64,
    /// The first byte of the match within the record's wire bytes; it may go on in the next fragments of the message. For a match
    /// in an inflated message, the payload's first byte.
    pub byte: u64,
    /// The first byte of the match within the inflated message, if it was found there.
    pub inflated: Option<u64>,
}

/// Where a search starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// The number of a record.
    pub no: u64,
    /// The match that was found last. If it is in that record, the other matches there come first.
    pub shown: Option<Hit>,
}

impl From<u64> for Start {
    fn from(no: u64) -> Self {
        Self { no, shown: None }
    }
}

impl Start {
    /// Whether a match comes after the end of the capture (before its beginning, for [`Toward::Earlier`]) in a search from here.
    pub fn is_wrapped(&self, hit: Hit, toward: Toward) -> bool {
        let place = |hit: Hit| hit.inflated.unwrap_or(hit.byte);
        let shown = self.shown.filter(|shown| shown.no == self.no && hit.no == self.no).map(place);
        match toward {
            Toward::Later => hit.no < self.no || hit.no == self.no && shown.is_none_or(|shown| place(hit) <= shown),
            Toward::Earlier => hit.no > self.no || hit.no == self.no && shown.is_none_or(|shown| place(hit) >= shown),
        }
    }
}

/// Searches all records once, from `from` on: the matches next to the one that is shown, then those of the records after it
/// (before it for [`Toward::Earlier`]), and so on to the record of `from` itself. Adds the number of searched records to `looked`;
/// stops soon after `cancel` is set. Returns the first match.
pub fn find(
    capture: &Capture,
    pattern: &Pattern,
    from: impl Into<Start>,
    toward: Toward,
    looked: &AtomicU64,
    cancel: &AtomicBool,
) -> Option<Hit> {
    let (first, len) = (capture.first(), capture.len());
    let Start { no, shown } = from.into();
    let from = no.clamp(first, len.max(first));
    let mut search = Search::new(capture, pattern, cancel);
    let shown = shown.filter(|shown| shown.no == from);
    if let Some((shown, record)) = shown.zip(capture.record(from))
        && let Some(hit) = search.record(&record, toward, Some(shown))
    {
        return Some(hit);
    }
    let ranges = match toward {
        Toward::Later => [from + 1..len + 1, first..from + 1],
        Toward::Earlier => [first..from, from..len + 1],
    };
    ranges.into_iter().find_map(|range| search.range(range, toward, looked))
}

/// The numbers of the records of a range that match. Stops soon after `cancel` is set.
pub fn matching(capture: &Capture, pattern: &Pattern, range: Range<u64>, cancel: &AtomicBool) -> Vec<u64> {
    let mut search = Search::new(capture, pattern, cancel);
    let mut numbers = Vec::new();
    let looked = AtomicU64::new(0);
    let mut from = range.start.max(capture.first());
    while let Some(hit) = search.range(from..range.end, Toward::Later, &looked) {
        numbers.push(hit.no);
        from = hit.no + 1;
    }
    numbers
}

struct Search<'a> {
    capture: &'a Capture,
    pattern: &'a Pattern,
    finder: memmem::Finder<'a>,
    /// The pattern is text with ASCII letters, which match in either case.
    folds: bool,
    cancel: &'a AtomicBool,
    reader: RecordReader,
    messages: MessageReader,
    buffer: Vec<u8>,
}

impl<'a> Search<'a> {
    fn new(capture: &'a Capture, pattern: &'a Pattern, cancel: &'a AtomicBool) -> Self {
        Self {
            capture,
            pattern,
            finder: memmem::Finder::new(pattern.bytes()),
            folds: matches!(pattern, Pattern::Text(text) if text.bytes().any(|byte| byte.is_ascii_alphabetic())),
            cancel,
            reader: RecordReader::new(capture),
            messages: MessageReader::default(),
            buffer: Vec::new(),
        }
    }

    /// Searches a range of records. Returns the first match, or for [`Toward::Earlier`] the last.
    fn range(&mut self, range: Range<u64>, toward: Toward, looked: &AtomicU64) -> Option<Hit> {
        let batches = (range.end.saturating_sub(range.start)).div_ceil(BATCH);
        for n in 0..batches {
            let start = match toward {
                Toward::Later => range.start + n * BATCH,
                Toward::Earlier => range.start + (batches - 1 - n) * BATCH,
            };
            let mut hit = None;
            // In both directions forward within a batch, because a file is read faster forward.
            let records = self.capture.records(start..(start + BATCH).min(range.end));
            self.reader.look_up(&records);
            for record in &records {
                if self.cancel.load(Ordering::Relaxed) {
                    return None;
                }
                looked.fetch_add(1, Ordering::Relaxed);
                hit = self.record(record, toward, None).or(hit);
                if hit.is_some() && toward == Toward::Later {
                    break;
                }
            }
            if hit.is_some() {
                return hit;
            }
        }
        None
    }

    /// Searches a record for the match next to the one that is `shown` in it; without one, for the first match (the last for
    /// [`Toward::Earlier`]).
    fn record(&mut self, record: &Record, toward: Toward, shown: Option<Hit>) -> Option<Hit> {
        let hit = |byte| Hit { no: record.no, byte, inflated: None };
        let picker = Picker::new(toward, shown.map(|shown| shown.inflated.unwrap_or(shown.byte)));
        if record.kind == Kind::Gap {
            return None;
        }
        if record.opcode().is_none() {
            return self.stretch(record, 0, false, picker).map(hit);
        }
        let head = record.header_len();
        let inflated = |at| Hit { inflated: Some(at), ..hit(head) };
        if shown.is_some_and(|shown| shown.inflated.is_some()) {
            return self.inflated(record, picker).map(inflated);
        }
        let found = match record.wire_len {
            ..=PIECE => self.small(record, picker),
            _ => self.large(record, picker),
        };
        let found = found.map(hit);
        if shown.is_some() { found } else { found.or_else(|| self.inflated(record, picker).map(inflated)) }
    }

    /// Searches a frame of at most [`PIECE`] bytes: its payload, and for bytes also its wire bytes, if the payload has no match.
    fn small(&mut self, record: &Record, picker: Picker) -> Option<u64> {
        let mut bytes = std::mem::take(&mut self.buffer);
        let read = self.reader.wire(record, 0..PIECE, &mut bytes).is_ok();
        let on_wire = if self.is_for_bytes() { self.pick(&mut bytes, 0, picker) } else { None };
        let head = record.header_len();
        let start = usize::try_from(head).unwrap_or(usize::MAX);
        let key = start.checked_sub(4).and_then(|at| bytes.get(at..start)?.try_into().ok());
        if let Some(key) = key.filter(|_| record.masked()) {
            mask::apply(bytes.get_mut(start..).unwrap_or_default(), key, 0);
        }
        if bytes.len() as u64 == record.wire_len {
            self.append_rest(record, &mut bytes);
        }
        let payload = bytes.get_mut(start..).unwrap_or_default();
        let found = self.pick(payload, head, picker);
        let others = || self.finder.find(payload).is_some();
        let on_wire = on_wire.filter(|_| found.is_none() && !others());
        self.buffer = bytes;
        found.or(on_wire).filter(|_| read)
    }

    /// Searches a longer frame in the same way.
    fn large(&mut self, record: &Record, picker: Picker) -> Option<u64> {
        let head = record.header_len();
        let found = self.stretch(record, head, true, picker);
        if found.is_some() || !self.is_for_bytes() {
            return found;
        }
        let first = Picker::new(Toward::Later, None);
        if self.stretch(record, head, true, first).is_some() {
            return None;
        }
        self.stretch(record, 0, false, picker)
    }

    /// Searches a record's bytes from `start` on, unmasked or as on the wire.
    fn stretch(&mut self, record: &Record, start: u64, unmasked: bool, mut picker: Picker) -> Option<u64> {
        let key = if unmasked { self.key(record)? } else { None };
        let overlap = self.overlap();
        let skipped = picker.start().saturating_sub(start) / PIECE;
        let mut at = start + skipped * PIECE;
        while at < record.wire_len && !self.cancel.load(Ordering::Relaxed) {
            let mut bytes = std::mem::take(&mut self.buffer);
            let read = self.reader.wire(record, at..at + PIECE + overlap, &mut bytes);
            // A record may be longer than what was captured of it.
            let is_last = bytes.len() as u64 <= PIECE;
            if let Some(key) = key {
                mask::apply(&mut bytes, key, at - start);
            }
            if unmasked && at + bytes.len() as u64 == record.wire_len {
                self.append_rest(record, &mut bytes);
            }
            let is_over = read.is_err() || self.scan(&mut bytes, at, &mut picker);
            self.buffer = bytes;
            if is_over || is_last {
                break;
            }
            at += PIECE;
        }
        picker.found
    }

    /// Appends the beginning of the next fragments to the payload of a fragment, so that text is found that goes on there.
    fn append_rest(&mut self, record: &Record, payload: &mut Vec<u8>) {
        let mut missing = self.overlap();
        let is_open = |record: &Record| record.kind == Kind::Frame && !record.fin() && !record.compressed;
        if missing == 0 || record.message.is_none() || !is_open(record) {
            return;
        }
        let mut at = record.no;
        for _ in 0..REACH {
            let next = self.capture.neighbour(record.connection, at + 1, 0);
            let Some(next) = next.and_then(|no| self.capture.record(no)) else { return };
            at = next.no;
            if next.direction != record.direction || next.message.is_none() {
                continue;
            }
            if next.message != record.message || !messages::goes_on(&next) {
                return;
            }
            let Ok(bytes) = self.capture.payload(&next, 0..missing) else { return };
            missing -= bytes.len() as u64;
            payload.extend(bytes);
            if missing == 0 || !is_open(&next) {
                return;
            }
        }
    }

    /// Reads the masking key of a frame, if it has one; `None` if its head is truncated.
    fn key(&mut self, record: &Record) -> Option<Option<[u8; 4]>> {
        if !record.masked() {
            return Some(None);
        }
        let head = record.header_len();
        let mut bytes = std::mem::take(&mut self.buffer);
        let read = self.reader.wire(record, head - 4..head, &mut bytes);
        let key = bytes.as_slice().try_into().ok();
        self.buffer = bytes;
        read.ok().and(key).map(Some)
    }

    /// Searches the inflated message that ends with this record.
    fn inflated(&mut self, record: &Record, picker: Picker) -> Option<u64> {
        if !record.compressed || !record.fin() {
            return None;
        }
        let mut message = self.messages.message(self.capture, record, MAX_INFLATED).ok().flatten()?;
        self.pick(&mut message.bytes, 0, picker)
    }

    /// The match in `bytes` that is chosen; `base` is the position of the first byte.
    fn pick(&self, bytes: &mut [u8], base: u64, mut picker: Picker) -> Option<u64> {
        self.scan(bytes, base, &mut picker);
        picker.found
    }

    /// Passes the matches in `bytes` to `picker`; `base` is the position of the first byte. Returns true if no further one is wanted.
    fn scan(&self, bytes: &mut [u8], base: u64, picker: &mut Picker) -> bool {
        if self.folds {
            bytes.make_ascii_lowercase();
        }
        let mut from = usize::try_from(picker.start().saturating_sub(base)).unwrap_or(usize::MAX);
        while let Some(at) = bytes.get(from..).and_then(|rest| self.finder.find(rest)) {
            if picker.take(base + (from + at) as u64) {
                return true;
            }
            from += at + 1;
        }
        false
    }

    /// How many bytes of a match at most follow its first one.
    fn overlap(&self) -> u64 {
        self.pattern.byte_count() - 1
    }

    const fn is_for_bytes(&self) -> bool {
        matches!(self.pattern, Pattern::Bytes(_))
    }
}
