//! Numbers in lists.

use crate::pasted::decimal;
use crate::pasted::error::{PasteError, Place, excerpt};

/// A number in a list, as written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number<'t> {
    /// Its digits, with a prefix and a suffix.
    pub digits: &'t str,
    /// Whether a minus is in front.
    pub negative: bool,
    /// The offset of its first digit.
    pub at: usize,
    /// Whether its base is 16 without a prefix that shows it: `16#81`.
    pub is_hex: bool,
}

/// Types that may follow a number directly.
const SUFFIXES: [&str; 9] = ["u8", "i8", "ub", "uy", "y", "u", "U", "l", "L"];

/// Whether numbers without a prefix are hex, as in `[81, 05, 6c]`: one of two digits has a hex letter, or a leading zero.
pub(super) fn are_hex<'t>(numbers: impl Iterator<Item = Number<'t>>) -> bool {
    let mut shows = false;
    for number in numbers {
        let bare = number.digits;
        if number.negative || number.is_hex || bare.len() > 2 || !bare.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return false;
        }
        shows |= bare.len() == 2 && (bare.bytes().any(|byte| byte.is_ascii_alphabetic()) || bare.starts_with('0'));
    }
    shows
}

impl Number<'_> {
    /// Whether it is several bytes in hex, as in `<81054865 6c6c6f>`.
    pub fn is_word(&self) -> bool {
        let is_hex = self.digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        !self.negative && self.digits.len() > 2 && self.digits.len().is_multiple_of(2) && is_hex
    }

    /// The byte.
    ///
    /// # Errors
    /// It is none, or its leading zero is ambiguous.
    pub fn byte(&self, text: &str, in_hex: bool) -> Result<u8, PasteError> {
        let wrong = || PasteError::NotAByte { place: Place::of(text, self.at), number: excerpt(self.digits) };
        let plain = self.digits.replace('_', "");
        let radix = match plain.get(..2) {
            _ if in_hex || self.is_hex => 16,
            Some("0x" | "0X") => 16,
            Some("0b" | "0B") => 2,
            Some("0o" | "0O") => 8,
            _ => 10,
        };
        let prefix = if in_hex || self.is_hex || radix == 10 { 0 } else { 2 };
        let len = plain[prefix..].chars().take_while(|c| c.is_digit(radix)).count();
        let (digits, suffix) = plain[prefix..].split_at(len);
        if digits.is_empty() || !(suffix.is_empty() || SUFFIXES.contains(&suffix)) {
            return Err(wrong());
        }
        if radix == 10 && digits.len() > 1 && digits.starts_with('0') {
            return Err(PasteError::LeadingZero { place: Place::of(text, self.at), number: excerpt(self.digits) });
        }
        let value = u16::from_str_radix(digits, radix).map_err(|_| wrong())?;
        let sign = if self.negative { "-" } else { "" };
        decimal::byte_of(&format!("{sign}{value}")).ok_or_else(wrong)
    }
}
