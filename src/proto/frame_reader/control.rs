//! Control frames: the Close, and which Ping a Pong answers (RFC 6455 §5.5, §7.4).

use super::FrameReader;
use crate::proto::connection::Shared;
use crate::proto::dissected::{DissectedRecord, RecordLink};
use crate::proto::judge::{OPCODE, length_span};
use crate::proto::pings::Answer;
use crate::proto::rules::{Finding, Rule};
use crate::proto::utf8::Utf8;
use crate::wire::field::Span;
use crate::wire::frame::{self, FrameHead};
use crate::wire::opcode::Opcode;
use crate::wire::partial_head::PartialFrameHead;

/// How much of a control frame's payload is looked at, in bytes: all of a legal one.
pub(super) const MAX_CONTROL: usize = 125;

impl FrameReader {
    /// What is certain of a control frame whose payload was cut.
    pub(super) fn unfinished_control(&mut self, head: &FrameHead, record: &mut DissectedRecord, shared: &Shared) {
        match head.opcode {
            Opcode::Close => {
                record.code = frame::close_code(&self.control).map_or(0, |code| code.0);
                self.judge_close(head, false);
            }
            Opcode::Pong => {
                let len = Some(pong_len(head.payload_len));
                let answer = shared.pong_begun(self.direction, &self.control, len);
                if let Some(answer) = answer.filter(|answer| shared.is_certain(self.direction, answer)) {
                    let span = match record.wire_len - head.header_len() as u64 {
                        0 => length_span(&PartialFrameHead::from(head)),
                        _ => Span::bytes(head.header_len() as u64, record.wire_len),
                    };
                    self.findings.extend(judge_answer(answer, span));
                }
            }
            _ => {}
        }
    }

    pub(super) fn finish_control(&mut self, head: &FrameHead, record: &mut DissectedRecord, shared: &mut Shared) {
        let ordinal = shared.next_ordinal();
        match head.opcode {
            Opcode::Close => {
                record.link = shared.close_sent(self.direction).map_or(RecordLink::None, RecordLink::Answers);
                self.closed.get_or_insert(ordinal);
                record.code = frame::close_code(&self.control).map_or(0, |code| code.0);
                self.judge_close(head, true);
            }
            Opcode::Ping => shared.ping_sent(self.direction, &self.control),
            Opcode::Pong => {
                let answer = shared.pong_sent(self.direction, &self.control);
                if let Answer::Answers(ping, _) = answer {
                    record.link = RecordLink::Answers(ping);
                }
                if shared.is_certain(self.direction, &answer) {
                    self.findings.extend(judge_answer(answer, payload_span(head)));
                }
            }
            _ => {}
        }
    }

    /// Judges the payload of a Close; `whole` tells whether all of it came.
    fn judge_close(&mut self, head: &FrameHead, whole: bool) {
        let at = head.header_len() as u64;
        match self.control.as_slice() {
            [] if head.payload_len == 1 => {
                self.findings.push(Finding::new(Rule::ClosePayloadOneByte, Some(Span::bits(9, 16))));
            }
            [] => {}
            [_] if head.payload_len == 1 => {
                self.findings.push(Finding::new(Rule::ClosePayloadOneByte, Some(Span::bytes(at, at + 1))));
            }
            payload => {
                if let Some(code) = frame::close_code(payload).filter(|code| !code.may_be_sent()) {
                    let span = Some(Span::bytes(at, at + 2));
                    self.findings.push(Finding::new(Rule::CloseCodeInvalid, span).number(u64::from(code.0)));
                }
                let reason = payload.get(2..).unwrap_or_default();
                // Of an overlong Close only the beginning was kept, so an unfinished character at its end says nothing.
                let whole = whole && head.payload_len as usize <= MAX_CONTROL;
                let mut utf8 = Utf8::default();
                let broken = match utf8.feed(reason) {
                    Err(bad) => Some(bad as u64),
                    Ok(()) if whole && !utf8.is_complete() => Some(reason.len() as u64 - 1),
                    Ok(()) => None,
                };
                if let Some(bad) = broken {
                    let span = Span::bytes(at + 2 + bad, at + 3 + bad);
                    self.findings.push(Finding::new(Rule::CloseReasonNotUtf8, Some(span)).number(2 + bad));
                }
            }
        }
    }
}

/// What there is to say of a pong, whose payload stands at `payload`.
pub(super) fn judge_answer(answer: Answer, payload: Span) -> Option<Finding> {
    let about = |rule, number, about: Option<u32>| {
        Some(Finding::new(rule, Some(payload)).number(number).about(about.map(u64::from)))
    };
    match answer {
        Answer::Answers(_, passed) if passed.count > 0 => about(Rule::PingSuperseded, passed.count, passed.first),
        Answer::Answers(..) => None,
        Answer::Mismatched(unanswered, latest) => about(Rule::PongMismatched, unanswered, Some(latest)),
        Answer::Unsolicited => Some(Finding::new(Rule::PongUnsolicited, Some(OPCODE))),
    }
}

/// The bits of the payload; of a frame without one those of its length.
fn payload_span(head: &FrameHead) -> Span {
    match head.payload_len {
        0 => length_span(&PartialFrameHead::from(head)),
        _ => Span::bytes(head.header_len() as u64, head.wire_len()),
    }
}

/// How many bytes of a pong's payload are looked at.
pub(super) const fn pong_len(payload_len: u64) -> usize {
    if payload_len < MAX_CONTROL as u64 { payload_len as usize } else { MAX_CONTROL }
}
