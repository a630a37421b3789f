//! ```text
//!     No.        Time  Conn     Kind           Length  Bits           Preview
//!       3    1.000871     1  ▼  text                6  FIN            echo 0
//! ▌     4    1.002004     1  ▲  text               14  FIN MASK       client: echo 0
//! ```

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr as _;

use super::{fit, put, rule};
use crate::capture::query::messages::Message;
use crate::capture::query::summary;
use crate::capture::store::record::Record;
use crate::proto::rules::{Severity, grouped};
use crate::proto::time::Time;
use crate::tui::app::rows::{Row, Sort};
use crate::tui::app::{App, Panel, TimeFormat, View};
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
    rule::titled(app, buffer, title, app.view.name(), "", focused);
    if area.height == 0 {
        return;
    }
    let (words, style) = state(app);
    rule::right(buffer, title, &words, style);
    let room = title.width.saturating_sub(words.width() as u16 + 3);
    heads(app, buffer, Rect { width: room, ..title }, &Columns::of(title.width));
    if app.rows.is_empty() {
        let words = if app.is_behind() { "looking through the capture …" } else { "no record is let through" };
        put(buffer, area, 2, 0, words, app.theme.faint.0);
    }
    let rows: Vec<Row> = (app.top..app.top + u64::from(area.height)).map_while(|row| app.rows.row(row)).collect();
    let records = app.capture.pick(rows.iter().map(|row| row.no));
    let base = app.capture.origin().unwrap_or_default();
    let mut previous = before_top(app);
    let at_cursor = app.cursor_row();
    for (y, row) in rows.iter().enumerate() {
        // One may have gone with the ring just now.
        let Some(record) = records.iter().find(|record| record.no == row.no) else { continue };
        let time = time_text(app.time_format, record.time, base, previous);
        let line = Rect { y: area.y + y as u16, height: 1, ..area };
        Line { app, row, record, time, columns: Columns::of(area.width) }.draw(buffer, line);
        if at_cursor == Some(app.top + y as u64) {
            put(buffer, line, 0, 0, "▌", app.theme.focus.0);
            buffer.set_style(line, app.theme.cursor.0);
        }
        previous = Some(record.time);
    }
}

/// The words at the right of the title: what is listed, and where the cursor is in it.
fn state(app: &App) -> (String, Style) {
    let theme = &app.theme;
    let (place, style) = match (!app.is_live(), app.following, app.new_since_hold()) {
        (true, ..) => (place(app), theme.faint.0),
        (_, true, _) => ("following ▼".to_owned(), theme.good.0),
        (_, false, 0) => ("holding".to_owned(), theme.warning.0),
        (_, false, new) => (format!("holding · +{} new", grouped(new)), theme.warning.0),
    };
    let only = app.only.map(|number| format!("connection {number} · ")).unwrap_or_default();
    (format!("{only}{place}"), style)
}

/// Which row the cursor is in, of how many.
fn place(app: &App) -> String {
    let row = app.cursor_row().map_or("–".to_owned(), |row| grouped(row + 1));
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
    let bits = if app.view == View::Messages { "Frames" } else { "Bits" };
    for (end, head) in [(columns.time, time), (columns.connection, "Conn"), (columns.length, "Length")] {
        let width = head.chars().count() as u16 + 2;
        if end > width && end > 9 {
            put(buffer, area, end - width + 1, 0, &format!(" {head} "), style);
        }
    }
    for (start, head) in [(columns.kind, "Kind"), (columns.bits, bits), (columns.preview, "Preview")] {
        if usize::from(start) > app.view.name().len() + 2 && start + (head.len() as u16) < area.width {
            put(buffer, area, start - 1, 0, &format!(" {head} "), style);
        }
    }
}

/// A line of the list.
struct Line<'a> {
    app: &'a App,
    row: &'a Row,
    record: &'a Record,
    time: String,
    columns: Columns,
}

