//! The picture dialog.
//!
//! ```text
//! ╭─ Picture ───────────────────────────────────────────────────────────╮
//! │ ▌what     screen   record 4                                         │
//! │  form     SVG   text                                                │
//! │           with its colours, for a document or a browser             │
//! │  file     screen.svg                                                │
//! │           in /home/me/lessons                                       │
//! ╰─ ↑↓ row · ←→ choose · Enter write · Esc close ──────────────────────╯
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use strum::VariantArray as _;

use super::popup::{frame, inner};
use super::{path_row, put};
use crate::tui::app::App;
use crate::tui::keymap::Context;
use crate::tui::picture_request::{PictureFormat, PictureOf};
use crate::tui::state::dialogs::{Dialog, ExportRow, PictureDialog};

const WIDTH: u16 = 84;
const HEIGHT: u16 = 11;

/// Column of the values.
const VALUES: u16 = 11;

/// Line of the path.
const PATH: u16 = 6;

/// The rows, with their lines in the box.
const ROWS: [(ExportRow, u16, &str); 3] =
    [(ExportRow::Scope, 1, "what"), (ExportRow::Format, 3, "form"), (ExportRow::Path, PATH, "file")];

pub fn render(app: &App, dialog: &PictureDialog, buffer: &mut Buffer) {
    let theme = &app.theme;
    let inner = frame(app, buffer, "Picture", WIDTH, HEIGHT, &app.keymap.foot(Context::Picture));
    for (row, y, name) in ROWS {
        let is_current = dialog.row == row;
        if is_current {
            put(buffer, inner, 1, y, "▌", theme.focus);
        }
        put(buffer, inner, 2, y, name, if is_current { theme.focus } else { theme.faint });
    }
    let style = |is_chosen: bool| if is_chosen { theme.selected } else { theme.text };
    let of = dialog.choices().into_iter().map(|of| {
        let name = match of {
            PictureOf::Record(no) => format!("record {no}"),
            PictureOf::Screen => "screen".to_owned(),
        };
        (name, style(of == dialog.of))
    });
    choices(buffer, inner, 1, of);
    let formats = PictureFormat::VARIANTS.iter();
    choices(buffer, inner, 3, formats.map(|form| (form.name().to_owned(), style(*form == dialog.format))));
    put(buffer, inner, VALUES + 1, 4, dialog.format.words(), theme.faint);
    path_row::render(app, &dialog.path, buffer, inner, VALUES + 1, PATH);
}

fn choices(buffer: &mut Buffer, inner: Rect, y: u16, choices: impl Iterator<Item = (String, Style)>) {
    let mut x = VALUES;
    for (name, style) in choices {
        x += put(buffer, inner, x, y, &format!(" {name} "), style);
    }
}

/// Position of the terminal's cursor while the user types a path.
pub fn cursor(app: &App) -> Option<Position> {
    let Some(Dialog::Picture(dialog)) = &app.dialogs.open else { return None };
    if dialog.row != ExportRow::Path {
        return None;
    }
    Some(path_row::cursor(&dialog.path, inner(app, WIDTH, HEIGHT), VALUES + 1, PATH))
}
