//! The screen while the filter lets nothing through: why it is empty, and what to do.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{paragraph, put, rule};
use crate::proto::rules::count;
use crate::tui::action::Action;
use crate::tui::app::App;
use crate::tui::panel::View;
use crate::wire::printable;

pub fn render(app: &App, buffer: &mut Buffer) {
    let Some(filter) = app.list.filter() else { return };
    let (theme, top) = (&app.theme, app.layout.header.bottom());
    let area = Rect { y: top, height: app.layout.hints.y.saturating_sub(top), ..app.layout.area };
    rule::titled(app, buffer, Rect { height: 1, ..area }, app.panels.view.name(), "", true);
    let what = match app.panels.view {
        View::Frames | View::Messages => "record",
        View::Connections | View::Timeline => "connection",
    };
    let [edit, clear] = [Action::Filter, Action::Cancel].map(|action| app.keymap.key_of(action));
    let searched = count(app.counts.totals.kept(), "record");
    let found = match app.is_searching() {
        true => "Searching the capture …".to_owned(),
        false => format!("No {what} matches the filter. {searched} searched."),
    };
    let lines = [
        (found, theme.title),
        (format!("filter: {}", printable::text(filter.text())), theme.focus),
        (format!("{edit} edits the filter · {clear} clears it"), theme.text),
    ];
    let columns = usize::from(area.width.saturating_sub(4)).min(100);
    let mut y = 2;
    for (text, style) in lines {
        for line in paragraph(&text, columns, 3) {
            put(buffer, area, 2, y, &line, style);
            y += 1;
        }
        y += 1;
    }
}
