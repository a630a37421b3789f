//! Frames before and after bytes that the capture lacks.

use super::FrameReader;
use super::data::is_data;
use crate::proto::compressed_messages::CompressedMessages;
use crate::proto::connection_state::ConnectionState;
use crate::proto::dissected::Direction;
use crate::wire::opcode::Opcode;

impl FrameReader {
    /// A reader that starts after missing bytes.
    pub fn mid_stream(direction: Direction, start: u64) -> Self {
        Self { unsure: true, after_head: false, ..Self::new(direction, start) }
    }

    /// The number of payload bytes of the current frame that are still to come, if its head is complete.
    pub const fn left(&self) -> Option<u64> {
        match &self.current {
            Some((head, seen)) => Some(head.payload_len - *seen),
            None => None,
        }
    }

    /// Notes missing bytes: all inside the payload of the current frame (`within`), or beyond it. `emitted` is true if
    /// [`Self::unfinished`] returned a record of the current frame, which becomes the next record. Call [`Self::resume`]
    /// next.
    pub fn cut(&mut self, within: bool, emitted: bool, connection: &mut ConnectionState) {
        let ordinal = connection.next_ordinal();
        if let Some((head, _)) = self.current.take().filter(|_| emitted) {
            match head.opcode {
                Opcode::Close => {
                    self.closed.get_or_insert(ordinal);
                    let _ = connection.close_sent(self.direction);
                }
                opcode if is_data(opcode) => {
                    if let Some(open) = &mut self.open {
                        open.first_frame.get_or_insert(ordinal);
                        open.utf8 = None;
                    }
                    if head.fin {
                        self.open = None;
                    }
                }
                _ => {}
            }
        }
        if !within {
            self.open = None;
            self.unsure = true;
        }
        if let (None, Some((params, certainty))) = (&self.inflating, connection.inflation(self.direction)) {
            self.inflating = Some(Box::new(CompressedMessages::new(&params, certainty, self.direction)));
        }
        if let Some(inflating) = &mut self.inflating {
            inflating.lose();
        }
        self.after_head = false;
        self.foreign = None;
        self.partial.clear();
        self.control.clear();
        self.previous_key = None;
    }

    /// Continues with a frame that starts at this offset.
    pub const fn resume(&mut self, start: u64) {
        self.start = start;
    }
}
