//! Hex digits that may mean something else than the bytes in their order.

use super::error::{PasteError, Place, excerpt};
use super::hex::{self, Group};
use super::{literal, log, shape};

/// What hex digits may be besides bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HexDoubt {
    /// They are text with escapes of these bytes: `\x81\x0812345678`.
    Escapes(Vec<u8>),
    /// A line starts with a time or a number. As a line of a log it may be certain; otherwise this is the error.
    Label(PasteError),
    /// They are refused.
    Error(PasteError),
}

/// What may be wrong with hex digits that were read as `bytes`; `None` if nothing.
pub(super) fn about_hex(text: &str, bytes: &[u8]) -> Option<HexDoubt> {
    if let Some(label) = text.lines().find_map(|line| label(text, line)) {
        return Some(HexDoubt::Label(label));
    }
    let is_whole = shape::is_whole(bytes);
    // Zeros are valid continuations, and more often an offset.
    if is_whole && !bytes.starts_with(&[0]) {
        return None;
    }
    let groups = hex::groups(text)?;
    if let Some(label) = offset(text, &groups) {
        return Some(HexDoubt::Error(label));
    }
    if is_whole {
        return None;
    }
    escapes(text, &groups).or_else(|| Some(HexDoubt::Error(swapped(text, &groups)?)))
}

/// An offset before bytes that are frames without it: `00000000 81 05`.
fn offset(text: &str, groups: &[Group<'_>]) -> Option<PasteError> {
    let digits: Vec<&str> = groups.iter().map(|group| group.digits).collect();
    let (first, rest) = digits.split_first()?;
    let is_offset =
        hex::begins_with_offset(&digits) && shape::is_whole(&hex::bytes(&rest.concat()).collect::<Vec<_>>());
    is_offset.then(|| PasteError::LabelOrBytes { place: Place::of(text, groups[0].at), found: excerpt(first) })
}

/// Whether each line starts with a time or a number before its bytes.
pub(super) fn has_labels(text: &str) -> bool {
    text.lines().filter(|line| !line.trim().is_empty()).all(|line| label(text, line).is_some())
}

/// A time or a number before the bytes of a line: `12:00:01 81 05`, `10: 81 05`.
fn label(text: &str, line: &str) -> Option<PasteError> {
    let line = line.trim();
    let (first, rest) = line.split_once(char::is_whitespace)?;
    // Bytes have one separator: `12:00 81 05`, `10: 81 05`.
    let is_other = first.contains(':') && !rest.trim_end().trim_end_matches(':').contains(':');
    (log::begins_with_time(line) || is_other).then(|| PasteError::LabelOrBytes {
        place: Place::of(text, line.as_ptr() as usize - text.as_ptr() as usize),
        found: excerpt(first),
    })
}

/// `\x` takes two digits in most languages, and all digits in PostgreSQL.
fn escapes(text: &str, groups: &[Group<'_>]) -> Option<HexDoubt> {
    let is_escape = |group: &&Group<'_>| group.prefixed && text[..group.at].ends_with("\\x");
    let long = groups.iter().filter(is_escape).find(|group| group.digits.len() > 2)?;
    match literal::escaped(text.trim()).filter(|bytes| shape::is_whole(bytes)) {
        Some(bytes) => Some(HexDoubt::Escapes(bytes)),
        None if groups.len() == 1 => None,
        None => {
            let (place, found) =
                (Place::of(text, long.at - 2), excerpt(&text[long.at - 2..long.at + long.digits.len()]));
            Some(HexDoubt::Error(PasteError::EscapeOrHex { place, found }))
        }
    }
}

/// Words of 2 or 4 bytes in the order of a little-endian machine, as `od -A n -x` and debuggers print them.
fn swapped(text: &str, groups: &[Group<'_>]) -> Option<PasteError> {
    let (first, (last, others)) = (groups.first()?, groups.split_last()?);
    let len = first.digits.len();
    let is_word =
        matches!(len, 4 | 8) && others.iter().all(|group| group.digits.len() == len) && last.digits.len() <= len;
    if groups.len() < 2 || !is_word {
        return None;
    }
    let mut bytes: Vec<u8> = groups
        .iter()
        .flat_map(|group| {
            let mut word: Vec<u8> = hex::bytes(group.digits).collect();
            word.reverse();
            word
        })
        .collect();
    for _ in 0..len / 2 {
        if shape::is_whole(&bytes) {
            return Some(PasteError::SwappedWords { place: Place::of(text, first.at), group: excerpt(first.digits) });
        }
        // The last word may be filled with zeros.
        bytes.pop().filter(|byte| *byte == 0)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doubt(text: &str) -> Option<HexDoubt> {
        about_hex(text, &hex::read(text).expect("hex").expect("even"))
    }

    #[test]
    fn a_time_or_a_number_may_be_before_the_bytes() {
        for text in ["12:00:01 81 05", "89 00\n2026-11-26 8a00", "10: 81 05 48", "81: 05", "12:00 81 05", "00:01 81"] {
            assert!(matches!(doubt(text), Some(HexDoubt::Label(_))), "{text}");
        }
        for text in ["81 05 48", "81: 05: 48:", "81:05:48 65:6c", "12:00:01", "01:02:03\n04:05:06", "81 05 12:00:01"] {
            assert_eq!(doubt(text), None, "{text}");
        }
    }

    #[test]
    fn escapes_and_words_are_known_by_the_frames_in_them() {
        assert_eq!(doubt(r"\x81\x0812345678"), Some(HexDoubt::Escapes(b"\x81\x0812345678".to_vec())));
        assert!(matches!(doubt(r"\x81\x0512"), Some(HexDoubt::Error(PasteError::EscapeOrHex { .. }))));
        for text in ["0581 6548 6c6c 006f", "65480581 6f6c6c", "0x0581 0x6548 0x6c6c 0x006f"] {
            assert!(matches!(doubt(text), Some(HexDoubt::Error(PasteError::SwappedWords { .. }))), "{text}");
        }
        let offset = doubt("00000000 81 05 48 65 6c 6c 6f");
        assert!(matches!(offset, Some(HexDoubt::Error(PasteError::LabelOrBytes { .. }))));
        let offset = doubt("000123 81 05 48 65 6c 6c 6f");
        assert!(matches!(offset, Some(HexDoubt::Error(PasteError::LabelOrBytes { .. }))));
        for text in [
            r"\x810548656c6c6f",
            "8105 48",
            "00000000 83 05",
            "8105 4865 6c6c 6f",
            "8105 4865",
            r"\x81\x05",
            "810548656c6c6f",
        ] {
            assert_eq!(doubt(text), None, "{text}");
        }
    }
}
