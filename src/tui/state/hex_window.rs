//! The bytes that a hex panel shows now, read before the screen is drawn.

use std::io;
use std::ops::Range;

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
}

impl HexWindow {
    /// Offset of the first byte in view, and the bytes; `None` if they cannot be read.
    pub fn bytes(&self) -> Option<(u64, &[u8])> {
        Some((self.range.start, self.bytes.as_deref()?))
    }

    /// Scrolls to the row of the byte at `cursor`, of `len` bytes in all, and reads the bytes in view unless they are known.
    pub fn prepare(
        &mut self,
        shape: HexShape,
        cursor: u64,
        len: u64,
        read: impl FnOnce(Range<u64>) -> io::Result<Vec<u8>>,
    ) {
        self.top = shape.scrolled(self.top, cursor, len);
        let start = self.top * shape.per_row;
        let range = start..start + shape.rows * shape.per_row;
        if self.range != range || self.bytes.is_none() {
            self.bytes = read(range.clone()).ok();
            self.range = range;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_once_while_the_window_stays() {
        let shape = HexShape { per_row: 8, rows: 2, lines_per_row: 1 };
        let mut window = HexWindow::default();
        let mut reads = Vec::new();
        for cursor in [0, 9, 17, 16, 25] {
            window.prepare(shape, cursor, 32, |range| {
                reads.push(range);
                Ok(vec![7; 16])
            });
        }
        assert_eq!(reads, [0..16, 8..24, 16..32]);
        assert_eq!((window.top, window.bytes().map(|(at, bytes)| (at, bytes.len()))), (2, Some((16, 16))));
    }
}
