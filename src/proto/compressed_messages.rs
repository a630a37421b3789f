//! The compressed messages of one direction as the dissector follows them: inflated, judged, not kept (RFC 7692 §6, §7.2).

use super::deflate::{InflateError, MAX_WINDOW_BITS, MessageInflater};
use super::dissected::{Checkpoint, Direction};
use super::distances::farthest;
use super::endpoint::MAX_MESSAGE;
use super::extensions::DeflateParams;
use super::rules::{Finding, Rule, grouped};
use super::utf8::Utf8;
use crate::wire::field::Span;
use crate::wire::frame::FrameHead;

/// The most that a message is inflated to, in bytes: a bomb costs no more than that.
pub const MAX_INFLATED: u64 = MAX_MESSAGE;

/// How much of an inflated message exports carry, in bytes.
pub const EXPORTED_INFLATED: u64 = 16 << 20;

/// How far a message may lie behind a checkpoint, in bytes that are inflated on the way there: a few milliseconds.
const CHECKPOINT_EVERY: u64 = 1 << 20;

/// What a message costs on the way besides what it inflates to, in such bytes.
const PER_MESSAGE: u64 = 128;

/// How far a message may lie behind a checkpoint on the wire, in bytes: they are skipped.
const CHECKPOINT_EVERY_WIRE: u64 = 4 << 20;

/// How much of a message is looked through for how far back it refers, compressed, in bytes.
const MAX_WALKED: usize = 1 << 20;

#[derive(Debug)]
pub(super) struct CompressedMessages {
    inflation: MessageInflater,
    /// The state of the message's text; `None` for what is no text or is known to be broken.
    utf8: Option<Utf8>,
    /// The way from the latest checkpoint to here, in bytes as [`CHECKPOINT_EVERY`] counts them, and where that stands.
    since: u64,
    checkpoint: Option<u64>,
    /// The window agreed on, in bits.
    window_bits: u8,
    /// Where that is not the largest, what the message consists of so far, compressed; `None` when that is too much.
    compressed: Option<Vec<u8>>,
}

impl CompressedMessages {
    /// The messages of a direction, with what was agreed on.
    pub fn new(agreed: &DeflateParams, direction: Direction) -> Self {
        Self {
            inflation: MessageInflater::new(agreed.takeover(direction), MAX_INFLATED),
            utf8: None,
            since: 0,
            checkpoint: None,
            window_bits: agreed.window_bits(direction),
            compressed: None,
        }
    }

    /// A compressed message begins.
    pub fn begin(&mut self, is_text: bool) {
        self.inflation.begin();
        self.since += PER_MESSAGE;
        self.utf8 = is_text.then(Utf8::default);
        self.compressed = (self.window_bits < MAX_WINDOW_BITS).then(|| {
            let mut kept = self.compressed.take().unwrap_or_default();
            kept.clear();
            kept
        });
    }

    /// A checkpoint is wanted behind the next message.
    pub const fn want_checkpoint(&mut self) {
        self.since = CHECKPOINT_EVERY;
    }

    /// Bytes are missing: the current message is not inflated further, nor is a later one that may refer to it.
    pub fn lose(&mut self) {
        self.utf8 = None;
        self.inflation.lose();
        if !self.inflation.is_takeover() {
            // The next message stands alone, and is a place to begin at.
            self.checkpoint = None;
        }
    }

    /// Takes the next compressed bytes, unmasked: payload bytes `seen` and on of a frame. What came out before a fault is
    /// judged too.
    pub fn feed(&mut self, head: &FrameHead, seen: u64, bytes: &[u8]) -> impl Iterator<Item = Finding> {
        self.compressed = self.compressed.take().filter(|kept| kept.len() + bytes.len() <= MAX_WALKED);
        if let Some(kept) = &mut self.compressed {
            kept.extend_from_slice(bytes);
        }
        let Self { inflation, utf8, .. } = self;
        let begun = inflation.len();
        let mut text = Text { utf8, at: begun, bad: None };
        let fed = inflation.feed(bytes, |piece| text.take(piece));
        let bad = text.bad;
        self.since += self.inflation.len() - begun;
        let fault = match fed {
            Err(InflateError::Invalid(fault)) => {
                let byte = seen + fault.at as u64;
                let at = head.header_len() as u64 + byte;
                let words = format!("at payload byte {byte}");
                Some(Finding::new(Rule::InflateFailed, Some(Span::bytes(at, at + 1))).number(byte).text(&words))
            }
            Err(InflateError::TooLong) => Some(Finding::new(Rule::InflateLimit, None).number(MAX_INFLATED)),
            Ok(()) => None,
        };
        bad.map(not_utf8).into_iter().chain(fault)
    }

    /// The message ends with this frame.
    pub fn finish(&mut self, head: &FrameHead) -> Vec<Finding> {
        let finished = self.inflation.finish();
        let mut findings = Vec::new();
        let end = head.wire_len();
        let last = (head.payload_len > 0).then(|| Span::bytes(end - 1, end));
        match finished {
            Err(InflateError::Invalid(_)) => findings.push(
                Finding::new(Rule::InflateFailed, last)
                    .number(head.payload_len)
                    .text("at its end: something is missing"),
            ),
            Err(InflateError::TooLong) => findings.push(Finding::new(Rule::InflateLimit, None).number(MAX_INFLATED)),
            Ok(()) if self.inflation.is_lost() => {}
            Ok(()) => {
                if self.utf8.is_some_and(|utf8| !utf8.is_complete()) {
                    findings.push(Finding::new(Rule::TextCutCharacter, last));
                }
                let farthest = self.compressed.as_deref().map_or(0, farthest);
                if farthest > 1 << self.window_bits {
                    let window = grouped(1 << self.window_bits);
                    findings.push(Finding::new(Rule::WindowExceeded, last).number(farthest.into()).text(&window));
                }
                let len = self.inflation.len();
                if len > EXPORTED_INFLATED {
                    findings.push(Finding::new(Rule::InflatedLong, None).number(len).text(&grouped(EXPORTED_INFLATED)));
                }
            }
        }
        findings
    }

    /// Where the next reader of these messages may begin: before the frame from `start` to `end`, when there is nothing to
    /// begin at yet, or behind it, when it ends a message and the way to here has become long.
    pub fn checkpoint(&mut self, start: u64, end: u64, whole: bool) -> Option<Box<Checkpoint>> {
        let Some(latest) = self.checkpoint else {
            self.checkpoint = Some(start);
            return Some(Box::new(Checkpoint { offset: start, window: Box::default() }));
        };
        let far = self.since >= CHECKPOINT_EVERY || end - latest >= CHECKPOINT_EVERY_WIRE;
        if !far || !whole || self.inflation.is_lost() {
            return None;
        }
        self.checkpoint = Some(end);
        self.since = 0;
        Some(Box::new(Checkpoint { offset: end, window: self.inflation.window().into() }))
    }
}

/// Checks text as it is inflated.
struct Text<'a> {
    utf8: &'a mut Option<Utf8>,
    at: u64,
    /// The first byte of the inflated message that makes it no UTF-8.
    bad: Option<u64>,
}

impl Text<'_> {
    fn take(&mut self, piece: &[u8]) {
        if let Some(utf8) = self.utf8
            && let Err(bad) = utf8.feed(piece)
        {
            self.bad = Some(self.at + bad as u64);
            *self.utf8 = None;
        }
        self.at += piece.len() as u64;
    }
}

fn not_utf8(byte: u64) -> Finding {
    Finding::new(Rule::InflatedNotUtf8, None).number(byte)
}
