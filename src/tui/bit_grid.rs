//! The bit grid on the screen: its lines and the position of each bit, for drawing and for the mouse.

use crate::wire::field::{Field, Span};
use crate::wire::grid::{Grid, GridRow, head_bits};

/// Columns to the left of the grid.
pub const MARGIN: u16 = 1;

/// Smallest width of a panel with 32 bits a row, and with 16: the margin, the grid and a space.
pub const WIDE: u16 = MARGIN + 66;
pub const NARROW: u16 = MARGIN + 34;

/// The most rows of payload bits below the row in which the payload begins.
const MORE_PAYLOAD: u64 = 8;

/// Rows of the table below the grid for which the grid gives up lines.
const LEAST_TABLE: usize = 4;

/// Rows of the table for which the grid gives up the bits of the payload.
const LOW_TABLE: usize = 3;

/// Rows of the table that stay where no form of the grid fits: the selected one, and one that counts the others.
const SIGN_TABLE: usize = 2;

/// Fewest lines of a panel that shows the lines around the selected bits, though all would fit without a table.
const LEAST_AROUND: usize = 8;

/// A frame's bits in rows of 32 or 16.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BitGrid {
    /// The position of each bit.
    pub layout: Grid,
    /// The screen lines in view, from top to bottom.
    pub lines: Vec<GridLine>,
}

/// A screen line of the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GridLine {
    /// The tens of the bit numbers.
    Tens,
    /// Their last digits, with a mark where each byte ends.
    Units,
    /// The border above that row; with the number of rows, the border at the bottom.
    Border(usize),
    /// The same with the name of the row's only field in it; at the bottom, with the name of the field that follows.
    NamedBorder(usize),
    /// The grid goes on above the first row in view, or below the last.
    More { above: bool },
    /// The names of that row's cells.
    Names(usize),
    /// The bits of that row.
    Bits(usize),
}

/// How much of a frame a grid shows.
#[derive(Clone, Copy, Debug)]
struct Form {
    /// Whether a row with one field has the field's name in its cell, and not in the border above.
    names_in_cells: bool,
    /// Whether the payload has bits, and not only a name in the border at the bottom.
    payload: bool,
    /// Whether the tens of the bit numbers have a line.
    tens: bool,
}

/// The forms of a grid, from the tallest.
const FORMS: [Form; 4] = [
    Form { names_in_cells: true, payload: true, tens: true },
    Form { names_in_cells: false, payload: true, tens: true },
    Form { names_in_cells: false, payload: false, tens: true },
    Form { names_in_cells: false, payload: false, tens: false },
];

impl BitGrid {
    /// The grid of a frame with these fields, for a panel of that width and height, which also has a table with that number of
    /// `rows`: the tallest form that leaves four of them, or else three, or else the tallest that fits. If none fits, the lines around the
    /// `selected` bits and, if they fit too, those of a finding about them: `fault`. Empty if the panel is too narrow.
    pub fn of(
        fields: &[Field],
        width: u16,
        height: u16,
        rows: u16,
        selected: Option<Span>,
        fault: Option<Span>,
    ) -> Self {
        let (bits_per_row, forms) = match width {
            WIDE.. => (32, &FORMS[..]),
            NARROW.. => (16, &FORMS[1..]),
            _ => return Self::default(),
        };
        if fields.is_empty() || height < 3 {
            return Self::default();
        }
        let (room, rows) = (usize::from(height), usize::from(rows));
        let grids: Vec<(Form, Self)> =
            forms.iter().map(|form| (*form, Self::in_form(fields, bits_per_row, *form, 0))).collect();
        let leaves_rows =
            |(form, grid): &&(Form, Self)| form.payload && grid.lines.len() + rows.min(LEAST_TABLE) <= room;
        let leaves = |least: usize| move |(_, grid): &&(Form, Self)| grid.lines.len() + rows.min(least) <= room;
        let found = grids.iter().find(leaves_rows).or_else(|| grids.iter().find(leaves(LOW_TABLE)));
        let found = found.or_else(|| grids.iter().find(leaves(SIGN_TABLE))).or_else(|| grids.iter().rfind(leaves(1)));
        // Some of the bits and the row of the selected ones say more than all bits without it.
        let needs_all = rows == 0 || room < LEAST_AROUND;
        let Some((form, grid)) = found.or_else(|| grids.iter().rfind(leaves(0)).filter(|_| needs_all)) else {
            let (_, grid) = grids.into_iter().next_back().unwrap_or((FORMS[3], Self::default()));
            let room = room.saturating_sub(rows.min(SIGN_TABLE));
            let whole = fault.and_then(|span| grid.clone().around(Some(span), room));
            return whole
                .or_else(|| grid.clone().around(selected, room))
                .unwrap_or_else(|| grid.cut_around(selected, room));
        };
        // More of the payload, where lines are free.
        let more = if form.payload { MORE_PAYLOAD } else { 0 };
        let mut taller = (1..=more).rev().map(|more| Self::in_form(fields, bits_per_row, *form, more));
        taller.find(|grid| grid.lines.len() + rows <= room).unwrap_or_else(|| grid.clone())
    }

