//! The geometry of a hex panel: offset, hex digits, and the characters beside them.

use ratatui::layout::Rect;

/// Rows and columns of a hex panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HexShape {
    /// Bytes per row: 16 or 8; on the narrowest terminals 4.
    pub per_row: u64,
    /// Rows that fit.
    pub rows: u64,
}

/// Columns of the offset and of the spaces around it.
pub const OFFSET_WIDTH: u16 = 8;

/// Columns between the hex digits and the characters.
const GAP: u16 = 2;

impl HexShape {
    /// The shape for an area.
    pub fn of(area: Rect) -> Self {
        let fits = |per_row: &u64| area.width >= Self::width(*per_row);
        let per_row = [16, 8].into_iter().find(fits).unwrap_or(4);
        Self { per_row, rows: u64::from(area.height) }
    }

    /// Columns of a panel with that many bytes per row.
    pub const fn width(per_row: u64) -> u16 {
        OFFSET_WIDTH + Self::digits_width(per_row) + GAP + per_row as u16
    }

    /// The first row in view after scrolling from `top` to the byte at `cursor`, of `len` bytes in all.
    pub fn scrolled(self, top: u64, cursor: u64, len: u64) -> u64 {
        let (row, rows) = (cursor / self.per_row, len.div_ceil(self.per_row));
        let height = self.rows.max(1);
        let top = if row < top { row } else { top.max((row + 1).saturating_sub(height)) };
        top.min(rows.saturating_sub(height))
    }

    /// Width of the hex digits of a row, in columns: with a gap in the middle.
    const fn digits_width(per_row: u64) -> u16 {
        per_row as u16 * 3
    }

    /// Column of the first hex digit of the byte at that place of a row.
    pub const fn digit_column(self, place: u64) -> u16 {
        OFFSET_WIDTH + place as u16 * 3 + if place >= self.per_row / 2 { 1 } else { 0 }
    }

    /// Column of the character of the byte at that place of a row.
    pub const fn character_column(self, place: u64) -> u16 {
        OFFSET_WIDTH + Self::digits_width(self.per_row) + GAP + place as u16
    }

    /// The byte at a position of the panel, counted from the first byte in view.
    pub fn byte_at(self, x: u16, y: u16) -> Option<u64> {
        let place = (0..self.per_row).find(|place| {
            let digits = self.digit_column(*place);
            (digits..digits + 2).contains(&x) || x == self.character_column(*place)
        })?;
        Some(u64::from(y) * self.per_row + place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_beside_the_digits_at_every_width() {
        for (width, per_row) in [(120, 16), (74, 16), (73, 8), (42, 8), (41, 4), (26, 4)] {
            let shape = HexShape::of(Rect::new(0, 0, width, 5));
            assert_eq!(shape.per_row, per_row, "{width}");
            assert!(shape.character_column(per_row - 1) < width);
            for place in 0..per_row {
                let at = [shape.digit_column(place), shape.digit_column(place) + 1, shape.character_column(place)];
                assert!(at.iter().all(|x| shape.byte_at(*x, 2) == Some(2 * per_row + place)));
            }
        }
    }
}
