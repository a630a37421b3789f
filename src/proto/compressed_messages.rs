//! Inflates and judges the compressed messages of one direction, without keeping them (RFC 7692 §6, §7.2).

use super::deflate::{InflateError, MAX_WINDOW_BITS, MessageInflater};
use super::dissected::{Checkpoint, Direction};
use super::distances::farthest;
use super::extensions::DeflateParams;
use super::judge::MAX_MESSAGE;
use super::rules::{Finding, Rule, grouped};
use super::utf8::Utf8;
use crate::wire::field::Span;
use crate::wire::frame::FrameHead;

/// The number of bytes after which inflating a message stops. Bounds the cost of a message that inflates to a huge size.
pub const MAX_INFLATED: u64 = MAX_MESSAGE;

/// The number of bytes of an inflated message that exports contain.
pub const EXPORTED_INFLATED: u64 = 16 << 20;

/// The distance between checkpoints in inflated bytes. Bounds the time to reach any message from the checkpoint before
/// it to a few milliseconds.
const CHECKPOINT_EVERY: u64 = 1 << 20;

/// The cost of each message, apart from its inflated bytes, in the unit of [`CHECKPOINT_EVERY`].
const PER_MESSAGE: u64 = 128;

/// The distance between checkpoints in wire bytes.
const CHECKPOINT_EVERY_WIRE: u64 = 4 << 20;

/// The longest compressed message that is checked for references beyond the negotiated window, in bytes.
const MAX_WALKED: usize = 1 << 20;

/// How certain it is that messages with RSV1 are compressed, and from which context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Certainty {
    /// The handshake negotiated permessage-deflate.
    Negotiated,
    /// The user says that permessage-deflate was negotiated, but the start of the connection is unknown: a message may refer
    /// to bytes that are not captured. Nothing is reported when inflating fails.
    Assumed,
    /// The handshake is unknown. Nothing is reported.
    Trial,
}

/// Inflates and judges the compressed messages of one direction.
#[derive(Debug)]
pub(super) struct CompressedMessages {
    inflation: MessageInflater,
    certainty: Certainty,
    /// Validates the text of the message; `None` for a binary message and after invalid text.
    utf8: Option<Utf8>,
    /// The distance from the latest checkpoint, in the unit of [`CHECKPOINT_EVERY`].
    since: u64,
    /// The offset of the latest checkpoint in the stream.
    checkpoint: Option<u64>,
    /// The negotiated window, in bits.
    window_bits: u8,
    /// The compressed bytes of the message so far, if the window is smaller than the maximum; `None` if they are too many.
    compressed: Option<Vec<u8>>,
}

impl CompressedMessages {
    /// Starts a direction with these parameters.
    pub fn new(agreed: &DeflateParams, certainty: Certainty, direction: Direction) -> Self {
        let inflation = MessageInflater::new(agreed.takeover(direction), MAX_INFLATED);
        Self {
            inflation: if certainty == Certainty::Negotiated { inflation } else { inflation.on_trial() },
            certainty,
            utf8: None,
            since: 0,
            checkpoint: None,
            window_bits: agreed.window_bits(direction),
            compressed: None,
        }
    }

    /// Starts a message.
    pub fn begin(&mut self, is_text: bool) {
        self.inflation.begin();
        self.since += PER_MESSAGE;
        self.utf8 = (is_text && self.certainty != Certainty::Trial).then(Utf8::default);
        self.compressed = (self.window_bits < MAX_WINDOW_BITS).then(|| {
            let mut kept = self.compressed.take().unwrap_or_default();
            kept.clear();
            kept
        });
    }

    /// Requests a checkpoint after the next message.
    pub const fn want_checkpoint(&mut self) {
        self.since = CHECKPOINT_EVERY;
    }

    /// Notes that bytes are missing: the current message cannot be inflated further, nor can later messages that may refer
    /// to it.
    pub fn lose(&mut self) {
        self.utf8 = None;
        self.inflation.lose();
        if !self.inflation.is_takeover() {
            // The next message refers to nothing before it, so a reader can start there.
            self.checkpoint = None;
        }
    }

    /// Takes the next compressed bytes, unmasked: the payload of a frame from byte `seen` on. Bytes inflated before an
    /// error are judged too.
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
                let words = format!("invalid data at payload byte {byte}");
                Some(Finding::new(Rule::InflateFailed, Some(Span::bytes(at, at + 1))).number(byte).text(&words))
            }
            Err(InflateError::TooLong) => Some(Finding::new(Rule::InflateLimit, None).number(MAX_INFLATED)),
            Ok(()) => None,
        };
        let fault = fault.filter(|_| self.certainty == Certainty::Negotiated);
        bad.map(not_utf8).into_iter().chain(fault)
    }

    /// Ends the message with this frame.
    pub fn finish(&mut self, head: &FrameHead) -> Vec<Finding> {
        let finished = self.inflation.finish();
        let mut findings = Vec::new();
        if self.certainty != Certainty::Negotiated && (finished.is_err() || self.certainty == Certainty::Trial) {
            return findings;
        }
        let end = head.wire_len();
        let last = (head.payload_len > 0).then(|| Span::bytes(end - 1, end));
        match finished {
            Err(InflateError::Invalid(_)) => findings.push(
                Finding::new(Rule::InflateFailed, last)
                    .number(head.payload_len)
                    .text("the data is incomplete at the end of the message"),
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

    /// Returns a new checkpoint if one is due: before the frame from `start` to `end` if there is none yet; after it if
    /// it ends a message (`whole`) and the distance from the latest checkpoint has become too long.
    pub fn checkpoint(&mut self, start: u64, end: u64, whole: bool) -> Option<Box<Checkpoint>> {
        let Some(latest) = self.checkpoint else {
            self.checkpoint = Some(start);
            return Some(Box::new(Checkpoint { offset: start, window: Box::default() }));
        };
        let due = self.since >= CHECKPOINT_EVERY || end - latest >= CHECKPOINT_EVERY_WIRE;
        if !due || !whole || self.inflation.is_lost() && !self.inflation.is_on_trial() {
            return None;
        }
        self.checkpoint = Some(end);
        self.since = 0;
        Some(Box::new(Checkpoint { offset: end, window: self.inflation.window().into() }))
    }
}

/// Validates text as it is inflated.
struct Text<'a> {
    utf8: &'a mut Option<Utf8>,
    at: u64,
    /// The offset of the first invalid byte in the inflated message.
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
