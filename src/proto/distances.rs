//! Finds how far back a compressed message refers, for comparison with the negotiated window (RFC 7692 §7.1.2).
//! Inflaters do not check this: they always accept distances up to the largest window.

use super::deflate::WINDOW;

/// The longest code, in bits (RFC 1951 §3.2.7).
const MAX_BITS: usize = 15;

/// The number of extra bits after each length symbol, from symbol 257 on (RFC 1951 §3.2.5).
const LENGTH_EXTRA: [u8; 29] = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];

/// The order in which a block lists the lengths of the codes for code lengths (RFC 1951 §3.2.7).
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// The largest distance in a message, in bytes: 0 to 32,768 (RFC 1951 §3.2). `payload` is the whole compressed message,
/// unmasked and without the tail 00 00 ff ff. If it is not a DEFLATE stream, only the part before the error counts.
pub fn farthest(payload: &[u8]) -> u32 {
    let mut reader = BlockReader { bits: Bits { bytes: payload, at: 0 }, farthest: 0 };
    while reader.block().is_some() {}
    reader.farthest
}

/// Reads blocks and keeps only the largest distance.
struct BlockReader<'a> {
    bits: Bits<'a>,
    farthest: u32,
}

impl BlockReader<'_> {
    /// Reads a block. `None` at the end of the message and on invalid data.
    fn block(&mut self) -> Option<()> {
        let last = self.bits.take(1)? == 1;
        match self.bits.take(2)? {
            0 => {
                self.bits.align();
                let len = self.bits.take(16)?;
                self.bits.take(16)?;
                self.bits.skip(len as usize * 8)?;
            }
            1 => {
                let lengths: [u8; 288] = std::array::from_fn(|symbol| match symbol {
                    0..=143 => 8,
                    144..=255 => 9,
                    256..=279 => 7,
                    _ => 8,
                });
                self.symbols(&Code::new(&lengths), &Code::new(&[5; 30]))?;
            }
            2 => {
                let (literals, distances) = self.codes()?;
                self.symbols(&literals, &distances)?;
            }
            _ => return None,
        }
        if last {
            // After a last block, data continues at the next byte (RFC 7692 §7.2.3.4).
            self.bits.align();
        }
        Some(())
    }

    /// Reads the two codes of a block with dynamic codes.
    fn codes(&mut self) -> Option<(Code, Code)> {
        let literals = self.bits.take(5)? as usize + 257;
        let distances = self.bits.take(5)? as usize + 1;
        let count = self.bits.take(4)? as usize + 4;
        let mut lengths = [0; 19];
        for symbol in &ORDER[..count] {
            lengths[*symbol] = self.bits.take(3)? as u8;
        }
        let code = Code::new(&lengths);
        let mut all = Vec::with_capacity(literals + distances);
        while all.len() < literals + distances {
            let (length, times) = match code.symbol(&mut self.bits)? {
                16 => (*all.last()?, 3 + self.bits.take(2)?),
                17 => (0, 3 + self.bits.take(3)?),
                18 => (0, 11 + self.bits.take(7)?),
                length => (length as u8, 1),
            };
            all.extend(std::iter::repeat_n(length, times as usize));
        }
        let (literals, distances) = all.get(..literals + distances)?.split_at(literals);
        Some((Code::new(literals), Code::new(distances)))
    }

    /// Reads the symbols of a block.
    fn symbols(&mut self, literals: &Code, distances: &Code) -> Option<()> {
        loop {
            match usize::from(literals.symbol(&mut self.bits)?) {
                0..=255 => {}
                256 => return Some(()),
                length => {
                    self.bits.take(u32::from(*LENGTH_EXTRA.get(length - 257)?))?;
                    let symbol = u32::from(distances.symbol(&mut self.bits)?);
                    // RFC 1951 §3.2.5: the first four symbols have no extra bits; then each pair of symbols has one bit
                    // more.
                    let extra = (symbol / 2).saturating_sub(1);
                    let base = if symbol < 4 { symbol } else { (2 + symbol % 2) << extra };
                    let distance = 1 + base + self.bits.take(extra)?;
                    if distance > WINDOW as u32 {
                        return None;
                    }
                    self.farthest = self.farthest.max(distance);
                }
            }
        }
    }
}

