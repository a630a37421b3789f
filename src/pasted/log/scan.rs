//! The parts of a log line: hex groups, numbers, words and signs.

/// A part of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part<'t> {
    pub kind: PartKind,
    /// Its text; that of a group without its prefix.
    pub text: &'t str,
    /// The offset of its first byte, a prefix included.
    pub at: usize,
    /// The offset after its last byte.
    pub end: usize,
}

/// What a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PartKind {
    /// An even number of hex digits, or one digit after `0x`.
    Group {
        /// Whether `0x` or `\x` is in front.
        prefixed: bool,
    },
    /// An odd number of decimal digits.
    Number,
    /// A date or a time of day.
    Time,
    /// Other letters and digits.
    Word,
    /// One character of punctuation.
    Sign(char),
}

/// The parts of a line, without white space.
pub(super) fn parts(line: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(c) = line[at..].chars().next() {
        let rest = &line[at..];
        let (kind, prefix, len) = if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        } else if let Some(len) =
            time_len(rest).filter(|_| !line[..at].ends_with(|c| is_word(c) || matches!(c, ':' | '-')))
        {
            (PartKind::Time, 0, len)
        } else if let Some(digits) = rest.strip_prefix("\\x").map(hex_len).filter(|len| *len > 0 && len % 2 == 0) {
            (PartKind::Group { prefixed: true }, 2, digits + 2)
        } else if is_word(c) {
            let len = word_len(rest);
            let (kind, prefix) = word_kind(&rest[..len]);
            (kind, prefix, len)
        } else {
            (PartKind::Sign(c), 0, c.len_utf8())
        };
        parts.push(Part { kind, text: &rest[prefix..len], at, end: at + len });
        at += len;
    }
    parts
}

/// Whether a text starts with a time of day or a date, and more than white space follows it.
pub(in crate::pasted) fn begins_with_time(text: &str) -> bool {
    let text = text.trim_start();
    time_len(text).is_some_and(|len| !text[len..].trim().is_empty() && text[len..].starts_with(char::is_whitespace))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn hex_len(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_hexdigit).count()
}

fn digits_len(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// The length of a word: letters and digits, with points between them, and the port of an address; or a UUID.
fn word_len(rest: &str) -> usize {
    if let Some(len) = uuid_len(rest) {
        return len;
    }
    let mut len = 0;
    let mut is_dotted = false;
    loop {
        len += rest[len..].find(|c| !is_word(c)).unwrap_or(rest.len() - len);
        let after = rest[len..].strip_prefix('.');
        match after.filter(|after| after.starts_with(is_word)) {
            Some(_) => (is_dotted, len) = (true, len + 1),
            None => break,
        }
    }
    if is_dotted && let Some(port) = rest[len..].strip_prefix(':') {
        let digits = digits_len(port);
        len += if digits > 0 { 1 + digits } else { 0 };
    }
    len
}

fn word_kind(word: &str) -> (PartKind, usize) {
    let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
    let prefix = if digits.is_some() { 2 } else { 0 };
    let digits = digits.unwrap_or(word);
    let is_hex = !digits.is_empty() && hex_len(digits) == digits.len();
    let kind = if is_hex && (digits.len().is_multiple_of(2) || prefix > 0 && digits.len() == 1) {
        PartKind::Group { prefixed: prefix > 0 }
    } else if digits_len(word) == word.len() {
        PartKind::Number
    } else {
        PartKind::Word
    };
    (kind, if matches!(kind, PartKind::Group { .. }) { prefix } else { 0 })
}

/// The length of `12:00:01`, `12:00:01,123`, `2026-11-26`, `2026/11/26`, `2026-11-26T12:00:01.5Z`, or `26/Nov/2026:12:00:01`.
fn time_len(text: &str) -> Option<usize> {
    let date = date_len(text);
    let after = date.map_or(text, |len| &text[len..]);
    let joined = match after.as_bytes() {
        [b'T' | b't' | b':' | b'_', b'0'..=b'9', ..] if date.is_some() => 1,
        _ => 0,
    };
    let clock = clock_len(&after[joined..]).filter(|_| date.is_none() || joined > 0);
    let len = match (date, clock) {
        (Some(date), Some(clock)) => date + joined + clock,
        (Some(len), None) | (None, Some(len)) => len,
        (None, None) => return None,
    };
    (!text[len..].starts_with(|c| is_word(c) || matches!(c, ':' | '-'))).then_some(len)
}

fn date_len(text: &str) -> Option<usize> {
    let [year @ .., a, b, c, d, e, f] = text.as_bytes().get(..10)? else { return None };
    let month = two_digits(*b, *c)?;
    let day = two_digits(*e, *f)?;
    let is_date = year.iter().all(u8::is_ascii_digit)
        && (year.starts_with(b"19") || year.starts_with(b"20"))
        && a == d
        && matches!(a, b'-' | b'/')
        && (1..=12).contains(&month)
        && (1..=31).contains(&day);
    is_date.then_some(10)
}

/// Hours, minutes and seconds, with a fraction and a zone.
fn clock_len(text: &str) -> Option<usize> {
    // `12:00`, before bytes with another separator.
    if let [h1, h2, b':', m1, m2, b' ' | b']', ..] = text.as_bytes()
        && two_digits(*h1, *h2)? < 24
        && two_digits(*m1, *m2)? < 60
        && !text[5..].contains(':')
    {
        return Some(5);
    }
    let [h1, h2, b':', m1, m2, b':', s1, s2] = text.as_bytes().get(..8)? else { return None };
    let is_clock = two_digits(*h1, *h2)? < 24 && two_digits(*m1, *m2)? < 60 && two_digits(*s1, *s2)? < 61;
    if !is_clock {
        return None;
    }
    let mut len = 8;
    if let Some(fraction) = text[len..].strip_prefix(['.', ',']) {
        let digits = digits_len(fraction);
        len += if digits > 0 { 1 + digits } else { 0 };
    }
    if text[len..].starts_with('Z') {
        len += 1;
    } else if let [b'+' | b'-', a, b, b':', c, d, ..] = text.as_bytes()[len..]
        && [a, b, c, d].iter().all(u8::is_ascii_digit)
    {
        len += 6;
    }
    Some(len)
}

fn two_digits(tens: u8, ones: u8) -> Option<u8> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| (tens - b'0') * 10 + ones - b'0')
}

