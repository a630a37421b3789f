//! Groups the bytes of one direction into whole control frames and whole messages, and withholds them until they are complete.

use super::frames::Frames;
use crate::wire::frame::FrameHead;
use crate::wire::opcode::Opcode;

/// A complete frame with the bytes that the sender sent.
#[derive(Debug)]
pub struct Part {
    /// Its head.
    pub head: FrameHead,
    /// Its offset in the stream of its direction.
    pub offset: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What a frame takes in memory besides its bytes: small frames must not take much more than the limit.
const OVERHEAD: usize = 256;

impl Part {
    /// Whether it keeps its place among the frames. A ping or pong may overtake messages; a Close may not: no data follows it
    /// (RFC 6455 §5.5.1).
    pub const fn keeps_order(&self) -> bool {
        !matches!(self.head.opcode, Opcode::Ping | Opcode::Pong)
    }

    /// How much memory it takes, in bytes.
    pub const fn size(&self) -> usize {
        self.bytes.len() + OVERHEAD
    }
}

/// One control frame, or the frames of one message with the control frames between them, in the order of arrival.
pub type Unit = Vec<Part>;

/// Withholds the bytes of a direction until a message is complete. A gate begins between two messages.
#[derive(Debug)]
pub struct Gate {
    frames: Frames,
    /// The frames of the unfinished message, and control frames between them.
    parts: Vec<Part>,
    /// The bytes of the unfinished frame, and their offset in the stream.
    tail: Vec<u8>,
    offset: u64,
    /// How much memory `parts` and `tail` take, in bytes.
    size: usize,
    /// Whether the frames of the current message pass one by one, because it is too long to be withheld.
    passes: bool,
}

impl Gate {
    /// A gate before the byte at this offset of the stream.
    pub fn new(offset: u64) -> Self {
        Self { frames: Frames::default(), parts: Vec::new(), tail: Vec::new(), offset, size: 0, passes: false }
    }

    /// Takes the next bytes, and appends complete units to `units`. With `by_frames`, each frame is a unit.
    pub fn take(&mut self, bytes: &[u8], by_frames: bool, units: &mut Vec<Unit>) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (taken, head) = self.frames.take(rest);
            self.tail.extend_from_slice(&rest[..taken]);
            self.size += taken;
            rest = &rest[taken..];
            let Some(head) = head else { continue };
            let bytes = std::mem::take(&mut self.tail);
            let part = Part { head, offset: self.offset, bytes };
            self.offset += part.bytes.len() as u64;
            self.size += OVERHEAD;
            self.parts.push(part);
            let is_alone = head.opcode.is_control() && self.parts.len() == 1;
            let ends = head.fin && !head.opcode.is_control();
            if is_alone || ends || by_frames || self.passes {
                self.passes &= !ends;
                self.size = 0;
                units.push(std::mem::take(&mut self.parts));
            }
        }
    }

    /// The offset of the first byte that is withheld, or of the next byte.
    pub fn start(&self) -> u64 {
        self.parts.first().map_or(self.offset, |part| part.offset)
    }

    /// How much memory the withheld bytes take, in bytes.
    pub const fn size(&self) -> usize {
        self.size
    }

    /// How many bytes of the unfinished frame are withheld.
    pub const fn tail_len(&self) -> usize {
        self.tail.len()
    }

    /// Returns true if the gate withholds pings or pongs until a message is complete.
    pub fn has_heartbeats(&self) -> bool {
        self.overtaking().next().is_some()
    }

    /// Removes the withheld pings and pongs that may overtake the incomplete message. None overtakes a Close.
    pub fn take_heartbeats(&mut self) -> Vec<Part> {
        let overtaking: Vec<usize> = self.overtaking().collect();
        let mut heartbeats: Vec<Part> = overtaking.into_iter().rev().map(|at| self.parts.remove(at)).collect();
        heartbeats.reverse();
        self.size -= heartbeats.iter().map(Part::size).sum::<usize>();
        heartbeats
    }

    /// The indices of the pings and pongs before a Close.
    fn overtaking(&self) -> impl Iterator<Item = usize> {
        let before = self.parts.iter().enumerate().take_while(|(_, part)| part.head.opcode != Opcode::Close);
        before.filter(|(_, part)| !part.keeps_order()).map(|(at, _)| at)
    }

    /// Removes the frames of the incomplete message. Its later frames become units of their own.
    pub fn give_up(&mut self) -> Unit {
        self.passes = true;
        self.size = self.tail.len();
        std::mem::take(&mut self.parts)
    }

    /// Ends the gate. Returns the withheld bytes: complete frames, and the beginning of another one.
    pub fn open(self) -> (Unit, Vec<u8>) {
        (self.parts, self.tail)
    }
}
