//! ```text
//!     No.        Time  Conn     Kind           Length  Bits           Preview
//!       3    1.000871     1  ▼  text                6  FIN            echo 0
//! ▌     4    1.002004     1  ▲  text               14  FIN MASK       client: echo 0
//! ```

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr as _;

use super::{fit, put, rule};
use crate::capture::record::Record;
use crate::capture::summary;
use crate::proto::rules::{Severity, grouped};
use crate::proto::time::Time;
use crate::tui::app::{App, Panel, TimeFormat};
use crate::wire::printable;

/// Columns of the list: where each begins, and how wide those are that are aligned right.
struct Columns {
    number: u16,
    time: u16,
    connection: u16,
    kind: u16,
    length: u16,
    bits: u16,
    preview: u16,
}

impl Columns {
    const fn of(width: u16) -> Self {
        match width {
            100.. => Self { number: 8, time: 21, connection: 27, kind: 32, length: 53, bits: 55, preview: 70 },
            70.. => Self { number: 6, time: 17, connection: 22, kind: 26, length: 45, bits: 47, preview: 57 },
            _ => Self { number: 5, time: 0, connection: 0, kind: 9, length: 28, bits: 0, preview: 30 },
        }
    }
}

pub fn render(app: &App, buffer: &mut Buffer) {
    let (title, area) = (app.layout.list_title, app.layout.list);
    let focused = app.focus == Panel::List;
    rule::titled(app, buffer, title, "Frames", "", focused);
    if area.height == 0 {
        return;
    }
    let (words, style) = match (app.setting.file.is_some(), app.following, app.new_since_hold()) {
        (true, ..) => (place(app), app.theme.faint.0),
        (_, true, _) => ("following ▼".to_owned(), app.theme.good.0),
        (_, false, 0) => ("holding".to_owned(), app.theme.warning.0),
        (_, false, new) => (format!("holding · +{} new", grouped(new)), app.theme.warning.0),
    };
    rule::right(buffer, title, &words, style);
    let room = title.width.saturating_sub(words.width() as u16 + 3);
    heads(app, buffer, Rect { width: room, ..title }, &Columns::of(title.width));
    if app.rows.is_empty() {
        put(buffer, area, 2, 0, "no record is let through so far", app.theme.faint.0);
    }
    let shown = (app.top..app.top + u64::from(area.height)).map_while(|row| app.rows.number(row));
    let base = app.capture.record(1).map_or(Time(0), |first| first.time);
    let mut previous = before_top(app);
    for (y, record) in app.capture.pick(shown).iter().enumerate() {
        let time = time_text(app.time_format, record.time, base, previous);
        row(app, buffer, area, y as u16, record, &time);
        previous = Some(record.time);
    }
}

/// Which row the cursor is in, of how many.
fn place(app: &App) -> String {
    let row = app.rows.row(app.cursor).map_or("–".to_owned(), |row| grouped(row + 1));
    format!("{row} of {}", grouped(app.rows.len()))
}

/// The time of the record in the row before the first one in view.
fn before_top(app: &App) -> Option<Time> {
    let no = app.rows.number(app.top.checked_sub(1)?)?;
    app.capture.record(no).map(|record| record.time)
}

/// The heads stand in the title line, where they cost no row. One that does not fit beside the words at the right is left out.
fn heads(app: &App, buffer: &mut Buffer, area: Rect, columns: &Columns) {
    let style = app.theme.faint.0;
    let time = match app.time_format {
        TimeFormat::SinceStart => "Time",
        TimeFormat::SincePrevious => "Δ Time",
        TimeFormat::Clock => "Clock",
    };
    for (end, head) in [(columns.time, time), (columns.connection, "Conn"), (columns.length, "Length")] {
        let width = head.chars().count() as u16 + 2;
        if end > width && end > 9 {
            put(buffer, area, end - width + 1, 0, &format!(" {head} "), style);
        }
    }
    for (start, head) in [(columns.kind, "Kind"), (columns.bits, "Bits"), (columns.preview, "Preview")] {
        if start > 8 && start + (head.len() as u16) < area.width {
            put(buffer, area, start - 1, 0, &format!(" {head} "), style);
        }
    }
}

