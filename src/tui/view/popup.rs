//! Boxes over the panels, and questions.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, BorderType, Widget as _};

use super::{bytes_with_unit, cells, clear, fit, kept, put, width, wrap};
use crate::proto::rules::count;
use crate::tui::app::App;
use crate::tui::export_request::ExportRequest;
use crate::tui::keymap::Context;
use crate::tui::picture_request::FileRequest;
use crate::tui::state::dialogs::Question;
use crate::tui::state::jobs::Unsaved;

/// Draws an empty box in the middle of the screen, with a title and a line of hints at its bottom. Returns the area inside.
pub fn frame(app: &App, buffer: &mut Buffer, title: &str, width: u16, height: u16, foot: &str) -> Rect {
    let theme = &app.theme;
    let inner = inner(app, width, height);
    let area = Rect { x: inner.x - 1, y: inner.y - 1, width: inner.width + 2, height: inner.height + 2 };
    clear(app, buffer, area);
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

/// Draws a question with its answers.
pub fn ask(app: &App, question: &Question, buffer: &mut Buffer) {
    let theme = &app.theme;
    let (title, context, text) = match question {
        Question::Quit => ("Quit", Context::Quit, unsaved(app) + &held(app)),
        Question::DeleteKept(kept) => ("Delete", Context::Delete, kept::deletion(kept)),
        Question::Replace(ExportRequest { path, .. }) | Question::ReplaceFile(FileRequest { path, .. }) => {
            ("Replace", Context::Replace, format!("{} exists.", path.display()))
        }
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

/// What quitting would lose now: the capture may have grown since the question was opened.
fn unsaved(app: &App) -> String {
    match app.jobs.unsaved(&app.counts.totals) {
        Some(Unsaved::Records(n)) => {
            let are = if n == 1 { "is" } else { "are" };
            let bytes = bytes_with_unit(app.counts.totals.bytes.iter().sum());
            let connections = count(app.counts.totals.connections, "connection");
            format!(
                "{} of {connections} ({bytes}) {are} in no file that you named. Quitting deletes the capture.",
                count(n, "record")
            )
        }
        Some(Unsaved::Notes) => "Your notes are in no file yet. Saving writes the capture with its notes.".to_owned(),
        None => "Everything is saved.".to_owned(),
    }
}

/// What happens to messages that wait; empty if there are none.
fn held(app: &App) -> String {
    match app.held.count {
        0 => String::new(),
        held => format!(" {} will be sent on.", count(held as u64, "held message")),
    }
}
