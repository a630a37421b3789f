//! The title lines of panels.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::{fit, put, width};
use crate::tui::app::App;

/// Draws a title line: ` Bits ─ record 4 · text ─────`. If its panel has the focus, the whole line is highlighted and has a heavy
/// rule.
pub fn titled(app: &App, buffer: &mut Buffer, area: Rect, name: &str, rest: &str, focused: bool) {
    if area.height == 0 {
        return;
    }
    let theme = &app.theme;
    let (dash, line, title, words) = match focused {
        true => ("━", theme.focus, theme.focus, theme.focus),
        false => ("─", theme.rule, theme.title, theme.faint),
    };
    put(buffer, area, 0, 0, &dash.repeat(usize::from(area.width)), line);
    let mark = if focused { "▌" } else { " " };
    let name = fit(name, usize::from(area.width.saturating_sub(2)));
    let mut x = put(buffer, area, 0, 0, &format!("{mark}{name} "), title);
    if !rest.is_empty() && x + 4 < area.width {
        x += put(buffer, area, x, 0, dash, line);
        let room = usize::from(area.width.saturating_sub(x + 2));
        put(buffer, area, x, 0, &format!(" {} ", fit(rest, room)), words);
    }
    if focused {
        buffer.set_style(area, theme.focus_line);
    }
}

/// Writes text at the right end of a title line, if it fits.
pub fn right(buffer: &mut Buffer, area: Rect, words: &str, style: ratatui::style::Style) {
    let wide = width(words) + 2;
    let is_free = |x: u16| {
        let cell = buffer.cell(Position::new(area.x + x, area.y));
        cell.is_some_and(|cell| matches!(cell.symbol(), "─" | "━"))
    };
    if area.height > 0 && wide + 2 < area.width && is_free(area.width - wide - 2) {
        put(buffer, area, area.width - wide - 1, 0, &format!(" {words} "), style);
    }
}

/// Joins the vertical line above with a title line, unless the title has text there.
pub fn joint(app: &App, buffer: &mut Buffer, x: u16, y: u16) {
    if let Some(cell) = buffer.cell_mut(Position::new(x, y)).filter(|cell| matches!(cell.symbol(), "─" | "━")) {
        cell.set_symbol("┴").set_style(app.theme.rule);
    }
}
