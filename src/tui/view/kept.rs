//! The list of captures that earlier runs kept.
//!
//! ```text
//! ╭─ Kept captures ─ 2──────────────────────────────────────────────╮
//! │  Earlier runs ended before these captures were saved.           │
//! │   Ended                 Size  Path      File                    │
//! │ ▌ 2026-11-26 15:04    1.2 MB  /ticker   live-Xa81bQ.pcapng      │
//! │   2026-11-25 09:31   63.9 MB  /chat · … live-0vPk2e.*.pcapng    │
//! │                                                                 │
//! │  /home/ada/.cache/framescope                                    │
//! ╰─ ↑↓ choose · Enter open · x delete · Esc close ─────────────────╯
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

const WIDTH: u16 = 84;

/// Rows besides those of the captures: the border, the sentence, the folder, and three empty rows.
const OTHER_ROWS: u16 = 7;

/// Columns: the start of dates, the end of sizes, the start of paths, and the room for the name of a file.
const DATE: u16 = 2;
const SIZE_END: u16 = 28;
const PATH: u16 = 30;
const NAME: u16 = 19;

pub fn render(app: &App, list: &KeptList, buffer: &mut Buffer) {
    let theme = &app.theme;
    let most = app.layout.area.height.saturating_sub(OTHER_ROWS).max(1);
    let rows = cells(list.captures().len()).min(most);
    let inner = frame(
        app,
        buffer,
        &format!("Kept captures ─ {}", list.captures().len()),
        WIDTH,
        rows + OTHER_ROWS,
        &app.keymap.foot(Context::Kept),
    );
    put(buffer, inner, 2, 1, "Earlier runs ended before these captures were saved.", theme.text);
    let name_at = inner.width.saturating_sub(NAME);
    for (x, head) in [(DATE, "Ended"), (SIZE_END - 4, "Size"), (PATH, "Path"), (name_at, "File")] {
        put(buffer, inner, x, 2, head, theme.faint);
    }
    for ((kept, is_current), y) in list.shown(usize::from(rows)).zip(3..) {
        put(buffer, inner, DATE, y, &date(kept.modified), theme.text);
        let size = bytes_with_unit(kept.bytes);
        put(buffer, inner, SIZE_END.saturating_sub(width(&size)), y, &size, theme.text);
        let mut path = kept.target.as_deref().map_or("–".into(), printable::text).into_owned();
        if kept.files.len() > 1 {
            path.push_str(&format!(" · {}", count(kept.files.len() as u64, "file")));
        }
        put(buffer, inner, PATH, y, &fit(&path, usize::from(name_at.saturating_sub(PATH + 1))), theme.text);
        let name = kept.path.file_name().unwrap_or_default().to_string_lossy();
        let name = printable::text(&name);
        let name = if width(&name) < NAME { name } else { name.replace(".pcapng", "").into() };
        put(buffer, inner, name_at, y, &fit(&name, usize::from(NAME - 1)), theme.faint);
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
