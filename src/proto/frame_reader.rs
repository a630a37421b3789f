//! Frames of one direction, cut anywhere: finds them, follows their messages, judges them (RFC 6455 §5, §7, §8.1).

mod control;
mod gap;

use self::control::{MAX_CONTROL, judge_answer, pong_len};
use super::compressed_messages::CompressedMessages;
use super::connection::Shared;
use super::dissected::{Direction, DissectedRecord, Kind, RecordLink};
use super::judge::{OPCODE, judge_head, judge_size, judge_size_of, judge_start, key_span, length_span};
use super::rules::{Finding, Rule};
use super::time::Time;
use super::utf8::Utf8;
use crate::wire::field::Span;
use crate::wire::frame::{FrameHead, HeadReading, MAX_HEAD_LEN};
use crate::wire::mask;
use crate::wire::opcode::Opcode;
use crate::wire::partial_head::PartialFrameHead;

/// How many findings of each severity a direction may have: a peer that sends nothing but faults must not fill the memory, and
/// what is only worth knowing must not hide what is wrong.
const MAX_FINDINGS: usize = 20_000;

/// Text is unmasked and checked in pieces of this many bytes.
const PIECE: usize = 16 * 1024;

#[derive(Debug)]
pub(super) struct FrameReader {
    direction: Direction,
    /// Where the current frame begins in the stream.
    start: u64,
    /// The bytes of a head that comes in pieces.
    partial: Vec<u8>,
    /// The current frame once its head is whole, and how much of its payload was seen.
    current: Option<(FrameHead, u64)>,
    /// Of a control frame: its payload, unmasked.
    control: Vec<u8>,
    /// What there is to say of the current frame.
    findings: Vec<Finding>,
    /// Data messages so far.
    messages: u32,
    /// The message that the current or an earlier frame opened and none has ended.
    open: Option<OpenMessage>,
    previous_key: Option<[u8; 4]>,
    /// The ordinal of the Close that this side sent.
    closed: Option<u32>,
    /// Findings of each severity so far, up to [`MAX_FINDINGS`].
    found: [usize; 3],
    scratch: Vec<u8>,
    /// From the first compressed message on.
    inflating: Option<Box<CompressedMessages>>,
    /// Bytes are missing, so that it is not known whether a message is open.
    unsure: bool,
}

#[derive(Debug)]
struct OpenMessage {
    ordinal: u32,
    /// Its first frame's ordinal in the connection, once that is a record.
    first_frame: Option<u32>,
    /// The state of its text; `None` for what is no text, is compressed, or is known to be broken.
    utf8: Option<Utf8>,
    compressed: bool,
    /// The payloads so far, with what the current frame announces, in bytes.
    len: u64,
}

impl FrameReader {
    pub const fn new(direction: Direction, start: u64) -> Self {
        Self {
            direction,
            start,
            partial: Vec::new(),
            current: None,
            control: Vec::new(),
            findings: Vec::new(),
            messages: 0,
            open: None,
            previous_key: None,
            closed: None,
            found: [0; 3],
            scratch: Vec::new(),
            inflating: None,
            unsure: false,
        }
    }

    /// Where the current frame begins; where the next will begin when there is none.
    pub const fn start(&self) -> u64 {
        self.start
    }

    /// A place to begin to inflate at is wanted behind the next message.
    pub fn want_checkpoint(&mut self) {
        if let Some(inflating) = &mut self.inflating {
            inflating.want_checkpoint();
        }
    }

