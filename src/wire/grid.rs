//! The geometry of the bit grid of RFC 6455 §5.2: a ruler above, rows of cells, two columns per bit, a border between
//! cells. Colours and the contents of the cells are up to the caller.

use super::field::{Field, FieldId};

/// The bits of a record in rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grid {
    /// The number of bits in a full row.
    pub bits_per_row: u64,
    /// The rows, from top to bottom.
    pub rows: Vec<GridRow>,
    /// The number of bits that follow the last row.
    pub bits_after: u64,
}

/// A row of bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GridRow {
    /// The cells, from left to right, without gaps.
    pub cells: Vec<GridCell>,
}

/// The part of a field that one row contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GridCell {
    /// The index of the field in the layout.
    pub field: usize,
    /// Identifies the field.
    pub id: FieldId,
    /// The name of the field.
    pub label: String,
    /// True if the bits are masked, so that they are not the value of the field.
    pub masked: bool,
    /// The first bit, counted from the start of the record.
    pub start: u64,
    /// One past the last bit.
    pub end: u64,
    /// True if the field starts in this cell; false if it continues from the row above.
    pub begins: bool,
}

/// The number of bits before the payload.
pub fn head_bits(fields: &[Field]) -> u64 {
    fields.iter().filter(|field| !field.id.in_payload()).map(|field| field.span.end).max().unwrap_or(0)
}

/// The numbers above a grid with rows of that many bits: a line with the tens, and a line with the last digits and a mark
/// where each byte ends. Both lines start above the first bit, which is one column to the right of the grid's border.
pub fn ruler(bits_per_row: u64) -> [String; 2] {
    let (mut tens, mut units) = (String::new(), String::new());
    for bit in 0..bits_per_row {
        tens.push_str(&if bit % 10 == 0 { format!("{} ", bit / 10) } else { "  ".to_owned() });
        units.push_str(&(bit % 10).to_string());
        let ends_byte = bit % 8 == 7 && bit + 1 < bits_per_row;
        units.push(if ends_byte { '╷' } else { ' ' });
    }
    [tens, units].map(|line| line.trim_end().to_owned())
}

impl Grid {
    /// The grid of a layout with at most `most_rows` rows of `bits_per_row` bits. `bits_per_row` must not be 0.
    pub fn of(fields: &[Field], bits_per_row: u64, most_rows: u64) -> Self {
        let whole = fields.last().map_or(0, |field| field.span.end);
        let has_key = fields.iter().any(|field| field.id == FieldId::MaskingKey);
        let end = whole.min(most_rows.saturating_mul(bits_per_row));
        let rows = (0..end.div_ceil(bits_per_row)).map(|n| {
            let (from, to) = (n * bits_per_row, ((n + 1) * bits_per_row).min(end));
            let inside = fields.iter().enumerate().filter(|(_, f)| f.span.start < to && from < f.span.end);
            let cells = inside.map(|(field, f)| GridCell {
                field,
                id: f.id,
                label: f.name.clone(),
                masked: has_key && f.id.in_payload(),
                start: f.span.start.max(from),
                end: f.span.end.min(to),
                begins: f.span.start >= from,
            });
            GridRow { cells: cells.collect() }
        });
        Self { bits_per_row, rows: rows.collect(), bits_after: whole - end }
    }

    /// The index of the field in a row, if the row contains only one.
    pub fn only_field(&self, row: usize) -> Option<usize> {
        match self.rows.get(row)?.cells.as_slice() {
            [cell] => Some(cell.field),
            _ => None,
        }
    }

    /// The positions of the borders of a row, in bits from its left. Empty if the row does not exist.
    pub fn edges(&self, row: Option<usize>) -> Vec<u64> {
        let Some(row) = row.and_then(|row| self.rows.get(row)) else { return Vec::new() };
        let mut edges: Vec<u64> = row.cells.iter().map(|cell| cell.start % self.bits_per_row).collect();
        edges.extend(row.cells.last().map(|cell| (cell.end - 1) % self.bits_per_row + 1));
        edges
    }

