//! Follows where frames and messages end in the bytes of one direction (RFC 6455 §5.2, §5.4).

use crate::wire::frame::{FrameHead, MAX_HEAD_LEN};

/// A place in the bytes of one direction. It keeps no payload, and judges nothing: any bytes are frames.
#[derive(Clone, Debug, Default)]
pub struct Frames {
    /// The first bytes of a head that is not complete.
    partial: [u8; MAX_HEAD_LEN],
    partial_len: usize,
    /// The head of the unfinished frame, and how many bytes of its payload are missing.
    current: Option<(FrameHead, u64)>,
    /// Whether the latest data frame was not the last one of its message.
    in_message: bool,
}

impl Frames {
    /// Takes bytes up to the end of the current frame. Returns how many, and the head of the frame if that is complete.
    pub fn take(&mut self, bytes: &[u8]) -> (usize, Option<FrameHead>) {
        let mut taken = 0;
        let (head, left) = match self.current.take() {
            Some(current) => current,
            None => {
                let Some((head, len)) = self.head(bytes) else { return (bytes.len(), None) };
                taken = len;
                (head, head.payload_len)
            }
        };
        let payload = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len() - taken);
        let left = left - payload as u64;
        taken += payload;
        if left > 0 {
            self.current = Some((head, left));
            return (taken, None);
        }
        if !head.opcode.is_control() {
            self.in_message = !head.fin;
        }
        (taken, Some(head))
    }

    /// Reads a head; returns it with the number of its bytes in `bytes`. `None` if it is not complete: then it keeps all of them.
    #[inline]
    fn head(&mut self, bytes: &[u8]) -> Option<(FrameHead, usize)> {
        let had = self.partial_len;
        if had == 0
            && let Some(head) = FrameHead::read(bytes)
        {
            return Some((head, head.header_len()));
        }
        // An incomplete head has fewer than `MAX_HEAD_LEN` bytes.
        let more = bytes.len().min(MAX_HEAD_LEN - had);
        self.partial[had..had + more].copy_from_slice(&bytes[..more]);
        let head = FrameHead::read(&self.partial[..had + more]);
        self.partial_len = if head.is_some() { 0 } else { had + more };
        head.map(|head| (head, head.header_len() - had))
    }

    /// Takes all bytes.
    #[inline]
    pub fn track(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = &rest[self.take(rest).0..];
        }
    }

    /// Takes bytes until a message may begin; returns how many.
    pub fn finish_message(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while taken < bytes.len() && !self.is_between_messages() {
            taken += self.take(&bytes[taken..]).0;
        }
        taken
    }

    /// Returns true if no frame is unfinished.
    pub const fn is_between_frames(&self) -> bool {
        self.partial_len == 0 && self.current.is_none()
    }

    /// Returns true if neither a frame nor a message is unfinished.
    pub const fn is_between_messages(&self) -> bool {
        self.is_between_frames() && !self.in_message
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::opcode::Opcode;
    use proptest::prelude::*;

    fn frame(fin: bool, opcode: u8, key: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
        let mut wire = Vec::new();
        FrameHead::new(fin, Opcode::from_wire(opcode), key, payload.len() as u64).encode_with(payload, &mut wire);
        wire
    }

    proptest! {
        #[test]
        fn frames_end_where_they_were_encoded_however_the_bytes_arrive(
            frames in proptest::collection::vec((any::<bool>(), 0u8..16, any::<Option<[u8; 4]>>(), 0usize..300), 1..8),
            size in 1usize..40,
        ) {
            let encoded: Vec<_> = frames.iter().map(|(fin, op, key, len)| frame(*fin, *op, *key, &vec![7; *len])).collect();
            let ends: Vec<usize> = encoded.iter().scan(0, |at, wire| { *at += wire.len(); Some(*at) }).collect();
            let (mut tracked, mut found, mut at) = (Frames::default(), Vec::new(), 0);
            for piece in encoded.concat().chunks(size) {
                let mut rest = piece;
                while !rest.is_empty() {
                    let (taken, head) = tracked.take(rest);
                    at += taken;
                    rest = &rest[taken..];
                    prop_assert_eq!(head.is_some(), tracked.is_between_frames());
                    found.extend(head.map(|_| at));
                }
            }
            prop_assert_eq!(found, ends);
            let open = frames.iter().rfind(|(_, op, ..)| op & 8 == 0).is_some_and(|(fin, ..)| !fin);
            prop_assert_eq!(tracked.is_between_messages(), !open);
        }
    }

    #[test]
    fn a_message_ends_with_its_last_fragment_and_not_with_a_ping_between() {
        let wire = [
            frame(false, 1, None, b"a"),
            frame(true, 9, None, b""),
            frame(true, 0, None, b"b"),
            frame(true, 1, None, b"c"),
        ];
        let mut frames = Frames::default();
        frames.track(&wire[0]);
        assert!(frames.is_between_frames() && !frames.is_between_messages());
        assert_eq!(frames.finish_message(&wire[1..].concat()), wire[1].len() + wire[2].len());
        assert_eq!(frames.finish_message(&wire[3]), 0);
    }
}
