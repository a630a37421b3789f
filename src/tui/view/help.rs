//! The help: the keys of the current view, the signs, and all keys from the key table.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::popup::frame;
use super::{cells, put, width};
use crate::tui::app::App;
use crate::tui::help_page::HelpLine;

/// Columns before a name, and those before the words without the name.
const MARGIN: u16 = 2;
const GAPS: u16 = MARGIN + 2;

pub fn render(app: &App, page: u16, buffer: &mut Buffer) {
    let theme = &app.theme;
    let help = app.help_pages();
    let (page, pages) = (usize::from(help.nearest(page)), help.pages.len());
    // All pages have the same size, so that the box stays in place.
    let size = |of: fn(&Vec<Vec<HelpLine>>) -> usize| cells(help.pages.iter().map(of).max().unwrap_or(0));
    let rows = size(|columns| columns.iter().map(Vec::len).max().unwrap_or(0));
    let inner = frame(app, buffer, "Help", app.layout.area.width, rows + 2, &app.foot_of_page());
    if pages > 1 {
        let words = format!(" page {} of {pages} ", page + 1);
        let line = Rect { y: inner.y - 1, height: 1, ..inner };
        put(buffer, line, line.width.saturating_sub(width(&words) + 2), 0, &words, theme.faint);
    }
    let columns = help.pages.get(page).map_or(&[][..], Vec::as_slice);
    let wide = inner.width / cells(columns.len()).max(1);
    for (n, column) in columns.iter().enumerate() {
        let area = Rect { x: inner.x + cells(n) * wide, width: wide, ..inner };
        for (y, line) in (0..inner.height).zip(column) {
            let (name, style, words) = match line {
                HelpLine::Blank => continue,
                HelpLine::Title(title) => {
                    put(buffer, area, 1, y, title, theme.title);
                    continue;
                }
                HelpLine::Keys(keys, words) => (keys.as_str(), theme.key, words.as_str()),
                HelpLine::Sign(sign, name, words) => (name.as_str(), (sign.style)(theme), words.as_str()),
                HelpLine::More(names, words) => {
                    put(buffer, area, cells(*names) + GAPS, y, words, theme.text);
                    continue;
                }
            };
            // Only the sign has its style, and not the space before it.
            let sign = name.trim_start();
            put(buffer, area, MARGIN + width(name) - width(sign), y, sign, style);
            put(buffer, area, width(name) + GAPS, y, words, theme.text);
        }
    }
}
