//! The bytes that a hex panel shows now, read before the screen is drawn.

use std::io;
use std::ops::Range;

use super::hex_characters::{self, HexCharacter, MAX_CHARACTER};
use crate::tui::layout::HexShape;

/// The rows of a hex panel in view, with their bytes.
#[derive(Debug, Default)]
pub struct HexWindow {
    /// First row in view.
    pub top: u64,
    /// The range that was read last.
    range: Range<u64>,
    /// Its bytes; `None` if they cannot be read.
    bytes: Option<Vec<u8>>,
    characters: Vec<HexCharacter>,
}

impl HexWindow {
    /// Offset of the first byte in view, and the bytes; `None` if they cannot be read.
    pub fn bytes(&self) -> Option<(u64, &[u8])> {
        Some((self.range.start, self.bytes.as_deref()?))
    }

    /// What the character column shows for each byte in view.
    pub fn characters(&self) -> &[HexCharacter] {
        &self.characters
    }

    /// Scrolls to the row of the byte at `cursor`, of `len` bytes in all, and reads the bytes in view unless they are known.
    /// From the offset `utf8` on, UTF-8 characters are recognized.
    pub fn prepare(
        &mut self,
        shape: HexShape,
        cursor: u64,
        len: u64,
        utf8: Option<u64>,
        read: impl FnOnce(Range<u64>) -> io::Result<Vec<u8>>,
    ) {
        self.top = shape.scrolled(self.top, cursor, len);
        let start = self.top * shape.per_row;
        let range = start..start + shape.rows * shape.per_row;
        if self.range == range && self.bytes.is_some() {
            return;
        }
        self.range = range;
        // Characters may begin before the first byte in view, and end after the last one.
        let reach = MAX_CHARACTER as u64 - 1;
        let before = start - start.saturating_sub(reach).max(utf8.unwrap_or(start)).min(start);
        let around = start - before..self.range.end + reach;
        self.bytes = read(around).ok().map(|bytes| self.take(&bytes, before as usize, shape, utf8));
    }

    /// Keeps the bytes in view of those that were read, and their characters.
    fn take(&mut self, read: &[u8], before: usize, shape: HexShape, utf8: Option<u64>) -> Vec<u8> {
        let count = (self.range.end - self.range.start) as usize;
        let first = self.range.start - before as u64;
        // Bytes before the text are no characters of it.
        let plain = utf8.map_or(read.len(), |from| from.saturating_sub(first).min(read.len() as u64) as usize);
        self.characters = hex_characters::ascii(&read[before.min(plain)..plain]);
        let place = plain.saturating_sub(before) % shape.per_row as usize;
        let skip = before.saturating_sub(plain);
        self.characters.extend(hex_characters::utf8(&read[plain..], skip, place, shape.per_row as usize));
        self.characters.truncate(count);
        let end = (before + count).min(read.len());
        read[before.min(end)..end].to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_once_while_the_window_stays() {
        let shape = HexShape { per_row: 8, rows: 2 };
        let mut window = HexWindow::default();
        let mut reads = Vec::new();
        for cursor in [0, 9, 17, 16, 25] {
            window.prepare(shape, cursor, 32, None, |range| {
                reads.push(range);
                Ok(vec![7; 19])
            });
        }
        assert_eq!(reads, [0..19, 8..27, 16..35]);
        assert_eq!((window.top, window.bytes().map(|(at, bytes)| (at, bytes.len()))), (2, Some((16, 16))));
    }

    #[test]
    fn characters_are_recognized_from_the_beginning_of_the_text() {
        let wire = [&[0x81, 0x07, 0xc3][..], "a✓é".as_bytes(), &[0xa9]].concat();
        let seen = |top: u64| {
            let mut window = HexWindow { top, ..HexWindow::default() };
            let shape = HexShape { per_row: 4, rows: 1 };
            window.prepare(shape, top * 4, wire.len() as u64, Some(3), |range| {
                Ok(wire[range.start as usize..(range.end as usize).min(wire.len())].to_vec())
            });
            let signs = window.characters().iter().map(|cell| match cell {
                HexCharacter::Other => '·',
                HexCharacter::Character(c) => *c,
                HexCharacter::Continued | HexCharacter::Covered => '-',
            });
            signs.collect::<String>()
        };
        assert_eq!([seen(0), seen(1), seen(2)], ["···a", "✓--é", "é·"]);
    }
}
