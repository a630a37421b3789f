//! The character column of a hex panel: ASCII characters, and UTF-8 characters across their bytes.

use unicode_width::UnicodeWidthChar as _;

use crate::wire::printable;

/// The most bytes of a UTF-8 character.
pub const MAX_CHARACTER: usize = 4;

/// What the cell of a byte shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HexCharacter {
    /// A byte that is no character by itself: a middle dot.
    Other,
    /// The character that begins here, or whose first bytes are at the end of the row above.
    Character(char),
    /// A further byte of that character.
    Continued,
    /// The same, under the second column of a wide character.
    Covered,
}

/// The cells of bytes, each as a character of ASCII.
pub fn ascii(bytes: &[u8]) -> Vec<HexCharacter> {
    let cell = |byte: &u8| match byte {
        0x20..0x7f => HexCharacter::Character(char::from(*byte)),
        _ => HexCharacter::Other,
    };
    bytes.iter().map(cell).collect()
}

/// The cells of the bytes `bytes[skip..]` of a text. The bytes before only show where characters begin. The first cell has that
/// `place` in its row of `per_row`.
pub fn utf8(bytes: &[u8], skip: usize, place: usize, per_row: usize) -> Vec<HexCharacter> {
    let mut cells = ascii(bytes);
    let mut at = 0;
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            let len = c.len_utf8();
            if len > 1 && printable::is_plain(c) {
                let width = c.width().unwrap_or(0).max(1);
                // The first cell in view from which the character fits into a row.
                let fits = |cell: &usize| {
                    let in_view = (at + cell).checked_sub(skip);
                    in_view.is_some_and(|n| cell + width <= len && (place + n) % per_row + width <= per_row)
                };
                if let Some(first) = (0..len).find(fits) {
                    draw(&mut cells[at..at + len], c, first);
                }
            }
            at += len;
        }
        at += chunk.invalid().len();
    }
    cells.split_off(skip.min(cells.len()))
}

fn draw(cells: &mut [HexCharacter], c: char, first: usize) {
    cells.fill(HexCharacter::Continued);
    cells[first] = HexCharacter::Character(c);
    if c.width() == Some(2) {
        cells[first + 1] = HexCharacter::Covered;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bytes: &[u8], skip: usize, per_row: usize) -> String {
        let sign = |cell| match cell {
            HexCharacter::Other => '·',
            HexCharacter::Character(c) => c,
            HexCharacter::Continued => '-',
            HexCharacter::Covered => '=',
        };
        utf8(bytes, skip, 0, per_row).into_iter().map(sign).collect()
    }

    #[test]
    fn a_character_is_shown_once_across_its_bytes() {
        assert_eq!(shown("aé✓日😀".as_bytes(), 0, 16), "aé-✓--日=-😀=--");
        assert_eq!(shown(b"a\n\xff\xe2\x9c", 0, 8), "a····");
        assert_eq!(shown("\u{202e}".as_bytes(), 0, 8), "···", "an invisible character");
        assert_eq!(ascii("é".as_bytes()), [HexCharacter::Other; 2]);
    }

    #[test]
    fn a_character_that_begins_in_the_row_above_is_shown_where_it_fits() {
        assert_eq!(shown("a日".as_bytes(), 0, 2), "a-日=");
        assert_eq!(shown("é✓x".as_bytes(), 3, 4), "✓-x", "its first byte is above the first row in view");
        assert_eq!(shown("aé".as_bytes(), 2, 4), "é");
        assert_eq!(shown("a日".as_bytes(), 3, 4), "·", "one cell is too narrow");
    }
}
