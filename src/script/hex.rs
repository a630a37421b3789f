//! Hex digits in lines and scripts.

use std::fmt::Write as _;

use crate::capture::query::filter::hex_bytes;

/// Bytes from hex digits, with or without spaces, colons or minus signs between pairs. No digit is no byte.
pub(super) fn hex(digits: &str) -> Option<Vec<u8>> {
    let joined: String = digits.split_whitespace().collect();
    if joined.is_empty() { Some(Vec::new()) } else { hex_bytes(&joined) }
}

/// The hex digits of bytes.
pub fn digits(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}
