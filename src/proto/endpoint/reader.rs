//! The receiving half of an endpoint: parses frames, joins them to messages, and stops at the first violation.

use super::{EndpointEvent, Limits, Violation};
use crate::proto::deflate::{InflateError, MessageInflater};
use crate::proto::dissected::Direction;
use crate::proto::judge::{ActiveExtensions, judge_head};
use crate::proto::rules::{Finding, Rule, Severity};
use crate::proto::utf8::Utf8;
use crate::wire::field::Span;
use crate::wire::frame::{self, FrameHead, MAX_HEAD_LEN};
use crate::wire::mask;
use crate::wire::opcode::Opcode;

/// The largest buffer that is kept after a message, in bytes. A larger one is freed.
const KEPT_CAPACITY: usize = 2 << 20;

/// The largest number of bytes that are reserved for an announced payload length before the payload arrives.
const MOST_RESERVED: u64 = 1 << 20;

/// Compressed payload is unmasked in pieces of this many bytes.
const PIECE: usize = 16 * 1024;

/// A completed message or control frame.
pub(super) enum Completed {
    Data(Opcode),
    Control(Opcode),
}

/// Parses frames and joins them to messages.
pub(super) struct EndpointReader {
    pub(super) incoming: Direction,
    pub(super) limits: Limits,
    /// The first bytes of a head that is not complete yet.
    partial: [u8; MAX_HEAD_LEN],
    partial_len: usize,
    /// The head of the current frame, and the number of payload bytes so far.
    current: Option<(FrameHead, u64)>,
    /// The opcode of the unfinished message.
    open: Option<Opcode>,
    /// True if that message is compressed.
    compressed: bool,
    /// Its length on the wire so far, in bytes.
    message_len: u64,
    /// Its payload so far, unmasked and inflated.
    pub(super) message: Vec<u8>,
    /// True if the payload is kept until the message is complete.
    pub(super) keeps_messages: bool,
    utf8: Utf8,
    /// The unmasked payload of a control frame: at most 125 bytes.
    control: Vec<u8>,
    /// Set if permessage-deflate was negotiated.
    pub(super) inflation: Option<Box<MessageInflater>>,
    /// An unmasked piece of a compressed payload.
    scratch: Vec<u8>,
    /// The findings of the latest head; a field so that its memory is reused.
    findings: Vec<Finding>,
}

