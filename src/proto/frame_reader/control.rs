//! Control frames: judges a Close, and matches a Pong with a Ping (RFC 6455 §5.5, §7.4).

use super::FrameReader;
use crate::proto::connection_state::ConnectionState;
use crate::proto::dissected::{DissectedRecord, RecordLink};
use crate::proto::judge::{OPCODE, length_span};
use crate::proto::pings::PongMatch;
use crate::proto::rules::{Finding, Rule};
use crate::proto::utf8::Utf8;
use crate::wire::field::Span;
use crate::wire::frame::{self, FrameHead};
use crate::wire::mask;
use crate::wire::opcode::Opcode;
use crate::wire::partial_head::PartialFrameHead;

/// The number of payload bytes of a control frame that are kept: all of a valid one.
const MAX_CONTROL: usize = 125;

impl FrameReader {
    /// Takes the next piece of the payload of a control frame.
    #[inline]
    pub(super) fn take_control(&mut self, head: &FrameHead, seen: u64, bytes: &[u8]) {
        let wanted = MAX_CONTROL.saturating_sub(self.control.len()).min(bytes.len());
        match head.masking_key {
            Some(key) => mask::append(&mut self.control, &bytes[..wanted], key, seen),
            None => self.control.extend_from_slice(&bytes[..wanted]),
        }
    }

    /// Adds the findings that a control frame with a truncated payload certainly has.
    pub(super) fn unfinished_control(
        &mut self,
        head: &FrameHead,
        record: &mut DissectedRecord,
        connection: &ConnectionState,
    ) {
        match head.opcode {
            Opcode::Close => {
                record.code = frame::close_code(&self.control).map_or(0, |code| code.0);
                self.judge_close(head, false);
            }
            Opcode::Pong => {
                let len = Some(pong_len(head.payload_len));
                let answer = connection.pong_begun(self.direction, &self.control, len);
                if let Some(answer) = answer.filter(|answer| connection.is_certain(self.direction, answer)) {
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

    /// Adds what a complete control frame means for the connection to its record.
    pub(super) fn finish_control(
        &mut self,
        head: &FrameHead,
        record: &mut DissectedRecord,
        connection: &mut ConnectionState,
    ) {
        let ordinal = connection.next_ordinal();
        match head.opcode {
            Opcode::Close => {
                record.link = connection.close_sent(self.direction).map_or(RecordLink::None, RecordLink::Answers);
                self.closed.get_or_insert(ordinal);
                record.code = frame::close_code(&self.control).map_or(0, |code| code.0);
                self.judge_close(head, true);
            }
            Opcode::Ping => connection.ping_sent(self.direction, &self.control),
            Opcode::Pong => {
                let answer = connection.pong_sent(self.direction, &self.control);
                if let PongMatch::Answers(ping, _) = answer {
                    record.link = RecordLink::Answers(ping);
                }
                if connection.is_certain(self.direction, &answer) {
                    self.findings.extend(judge_answer(answer, payload_span(head)));
                }
            }
            _ => {}
        }
    }

    /// Judges the payload of a Close. `whole` is true if all of it was captured.
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
                // Only the start of an overlong Close was kept, so its last character may be incomplete.
                let whole = whole && head.payload_len as usize <= MAX_CONTROL;
                let mut utf8 = Utf8::default();
                let invalid = match utf8.feed(reason) {
                    Err(bad) => Some(bad as u64),
                    Ok(()) if whole && !utf8.is_complete() => Some(reason.len() as u64 - 1),
                    Ok(()) => None,
                };
                if let Some(bad) = invalid {
                    let span = Span::bytes(at + 2 + bad, at + 3 + bad);
                    self.findings.push(Finding::new(Rule::CloseReasonNotUtf8, Some(span)).number(2 + bad));
                }
            }
        }
    }
}

/// The finding for a Pong with this match. `payload` are the bits of its payload.
pub(super) fn judge_answer(answer: PongMatch, payload: Span) -> Option<Finding> {
    let about = |rule, number, about: Option<u32>| {
        Some(Finding::new(rule, Some(payload)).number(number).about(about.map(u64::from)))
    };
    match answer {
        PongMatch::Answers(_, passed) if passed.count > 0 => about(Rule::PingSuperseded, passed.count, passed.first),
        PongMatch::Answers(..) | PongMatch::Unknown => None,
        PongMatch::Mismatched(unanswered, latest) => about(Rule::PongMismatched, unanswered, Some(latest)),
        PongMatch::Unsolicited => Some(Finding::new(Rule::PongUnsolicited, Some(OPCODE))),
    }
}

/// The bits of the payload, or of the length if the payload is empty.
fn payload_span(head: &FrameHead) -> Span {
    match head.payload_len {
        0 => length_span(&PartialFrameHead::from(head)),
        _ => Span::bytes(head.header_len() as u64, head.wire_len()),
    }
}

/// The number of payload bytes of a Pong that are compared with Pings.
pub(super) const fn pong_len(payload_len: u64) -> usize {
    if payload_len < MAX_CONTROL as u64 { payload_len as usize } else { MAX_CONTROL }
}
