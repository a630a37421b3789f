//! Hex digits in lines and scripts.

/// Bytes from hex digits, with or without `0x` before them, and with or without white space, colons or minus signs between the pairs. An
/// empty text is no bytes.
pub(super) fn parse_hex(typed: &str) -> Option<Vec<u8>> {
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
