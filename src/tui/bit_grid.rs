//! The bit grid on the screen: its lines and the position of each bit, for drawing and for the mouse.

use crate::wire::field::Field;
use crate::wire::grid::{Grid, GridRow, head_bits};

/// Columns to the left of the grid.
pub const MARGIN: u16 = 2;

/// A frame's bits in rows of 32 or 16.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BitGrid {
    /// The position of each bit.
    pub layout: Grid,
    /// The screen lines, from top to bottom.
    pub lines: Vec<GridLine>,
}

/// A screen line of the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GridLine {
    /// The tens of the bit numbers.
    Tens,
    /// Their last digits.
    Units,
    /// The border above that row; with the number of rows, the border at the bottom.
    Border(usize),
    /// The names of that row's cells.
    Names(usize),
    /// The bits of that row.
    Bits(usize),
}

impl BitGrid {
    /// The grid of a record with these fields, for a panel of that width. Empty if the record is no frame, or does not fit.
    pub fn of(fields: &[Field], is_frame: bool, width: u16) -> Self {
        let bits_per_row = match width.saturating_sub(MARGIN) {
            65.. => 32,
            33.. => 16,
            _ => return Self::default(),
        };
        if fields.is_empty() || !is_frame {
            return Self::default();
        }
        // The whole head, and the payload bits in the row after it.
        let layout = Grid::of(fields, bits_per_row, head_bits(fields) / bits_per_row + 1);
        let lines = lines(&layout.rows);
        Self { layout, lines }
    }

    /// Height in screen lines.
    pub fn height(&self) -> u16 {
        u16::try_from(self.lines.len()).unwrap_or(u16::MAX)
    }

    /// The bit at a position of the panel.
    pub fn bit_at(&self, x: u16, y: u16) -> Option<u64> {
        let (GridLine::Names(row) | GridLine::Bits(row)) = *self.lines.get(usize::from(y))? else { return None };
        let column = u64::from(x.checked_sub(MARGIN + 1)?) / 2;
        let bit = row as u64 * self.layout.bits_per_row + column;
        (column < self.layout.bits_per_row
            && self.layout.rows[row].cells.iter().any(|cell| (cell.start..cell.end).contains(&bit)))
        .then_some(bit)
    }
}

/// The screen lines of a grid. A row with one field has the field's name in the border above, and no border if the row before
/// belongs to the same field.
fn lines(rows: &[GridRow]) -> Vec<GridLine> {
    let mut lines = vec![GridLine::Tens, GridLine::Units];
    for (n, row) in rows.iter().enumerate() {
        let alone = row.cells.len() == 1;
        let goes_on =
            alone && n > 0 && rows[n - 1].cells.len() == 1 && rows[n - 1].cells[0].field == row.cells[0].field;
        if !goes_on {
            lines.push(GridLine::Border(n));
            if !alone {
                lines.push(GridLine::Names(n));
            }
        }
        lines.push(GridLine::Bits(n));
    }
    lines.push(GridLine::Border(rows.len()));
    lines
}
