//! How far back a compressed message refers, to hold it against the window that was agreed on (RFC 7692 §7.1.2). Inflaters do not
//! tell: they bear the largest window whatever was agreed on.

use super::deflate::WINDOW;

/// The longest code, in bits (RFC 1951 §3.2.7).
const MAX_BITS: usize = 15;

/// What a length symbol stands for, from 257 on (RFC 1951 §3.2.5): how many bits follow it.
const LENGTH_EXTRA: [u8; 29] = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];

/// In which order the lengths of the codes for code lengths stand (RFC 1951 §3.2.7).
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// The farthest that a message refers back, in bytes (RFC 1951 §3.2): 0 to 32,768. `payload` is all of the message as it stands in
/// its frames, unmasked and without the tail that is missing there. Of what is no DEFLATE stream, the part before the fault counts.
pub fn farthest(payload: &[u8]) -> u32 {
    let mut walk = Walk { bits: Bits { bytes: payload, at: 0 }, farthest: 0 };
    while walk.block().is_some() {}
    walk.farthest
}

struct Walk<'a> {
    bits: Bits<'a>,
    farthest: u32,
}

impl Walk<'_> {
    /// Goes over a block; `None` where the message ends, or is none.
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
            // What follows a last block begins with a byte (RFC 7692 §7.2.3.4).
            self.bits.align();
        }
        Some(())
    }

    /// The codes of a block that brings its own.
    fn codes(&mut self) -> Option<(Code, Code)> {
        let literals = self.bits.take(5)? as usize + 257;
        let distances = self.bits.take(5)? as usize + 1;
        let count = self.bits.take(4)? as usize + 4;
        let mut lengths = [0; 19];
        for place in &ORDER[..count] {
            lengths[*place] = self.bits.take(3)? as u8;
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

    /// Goes over the symbols of a block to its end.
    fn symbols(&mut self, literals: &Code, distances: &Code) -> Option<()> {
        loop {
            match usize::from(literals.symbol(&mut self.bits)?) {
                0..=255 => {}
                256 => return Some(()),
                length => {
                    self.bits.take(u32::from(*LENGTH_EXTRA.get(length - 257)?))?;
                    let symbol = u32::from(distances.symbol(&mut self.bits)?);
                    // RFC 1951 §3.2.5: the first four stand for themselves, then each two have a bit more.
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

/// Bits, from the least significant of each byte on (RFC 1951 §3.1.1).
struct Bits<'a> {
    bytes: &'a [u8],
    /// In bits.
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
    /// How many symbols have a code of each length.
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
        // The code read so far, the first of this length, and where its symbol stands.
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
    fn the_examples_of_rfc_7692_refer_as_far_as_they_say() {
        // §7.2.3.1 Hello; §7.2.3.2 the same again, 5 bytes back; §7.2.3.3 stored; §7.2.3.4 a last block.
        assert_eq!(farthest(&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]), 0);
        assert_eq!(farthest(&[0xf2, 0x00, 0x11, 0x00, 0x00]), 5);
        assert_eq!(farthest(&[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00]), 0);
        assert_eq!(farthest(&[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00]), 0);
    }

    #[test]
    fn what_repeats_far_away_refers_far_back() {
        for far in [300u32, 1_000, 5_000, 20_000, 32_000] {
            // Noise that nothing nearer repeats.
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
        #[test]
        fn a_compressor_keeps_to_its_window(
            text in proptest::collection::vec(prop_oneof![Just(b'a'), Just(b'b'), any::<u8>()], 0..6_000), bits in 9u8..=15,
        ) {
            let mut payload = Vec::new();
            Deflater::new(bits, true).message(&text, &mut payload);
            prop_assert!(farthest(&payload) <= 1 << bits);
        }

        #[test]
        fn any_bytes_have_an_answer(payload in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(farthest(&payload) <= WINDOW as u32);
        }
    }
}