/// The length of `550e8400-e29b-41d4-a716-446655440000`.
fn uuid_len(text: &str) -> Option<usize> {
    let uuid = text.get(..36)?;
    let is_uuid = uuid.split('-').map(|part| (part.len(), hex_len(part))).eq([8, 4, 4, 4, 12].map(|len| (len, len)));
    (is_uuid && !text[36..].starts_with(is_word)).then_some(36)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(line: &str) -> String {
        let letter = |part: &Part<'_>| match part.kind {
            PartKind::Group { prefixed: false } => 'g',
            PartKind::Group { prefixed: true } => 'x',
            PartKind::Number => 'n',
            PartKind::Time => 't',
            PartKind::Word => 'w',
            PartKind::Sign(c) => c,
        };
        parts(line).iter().map(letter).collect()
    }

    #[test]
    fn a_line_has_groups_words_times_and_numbers() {
        for (line, expected) in [
            ("[12:00:01] TX 81 85", "[t]wgg"),
            ("2026-11-26 12:00:01,123 8105", "ttg"),
            ("2026-11-26T12:00:01.5+01:00 recv: 0x81,0x05", "tw:x,x"),
            ("12:00:01:02 81", "g:g:g:gg"),
            ("25:00:01 81", "g:g:gg"),
            ("12:00 81 05", "tgg"),
            ("[12:00] 81", "[t]g"),
            ("01:05 48:65", "g:gg:g"),
            ("129 5 72", "nng"),
            ("10.0.0.1:8080 1.5 81.", "wwg."),
            ("id=550e8400-e29b-41d4-a716-446655440000 81", "w=wg"),
            (r"\x81\x05He", "xxw"),
            (r"\x8105", "x"),
            ("frame81 0x810 0x5 é", "wwxw"),
            ("", ""),
        ] {
            assert_eq!(kinds(line), expected, "{line}");
        }
    }

    #[test]
    fn a_time_before_bytes_is_no_byte() {
        for text in ["12:00:01 81 05", "  2026-11-26 81 05", "12:00:01.250 81", "12:00 81 05"] {
            assert!(begins_with_time(text), "{text}");
        }
        for text in ["12:00:01", "81:05:48 65", "12:00:01:02 03", "05:48:65 6c", "12:00:0¥ 81", "2026-11-26-81 05", ""]
        {
            assert!(!begins_with_time(text), "{text}");
        }
    }
}
