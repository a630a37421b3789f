//! Drawing. Each panel has a file with one `render`, which changes nothing and reads no file.

mod bits;
mod byte_table;
mod bytes;
mod card;
mod connections;
mod copy;
mod empty;
mod ending;
mod explanation;
mod export;
mod findings;
mod fragments;
mod header;
mod help;
mod hints;
mod hold;
mod inflating;
mod kept;
mod ladder;
mod list;
mod no_match;
mod paste;
mod path_row;
mod picture;
mod popup;
mod prompt;
mod reader;
mod rows;
mod rule;
mod sample_frame;
mod timeline;
mod tour;
mod tree;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{Clear, Widget as _};
use unicode_width::UnicodeWidthStr as _;

use super::app::App;
use super::layout::MIN_SIZE;
use super::panel::View;
use super::state::dialogs::Dialog;
use super::text::{bytes_with_unit, fit, fit_path, paragraph, wrap};
use super::theme::Theme;

/// Draws the screen.
pub fn draw(app: &App, frame: &mut Frame<'_>) {
    let buffer = frame.buffer_mut();
    render(app, buffer);
    let cursors = [prompt::cursor, export::cursor, picture::cursor, paste::cursor, tour::cursor];
    if let Some(position) = cursors.iter().find_map(|cursor| cursor(app)) {
        frame.set_cursor_position(position);
    }
}

/// Draws the screen into a buffer.
pub fn render(app: &App, buffer: &mut Buffer) {
    let layout = &app.layout;
    paint(app, buffer, layout.area);
    if layout.is_too_small() {
        let (columns, rows) = MIN_SIZE;
        let words = format!("framescope needs at least {columns}×{rows}");
        for (line, y) in wrap(&words, usize::from(layout.area.width)).iter().zip(0..) {
            put(buffer, layout.area, 0, y, line, app.theme.text);
        }
        return;
    }
    header::render(app, buffer);
    tour::render(app, buffer);
    if app.counts.totals.records == 0 {
        // While a tour waits for its first record, nothing else is offered; the list of kept captures would cover a part.
        if app.tour.is_none() && !matches!(app.dialogs.open, Some(Dialog::Kept(_))) {
            empty::render(app, buffer);
        }
    } else if app.shows_nothing() {
        no_match::render(app, buffer);
    } else {
        match app.panels.view {
            View::Connections => connections::render(app, buffer),
            View::Timeline => timeline::render(app, buffer),
            View::Frames | View::Messages => list::render(app, buffer),
        }
        bytes::dividers(app, buffer);
        card::aside(app, buffer);
        card::conversation(app, buffer);
        match &app.closing {
            _ if app.panels.view == View::Connections => {}
            Some(closing) => {
                ending::render(app, closing, buffer);
                explanation::render(app, buffer);
            }
            None => {
                bits::render(app, buffer);
                bytes::render(app, buffer);
                fragments::render(app, buffer);
                explanation::render(app, buffer);
            }
        }
    }
    if let Some(panel) = app.findings_panel() {
        findings::render(app, panel, buffer);
    }
    hints::render(app, buffer);
    match &app.dialogs.open {
        Some(Dialog::Help(top)) => help::render(app, *top, buffer),
        Some(Dialog::Prompt(prompt)) => prompt::render(app, prompt, buffer),
        Some(Dialog::Words(top)) => reader::render(app, *top, buffer),
        Some(Dialog::Kept(list)) => kept::render(app, list, buffer),
        Some(Dialog::Hold(panel)) => hold::render(app, panel, buffer),
        Some(Dialog::Picture(dialog)) => picture::render(app, dialog, buffer),
        Some(Dialog::Paste(dialog)) => paste::render(app, dialog, buffer),
        Some(Dialog::Export(dialog)) => export::render(app, dialog, buffer),
        Some(Dialog::Copy(menu)) => copy::render(app, menu, buffer),
        Some(Dialog::Question(question)) => popup::ask(app, question, buffer),
        Some(Dialog::Findings(_)) | None => {}
    }
}

/// Gives an area the background and the text colour of the theme, if the theme has its own.
fn paint(app: &App, buffer: &mut Buffer, area: Rect) {
    if app.theme.is_painted {
        buffer.set_style(area, app.theme.ground);
    }
}

/// Empties an area that something else was drawn into.
fn clear(app: &App, buffer: &mut Buffer, area: Rect) {
    Clear.render(area, buffer);
    paint(app, buffer, area);
}

/// Marks a row as that of the cursor. A sign of alarm keeps its style: on the background of the cursor it can be invisible.
fn mark_cursor(theme: &Theme, buffer: &mut Buffer, row: Rect) {
    for y in 0..row.height {
        put(buffer, row, 0, y, "▌", theme.focus);
    }
    for position in row.positions() {
        let cell = &mut buffer[position];
        if theme.alarm.bg.is_none_or(|alarm| cell.bg != alarm) {
            cell.set_style(theme.cursor);
        }
    }
}

/// A number of columns or rows. It saturates: what is beyond the screen is cut off anyway.
fn cells(number: impl TryInto<u16>) -> u16 {
    number.try_into().unwrap_or(u16::MAX)
}

/// Width of a text in columns.
fn width(text: &str) -> u16 {
    cells(text.width())
}

/// Writes text into an area. A text that does not fit ends with an ellipsis. Returns the number of columns used.
fn put(buffer: &mut Buffer, area: Rect, x: u16, y: u16, text: &str, style: Style) -> u16 {
    if x >= area.width || y >= area.height {
        return 0;
    }
    let room = usize::from(area.width - x);
    let (end, _) = match text.width() <= room {
        true => buffer.set_stringn(area.x + x, area.y + y, text, room, style),
        false => buffer.set_stringn(area.x + x, area.y + y, fit(text.trim_end(), room), room, style),
    };
    end - area.x - x
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::ThemeName;

    #[test]
    fn a_sign_of_alarm_stays_visible_in_the_row_of_the_cursor() {
        for name in [ThemeName::Dark, ThemeName::Light] {
            let theme = Theme::named(name).painted();
            let row = Rect::new(0, 0, 4, 1);
            let mut buffer = Buffer::empty(row);
            put(&mut buffer, row, 1, 0, "!", theme.alarm);
            mark_cursor(&theme, &mut buffer, row);
            assert_eq!((Some(buffer[(1, 0)].bg), Some(buffer[(2, 0)].bg)), (theme.alarm.bg, theme.cursor.bg));
        }
    }
}
