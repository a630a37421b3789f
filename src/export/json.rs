//! Writes JSON into a buffer by hand, which is faster than serde for an export of a million frames.
//!
//! Characters that could control a terminal are escaped, so that the lines can be printed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::wire::printable;

/// Appends `,"key":`, without the comma at the beginning of an object.
pub fn key(out: &mut Vec<u8>, key: &str) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
}

pub fn number_field(out: &mut Vec<u8>, name: &str, value: u64) {
    key(out, name);
    number(out, value);
}

pub fn bool_field(out: &mut Vec<u8>, name: &str, value: bool) {
    key(out, name);
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

pub fn string_field(out: &mut Vec<u8>, name: &str, value: &str) {
    key(out, name);
    string(out, value);
}

/// Appends a string field whose text `write` appends: it needs no escaping.
pub fn quoted_field(out: &mut Vec<u8>, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
    key(out, name);
    out.push(b'"');
    write(out);
    out.push(b'"');
}

/// Appends a field with an array, each item of which `write` appends.
pub fn list_field<T>(
    out: &mut Vec<u8>,
    name: &str,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T),
) {
    key(out, name);
    out.push(b'[');
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

/// Appends a field with an object, the fields of which `write` appends.
pub fn object_field(out: &mut Vec<u8>, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
    key(out, name);
    object(out, write);
}

/// Appends an object, the fields of which `write` appends.
pub fn object(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'{');
    write(out);
    out.push(b'}');
}

pub fn null_field(out: &mut Vec<u8>, name: &str) {
    key(out, name);
    out.extend_from_slice(b"null");
}

/// Appends a field, with the value null if there is none.
pub fn optional<T>(out: &mut Vec<u8>, name: &str, value: Option<T>, write: impl FnOnce(&mut Vec<u8>, &str, T)) {
    match value {
        Some(value) => write(out, name, value),
        None => null_field(out, name),
    }
}

pub fn number(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

pub fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escape(out, text);
    out.push(b'"');
}

/// Appends a string without its quotes.
pub fn escape(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut from = 0;
    while from < bytes.len() {
        let run = bytes[from..].iter().take_while(|b| is_plain(**b)).count();
        out.extend_from_slice(&bytes[from..from + run]);
        from += run;
        let Some(c) = text[from..].chars().next() else { return };
        escape_char(out, c);
        from += c.len_utf8();
    }
}

const fn is_plain(byte: u8) -> bool {
    byte >= 0x20 && byte < 0x7f && byte != b'"' && byte != b'\\'
}

fn escape_char(out: &mut Vec<u8>, c: char) {
    let short = match c {
        '"' => b'"',
        '\\' => b'\\',
        '\n' => b'n',
        '\r' => b'r',
        '\t' => b't',
        '\u{8}' => b'b',
        '\u{c}' => b'f',
        c if printable::is_plain(c) => {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            return;
        }
        c => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.extend_from_slice(b"\\u");
                hex(out, &unit.to_be_bytes());
            }
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// The two lower-case hex digits of each byte.
const HEX: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
    let mut table = [[0; 2]; 256];
    let mut i = 0;
    while i < 256 {
        table[i] = [digits[i >> 4], digits[i & 15]];
        i += 1;
    }
    table
};

/// Appends bytes as lower-case hex digits.
pub fn hex(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.resize(start + bytes.len() * 2, 0);
    let (pairs, _) = out[start..].as_chunks_mut::<2>();
    for (pair, byte) in pairs.iter_mut().zip(bytes) {
        *pair = HEX[usize::from(*byte)];
    }
}

/// Appends base64. The length of every piece but the last must be a multiple of 3 bytes.
pub fn base64(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    let written = STANDARD.encode_slice(bytes, &mut out[start..]).unwrap_or(0);
    out.truncate(start + written);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_string_can_be_read_back_and_cannot_control_a_terminal(text: String) {
            let mut out = Vec::new();
            string(&mut out, &text);
            let out = String::from_utf8(out).expect("UTF-8");
            prop_assert_eq!(&serde_json::from_str::<String>(&out).expect("JSON"), &text);
            prop_assert!(out.chars().all(printable::is_plain));
        }

        #[test]
        fn numbers_hex_and_base64_equal_those_of_other_libraries(n: u64, bytes: Vec<u8>) {
            let mut out = Vec::new();
            number(&mut out, n);
            out.push(b' ');
            hex(&mut out, &bytes);
            out.push(b' ');
            base64(&mut out, &bytes);
            let expected = format!("{n} {} {}", ::hex::encode(&bytes), STANDARD.encode(&bytes));
            prop_assert_eq!(String::from_utf8(out).expect("ASCII"), expected);
        }
    }

    #[test]
    fn bidi_and_escape_characters_are_escaped() {
        let mut out = Vec::new();
        string(&mut out, "\u{202e}\x1b[31m\u{e0001}é\u{7f}");
        assert_eq!(String::from_utf8(out).expect("UTF-8"), r#""\u202e\u001b[31m\udb40\udc01é\u007f""#);
    }
}
