//! The lines between panels, with their titles.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr as _;

use super::{fit, put};
use crate::tui::app::App;

/// Draws a line with a title at its left: ` Bits ─ record 4 · text ─────`. The name is lit when its panel has the keys.
pub fn titled(app: &App, buffer: &mut Buffer, area: Rect, name: &str, rest: &str, focused: bool) {
    if area.height == 0 {
        return;
    }
    let theme = &app.theme;
    put(buffer, area, 0, 0, &"─".repeat(usize::from(area.width)), theme.rule.0);
    let style = if focused { theme.focus.0 } else { theme.title.0 };
    let mut x = put(buffer, area, 0, 0, &format!(" {name} "), style);
    if !rest.is_empty() {
        x += put(buffer, area, x, 0, "─", theme.rule.0);
        let room = usize::from(area.width.saturating_sub(x + 2));
        put(buffer, area, x, 0, &format!(" {} ", fit(rest, room)), theme.faint.0);
    }
}

/// Writes words into the right end of a line.
pub fn right(buffer: &mut Buffer, area: Rect, words: &str, style: ratatui::style::Style) {
    let width = words.width() as u16 + 2;
    if area.height > 0 && width + 12 < area.width {
        put(buffer, area, area.width - width - 1, 0, &format!(" {words} "), style);
    }
}
