//! Reads the frames of one direction from pieces of any size, groups them into messages and judges them (RFC 6455 §5, §7,
//! §8.1).

mod control;
mod data;
mod foreign;
mod gap;

use self::control::{judge_answer, pong_len};
use self::data::{OpenMessage, is_data};
use super::compressed_messages::CompressedMessages;
use super::connection_state::ConnectionState;
use super::dissected::{Direction, DissectedRecord, Kind, RecordLink};
use super::foreign::run::ForeignRun;
use super::foreign::{Follows, Input, Undecided};
use super::judge::{OPCODE, judge_head, judge_size, judge_size_of, judge_start, key_span, length_span};
use super::rules::{Finding, Rule};
use super::time::Time;
use super::utf8::Utf8;
use crate::wire::frame::{FrameHead, MAX_HEAD_LEN};
use crate::wire::opcode::Opcode;
use crate::wire::partial_head::PartialFrameHead;

/// The number of findings of each severity that a direction keeps. The limit bounds the memory that a peer can fill; it
/// applies to each severity, so that many infos do not hide an error.
const MAX_FINDINGS: usize = 20_000;

#[derive(Debug)]
pub(super) struct FrameReader {
    direction: Direction,
    /// The offset of the current frame in the stream.
    start: u64,
    /// The first bytes of a head that is not complete yet.
    partial: Vec<u8>,
    /// The head of the current frame, once it is complete, and the number of payload bytes so far.
    current: Option<(FrameHead, u64)>,
    /// The unmasked payload of a control frame.
    control: Vec<u8>,
    /// The findings of the current frame.
    findings: Vec<Finding>,
    /// The number of data messages so far.
    messages: u32,
    /// The unfinished message.
    open: Option<OpenMessage>,
    previous_key: Option<[u8; 4]>,
    /// The ordinal of the first Close in this direction.
    closed: Option<u32>,
    /// The number of findings of each severity so far, up to [`MAX_FINDINGS`].
    found: [usize; 3],
    scratch: Vec<u8>,
    /// Set from the first compressed message on.
    inflating: Option<Box<CompressedMessages>>,
    /// True after missing bytes, until it is known whether a message is open.
    unsure: bool,
    /// True until the first frame, if the reader starts directly after the head of the handshake.
    after_head: bool,
    /// True if the caller has split the stream into frames, so that all bytes are frames.
    all_frames: bool,
    /// True if the caller has stated that the next record is a frame.
    stated: bool,
    /// Bytes of which it is not known yet whether they start a frame; those after [`Self::foreign`], if there are some.
    undecided: Undecided,
    /// Bytes that are no frame.
    foreign: Option<Box<ForeignRun>>,
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
            after_head: true,
            all_frames: false,
            stated: false,
            undecided: Undecided::new(),
            foreign: None,
        }
    }

    /// A reader of bytes that are frames only: see [`super::connection::Connection::in_frames`].
    pub fn of_frames(direction: Direction) -> Self {
        Self { all_frames: true, ..Self::new(direction, 0) }
    }

    /// The offset of the current frame, or of the next one between frames.
    pub const fn start(&self) -> u64 {
        self.start
    }

    /// Requests a checkpoint after the next message.
    pub fn want_checkpoint(&mut self) {
        if let Some(inflating) = &mut self.inflating {
            inflating.want_checkpoint();
        }
    }

    /// Takes all of `bytes`.
    pub fn feed(&mut self, bytes: &[u8], now: Time, connection: &mut ConnectionState) {
        if self.undecided.is_empty() {
            return self.read(Input::new(bytes, now, Follows::Unknown), connection);
        }
        std::mem::take(&mut self.undecided).with(bytes, now, Follows::Unknown, |input| self.read(input, connection));
    }

    /// Decides what the undecided bytes are: notes what comes after them.
    pub fn settle(&mut self, follows: Follows, now: Time, connection: &mut ConnectionState) {
        std::mem::take(&mut self.undecided).with(&[], now, follows, |input| self.read(input, connection));
    }

    fn read(&mut self, input: Input<'_>, connection: &mut ConnectionState) {
        let mut rest = input.bytes;
        while !rest.is_empty() {
            let at = input.bytes.len() - rest.len();
            if self.foreign.is_some() {
                rest = &rest[self.take_foreign(&input, at, connection)..];
                continue;
            }
            let (head, seen) = match self.current {
                Some(current) => current,
                None => {
                    // A frame with FIN is a frame: the common case.
                    let decided = rest[0] & 0x80 != 0 || !self.partial.is_empty() || self.all_frames || self.stated;
                    if !decided && !self.is_frame(&input, at, connection) {
                        if self.foreign.is_some() {
                            continue;
                        }
                        return;
                    }
                    let Some((head, taken)) = self.read_head(rest) else { return };
                    rest = &rest[taken..];
                    self.begin(&head, connection);
                    (head, 0)
                }
            };
            let taken = (head.payload_len - seen).min(rest.len() as u64) as usize;
            let (payload, after) = rest.split_at(taken);
            rest = after;
            if taken > 0 {
                self.take_payload(&head, seen, payload);
            }
            let seen = seen + taken as u64;
            if seen == head.payload_len {
                let time = input.time_before(input.bytes.len() - rest.len());
                self.finish(&head, time, connection);
            } else {
                self.current = Some((head, seen));
            }
        }
    }

    /// The unfinished frame as a record of kind [`Kind::CutFrame`], with the findings that its bytes prove.
    pub fn unfinished(&mut self, now: Time, connection: &ConnectionState) -> Option<DissectedRecord> {
        if self.foreign.is_some() {
            return self.unfinished_foreign();
        }
        let mut record =
            DissectedRecord::new(Kind::CutFrame, self.direction, self.start, self.partial.len() as u64, now);
        let message = match self.current {
            Some((head, seen)) => {
                record.wire_len = head.header_len() as u64 + seen;
                record.lead = [head.first_byte(), head.second_byte()];
                self.unfinished_control(&head, &mut record, connection);
                let open = self.open.as_ref().filter(|_| is_data(head.opcode));
                open.map(|open| (open.ordinal, open.compressed))
            }
            None => {
                let start = PartialFrameHead::read(&self.partial)?;
                record.lead = [self.partial[0], self.partial.get(1).copied().unwrap_or(0)];
                self.findings.extend(self.certain_of(&start, connection));
                match start.opcode {
                    opcode if opcode.opens_message() => {
                        Some((self.messages + 1, start.rsv1 && connection.rsv1_may_be_set()))
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

    /// Frees the memory that only further bytes would need.
    pub fn free(&mut self) {
        self.inflating = None;
        self.scratch = Vec::new();
        self.control = Vec::new();
    }

    /// The findings that a frame starting here certainly has if only this part of its head was captured.
    pub fn certain_of(&self, start: &PartialFrameHead, connection: &ConnectionState) -> Vec<Finding> {
        let mut findings = Vec::new();
        if connection.unjudged {
            return findings;
        }
        judge_start(start, self.direction, connection.extended(), &mut findings);
        connection.remove_uncertain(start.opcode, &mut findings);
        judge_order(start.opcode, self.closed, self.open.as_ref(), self.unsure, &mut findings);
        match start.opcode {
            Opcode::Close if start.payload_len() == Some(1) => {
                findings.push(Finding::new(Rule::ClosePayloadOneByte, Some(length_span(start))));
            }
            Opcode::Pong => {
                let answer = connection.pong_begun(self.direction, &[], start.payload_len().map(pong_len));
                let answer = answer.filter(|answer| connection.is_certain(self.direction, answer));
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

    /// Reads a head from the buffered bytes and from `bytes`. Returns the head and how many of `bytes` it took.
    #[inline]
    fn read_head(&mut self, bytes: &[u8]) -> Option<(FrameHead, usize)> {
        if self.partial.is_empty() {
            let head = FrameHead::read(bytes);
            if head.is_none() {
                self.partial.extend_from_slice(bytes);
            }
            return head.map(|head| (head, head.header_len()));
        }
        let had = self.partial.len();
        self.partial.extend_from_slice(&bytes[..bytes.len().min(MAX_HEAD_LEN - had)]);
        let head = FrameHead::read(&self.partial)?;
        self.partial.clear();
        Some((head, head.header_len() - had))
    }

    /// Starts a frame with this head: judges the head, and opens a message if the frame starts one.
    #[inline]
    fn begin(&mut self, head: &FrameHead, connection: &ConnectionState) {
        if !connection.unjudged {
            self.judge(head, connection);
        }
        if head.opcode.opens_message() {
            self.messages += 1;
            let compressed = if head.rsv1 { connection.inflation(self.direction) } else { None };
            if let Some((params, certainty)) = compressed {
                let direction = self.direction;
                let inflating = self
                    .inflating
                    .get_or_insert_with(|| Box::new(CompressedMessages::new(&params, certainty, direction)));
                inflating.begin(head.opcode == Opcode::Text);
            }
            // An unknown extension may change the payload.
            let opaque = connection.foreign && (head.rsv1 || head.rsv2 || head.rsv3);
            let checked = head.opcode == Opcode::Text && compressed.is_none() && !opaque && !connection.unjudged;
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
            && !connection.unjudged
            && let Some(open) = &mut self.open
        {
            judge_size_of(head, open.len, &mut self.findings);
            open.len = open.len.saturating_add(head.payload_len);
        }
    }

    /// Judges the head of a frame, by itself and in relation to the frames before it.
    #[inline]
    fn judge(&mut self, head: &FrameHead, connection: &ConnectionState) {
        judge_head(head, self.direction, connection.extended(), &mut self.findings);
        connection.remove_uncertain(head.opcode, &mut self.findings);
        if head.masking_key.is_some() {
            if head.masking_key == self.previous_key && head.masking_key != Some([0; 4]) {
                self.findings.push(Finding::new(Rule::MaskingKeyReused, Some(key_span(head))));
            }
            self.previous_key = head.masking_key;
        }
        judge_order(head.opcode, self.closed, self.open.as_ref(), self.unsure, &mut self.findings);
    }

    /// Takes the next piece of the payload: keeps it for a control frame, validates it for a data frame.
    #[inline]
    fn take_payload(&mut self, head: &FrameHead, seen: u64, bytes: &[u8]) {
        if head.opcode.is_control() {
            self.take_control(head, seen, bytes);
        } else if is_data(head.opcode) {
            self.take_data(head, seen, bytes);
        }
    }

    /// Appends a record of the complete frame.
    #[inline]
    fn finish(&mut self, head: &FrameHead, now: Time, connection: &mut ConnectionState) {
        let mut record = DissectedRecord::new(Kind::Frame, self.direction, self.start, head.wire_len(), now);
        record.lead = [head.first_byte(), head.second_byte()];
        if head.opcode.is_control() {
            self.finish_control(head, &mut record, connection);
        } else if is_data(head.opcode) {
            self.finish_data(head, &mut record, connection);
        }
        record.findings = self.take_findings();
        self.start += head.wire_len();
        self.current = None;
        self.after_head = false;
        self.stated = false;
        self.control.clear();
        connection.emit(record);
    }

    /// Removes the findings of the current frame; drops those over [`MAX_FINDINGS`].
    #[inline]
    fn take_findings(&mut self) -> Vec<Finding> {
        if self.findings.is_empty() {
            return Vec::new();
        }
        let mut full = None;
        self.findings.retain(|finding| {
            let severity = finding.rule.severity();
            let found = &mut self.found[severity as usize];
            let kept = *found < MAX_FINDINGS;
            *found += usize::from(kept);
            if kept && *found == MAX_FINDINGS {
                full = Some(severity);
            }
            kept
        });
        if let Some(severity) = full {
            let omitted = Finding::new(Rule::FindingsOmitted, None).number(MAX_FINDINGS as u64);
            self.findings.push(omitted.text(severity.name()));
        }
        std::mem::take(&mut self.findings)
    }
}

/// Judges whether a frame with this opcode may follow the frames before it (RFC 6455 §5.4, §5.5.1). `unsure` is true if
/// some of them are missing.
#[inline]
fn judge_order(opcode: Opcode, closed: Option<u32>, open: Option<&OpenMessage>, unsure: bool, out: &mut Vec<Finding>) {
    if let Some(close) = closed {
        // A side must send Pongs until it receives the peer's Close (§5.5.2), and a Ping is not data.
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
