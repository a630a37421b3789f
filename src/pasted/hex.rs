//! Hex digits: `81 05`, `81:05`, `81-05`, `0x81, 0x05`, `\x81\x05`.

use super::Recognized;
use super::error::{PasteError, Place, excerpt};

/// Reads groups of an even number of digits. A group with `0x` in front is a number, which may have one digit. `None` if
/// the text contains anything else.
///
/// # Errors
/// A group has an odd number of digits: it may be a decimal number.
pub(super) fn read(text: &str) -> Recognized<Vec<u8>> {
    let groups = groups(text)?;
    let digits = |group: &Group<'_>| group.digits.len().is_multiple_of(2) || group.prefixed && group.digits.len() == 1;
    if let Some(odd) = groups.iter().find(|group| !digits(group)) {
        let (place, group) = (Place::of(text, odd.at), excerpt(odd.digits));
        let decimal = groups.iter().all(|group| !group.prefixed && group.digits.parse::<u8>().is_ok());
        return Some(Err(match decimal {
            true => PasteError::HexOrDecimal { place, group },
            false => PasteError::OddHex { place, group },
        }));
    }
    Some(Ok(groups.iter().flat_map(|group| bytes(group.digits)).collect()))
}

/// Reads hex digits with comments after `#` or `//`, up to the end of the line. `None` if there are none, or anything else.
///
/// # Errors
/// A group has an odd number of digits.
pub(super) fn commented(text: &str) -> Recognized<Vec<u8>> {
    let comment = |line: &str| [" #", "\t#", "//"].iter().filter_map(|sign| line.find(sign)).min();
    let is_comment = |line: &str| line.trim_start().starts_with('#');
    // The digits keep their lines, so that an error names the right place.
    let digits = |line| if is_comment(line) { "" } else { &line[..comment(line).unwrap_or(line.len())] };
    let lines: Vec<&str> = text.lines().map(digits).collect();
    read(&lines.join("\n"))
}

/// Reads hex digits, whatever their groups: all digits are joined, except that `0x5` is a byte.
///
/// # Errors
/// A character is no digit and no separator, or the number of digits is odd.
pub(super) fn joined(text: &str) -> Result<Vec<u8>, PasteError> {
    let Some(groups) = groups(text) else {
        let wrong =
            |c: &(usize, char)| !c.1.is_ascii_hexdigit() && !is_separator(c.1) && !matches!(c.1, 'x' | 'X' | '\\');
        let (at, found) = text.char_indices().find(wrong).or_else(|| text.char_indices().next()).unwrap_or_default();
        return Err(PasteError::NotHex { place: Place::of(text, at), found });
    };
    let mut all = String::new();
    let mut last = 0;
    for group in &groups {
        if group.prefixed && group.digits.len() == 1 && all.len().is_multiple_of(2) {
            all.push('0');
        }
        all.push_str(group.digits);
        last = group.at + group.digits.len() - 1;
    }
    if !all.len().is_multiple_of(2) {
        let group = groups.last().map(|group| excerpt(group.digits)).unwrap_or_default();
        return Err(PasteError::OddHex { place: Place::of(text, last), group });
    }
    Ok(bytes(&all).collect())
}

/// The bytes of an even number of hex digits, or of a single one. Skips what is none.
pub(super) fn bytes(digits: &str) -> impl Iterator<Item = u8> + '_ {
    digits.as_bytes().chunks(2).filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
}

/// Whether the first of several groups is longer than all others, which have the same length, so that it may be an offset.
pub(super) fn begins_with_offset(groups: &[&str]) -> bool {
    let [first, second, others @ ..] = groups else { return false };
    (4..=16).contains(&first.len())
        && first.len() > second.len()
        && others.iter().all(|other| other.len() == second.len())
}

/// Digits between separators or prefixes.
pub(super) struct Group<'t> {
    /// The offset of its first digit.
    pub at: usize,
    /// Its digits, without a prefix.
    pub digits: &'t str,
    /// Whether `0x` or `\x` is in front.
    pub prefixed: bool,
}