    /// The border line above a row, in box characters, with `dash` between the junctions. For the index after the last
    /// row, the line below it.
    pub fn border(&self, row: usize, dash: char) -> String {
        let (above, below) = (self.edges(row.checked_sub(1)), self.edges(Some(row)));
        let end = above.last().max(below.last()).copied().unwrap_or(0);
        let mut line = String::new();
        for bit in 0..=end {
            let (up, down) = (above.contains(&bit), below.contains(&bit));
            line.push(match (up, down, bit == 0, bit == end) {
                (false, true, true, _) => '┌',
                (true, false, true, _) => '└',
                (true, true, true, _) => '├',
                (false, true, _, true) => '┐',
                (true, false, _, true) => '┘',
                (true, true, _, true) => '┤',
                (true, true, ..) => '┼',
                (true, false, ..) => '┴',
                (false, true, ..) => '┬',
                (false, false, ..) => dash,
            });
            if bit < end {
                line.push(dash);
            }
        }
        line
    }
}

impl GridCell {
    /// The position of its first bit, counted from the left of its row.
    pub const fn left(&self, grid: &Grid) -> u64 {
        self.start % grid.bits_per_row
    }

    /// Its width in bits.
    pub const fn width(&self) -> u64 {
        self.end - self.start
    }

    /// The number of columns between its borders.
    pub const fn columns(&self) -> usize {
        self.width() as usize * 2 - 1
    }

    /// The label, with a mark if the bits are masked, as much of it as fits: F, R or M for one bit.
    pub fn name(&self) -> String {
        let marked = format!("{} (masked)", self.label);
        let name = if self.masked && marked.chars().count() <= self.columns() { &marked } else { &self.label };
        name.chars().take(self.columns()).collect()
    }

    /// The name in the middle of the cell.
    pub fn centred_name(&self) -> String {
        let name = self.name();
        let free = self.columns() - name.chars().count();
        let left = if free == 1 { 1 } else { free / 2 };
        format!("{:left$}{name}{:right$}", "", "", right = free - left)
    }

    /// Its bits as digits separated by spaces. `bytes` is the start of the record; bits beyond it are omitted.
    pub fn bits(&self, bytes: &[u8]) -> String {
        let mut digits = String::with_capacity(self.columns());
        for bit in self.start..self.end {
            let Some(byte) = bytes.get((bit / 8) as usize) else { break };
            if bit > self.start {
                digits.push(' ');
            }
            digits.push(if byte >> (7 - bit % 8) & 1 == 1 { '1' } else { '0' });
        }
        digits
    }

    /// Its bytes, for a cell of whole bytes. `bytes` is the start of the record; bytes beyond it are omitted.
    pub fn bytes<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let end = ((self.end / 8) as usize).min(bytes.len());
        bytes.get((self.start / 8) as usize..end).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::frame;
    use proptest::prelude::*;

