//! The list of captures that earlier runs kept.
//!
//! ```text
//! ╭─ Kept captures ─ 2──────────────────────────────────────────────────────╮
//! │  Earlier runs ended before these captures were saved.                   │
//! │   Ended              Records      Size  Path      File                  │
//! │ ▌ 2026-11-26 15:04     1,204    1.2 MB  /ticker   live-Xa81bQ.pcapng    │
//! │   2026-11-25 09:31    90,112   63.9 MB  /chat · … live-0vPk2e.*.pcapng  │
//! │                                                                         │
//! │  /home/ada/.cache/framescope/live-Xa81bQ.pcapng                         │
//! │  Enter  opens it above this screen; Esc then returns                    │
//! ╰─ ↑↓ choose · Enter open · x delete · Esc close ─────────────────────────╯
//! ```

use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::popup::frame;
use super::{bytes_with_unit, cells, fit, fit_path, put, width};
use crate::capture::live::spool::KeptCapture;
use crate::proto::rules::{count, grouped};
use crate::tui::action::Action;
use crate::tui::app::App;
use crate::tui::keymap::{Binding, Context};
use crate::tui::state::dialogs::KeptList;
use crate::wire::printable;

const WIDTH: u16 = 96;

/// Rows besides those of the captures and the words about the keys: the border, the sentence, the heads, the file, and three empty rows.
const OTHER_ROWS: u16 = 8;

/// Columns: the start of dates, the ends of records and sizes, the start of paths, and the width of the name of a file.
const DATE: u16 = 2;
const RECORDS_END: u16 = 28;
const SIZE_END: u16 = 38;
const PATH: u16 = 40;
const NAME: u16 = 19;

/// Least width of a box with the names of files.
const NAMES_FROM: u16 = 76;

pub fn render(app: &App, list: &KeptList, buffer: &mut Buffer) {
    let theme = &app.theme;
    let columns = usize::from(WIDTH.min(app.layout.area.width).saturating_sub(6));
    let keys = keys(app);
    let other = OTHER_ROWS + cells(keys.len());
    let most = app.layout.area.height.saturating_sub(other).max(1);
    let rows = cells(list.captures().len()).min(most);
    let inner = frame(
        app,
        buffer,
        &format!("Kept captures ─ {}", list.captures().len()),
        WIDTH,
        rows + other,
        &app.keymap.foot(Context::Kept),
    );
    put(buffer, inner, 2, 1, "Earlier runs ended before these captures were saved.", theme.text);
    let has_names = inner.width >= NAMES_FROM;
    let name_at = if has_names { inner.width.saturating_sub(NAME) } else { inner.width };
    let heads =
        [(DATE, "Ended"), (RECORDS_END - 7, "Records"), (SIZE_END - 4, "Size"), (PATH, "Path"), (name_at, "File")];
    for (x, head) in heads {
        put(buffer, inner, x, 2, head, theme.faint);
    }
    for ((kept, is_current), y) in list.shown(usize::from(rows)).zip(3..) {
        put(buffer, inner, DATE, y, &date(kept.modified), theme.text);
        let records = match app.kept_records.get(&kept.path) {
            Some(Some(records)) => grouped(*records),
            Some(None) => "–".to_owned(),
            None => "…".to_owned(),
        };
        put(buffer, inner, RECORDS_END.saturating_sub(width(&records)), y, &records, theme.text);
        let size = bytes_with_unit(kept.bytes);
        put(buffer, inner, SIZE_END.saturating_sub(width(&size)), y, &size, theme.text);
        let mut path = kept.target.as_deref().map_or("–".into(), printable::text).into_owned();
        if kept.files.len() > 1 {
            path.push_str(&format!(" · {}", count(kept.files.len() as u64, "file")));
        }
        put(buffer, inner, PATH, y, &fit(&path, usize::from(name_at.saturating_sub(PATH + 1))), theme.text);
        if has_names {
            let name = kept.path.file_name().unwrap_or_default().to_string_lossy();
            let name = printable::text(&name);
            let name = if width(&name) < NAME { name } else { name.replace(".pcapng", "").into() };
            put(buffer, inner, name_at, y, &fit(&name, usize::from(NAME - 1)), theme.faint);
        }
        if is_current {
            put(buffer, inner, 1, y, "▌", theme.focus);
            buffer.set_style(Rect { y: inner.y + y, height: 1, ..inner }, theme.cursor);
        }
    }
    let file = list.current().path.to_string_lossy();
    put(buffer, inner, 2, rows + 4, &fit_path(&printable::text(&file), columns), theme.faint);
    for ((key, words), y) in keys.iter().zip(rows + 5..) {
        put(buffer, inner, 7_u16.saturating_sub(width(key)), y, key, theme.key);
        put(buffer, inner, 9, y, words, theme.text);
    }
}

/// The keys, and what they do.
fn keys(app: &App) -> [(String, String); 3] {
    let key = |action| app.keymap.binding(Context::Kept, action).map(Binding::first_key).unwrap_or_default();
    let [open, delete, close] = [Action::Submit, Action::Delete, Action::Cancel].map(key);
    let again = app.keymap.key_of(Action::Kept);
    [
        (open, format!("opens it above this screen; {close} then returns")),
        (delete, "deletes it, after a question".to_owned()),
        (close, format!("closes the list and keeps all; {again} shows it again")),
    ]
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
