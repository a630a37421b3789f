//! TCP sequence numbers.

use std::ops::{Add, Sub};

/// A TCP sequence number (RFC 9293 §3.4). Arithmetic is modulo 2^32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeqNumber(pub u32);

impl SeqNumber {
    /// How many bytes `self` is after `other`: 0 to 2^32 − 1.
    pub fn bytes_after(self, other: Self) -> u64 {
        u64::from(self.0.wrapping_sub(other.0))
    }
}

impl Add<u64> for SeqNumber {
    type Output = Self;

    /// The sequence number this many bytes later.
    #[inline]
    fn add(self, bytes: u64) -> Self {
        Self(self.0.wrapping_add(low_half(bytes)))
    }
}

impl Sub<u64> for SeqNumber {
    type Output = Self;

    /// The sequence number this many bytes earlier.
    #[inline]
    fn sub(self, bytes: u64) -> Self {
        Self(self.0.wrapping_sub(low_half(bytes)))
    }
}

impl Sub for SeqNumber {
    type Output = i64;

    /// How many bytes `self` is after `other`; negative if it is before. Right for distances of less than 2 GiB.
    #[inline]
    fn sub(self, other: Self) -> i64 {
        i64::from(self.0.wrapping_sub(other.0).cast_signed())
    }
}

#[inline]
const fn low_half(bytes: u64) -> u32 {
    (bytes & 0xffff_ffff) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_distance_of_less_than_2_gib_is_found_across_the_wrap(start: u32, distance in 0u64..1 << 31) {
            let (start, end) = (SeqNumber(start), SeqNumber(start) + distance);
            prop_assert_eq!(end - start, i64::try_from(distance).expect("small"));
            prop_assert_eq!(start - end, -i64::try_from(distance).expect("small"));
            prop_assert_eq!(end - distance, start);
        }

        #[test]
        fn a_distance_of_any_length_is_added_modulo_4_gib(start: u32, bytes: u64) {
            prop_assert_eq!(SeqNumber(start) + bytes, SeqNumber(start) + (bytes % (1 << 32)));
        }
    }
}
