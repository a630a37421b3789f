//! A payload as text, broken into the lines of its panel.

use std::borrow::Cow;
use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use crate::wire::printable;

/// The longest beginning of a text that is shown as text, in bytes.
pub const MAX_TEXT: u64 = 64 * 1024;

/// The beginning of a text, and the lines in view.
#[derive(Debug, Default)]
pub struct TextWindow {
    bytes: Vec<u8>,
    /// Bytes of the text that follow.
    pub more: u64,
    /// First line in view.
    pub top: usize,
    width: u16,
    /// The bytes of each line.
    lines: Vec<Range<usize>>,
}

/// A character of a text, or bytes that are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextPiece<'t> {
    /// Its bytes, as offsets in the text.
    pub bytes: Range<usize>,
    /// What is shown: safe for a terminal.
    pub shown: Cow<'t, str>,
}

impl TextWindow {
    /// A window on a text of `len` bytes, of which `bytes` are the first.
    pub fn new(bytes: Vec<u8>, len: u64) -> Self {
        let more = len.saturating_sub(bytes.len() as u64);
        Self { bytes, more, ..Self::default() }
    }

    /// Number of bytes that can be shown.
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Number of line breaks in the text.
    pub fn breaks(&self) -> u64 {
        self.bytes.iter().filter(|byte| **byte == b'\n').count() as u64
    }

    /// Breaks the text into lines of at most `width` columns, and scrolls to the byte at `cursor`.
    pub fn prepare(&mut self, width: u16, height: u16, cursor: u64) {
        if self.width != width || self.lines.is_empty() {
            self.width = width;
            self.lines = broken(&self.bytes, usize::from(width.max(2)));
        }
        let height = usize::from(height).max(1);
        let line = self.line_of(cursor);
        self.top = self.top.clamp((line + 1).saturating_sub(height), line);
        self.top = self.top.min(self.lines.len().saturating_sub(height));
    }

    /// The pieces of each line in view, from the first one.
    pub fn lines(&self) -> impl Iterator<Item = Vec<TextPiece<'_>>> {
        self.lines.iter().skip(self.top).map(|line| pieces(&self.bytes[line.clone()], line.start).collect())
    }

    /// The byte that is `rows` lines below (above, if negative) the one at `cursor`, at the same place of its line. The smallest and
    /// the largest number of rows go to the first and the last byte.
    pub fn step(&self, cursor: u64, rows: i64) -> u64 {
        match rows {
            i64::MIN => return 0,
            i64::MAX => return self.bytes.len().saturating_sub(1) as u64,
            _ => {}
        }
        let from = self.line_of(cursor);
        let rows = isize::try_from(rows).unwrap_or(if rows < 0 { isize::MIN } else { isize::MAX });
        let to = from.saturating_add_signed(rows).min(self.lines.len().saturating_sub(1));
        let (Some(line), Some(own)) = (self.lines.get(to), self.lines.get(from)) else { return cursor };
        let place = (cursor as usize).saturating_sub(own.start);
        (line.start + place).min(line.end.saturating_sub(1)).max(line.start) as u64
    }

    /// The byte at a position of the panel.
    pub fn byte_at(&self, x: u16, y: u16) -> Option<u64> {
        let line = self.lines.get(self.top + usize::from(y))?;
        let mut column = 0;
        for piece in pieces(&self.bytes[line.clone()], line.start) {
            column += piece.shown.width();
            if usize::from(x) < column {
                return Some(piece.bytes.start as u64);
            }
        }
        None
    }

    fn line_of(&self, byte: u64) -> usize {
        let byte = usize::try_from(byte).unwrap_or(usize::MAX);
        self.lines.partition_point(|line| line.start <= byte).saturating_sub(1)
    }
}

/// The pieces of a text; `at` is the offset of its first byte.
pub fn pieces(text: &[u8], mut at: usize) -> impl Iterator<Item = TextPiece<'_>> {
    text.utf8_chunks().flat_map(move |chunk| {
        let mut out = Vec::new();
        for grapheme in chunk.valid().graphemes(true) {
            out.push(TextPiece { bytes: at..at + grapheme.len(), shown: printable::text(grapheme) });
            at += grapheme.len();
        }
        if !chunk.invalid().is_empty() {
            let end = at + chunk.invalid().len();
            out.push(TextPiece { bytes: at..end, shown: Cow::Borrowed("\u{fffd}") });
            at = end;
        }
        out
    })
}

/// The lines of a text: broken after each line break, and between words where a line would be wider than `width` columns.
fn broken(text: &[u8], width: usize) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let (mut start, mut columns) = (0, 0);
    // The last place where the line may be broken, and the columns before it.
    let mut gap: Option<(usize, usize)> = None;
    for piece in pieces(text, 0) {
        let wide = piece.shown.width();
        while columns + wide > width && piece.bytes.start > start {
            let (end, before) = gap.take().unwrap_or((piece.bytes.start, columns));
            lines.push(start..end);
            (start, columns) = (end, columns - before);
        }
        columns += wide;
        match &text[piece.bytes.clone()] {
            [.., b'\n'] => {
                lines.push(start..piece.bytes.end);
                (start, columns, gap) = (piece.bytes.end, 0, None);
            }
            b" " => gap = Some((piece.bytes.end, columns)),
            _ => {}
        }
    }
    if start < text.len() || lines.is_empty() {
        lines.push(start..text.len());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &[u8], width: usize) -> Vec<String> {
        let line = |line: Range<usize>| pieces(&text[line], 0).map(|piece| piece.shown.into_owned()).collect();
        broken(text, width).into_iter().map(line).collect()
    }

    #[test]
    fn a_text_is_broken_between_words_and_at_line_breaks() {
        assert_eq!(shown(b"one two three", 8), ["one two ", "three"]);
        assert_eq!(shown(b"a\nb\r\nc", 9), ["a␊", "b␍␊", "c"]);
        assert_eq!(shown(b"abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(shown("日本語x".as_bytes(), 5), ["日本", "語x"]);
        assert_eq!(shown(b"", 5), [""]);
        assert_eq!(shown(b"\xffa\x1b", 5), ["\u{fffd}a␛"]);
    }

    #[test]
    fn the_cursor_moves_by_lines_and_is_found_by_the_mouse() {
        let mut window = TextWindow::new("naïve one\nand two".as_bytes().to_vec(), 18);
        window.prepare(20, 1, 0);
        assert_eq!((window.step(4, 1), window.step(4, -1), window.step(4, i64::MAX)), (15, 4, 17));
        assert_eq!((window.byte_at(2, 0), window.byte_at(3, 0), window.byte_at(30, 0)), (Some(2), Some(4), None));
        window.prepare(20, 1, 12);
        assert_eq!(window.top, 1, "the line of the cursor is in view");
    }

    proptest! {
        #[test]
        fn the_lines_cover_the_text_and_none_is_too_wide(
            text in proptest::collection::vec(any::<u8>(), 0..80), width in 12usize..30,
        ) {
            let mut at = 0;
            for line in broken(&text, width) {
                prop_assert_eq!(line.start, at);
                at = line.end;
                let columns: usize = pieces(&text[line], 0).map(|piece| piece.shown.width()).sum();
                prop_assert!(columns <= width, "{columns}");
            }
            prop_assert_eq!(at, text.len());
        }
    }
}
