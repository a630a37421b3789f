//! Searches the records of a capture for text or bytes.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use memchr::memmem;

use super::filter;
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

/// Bytes of an inflated message that are searched.
const MAX_INFLATED: u64 = 16 << 20;

/// A pattern to search for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// Text in HTTP heads, unmasked payloads and inflated messages. ASCII letters match in either case.
    Text(String),
    /// Bytes on the wire or in unmasked payloads.
    Bytes(Vec<u8>),
}

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
    /// The first byte of the match within the record's wire bytes. For a match in an inflated message, the payload's first byte.
    pub byte: u64,
    /// The first byte of the match within the inflated message, if it was found there.
    pub inflated: Option<u64>,
}

/// Why a text is not a pattern.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum PatternError {
    /// It is empty.
    #[error("nothing to find: type text, or bytes such as 81:05 or 0x8105")]
    Empty,
    /// It begins with `0x` but is not pairs of hex digits.
    #[error("0x takes pairs of hex digits, such as 0x8105; put text in quotes")]
    Hex,
}

impl Pattern {
    /// Parses typed text, with the values of filters: `81:05` and `0x8105` mean bytes, and quotes contain text. Anything else is
    /// text as it is.
    ///
    /// # Errors
    /// If there is nothing to search for: see [`PatternError`].
    pub fn parse(typed: &str) -> Result<Self, PatternError> {
        let text = filter::unquote(typed);
        if text.is_none() && typed.starts_with("0x") {
            return filter::hex_bytes(typed).map(Self::Bytes).ok_or(PatternError::Hex);
        }
        if text.is_none()
            && typed.contains(':')
            && let Some(bytes) = filter::hex_bytes(typed)
        {
            return Ok(Self::Bytes(bytes));
        }
        match text.as_deref().unwrap_or(typed) {
            "" => Err(PatternError::Empty),
            text => Ok(Self::Text(text.to_ascii_lowercase())),
        }
    }

    /// The number of bytes that match.
    pub fn byte_count(&self) -> u64 {
        self.bytes().len() as u64
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// Searches all records once, from the one after `from` (before it for [`Toward::Earlier`]) to `from` itself. Adds the number of
/// searched records to `looked`; stops soon after `cancel` is set. Returns the first match.
pub fn find(
    capture: &Capture,
    pattern: &Pattern,
    from: u64,
    toward: Toward,
    looked: &AtomicU64,
    cancel: &AtomicBool,
) -> Option<Hit> {
    let (first, len) = (capture.first(), capture.len());
    let from = from.clamp(first, len.max(first));
    let mut search = Search::new(capture, pattern, cancel);
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
                hit = self.record(record).or(hit);
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

    fn record(&mut self, record: &Record) -> Option<Hit> {
        let hit = |byte| Hit { no: record.no, byte, inflated: None };
        if record.kind == Kind::Gap {
            return None;
        }
        if record.opcode().is_none() {
            return self.stretch(record, 0, false).map(hit);
        }
        let head = record.header_len();
        let on_wire = matches!(self.pattern, Pattern::Bytes(_));
        let found = match record.wire_len {
            ..=PIECE => self.small(record),
            _ => self.stretch(record, head, true).or_else(|| on_wire.then(|| self.stretch(record, 0, false)).flatten()),
        };
        found.map(hit).or_else(|| Some(Hit { inflated: Some(self.inflated(record)?), ..hit(head) }))
    }

    /// Searches a frame of at most [`PIECE`] bytes: its payload, and for bytes then also its wire bytes.
    fn small(&mut self, record: &Record) -> Option<u64> {
        let mut bytes = std::mem::take(&mut self.buffer);
        let read = self.reader.wire(record, 0..PIECE, &mut bytes).is_ok();
        let on_wire = if matches!(self.pattern, Pattern::Bytes(_)) { self.find(&mut bytes) } else { None };
        let head = record.header_len();
        let start = usize::try_from(head).unwrap_or(usize::MAX);
        let key = start.checked_sub(4).and_then(|at| bytes.get(at..start)?.try_into().ok());
        let payload = bytes.get_mut(start..).unwrap_or_default();
        if let Some(key) = key.filter(|_| record.masked()) {
            mask::apply(payload, key, 0);
        }
        let found = self.find(payload).map(|at| head + at);
        self.buffer = bytes;
        found.or(on_wire).filter(|_| read)
    }

    /// Searches a record's bytes from `start` on, unmasked or as on the wire.
    fn stretch(&mut self, record: &Record, start: u64, unmasked: bool) -> Option<u64> {
        let key = if unmasked { self.key(record)? } else { None };
        let overlap = self.pattern.bytes().len() as u64 - 1;
        let mut at = start;
        while at < record.wire_len && !self.cancel.load(Ordering::Relaxed) {
            let mut bytes = std::mem::take(&mut self.buffer);
            let read = self.reader.wire(record, at..at + PIECE + overlap, &mut bytes);
            // A record may be longer than what was captured of it.
            let is_last = bytes.len() as u64 <= PIECE;
            if let Some(key) = key {
                mask::apply(&mut bytes, key, at - start);
            }
            let found = read.ok().and_then(|()| self.find(&mut bytes));
            self.buffer = bytes;
            if let Some(found) = found {
                return Some(at + found);
            }
            if is_last {
                break;
            }
            at += PIECE;
        }
        None
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
    fn inflated(&mut self, record: &Record) -> Option<u64> {
        if !record.compressed || !record.fin() {
            return None;
        }
        let mut message = self.messages.message(self.capture, record, MAX_INFLATED).ok().flatten()?;
        self.find(&mut message.bytes)
    }

    fn find(&self, bytes: &mut [u8]) -> Option<u64> {
        if self.folds {
            bytes.make_ascii_lowercase();
        }
        self.finder.find(bytes).map(|at| at as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_text_becomes_a_pattern() {
        let text = |text: &str| Ok(Pattern::Text(text.to_owned()));
        assert_eq!(Pattern::parse("Echo"), text("echo"));
        for bytes in ["81:05", "0x8105"] {
            assert_eq!(Pattern::parse(bytes), Ok(Pattern::Bytes(vec![0x81, 0x05])), "{bytes}");
        }
        assert_eq!(Pattern::parse(r#""81:05""#), text("81:05"));
        assert_eq!(Pattern::parse(r#""say \"a\"""#), text("say \"a\""));
        assert_eq!(Pattern::parse("0x8"), Err(PatternError::Hex));
        assert_eq!(Pattern::parse(r#""0x8""#), text("0x8"));
        for typed in ["8105", "81-05", "8:05", "a: b", r"\", r"\n", r#""id":5"#, r#""a" "b""#, "x 81"] {
            assert_eq!(Pattern::parse(typed), text(typed), "{typed}");
        }
        for typed in ["", r#""""#] {
            assert_eq!(Pattern::parse(typed), Err(PatternError::Empty));
        }
    }
}
