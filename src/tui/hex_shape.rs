//! The geometry of a hex panel: offset, hex digits and characters.

use ratatui::layout::Rect;

/// Rows and columns of a hex panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HexShape {
    /// Bytes per row: 16 or 8.
    pub per_row: u64,
    /// Rows that fit.
    pub rows: u64,
    /// Screen lines per row: 1 if the characters are beside the hex digits, 2 if they are below.
    pub lines_per_row: u16,
}

/// Columns of the offset and of the spaces around it.
pub const OFFSET_WIDTH: u16 = 8;

impl HexShape {
    /// The shape for an area.
    pub fn of(area: Rect) -> Self {
        let per_row = if area.width >= OFFSET_WIDTH + 49 { 16 } else { 8 };
        let beside = area.width >= OFFSET_WIDTH + Self::digits_width(per_row) + 2 + per_row as u16;
        let lines_per_row = if beside { 1 } else { 2 };
        Self { per_row, rows: u64::from(area.height / lines_per_row), lines_per_row }
    }

    /// The first row in view after scrolling from `top` to the byte at `cursor`, of `len` bytes in all.
    pub fn scrolled(self, top: u64, cursor: u64, len: u64) -> u64 {
        let (row, rows) = (cursor / self.per_row, len.div_ceil(self.per_row));
        let height = self.rows.max(1);
        let top = if row < top { row } else { top.max((row + 1).saturating_sub(height)) };
        top.min(rows.saturating_sub(height))
    }

    /// Width of the hex digits of a row, in columns.
    pub const fn digits_width(per_row: u64) -> u16 {
        per_row as u16 * 3 + if per_row == 16 { 1 } else { 0 } - 1
    }

    /// Column of the first hex digit of the byte at that place of a row.
    pub const fn digit_column(self, place: u64) -> u16 {
        OFFSET_WIDTH + place as u16 * 3 + if place >= 8 { 1 } else { 0 }
    }

    /// Position of the character of the byte at that place of a row: line within the row, and column.
    pub const fn character_at(self, place: u64) -> (u16, u16) {
        if self.lines_per_row == 1 {
            (0, OFFSET_WIDTH + Self::digits_width(self.per_row) + 2 + place as u16)
        } else {
            (1, OFFSET_WIDTH + place as u16)
        }
    }

    /// The byte at a position of the panel, counted from the first byte in view.
    pub fn byte_at(self, x: u16, y: u16) -> Option<u64> {
        let line = y % self.lines_per_row;
        let place = (0..self.per_row).find(|place| {
            let digits = self.digit_column(*place);
            (line == 0 && (digits..digits + 2).contains(&x)) || (line, x) == self.character_at(*place)
        })?;
        Some(u64::from(y / self.lines_per_row) * self.per_row + place)
    }
}
