//! Draws a frame as RFC 6455 §5.2 does: 32 bits per row and a cell per field, with the values inside.

use std::fmt::Write as _;

use super::words;
use crate::explain;
use crate::proto::rules::count;
use crate::wire::field::Field;
use crate::wire::grid::{Grid, GridCell, GridRow, head_bits};

/// Bits per row.
const ROW: u64 = 32;

/// The most rows of payload, besides a row that it shares with the head.
const MAX_PAYLOAD_ROWS: u64 = 2;

/// The most bytes of a record that a drawing shows.
pub const SHOWN_BYTES: u64 = 64;

/// Draws a record with these fields; `bytes` are its first bytes. Returns one string per line.
pub fn draw(fields: &[Field], bytes: &[u8]) -> Vec<String> {
    let grid = Grid::of(fields, ROW, head_bits(fields).div_ceil(ROW) + MAX_PAYLOAD_ROWS);
    let mut lines = vec![
        " 0                   1                   2                   3".to_owned(),
        " 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1".to_owned(),
    ];
    for (number, row) in grid.rows.iter().enumerate() {
        lines.push(grid.border(number, '─'));
        lines.push(inside(row, name));
        lines.push(inside(row, |cell| value(cell, bytes)));
    }
    lines.push(grid.border(grid.rows.len(), '─'));
    if grid.bits_after > 0 {
        lines.push(format!(" … {}", count(grid.bits_after / 8, "more byte")));
    }
    lines
}

/// The table of fields: name, bits or bytes on the wire if they are few, and value.
pub fn table(fields: &[Field]) -> Vec<String> {
    let row = |field: &Field| {
        let words = explain::value(field);
        // For a single bit, the value repeats the bit.
        let value = if words.raw == words.value { String::new() } else { words.with_name() };
        format!("{:<12}  {:<7}  {value}", field.name, words.raw)
    };
    fields.iter().map(row).collect()
}

fn inside(row: &GridRow, words: impl Fn(&GridCell) -> String) -> String {
    let mut line = String::from("│");
    for cell in &row.cells {
        let width = cell.columns();
        let mut words = words(cell);
        if words.chars().count() < width && !words.is_empty() && words.chars().count() + 2 <= width {
            words.insert(0, ' ');
        }
        let _ = write!(line, "{words:<width$.width$}│");
    }
    line
}

fn name(cell: &GridCell) -> String {
    if cell.begins { cell.name() } else { format!("… {}", cell.label) }
}

/// The bits of the head, or the bytes of the payload, that are in this row.
fn value(cell: &GridCell, bytes: &[u8]) -> String {
    if cell.id.in_payload() { words::hex_row(cell.bytes(bytes)) } else { cell.bits(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::frame;

    fn drawn(hex: &str) -> String {
        let bytes = hex::decode(hex).expect("hex");
        draw(&frame::fields(&bytes, bytes.len() as u64), &bytes).join("\n")
    }

    #[test]
    fn the_masked_hello_of_section_5_7() {
        let expected = " 0                   1                   2                   3
 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
┌─┬─┬─┬─┬───────┬─┬─────────────┬───────────────────────────────┐
│F│R│R│R│opcode │M│ payload len │ masking key                   │
│1│0│0│0│0 0 0 1│1│0 0 0 0 1 0 1│0 0 1 1 0 1 1 1 1 1 1 1 1 0 1 0│
├─┴─┴─┴─┴───────┴─┴─────────────┼───────────────────────────────┤
│ … masking key                 │ payload (masked)              │
│0 0 1 0 0 0 0 1 0 0 1 1 1 1 0 1│ 7f 9f                         │
├───────────────────────────────┴───────────────┬───────────────┘
│ … payload                                     │
│ 4d 51 58                                      │
└───────────────────────────────────────────────┘";
        assert_eq!(drawn("818537fa213d7f9f4d5158"), expected);
    }

    #[test]
    fn a_frame_that_is_truncated_anywhere_can_be_drawn() {
        let bytes = [0x88, 0xfe, 0x01, 0x00, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21];
        for cut in 0..=bytes.len() {
            let lines = draw(&frame::fields(&bytes[..cut], cut as u64), &bytes[..cut]);
            assert!(lines.iter().all(|line| line.chars().count() <= 65), "{lines:#?}");
        }
        assert!(drawn("827e0100aabbccddeeff00112233").ends_with("… 2 more bytes"));
    }
}
