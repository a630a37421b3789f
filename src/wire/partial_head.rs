//! Parses the head of a frame that may be truncated (RFC 6455 §5.2).

use super::frame::{FrameHead, extended_len_bytes};
use super::opcode::Opcode;

/// The values that the first bytes of a head determine. Values that they do not determine are `None` or a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartialFrameHead {
    /// FIN: true for the last fragment of a message.
    pub fin: bool,
    /// The first reserved bit.
    pub rsv1: bool,
    /// The second reserved bit.
    pub rsv2: bool,
    /// The third reserved bit.
    pub rsv3: bool,
    /// The opcode.
    pub opcode: Opcode,
    /// MASK; known from the second byte on.
    pub masked: Option<bool>,
    /// The 7-bit length; known from the second byte on.
    pub len_code: Option<u8>,
    /// The number of captured bytes of the extended length: 0 to 8.
    pub extended_seen: u8,
    /// The smallest possible payload length in bytes: the missing bytes of the length are taken as 0.
    pub at_least: u64,
    /// The largest possible payload length in bytes: the missing bytes of the length are taken as 0xff.
    pub at_most: u64,
    /// The masking key, if MASK is 1 and all four bytes were captured.
    pub masking_key: Option<[u8; 4]>,
}

impl PartialFrameHead {
    /// Parses the start of a head. Ignores bytes after the head. Returns `None` if `bytes` is empty.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (first, rest) = bytes.split_first()?;
        let mut start = Self {
            fin: first & 0x80 != 0,
            rsv1: first & 0x40 != 0,
            rsv2: first & 0x20 != 0,
            rsv3: first & 0x10 != 0,
            opcode: Opcode::from_wire(*first),
            masked: None,
            len_code: None,
            extended_seen: 0,
            at_least: 0,
            at_most: u64::MAX,
            masking_key: None,
        };
        let Some((second, rest)) = rest.split_first() else { return Some(start) };
        let (masked, len_code) = (second & 0x80 != 0, second & 0x7f);
        (start.masked, start.len_code) = (Some(masked), Some(len_code));
        let extended = extended_len_bytes(len_code);
        let seen = &rest[..rest.len().min(extended)];
        start.extended_seen = seen.len() as u8;
        if extended == 0 {
            (start.at_least, start.at_most) = (u64::from(len_code), u64::from(len_code));
        } else {
            let filled = |missing: u8| {
                let missing = std::iter::repeat_n(&missing, extended - seen.len());
                seen.iter().chain(missing).fold(0, |value, byte| value << 8 | u64::from(*byte))
            };
            (start.at_least, start.at_most) = (filled(0), filled(0xff));
        }
        start.masking_key = rest.get(extended..extended + 4).filter(|_| masked).and_then(|key| key.try_into().ok());
        Some(start)
    }

    /// The payload length in bytes, if it is determined.
    pub const fn payload_len(&self) -> Option<u64> {
        if self.at_least == self.at_most { Some(self.at_least) } else { None }
    }

    /// The length of the head in bytes, 2 to 14; known from the second byte on.
    pub const fn header_len(&self) -> Option<usize> {
        match (self.masked, self.len_code) {
            (Some(masked), Some(len_code)) => Some(2 + extended_len_bytes(len_code) + if masked { 4 } else { 0 }),
            _ => None,
        }
    }
}

impl From<&FrameHead> for PartialFrameHead {
    #[inline]
    fn from(head: &FrameHead) -> Self {
        Self {
            fin: head.fin,
            rsv1: head.rsv1,
            rsv2: head.rsv2,
            rsv3: head.rsv3,
            opcode: head.opcode,
            masked: Some(head.masking_key.is_some()),
            len_code: Some(head.len_code),
            extended_seen: extended_len_bytes(head.len_code) as u8,
            at_least: head.payload_len,
            at_most: head.payload_len,
            masking_key: head.masking_key,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn start(hex: &str) -> PartialFrameHead {
        PartialFrameHead::read(&hex::decode(hex).expect("hex")).expect("a byte")
    }

    #[test]
    fn one_byte_determines_fin_rsv_and_opcode_but_not_mask_and_length() {
        assert_eq!(PartialFrameHead::read(&[]), None);
        let one = start("df");
        assert_eq!(
            (one.fin, one.rsv1, one.rsv2, one.rsv3, one.opcode),
            (true, true, false, true, Opcode::Reserved(15))
        );
        assert_eq!((one.masked, one.len_code, one.payload_len(), one.header_len()), (None, None, None, None));
    }

    #[test]
    fn a_length_is_known_before_the_masking_key() {
        let cut = start("81ff8000000000000001");
        assert_eq!((cut.masked, cut.len_code, cut.header_len()), (Some(true), Some(127), Some(14)));
        assert_eq!((cut.payload_len(), cut.masking_key), (Some(0x8000_0000_0000_0001), None));
        assert_eq!(start("8185373637").payload_len(), Some(5));
    }

    #[test]
    fn the_captured_bytes_of_a_length_bound_it() {
        let bounds = |hex| (start(hex).at_least, start(hex).at_most);
        assert_eq!(bounds("817e"), (0, 0xffff));
        assert_eq!(bounds("817e01"), (0x100, 0x1ff));
        assert_eq!(bounds("817f80"), (0x80 << 56, 0x80ff_ffff_ffff_ffff));
        assert_eq!(bounds("817f000000000000"), (0, 0xffff));
    }

    proptest! {
        #[test]
        fn a_truncated_head_never_contradicts_the_complete_one(bytes in proptest::collection::vec(any::<u8>(), 14)) {
            let Some(head) = FrameHead::read(&bytes) else { panic!("a whole head") };
            let whole = PartialFrameHead::from(&head);
            for cut in 1..=bytes.len() {
                let start = PartialFrameHead::read(&bytes[..cut]).expect("a byte");
                prop_assert_eq!((start.fin, start.rsv1, start.rsv2, start.rsv3, start.opcode),
                    (whole.fin, whole.rsv1, whole.rsv2, whole.rsv3, whole.opcode));
                prop_assert!(start.masked.is_none() || start.masked == whole.masked);
                prop_assert!(start.len_code.is_none() || start.len_code == whole.len_code);
                prop_assert!(start.masking_key.is_none() || start.masking_key == whole.masking_key);
                prop_assert!((start.at_least..=start.at_most).contains(&head.payload_len));
                if cut >= head.header_len() {
                    prop_assert_eq!(start, whole);
                }
            }
        }
    }
}
