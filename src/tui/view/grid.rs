//! The bit grid on the screen: its lines, and which bit stands where. Drawn by `bits`, clicked by the mouse.

use crate::tui::app::detail::Detail;
use crate::wire::grid::{self, GridRow, head_bits};

/// Columns in front of the grid.
pub const MARGIN: u16 = 2;

/// A frame's bits in rows of 32 or 16.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grid {
    /// Which bit stands where.
    pub layout: grid::Grid,
    /// Its lines from top to bottom.
    pub lines: Vec<GridLine>,
}

/// A line of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GridLine {
    /// The tens of the bit numbers.
    Tens,
    /// Their last digits.
    Units,
    /// The border above that row; above the row past the last it is the bottom.
    Border(usize),
    /// The names of that row's cells.
    Names(usize),
    /// The bits of that row.
    Bits(usize),
}

impl Grid {
    /// The grid of a record, for a panel of that width. Empty for what is no frame, and where it does not fit.
    pub fn of(detail: &Detail, width: u16) -> Self {
        let bits_per_row = match width.saturating_sub(MARGIN) {
            65.. => 32,
            33.. => 16,
            _ => return Self::default(),
        };
        if detail.fields.is_empty() || detail.record.opcode().is_none() {
            return Self::default();
        }
        // All of the head, and of the payload what fills its first row.
        let layout = grid::Grid::of(&detail.fields, bits_per_row, head_bits(&detail.fields) / bits_per_row + 1);
        let lines = lines(&layout.rows);
        Self { layout, lines }
    }

    /// Lines of the screen that it takes.
    pub fn height(&self) -> u16 {
        self.lines.len() as u16
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

/// A row with one field has its name in the border above, and none where the row before is the same field's.
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
