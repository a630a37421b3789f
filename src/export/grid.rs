//! A frame as RFC 6455 §5.2 draws it: 32 bits a row, each field a cell, with the real values inside.

use std::fmt::Write as _;

use super::words;
use crate::proto::rules::count;
use crate::wire::field::{Field, Value};

/// Bits in a row.
const ROW: u64 = 32;

/// How many rows the payload gets at most.
const PAYLOAD_ROWS: u64 = 2;

/// How many bytes of a record a drawing looks at, at most.
pub const LOOKS_AT: u64 = 64;

/// One field's part of a row: bits `start..end` of the row.
struct Cell<'a> {
    start: u64,
    end: u64,
    field: &'a Field,
    /// Whether the field begins here.
    begins: bool,
}

/// Draws a record with these fields, of which `bytes` is the beginning. One string a line.
pub fn draw(fields: &[Field], bytes: &[u8]) -> Vec<String> {
    let total = fields.last().map_or(0, |field| field.span.end);
    let head = fields.iter().find(|field| field.id.in_payload()).map_or(total, |field| field.span.start);
    let rows = total.div_ceil(ROW).min(head.div_ceil(ROW) + PAYLOAD_ROWS);
    let rows: Vec<Vec<Cell<'_>>> = (0..rows).map(|row| cells(fields, row)).collect();
    let mut lines = vec![
        " 0                   1                   2                   3".to_owned(),
        " 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1".to_owned(),
    ];
    let mut above: &[Cell<'_>] = &[];
    for (number, row) in rows.iter().enumerate() {
        lines.push(border(above, row));
        lines.push(inside(row, name));
        lines.push(inside(row, |cell| value(cell, number as u64 * ROW, bytes)));
        above = row;
    }
    lines.push(border(above, &[]));
    let shown = rows.len() as u64 * ROW;
    if shown < total {
        lines.push(format!(" … {}", count((total - shown) / 8, "more byte")));
    }
    lines
}

/// The field table beside the drawing: name, bits where it is short, value.
pub fn table(fields: &[Field]) -> Vec<String> {
    fields
        .iter()
        .map(|field| {
            let bits = match field.value {
                Value::Bits { value, width } if width <= 8 => format!("{value:0width$b}", width = usize::from(width)),
                _ => String::new(),
            };
            // Of a single bit the value is the bit.
            let value = if field.span.len() == 1 { String::new() } else { words::value(field) };
            format!("{:<12}  {bits:<7}  {value}", field.name)
        })
        .collect()
}

fn cells(fields: &[Field], row: u64) -> Vec<Cell<'_>> {
    let (from, until) = (row * ROW, (row + 1) * ROW);
    fields
        .iter()
        .filter(|field| field.span.start < until && field.span.end > from)
        .map(|field| Cell {
            start: field.span.start.max(from) - from,
            end: field.span.end.min(until) - from,
            field,
            begins: field.span.start >= from,
        })
        .collect()
}

/// The line between two rows.
fn border(above: &[Cell<'_>], below: &[Cell<'_>]) -> String {
    let width = |row: &[Cell<'_>]| row.last().map_or(0, |cell| cell.end);
    let edge = |row: &[Cell<'_>], at: u64| row.iter().any(|cell| cell.start == at || cell.end == at);
    let width = width(above).max(width(below));
    let mut line = String::new();
    for at in 0..=width {
        let junction = match (edge(above, at), edge(below, at), at > 0, at < width) {
            (false, true, false, true) => '┌',
            (false, true, true, true) => '┬',
            (false, true, true, false) => '┐',
            (true, true, false, true) => '├',
            (true, true, true, true) => '┼',
            (true, true, true, false) => '┤',
            (true, false, false, true) => '└',
            (true, false, true, true) => '┴',
            (true, false, true, false) => '┘',
            _ => '─',
        };
        line.push(junction);
        if at < width {
            line.push('─');
        }
    }
    line
}

fn inside(row: &[Cell<'_>], words: impl Fn(&Cell<'_>) -> String) -> String {
    let mut line = String::from("│");
    for cell in row {
        let width = (cell.end - cell.start) as usize * 2 - 1;
        let mut words = words(cell);
        if words.chars().count() < width && !words.is_empty() && words.chars().count() + 2 <= width {
            words.insert(0, ' ');
        }
        let _ = write!(line, "{words:<width$.width$}│");
    }
    line
}

fn name(cell: &Cell<'_>) -> String {
    let width = (cell.end - cell.start) as usize * 2 - 1;
    let name = &cell.field.name;
    match cell.begins {
        true if name.len() <= width => name.clone(),
        true => name.chars().take(width).collect(),
        false if name.len() + 2 <= width => format!("… {name}"),
        false => "…".to_owned(),
    }
}

/// The bits of a short field; the bytes of a long one as far as this row holds them.
fn value(cell: &Cell<'_>, row: u64, bytes: &[u8]) -> String {
    let bit = |at: u64| bytes.get((at / 8) as usize).map(|byte| byte >> (7 - at % 8) & 1);
    let span = row + cell.start..row + cell.end;
    match cell.field.value {
        Value::Bits { width, .. } if width <= 8 => {
            let bits: Vec<&str> = span.map_while(bit).map(|bit| if bit == 1 { "1" } else { "0" }).collect();
            bits.join(" ")
        }
        _ => {
            let range = (span.start / 8) as usize..(span.end / 8) as usize;
            words::hex_row(bytes.get(range).unwrap_or_default())
        }
    }
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
│1│0│0│0│0 0 0 1│1│0 0 0 0 1 0 1│ 37 fa                         │
├─┴─┴─┴─┴───────┴─┴─────────────┼───────────────────────────────┤
│ … masking key                 │ payload                       │
│ 21 3d                         │ 7f 9f                         │
├───────────────────────────────┴───────────────┬───────────────┘
│ … payload                                     │
│ 4d 51 58                                      │
└───────────────────────────────────────────────┘";
        assert_eq!(drawn("818537fa213d7f9f4d5158"), expected);
    }

    #[test]
    fn any_beginning_of_a_frame_has_a_drawing() {
        let bytes = [0x88, 0xfe, 0x01, 0x00, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21];
        for cut in 0..=bytes.len() {
            let lines = draw(&frame::fields(&bytes[..cut], cut as u64), &bytes[..cut]);
            assert!(lines.iter().all(|line| line.chars().count() <= 65), "{lines:#?}");
        }
        assert!(drawn("827e0100aabbccddeeff00112233").ends_with("… 2 more bytes"));
    }
}
