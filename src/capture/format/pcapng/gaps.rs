//! Bytes that the file lacks: how sequence numbers and markers express them.

use super::{ACK, MAX_JUMP, Segments};
use crate::capture::format::file_markers::{Gap, Marker};
use crate::proto::dissected::{Direction, Loss};
use crate::proto::time::Time;

impl Segments {
    /// Lets the sequence numbers skip bytes that were delivered unchanged, too: each file of a ring begins with the sequence number of a
    /// stream offset.
    pub fn skip_unchanged(&mut self) {
        self.skips_unchanged = true;
    }

    /// Prepares a direction without segments for a gap of this many bytes at its beginning. Sequence numbers order segments only over
    /// less than 2 GiB (RFC 9293 §3.4), so before a longer gap the SYN has a later sequence number, and a marker with the initial
    /// one. After the gap, the sequence numbers are the same as without this.
    pub fn shorten_first_gap(&mut self, direction: Direction, gap: u64) {
        if gap > MAX_JUMP {
            let next = &mut self.next[direction.index()];
            *next = *next + (gap - MAX_JUMP);
            self.shortened[direction.index()] = gap - MAX_JUMP;
        }
    }

    /// Skips `missing` bytes of a direction, and appends an empty packet with a gap marker. The sequence numbers do not skip bytes that were
    /// delivered unchanged: they are in another connection of the file, and no program must take them for lost. The marker has the
    /// stream offset after them.
    pub fn skip(
        &mut self,
        out: &mut Vec<u8>,
        direction: Direction,
        (missing, gap): (u64, Gap),
        time: Time,
        comments: &[String],
    ) {
        if gap.loss != Loss::Unchanged || self.skips_unchanged {
            let shortened = &mut self.shortened[direction.index()];
            let skipped = missing.min(*shortened);
            *shortened -= skipped;
            let next = &mut self.next[direction.index()];
            *next = *next + (missing - skipped);
        }
        let comments: Vec<String> =
            std::iter::once(Marker::Gap(gap).comment()).chain(comments.iter().cloned()).collect();
        self.control(out, direction, ACK, time, &comments);
    }
}
