//! The text column of a dump: the characters that a tool prints beside the bytes in hex.

/// The text column without the signs around it.
pub(super) fn inside(text: &str) -> &str {
    let pairs = [('|', '|'), ('>', '<'), ('│', '│'), ('[', ']')];
    let within = |(open, close)| text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    pairs.into_iter().find_map(within).unwrap_or(text)
}

/// Whether a text column shows these bytes: each printable character is itself, and others are dots or signs that are not in
/// ASCII. Spaces do not count, because columns have more or fewer of them; some tools print a space as a dot.
pub(super) fn shows(text: &str, bytes: &[u8]) -> bool {
    let shown = |text: &str, space_is_shown: bool| {
        let mut signs = text.chars().filter(|c| *c != ' ');
        let mut all = bytes.iter().filter(|byte| space_is_shown || **byte != b' ');
        !text.trim().is_empty()
            && all.all(|byte| signs.next().is_some_and(|sign| stands_for(sign, *byte)))
            && signs.next().is_none()
    };
    let inside = inside(text);
    let either = |text| shown(text, false) || shown(text, true);
    either(inside) || inside.len() < text.len() && either(text)
}

/// Whether a tool prints this sign for a byte.
fn stands_for(sign: char, byte: u8) -> bool {
    match byte {
        0x21..=0x7e => sign == char::from(byte),
        b' ' => matches!(sign, '.' | '·' | '_' | '␠'),
        // hexyl prints white space as a low line.
        b'\t' | b'\n' | b'\r' if sign == '_' => true,
        _ => matches!(sign, '.' | '?') || !sign.is_ascii(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_shows_its_bytes() {
        for text in [
            "..Hello",
            "|..Hello|",
            ">..Hello<",
            "··Hello",
            "\u{fffd}\u{fffd}Hello",
            "ü.Hello ",
            "×•Hello",
            "│×•Hello│",
        ] {
            assert!(shows(text, b"\x81\x05Hello"), "{text}");
        }
        for text in ["", " ", "..Hell", "..Hello.", "..hello", "810548", "Hello"] {
            assert!(!shows(text, b"\x81\x05Hello"), "{text}");
        }
        assert!(shows("a b", b"a b") && shows("a.b", b"a b") && shows("ab", b"a b") && shows("|a|", b"|a|"));
    }
}
