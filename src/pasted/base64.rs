//! Base64 (RFC 4648 §4) and base64url (§5).

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::error::PasteError;
use super::{Recognized, shape};

/// The fewest characters that are recognized as base64: shorter words are too often something else.
const SHORTEST: usize = 8;

/// Reads base64 of one or more words: each complete in itself, or one text that was wrapped into lines. `None` if the text is
/// not base64 with a multiple of 4 characters, and at least 8.
pub(super) fn read(text: &str) -> Recognized<Vec<u8>> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    if words.iter().all(|word| is_something_else(word)) {
        return None;
    }
    let is_whole = |word: &str| word.len() >= SHORTEST && word.len().is_multiple_of(4);
    if !words.is_empty() && words.iter().all(|word| is_whole(word)) {
        return words
            .iter()
            .map(|word| decode(word, true).ok())
            .collect::<Option<Vec<_>>>()
            .map(|all| Ok(all.concat()));
    }
    // Lines of one width, and a shorter last one.
    let (last, rest) = words.split_last()?;
    let width = rest.first()?.len();
    let wrapped = width >= SHORTEST && rest.iter().all(|word| word.len() == width) && last.len() <= width;
    let joined = words.concat();
    (wrapped && is_whole(&joined)).then(|| decode(&joined, true).ok().map(Ok))?
}

/// Whether a word has the signs of base64, but is more likely hex with separators (`81_05_48`) or a word of a language.
fn is_something_else(word: &str) -> bool {
    let mut groups = word.split(['/', '_', '+', '-']);
    let is_pair = |group: &str| group.len() == 2 && group.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_hex = word.len() > 2 && groups.all(is_pair);
    let rest = word.trim_start_matches(|c: char| c.is_ascii_uppercase());
    let is_word = word.len() - rest.len() < 2 && rest.bytes().all(|byte| byte.is_ascii_lowercase());
    // A line of Motorola's S-records.
    let is_record = word
        .strip_prefix('S')
        .is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_digit() || matches!(digit, b'A'..=b'F')));
    is_hex || is_record || is_word && decode(word, true).is_ok_and(|bytes| !shape::is_plausible(&bytes))
}

/// Reads base64 with or without padding; white space is ignored.
///
/// # Errors
/// It is no base64.
pub(super) fn lenient(text: &str) -> Result<Vec<u8>, PasteError> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    // Several frames, each with its padding, or one text.
    let whole: Option<Vec<_>> = words.iter().map(|word| decode(word, false).ok()).collect();
    match whole {
        Some(all) if words[..words.len().saturating_sub(1)].iter().any(|word| word.ends_with('=')) => Ok(all.concat()),
        _ => decode(&words.concat(), false).map_err(|at| PasteError::NotBase64 { at: at + 1 }),
    }
}

/// Decodes base64 or base64url; the position of what is wrong otherwise.
fn decode(text: &str, padded: bool) -> Result<Vec<u8>, usize> {
    let alphabet = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    let padding = if padded { DecodePaddingMode::RequireCanonical } else { DecodePaddingMode::Indifferent };
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(padding);
    GeneralPurpose::new(alphabet, config).decode(text).map_err(|error| match error {
        base64::DecodeError::InvalidByte(at, _) => at,
        _ => text.len().saturating_sub(1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &[u8] = b"\x81\x05Hello";

    #[test]
    fn base64_is_recognized_by_its_length() {
        assert_eq!(read("gQVIZWxsbw==\n"), Some(Ok(HELLO.to_vec())));
        assert_eq!(read("gQVIZWxsbw== gQVIZWxsbw=="), Some(Ok([HELLO, HELLO].concat())), "several frames");
        assert_eq!(read("gQVIZWxs\nbw=="), Some(Ok(HELLO.to_vec())), "wrapped");
        assert_eq!(read("-_-_-_-_"), Some(Ok(vec![0xfb, 0xff, 0xbf, 0xfb, 0xff, 0xbf])));
        for text in [
            "gQVIZWxsbw",
            "gQA=",
            "gQV=ZWxs",
            "this text",
            "Hello world",
            "+_+_+_+_",
            "gQVIZWxs_+==",
            "81_05_48",
            "81/05/48",
            "password",
            "S10A0000810548656C6C6F00",
            "Received",
            "",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn on_request_padding_may_be_missing() {
        for text in ["gQVIZWxsbw", "gQVIZWxsbw==", "gQVI ZWxs bw"] {
            assert_eq!(lenient(text).as_deref(), Ok(HELLO), "{text}");
        }
        assert_eq!(lenient("gQA= gQA="), Ok(vec![0x81, 0, 0x81, 0]));
        assert_eq!(lenient("gQ!="), Err(PasteError::NotBase64 { at: 3 }));
    }
}
