//! The reads and writes that the wiretap does not know yet.

use super::{READ, WRITTEN};
use crate::capture::live::recorder::Chunk;
use crate::proto::dissected::Direction;
use crate::proto::time::Time;

/// The most notes.
const MAX_NOTES: usize = 8;

/// One read or write: its place in the input buffer (reads) or the output buffer (writes).
#[derive(Clone, Copy)]
pub struct Note {
    pub direction: Direction,
    pub time: Time,
    pub from: usize,
    pub to: usize,
}

/// Notes in the order of the reads and writes.
pub struct Notes {
    /// The first `count` are notes.
    list: [Note; MAX_NOTES],
    count: usize,
}

impl Notes {
    pub const fn new() -> Self {
        Self { list: [Note { direction: READ, time: Time(0), from: 0, to: 0 }; MAX_NOTES], count: 0 }
    }

    pub const fn is_full(&self) -> bool {
        self.count == MAX_NOTES
    }

    /// Adds a note; there must be space for it.
    pub const fn add(&mut self, note: Note) {
        self.list[self.count] = note;
        self.count += 1;
    }

    /// Calls `report` with the bytes of the notes, of the input only those before `end`.
    pub fn report_until(&self, end: usize, input: &[u8], out: &[u8], report: impl FnOnce(&[Chunk<'_>])) {
        let chunks = self.list.map(|note| {
            let bytes = match note.direction {
                READ => input.get(note.from..note.to.min(end)),
                WRITTEN => out.get(note.from..note.to),
            };
            Chunk { direction: note.direction, time: note.time, bytes: bytes.unwrap_or_default() }
        });
        report(&chunks[..self.count]);
    }

    /// Keeps of all notes only one, of the input from `start` on, if there is some.
    pub fn keep_input_from(&mut self, start: usize) {
        let held = self.list[..self.count].iter().filter(|note| note.direction == READ && note.to > start).copied();
        let held = held.reduce(|first, last| Note { from: first.from, ..last });
        self.count = 0;
        if let Some(held) = held {
            self.add(Note { from: held.from.max(start), ..held });
        }
    }

    pub const fn clear(&mut self) {
        self.count = 0;
    }

    /// Follows the input, which moved towards the front of its buffer. All notes must be of the input.
    pub fn shift(&mut self, by: usize) {
        for note in &mut self.list[..self.count] {
            (note.from, note.to) = (note.from - by, note.to - by);
        }
    }
}
