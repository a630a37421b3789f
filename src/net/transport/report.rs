//! Reports the reads and writes of a transport to its wiretap.

use super::Transport;
use super::notes::Note;
use crate::proto::dissected::Direction;
use crate::proto::time::Time;

/// An empty output buffer whose capacity exceeds this many bytes is freed.
const MAX_KEPT_CAPACITY: usize = 2 << 20;

impl Transport {
    /// Notes a read or write; returns its time.
    pub(super) fn note(&mut self, direction: Direction, from: usize, to: usize) -> Time {
        if self.notes.is_full() {
            self.report_consumed(true);
        }
        let time = self.wiretap.now();
        self.memory.progressed(time);
        if self.unrecorded {
            return time;
        }
        self.notes.add(Note { direction, time, from, to });
        time
    }

    /// Reports the notes to the wiretap, after which the buffers may change. The bytes are in the capture `soon`, or when
    /// this returns.
    pub(super) fn report(&mut self, soon: bool) {
        self.report_until(self.end, soon);
        self.notes.clear();
    }

    /// The same, except for the unconsumed input, which keeps one note.
    pub(super) fn report_consumed(&mut self, soon: bool) {
        self.report_until(self.start, soon);
        self.notes.keep_input_from(self.start);
    }

    fn report_until(&mut self, end: usize, soon: bool) {
        let wiretap = &self.wiretap;
        self.notes.report_until(end, &self.input, &self.out, |chunks| {
            if soon { wiretap.crossed_soon(chunks) } else { wiretap.crossed(chunks) }
        });
        if self.written == self.out.len() {
            self.written = 0;
            if self.out.capacity() > MAX_KEPT_CAPACITY {
                self.out = Vec::new();
            }
            self.out.clear();
        }
    }
}
