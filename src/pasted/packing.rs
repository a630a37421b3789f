//! What is around a text: gzip, UTF-16, the escape sequences of a terminal.

use std::borrow::Cow;
use std::io::Read as _;

use flate2::read::MultiGzDecoder;

use super::error::{PasteError, Place};
use super::{MAX_BYTES, shape};

/// The first bytes of a gzip file with DEFLATE (RFC 1952 §2.3.1). No frame has them: opcode 15 is reserved.
const GZIP: &[u8] = &[0x1f, 0x8b, 0x08];

/// The input, inflated if it is a gzip file, and whether it was.
///
/// # Errors
/// The gzip file is damaged, or its content is too long.
pub(super) fn inflated(input: &[u8]) -> Result<(Cow<'_, [u8]>, bool), PasteError> {
    if !input.starts_with(GZIP) {
        return Ok((Cow::Borrowed(input), false));
    }
    let mut bytes = Vec::new();
    let read = MultiGzDecoder::new(input).take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes);
    match read {
        Err(_) => Err(PasteError::Gzip),
        Ok(len) if len > MAX_BYTES => Err(PasteError::TooLong { most: MAX_BYTES }),
        Ok(_) => Ok((Cow::Owned(bytes), true)),
    }
}

/// The input as text, if it is text: UTF-8 or UTF-16 without control characters other than tabs and line breaks. The escape
/// sequences of a terminal are left out.
///
/// # Errors
/// It is text with control characters, or a program made text of the bytes of frames.
pub(super) fn text(input: &[u8]) -> Result<Option<Cow<'_, str>>, PasteError> {
    let Some(text) = decoded(input) else { return Ok(None) };
    let text = without_sequences(text);
    let Some(control) = text.find(is_control) else { return Ok(Some(text)) };
    if text.contains('\u{fffd}') && !begins_fragment(input) {
        return Err(PasteError::Replaced);
    }
    if is_latin1(&text) {
        return Err(PasteError::Latin1);
    }
    match control > 0 && !shape::is_plausible(input) {
        true => Err(PasteError::Control {
            place: Place::of(&text, control),
            found: text[control..].chars().next().unwrap_or(' '),
        }),
        false => Ok(None),
    }
}

/// Text in UTF-8, or in UTF-16 as PowerShell writes it into files, without a byte order mark.
pub(super) fn decoded(input: &[u8]) -> Option<Cow<'_, str>> {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        String::from_utf16(&units).ok().map(Cow::Owned)
    };
    match input {
        [0xff, 0xfe, rest @ ..] if rest.len().is_multiple_of(2) => return utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] if rest.len().is_multiple_of(2) => return utf16(rest, u16::from_be_bytes),
        _ => {}
    }
    let is_text = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    if input.len() >= 4
        && input[0].is_ascii_graphic()
        && input.chunks(2).all(|pair| matches!(pair, [text, 0] if is_text(text)))
    {
        return utf16(input, u16::from_le_bytes);
    }
    let text = std::str::from_utf8(input).ok()?;
    Some(Cow::Borrowed(text.strip_prefix('\u{feff}').unwrap_or(text)))
}

/// C1 characters are text: consoles show bytes over 0x7F as such.
fn is_control(c: char) -> bool {
    c.is_ascii_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}')
}

/// Whether the characters of a text are frames, one byte each, so that a program wrote bytes as characters.
fn is_latin1(text: &str) -> bool {
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    !text.is_ascii() && bytes.is_some_and(|bytes| shape::is_whole(&bytes)) && !shape::is_whole(text.as_bytes())
}

/// Whether bytes begin as a fragment, which may be valid UTF-8: FIN and RSV1–3 are 0, and the opcode is defined for data.
fn begins_fragment(bytes: &[u8]) -> bool {
    matches!(bytes, [0..=2, ..])
}

/// The text without colours and other escape sequences of terminals (ECMA-48 §5.4, and OSC).
fn without_sequences(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains("\u{1b}[") && !text.contains("\u{1b}]") {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(at) = rest.find('\u{1b}') {
        plain.push_str(&rest[..at]);
        let len = sequence_len(&rest[at..]);
        if len == 0 {
            plain.push('\u{1b}');
        }
        rest = &rest[at + len.max(1)..];
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// The length of the escape sequence at the start of `text`; 0 if it is none.
fn sequence_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    match bytes.get(1) {
        Some(b'[') => {
            let parameters = bytes[2..].iter().take_while(|byte| matches!(byte, 0x20..=0x3f)).count();
            match bytes.get(2 + parameters) {
                Some(0x40..=0x7e) => 3 + parameters,
                _ => 0,
            }
        }
        Some(b']') => match (text.find('\u{7}'), text.find("\u{1b}\\")) {
            (Some(bell), other) if other.is_none_or(|other| bell < other) => bell + 1,
            (_, Some(end)) => end + 2,
            _ => 0,
        },
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(input: &[u8]) -> Option<String> {
        text(input).expect("text or bytes").map(Cow::into_owned)
    }

    #[test]
    fn text_may_be_utf_16_or_have_colours() {
        let utf16 = |text: &str, unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
        for input in [
            b"81 05".to_vec(),
            b"\xef\xbb\xbf81 05".to_vec(),
            utf16("\u{feff}81 05", u16::to_le_bytes),
            utf16("\u{feff}81 05", u16::to_be_bytes),
            utf16("81 05", u16::to_le_bytes),
            b"\x1b[32m81\x1b[0m \x1b[1;31m05\x1b[K".to_vec(),
            b"\x1b]0;title\x0781 05".to_vec(),
            b"\x1b]8;;http://a\x1b\\81 05".to_vec(),
        ] {
            assert_eq!(plain(&input).as_deref(), Some("81 05"), "{input:x?}");
        }
        for input in [&b"\x01\x05Hello"[..], b"\x81\x05Hello", b"\x1b", b"\x1b[", &[0xff, 0xfe, 0x00]] {
            assert_eq!(plain(input), None, "{input:x?}");
        }
        assert_eq!(plain("\u{81}..He".as_bytes()).as_deref(), Some("\u{81}..He"), "as Format-Hex shows bytes");
    }

    #[test]
    fn text_with_control_characters_is_no_frame() {
        for input in [&b"a\0"[..], b"hello\x07 world", b"81 05\x1b[3", b"\xc3\xa4\0"] {
            assert!(matches!(text(input), Err(PasteError::Control { .. })), "{input:x?}");
        }
        assert_eq!(text("\u{81}\u{5}Hello".as_bytes()), Err(PasteError::Latin1));
    }

    #[test]
    fn replaced_bytes_are_refused() {
        assert_eq!(text("\u{fffd}\u{5}Hello".as_bytes()), Err(PasteError::Replaced));
        assert_eq!(plain("\u{1}\u{3}\u{fffd}".as_bytes()), None, "a fragment");
        assert_eq!(plain("81 05  \u{fffd}\u{fffd}".as_bytes()).as_deref(), Some("81 05  \u{fffd}\u{fffd}"));
    }
}
