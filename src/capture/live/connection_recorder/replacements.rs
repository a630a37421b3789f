//! Records that were sent in place of others: the link between the two is made when both have numbers.

use std::collections::VecDeque;

use super::Recording;
use crate::capture::format::file_markers::Replaced;
use crate::capture::format::late;
use crate::capture::live::writer::Writer;
use crate::proto::dissected::{Direction, DissectedRecord};

/// What a connection sends in place of records of another one.
#[derive(Debug, Default)]
pub(super) struct Replacements {
    /// Bytes that are not part of a record yet: their direction, the offset of the first, and the record that they replace.
    unread: VecDeque<(Direction, u64, u64)>,
    /// Records of the batch: how many come before, and the record that it replaces.
    batched: Vec<(u64, u64)>,
}

impl Replacements {
    /// Removes those of the batch.
    pub fn take_batched(&mut self) -> Vec<(u64, u64)> {
        std::mem::take(&mut self.batched)
    }

    /// Finds the records among the next ones of the batch, which come after `before` others.
    pub fn find(&mut self, before: u64, records: &[DissectedRecord]) {
        while let Some((direction, start, came)) = self.unread.front()
            && let Some(at) = (before..)
                .zip(records)
                .find(|(_, record)| record.direction == *direction && record.offset + record.wire_len > *start)
                .map(|(at, _)| at)
        {
            self.batched.push((at, *came));
            self.unread.pop_front();
        }
    }
}

impl Recording {
    /// The next bytes of a direction are in place of a record of the capture.
    pub fn replaces_next(&mut self, direction: Direction, came: u64) {
        let start = self.connection.position(direction);
        self.replacements.unread.push_back((direction, start, came));
    }

    /// Links the records of a batch that were sent in place of others, after the commit, in the index and in the file.
    pub(super) fn write_replacements(&self, writer: &mut Writer, first_record: u64, batched: Vec<(u64, u64)>) {
        let capture = &self.shared.capture;
        let mut blocks = Vec::new();
        for (at, came) in batched {
            let (latest, went) = (capture.len(), first_record + at);
            let Some([of, by]) = capture.record(came).zip(capture.record(went)).map(<[_; 2]>::from) else { continue };
            let replaced = Replaced { back: latest - came, time: of.time.0, by: latest - went };
            late::replaced(&mut blocks, replaced, by.time);
            capture.index_mut().replacements.add(came, went);
        }
        if !blocks.is_empty() {
            writer.append_comment(&blocks);
        }
    }
}
