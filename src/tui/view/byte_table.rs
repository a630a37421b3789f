//! The bytes of a short payload one by one, below its text or hex, where lines are free.
//!
//! ```text
//!     i  masked        key[i mod 4]  payload
//!     0  54 0101 0100  37 0011 0111  63 0110 0011  c
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{cells, put};
use crate::proto::rules::grouped;
use crate::tui::app::App;
use crate::tui::layout::BYTE_TABLE;
use crate::tui::state::detail::Detail;
use crate::tui::state::hex_characters::HexCharacter;
use crate::wire::field::FieldId;

/// Fewest lines for the table.
const LEAST: u16 = 5;

/// Draws the table into the area below the payload; `start` is the offset of the payload in the record.
pub fn render(app: &App, detail: &Detail, area: Rect, start: u64, buffer: &mut Buffer) {
    let window = &app.detail.payload;
    let Some((first, bytes)) = window.bytes().filter(|_| area.height >= LEAST && area.width >= BYTE_TABLE) else {
        return;
    };
    let theme = &app.theme;
    let key = detail.masking_key();
    let heading =
        if key.is_some() { "   i  masked        key[i mod 4]  payload" } else { "   i  byte          character" };
    put(buffer, area, 2, 1, heading, theme.faint);
    let cursor = app.detail.byte.checked_sub(start).filter(|_| app.byte_is_cursor());
    let lines = usize::from(area.height - 2);
    let len = detail.record.wire_len.saturating_sub(start);
    // If not all bytes fit, the last line counts the others.
    let is_whole = len.saturating_sub(first) <= lines as u64;
    let rows = if is_whole { lines } else { lines - 1 };
    // The byte under the cursor is in view.
    let skip = cursor.map_or(0, |at| (at.saturating_sub(first) as usize + 1).saturating_sub(rows));
    let last = first + (skip + rows).min(bytes.len()) as u64;
    if len > last {
        let words = format!("  ↓ {} more", grouped(len - last));
        put(buffer, area, 2, cells((skip + rows).min(bytes.len()) - skip + 2), &words, theme.faint);
    }
    let cells_of = bytes.iter().zip(window.characters()).enumerate().skip(skip).take(rows);
    for ((n, (byte, character)), y) in cells_of.zip(2..) {
        let at = first + n as u64;
        let is_cursor = cursor == Some(at);
        let style = |id| if is_cursor { theme.field(id).patch(theme.selected) } else { theme.field(id) };
        let mut x = 2;
        x += put(buffer, area, x, y, &format!("{at:>4}  "), theme.faint);
        if let Some(key) = key {
            let mask = key[(at % 4) as usize];
            x += put(buffer, area, x, y, &digits(byte ^ mask), style(FieldId::Payload)) + 2;
            x += put(buffer, area, x, y, &digits(mask), style(FieldId::MaskingKey)) + 2;
        }
        x += put(buffer, area, x, y, &digits(*byte), style(FieldId::Payload)) + 2;
        put(buffer, area, x, y, &sign(*character), Style::new().patch(theme.text));
    }
}

/// A byte in hex, and its bits.
fn digits(byte: u8) -> String {
    format!("{byte:02x} {:04b} {:04b}", byte >> 4, byte & 0xf)
}

fn sign(character: HexCharacter) -> String {
    match character {
        HexCharacter::Character(c) => c.to_string(),
        HexCharacter::Continued | HexCharacter::Covered => "╴".to_owned(),
        HexCharacter::Other => "·".to_owned(),
    }
}

/// The part of an area below its first lines.
pub fn below(area: Rect, lines: usize) -> Rect {
    let used = cells(lines).min(area.height);
    Rect { y: area.y + used, height: area.height - used, ..area }
}
