//! What a capture shows about the bytes of a connection, apart from the bytes: which are missing, and where records start.

use super::Connection;
use crate::proto::dissected::{Direction, DissectedRecord};
use crate::proto::rules::{Finding, Rule};
use crate::proto::time::Time;

impl Connection {
    /// Notes that the capture lacks the next `missing` bytes of a direction. Appends a gap record, after a record of
    /// the bytes that are not part of one yet. The following bytes are unrecognized until a frame or head certainly
    /// starts: see [`crate::proto::resync`]. From now on, each call of [`Self::feed`] for this direction must start with the
    /// first byte of a packet.
    pub fn gap(&mut self, direction: Direction, missing: u64, now: Time, out: &mut Vec<DissectedRecord>) {
        let i = direction.index();
        if missing > 0 {
            self.with_output(out, |own| {
                own.end_announced_junk();
                own.directions[i].gap(missing, now, &mut own.state);
            });
        }
    }

    /// Notes that a frame, or an HTTP head before the upgrade, starts at this offset of a direction. After a gap,
    /// dissection resumes there. Returns true if this was not known before.
    pub fn begins(&mut self, direction: Direction, at: u64, out: &mut Vec<DissectedRecord>) -> bool {
        self.with_output(out, |own| own.directions[direction.index()].begins(at, &mut own.state))
    }

    /// Notes that the next `len` bytes of a direction are unrecognized, for callers that know it from an earlier dissection: what
    /// the other direction says may show it too late. Has an effect only where a frame or head may start.
    pub fn unrecognized(&mut self, direction: Direction, len: u64, out: &mut Vec<DissectedRecord>) {
        self.with_output(out, Self::end_announced_junk);
        self.directions[direction.index()].unrecognized(len);
    }

    /// Notes that a record of a direction ends at the current position. For callers that know the records: whether bytes in place
    /// of frames end here would otherwise show only in the bytes after them.
    pub fn record_ended(&mut self, direction: Direction, out: &mut Vec<DissectedRecord>) {
        self.with_output(out, |own| own.directions[direction.index()].record_ended(&mut own.state));
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

    /// Notes that the client sent its next bytes before the response to the handshake request with this ordinal,
    /// although they are fed after it. For callers that know the order of arrival.
    pub const fn sent_before_answer(&mut self, handshake: u32) {
        self.state.early = Some(handshake);
    }
}
