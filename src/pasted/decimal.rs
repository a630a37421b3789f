//! Decimal numbers, which are read as such only on request: `129 5 72`, `[129, 5, -128]`.

use super::error::{PasteError, Place, excerpt};

/// Reads decimal numbers from −128 to 255, separated by white space, commas or semicolons, with or without brackets.
///
/// # Errors
/// Something is no number, or no byte.
pub(super) fn read(text: &str) -> Result<Vec<u8>, PasteError> {
    let is_separator = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '[' | ']' | '{' | '}' | '(' | ')');
    let words = text.split(is_separator).filter(|word| !word.is_empty());
    let place = |word: &str| Place::of(text, word.as_ptr() as usize - text.as_ptr() as usize);
    words
        .map(|word| {
            let digits = word.strip_prefix('-').unwrap_or(word);
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(PasteError::NotDecimal { place: place(word), found: excerpt(word) });
            }
            byte_of(word).ok_or_else(|| PasteError::NotAByte { place: place(word), number: excerpt(word) })
        })
        .collect()
}

/// The byte of a decimal number; a negative one is the byte of a signed type.
pub(super) fn byte_of(number: &str) -> Option<u8> {
    number.parse::<u8>().ok().or_else(|| number.parse::<i8>().ok().map(i8::cast_unsigned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_numbers_may_be_signed() {
        assert_eq!(read("129 5, 72\n[-127]"), Ok(vec![129, 5, 72, 129]));
        let place = Place { line: 1, character: 5 };
        assert_eq!(read("129 256"), Err(PasteError::NotAByte { place, number: "256".to_owned() }));
        assert_eq!(read("129 0x5"), Err(PasteError::NotDecimal { place, found: "0x5".to_owned() }));
        assert_eq!(read("129 -"), Err(PasteError::NotDecimal { place, found: "-".to_owned() }));
    }
}
