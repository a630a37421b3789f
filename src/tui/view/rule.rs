//! The title lines of panels.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{fit, put, width};
use crate::tui::app::App;

/// Draws a title line: ` Bits ─ record 4 · text ─────`. The name is highlighted if its panel has the focus.
pub fn titled(app: &App, buffer: &mut Buffer, area: Rect, name: &str, rest: &str, focused: bool) {
    if area.height == 0 {
        return;
    }
    let theme = &app.theme;
    put(buffer, area, 0, 0, &"─".repeat(usize::from(area.width)), theme.rule);
    let style = if focused { theme.focus } else { theme.title };
    let mut x = put(buffer, area, 0, 0, &format!(" {name} "), style);
    if !rest.is_empty() {
        x += put(buffer, area, x, 0, "─", theme.rule);
        let room = usize::from(area.width.saturating_sub(x + 2));
        put(buffer, area, x, 0, &format!(" {} ", fit(rest, room)), theme.faint);
    }
}

/// Writes text at the right end of a title line, if it fits.
pub fn right(buffer: &mut Buffer, area: Rect, words: &str, style: ratatui::style::Style) {
    let wide = width(words) + 2;
    if area.height > 0 && wide + 12 < area.width {
        put(buffer, area, area.width - wide - 1, 0, &format!(" {words} "), style);
    }
}