/// The groups of a text; `None` if it contains something else than digits, separators and prefixes, or no digit.
pub(super) fn groups(text: &str) -> Option<Vec<Group<'_>>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let bytes = text.as_bytes();
    let (mut at, mut open) = (0, false);
    while at < bytes.len() {
        let begins_byte = !open || groups.last().is_some_and(|group| (at - group.at).is_multiple_of(2));
        let prefix = match &bytes[at..] {
            [b'0', b'x' | b'X', next, ..] if begins_byte && next.is_ascii_hexdigit() => true,
            [b'\\', b'x', next, ..] if next.is_ascii_hexdigit() => true,
            _ => false,
        };
        if prefix {
            at += 2;
            groups.push(Group { at, digits: &text[at..at], prefixed: true });
            open = true;
        }
        match bytes[at] {
            digit if digit.is_ascii_hexdigit() => {
                if !open {
                    groups.push(Group { at, digits: "", prefixed: false });
                }
                let group = groups.last_mut()?;
                group.digits = &text[group.at..=at];
                open = true;
            }
            // A minus before a number is a sign.
            b'-' if !open => return None,
            b':' | b',' | b';' if groups.is_empty() => return None,
            _ => {
                let c = text[at..].chars().next().filter(|c| is_separator(*c))?;
                open = false;
                at += c.len_utf8() - 1;
            }
        }
        at += 1;
    }
    (!groups.is_empty()).then_some(groups)
}

/// White space includes that of web pages: no-break and zero-width spaces.
fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, ':' | '-' | ',' | ';' | '\u{200b}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_may_have_separators_and_prefixes() {
        for text in [
            "8105",
            "81 05",
            "81:05",
            "81-05",
            "0x81 0x05",
            "0X8105",
            "0x81,0x05",
            "0x81, 0x5,",
            "\\x81\\x05",
            "81\n05\r\n",
            "0x810x05",
            "\t81;05",
            "81\u{a0}05",
            "81\u{200b} 05\u{202f}",
        ] {
            assert_eq!(read(text), Some(Ok(vec![0x81, 0x05])), "{text}");
        }
        assert_eq!(read("10 20 30"), Some(Ok(vec![0x10, 0x20, 0x30])));
        for text in ["", " ", "hello", "81 -05", "-81", "81 05 |", "x81", "0x", "81\\n"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn comments_after_hex_are_ignored() {
        for text in ["81 // a text\n05", "# a frame\n81 # FIN, text\n05 // length", "8105 //c5\r\n"] {
            assert_eq!(commented(text), Some(Ok(vec![0x81, 0x05])), "{text}");
        }
        for text in ["", "# 81 05", "81#05", "https://8105", "see // 81"] {
            assert_eq!(commented(text), None, "{text}");
        }
        let place = Place { line: 2, character: 1 };
        assert_eq!(commented("81 # x\n5 // y"), Some(Err(PasteError::HexOrDecimal { place, group: "5".into() })));
    }

    #[test]
    fn an_odd_group_is_refused_with_its_place() {
        for (text, line, character, decimal) in [
            ("10 5", 1, 4, true),
            ("8 1 0 5 48", 1, 1, true),
            ("129 5 72", 1, 1, true),
            ("129, 5, 72", 1, 1, true),
            ("81 05\n4 8c", 2, 1, false),
            ("256 1", 1, 1, false),
            ("0x810", 1, 3, false),
        ] {
            let place = Place { line, character };
            let error = read(text).expect("hex").expect_err("odd");
            let (found, is_decimal) = match &error {
                PasteError::HexOrDecimal { place, .. } => (*place, true),
                PasteError::OddHex { place, .. } => (*place, false),
                _ => panic!("{error}"),
            };
            assert_eq!((found, is_decimal), (place, decimal), "{text}");
        }
    }

    #[test]
    fn as_hex_joins_all_digits() {
        assert_eq!(joined("8 1 0 5 48"), Ok(vec![0x81, 0x05, 0x48]));
        assert_eq!(joined("0x81 0x5"), Ok(vec![0x81, 0x05]));
        assert!(matches!(joined("81 0"), Err(PasteError::OddHex { place: Place { line: 1, character: 4 }, .. })));
        let error = PasteError::NotHex { place: Place { line: 1, character: 5 }, found: 'g' };
        assert_eq!(joined("81 0g"), Err(error));
    }
}