impl EndpointReader {
    pub(super) fn new(incoming: Direction, limits: Limits) -> Self {
        Self {
            incoming,
            limits,
            partial: [0; MAX_HEAD_LEN],
            partial_len: 0,
            current: None,
            open: None,
            compressed: false,
            message_len: 0,
            message: Vec::new(),
            keeps_messages: true,
            utf8: Utf8::default(),
            control: Vec::new(),
            inflation: None,
            scratch: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// Processes at most one frame and removes its bytes from the start of `rest`.
    #[inline]
    pub(super) fn step(&mut self, rest: &mut &[u8]) -> Result<Option<Completed>, Violation> {
        let (head, seen) = match self.current {
            Some(current) => current,
            None => {
                let Some(head) = self.read_head(rest) else { return Ok(None) };
                self.begin(&head)?;
                (head, 0)
            }
        };
        let taken = (head.payload_len - seen).min(rest.len() as u64) as usize;
        let (payload, after) = rest.split_at(taken);
        *rest = after;
        self.take(&head, seen, payload)?;
        let seen = seen + taken as u64;
        if seen < head.payload_len {
            self.current = Some((head, seen));
            return Ok(None);
        }
        self.current = None;
        self.finish(&head)
    }

    /// Reads a head from the buffered bytes and from `rest`, and removes its bytes from the start of `rest`.
    #[inline]
    fn read_head(&mut self, rest: &mut &[u8]) -> Option<FrameHead> {
        if self.partial_len == 0
            && let Some(head) = FrameHead::read(rest)
        {
            *rest = &rest[head.header_len()..];
            return Some(head);
        }
        let had = self.partial_len;
        let taken = rest.len().min(MAX_HEAD_LEN - had);
        self.partial[had..had + taken].copy_from_slice(&rest[..taken]);
        match FrameHead::read(&self.partial[..had + taken]) {
            Some(head) => {
                *rest = &rest[head.header_len() - had..];
                self.partial_len = 0;
                Some(head)
            }
            None => {
                *rest = &rest[taken..];
                self.partial_len = had + taken;
                None
            }
        }
    }

    /// Starts a frame with this head.
    #[inline]
    fn begin(&mut self, head: &FrameHead) -> Result<(), Violation> {
        // Mask direction (RFC 6455 §5.1), RSV, reserved opcode and length form (§5.2), control frames (§5.5).
        let extended = ActiveExtensions { deflate: self.inflation.is_some(), foreign: false };
        judge_head(head, self.incoming, extended, &mut self.findings);
        if !self.findings.is_empty() {
            let broken = self.findings.drain(..).find(|finding| finding.rule.severity() == Severity::Error);
            if let Some(finding) = broken {
                return Err(Violation::Broken(finding));
            }
        }
        if head.opcode.is_control() {
            return Ok(());
        }
        // RFC 6455 §5.4: a continuation needs an unfinished message, which must end before the next one starts.
        let order = match (head.opcode, self.open) {
            (Opcode::Continuation, None) => Some(Rule::ContinuationUnexpected),
            (Opcode::Text | Opcode::Binary, Some(_)) => Some(Rule::MessageInterrupted),
            _ => None,
        };
        if let Some(rule) = order {
            return Err(Violation::Broken(Finding::new(rule, Some(Span::bits(4, 8)))));
        }
        let len = head.payload_len.saturating_add(self.message_len);
        if len > self.limits.message {
            return Err(Violation::TooBig { len, limit: self.limits.message });
        }
        if head.opcode.opens_message() {
            self.open = Some(head.opcode);
            self.utf8 = Utf8::default();
            self.compressed = head.rsv1;
            if let Some(inflation) = self.inflation.as_mut().filter(|_| head.rsv1) {
                inflation.begin();
            }
        }
        if self.keeps_messages {
            self.message.reserve(head.payload_len.min(MOST_RESERVED) as usize);
        }
        Ok(())
    }

    #[inline]
    fn take(&mut self, head: &FrameHead, seen: u64, payload: &[u8]) -> Result<(), Violation> {
        if self.compressed && !head.opcode.is_control() {
            return self.take_compressed(head, seen, payload);
        }
        let into = if head.opcode.is_control() { &mut self.control } else { &mut self.message };
        let from = into.len();
        match head.masking_key {
            Some(key) => mask::append(into, payload, key, seen),
            None => into.extend_from_slice(payload),
        }
        if self.open == Some(Opcode::Text) && !head.opcode.is_control() {
            // RFC 6455 §8.1. Fails as soon as a byte is invalid, which the Autobahn suite calls "fail fast".
            self.utf8.feed(&self.message[from..]).map_err(|bad| {
                let byte = seen + bad as u64;
                let at = head.header_len() as u64 + byte;
                Violation::Broken(Finding::new(Rule::TextNotUtf8, Some(Span::bytes(at, at + 1))).number(byte))
            })?;
        }
        if !head.opcode.is_control() {
            self.message_len += payload.len() as u64;
            if !self.keeps_messages {
                self.message.clear();
            }
        }
        Ok(())
    }

    fn take_compressed(&mut self, head: &FrameHead, seen: u64, payload: &[u8]) -> Result<(), Violation> {
        self.message_len += payload.len() as u64;
        let mut at = seen;
        let mut scratch = std::mem::take(&mut self.scratch);
        for piece in payload.chunks(PIECE) {
            let plain = mask::plain(piece, head.masking_key, at, &mut scratch);
            self.inflate(at, |inflation, sink| inflation.feed(plain, sink))?;
            at += piece.len() as u64;
        }
        self.scratch = scratch;
        Ok(())
    }

    /// Runs one step of inflating, for compressed bytes that start at payload byte `at` of their frame.
    fn inflate(
        &mut self,
        at: u64,
        step: impl FnOnce(&mut MessageInflater, &mut dyn FnMut(&[u8])) -> Result<(), InflateError>,
    ) -> Result<(), Violation> {
        let Some(inflation) = &mut self.inflation else { return Ok(()) };
        let begun = inflation.len();
        let is_text = self.open == Some(Opcode::Text);
        let mut len = begun;
        let mut bad = None;
        let mut take = |piece: &[u8]| {
            if is_text && bad.is_none() {
                bad = self.utf8.feed(piece).err().map(|bad| len + bad as u64);
            }
            len += piece.len() as u64;
            if self.keeps_messages {
                self.message.extend_from_slice(piece);
            }
        };
        let stepped = step(inflation, &mut take);
        match (stepped, bad) {
            (_, Some(byte)) => Err(Violation::Broken(Finding::new(Rule::InflatedNotUtf8, None).number(byte))),
            (Err(InflateError::TooLong), None) => {
                Err(Violation::TooBig { len: inflation.len(), limit: self.limits.message })
            }
            (Err(InflateError::Invalid(fault)), None) => {
                let words = format!("invalid data at payload byte {}", at + fault.at as u64);
                Err(Violation::Broken(Finding::new(Rule::InflateFailed, None).text(&words)))
            }
            (Ok(()), None) => Ok(()),
        }
    }

    #[inline]
    fn finish(&mut self, head: &FrameHead) -> Result<Option<Completed>, Violation> {
        if head.opcode == Opcode::Close {
            self.judge_close()?;
        }
        if head.opcode.is_control() {
            return Ok(Some(Completed::Control(head.opcode)));
        }
        if !head.fin {
            return Ok(None);
        }
        if self.compressed {
            self.inflate(head.payload_len, |inflation, _| inflation.finish())?;
        }
        if self.open == Some(Opcode::Text) && !self.utf8.is_complete() {
            return Err(Violation::Broken(Finding::new(Rule::TextCutCharacter, None)));
        }
        self.message_len = 0;
        Ok(self.open.take().map(Completed::Data))
    }

    /// RFC 6455 §5.5.1, §7.4: the payload of a Close is empty, or a valid code and a reason in UTF-8.
    fn judge_close(&self) -> Result<(), Violation> {
        let broken = match (frame::close_code(&self.control), self.control.len()) {
            (None, 0) => return Ok(()),
            (None, _) => Finding::new(Rule::ClosePayloadOneByte, None),
            (Some(code), _) if !code.may_be_sent() => {
                Finding::new(Rule::CloseCodeInvalid, None).number(u64::from(code.0))
            }
            _ => match std::str::from_utf8(&self.control[2..]) {
                Ok(_) => return Ok(()),
                Err(e) => Finding::new(Rule::CloseReasonNotUtf8, None).number(2 + e.valid_up_to() as u64),
            },
        };
        Err(Violation::Broken(broken))
    }

    pub(super) fn control_event(&self, opcode: Opcode) -> EndpointEvent<'_> {
        let payload = self.control.as_slice();
        match opcode {
            Opcode::Ping => EndpointEvent::Ping(payload),
            Opcode::Pong => EndpointEvent::Pong(payload),
            _ => EndpointEvent::Close {
                code: frame::close_code(payload),
                reason: payload.get(2..).and_then(|reason| std::str::from_utf8(reason).ok()).unwrap_or_default(),
            },
        }
    }

    /// The number of bytes that the buffers take.
    pub(super) fn buffered(&self) -> usize {
        self.message.capacity() + self.scratch.capacity()
    }

    /// Frees the buffers that are kept for the next message.
    pub(super) fn free_empty_buffers(&mut self) {
        self.scratch = Vec::new();
        if self.message.is_empty() {
            self.message = Vec::new();
        }
    }

    /// Frees the buffers of an event after it was handled.
    #[inline]
    pub(super) fn clear(&mut self, done: &Result<Option<Completed>, Violation>) {
        match done {
            Ok(Some(Completed::Control(_))) => self.control.clear(),
            Ok(Some(Completed::Data(_))) if self.message.capacity() <= KEPT_CAPACITY => self.message.clear(),
            _ => self.message = Vec::new(),
        }
    }
}
