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

use super::popup::{frame, inner};
use super::{cells, put, wrap};
use crate::pasted::ReadAs;
use crate::tui::app::App;
use crate::tui::keymap::Context;
use crate::tui::state::dialogs::{Dialog, PasteDialog};
use crate::tui::typed_text::TypedText;
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
    text: TypedText,
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
        let text = TypedText::of(dialog.input.value(), dialog.input.cursor(), columns, usize::from(most));
        let text_rows = cells(text.lines.len());
        Self { text, text_rows, error, height: text_rows + below + 2 }
    }
}
