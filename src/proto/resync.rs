//! Resynchronization after missing bytes: decides whether a packet certainly starts with a frame.

use super::dissected::Direction;
use crate::wire::frame::{FrameHead, MAX_CONTROL_PAYLOAD};
use crate::wire::opcode::Opcode;
use crate::wire::partial_head::PartialFrameHead;

/// Returns true if a packet certainly starts with a frame: it consists of valid frames, one after another, up to its
/// end. The last frame may continue in the next packet if it is not the only one, or if its length has 16 or 64 bits.
///
/// A frame is valid if it has a known opcode, the MASK bit of the direction, no reserved bits (with `rsv1`, RSV1 is
/// allowed on the first frame of a message) and the shortest length form. A control frame must have FIN and at most 125
/// bytes of payload; a continuation frame without FIN must not be empty. Between the first and the last frame of a message, no other
/// message begins; after the last one, none is continued.
///
/// Fewer than one in a thousand packets of random bytes pass; text does not pass.
pub fn begins_with_frame(packet: &[u8], direction: Direction, rsv1: bool) -> bool {
    let mut rest = packet;
    // Whether a message is incomplete, as soon as the packet shows it.
    let mut is_open = None;
    while !rest.is_empty() {
        let first = rest.len() == packet.len();
        match FrameHead::read(rest) {
            Some(head) if is_valid(&PartialFrameHead::from(&head), direction, rsv1) && may_follow(&head, is_open) => {
                if !head.opcode.is_control() {
                    is_open = Some(!head.fin);
                }
                let len = head.wire_len();
                if len > rest.len() as u64 {
                    return !first || head.len_code >= 126;
                }
                rest = &rest[len as usize..];
            }
            None if !first => {
                return may_start_frame(rest, direction, rsv1);
            }
            _ => return false,
        }
    }
    !packet.is_empty()
}

/// Returns true if a valid frame may start with these bytes of a head, as far as they go: see [`begins_with_frame`].
pub fn may_start_frame(head: &[u8], direction: Direction, rsv1: bool) -> bool {
    PartialFrameHead::read(head).is_some_and(|start| is_valid(&start, direction, rsv1))
}

/// Returns true if a frame may come next, where a message is incomplete or not (RFC 6455 §5.4).
fn may_follow(head: &FrameHead, is_open: Option<bool>) -> bool {
    head.opcode.is_control() || is_open.is_none_or(|is_open| is_open == (head.opcode == Opcode::Continuation))
}

fn is_valid(start: &PartialFrameHead, direction: Direction, rsv1: bool) -> bool {
    let masks = direction == Direction::ClientToServer;
    let known = !matches!(start.opcode, Opcode::Reserved(_));
    let reserved = start.rsv2 || start.rsv3 || start.rsv1 && !(rsv1 && start.opcode.opens_message());
    let control = !start.opcode.is_control() || start.fin && start.at_least <= MAX_CONTROL_PAYLOAD;
    let shortest = match start.len_code {
        Some(126) => start.at_most > 125,
        Some(127) => start.at_most > 0xffff && start.at_least >> 40 == 0,
        _ => true,
    };
    let empty = start.opcode == Opcode::Continuation && !start.fin && start.at_most == 0;
    known && !reserved && control && shortest && !empty && start.masked.is_none_or(|masked| masked == masks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complete_frames_in_the_right_direction_are_certain() {
        let down = |packet: &[u8]| begins_with_frame(packet, Direction::ServerToClient, false);
        assert!(down(b"\x81\x05Hello"));
        assert!(down(b"\x81\x05Hello\x89\x00\x82\x20ab"));
        assert!(down(b"\x81\x05Hello\x81"));
        assert!(down(b"\x82\x7e\x10\x00abcdef"), "a long frame starts");
        assert!(!down(b"\x81\x20Hello"), "two arbitrary bytes can be such a head");
        assert!(!down(b"\x81\x05Hello World"));
        assert!(!down(b"\x00\x00\x00\x00"));
        assert!(down(b"\x01\x01a\x89\x00\x80\x01b\x81\x01c"));
        assert!(!down(b"\x01\x01a\x81\x01b"), "a message in a message");
        assert!(!down(b"\x81\x01a\x80\x01b"), "nothing to continue");
        assert!(!down(b"\xc1\x01a") && begins_with_frame(b"\xc1\x01a", Direction::ServerToClient, true));
        assert!(!begins_with_frame(b"\x81\x05Hello", Direction::ClientToServer, false));
        assert!(begins_with_frame(b"\x81\x81\x01\x02\x03\x04a", Direction::ClientToServer, false));
        assert!(!down(b"just text that goes on") && !down(b""));
    }
}
