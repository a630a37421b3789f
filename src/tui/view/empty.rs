//! The screen before the first record: what to do.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr as _;

use super::{cells, fit, put};
use crate::tui::action::Action;
use crate::tui::app::App;

pub fn render(app: &App, buffer: &mut Buffer) {
    let theme = &app.theme;
    let area = Rect {
        y: app.layout.header.bottom(),
        height: app.layout.hints.y.saturating_sub(app.layout.header.bottom()),
        ..app.layout.area
    };
    let key = |action| app.keymap.key_of(action);
    let file = app.session.file.clone().unwrap_or_default();
    let lines = match &app.session.url {
        Some(url) => vec![
            ("No traffic yet.".to_owned(), theme.title),
            (String::new(), theme.text),
            ("Open this address in a browser:".to_owned(), theme.text),
            (url.clone(), theme.focus),
            (String::new(), theme.text),
            (format!("{}  opens it in your browser", key(Action::Browser)), theme.text),
            (format!("{}  starts a demo client instead", key(Action::Demo)), theme.text),
            (format!("{}  lists all keys", key(Action::Help)), theme.text),
        ],
        None if app.capture.is_loading() => vec![("Reading …".to_owned(), theme.text)],
        None if app.capture.is_growing() => {
            vec![("Waiting for TCP traffic in this file …".to_owned(), theme.title), (file, theme.text)]
        }
        None => vec![("This file contains no TCP traffic.".to_owned(), theme.title), (file, theme.text)],
    };
    let widest = lines.iter().map(|(line, _)| line.width()).max().unwrap_or(0).min(usize::from(area.width));
    let x = area.width.saturating_sub(cells(widest)) / 2;
    let y = area.height.saturating_sub(cells(lines.len())) / 2;
    for (i, (line, style)) in lines.iter().enumerate() {
        put(buffer, area, x, y + cells(i), &fit(line, usize::from(area.width)), *style);
    }
}
