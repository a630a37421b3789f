//! The note on the record under the cursor, above the last line of the screen.

use ratatui::buffer::Buffer;

use super::put;
use crate::tui::app::App;
use crate::tui::layout::NOTE_MARGIN;

pub fn render(app: &App, buffer: &mut Buffer) {
    let (area, theme) = (app.layout.note, &app.theme);
    put(buffer, area, 1, 0, "✎", theme.info);
    for (line, y) in app.note.iter().zip(0..area.height) {
        put(buffer, area, NOTE_MARGIN, y, line, theme.info);
    }
}
