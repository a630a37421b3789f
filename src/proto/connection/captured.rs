//! What a capture shows about the bytes of a connection, apart from the bytes: which are missing, and where records start.

use super::Connection;
use crate::proto::dissected::{Direction, DissectedRecord, Missing};
use crate::proto::rules::{Finding, Rule};
use crate::proto::stated::{StatedKind, StatedRecord};
use crate::proto::time::Time;

impl Connection {
    /// Notes that the capture lacks the next `missing` bytes of a direction. Appends a gap record, after a record of
    /// the bytes that are not part of one yet. The following bytes are unrecognized until a frame or head certainly
    /// starts: see [`crate::proto::resync`]. From now on, each call of [`Self::feed`] for this direction must start with the
    /// first byte of a packet.
    pub fn gap(
        &mut self,
        direction: Direction,
        missing: impl Into<Missing>,
        now: Time,
        out: &mut Vec<DissectedRecord>,
    ) {
        let (i, missing) = (direction.index(), missing.into());
        if missing.bytes > 0 {
            self.with_output(out, |own| own.directions[i].gap(missing, now, &mut own.state));
        }
    }

    /// Notes that a frame, or an HTTP head before the upgrade, starts at this offset of a direction. After a gap,
    /// dissection resumes there. Returns true if this was not known before.
    pub fn begins(&mut self, direction: Direction, at: u64, out: &mut Vec<DissectedRecord>) -> bool {
        self.with_output(out, |own| own.directions[direction.index()].begins(at, &mut own.state))
    }

    /// Notes the record that starts at the current position of a direction, for callers that know it from an earlier dissection. Its
    /// bytes come next. Has no effect inside another record.
    pub fn state_record(&mut self, direction: Direction, stated: StatedRecord, out: &mut Vec<DissectedRecord>) {
        self.with_output(out, |own| {
            if stated.early {
                own.state.sent_early();
            }
            if stated.kind.is_in_frames() {
                own.state_frames(direction);
            }
            own.by_mask |= stated.kind == StatedKind::Undirected;
            if direction == Direction::ServerToClient {
                own.state.answers = stated.answers;
            }
            own.directions[direction.index()].state_record(stated, &mut own.state);
        });
    }

    /// Frames come next in a direction. Infers the upgrade, unless the client sent them before the response to its request.
    fn state_frames(&mut self, direction: Direction) {
        if self.state.websocket || self.directions[direction.index()].is_in_frames() {
            return;
        }
        if direction == Direction::ServerToClient || self.state.early.is_none() {
            return self.infer_frames();
        }
        self.directions[0].upgraded(&mut self.state);
    }

    /// Sets whether the peer acknowledged bytes of a direction that were not fed yet. While they are outstanding,
    /// nothing is reported that they could explain.
    #[inline]
    pub fn outstanding(&mut self, direction: Direction, outstanding: bool) {
        self.state.outstanding[direction.index()] = outstanding;
    }

    /// Notes that a TCP segment repeated earlier bytes of a direction with different content: `differing` bytes differ.
    /// The next record of that direction gets a finding.
    pub fn overlapped(&mut self, direction: Direction, differing: u64) {
        let pending = &mut self.state.pending[direction.index()];
        let before = pending.as_ref().and_then(|finding| finding.number).unwrap_or(0);
        *pending = Some(Finding::new(Rule::SegmentOverlap, None).number(before + differing));
    }
}
