//! Frames beside bytes that the capture lacks.

use super::{FrameReader, is_data};
use crate::proto::compressed_messages::CompressedMessages;
use crate::proto::connection::Shared;
use crate::proto::dissected::Direction;
use crate::wire::opcode::Opcode;

impl FrameReader {
    /// A reader of what follows missing bytes.
    pub fn mid_stream(direction: Direction, start: u64) -> Self {
        Self { unsure: true, ..Self::new(direction, start) }
    }

    /// How many payload bytes of the current frame are still to come, once its head is whole.
    pub const fn left(&self) -> Option<u64> {
        match &self.current {
            Some((head, seen)) => Some(head.payload_len - *seen),
            None => None,
        }
    }

    /// Bytes are missing: inside the payload of the current frame (`within`), or up to nobody knows where. `told` tells whether
    /// [`Self::unfinished`] made a record of the current frame, which is the next one. [`Self::resume`] must follow.
    pub fn cut(&mut self, within: bool, told: bool, shared: &mut Shared) {
        let ordinal = shared.next_ordinal();
        if let Some((head, _)) = self.current.take().filter(|_| told) {
            match head.opcode {
                Opcode::Close => {
                    self.closed.get_or_insert(ordinal);
                    let _ = shared.close_sent(self.direction);
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
        if let (None, Some(agreed)) = (&self.inflating, shared.deflate) {
            self.inflating = Some(Box::new(CompressedMessages::new(&agreed, self.direction)));
        }
        if let Some(inflating) = &mut self.inflating {
            inflating.lose();
        }
        self.partial.clear();
        self.control.clear();
        self.previous_key = None;
    }

    /// The next frame begins at `start`.
    pub const fn resume(&mut self, start: u64) {
        self.start = start;
    }
}