fn row(app: &App, buffer: &mut Buffer, area: Rect, y: u16, record: &Record, time: &str) {
    let theme = &app.theme;
    let columns = Columns::of(area.width);
    let summary = summary::of(&app.capture, record);
    let under_cursor = record.no == app.cursor;
    let line = Rect { y: area.y + y, height: 1, ..area };
    let right = |buffer: &mut Buffer, end: u16, text: &str, style| {
        if end > 0 {
            put(buffer, line, end.saturating_sub(text.chars().count() as u16), 0, text, style);
        }
    };
    let marked = app.marks.contains(&record.no);
    if under_cursor {
        put(buffer, line, 0, 0, "▌", theme.focus.0);
    }
    if marked {
        put(buffer, line, 1, 0, "●", theme.warning.0);
    }
    right(buffer, columns.number, &record.no.to_string(), theme.faint.0);
    right(buffer, columns.time, time, theme.text.0);
    right(buffer, columns.connection, &record.connection.to_string(), theme.faint.0);
    let direction = theme.direction(record.direction);
    put(buffer, line, columns.kind - 3, 0, &record.direction.arrow().to_string(), direction);
    put(buffer, line, columns.kind, 0, &fit(&summary.kind, 12), direction);
    if let Some(length) = summary.length {
        right(buffer, columns.length, &grouped(length), theme.text.0);
    }
    if columns.bits > 0 {
        let room = usize::from(columns.preview - columns.bits - 1);
        // A narrow column has no room for all of their names.
        let mut bits = if room < 13 { summary.bits.replace("RSV", "R") } else { summary.bits };
        if bits.len() > room {
            bits = bits.replace("MASK", "M");
        }
        put(buffer, line, columns.bits, 0, &fit(&bits, room), theme.faint.0);
    }
    let mut x = columns.preview;
    if let Some(finding) = record.worst() {
        let symbol = severity_symbol(finding.rule.severity());
        let style = theme.severity(finding.rule.severity());
        let words = format!("{symbol} {}", printable::text(&finding.sentence()));
        let room = usize::from(line.width.saturating_sub(x));
        x += put(buffer, line, x, 0, &fit(&words, room), style) + 2;
    }
    if let Some(note) = app.capture.note(record.no) {
        x += put(buffer, line, x, 0, &format!("✎ {} ", printable::text(&note)), theme.info.0) + 1;
    }
    // Beside a finding the preview stands only where there is room to say something.
    let room = usize::from(line.width.saturating_sub(x));
    if x == columns.preview || room >= 8 {
        put(buffer, line, x, 0, &fit(&summary.preview, room), theme.text.0);
    }
    if under_cursor {
        buffer.set_style(line, theme.cursor.0);
    }
}

/// The sign of a severity; colour is never the only one.
pub const fn severity_symbol(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "i",
        Severity::Warning => "⚠",
        Severity::Error => "✗",
    }
}

fn time_text(format: TimeFormat, time: Time, base: Time, previous: Option<Time>) -> String {
    let seconds = |nanos: i64| {
        let micros = nanos / 1000;
        format!("{}{}.{:06}", if micros < 0 { "-" } else { "" }, (micros / 1_000_000).abs(), (micros % 1_000_000).abs())
    };
    match format {
        TimeFormat::SinceStart => seconds(time.nanos_since(base)),
        TimeFormat::SincePrevious => seconds(time.nanos_since(previous.unwrap_or(time))),
        TimeFormat::Clock => Timestamp::from_nanosecond(i128::from(time.0)).map_or_else(
            |_| "?".to_owned(),
            |timestamp| timestamp.to_zoned(TimeZone::system()).strftime("%H:%M:%S%.3f").to_string(),
        ),
    }
}
