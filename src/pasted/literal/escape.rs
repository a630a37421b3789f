//! Escapes in strings: those of Python, and what C, Rust, Go, Java and JavaScript have besides.

/// The bytes of text with escapes: `\x81`, `\201`, `\n`, `\u0081`.
///
/// A code point up to U+00FF in a `\u` escape is one byte, as `\x` is in these languages; a larger one is UTF-8.
///
/// # Errors
/// An escape that no language has, or that is cut, and its offset.
pub(super) fn bytes(text: &str) -> Result<Vec<u8>, (usize, &str)> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(found) = text[at..].find('\\') {
        bytes.extend_from_slice(&text.as_bytes()[at..at + found]);
        at += found;
        let len = escape(&text[at..], &mut bytes).ok_or_else(|| (at, first_characters(&text[at..])))?;
        at += len;
    }
    bytes.extend_from_slice(&text.as_bytes()[at..]);
    Ok(bytes)
}

/// Returns true if a text contains `\x` with two hex digits.
pub(super) fn has_byte(text: &str) -> bool {
    text.match_indices("\\x").any(|(at, _)| number(text.get(at + 2..at + 4), 16).is_some())
}

/// Reads the escape at the start of `text`, appends its bytes, and returns its length.
fn escape(text: &str, bytes: &mut Vec<u8>) -> Option<usize> {
    let kind = text[1..].chars().next()?;
    let byte = match kind {
        'a' => 7,
        'b' => 8,
        't' => b'\t',
        'n' => b'\n',
        'v' => 11,
        'f' => 12,
        'r' => b'\r',
        'e' => 27,
        '\\' | '\'' | '"' | '`' | '/' | '?' => kind as u8,
        // The line goes on.
        '\n' => return Some(2),
        '\r' if text[2..].starts_with('\n') => return Some(3),
        'x' if text[2..].starts_with('{') => return code_point(text, bytes),
        'x' => {
            bytes.push(u8::try_from(number(text.get(2..4), 16)?).ok()?);
            return Some(4);
        }
        '0'..='7' => {
            let len = text[1..].bytes().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
            // In Lua, OCaml and Haskell, `\129` is one decimal number.
            if len < 3 && matches!(text.as_bytes().get(1 + len), Some(b'8' | b'9')) {
                return None;
            }
            bytes.push(u8::try_from(number(text.get(1..=len), 8)?).ok()?);
            return Some(1 + len);
        }
        'u' | 'U' => return code_point(text, bytes),
        _ => return None,
    };
    bytes.push(byte);
    Some(2)
}

/// `\u0081`, `\U00000081`, `\u{81}`, `\x{81}`, and two surrogates.
fn code_point(text: &str, bytes: &mut Vec<u8>) -> Option<usize> {
    let (value, len) = match text[2..].strip_prefix('{') {
        Some(inside) => {
            let digits = &inside[..inside.find('}')?];
            (number(Some(digits), 16)?, digits.len() + 4)
        }
        None => {
            let end = if text.starts_with("\\U") { 10 } else { 6 };
            (number(text.get(2..end), 16)?, end)
        }
    };
    if let Ok(byte) = u8::try_from(value) {
        bytes.push(byte);
        return Some(len);
    }
    let (value, len) = match value {
        0xd800..=0xdbff => {
            let low = number(text.get(len..len + 6)?.strip_prefix("\\u"), 16)?.checked_sub(0xdc00)?;
            (0x10000 + ((value - 0xd800) << 10) + low, len + 6)
        }
        value => (value, len),
    };
    bytes.extend_from_slice(char::from_u32(value)?.encode_utf8(&mut [0; 4]).as_bytes());
    Some(len)
}

/// A number of digits alone: unlike `from_str_radix`, no sign.
fn number(digits: Option<&str>, radix: u32) -> Option<u32> {
    let digits = digits.filter(|digits| digits.chars().all(|c| c.is_digit(radix)))?;
    u32::from_str_radix(digits, radix).ok()
}

/// The backslash and up to three characters, for an error.
fn first_characters(text: &str) -> &str {
    text.char_indices().nth(4).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_all_languages() {
        assert_eq!(bytes(r"\x81\x05Hello").as_deref(), Ok(&b"\x81\x05Hello"[..]));
        assert_eq!(
            bytes(r"\201\5\0\a\b\t\n\v\f\r\e\\\'\q".trim_end_matches(r"\q")),
            Ok(vec![0x81, 5, 0, 7, 8, 9, 10, 11, 12, 13, 27, b'\\', b'\''])
        );
        assert_eq!(bytes(r"\u0081\u{5}\U00000048\u20ac\ud834\udd1e"), Ok([b"\x81\x05H", "€𝄞".as_bytes()].concat()));
        assert_eq!(bytes(r"\x{81}\x{5}"), Ok(vec![0x81, 5]));
        assert_eq!(bytes("a\\\nb\\\r\nc é"), Ok("abc é".into()));
    }

    #[test]
    fn what_is_no_escape_has_its_place() {
        for (text, at) in [
            ("\\", 0),
            ("ab\\x8", 2),
            ("\\xg0", 0),
            ("\\x+1", 0),
            ("\\777", 0),
            ("\\129", 0),
            ("\\08", 0),
            ("\\ENQ", 0),
            ("\\u12", 0),
            ("\\q", 0),
            ("\\xé", 0),
            ("\\ud834", 0),
            ("\\ud834\\u0041", 0),
            ("\\u{110000}", 0),
        ] {
            assert_eq!(bytes(text).map_err(|(at, _)| at), Err(at), "{text}");
        }
    }
}
