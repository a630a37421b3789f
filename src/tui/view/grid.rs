//! The bit grid of RFC 6455 §5.2 as geometry: which bit stands where. Drawn by `bits`, clicked by the mouse.

use crate::tui::app::detail::Detail;

/// Columns in front of the grid.
pub const MARGIN: u16 = 2;

/// A frame's bits in rows of 32 or 16.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grid {
    /// Bits in a full row.
    pub bits_per_row: u64,
    /// Its rows.
    pub rows: Vec<GridRow>,
    /// Its lines from top to bottom.
    pub lines: Vec<GridLine>,
    /// Whether the frame goes on behind the last row.
    pub goes_on: bool,
}

/// A row of bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GridRow {
    /// Its cells, left to right.
    pub cells: Vec<Cell>,
}

/// The part of a field that stands in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The field's index in the layout.
    pub field: usize,
    /// First bit.
    pub start: u64,
    /// One past the last bit.
    pub end: u64,
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
        let Some(last) = detail.fields.last().filter(|_| detail.record.opcode().is_some()) else {
            return Self::default();
        };
        // All of the head, and of the payload what fills its first row.
        let head = detail.fields.iter().filter(|f| !f.id.in_payload()).map(|f| f.span.end).max().unwrap_or(0);
        let whole = last.span.end;
        let shown = if whole > head { (head + 1).next_multiple_of(bits_per_row) } else { head };
        let end = shown.min(whole);
        let rows: Vec<GridRow> = (0..end.div_ceil(bits_per_row))
            .map(|n| {
                let (from, to) = (n * bits_per_row, ((n + 1) * bits_per_row).min(end));
                let cells = detail.fields.iter().enumerate().filter(|(_, f)| f.span.start < to && from < f.span.end);
                GridRow {
                    cells: cells
                        .map(|(field, f)| Cell { field, start: f.span.start.max(from), end: f.span.end.min(to) })
                        .collect(),
                }
            })
            .collect();
        let lines = lines(&rows);
        Self { bits_per_row, rows, lines, goes_on: end < whole }
    }

    /// Lines of the screen that it takes.
    pub fn height(&self) -> u16 {
        self.lines.len() as u16
    }

    /// The bit at a position of the panel.
    pub fn bit_at(&self, x: u16, y: u16) -> Option<u64> {
        let (GridLine::Names(row) | GridLine::Bits(row)) = *self.lines.get(usize::from(y))? else { return None };
        let column = u64::from(x.checked_sub(MARGIN + 1)?) / 2;
        let bit = row as u64 * self.bits_per_row + column;
        (column < self.bits_per_row && self.rows[row].cells.iter().any(|cell| (cell.start..cell.end).contains(&bit)))
            .then_some(bit)
    }

    /// The one field that a row holds, when it holds only one.
    pub fn only_field(&self, row: usize) -> Option<usize> {
        match self.rows.get(row)?.cells.as_slice() {
            [cell] => Some(cell.field),
            _ => None,
        }
    }

    /// The columns at which a row has borders, in bits from its left.
    pub fn edges(&self, row: Option<usize>) -> Vec<u64> {
        let Some(row) = row.and_then(|row| self.rows.get(row)) else { return Vec::new() };
        let mut edges: Vec<u64> = row.cells.iter().map(|cell| cell.start % self.bits_per_row).collect();
        edges.extend(row.cells.last().map(|cell| (cell.end - 1) % self.bits_per_row + 1));
        edges
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
