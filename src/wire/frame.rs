//! Parses and encodes frames (RFC 6455 §5.2).

mod fields;

pub use self::fields::fields;
use super::close::CloseCode;
use super::mask;
use super::opcode::Opcode;

/// The length of the longest frame head in bytes: two bytes, a 64-bit length and a masking key.
pub const MAX_HEAD_LEN: usize = 14;

/// The longest payload of a control frame, in bytes (RFC 6455 §5.5).
pub const MAX_CONTROL_PAYLOAD: u64 = 125;

/// All fields of a frame before its payload. Parsing never fails: any bytes are a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHead {
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
    /// The masking key; set if and only if MASK is 1.
    pub masking_key: Option<[u8; 4]>,
    /// The 7-bit length as sent: 0–125, or 126 or 127 for the longer forms.
    pub len_code: u8,
    /// The payload length in bytes, 0 to 2^64−1. A length over 2^63−1 is a violation, but valid here.
    pub payload_len: u64,
}

impl FrameHead {
    /// A head for a payload of `payload_len` bytes, with the shortest length form and without RSV bits.
    pub const fn new(fin: bool, opcode: Opcode, masking_key: Option<[u8; 4]>, payload_len: u64) -> Self {
        let len_code = match payload_len {
            0..=125 => payload_len as u8,
            126..=0xffff => 126,
            _ => 127,
        };
        Self { fin, rsv1: false, rsv2: false, rsv3: false, opcode, masking_key, len_code, payload_len }
    }

    /// Parses the head at the start of `bytes`; `None` if they end inside it. The payload starts at [`Self::header_len`].
    #[inline]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let [first, second, rest @ ..] = bytes else { return None };
        let len_code = second & 0x7f;
        let masked = second & 0x80 != 0;
        let extended = extended_len_bytes(len_code);
        let wanted = extended + if masked { 4 } else { 0 };
        if rest.len() < wanted {
            return None;
        }
        let payload_len = match extended {
            0 => u64::from(len_code),
            2 => u64::from(u16::from_be_bytes([rest[0], rest[1]])),
            _ => u64::from_be_bytes([rest[0], rest[1], rest[2], rest[3], rest[4], rest[5], rest[6], rest[7]]),
        };
        let masking_key = masked.then(|| [rest[extended], rest[extended + 1], rest[extended + 2], rest[extended + 3]]);
        Some(Self {
            fin: first & 0x80 != 0,
            rsv1: first & 0x40 != 0,
            rsv2: first & 0x20 != 0,
            rsv3: first & 0x10 != 0,
            opcode: Opcode::from_wire(*first),
            masking_key,
            len_code,
            payload_len,
        })
    }

    /// The length of the head in bytes, 2 to 14.
    #[inline]
    pub const fn header_len(&self) -> usize {
        2 + extended_len_bytes(self.len_code) + if self.masking_key.is_some() { 4 } else { 0 }
    }

    /// The length of the frame on the wire in bytes. Saturates.
    #[inline]
    pub const fn wire_len(&self) -> u64 {
        self.payload_len.saturating_add(self.header_len() as u64)
    }

    /// The first byte: FIN, RSV1–3, opcode.
    pub const fn first_byte(&self) -> u8 {
        (self.fin as u8) << 7
            | (self.rsv1 as u8) << 6
            | (self.rsv2 as u8) << 5
            | (self.rsv3 as u8) << 4
            | self.opcode.to_wire()
    }

    /// The second byte: MASK and the 7-bit length.
    pub const fn second_byte(&self) -> u8 {
        (self.masking_key.is_some() as u8) << 7 | (self.len_code & 0x7f)
    }

    /// True if the length is in the shortest form, as RFC 6455 §5.2 requires.
    pub const fn length_is_shortest(&self) -> bool {
        match self.len_code {
            126 => self.payload_len > 125,
            127 => self.payload_len > 0xffff,
            _ => true,
        }
    }

    /// Appends the bytes of the head to `out`. A parsed head encodes to the bytes that it was parsed from.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.first_byte());
        out.push(self.second_byte());
        match extended_len_bytes(self.len_code) {
            0 => {}
            2 => out.extend_from_slice(&(self.payload_len as u16).to_be_bytes()),
            _ => out.extend_from_slice(&self.payload_len.to_be_bytes()),
        }
        if let Some(key) = self.masking_key {
            out.extend_from_slice(&key);
        }
    }

    /// Appends a frame to `out`: the head, then the unmasked `payload`, which is masked if the head has a key. Does not
    /// check that the payload has `payload_len` bytes.
    pub fn encode_with(&self, payload: &[u8], out: &mut Vec<u8>) {
        out.reserve(MAX_HEAD_LEN + payload.len());
        self.encode(out);
        match self.masking_key {
            Some(key) => mask::append(out, payload, key, 0),
            None => out.extend_from_slice(payload),
        }
    }
}

/// The code in the unmasked payload of a Close; `None` if the payload has fewer than two bytes (RFC 6455 §5.5.1).
pub fn close_code(payload: &[u8]) -> Option<CloseCode> {
    let [high, low, ..] = payload else { return None };
    Some(CloseCode(u16::from_be_bytes([*high, *low])))
}

