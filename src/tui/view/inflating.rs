//! How a compressed message was inflated, around its text where lines are free.
//!
//! ```text
//!   payload   0a ca 2f d7 51 28 82 12 … 89 25 00 00
//!   append    00 00 ff ff  by the receiver
//!   inflate   ↓ DEFLATE, window 32,768 bytes
//!   Row, row, row your boat
//!   sent      ████████████████████    20 bytes, 87 % of 23
//!   inflated  ███████████████████████ 23 bytes
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{put, width};
use crate::explain;
use crate::proto::deflate::TAIL;
use crate::proto::rules::{count, grouped};
use crate::tui::app::App;
use crate::tui::state::packed::Packed;
use crate::wire::field::FieldId;

/// Column of what follows the names of the steps.
const STEPS: u16 = 12;

/// The longest bar, in columns.
const MOST_BAR: u16 = 40;

/// Draws the steps above the message, and the lengths below it.
pub fn render(app: &App, packed: &Packed, buffer: &mut Buffer) {
    steps(app, packed, app.layout.chain, buffer);
    lengths(app, packed, app.layout.lengths, buffer);
}

fn steps(app: &App, packed: &Packed, area: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    for (name, y) in ["payload", "append", "inflate"].into_iter().zip(0..) {
        put(buffer, area, 2, y, name, theme.faint);
    }
    let room = usize::from(area.width.saturating_sub(STEPS + 1));
    put(buffer, area, STEPS, 0, &packed.hex(room), theme.field(FieldId::Payload));
    let x = STEPS + put(buffer, area, STEPS, 1, &hex(&TAIL), theme.field(FieldId::MaskingKey));
    put(buffer, area, x + 2, 1, "by the receiver", theme.faint);
    let x = STEPS + put(buffer, area, STEPS, 2, "↓ ", theme.key);
    let window = packed.window.map(|bytes| format!(", window {} bytes", grouped(bytes)));
    let method = format!("DEFLATE{}", window.unwrap_or_default());
    let method = if width(&method) + x <= area.width { method } else { "DEFLATE".to_owned() };
    put(buffer, area, x, 2, &method, theme.text);
}

fn lengths(app: &App, packed: &Packed, area: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    let longest = packed.sent.max(packed.inflated).max(1);
    let of = |percent| format!(", {} % of {}", grouped(percent), grouped(packed.inflated));
    let percent = explain::percent(packed.sent, packed.inflated).map(of);
    let sent = format!("{}{}", count(packed.sent, "byte"), percent.unwrap_or_default());
    let inflated = count(packed.inflated, "byte");
    let words = width(&sent).max(width(&inflated));
    let columns = area.width.saturating_sub(STEPS + words + 3).min(MOST_BAR);
    let bars =
        [("sent", packed.sent, sent, FieldId::PayloadLen), ("inflated", packed.inflated, inflated, FieldId::Payload)];
    for ((name, bytes, words, id), y) in bars.into_iter().zip(0..) {
        put(buffer, area, 2, y, name, theme.faint);
        let eighths = (u128::from(bytes) * u128::from(columns) * 8).div_ceil(u128::from(longest));
        let eighths = usize::try_from(eighths).unwrap_or(0);
        let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
        let bar = format!("{}{rest}", "█".repeat(eighths / 8));
        let x = STEPS + put(buffer, area, STEPS, y, &bar, theme.field(id));
        put(buffer, area, x + 1, y, &words, theme.text);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}
