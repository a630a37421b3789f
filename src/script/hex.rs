//! Hex digits in lines and scripts.

use std::fmt::Write as _;

/// Bytes from hex digits, with or without `0x` before them, and with or without white space, colons or minus signs between the pairs. No
/// digit is no byte.
pub(super) fn hex(typed: &str) -> Option<Vec<u8>> {
    let typed = typed.trim();
    let digits = typed.strip_prefix("0x").unwrap_or(typed);
    let words = digits.split(|c: char| c.is_whitespace() || matches!(c, ':' | '-'));
    words
        .filter(|word| !word.is_empty())
        .map(hex::decode)
        .collect::<Result<Vec<_>, _>>()
        .ok()
        .map(|words| words.concat())
}

/// The hex digits of bytes.
pub fn digits(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}
