//! The export dialog.
//!
//! ```text
//! ╭─ Export ──────────────────────────────────────────────────────────╮
//! │ ▌what     record 6   2 marked   all 1,204                         │
//! │  format   pcapng  ndjson  har  hex  payload  wire                 │
//! │           everything; opens in Wireshark                          │
//! │  file     marked.pcapng                                           │
//! │           in /home/me/lessons                                     │
//! ╰─ ↑↓ row · ←→ choose · Enter export · Esc close ───────────────────╯
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::popup::{frame, inner};
use super::{cells, fit, path_row, put, width, wrap};
use crate::proto::rules::grouped;
use crate::tui::app::App;
use crate::tui::keymap::Context;
use crate::tui::state::dialogs::{Dialog, ExportDialog, ExportRow, Scope};

const WIDTH: u16 = 84;

/// Column of the values.
const VALUES: u16 = 11;

pub fn render(app: &App, dialog: &ExportDialog, buffer: &mut Buffer) {
    let theme = &app.theme;
    let lines = Lines::of(app, dialog);
    let inner = frame(app, buffer, "Export", WIDTH, lines.height(), &app.keymap.foot(Context::Export));
    let label = |buffer: &mut Buffer, row: ExportRow, y: u16, text: &str| {
        let style = if dialog.row == row { theme.focus } else { theme.faint };
        if dialog.row == row {
            put(buffer, inner, 1, y, "▌", theme.focus);
        }
        put(buffer, inner, 2, y, text, style);
    };
    label(buffer, ExportRow::Scope, lines.scopes_at(), "what");
    label(buffer, ExportRow::Format, lines.formats_at(), "format");
    label(buffer, ExportRow::Path, lines.path_at(), "file");
    choices(app, buffer, inner, lines.scopes_at(), &lines.scopes);
    choices(app, buffer, inner, lines.formats_at(), &lines.formats);
    for (line, y) in lines.words.iter().zip(lines.words_at()..) {
        put(buffer, inner, VALUES + 1, y, line, theme.faint);
    }
    path_row::render(app, &dialog.path, buffer, inner, VALUES + 1, lines.path_at());
}

/// Position of the terminal's cursor while the user types a path.
pub fn cursor(app: &App) -> Option<Position> {
    let Some(Dialog::Export(dialog)) = &app.dialogs.open else { return None };
    if dialog.row != ExportRow::Path {
        return None;
    }
    let lines = Lines::of(app, dialog);
    let inner = inner(app, WIDTH, lines.height());
    Some(path_row::cursor(&dialog.path, inner, VALUES + 1, lines.path_at()))
}

/// A choice: its words, whether it is the chosen one, and whether it has no record.
type Choice = (String, bool, bool);

/// The lines of the dialog, which depend on its width.
struct Lines {
    scopes: Vec<Vec<Choice>>,
    formats: Vec<Vec<Choice>>,
    /// What a file of the chosen format holds.
    words: Vec<String>,
}

impl Lines {
    fn of(app: &App, dialog: &ExportDialog) -> Self {
        let room = WIDTH.min(app.layout.area.width).saturating_sub(VALUES + 3);
        let scopes = dialog.scopes().into_iter().map(|(scope, n)| {
            let words = match scope {
                Scope::Cursor => format!("record {}", app.list.cursor),
                Scope::Marked => format!("{} marked", grouped(n)),
                Scope::Filtered => format!("{} filtered", grouped(n)),
                Scope::All => format!("all {}", grouped(n)),
            };
            (words, scope == dialog.scope, n == 0)
        });
        let formats = dialog.formats.iter().enumerate();
        let formats = formats.map(|(i, format)| (format.name.clone(), i == dialog.format, false));
        let words = dialog.chosen_format().map_or_else(Vec::new, |format| wrap(format.words, usize::from(room - 1)));
        Self { scopes: flow(scopes, room), formats: flow(formats, room), words }
    }

    const fn scopes_at(&self) -> u16 {
        1
    }

    fn formats_at(&self) -> u16 {
        self.scopes_at() + cells(self.scopes.len()) + 1
    }

    fn words_at(&self) -> u16 {
        self.formats_at() + cells(self.formats.len())
    }

    fn path_at(&self) -> u16 {
        self.words_at() + cells(self.words.len()) + 1
    }

    fn height(&self) -> u16 {
        self.path_at() + 5
    }
}

/// Divides choices into lines of that width. Each has a column on both sides.
fn flow(choices: impl Iterator<Item = Choice>, room: u16) -> Vec<Vec<Choice>> {
    let mut lines: Vec<Vec<Choice>> = vec![Vec::new()];
    let mut used = 0;
    for choice in choices {
        let wide = width(&choice.0) + 2;
        let last = lines.len() - 1;
        if used + wide > room && !lines[last].is_empty() {
            lines.push(Vec::new());
            used = 0;
        }
        used += wide;
        let last = lines.len() - 1;
        lines[last].push(choice);
    }
    lines
}

fn choices(app: &App, buffer: &mut Buffer, area: Rect, y: u16, lines: &[Vec<Choice>]) {
    for (line, y) in lines.iter().zip(y..) {
        let mut x = VALUES;
        for (words, is_chosen, is_empty) in line {
            let style: Style = match (is_chosen, is_empty) {
                (true, _) => app.theme.selected,
                (false, true) => app.theme.faint,
                (false, false) => app.theme.text,
            };
            let room = usize::from(area.width.saturating_sub(x));
            x += put(buffer, area, x, y, &fit(&format!(" {words} "), room), style);
        }
    }
}
