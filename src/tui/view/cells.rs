//! Lengths in screen cells (columns or rows). They saturate: what is beyond the screen is cut off anyway.

use unicode_width::UnicodeWidthStr as _;

/// Width of a text in columns.
pub fn width(text: &str) -> u16 {
    cells(text.width())
}

/// A number of columns or rows.
pub fn cells(number: impl TryInto<u16>) -> u16 {
    number.try_into().unwrap_or(u16::MAX)
}