    /// The fewest lines of a grid of that width that shows every bit before the payload, and the lines with the row in which the
    /// payload begins. 0 if the panel is too narrow.
    pub fn heights(fields: &[Field], width: u16) -> (u16, u16) {
        let (bits_per_row, full) = match width {
            WIDE.. => (32, FORMS[0]),
            NARROW.. => (16, FORMS[1]),
            _ => return (0, 0),
        };
        if fields.is_empty() {
            return (0, 0);
        }
        let height = |form: Form| Self::in_form(fields, bits_per_row, form, 0).height();
        (height(FORMS[3]), height(full))
    }

    /// The grid in a form, with `more` rows of payload.
    fn in_form(fields: &[Field], bits_per_row: u64, form: Form, more: u64) -> Self {
        let head = head_bits(fields);
        let rows = if form.payload { head / bits_per_row + 1 + more } else { head.div_ceil(bits_per_row) };
        let layout = Grid::of(fields, bits_per_row, rows.max(1));
        let lines = lines(&layout, form);
        Self { layout, lines }
    }

    /// As many lines as fit, among them those of the selected bits; `None` if not all of those fit.
    fn around(self, selected: Option<Span>, room: usize) -> Option<Self> {
        let bits = |grid: &Self| -> Vec<usize> {
            let in_span = |row: &usize| {
                let start = *row as u64 * grid.layout.bits_per_row;
                selected.is_some_and(|span| span.overlaps(Span::bits(start, start + grid.layout.bits_per_row)))
            };
            let rows = grid.lines.iter().filter_map(|line| match line {
                GridLine::Bits(row) => Some(*row),
                _ => None,
            });
            rows.filter(in_span).collect()
        };
        let wanted = bits(&self);
        let cut = self.cut_around(selected, room);
        (bits(&cut) == wanted).then_some(cut)
    }