    /// Takes all of `bytes`.
    pub fn feed(&mut self, bytes: &[u8], now: Time, shared: &mut Shared, out: &mut Vec<DissectedRecord>) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (head, seen) = match self.current {
                Some(current) => current,
                None => {
                    let Some((head, taken)) = self.read_head(rest) else { return };
                    rest = &rest[taken..];
                    self.begin(&head, shared);
                    (head, 0)
                }
            };
            let taken = (head.payload_len - seen).min(rest.len() as u64) as usize;
            let (payload, behind) = rest.split_at(taken);
            rest = behind;
            if taken > 0 {
                self.take_payload(&head, seen, payload);
            }
            let seen = seen + taken as u64;
            if seen == head.payload_len {
                self.finish(&head, now, shared, out);
            } else {
                self.current = Some((head, seen));
            }
        }
    }

    /// The frame that was begun, as a record of kind [`Kind::CutFrame`], with all that its bytes make certain.
    pub fn unfinished(&mut self, now: Time, shared: &Shared) -> Option<DissectedRecord> {
        let mut record =
            DissectedRecord::new(Kind::CutFrame, self.direction, self.start, self.partial.len() as u64, now);
        let message = match self.current {
            Some((head, seen)) => {
                record.wire_len = head.header_len() as u64 + seen;
                record.lead = [head.first_byte(), head.second_byte()];
                self.unfinished_control(&head, &mut record, shared);
                let open = self.open.as_ref().filter(|_| is_data(head.opcode));
                open.map(|open| (open.ordinal, open.compressed))
            }
            None => {
                let start = PartialFrameHead::read(&self.partial)?;
                record.lead = [self.partial[0], self.partial.get(1).copied().unwrap_or(0)];
                self.findings.extend(self.certain_of(&start, shared));
                match start.opcode {
                    opcode if opcode.opens_message() => {
                        Some((self.messages + 1, start.rsv1 && shared.deflate.is_some()))
                    }
                    Opcode::Continuation => self.open.as_ref().map(|open| (open.ordinal, open.compressed)),
                    _ => None,
                }
            }
        };
        if let Some((ordinal, compressed)) = message {
            (record.link, record.compressed) = (RecordLink::Message(ordinal), compressed);
        }
        record.findings = self.take_findings();
        Some(record)
    }

    /// What is certain of a frame that begins here and of which only this much of the head came.
    pub fn certain_of(&self, start: &PartialFrameHead, shared: &Shared) -> Vec<Finding> {
        let mut findings = Vec::new();
        if shared.unjudged {
            return findings;
        }
        judge_start(start, self.direction, shared.extended(), &mut findings);
        shared.leave_certain(&mut findings);
        judge_order(start.opcode, self.closed, self.open.as_ref(), self.unsure, &mut findings);
        match start.opcode {
            Opcode::Close if start.payload_len() == Some(1) => {
                findings.push(Finding::new(Rule::ClosePayloadOneByte, Some(length_span(start))));
            }
            Opcode::Pong => {
                let answer = shared.pong_begun(self.direction, &[], start.payload_len().map(pong_len));
                let answer = answer.filter(|answer| shared.is_certain(self.direction, answer));
                findings.extend(answer.and_then(|answer| judge_answer(answer, length_span(start))));
            }
            opcode if opcode.opens_message() => judge_size(start, 0, &mut findings),
            Opcode::Continuation => {
                if let Some(open) = &self.open {
                    judge_size(start, open.len, &mut findings);
                }
            }
            _ => {}
        }
        findings
    }

    /// Reads a head from the bytes kept and the bytes that came: the head, and how many of the latter it took.
    #[inline]
    fn read_head(&mut self, bytes: &[u8]) -> Option<(FrameHead, usize)> {
        if self.partial.is_empty() {
            match FrameHead::read(bytes) {
                HeadReading::Complete(head) => return Some((head, head.header_len())),
                HeadReading::NeedMore(_) => {
                    self.partial.extend_from_slice(bytes);
                    return None;
                }
            }
        }
        let had = self.partial.len();
        self.partial.extend_from_slice(&bytes[..bytes.len().min(MAX_HEAD_LEN - had)]);
        match FrameHead::read(&self.partial) {
            HeadReading::Complete(head) => {
                self.partial.clear();
                Some((head, head.header_len() - had))
            }
            HeadReading::NeedMore(_) => None,
        }
    }

    /// The head is known: judges it and opens a message where it begins one.
    #[inline]
    fn begin(&mut self, head: &FrameHead, shared: &Shared) {
        if !shared.unjudged {
            self.judge(head, shared);
        }
        if head.opcode.opens_message() {
            self.messages += 1;
            let compressed = shared.deflate.filter(|_| head.rsv1);
            if let Some(agreed) = compressed {
                let direction = self.direction;
                let inflating =
                    self.inflating.get_or_insert_with(|| Box::new(CompressedMessages::new(&agreed, direction)));
                inflating.begin(head.opcode == Opcode::Text);
            }
            // What an unknown extension does to a payload is not known, nor without the handshake whether RSV1 means compressed.
            let opaque =
                shared.foreign && (head.rsv1 || head.rsv2 || head.rsv3) || shared.handshake_unseen && head.rsv1;
            let checked = head.opcode == Opcode::Text && compressed.is_none() && !opaque && !shared.unjudged;
            self.unsure = false;
            self.open = Some(OpenMessage {
                ordinal: self.messages,
                first_frame: None,
                utf8: checked.then(Utf8::default),
                compressed: compressed.is_some() || opaque,
                len: 0,
            });
        }
        if is_data(head.opcode)
            && !shared.unjudged
            && let Some(open) = &mut self.open
        {
            judge_size_of(head, open.len, &mut self.findings);
            open.len = open.len.saturating_add(head.payload_len);
        }
    }

    /// What is wrong with a frame by its head, alone and behind what came before it.
    #[inline]
    fn judge(&mut self, head: &FrameHead, shared: &Shared) {
        judge_head(head, self.direction, shared.extended(), &mut self.findings);
        shared.leave_certain(&mut self.findings);
        if head.masking_key.is_some() {
            if head.masking_key == self.previous_key && head.masking_key != Some([0; 4]) {
                self.findings.push(Finding::new(Rule::MaskingKeyReused, Some(key_span(head))));
            }
            self.previous_key = head.masking_key;
        }
        judge_order(head.opcode, self.closed, self.open.as_ref(), self.unsure, &mut self.findings);
    }

    /// Looks at the next piece of the payload: keeps it when it is a control frame's, checks it when it is text.
    #[inline]
    fn take_payload(&mut self, head: &FrameHead, seen: u64, bytes: &[u8]) {
        if head.opcode.is_control() {
            let wanted = MAX_CONTROL.saturating_sub(self.control.len()).min(bytes.len());
            match head.masking_key {
                Some(key) => mask::append(&mut self.control, &bytes[..wanted], key, seen),
                None => self.control.extend_from_slice(&bytes[..wanted]),
            }
            return;
        }
        if !is_data(head.opcode) {
            return;
        }
        if let Some(inflating) =
            self.inflating.as_mut().filter(|_| self.open.as_ref().is_some_and(|open| open.compressed))
        {
            for (i, piece) in bytes.chunks(PIECE).enumerate() {
                let at = seen + (i * PIECE) as u64;
                let plain = mask::plain(piece, head.masking_key, at, &mut self.scratch);
                self.findings.extend(inflating.feed(head, at, plain));
            }
            return;
        }
        let Some(utf8) = self.open.as_mut().and_then(|open| open.utf8.as_mut()) else { return };
        let mut at = 0;
        let broken = loop {
            let piece = &bytes[at..bytes.len().min(at + PIECE)];
            let offset = seen + at as u64;
            let fed = match head.masking_key {
                // The usual text is checked where it lies.
                Some(key) if utf8.is_complete() && mask::is_ascii(piece, key, offset) => Ok(()),
                key => utf8.feed(mask::plain(piece, key, offset, &mut self.scratch)),
            };
            if let Err(bad) = fed {
                break Some(seen + (at + bad) as u64);
            }
            at += piece.len();
            if at == bytes.len() {
                break None;
            }
        };
        if let Some(byte) = broken {
            let at = head.header_len() as u64 + byte;
            self.findings.push(Finding::new(Rule::TextNotUtf8, Some(Span::bytes(at, at + 1))).number(byte));
            if let Some(open) = &mut self.open {
                open.utf8 = None;
            }
        }
    }

    /// The frame is whole: it becomes a record.
    #[inline]
    fn finish(&mut self, head: &FrameHead, now: Time, shared: &mut Shared, out: &mut Vec<DissectedRecord>) {
        let mut record = DissectedRecord::new(Kind::Frame, self.direction, self.start, head.wire_len(), now);
        record.lead = [head.first_byte(), head.second_byte()];
        if head.opcode.is_control() {
            self.finish_control(head, &mut record, shared);
        } else if is_data(head.opcode) {
            self.finish_data(head, &mut record, shared);
        }
        record.findings = self.take_findings();
        self.start += head.wire_len();
        self.current = None;
        self.control.clear();
        shared.emit(record, out);
    }

    /// The findings of the current frame, while there is room for them.
    #[inline]
    fn take_findings(&mut self) -> Vec<Finding> {
        if self.findings.is_empty() {
            return Vec::new();
        }
        let mut full = None;
        self.findings.retain(|finding| {
            let severity = finding.rule.severity();
            let found = &mut self.found[severity as usize];
            let room = *found < MAX_FINDINGS;
            *found += usize::from(room);
            if room && *found == MAX_FINDINGS {
                full = Some(severity);
            }
            room
        });
        if let Some(severity) = full {
            let omitted = Finding::new(Rule::FindingsOmitted, None).number(MAX_FINDINGS as u64);
            self.findings.push(omitted.text(severity.name()));
        }
        std::mem::take(&mut self.findings)
    }

    fn finish_data(&mut self, head: &FrameHead, record: &mut DissectedRecord, shared: &Shared) {
        if head.fin {
            self.unsure = false;
        }
        let Some(open) = &mut self.open else { return };
        record.link = RecordLink::Message(open.ordinal);
        record.compressed = open.compressed;
        open.first_frame.get_or_insert(shared.next_ordinal());
        if let Some(inflating) = self.inflating.as_mut().filter(|_| open.compressed) {
            if head.fin {
                self.findings.extend(inflating.finish(head));
            }
            record.checkpoint = inflating.checkpoint(self.start, self.start + head.wire_len(), head.fin);
        }
        if head.fin {
            if open.utf8.is_some_and(|utf8| !utf8.is_complete()) {
                let end = head.wire_len();
                let last = (head.payload_len > 0).then(|| Span::bytes(end - 1, end));
                self.findings.push(Finding::new(Rule::TextCutCharacter, last));
            }
            self.open = None;
        }
    }
}

