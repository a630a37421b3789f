//! Boxes over the panels: the export dialog, the copy menu, questions.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr as _;

use super::{fit, put, wrap};
use crate::proto::rules::grouped;
use crate::tui::app::overlay::{CopyMenu, ExportDialog, Overlay, Question, Scope};
use crate::tui::app::{App, count};

const EXPORT_WIDTH: u16 = 72;
const EXPORT_HEIGHT: u16 = 11;
/// Column of the values in the export dialog.
const VALUES: u16 = 11;

pub fn render(app: &App, overlay: &Overlay, buffer: &mut Buffer) {
    match overlay {
        Overlay::Export(dialog) => export(app, dialog, buffer),
        Overlay::Copy(menu) => copy(app, menu, buffer),
        Overlay::Question(question) => ask(app, question, buffer),
        Overlay::Help(_) | Overlay::Findings(_) | Overlay::Prompt(_) => {}
    }
}

/// Where the terminal's cursor stands while a path is typed.
pub fn cursor(app: &App) -> Option<Position> {
    let Some(Overlay::Export(dialog)) = &app.overlay else { return None };
    if dialog.row != 2 {
        return None;
    }
    let inner = inner(app, EXPORT_WIDTH, EXPORT_HEIGHT);
    let room = usize::from(inner.width.saturating_sub(VALUES + 1));
    let column = dialog.path.visual_cursor() - dialog.path.visual_scroll(room);
    Some(Position::new(inner.x + VALUES + column as u16, inner.y + 5))
}

/// Draws an empty box in the middle of the screen, with a title and a line at its bottom; returns what is inside.
pub fn frame(app: &App, buffer: &mut Buffer, title: &str, width: u16, height: u16, foot: &str) -> Rect {
    let theme = &app.theme;
    let inner = inner(app, width, height);
    let area = Rect { x: inner.x - 1, y: inner.y - 1, width: inner.width + 2, height: inner.height + 2 };
    for y in 0..area.height {
        let line = if y == 0 {
            format!("╭{}╮", "─".repeat(usize::from(inner.width)))
        } else if y + 1 == area.height {
            format!("╰{}╯", "─".repeat(usize::from(inner.width)))
        } else {
            format!("│{}│", " ".repeat(usize::from(inner.width)))
        };
        let row = Rect { y: area.y + y, height: 1, ..area };
        buffer.set_style(row, Style::reset());
        put(buffer, area, 0, y, &line, theme.rule.0);
        let between = Rect { x: row.x + 1, width: row.width - 2, ..row };
        if y > 0 && y + 1 < area.height {
            buffer.set_style(between, Style::reset());
        }
    }
    put(buffer, area, 2, 0, &format!(" {title} "), theme.focus.0);
    let room = usize::from(area.width.saturating_sub(6));
    if !foot.is_empty() {
        put(buffer, area, 2, area.height - 1, &format!(" {} ", fit(foot, room)), theme.faint.0);
    }
    inner
}

fn inner(app: &App, width: u16, height: u16) -> Rect {
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
    let inner =
        frame(app, buffer, "Export", EXPORT_WIDTH, EXPORT_HEIGHT, "↑↓ row · ←→ choose · Enter export · Esc close");
    let label = |buffer: &mut Buffer, row: usize, y: u16, text: &str| {
        let style = if dialog.row == row { theme.focus.0 } else { theme.text.0 };
        put(buffer, inner, 1, y, if dialog.row == row { "▌" } else { " " }, theme.focus.0);
        put(buffer, inner, 2, y, text, style);
    };
    label(buffer, 0, 1, "what");
    let mut x = VALUES;
    for (scope, n) in dialog.scopes.iter().copied() {
        let words = match scope {
            Scope::This => format!(" record {} ", app.cursor),
            Scope::Marked => format!(" {} marked ", grouped(n)),
            Scope::Filtered => format!(" {} filtered ", grouped(n)),
            Scope::All => format!(" all {} ", grouped(n)),
        };
        x += put(buffer, inner, x, 1, &words, if scope == dialog.scope { theme.selected.0 } else { theme.text.0 }) + 1;
    }
    label(buffer, 1, 3, "format");
    x = VALUES;
    // The chosen one is in view, with as many before it as there is room for.
    let widths: Vec<u16> = dialog.formats.iter().map(|format| format.name.width() as u16 + 3).collect();
    let room = inner.width.saturating_sub(VALUES);
    let until = (dialog.format + 1).min(widths.len());
    let first = (0..until).find(|first| widths[*first..until].iter().sum::<u16>() <= room).unwrap_or(dialog.format);
    for (i, format) in dialog.formats.iter().enumerate().skip(first) {
        let style = if i == dialog.format { theme.selected.0 } else { theme.text.0 };
        x += put(buffer, inner, x, 3, &format!(" {} ", format.name), style) + 1;
    }
    label(buffer, 2, 5, "file");
    let room = usize::from(inner.width.saturating_sub(VALUES + 1));
    let scroll = dialog.path.visual_scroll(room);
    let shown: String = dialog.path.value().chars().skip(scroll).take(room).collect();
    put(buffer, inner, VALUES, 5, &shown, theme.text.0);
    if let Some(format) = dialog.formats.get(dialog.format) {
        put(buffer, inner, 2, 7, &fit(format.words, usize::from(inner.width - 3)), theme.faint.0);
    }
}

fn copy(app: &App, menu: &CopyMenu, buffer: &mut Buffer) {
    let theme = &app.theme;
    let height = menu.choices.len() as u16 + 4;
    let inner = frame(app, buffer, "Copy", 46, height, "↑↓ Enter · Esc close");
    for (i, (key, words, _)) in menu.choices.iter().enumerate() {
        let y = i as u16 + 1;
        let style = if i == menu.at { theme.selected.0 } else { theme.text.0 };
        put(buffer, inner, 2, y, &key.to_string(), theme.key.0);
        put(buffer, inner, 5, y, &format!(" {words} "), style);
    }
}

fn ask(app: &App, question: &Question, buffer: &mut Buffer) {
    let theme = &app.theme;
    let (title, text, answers) = match question {
        Question::QuitUnsaved(n) => (
            "Quit",
            format!(
                "{} in this capture {} not saved, and would be gone.",
                count(*n, "record"),
                if *n == 1 { "is" } else { "are" }
            ),
            [("s", "save, then quit"), ("q", "quit without saving"), ("Esc", "stay")],
        ),
        Question::QuitNoted => (
            "Quit",
            "What you noted is in no file yet: saving writes the capture with its notes.".to_owned(),
            [("s", "save, then quit"), ("q", "quit without saving"), ("Esc", "stay")],
        ),
        Question::Replace(request) => (
            "Replace",
            format!("{} exists.", request.path.display()),
            [("r", "replace it"), ("n", "keep it, write nothing"), ("Esc", "the same")],
        ),
    };
    let lines = wrap(&text, 54);
    let inner = frame(app, buffer, title, 60, lines.len() as u16 + 7, "");
    for (y, line) in lines.iter().enumerate() {
        put(buffer, inner, 2, y as u16 + 1, line, theme.text.0);
    }
    for (i, (key, words)) in answers.iter().enumerate() {
        let y = lines.len() as u16 + 2 + i as u16;
        put(buffer, inner, 5 - (key.width() as u16).min(3), y, key, theme.key.0);
        put(buffer, inner, 7, y, words, theme.text.0);
    }
}
