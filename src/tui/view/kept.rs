//! The list of captures that earlier runs kept.
//!
//! ```text
//! ╭─ Kept captures ─────────────────────────────────────────────────╮
//! │  Earlier runs ended before these captures were saved:           │
//! │                                                                 │
//! │ ▌ 2026-11-26 15:04    1.2 MB           live-Xa81bQ.pcapng       │
//! │   2026-11-25 09:31   63.9 MB  8 files  live-0vPk2e.*.pcapng     │
//! │                                                                 │
//! │  /home/ada/.cache/framescope                                    │
//! ╰─ ↑↓ choose · Enter open · d delete · Esc close ─────────────────╯
//! ```

use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::popup::frame;
use super::{bytes_with_unit, cells, fit, fit_path, put, width};
use crate::capture::live::spool::KeptCapture;
use crate::proto::rules::count;
use crate::tui::app::App;
use crate::tui::keymap::Context;
use crate::tui::state::dialogs::KeptList;
use crate::wire::printable;

const WIDTH: u16 = 72;

/// Rows besides those of the captures: the border, the sentence, the folder, and three empty rows.
const OTHER_ROWS: u16 = 7;

/// Columns: the end of the sizes; the start of the numbers of files and of the names.
const SIZE_END: u16 = 29;
const FILES: u16 = 31;
const NAME: u16 = 40;

pub fn render(app: &App, list: &KeptList, buffer: &mut Buffer) {
    let theme = &app.theme;
    let most = app.layout.area.height.saturating_sub(OTHER_ROWS).max(1);
    let rows = cells(list.captures().len()).min(most);
    let inner = frame(app, buffer, "Kept captures", WIDTH, rows + OTHER_ROWS, &app.keymap.foot(Context::Kept));
    put(buffer, inner, 2, 1, "Earlier runs ended before these captures were saved:", theme.text);
    for ((kept, is_current), y) in list.shown(usize::from(rows)).zip(3..) {
        put(buffer, inner, 3, y, &date(kept.modified), theme.text);
        let size = bytes_with_unit(kept.bytes);
        put(buffer, inner, SIZE_END.saturating_sub(width(&size)), y, &size, theme.text);
        if kept.files.len() > 1 {
            put(buffer, inner, FILES, y, &count(kept.files.len() as u64, "file"), theme.faint);
        }
        let name = kept.path.file_name().unwrap_or_default().to_string_lossy();
        let room = usize::from(inner.width.saturating_sub(NAME + 1));
        put(buffer, inner, NAME, y, &fit(&printable::text(&name), room), theme.text);
        if is_current {
            put(buffer, inner, 1, y, "▌", theme.focus);
            buffer.set_style(Rect { y: inner.y + y, height: 1, ..inner }, theme.cursor);
        }
    }
    let folder = list.current().path.parent().map(|folder| folder.to_string_lossy().into_owned()).unwrap_or_default();
    let room = usize::from(inner.width.saturating_sub(3));
    put(buffer, inner, 2, rows + 4, &fit_path(&printable::text(&folder), room), theme.faint);
}

/// What the question before a deletion says.
pub fn deletion(kept: &KeptCapture) -> String {
    let name = kept.path.file_name().unwrap_or_default().to_string_lossy();
    let (size, date) = (bytes_with_unit(kept.bytes), date(kept.modified));
    format!("{} ({size}, {date}) was never saved. Deleting it cannot be undone.", printable::text(&name))
}

/// A time in the time zone of the user.
fn date(time: SystemTime) -> String {
    let local = |time: Timestamp| time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string();
    Timestamp::try_from(time).map_or_else(|_| "?".to_owned(), local)
}