    /// As many lines as fit, from those of the first of the selected bits on, or before them. The ruler is left out where the lines
    /// have room without it only. A line says that bits are hidden above, unless the first line is a border, or below.
    fn cut_around(mut self, selected: Option<Span>, room: usize) -> Self {
        let ruler = self.lines.iter().take_while(|line| matches!(line, GridLine::Tens | GridLine::Units)).count();
        let body = self.lines.split_off(ruler);
        let row_of = |bit: u64| (bit / self.layout.bits_per_row) as usize;
        let (first, last) = selected.map_or((0, 0), |span| (row_of(span.start), row_of(span.end.saturating_sub(1))));
        let start = body.iter().position(|line| line.row() == Some(first)).unwrap_or(body.len());
        let end = body.iter().rposition(|line| line.row().is_some_and(|row| row <= last)).map_or(0, |at| at + 1);
        let is_border = |at: usize| matches!(body.get(at), Some(GridLine::Border(_) | GridLine::NamedBorder(_)));
        let first_bits = body.iter().position(|line| matches!(line, GridLine::Bits(_))).unwrap_or(0);
        // The marks above and below, and the lines between them.
        let marks = |top: usize, room: usize| {
            let above = usize::from(top > first_bits && !is_border(top));
            let below = usize::from(top + room.saturating_sub(above) < body.len());
            (above, below, room.saturating_sub(above + below))
        };
        let has_ruler = body.len().min((end + 2).saturating_sub(start)) + ruler <= room;
        let room = if has_ruler { room - ruler } else { room };
        if !has_ruler {
            self.lines.clear();
        }
        // The first line that lets the last of the selected bits be shown, but not below the names of the first of them.
        let most = if matches!(body.get(start), Some(GridLine::Border(_))) { start + 1 } else { start };
        let reaches = |top: &usize| top + marks(*top, room).2 >= end;
        let top = (0..=most).find(reaches).unwrap_or(start);
        let (above, below, shown) = marks(top, room);
        if above > 0 {
            self.lines.push(GridLine::More { above: true });
        }
        let mut lines: Vec<GridLine> = body.into_iter().skip(top).take(shown).collect();
        // A heading without its bits says nothing.
        while below > 0 && lines.len() > 1 && !matches!(lines.last(), Some(GridLine::Bits(_))) {
            lines.pop();
        }
        self.lines.append(&mut lines);
        if below > 0 {
            self.lines.push(GridLine::More { above: false });
        }
        self
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

impl GridLine {
    /// The row that the line belongs to.
    const fn row(self) -> Option<usize> {
        match self {
            Self::Tens | Self::Units | Self::More { .. } => None,
            Self::Border(row) | Self::NamedBorder(row) | Self::Names(row) | Self::Bits(row) => Some(row),
        }
    }
}

/// The screen lines of a grid. A row with one field has no border if the row before belongs to the same field.
fn lines(grid: &Grid, form: Form) -> Vec<GridLine> {
    let mut lines = if form.tens { vec![GridLine::Tens] } else { Vec::new() };
    lines.push(GridLine::Units);
    for (n, row) in grid.rows.iter().enumerate() {
        let alone = row.cells.len() == 1;
        let before = n.checked_sub(1).map(|n| &grid.rows[n]);
        let continues = alone && before.is_some_and(|before| before.cells.len() == 1 && same_field(before, row));
        // The bits of a payload continue below its name.
        let in_named = alone && row.cells[0].id.in_payload() && before.is_some_and(|before| ends_with(before, row));
        if !continues {
            if alone && !form.names_in_cells && !in_named {
                lines.push(GridLine::NamedBorder(n));
            } else {
                lines.push(GridLine::Border(n));
            }
            if !alone || form.names_in_cells && !in_named {
                lines.push(GridLine::Names(n));
            }
        }
        lines.push(GridLine::Bits(n));
    }
    let end = grid.rows.len();
    let is_cut = !form.payload && grid.bits_after > 0;
    lines.push(if is_cut { GridLine::NamedBorder(end) } else { GridLine::Border(end) });
    lines
}

fn same_field(a: &GridRow, b: &GridRow) -> bool {
    a.cells[0].field == b.cells[0].field
}

/// Whether the field of a row with one cell begins in the row before, beside others.
fn ends_with(before: &GridRow, row: &GridRow) -> bool {
    before.cells.len() > 1 && before.cells.last().is_some_and(|last| last.field == row.cells[0].field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::frame;

    fn fields(head: &str, payload: usize) -> Vec<Field> {
        let mut bytes = hex::decode(head).expect("hex");
        bytes.resize(bytes.len() + payload, 7);
        frame::fields(&bytes, bytes.len() as u64)
    }

    /// The lines as letters: tens, units, border, named border, names, bits.
    fn letters(grid: &BitGrid) -> String {
        let letter = |line: &GridLine| match line {
            GridLine::Tens => 't',
            GridLine::Units => 'u',
            GridLine::Border(_) => '-',
            GridLine::NamedBorder(_) => '=',
            GridLine::Names(_) => 'n',
            GridLine::Bits(_) => 'b',
            GridLine::More { .. } => '~',
        };
        grid.lines.iter().map(letter).collect()
    }

    #[test]
    fn the_figure_of_a_masked_text_has_nine_lines_of_32_bits() {
        let text = fields("818e37fa213d", 14);
        let figure = BitGrid::of(&text, WIDE, 16, 7, None, None);
        assert_eq!(letters(&figure), "tu-nb-nb-");
        assert_eq!(
            letters(&BitGrid::of(&text, WIDE, 60, 7, None, None)),
            "tu-nb-nb-bbb-",
            "all of it where lines are free"
        );
        assert_eq!(letters(&BitGrid::of(&text, NARROW, 11, 0, None, None)), "tu-nb=bb=b-");
        assert_eq!(letters(&BitGrid::of(&text, NARROW, 9, 0, None, None)), "tu-nb=bb=", "the payload is only named");
        assert_eq!(letters(&BitGrid::of(&text, NARROW, 8, 0, None, None)), "u-nb=bb=");
        assert_eq!(BitGrid::of(&text, NARROW - 1, 30, 0, None, None).height(), 0);
    }

    #[test]
    fn a_grid_that_does_not_fit_shows_the_selected_bits() {
        let long = fields("82ff000000000001000037fa213d", 2);
        assert_eq!(letters(&BitGrid::of(&long, WIDE, 16, 1, None, None)), "tu-nb-nb-nb-nb-");
        for field in &long {
            let grid = BitGrid::of(&long, NARROW, 7, 0, Some(field.span), None);
            assert!((5..=7).contains(&grid.height()), "{:?}", grid.lines);
            assert!(!matches!(grid.lines.iter().rev().nth(1), Some(GridLine::Names(_) | GridLine::NamedBorder(_))));
            let row = (field.span.start / 16) as usize;
            let shown = grid.lines.iter().any(|line| line.row() == Some(row));
            assert!(shown, "{}: {:?}", field.name, grid.lines);
        }
    }

    #[test]
    fn a_bit_is_where_it_is_drawn() {
        let grid = BitGrid::of(&fields("818e37fa213d", 14), WIDE, 16, 7, None, None);
        assert_eq!((grid.bit_at(2, 4), grid.bit_at(3, 3), grid.bit_at(4, 4)), (Some(0), Some(0), Some(1)));
        assert_eq!((grid.bit_at(64, 4), grid.bit_at(2, 7), grid.bit_at(2, 2)), (Some(31), Some(32), None));
    }
}
