//! Whether bytes look like frames. That settles which of two readings of a text is right; it never changes bytes.

use super::conversation;
use crate::wire::frame::FrameHead;
use crate::wire::opcode::Opcode;

/// True if `bytes` are frames of RFC 6455 from the first byte to the last, or start with a complete HTTP head and frames follow
/// it.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    let (heads, mut rest) = conversation::after_heads(bytes);
    let mut found = heads > 0;
    while let Some(head) = FrameHead::read(rest).filter(is_ordinary) {
        let Some(after) = usize::try_from(head.wire_len()).ok().and_then(|len| rest.get(len..)) else { return false };
        rest = after;
        found = true;
    }
    found && rest.is_empty()
}

/// True if `bytes` may begin with a frame of RFC 6455 or an HTTP head: the opcode is defined, and RSV2 and RSV3 are 0.
pub(super) fn is_plausible(bytes: &[u8]) -> bool {
    let begins_frame = |first: &u8| match Opcode::from_wire(*first) {
        Opcode::Reserved(_) => false,
        // A control frame has FIN, and no reserved bit.
        opcode if opcode.is_control() => first & 0xf0 == 0x80,
        _ => first & 0x30 == 0,
    };
    bytes.first().is_some_and(begins_frame) || conversation::begins_head(bytes)
}

/// True if a head violates no rule of its own (RFC 6455 §5.2, §5.5). RSV1 may be set on the first frame of a message.
fn is_ordinary(head: &FrameHead) -> bool {
    let is_control = head.opcode.is_control();
    let may_have_rsv1 = !is_control && head.opcode != Opcode::Continuation;
    !matches!(head.opcode, Opcode::Reserved(_))
        && !head.rsv2
        && !head.rsv3
        && (!head.rsv1 || may_have_rsv1)
        && (!is_control || head.fin && head.len_code <= 125)
        && head.length_is_shortest()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_frames_end_at_the_last_byte() {
        for bytes in
            [&b"\x81\x05Hello"[..], &[0x89, 0, 0x8a, 0x80, 1, 2, 3, 4], &[0xc1, 0], b"GET / HTTP/1.1\r\n\r\n\x89\0"]
        {
            assert!(is_whole(bytes), "{bytes:x?}");
        }
        for bytes in [
            &b"\x81\x05Hell"[..],
            &[0x89, 0, 0x8a],
            &[0x83, 0],
            &[0xa1, 0],
            &[0xc9, 0],
            &[0x09, 0],
            &[0x81, 0x7e, 0, 0],
            &[],
        ] {
            assert!(!is_whole(bytes), "{bytes:x?}");
        }
    }

    #[test]
    fn a_plausible_frame_has_a_defined_opcode() {
        for (bytes, plausible) in [
            (&[0x81][..], true),
            (&[0xc2, 9], true),
            (b"HTTP/1.1 101 ", true),
            (&[0x12, 0], false),
            (&[0x87], false),
            (b"Hello", false),
            (&[0x09], false),
            (&[], false),
        ] {
            assert_eq!(is_plausible(bytes), plausible, "{bytes:x?}");
        }
    }
}
