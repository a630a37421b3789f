//! Percent-encoding (RFC 3986 §2.1) and data URLs (RFC 2397): `%81%05Hello`, `data:;base64,gQVIZWxsbw==`.

use super::error::{PasteError, Place, excerpt};
use super::form::Form;
use super::{Recognized, base64};

/// Reads words that start with a percent sign, or one data URL. `None` if the text is neither.
///
/// # Errors
/// A percent sign without two hex digits, or a plus, which is a space in forms of web pages.
pub(super) fn read(text: &str) -> Recognized<(Form, Vec<u8>)> {
    let trimmed = text.trim();
    if let Some(url) = trimmed.strip_prefix("data:") {
        return data_url(text, url);
    }
    let words: Vec<&str> = trimmed.split_whitespace().collect();
    let is_encoded =
        |word: &&str| escaped(word.as_bytes()).is_some() && word.bytes().all(|byte| byte.is_ascii_graphic());
    if words.is_empty() || !words.iter().all(is_encoded) {
        return None;
    }
    let bytes: Result<Vec<Vec<u8>>, PasteError> = words.iter().map(|word| decode(text, word)).collect();
    Some(bytes.map(|bytes| (Form::Percent, bytes.concat())))
}

/// The content of a data URL.
fn data_url<'t>(text: &'t str, url: &'t str) -> Recognized<(Form, Vec<u8>)> {
    let (kind, data) = url.split_once(',')?;
    if kind.contains(char::is_whitespace) || data.contains(char::is_whitespace) {
        return None;
    }
    if !kind.ends_with(";base64") {
        return Some(decode(text, data).map(|bytes| (Form::Percent, bytes)));
    }
    Some(decode(text, &data.replace('+', "%2B")).and_then(|bytes| {
        let wrong = |_| PasteError::NotBase64 { at: 1 };
        let data = String::from_utf8(bytes).map_err(|_| PasteError::NotBase64 { at: 1 })?;
        base64::lenient(&data).map_err(wrong).map(|bytes| (Form::Base64, bytes))
    }))
}

/// Decodes a word of `text`.
fn decode(text: &str, word: &str) -> Result<Vec<u8>, PasteError> {
    let wrong = |at: usize| {
        let start = (word.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        PasteError::Percent { place: Place::of(text, start + at), found: excerpt(word.get(at..).unwrap_or_default()) }
    };
    let mut bytes = Vec::with_capacity(word.len());
    let mut at = 0;
    while let Some(byte) = word.as_bytes().get(at) {
        match byte {
            b'%' => {
                bytes.push(escaped(&word.as_bytes()[at..]).ok_or_else(|| wrong(at))?);
                at += 3;
            }
            b'+' => return Err(wrong(at)),
            byte => {
                bytes.push(*byte);
                at += 1;
            }
        }
    }
    Ok(bytes)
}

/// The byte of a percent sign and two hex digits at the start of `text`.
fn escaped(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = text else { return None };
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &[u8] = b"\x81\x05Hello";

    #[test]
    fn percent_signs_and_data_urls_are_decoded() {
        for (text, form) in [
            ("%81%05Hello", Form::Percent),
            ("%81%05%48%65%6c%6C%6f\n", Form::Percent),
            ("data:application/octet-stream,%81%05Hello", Form::Percent),
            ("data:application/octet-stream;base64,gQVIZWxsbw==", Form::Base64),
            ("data:;base64,gQVIZWxsbw%3D%3D", Form::Base64),
        ] {
            assert_eq!(read(text), Some(Ok((form, HELLO.to_vec()))), "{text}");
        }
        assert_eq!(read("%89%00 %8A%00").expect("two").expect("read").1, [0x89, 0, 0x8a, 0]);
        for text in ["", "100%", "%", "%8", "hello%81", "%81 hello", "a%81", "data:", "data: 81 05", "%d bytes"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn what_may_be_two_things_is_refused() {
        let error = |text: &str| read(text).expect("encoded").expect_err("damage");
        let place = |character| Place { line: 1, character };
        assert_eq!(error("%81%05a+b"), PasteError::Percent { place: place(8), found: "+b".into() });
        assert_eq!(error("%81%0"), PasteError::Percent { place: place(4), found: "%0".into() });
    }
}
