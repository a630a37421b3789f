//! What `proxy` did with records: it is known before they have numbers, or when they are part of the capture.

use std::collections::VecDeque;

use super::{Recording, Shared};
use crate::capture::format::file_markers::ProxiedLate;
use crate::capture::format::late;
use crate::capture::format::proxied::Proxied;
use crate::capture::live::writer::{Writer, lock};
use crate::proto::dissected::{Direction, DissectedRecord};

/// What was done with records of a connection that are not part of the capture yet.
#[derive(Debug, Default)]
pub(super) struct ProxiedNext {
    /// Bytes that are not part of a record yet: their direction, and the offset of the first.
    unread: VecDeque<(Direction, u64, Proxied)>,
    /// Records of the batch: how many come before.
    batched: Vec<(u64, Proxied)>,
}

impl ProxiedNext {
    /// Removes what was found in the batch.
    pub fn take_batched(&mut self) -> Vec<(u64, Proxied)> {
        std::mem::take(&mut self.batched)
    }

    /// Finds the records among the next ones of the batch, which come after `before` others.
    pub fn find(&mut self, before: u64, records: &[DissectedRecord]) {
        while let Some((direction, start, how)) = self.unread.front()
            && let Some((at, _)) = (before..)
                .zip(records)
                .find(|(_, record)| record.direction == *direction && record.offset + record.wire_len > *start)
        {
            self.batched.push((at, *how));
            self.unread.pop_front();
        }
    }
}

impl Shared {
    /// Sets what was done with a record, and writes it into the file.
    pub fn set_proxied(&self, no: u64, how: Proxied) {
        // No record is added meanwhile: the marker says how many come between.
        self.write_proxied(&mut lock(&self.writer), no, how);
        self.capture.changed();
    }

    fn write_proxied(&self, writer: &mut Writer, no: u64, how: Proxied) {
        let (capture, latest) = (&self.capture, self.capture.len());
        let Some(time) = capture.record(no).map(|record| record.time) else { return };
        let (of, how_late) = match how {
            Proxied::InPlaceOf(came) => (came, Proxied::ReplacedBy(latest - no)),
            other => (no, other),
        };
        let Some(record) = capture.record(of) else { return };
        let mut blocks = Vec::new();
        late::proxied(&mut blocks, ProxiedLate { back: latest - of, time: record.time.0, how: how_late }, time);
        capture.index_mut().set_proxied(no, how);
        writer.append_comment(&blocks);
    }
}

impl Recording {
    /// What was done with the record that the next bytes of a direction begin, or are part of. [`Proxied::ReplacedBy`] is not for
    /// this: the record in its place has no number yet.
    pub fn proxied_next(&mut self, direction: Direction, how: Proxied) {
        let start = self.connection.position(direction);
        self.proxied.unread.push_back((direction, start, how));
    }

    /// Sets what was done with the records of a batch, after the commit.
    pub(super) fn write_batched_proxied(&self, writer: &mut Writer, first_record: u64, batched: Vec<(u64, Proxied)>) {
        for (at, how) in batched {
            self.shared.write_proxied(writer, first_record + at, how);
        }
    }
}
