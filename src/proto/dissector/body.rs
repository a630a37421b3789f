//! HTTP bodies: they end as their headers say; if that is malformed, their end is unknown.

use super::{ConnectionState, DissectedRecord, Dissector, ReadNext, State};
use crate::proto::body::{Body, BodyFault, Progress};
use crate::proto::rules::{Finding, Rule};
use crate::proto::time::Time;

impl Dissector {
    /// Continues after [`super::FeedOutcome::Head`] with the record of the head and the length of its body. If `early` is
    /// true, bytes after the body are buffered until the caller calls [`Self::upgraded`], [`Self::opaque`] or
    /// [`Self::refused`]. If the end of the body is unknown, the bytes after the head are unrecognized, unless the connection is upgraded.
    pub fn after_head(
        &mut self,
        record: DissectedRecord,
        body: Result<Body, BodyFault>,
        early: bool,
        connection: &mut ConnectionState,
    ) {
        let start = self.position;
        let then = if early { ReadNext::Early } else { ReadNext::Head };
        match body {
            Ok(body) if !body.is_whole() => {
                self.state = State::Body { record: Box::new(record), body, then };
                return;
            }
            Ok(_) => self.state = self.after(then, start),
            Err(fault) => {
                let why = Some(body_end_unknown(fault));
                self.state =
                    if early { State::Early { start, kept: Vec::new(), why } } else { State::Junk { start, why } };
            }
        }
        connection.emit(record);
    }

    /// Takes bytes up to the end of the body. Those after a fault in it are unrecognized until the direction ends.
    pub(super) fn take_body(&mut self, bytes: &[u8], now: Time, connection: &mut ConnectionState) -> usize {
        let State::Body { record, body, then } = &mut self.state else { return 0 };
        let (taken, progress) = body.take(bytes);
        record.wire_len += taken as u64;
        let (then, end) = (*then, self.position + taken as u64);
        let is_emitted = self.stated.as_mut().is_some_and(|stated| std::mem::take(&mut stated.is_body_over));
        if is_emitted {
            self.state = State::Junk { start: end, why: None };
        } else if progress != Progress::Incomplete {
            // A fault is certain with the next byte, which arrived now.
            record.time = now;
            self.emit_body(then, end, connection);
        }
        if let Progress::Malformed(fault) = progress {
            self.state = State::Junk { start: end, why: Some(body_end_unknown(fault)) };
            let stated = self.stated.as_mut().and_then(|stated| stated.after_body.take());
            if let Some((_, stated)) = stated.filter(|(start, _)| taken == 0 && *start == end) {
                self.state_record(stated, connection);
            }
        }
        taken
    }

    /// Appends the record of the message with this body. Reads `then` from `start`.
    pub(super) fn emit_body(&mut self, then: ReadNext, start: u64, connection: &mut ConnectionState) {
        let next = self.after(then, start);
        if let State::Body { record, .. } = std::mem::replace(&mut self.state, next) {
            connection.emit(*record);
        }
    }
}

/// The finding for the first bytes after a body whose end is unknown.
fn body_end_unknown(fault: BodyFault) -> Finding {
    Finding::new(Rule::BodyEndUnknown, None).text(&fault.to_string())
}
