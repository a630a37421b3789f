//! Bytes in place of frames: makes one record of them, or several if they are many.

use super::FrameReader;
use crate::proto::connection_state::ConnectionState;
use crate::proto::dissected::{DissectedRecord, Kind, MAX_JUNK};
use crate::proto::foreign::run::{ForeignRun, Part};
use crate::proto::foreign::{self, Boundary, Follows, Input, Recognition};
use crate::proto::time::Time;

impl FrameReader {
    /// The place of the next frame.
    fn boundary(&self, connection: &ConnectionState) -> Boundary {
        Boundary {
            direction: self.direction,
            after_head: self.after_head,
            continues: self.open.is_some() || self.unsure,
            rsv1: connection.rsv1_may_be_set(),
            extended: connection.foreign,
        }
    }

    /// Returns true if the bytes from position `from` on, the place of a frame, certainly start one, valid or not. Otherwise keeps
    /// them until more arrive, or starts a run of foreign bytes.
    pub(super) fn is_frame(&mut self, input: &Input<'_>, from: usize, connection: &mut ConnectionState) -> bool {
        let at = self.boundary(connection);
        match foreign::recognize(&input.bytes[from..], &at, input.follows) {
            Recognition::Frame => return true,
            Recognition::NeedMore => self.undecided = input.undecided(from),
            Recognition::Foreign(what) => {
                connection.foreign_bytes = true;
                self.foreign = Some(Box::new(ForeignRun::new(what, at)));
            }
        }
        false
    }

    /// Takes the next bytes of a run of foreign bytes, from position `from` on. Returns how many; the rest is kept if it is
    /// undecided.
    pub(super) fn take_foreign(&mut self, input: &Input<'_>, from: usize, connection: &mut ConnectionState) -> usize {
        let Some(run) = &mut self.foreign else { return 0 };
        let bytes = &input.bytes[from..];
        let (taken, undecided, last) = match run.part(bytes) {
            Part::Some(taken) => (taken, false, false),
            // At the end the rest belongs to the run.
            Part::Undecided(_) if input.follows != Follows::Unknown => (bytes.len(), false, false),
            Part::Undecided(taken) => (taken, true, false),
            Part::Last(taken) => (taken, false, true),
        };
        let mut rest = &bytes[..taken];
        while let Some(run) = self.foreign.as_mut().filter(|_| !rest.is_empty()) {
            let (part, after) = rest.split_at((MAX_JUNK - run.len).min(rest.len() as u64) as usize);
            rest = after;
            run.add(part, input.time_before(from + taken - rest.len()));
            if run.len == MAX_JUNK {
                self.emit_foreign(connection);
            }
        }
        if last {
            self.emit_foreign(connection);
            self.foreign = None;
            self.after_head = false;
        }
        if undecided {
            self.undecided = input.undecided(from + taken);
            return bytes.len();
        }
        taken
    }

    /// Notes that a record ends here: a run of foreign bytes ends, or at least its record if the run lasts until the stream ends.
    pub fn end_foreign(&mut self, now: Time, connection: &mut ConnectionState) {
        self.settle(Follows::Record, now, connection);
        self.emit_foreign(connection);
        if self.foreign.take_if(|run| !run.ends_with_stream()).is_some() {
            self.after_head = false;
        }
    }

    /// Notes that the next record is a frame, however it looks.
    pub fn state_frame(&mut self) {
        self.foreign = None;
        self.stated = true;
    }

    /// True inside a run of foreign bytes.
    pub const fn is_in_foreign(&self) -> bool {
        self.foreign.is_some()
    }

    /// True until the first frame, if the reader starts directly after the head of the handshake.
    pub const fn is_first(&self) -> bool {
        self.after_head
    }

    /// Appends a record of these foreign bytes. If `named`, a finding names them; otherwise they continue the run.
    pub fn take_stated(&mut self, bytes: &[u8], named: bool, last: Time, connection: &mut ConnectionState) {
        connection.foreign_bytes = true;
        let at = self.boundary(connection);
        self.foreign.take_if(|_| named);
        let run = self.foreign.get_or_insert_with(|| Box::new(ForeignRun::new(foreign::name(bytes, &at), at)));
        run.add(bytes, last);
        let continues = run.len >= MAX_JUNK;
        self.emit_foreign(connection);
        if !continues {
            self.foreign = None;
            self.after_head = false;
        }
    }

    fn emit_foreign(&mut self, connection: &mut ConnectionState) {
        if let Some(record) = self.unfinished_foreign() {
            self.start += record.wire_len;
            connection.emit(record);
        }
    }

    /// The foreign bytes that are not part of a record yet, as a record.
    pub(super) fn unfinished_foreign(&mut self) -> Option<DissectedRecord> {
        let run = self.foreign.as_mut().filter(|run| run.len > 0)?;
        let len = std::mem::take(&mut run.len);
        let mut record = DissectedRecord::new(Kind::Junk, self.direction, self.start, len, run.last);
        if let Some(what) = run.what.take() {
            let finding = run.finding(what, len);
            self.findings.push(finding);
            record.findings = self.take_findings();
        }
        Some(record)
    }
}
