//! Incremental UTF-8 validation: reports an invalid byte as soon as it arrives (RFC 6455 §8.1).

/// Validates one text that arrives in pieces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Utf8 {
    /// The first bytes, at most three, of a character that is not complete yet.
    carry: [u8; 3],
    carried: u8,
}

impl Utf8 {
    /// Validates the next piece of the text.
    ///
    /// # Errors
    /// The index in `bytes` of the first byte that cannot occur there in valid UTF-8. Do not call `feed` again after an
    /// error.
    #[inline]
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), usize> {
        if self.carried == 0 && bytes.is_ascii() {
            return Ok(());
        }
        let mut bytes = bytes;
        let mut skipped = 0;
        if self.carried > 0 {
            // Join the carried bytes with the next few, which can complete the character.
            let had = usize::from(self.carried);
            let mut joined = [0; 7];
            joined[..had].copy_from_slice(&self.carry[..had]);
            let taken = bytes.len().min(4);
            joined[had..had + taken].copy_from_slice(&bytes[..taken]);
            let joined = &joined[..had + taken];
            match std::str::from_utf8(joined) {
                Ok(_) => self.carried = 0,
                Err(e) if e.valid_up_to() > 0 => self.carried = 0,
                Err(e) if e.error_len().is_none() => {
                    self.keep(joined);
                    return Ok(());
                }
                Err(e) => return Err(culprit(joined, 0, e.error_len()).saturating_sub(had)),
            }
            // The carried character is complete: continue after it.
            let width = char_width(joined[0]);
            skipped = width - had;
            bytes = &bytes[skipped..];
        }
        match simdutf8::compat::from_utf8(bytes) {
            Ok(_) => Ok(()),
            Err(e) if e.error_len().is_none() => {
                self.keep(&bytes[e.valid_up_to()..]);
                Ok(())
            }
            Err(e) => Err(skipped + culprit(bytes, e.valid_up_to(), e.error_len())),
        }
    }

    /// True if the text may end here: no character is incomplete.
    pub const fn is_complete(&self) -> bool {
        self.carried == 0
    }

    fn keep(&mut self, rest: &[u8]) {
        let n = rest.len().min(3);
        self.carry[..n].copy_from_slice(&rest[..n]);
        self.carried = n as u8;
    }
}

/// The index of the byte that makes the sequence at `start` invalid: its first byte, or a later byte that does not continue
/// it.
fn culprit(bytes: &[u8], start: usize, error_len: Option<usize>) -> usize {
    match bytes[start] {
        0x80..=0xc1 | 0xf5..=0xff => start,
        _ => start + error_len.unwrap_or(0),
    }
}

/// The number of bytes of a character that starts with `lead`. `lead` must start a valid character.
const fn char_width(lead: u8) -> usize {
    match lead {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition: the last byte of the shortest prefix that no valid text starts with.
    fn first_bad(bytes: &[u8]) -> Option<usize> {
        (1..=bytes.len()).find(|n| std::str::from_utf8(&bytes[..*n]).is_err_and(|e| e.error_len().is_some())).map(|n| {
            // std reports an invalid sequence once its next byte is known.
            n - 1
        })
    }

    #[test]
    fn the_error_is_the_first_byte_that_cannot_be_valid() {
        assert_eq!(Utf8::default().feed(b"\xce\xba\xff"), Err(2));
        assert_eq!(Utf8::default().feed(b"\xe2\x28\xa1"), Err(1));
        assert_eq!(Utf8::default().feed(b"\xed\xa0\x80"), Err(1), "a surrogate");
        assert_eq!(Utf8::default().feed(b"\xf4\x90\x80\x80"), Err(1), "beyond U+10FFFF");
        assert_eq!(Utf8::default().feed(b"\xc0\xaf"), Err(0), "overlong");
    }

    proptest! {
        #[test]
        fn pieces_of_any_size_give_the_same_result(
            bytes in proptest::collection::vec(prop_oneof![
                any::<u8>(), Just(0xe2), Just(0x82), Just(0xac), Just(0xf0), Just(0x9f), Just(0x98), Just(0x80), Just(0x61),
            ], 0..24),
            cuts in proptest::collection::vec(0usize..24, 0..6),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let mut state = Utf8::default();
            let mut got = None;
            for pair in cuts.windows(2) {
                if let Err(at) = state.feed(&bytes[pair[0]..pair[1]]) {
                    got = Some(pair[0] + at);
                    break;
                }
            }
            prop_assert_eq!(got, first_bad(&bytes));
            if got.is_none() {
                prop_assert_eq!(state.is_complete(), std::str::from_utf8(&bytes).is_ok());
            }
        }
    }
}