impl Line<'_> {
    fn draw(&self, buffer: &mut Buffer, line: Rect) {
        let (app, columns, record) = (self.app, &self.columns, self.record);
        let theme = &app.theme;
        if app.marks.contains(&record.no) {
            put(buffer, line, 1, 0, "●", theme.warning.0);
        }
        right(buffer, line, columns.number, &record.no.to_string(), theme.faint.0);
        right(buffer, line, columns.time, &self.time, theme.text.0);
        if let Some(sign) = self.tree_sign() {
            put(buffer, line, columns.kind - 2, 0, sign, theme.key.0);
        }
        let message = match self.row.sort {
            Sort::Plain => app.messages.known(record.no).filter(|_| app.view == View::Messages),
            _ => None,
        };
        let summary = match message {
            Some(message) => summary::of_message(&app.capture, record, message),
            None => summary::of(&app.capture, record),
        };
        if let Sort::Heartbeats(count) = self.row.sort {
            let words = format!("⋯ {} heartbeats", grouped(u64::from(count)));
            put(buffer, line, columns.kind, 0, &words, theme.faint.0);
            let first = format!("{} {}", summary.kind, summary.preview);
            put(buffer, line, columns.preview, 0, &fit(&first, room(line, columns.preview)), theme.faint.0);
            return;
        }
        right(buffer, line, columns.connection, &record.connection.to_string(), theme.faint.0);
        let direction = theme.direction(record.direction);
        put(buffer, line, columns.kind - 3, 0, &record.direction.arrow().to_string(), direction);
        put(buffer, line, columns.kind, 0, &fit(&summary.kind, 12), direction);
        if let Some(length) = summary.length {
            right(buffer, line, columns.length, &grouped(length), theme.text.0);
        }
        // The column has another head where rows are messages.
        if message.is_some() || app.view != View::Messages || self.row.sort != Sort::Plain {
            self.bits(buffer, line, summary.bits);
        }
        self.said(buffer, line, &summary.preview, message);
    }

    /// How a row belongs to those around it.
    fn tree_sign(&self) -> Option<&'static str> {
        let app = self.app;
        match self.row.sort {
            Sort::Beneath { last: false } => Some("├"),
            Sort::Beneath { last: true } => Some("└"),
            _ if app.rows.is_opened(self.row.no) => Some("▾"),
            Sort::Heartbeats(_) => Some("▸"),
            Sort::Plain if app.view != View::Messages => None,
            Sort::Plain => app.messages.known(self.row.no).filter(|message| message.frames > 1).map(|_| "▸"),
        }
    }

    fn bits(&self, buffer: &mut Buffer, line: Rect, mut bits: String) {
        let columns = &self.columns;
        if columns.bits == 0 {
            return;
        }
        let room = usize::from(columns.preview - columns.bits - 1);
        // A narrow column has no room for all of their names.
        if room < 13 {
            bits = bits.replace("RSV", "R");
        }
        if bits.width() > room {
            bits = bits.replace("MASK", "M").replace(" frames · ", " frames ");
        }
        if bits.width() > room {
            bits = bits.replace(" frames ", " · ").replace(" %", "%");
        }
        put(buffer, line, columns.bits, 0, &fit(&bits, room), self.app.theme.faint.0);
    }

    /// What is wrong, what was noted, and the preview.
    fn said(&self, buffer: &mut Buffer, line: Rect, preview: &str, message: Option<&Message>) {
        let (theme, start) = (&self.app.theme, self.columns.preview);
        let mut x = start;
        if let Some(finding) = self.record.worst() {
            let symbol = severity_symbol(finding.rule.severity());
            let style = theme.severity(finding.rule.severity());
            let words = format!("{symbol} {}", printable::text(&finding.sentence()));
            x += put(buffer, line, x, 0, &fit(&words, room(line, x)), style) + 2;
        } else if let Some(severity) = message.and_then(|message| message.severity) {
            // A later frame of the message breaks a rule.
            x += put(buffer, line, x, 0, severity_symbol(severity), theme.severity(severity)) + 1;
        }
        if let Some(note) = self.app.capture.note(self.record.no) {
            x += put(buffer, line, x, 0, &format!("✎ {} ", printable::text(&note)), theme.info.0) + 1;
        }
        // Beside a finding the preview stands only where there is room to say something.
        if x == start || room(line, x) >= 8 {
            put(buffer, line, x, 0, &fit(preview, room(line, x)), theme.text.0);
        }
    }
}

/// Writes text that ends before a column; a column that is left out is 0.
fn right(buffer: &mut Buffer, line: Rect, end: u16, text: &str, style: Style) {
    if end > 0 {
        put(buffer, line, end.saturating_sub(text.chars().count() as u16), 0, text, style);
    }
}

fn room(line: Rect, x: u16) -> usize {
    usize::from(line.width.saturating_sub(x))
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