/// Reads bits, the least significant bit of each byte first (RFC 1951 §3.1.1).
struct Bits<'a> {
    bytes: &'a [u8],
    /// The position in bits.
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, n: u32) -> Option<u32> {
        let mut value = 0;
        for i in 0..n {
            let byte = self.bytes.get(self.at / 8)?;
            value |= u32::from(byte >> (self.at % 8) & 1) << i;
            self.at += 1;
        }
        Some(value)
    }

    const fn align(&mut self) {
        self.at = self.at.next_multiple_of(8);
    }

    fn skip(&mut self, bits: usize) -> Option<()> {
        self.at = self.at.checked_add(bits).filter(|at| *at <= self.bytes.len() * 8)?;
        Some(())
    }
}

/// A canonical Huffman code (RFC 1951 §3.2.2).
struct Code {
    /// The number of symbols with a code of each length.
    counts: [u16; MAX_BITS + 1],
    /// The symbols in the order of their codes.
    symbols: Vec<u16>,
}

impl Code {
    fn new(lengths: &[u8]) -> Self {
        let mut counts = [0; MAX_BITS + 1];
        for length in lengths {
            counts[usize::from(*length)] += 1;
        }
        let mut symbols: Vec<u16> =
            (0..lengths.len() as u16).filter(|symbol| lengths[usize::from(*symbol)] > 0).collect();
        symbols.sort_by_key(|symbol| lengths[usize::from(*symbol)]);
        Self { counts, symbols }
    }

    fn symbol(&self, bits: &mut Bits<'_>) -> Option<u16> {
        // The bits read so far, the first code of this length, and the index of its symbol.
        let (mut code, mut first, mut index) = (0i32, 0i32, 0i32);
        for count in &self.counts[1..] {
            let count = i32::from(*count);
            code |= bits.take(1)? as i32;
            if code - first < count {
                return self.symbols.get((index + code - first) as usize).copied();
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::deflate::Deflater;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_rfc_7692_have_the_distances_they_state() {
        // §7.2.3.1 Hello; §7.2.3.2 the same again, 5 bytes back; §7.2.3.3 stored; §7.2.3.4 a last block.
        assert_eq!(farthest(&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]), 0);
        assert_eq!(farthest(&[0xf2, 0x00, 0x11, 0x00, 0x00]), 5);
        assert_eq!(farthest(&[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00]), 0);
        assert_eq!(farthest(&[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00]), 0);
    }

    #[test]
    fn a_distant_repetition_has_a_large_distance() {
        for far in [300u32, 1_000, 5_000, 20_000, 32_000] {
            // Noise without repetitions.
            let mut state = 1u32;
            let noise: Vec<u8> = (0..far)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 24) as u8
                })
                .collect();
            let text = [&noise[..], &noise[..200]].concat();
            let mut payload = Vec::new();
            Deflater::new(15, true).message(&text, &mut payload);
            assert_eq!(farthest(&payload), far);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..Default::default() })]

        #[test]
        fn a_compressor_stays_within_its_window(
            text in proptest::collection::vec(prop_oneof![Just(b'a'), Just(b'b'), any::<u8>()], 0..6_000), bits in 9u8..=15,
        ) {
            let mut payload = Vec::new();
            Deflater::new(bits, true).message(&text, &mut payload);
            prop_assert!(farthest(&payload) <= 1 << bits);
        }

        #[test]
        fn any_bytes_have_a_distance_within_the_window(payload in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(farthest(&payload) <= WINDOW as u32);
        }
    }
}