/// The number of bytes of the extended length after a 7-bit length: 0, 2 or 8.
pub(super) const fn extended_len_bytes(len_code: u8) -> usize {
    match len_code & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::field::{FieldId, FieldValue};
    use proptest::prelude::*;

    fn head(bytes: &[u8]) -> FrameHead {
        FrameHead::read(bytes).expect("a whole head")
    }

    /// Checks that `wire` parses to a head with this payload, and that both encode to `wire`.
    fn both_ways(wire: &[u8], payload: &[u8]) -> FrameHead {
        let head = head(wire);
        let mut unmasked = wire[head.header_len()..].to_vec();
        if let Some(key) = head.masking_key {
            mask::apply(&mut unmasked, key, 0);
        }
        assert_eq!(unmasked, payload);
        let mut encoded = Vec::new();
        head.encode_with(payload, &mut encoded);
        assert_eq!(encoded, wire);
        head
    }

    mod section_5_7 {
        use super::*;

        #[test]
        fn a_single_frame_unmasked_text_message() {
            let head = both_ways(&[0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f], b"Hello");
            assert_eq!(head, FrameHead::new(true, Opcode::Text, None, 5));
        }

        #[test]
        fn a_single_frame_masked_text_message() {
            let wire = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
            let head = both_ways(&wire, b"Hello");
            assert_eq!(head, FrameHead::new(true, Opcode::Text, Some([0x37, 0xfa, 0x21, 0x3d]), 5));
        }

        #[test]
        fn a_fragmented_unmasked_text_message() {
            let first = both_ways(&[0x01, 0x03, 0x48, 0x65, 0x6c], b"Hel");
            assert_eq!(first, FrameHead::new(false, Opcode::Text, None, 3));
            let last = both_ways(&[0x80, 0x02, 0x6c, 0x6f], b"lo");
            assert_eq!(last, FrameHead::new(true, Opcode::Continuation, None, 2));
        }

        #[test]
        fn an_unmasked_ping_and_its_masked_pong() {
            let ping = both_ways(&[0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f], b"Hello");
            assert_eq!(ping.opcode, Opcode::Ping);
            let pong = both_ways(&[0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58], b"Hello");
            assert_eq!(pong.opcode, Opcode::Pong);
        }

        #[test]
        fn two_hundred_and_fifty_six_bytes_in_a_16_bit_length() {
            let mut wire = vec![0x82, 0x7e, 0x01, 0x00];
            wire.extend([0xab; 256]);
            let head = both_ways(&wire, &[0xab; 256]);
            assert_eq!((head.len_code, head.payload_len, head.header_len()), (126, 256, 4));
        }

        #[test]
        fn sixty_four_kib_in_a_64_bit_length() {
            let mut wire = vec![0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0];
            wire.extend(vec![0xcd; 65536]);
            let head = both_ways(&wire, &vec![0xcd; 65536]);
            assert_eq!((head.len_code, head.payload_len, head.header_len()), (127, 65536, 10));
        }
    }

    #[test]
    fn a_truncated_head_has_a_field_for_each_of_its_bytes() {
        let wire = [0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4];
        for cut in 0..wire.len() {
            assert_eq!(FrameHead::read(&wire[..cut]), None, "at {cut}");
            let known = fields(&wire[..cut], cut as u64);
            assert_eq!(
                known.last().map_or(0, |field| field.span.end),
                cut as u64 * 8,
                "every byte has a field, at {cut}"
            );
        }
        assert_eq!(head(&wire).payload_len, 65536);
    }

    #[test]
    fn the_fields_cover_the_frame_without_gap_or_overlap() {
        for wire in [
            &[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58][..],
            &[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8],
            &[0x88, 0x07, 0x03, 0xe8, b'b', b'y', b'e', b'e', b'e'],
            &[0x8f, 0x00],
            &[0x82, 0x7e, 0x00, 0x01, 0xff],
        ] {
            let table = fields(wire, wire.len() as u64);
            let mut at = 0;
            for field in &table {
                assert_eq!(field.span.start, at, "{:?}", field.id);
                at = field.span.end;
            }
            assert_eq!(at, wire.len() as u64 * 8);
        }
    }

    #[test]
    fn a_close_code_is_unmasked() {
        let mut wire = Vec::new();
        FrameHead::new(true, Opcode::Close, Some([1, 2, 3, 4]), 2).encode_with(&1001u16.to_be_bytes(), &mut wire);
        let table = fields(&wire, wire.len() as u64);
        let code = table.last().expect("fields");
        assert_eq!((code.id, &code.value), (FieldId::CloseCode, &FieldValue::Bits { value: 1001, width: 16 }));
    }

    proptest! {
        #[test]
        fn an_encoded_frame_parses_to_its_head(
            fin: bool, rsv in 0u8..8, op in 0u8..16, key: Option<[u8; 4]>,
            payload in proptest::collection::vec(any::<u8>(), 0..300), form in 0u8..3,
        ) {
            let mut expected = FrameHead::new(fin, Opcode::from_wire(op), key, payload.len() as u64);
            (expected.rsv1, expected.rsv2, expected.rsv3) = (rsv & 4 != 0, rsv & 2 != 0, rsv & 1 != 0);
            if form > 0 {
                expected.len_code = 125 + form; // A longer form than necessary must survive too.
            }
            let mut wire = Vec::new();
            expected.encode_with(&payload, &mut wire);
            prop_assert_eq!(wire.len() as u64, expected.wire_len());
            prop_assert_eq!(head(&wire), expected);
        }

        #[test]
        fn any_bytes_parse(bytes in proptest::collection::vec(any::<u8>(), 0..40), extra: u64) {
            let table = fields(&bytes, bytes.len() as u64);
            prop_assert!(table.windows(2).all(|pair| pair[0].span.end == pair[1].span.start));
            let _ = fields(&bytes, (bytes.len() as u64).saturating_add(extra));
            if let Some(head) = FrameHead::read(&bytes) {
                let mut again = Vec::new();
                head.encode(&mut again);
                prop_assert_eq!(&again[..], &bytes[..head.header_len()]);
            }
        }
    }
}
