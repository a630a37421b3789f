//! A frame with the meaning of its bytes, for the screen without records.
//!
//! ```text
//! 81 85 37 fa 21 3d 7f 9f 4d 51 58
//! │  │  └────┬────┘ └─────┬──────┘
//! │  │       │            └ payload "Hello", masked
//! │  │       └ masking key, XORed over the payload
//! │  └ MASK 1: masked, as all frames of a client · payload len 5
//! └ FIN 1: the message ends here · opcode 1: text
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{cells, put};
use crate::tui::theme::Theme;
use crate::wire::field::FieldId;
use crate::wire::frame::{self, FrameHead};
use crate::wire::grid::{Grid, ruler};
use crate::wire::mask;

/// The masked text frame of RFC 6455 §5.7.
const FRAME: [u8; 11] = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];

/// Lines of the drawing.
pub const HEIGHT: u16 = 6;

/// Lines of its bits.
pub const GRID_HEIGHT: u16 = 12;

/// Bits in a row.
const ROW: u64 = 32;

/// Bytes that share a label.
struct Part {
    /// The first byte, and the one after the last.
    bytes: (u64, u64),
    label: String,
    style: Style,
}

/// Draws the frame.
pub fn render(theme: &Theme, buffer: &mut Buffer, area: Rect) {
    let parts = parts(theme);
    let column = |byte: u64| cells(byte) * 3;
    for part in &parts {
        let (start, end) = (column(part.bytes.0), column(part.bytes.1) - 2);
        for byte in part.bytes.0..part.bytes.1 {
            let hex = FRAME.get(usize::try_from(byte).unwrap_or(usize::MAX)).map(|byte| format!("{byte:02x}"));
            put(buffer, area, column(byte), 0, &hex.unwrap_or_default(), part.style);
        }
        let brace = match usize::from(end - start) {
            0..=1 => "│".to_owned(),
            wide => {
                let before = usize::from(stem(part) - start - 1);
                format!("└{}┬{}┘", "─".repeat(before), "─".repeat(wide - before - 2))
            }
        };
        put(buffer, area, start, 1, &brace, theme.rule);
    }
    for (line, part) in parts.iter().rev().enumerate() {
        let y = cells(line) + 2;
        for earlier in &parts[..parts.len() - 1 - line] {
            put(buffer, area, stem(earlier), y, "│", theme.rule);
        }
        put(buffer, area, stem(part), y, "└ ", theme.rule);
        put(buffer, area, stem(part) + 2, y, &part.label, part.style);
    }
}

/// Draws the bits of the frame.
pub fn grid(theme: &Theme, buffer: &mut Buffer, area: Rect) {
    let fields = frame::fields(&FRAME, FRAME.len() as u64);
    let grid = Grid::of(&fields, ROW, 3);
    for (line, y) in ruler(ROW).iter().zip(0..) {
        put(buffer, area, 1, y, line, theme.faint);
    }
    for (number, row) in grid.rows.iter().enumerate() {
        let y = 2 + 3 * cells(number);
        put(buffer, area, 0, y, &grid.border(number, '─'), theme.rule);
        for line in [y + 1, y + 2] {
            for edge in grid.edges(Some(number)) {
                put(buffer, area, 2 * cells(edge), line, "│", theme.rule);
            }
        }
        for cell in &row.cells {
            let (x, style) = (1 + 2 * cells(cell.start % ROW), theme.field(cell.id));
            put(buffer, area, x, y + 1, &cell.centred_name(), style);
            put(buffer, area, x, y + 2, &cell.bits(&FRAME), style);
        }
    }
    put(buffer, area, 0, 2 + 3 * cells(grid.rows.len()), &grid.border(grid.rows.len(), '─'), theme.rule);
}

/// The column of the line that leads from a part to its label.
fn stem(part: &Part) -> u16 {
    let (start, end) = (cells(part.bytes.0) * 3, cells(part.bytes.1) * 3 - 2);
    if end - start < 2 { start } else { start + (end - start) / 2 }
}

/// The bytes of the frame by their fields. Fields of less than a byte share a label.
fn parts(theme: &Theme) -> Vec<Part> {
    let Some(head) = FrameHead::read(&FRAME) else { return Vec::new() };
    let mut parts: Vec<Part> = Vec::new();
    for field in frame::fields(&FRAME, FRAME.len() as u64) {
        let label = match field.id {
            FieldId::Fin => "FIN 1: the message ends here".to_owned(),
            FieldId::Opcode => format!("opcode {}: {}", head.opcode.to_wire(), head.opcode.name()),
            FieldId::Mask => "MASK 1: a client masks".to_owned(),
            FieldId::PayloadLen => format!("payload len {}", head.payload_len),
            FieldId::MaskingKey => "masking key, XORed over the payload".to_owned(),
            FieldId::Payload => format!("payload: {:?}, masked", unmasked(&head)),
            _ => continue,
        };
        let bytes = field.span.byte_range();
        match parts.last_mut().filter(|part| part.bytes.1 > bytes.start) {
            Some(part) => part.label = format!("{} · {label}", part.label),
            None => parts.push(Part { bytes: (bytes.start, bytes.end), label, style: theme.field(field.id) }),
        }
    }
    parts
}

fn unmasked(head: &FrameHead) -> String {
    let mut payload = FRAME[head.header_len()..].to_vec();
    if let Some(key) = head.masking_key {
        mask::apply(&mut payload, key, 0);
    }
    String::from_utf8_lossy(&payload).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::ThemeName;

    #[test]
    fn each_byte_belongs_to_one_label() {
        let parts = parts(&Theme::named(ThemeName::Dark));
        assert_eq!(parts.iter().map(|part| part.bytes).collect::<Vec<_>>(), [(0, 1), (1, 2), (2, 6), (6, 11)]);
        assert!(parts[3].label.contains("Hello"), "{}", parts[3].label);
    }
}
