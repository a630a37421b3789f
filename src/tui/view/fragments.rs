//! The frames of a message in one line, each in the colour of its text.

use ratatui::buffer::Buffer;

use super::put;
use crate::proto::rules::count;
use crate::tui::app::App;

pub fn render(app: &App, buffer: &mut Buffer) {
    let (area, theme) = (app.layout.fragments, &app.theme);
    let Some(detail) = app.detail.current().filter(|_| area.height > 0) else { return };
    let len = app.detail.content().map_or(0, |content| content.len);
    let carriers = &detail.carriers;
    let mut x = 2;
    for (n, carrier) in carriers.iter().enumerate() {
        let end = carriers.get(n + 1).map_or(len, |next| next.start);
        let words = format!("▌{}: record {}, {}", n + 1, carrier.no, count(end.saturating_sub(carrier.start), "byte"));
        if x >= area.width {
            break;
        }
        x += put(buffer, area, x, 0, &words, theme.fragment(n)) + 2;
    }
}
