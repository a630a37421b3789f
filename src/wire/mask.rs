//! Masks and unmasks payloads: XOR with a 4-byte key (RFC 6455 §5.3). Both are the same operation.

/// Masks or unmasks `bytes` in place. `offset` is the position of `bytes[0]` in the payload: byte `i` of the payload is
/// combined with key byte `i mod 4`, so a payload can be processed in pieces.
pub fn apply(bytes: &mut [u8], key: [u8; 4], offset: u64) {
    let wide = wide(key, offset);
    let (words, tail) = bytes.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key_byte) in tail.iter_mut().zip(wide.to_ne_bytes()) {
        *byte ^= key_byte;
    }
}

/// Appends `bytes`, masked or unmasked, to `out`. `offset` is as in [`apply`].
#[inline]
pub fn append(out: &mut Vec<u8>, bytes: &[u8], key: [u8; 4], offset: u64) {
    // Pieces of this size are still in the L1 cache when they are masked. The size is a multiple of 4, so `offset` stays
    // valid.
    for piece in bytes.chunks(16 * 1024) {
        let start = out.len();
        out.extend_from_slice(piece);
        apply(&mut out[start..], key, offset);
    }
}

/// The unmasked payload: `bytes` itself without a key, otherwise `scratch` with the unmasked bytes. `offset` is as in
/// [`apply`].
#[inline]
pub fn plain<'a>(bytes: &'a [u8], key: Option<[u8; 4]>, offset: u64, scratch: &'a mut Vec<u8>) -> &'a [u8] {
    let Some(key) = key else { return bytes };
    scratch.clear();
    append(scratch, bytes, key, offset);
    scratch
}

/// Returns true if the unmasked bytes are all ASCII, without unmasking them. `offset` is as in [`apply`].
#[inline]
pub fn is_ascii(bytes: &[u8], key: [u8; 4], offset: u64) -> bool {
    const TOP_BITS: u64 = 0x8080_8080_8080_8080;
    let wide = wide(key, offset);
    let (words, tail) = bytes.as_chunks::<8>();
    // Eight words per step, so that the inner loop has no branches.
    let all = words
        .chunks(8)
        .all(|some| some.iter().fold(0, |bits, word| bits | (u64::from_ne_bytes(*word) ^ wide)) & TOP_BITS == 0);
    let mut last = wide.to_ne_bytes();
    last[..tail.len()].copy_from_slice(tail);
    all && (u64::from_ne_bytes(last) ^ wide) & TOP_BITS == 0
}

/// The key twice in eight bytes, starting with the key byte for the payload byte at `offset`.
fn wide(key: [u8; 4], offset: u64) -> u64 {
    let mut key = key;
    key.rotate_left((offset % 4) as usize);
    u64::from_ne_bytes([key[0], key[1], key[2], key[3], key[0], key[1], key[2], key[3]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_masked_hello_of_section_5_7() {
        let mut payload = [0x7f, 0x9f, 0x4d, 0x51, 0x58];
        apply(&mut payload, [0x37, 0xfa, 0x21, 0x3d], 0);
        assert_eq!(&payload, b"Hello");
    }

    proptest! {
        #[test]
        fn pieces_of_any_size_agree_with_the_definition(
            payload in proptest::collection::vec(any::<u8>(), 0..200), key: [u8; 4], cut in 0usize..200,
        ) {
            let expected: Vec<u8> = payload.iter().enumerate().map(|(i, b)| b ^ key[i % 4]).collect();
            let cut = cut.min(payload.len());
            let mut got = payload.clone();
            apply(&mut got[..cut], key, 0);
            apply(&mut got[cut..], key, cut as u64);
            prop_assert_eq!(&got, &expected);
            let mut appended = b"x".to_vec();
            append(&mut appended, &payload[cut..], key, cut as u64);
            prop_assert_eq!(&appended[1..], &expected[cut..]);
        }

        #[test]
        fn ascii_is_told_without_unmasking(
            mut text in proptest::collection::vec(0u8..0x80, 0..300), key: [u8; 4], offset in 0u64..8, at in 0usize..300,
        ) {
            apply(&mut text, key, offset);
            prop_assert!(is_ascii(&text, key, offset));
            if let Some(byte) = text.get_mut(at) {
                *byte ^= 0x80;
                prop_assert!(!is_ascii(&text, key, offset));
            }
        }
    }
}
