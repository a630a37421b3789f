//! The paste dialog.
//!
//! ```text
//! ╭─ Paste ─────────────────────────────────────────────────────────╮
//! │  81 85 37 fa 21 3d 7f 9f 4d 51 58                               │
//! │                                                                 │
//! │  --as   recognize   hex   decimal   base64   text   raw         │
//! │                                                                 │
//! │  odd number of hex digits in "815" (line 1, character 1); …     │
//! ╰─ Enter show · Tab form · Esc close ─────────────────────────────╯
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use unicode_width::UnicodeWidthStr as _;

use super::popup::{frame, inner};
use super::{cells, put, wrap};
use crate::pasted::ReadAs;
use crate::tui::app::App;
use crate::tui::keymap::Context;
use crate::tui::state::dialogs::{Dialog, PasteDialog};
use crate::wire::printable;

const WIDTH: u16 = 78;

/// The most lines of the text that are shown.
const MAX_LINES: u16 = 8;

/// What the empty dialog says.
const PLACEHOLDER: &str = "paste or type frames: hex, a literal, a dump, base64";

pub fn render(app: &App, dialog: &PasteDialog, buffer: &mut Buffer) {
    let theme = &app.theme;
    let shape = Shape::of(app, dialog);
    let inner = frame(app, buffer, "Paste", WIDTH, shape.height, &app.keymap.foot(Context::Paste));
    if dialog.input.value().is_empty() {
        put(buffer, inner, 2, 0, PLACEHOLDER, theme.faint);
    }
    for (line, y) in shape.text.lines.iter().zip(0..) {
        put(buffer, inner, 2, y, line, theme.text);
    }
    let y = shape.text_rows + 1;
    let mut x = 2 + put(buffer, inner, 2, y, "--as ", theme.key);
    for form in PasteDialog::forms() {
        let style = if form == dialog.read_as { theme.selected } else { theme.text };
        x += put(buffer, inner, x, y, &format!(" {} ", form.map_or("recognize", ReadAs::name)), style);
    }
    for (line, y) in shape.error.iter().zip(y + 2..) {
        put(buffer, inner, 2, y, line, theme.error);
    }
}

/// Position of the terminal's cursor in the text.
pub fn cursor(app: &App) -> Option<Position> {
    let Some(Dialog::Paste(dialog)) = &app.dialogs.open else { return None };
    let shape = Shape::of(app, dialog);
    let inner = inner(app, WIDTH, shape.height);
    let (column, row) = shape.text.cursor;
    Some(Position::new(inner.x + 2 + cells(column), inner.y + cells(row)))
}

/// What the dialog shows. The error has as many rows as it needs; the text has the others.
struct Shape {
    text: TextWindow,
    /// Rows for the text.
    text_rows: u16,
    error: Vec<String>,
    /// Height of the box.
    height: u16,
}

impl Shape {
    fn of(app: &App, dialog: &PasteDialog) -> Self {
        let Rect { width, height, .. } = app.layout.area;
        let columns = usize::from(WIDTH.min(width).saturating_sub(6));
        let error = dialog.error.as_deref().map_or_else(Vec::new, |error| wrap(&printable::text(error), columns));
        let below = if error.is_empty() { 2 } else { cells(error.len()).saturating_add(3) };
        let most = height.saturating_sub(below + 2).clamp(1, MAX_LINES);
        let text = TextWindow::of(dialog.input.value(), dialog.input.cursor(), columns, usize::from(most));
        let text_rows = cells(text.lines.len());
        Self { text, text_rows, error, height: text_rows + below + 2 }
    }
}

/// The lines around the cursor of a text, broken at the width of the window.
struct TextWindow {
    lines: Vec<String>,
    /// Column and line of the cursor in the window.
    cursor: (usize, usize),
}

impl TextWindow {
    /// The window around the character `cursor` of a text that may be long: only what can be shown is laid out.
    fn of(text: &str, cursor: usize, columns: usize, rows: usize) -> Self {
        let reach = columns.max(1) * rows;
        let before = cursor.saturating_sub(reach);
        let mut lines = vec![String::new()];
        let mut at = None;
        for (i, c) in text.chars().enumerate().skip(before).take(2 * reach) {
            if i == cursor {
                at = Some((lines[lines.len() - 1].width(), lines.len() - 1));
            }
            if c == '\n' {
                lines.push(String::new());
                continue;
            }
            let shown = printable::text(c.encode_utf8(&mut [0; 4])).into_owned();
            if lines[lines.len() - 1].width() + shown.width() > columns {
                lines.push(String::new());
            }
            let last = lines.len() - 1;
            lines[last].push_str(&shown);
        }
        let (column, line) = at.unwrap_or((lines[lines.len() - 1].width(), lines.len() - 1));
        let top = line.saturating_sub(rows - 1);
        let lines: Vec<String> = lines.into_iter().skip(top).take(rows).collect();
        Self { lines, cursor: (column, line - top) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_shows_the_lines_around_the_cursor() {
        let window = |text: &str, cursor, rows| {
            let TextWindow { lines, cursor } = TextWindow::of(text, cursor, 5, rows);
            (lines.join("|"), cursor)
        };
        assert_eq!(window("", 0, 3), (String::new(), (0, 0)));
        assert_eq!(window("81 05 48", 8, 3), ("81 05| 48".to_owned(), (3, 1)));
        assert_eq!(window("81\n05\n48\n65", 4, 2), ("81|05".to_owned(), (1, 1)));
        assert_eq!(window("81\n05\n48\n65", 11, 2), ("48|65".to_owned(), (2, 1)));
        assert_eq!(window("a\u{1b}日本", 4, 2), ("a␛日|本".to_owned(), (2, 1)));
        assert_eq!(window(&"x".repeat(1_000_000), 1_000_000, 2).1, (5, 1));
    }
}
