//! Finding text or bytes in the records of a capture.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use memchr::memmem;

use super::record::Record;
use super::store::Capture;

/// How much of a record is searched at once, in bytes.
const PIECE: u64 = 1024 * 1024;

/// What to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// Text, in heads and in unmasked payloads. ASCII letters match in either case.
    Text(String),
    /// Bytes, as they stand on the wire or in unmasked payloads.
    Bytes(Vec<u8>),
}

/// Which way to search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toward {
    /// Later records; after the last comes the first.
    Later,
    /// Earlier records; before the first comes the last.
    Earlier,
}

/// Where a pattern was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The record.
    pub no: u64,
    /// The first byte of the match within the record's wire bytes.
    pub byte: u64,
}

/// Why a pattern is refused.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum PatternError {
    /// There is nothing to look for.
    #[error("nothing to look for: type text, or x and hex digits such as x 81 05")]
    Empty,
    /// Hex digits come in pairs.
    #[error("not hex: x 81 05 finds bytes, \"x …\" text")]
    Hex,
}

impl Pattern {
    /// Reads what a person typed: `x 81 05` means bytes, anything else text. Text between double quotes is taken as it stands
    /// there: `"x 81"`.
    ///
    /// # Errors
    /// See [`PatternError`].
    pub fn parse(typed: &str) -> Result<Self, PatternError> {
        if let Some(digits) = typed.strip_prefix("x ") {
            let digits: String = digits.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
            return match hex::decode(&digits) {
                Ok(bytes) if !bytes.is_empty() => Ok(Self::Bytes(bytes)),
                _ => Err(PatternError::Hex),
            };
        }
        let text = typed.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(typed);
        if text.is_empty() { Err(PatternError::Empty) } else { Ok(Self::Text(text.to_ascii_lowercase())) }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// Searches from the record after `from` (before it, when searching earlier), all around, `from` last. `looked` counts the
/// records looked at; `cancel` ends the search.
pub fn find(
    capture: &Capture,
    pattern: &Pattern,
    from: u64,
    toward: Toward,
    looked: &AtomicU64,
    cancel: &AtomicBool,
) -> Option<Hit> {
    let len = capture.len();
    let finder = memmem::Finder::new(pattern.bytes());
    (1..=len).find_map(|step| {
        if cancel.load(Ordering::Relaxed) {
            return None;
        }
        let step = match toward {
            Toward::Later => step,
            Toward::Earlier => len - step,
        };
        let no = (from.saturating_sub(1) + step) % len + 1;
        looked.fetch_add(1, Ordering::Relaxed);
        let record = capture.record(no)?;
        let byte = find_in(capture, &record, pattern, &finder, cancel)?;
        Some(Hit { no, byte })
    })
}

fn find_in(
    capture: &Capture,
    record: &Record,
    pattern: &Pattern,
    finder: &memmem::Finder<'_>,
    cancel: &AtomicBool,
) -> Option<u64> {
    let overlap = pattern.bytes().len() as u64 - 1;
    let scan = |len: u64, read: &dyn Fn(u64) -> Option<Vec<u8>>| {
        let mut at = 0;
        while at < len && !cancel.load(Ordering::Relaxed) {
            let mut bytes = read(at)?;
            if matches!(pattern, Pattern::Text(_)) {
                bytes.make_ascii_lowercase();
            }
            if let Some(found) = finder.find(&bytes) {
                return Some(at + found as u64);
            }
            at += PIECE;
        }
        None
    };
    let payload = record.payload_len().and_then(|len| {
        scan(len, &|at| capture.payload(record, at..at + PIECE + overlap).ok()).map(|at| record.header_len() + at)
    });
    let searched_on_wire = record.payload_len().is_none() || matches!(pattern, Pattern::Bytes(_));
    payload.or_else(|| {
        searched_on_wire
            .then(|| scan(record.wire_len, &|at| capture.wire(record, at..at + PIECE + overlap).ok()))
            .flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_becomes_a_pattern() {
        assert_eq!(Pattern::parse("Echo"), Ok(Pattern::Text("echo".to_owned())));
        assert_eq!(Pattern::parse("x 81 05"), Ok(Pattern::Bytes(vec![0x81, 0x05])));
        assert_eq!(Pattern::parse("x"), Ok(Pattern::Text("x".to_owned())));
        assert_eq!(Pattern::parse("x 8"), Err(PatternError::Hex));
        let text = |text: &str| Ok(Pattern::Text(text.to_owned()));
        assert_eq!(Pattern::parse("\"X 81\""), text("x 81"));
        assert_eq!(Pattern::parse("\"\"quoted\"\""), text("\"quoted\""));
        assert_eq!(Pattern::parse("\"type\":"), text("\"type\":"), "not all of it is quoted");
        assert_eq!(Pattern::parse("\""), text("\""));
        assert_eq!(Pattern::parse("\"\""), Err(PatternError::Empty));
        assert_eq!(Pattern::parse(""), Err(PatternError::Empty));
    }
}
