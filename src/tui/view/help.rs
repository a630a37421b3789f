//! The help: the keys of the current view, the signs, and all keys from the key table.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr as _;

use super::popup::frame;
use super::{cells, fit, put, width};
use crate::tui::app::App;
use crate::tui::help_page::{COLUMN, HelpLine};

pub fn render(app: &App, page: u16, buffer: &mut Buffer) {
    let theme = &app.theme;
    let help = app.help_pages();
    let (page, pages) = (usize::from(help.nearest(page)), help.pages.len());
    // All pages have the same size, so that the box stays in place.
    let size = |of: fn(&Vec<Vec<HelpLine>>) -> usize| cells(help.pages.iter().map(of).max().unwrap_or(0));
    let rows = size(|columns| columns.iter().map(Vec::len).max().unwrap_or(0));
    let wide = COLUMN * size(Vec::len) + 3;
    let inner = frame(app, buffer, "Help", wide, rows + 2, &app.foot_of_page());
    if pages > 1 {
        let words = format!(" page {} of {pages} ", page + 1);
        let line = Rect { y: inner.y - 1, height: 1, ..inner };
        put(buffer, line, line.width.saturating_sub(width(&words) + 2), 0, &words, theme.faint);
    }
    for (n, column) in help.pages.get(page).into_iter().flatten().enumerate() {
        let area = Rect { x: inner.x + cells(n) * COLUMN, width: COLUMN.min(inner.width), ..inner };
        for (y, line) in (0..inner.height).zip(column) {
            let (name, style, words) = match line {
                HelpLine::Blank => continue,
                HelpLine::Title(title) => {
                    put(buffer, area, 1, y, title, theme.title);
                    continue;
                }
                HelpLine::Keys(keys, words) => (keys.as_str(), theme.key, words.as_str()),
                HelpLine::Sign(sign) => (sign.sign, (sign.style)(theme), sign.words),
            };
            let pad = cells(help.names.saturating_sub(name.width()));
            put(buffer, area, 2 + pad, y, name, style);
            let at = cells(help.names) + 4;
            let room = usize::from(area.width.saturating_sub(at + 2));
            put(buffer, area, at, y, &fit(words, room), theme.text);
        }
    }
}
