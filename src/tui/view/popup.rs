//! Boxes over the panels: the export dialog, the copy menu and questions.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::{Block, BorderType, Clear, Widget as _};

use super::{cells, fit, put, width, wrap};
use crate::proto::rules::{count, grouped};
use crate::tui::app::App;
use crate::tui::keymap::{Binding, Context};
use crate::tui::state::dialogs::{CopyMenu, Dialog, ExportDialog, ExportRow, Question, Scope};
use crate::tui::state::jobs::Unsaved;

const EXPORT_WIDTH: u16 = 72;
const EXPORT_HEIGHT: u16 = 11;

/// Width of the copy menu.
const COPY_WIDTH: u16 = 46;

/// Column of the values in the export dialog.
const VALUES: u16 = 11;

pub fn render(app: &App, dialog: &Dialog, buffer: &mut Buffer) {
    match dialog {
        Dialog::Export(dialog) => export(app, dialog, buffer),
        Dialog::Copy(menu) => copy(app, menu, buffer),
        Dialog::Question(question) => ask(app, question, buffer),
        Dialog::Help(_) | Dialog::Findings(_) | Dialog::Prompt(_) | Dialog::Paste(_) => {}
    }
}

/// Position of the terminal's cursor while the user types a path.
pub fn cursor(app: &App) -> Option<Position> {
    let Some(Dialog::Export(dialog)) = &app.dialogs.open else { return None };
    if dialog.row != ExportRow::Path {
        return None;
    }
    let inner = inner(app, EXPORT_WIDTH, EXPORT_HEIGHT);
    let room = usize::from(inner.width.saturating_sub(VALUES + 1));
    let column = cells(dialog.path.visual_cursor().saturating_sub(dialog.path.visual_scroll(room)));
    Some(Position::new(inner.x + VALUES + column, inner.y + 5))
}

/// Draws an empty box in the middle of the screen, with a title and a line of hints at its bottom. Returns the area inside.
pub fn frame(app: &App, buffer: &mut Buffer, title: &str, width: u16, height: u16, foot: &str) -> Rect {
    let theme = &app.theme;
    let inner = inner(app, width, height);
    let area = Rect { x: inner.x - 1, y: inner.y - 1, width: inner.width + 2, height: inner.height + 2 };
    Clear.render(area, buffer);
    Block::bordered().border_type(BorderType::Rounded).border_style(theme.rule).render(area, buffer);
    put(buffer, area, 2, 0, &format!(" {title} "), theme.focus);
    if !foot.is_empty() {
        let room = usize::from(area.width.saturating_sub(6));
        put(buffer, area, 2, area.height - 1, &format!(" {} ", fit(foot, room)), theme.faint);
    }
    inner
}

pub fn inner(app: &App, width: u16, height: u16) -> Rect {
    let screen = app.layout.area;
    let (width, height) = (width.min(screen.width), height.min(screen.height));
    Rect {
        x: screen.x + (screen.width - width) / 2 + 1,
        y: screen.y + (screen.height - height) / 2 + 1,
        width: width.saturating_sub(2),
        height: height.saturating_sub(2),
    }
}

fn export(app: &App, dialog: &ExportDialog, buffer: &mut Buffer) {
    let theme = &app.theme;
    let foot = app.keymap.foot(Context::Export);
    let inner = frame(app, buffer, "Export", EXPORT_WIDTH, EXPORT_HEIGHT, &foot);
    let label = |buffer: &mut Buffer, row: ExportRow, y: u16, text: &str| {
        let style = if dialog.row == row { theme.focus } else { theme.text };
        put(buffer, inner, 1, y, if dialog.row == row { "▌" } else { " " }, theme.focus);
        put(buffer, inner, 2, y, text, style);
    };
    label(buffer, ExportRow::Scope, 1, "what");
    let mut x = VALUES;
    for (scope, n) in dialog.scopes.iter().copied() {
        let words = match scope {
            Scope::Cursor => format!(" record {} ", app.list.cursor),
            Scope::Marked => format!(" {} marked ", grouped(n)),
            Scope::Filtered => format!(" {} filtered ", grouped(n)),
            Scope::All => format!(" all {} ", grouped(n)),
        };
        x += put(buffer, inner, x, 1, &words, if scope == dialog.scope { theme.selected } else { theme.text }) + 1;
    }
    label(buffer, ExportRow::Format, 3, "format");
    x = VALUES;
    // The chosen format is in view, with as many before it as fit.
    let widths: Vec<u16> = dialog.formats.iter().map(|format| width(&format.name) + 3).collect();
    let room = inner.width.saturating_sub(VALUES);
    let until = (dialog.format + 1).min(widths.len());
    let first = (0..until).find(|first| widths[*first..until].iter().sum::<u16>() <= room).unwrap_or(dialog.format);
    for (i, format) in dialog.formats.iter().enumerate().skip(first) {
        let style = if i == dialog.format { theme.selected } else { theme.text };
        x += put(buffer, inner, x, 3, &format!(" {} ", format.name), style) + 1;
    }
    label(buffer, ExportRow::Path, 5, "file");
    let room = usize::from(inner.width.saturating_sub(VALUES + 1));
    let scroll = dialog.path.visual_scroll(room);
    let shown: String = dialog.path.value().chars().skip(scroll).take(room).collect();
    put(buffer, inner, VALUES, 5, &shown, theme.text);
    if let Some(format) = dialog.chosen_format() {
        put(buffer, inner, 2, 7, &fit(format.words, usize::from(inner.width.saturating_sub(3))), theme.faint);
    }
}

fn copy(app: &App, menu: &CopyMenu, buffer: &mut Buffer) {
    let theme = &app.theme;
    let height = cells(menu.choices.len()).saturating_add(4);
    let inner = frame(app, buffer, "Copy", COPY_WIDTH, height, &app.keymap.foot(Context::Copy));
    for (part, y) in menu.choices.iter().zip(1..) {
        let binding = app.keymap.binding(Context::Copy, *part);
        let key = binding.map(Binding::first_key).unwrap_or_default();
        let words = binding.map_or("", |binding| &binding.help);
        let style = if *part == menu.current() { theme.selected } else { theme.text };
        put(buffer, inner, 2, y, &key, theme.key);
        put(buffer, inner, 5, y, &format!(" {words} "), style);
    }
}

fn ask(app: &App, question: &Question, buffer: &mut Buffer) {
    let theme = &app.theme;
    let (title, context, text) = match question {
        Question::Quit(Unsaved::Records(n)) => {
            let are = if *n == 1 { "is" } else { "are" };
            let records = count(*n, "record");
            ("Quit", Context::Quit, format!("{records} in this capture {are} not saved. Quitting deletes the capture."))
        }
        Question::Quit(Unsaved::Notes) => {
            let text = "Your notes are in no file yet. Saving writes the capture with its notes.".to_owned();
            ("Quit", Context::Quit, text)
        }
        Question::Replace(request) => ("Replace", Context::Replace, format!("{} exists.", request.path.display())),
    };
    let lines = wrap(&text, 54);
    let answers = app.keymap.hints(context);
    let height = cells(lines.len() + answers.len()).saturating_add(4);
    let inner = frame(app, buffer, title, 60, height, "");
    for (line, y) in lines.iter().zip(1..) {
        put(buffer, inner, 2, y, line, theme.text);
    }
    for (hint, y) in answers.iter().zip(cells(lines.len()).saturating_add(2)..) {
        put(buffer, inner, 5 - width(&hint.key).min(3), y, &hint.key, theme.key);
        put(buffer, inner, 7, y, &hint.words, theme.text);
    }
}