    /// The masked Hello of RFC 6455 §5.7.
    const HELLO: [u8; 11] = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];

    fn cells(grid: &Grid) -> Vec<Vec<(String, u64, bool)>> {
        grid.rows.iter().map(|row| row.cells.iter().map(|c| (c.name(), c.width(), c.begins)).collect()).collect()
    }

    fn named(cells: &[(&str, u64, bool)]) -> Vec<(String, u64, bool)> {
        cells.iter().map(|(name, width, begins)| ((*name).to_owned(), *width, *begins)).collect()
    }

    #[test]
    fn a_frame_in_rows_of_32_and_of_16_bits() {
        let fields = frame::fields(&HELLO, 11);
        let first = [("F", 1, true), ("R", 1, true), ("R", 1, true), ("R", 1, true), ("opcode", 4, true)];
        let second = [("M", 1, true), ("payload len", 7, true)];
        let wide = Grid::of(&fields, 32, 2);
        assert_eq!(
            cells(&wide),
            [
                named(&[&first[..], &second, &[("masking key", 16, true)]].concat()),
                named(&[("masking key", 16, false), ("payload (masked)", 16, true)]),
            ]
        );
        assert_eq!((wide.bits_after, wide.edges(Some(1)), wide.only_field(1)), (24, vec![0, 16, 32], None));
        let narrow = Grid::of(&fields, 16, u64::MAX);
        assert_eq!(narrow.rows.len(), 6);
        assert_eq!((narrow.only_field(1), narrow.only_field(2), narrow.bits_after), (Some(7), Some(7), 0));
        assert_eq!(head_bits(&fields), 48);
    }

    #[test]
    fn the_bits_and_bytes_of_a_cell() {
        let fields = frame::fields(&HELLO, 11);
        let grid = Grid::of(&fields, 32, 3);
        let opcode = &grid.rows[0].cells[4];
        assert_eq!((opcode.id, opcode.left(&grid), opcode.bits(&HELLO).as_str()), (FieldId::Opcode, 4, "0 0 0 1"));
        let payload = &grid.rows[2].cells[0];
        assert_eq!((payload.bytes(&HELLO), payload.bytes(&HELLO[..9])), (&[0x4d, 0x51, 0x58][..], &[0x4d][..]));
        assert_eq!((payload.bytes(&[]), payload.bits(&[]).as_str()), (&[][..], ""));
    }

    #[test]
    fn the_ruler_marks_where_each_byte_ends() {
        let [tens, units] = ruler(32);
        assert_eq!(tens, "0                   1                   2                   3");
        assert_eq!(units, "0 1 2 3 4 5 6 7╷8 9 0 1 2 3 4 5╷6 7 8 9 0 1 2 3╷4 5 6 7 8 9 0 1");
        assert_eq!(ruler(16)[1], "0 1 2 3 4 5 6 7╷8 9 0 1 2 3 4 5");
    }

    #[test]
    fn names_are_in_the_middle_of_their_cells() {
        let grid = Grid::of(&frame::fields(&HELLO, 11), 32, 2);
        let names: Vec<String> =
            grid.rows.iter().flat_map(|row| row.cells.iter().map(GridCell::centred_name)).collect();
        assert_eq!(names[4..7], [" opcode", "M", " payload len "]);
        assert_eq!(names[9], "       payload (masked)        ");
    }

    #[test]
    fn borders_join_the_rows() {
        let grid = Grid::of(&frame::fields(&[0x81, 0x01, b'a'], 3), 16, 9);
        assert_eq!(grid.border(0, '─'), "┌─┬─┬─┬─┬───────┬─┬─────────────┐");
        assert_eq!(grid.border(1, '─'), "├─┴─┴─┴─┴───────┼─┴─────────────┘");
        assert_eq!(grid.border(2, '┄'), "└┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┘");
        assert_eq!(Grid::default().border(0, '─'), "─");
    }

    proptest! {
        #[test]
        fn the_cells_cover_the_rows_without_gap_or_overlap(
            bytes in proptest::collection::vec(any::<u8>(), 0..40), extra in 0u64..100, wide: bool, rows in 0u64..6,
        ) {
            let wire_len = bytes.len() as u64 + if bytes.len() > 16 { extra } else { 0 };
            let fields = frame::fields(&bytes, wire_len);
            let grid = Grid::of(&fields, if wide { 32 } else { 16 }, rows);
            let mut at = 0;
            for (n, row) in grid.rows.iter().enumerate() {
                for cell in &row.cells {
                    prop_assert_eq!(cell.start, at);
                    prop_assert_eq!(cell.begins, fields[cell.field].span.start == at);
                    prop_assert!(cell.name().chars().count() <= cell.columns());
                    at = cell.end;
                }
                prop_assert!(at <= (n as u64 + 1) * grid.bits_per_row);
            }
            prop_assert_eq!(at + grid.bits_after, fields.last().map_or(0, |field| field.span.end));
            prop_assert!(grid.rows.len() as u64 <= rows);
        }
    }
}