/// Whether a frame with this opcode may come behind what came before it (RFC 6455 §5.4, §5.5.1). `unsure` where that is missing.
#[inline]
fn judge_order(opcode: Opcode, closed: Option<u32>, open: Option<&OpenMessage>, unsure: bool, out: &mut Vec<Finding>) {
    if let Some(close) = closed {
        // A Pong is owed until the other side's Close comes (§5.5.2), and a Ping is no data.
        let rule = match opcode {
            Opcode::Close => Some(Rule::CloseRepeated),
            opcode => (!opcode.is_control()).then_some(Rule::FrameAfterClose),
        };
        out.extend(rule.map(|rule| Finding::new(rule, Some(OPCODE)).about(Some(u64::from(close)))));
    }
    match open {
        None if opcode == Opcode::Continuation && !unsure => {
            out.push(Finding::new(Rule::ContinuationUnexpected, Some(OPCODE)));
        }
        Some(open) if opcode.opens_message() => {
            let about = open.first_frame.map(u64::from);
            out.push(Finding::new(Rule::MessageInterrupted, Some(OPCODE)).about(about));
        }
        _ => {}
    }
}

/// Whether frames with this opcode are parts of data messages.
#[inline]
const fn is_data(opcode: Opcode) -> bool {
    matches!(opcode, Opcode::Continuation | Opcode::Text | Opcode::Binary)
}
