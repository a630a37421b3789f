//! The end of a direction: truncates the unfinished record, judges the end and frees memory.

use super::{ConnectionState, DissectedRecord, Dissector, EndReason, Kind, State, Time};
use crate::proto::foreign::Follows;
use crate::proto::rules::Finding;

impl Dissector {
    /// Ends the direction: appends a record of the bytes that are not part of one yet, then the end record.
    pub fn end(&mut self, how: EndReason, now: Time, connection: &mut ConnectionState) {
        self.end_stated(connection);
        if let State::Early { .. } = self.state {
            // No response has shown what these bytes are.
            if self.has_early_bytes() {
                connection.early();
            }
            self.opaque(connection);
        }
        let start = self.record_start();
        let unfinished = match &mut self.state {
            State::Body { record, body, .. } => {
                record.time = self.last;
                if !body.may_end_here() {
                    record.kind = Kind::CutHttp;
                }
                Some((**record).clone())
            }
            State::Head { kept, .. } => {
                let kind = super::head::unfinished(self.direction, kept);
                Some(self.begun(kind, start))
            }
            State::Early { .. } => None, // Handled above.
            State::Resync(_) | State::BeforeResponse { .. } => Some(self.begun(Kind::Junk, start)),
            State::Junk { why, .. } => {
                let findings = why.take().into_iter().collect();
                Some(DissectedRecord { findings, ..self.begun(Kind::Junk, start) })
            }
            State::Frames(reader) => {
                reader.settle(Follows::Nothing, self.last, connection);
                reader.unfinished(self.last, connection)
            }
        };
        if let Some(record) = unfinished.filter(|record| record.wire_len > 0) {
            connection.emit(record);
        }
        if !connection.endless {
            let mut end = DissectedRecord::new(Kind::End(how), self.direction, self.position, 0, now);
            end.findings = self.judged_end(how, connection);
            connection.emit(end);
        }
        self.free();
    }

    /// The findings for the end of this direction, if it was reading frames.
    fn judged_end(&self, how: EndReason, connection: &mut ConnectionState) -> Vec<Finding> {
        if self.is_in_frames() { connection.judge_end(self.direction, how) } else { Vec::new() }
    }

    /// Frees the memory that only further bytes would need. The frame that the end truncated stays: see [`Self::certain_of`].
    fn free(&mut self) {
        match &mut self.state {
            State::Frames(reader) => reader.free(),
            other => *other = State::Junk { start: self.position, why: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::connection::Connection;
    use crate::proto::dissected::Direction;

    #[test]
    fn a_response_to_a_request_that_the_end_truncated_does_not_repeat_the_request() {
        let mut connection = Connection::new(None);
        let (mut out, beginning) = (Vec::new(), b"GET /x HTTP/1.1\r\nHo");
        connection.feed(Direction::ClientToServer, beginning, Time(1), &mut out);
        connection.end(Direction::ClientToServer, EndReason::Fin, Time(2), &mut out);
        let refusal = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
        connection.feed(Direction::ServerToClient, refusal, Time(3), &mut out);
        let records: Vec<_> = out.iter().map(|record| (record.kind, record.offset, record.wire_len)).collect();
        let (cut, whole) = (beginning.len() as u64, refusal.len() as u64);
        assert_eq!(records, [(Kind::CutHttp, 0, cut), (Kind::End(EndReason::Fin), cut, 0), (Kind::Response, 0, whole)]);
    }
}
