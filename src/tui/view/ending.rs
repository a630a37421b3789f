//! How a connection closed, in the place of the bits of the record of its end, which has no bytes.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{ladder, rule};
use crate::capture::query::closing::Closing;
use crate::tui::app::App;
use crate::tui::panel::Panel;

pub fn render(app: &App, closing: &Closing, buffer: &mut Buffer) {
    let (title, area) = (app.layout.middle_title, app.layout.left);
    if area.area() == 0 {
        return;
    }
    let title = Rect { x: area.x, width: area.width, ..title };
    let words = format!("how connection {} closed", closing.connection);
    rule::titled(app, buffer, title, "End", &words, app.panels.focus == Panel::Bits);
    ladder::render(app, buffer, area, &app.closing_rungs(), (app.records_before_closing(), 0));
}
