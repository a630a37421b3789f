//! Makes captured text safe for a terminal. Captured text reaches a terminal only through this module.
//!
//! Control characters become their symbols from U+2400 on. Bidirectional overrides and other invisible characters
//! become their code point in angle brackets. Invalid UTF-8 becomes U+FFFD.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use regex_syntax::hir::{Class, ClassUnicode, HirKind};
use unicode_width::UnicodeWidthStr as _;

/// The characters that are replaced, by their Unicode properties: controls, formats (which include the bidirectional ones), separators of
/// lines and paragraphs, and whatever is invisible unless a font supports it.
const INVISIBLE: &str = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]";

/// Replaces each control, escape and bidirectional character by a visible symbol.
pub fn text(raw: &str) -> Cow<'_, str> {
    if raw.chars().all(is_plain) {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len() + 8);
    for c in raw.chars() {
        push(&mut out, c);
    }
    Cow::Owned(out)
}

/// As [`text`], for bytes that may not be valid UTF-8.
pub fn bytes(raw: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(raw) {
        Ok(valid) => text(valid),
        Err(_) => Cow::Owned(text(&String::from_utf8_lossy(raw)).into_owned()),
    }
}

/// The characters of a line that [`carets`] shows before the range, and from its beginning on.
const CARETS_BEFORE: usize = 80;
const CARETS_AFTER: usize = 120;

/// The number of columns before a range of bytes of a line, and the width of the range in columns, at least 1.
pub fn columns(line: &str, span: &Range<usize>) -> (usize, usize) {
    let width = |part: &str| text(part).width();
    (width(&line[..span.start]), width(&line[span.clone()]).max(1))
}

/// A line, safe for a terminal, and a line with carets under a range of its bytes. Of a long line, the part around the range is shown.
pub fn carets(line: &str, span: &Range<usize>) -> [String; 2] {
    let before = line[..span.start].char_indices().rev().nth(CARETS_BEFORE).map(|(at, _)| at);
    let start = before.unwrap_or(0);
    let after = line[span.start..].char_indices().nth(CARETS_AFTER).map(|(at, _)| span.start + at);
    let end = after.unwrap_or(line.len());
    let cut = |is_cut: bool| if is_cut { "…" } else { "" };
    let left = cut(before.is_some());
    let part = format!("{left}{}{}", &line[start..end], cut(after.is_some()));
    let moved = |at: usize| at.min(end) - start + left.len();
    let (before, under) = columns(&part, &(moved(span.start)..moved(span.end)));
    [text(&part).into_owned(), format!("{}{}", " ".repeat(before), "^".repeat(under))]
}

/// The character for a byte in a hex view: the byte itself if it is printable ASCII, otherwise a middle dot.
pub const fn hex_cell(byte: u8) -> char {
    if byte >= 0x20 && byte < 0x7f { byte as char } else { '·' }
}

/// Up to 16 bytes as hex, in two groups of 8.
pub fn hex_row(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(49);
    for (i, byte) in bytes.iter().enumerate() {
        use std::fmt::Write as _;
        let gap = match i {
            0 => "",
            8 => "  ",
            _ => " ",
        };
        let _ = write!(out, "{gap}{byte:02x}");
    }
    out
}

/// The name of a byte: its character if it is printable ASCII, otherwise a control symbol or `not ASCII`.
pub fn byte_name(byte: u8) -> String {
    match byte {
        0x20 => "space".to_owned(),
        0x21..=0x7e => (byte as char).to_string(),
        0x00..=0x1f | 0x7f => control_picture(byte).to_string(),
        _ => "not ASCII".to_owned(),
    }
}

fn push(out: &mut String, c: char) {
    match c {
        '\0'..='\x1f' | '\x7f' => out.push(control_picture(c as u8)),
        c if is_plain(c) => out.push(c),
        c => {
            use std::fmt::Write as _;
            let _ = write!(out, "⟨U+{:04X}⟩", c as u32);
        }
    }
}

fn control_picture(byte: u8) -> char {
    match byte {
        0x7f => '\u{2421}',
        _ => char::from_u32(0x2400 + u32::from(byte & 0x1f)).unwrap_or('·'),
    }
}

/// Returns true if a terminal shows the character as it is and does nothing else.
pub fn is_plain(c: char) -> bool {
    static TABLE: LazyLock<ClassUnicode> = LazyLock::new(|| {
        let parsed = regex_syntax::parse(INVISIBLE).expect("a class, as a test checks");
        match parsed.into_kind() {
            HirKind::Class(Class::Unicode(class)) => class,
            other => unreachable!("a class, as a test checks: {other:?}"),
        }
    });
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    let ranges = TABLE.ranges();
    let at = ranges.partition_point(|range| range.end() < c);
    ranges.get(at).is_none_or(|range| c < range.start())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_and_bidi_overrides_become_visible() {
        assert_eq!(text("a\x1b[31mb\r\n"), "a␛[31mb␍␊");
        assert_eq!(text("x\u{202e}y"), "x⟨U+202E⟩y");
        assert_eq!(text("c1 \u{9b}31m"), "c1 ⟨U+009B⟩31m");
        assert_eq!(text("日本 naïve ✓"), "日本 naïve ✓");
        assert_eq!(bytes(b"\xff\x07"), "\u{fffd}␇");
    }

    #[test]
    fn carets_of_a_long_line_show_the_part_around_the_range() {
        let line = format!("{}wrong{}", "é".repeat(500), "x".repeat(500));
        let [part, carets] = carets(&line, &(1000..1005));
        assert_eq!(part, format!("…{}wrong{}…", "é".repeat(81), "x".repeat(115)));
        assert_eq!(carets, format!("{}^^^^^", " ".repeat(82)));
        let [part, carets] = super::carets(&line, &(0..line.len()));
        assert_eq!((part.chars().count(), carets.len()), (121, 120));
        assert_eq!(super::carets("ab", &(2..2)), ["ab", "  ^"]);
    }

    #[test]
    fn invisible_characters_become_visible_and_others_stay() {
        for hidden in [
            '\u{ad}',
            '\u{34f}',
            '\u{600}',
            '\u{61c}',
            '\u{115f}',
            '\u{17b4}',
            '\u{17b5}',
            '\u{180b}',
            '\u{180d}',
            '\u{180e}',
            '\u{200b}',
            '\u{2028}',
            '\u{2029}',
            '\u{202e}',
            '\u{2066}',
            '\u{206f}',
            '\u{3164}',
            '\u{fe00}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{fff9}',
            '\u{1bca0}',
            '\u{1bca3}',
            '\u{1d173}',
            '\u{e0001}',
            '\u{e0100}',
            '\u{e0fff}',
        ] {
            assert_eq!(text(&hidden.to_string()), format!("⟨U+{:04X}⟩", u32::from(hidden)));
        }
        for shown in ['a', ' ', 'é', '\u{a0}', '\u{301}', '日', '✓', '\u{17b6}', '\u{fdff}', '\u{1f600}', '\u{10ffff}']
        {
            assert!(is_plain(shown), "{shown:?}");
        }
    }

    proptest! {
        /// The regular expression finds what the table has, and nothing in a text that was made safe.
        #[test]
        fn only_plain_characters_pass(raw in any::<String>(), c in any::<char>()) {
            let invisible = regex::Regex::new(INVISIBLE).expect("a class");
            prop_assert!(!invisible.is_match(&text(&raw)));
            prop_assert_eq!(is_plain(c), !invisible.is_match(&c.to_string()));
        }

        #[test]
        fn no_control_character_passes(raw in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(!bytes(&raw).chars().any(char::is_control));
        }
    }
}
