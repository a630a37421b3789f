//! The help: the keys of the current view, the signs, and all keys from the key table.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr as _;

use super::popup::frame;
use super::{cells, fit, put, width};
use crate::tui::app::App;
use crate::tui::help_page::{COLUMN, HelpLine};
use crate::tui::keymap::Context;

pub fn render(app: &App, top: u16, buffer: &mut Buffer) {
    let theme = &app.theme;
    let page = app.help_page();
    let rows = cells(page.height());
    let wide = COLUMN * cells(page.columns.len()) + 3;
    let foot = format!("{} · any other key closes", app.keymap.foot(Context::Help));
    let inner = frame(app, buffer, "Help", wide, rows + 2, &foot);
    if rows > inner.height {
        let last = (top + inner.height).min(rows);
        let words = format!(" {} to {last} of {rows} ", top + 1);
        let line = Rect { y: inner.y - 1, height: 1, ..inner };
        put(buffer, line, line.width.saturating_sub(width(&words) + 2), 0, &words, theme.faint);
    }
    for (n, column) in page.columns.iter().enumerate() {
        let area = Rect { x: inner.x + cells(n) * COLUMN, width: COLUMN.min(inner.width), ..inner };
        for (y, line) in (0..inner.height).zip(column.iter().skip(usize::from(top))) {
            let (name, style, words) = match line {
                HelpLine::Blank => continue,
                HelpLine::Title(title) => {
                    put(buffer, area, 1, y, title, theme.title);
                    continue;
                }
                HelpLine::Keys(keys, words) => (keys.as_str(), theme.key, words.as_str()),
                HelpLine::Sign(sign) => (sign.sign, (sign.style)(theme), sign.words),
            };
            let pad = cells(page.names.saturating_sub(name.width()));
            put(buffer, area, 2 + pad, y, name, style);
            let at = cells(page.names) + 4;
            let room = usize::from(area.width.saturating_sub(at + 2));
            put(buffer, area, at, y, &fit(words, room), theme.text);
        }
    }
}
