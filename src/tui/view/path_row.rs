//! The path of a file to write, with the folder that it will be in, in the dialogs for files.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::{cells, fit_path, put};
use crate::tui::app::App;
use crate::tui::state::dialogs::PathInput;
use crate::wire::printable;

/// Draws the path from column `x` of a row on, and the folder in the row below.
pub fn render(app: &App, path: &PathInput, buffer: &mut Buffer, area: Rect, x: u16, y: u16) {
    let theme = &app.theme;
    let (shown, _) = visible(path, room(area, x));
    put(buffer, area, x, y, &shown, if path.is_proposed { theme.selected_field } else { theme.text });
    let folder = format!("in {}", printable::text(&path.folder().to_string_lossy()));
    put(buffer, area, x, y + 1, &fit_path(&folder, room(area, x)), theme.info);
}

/// Position of the terminal's cursor in the path.
pub fn cursor(path: &PathInput, area: Rect, x: u16, y: u16) -> Position {
    let (_, column) = visible(path, room(area, x));
    Position::new(area.x + x + cells(column), area.y + y)
}

fn room(area: Rect, x: u16) -> usize {
    usize::from(area.width.saturating_sub(x + 1)).max(4)
}

/// The part of the path that fits, and the column of the cursor in it.
fn visible(path: &PathInput, room: usize) -> (String, usize) {
    let scroll = path.input.visual_scroll(room);
    let shown: String = path.input.value().chars().skip(scroll).take(room).collect();
    (printable::text(&shown).into_owned(), path.input.visual_cursor().max(scroll) - scroll)
}
