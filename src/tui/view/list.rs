//! The list: one row per record, or per message.
//!
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

use super::{fit, mark_cursor, paragraph, put, rule, width};
use crate::proto::dissected::Kind;
use crate::proto::rules::{Severity, count, grouped};
use crate::proto::time::Time;
use crate::tui::action::Action;
use crate::tui::app::App;
use crate::tui::layout::COLUMN_PREVIEW;
use crate::tui::legend::{HELD, proxied_sign};
use crate::tui::panel::{Panel, TIME_FROM, TIME_FROM_IN_COLUMN, TimeFormat, View};
use crate::tui::state::list::{PageRow, RowKind};
use crate::wire::printable;

/// Width of the last head.
const HEAD: u16 = 7;

/// The columns of the list: the end of right-aligned ones, the start of the others. 0 leaves a column out.
struct ListColumns {
    number: u16,
    time: u16,
    connection: u16,
    kind: u16,
    length: u16,
    bits: u16,
    preview: u16,
}

impl ListColumns {
    /// The columns for a list of that width. `is_column`: the list has the height of the screen.
    const fn of(width: u16, is_column: bool, has_bits: bool) -> Self {
        match width {
            // The bits of the frame are beside the list.
            TIME_FROM.. if is_column && !has_bits => {
                Self { number: 6, time: 17, connection: 22, kind: 26, length: 45, bits: 0, preview: COLUMN_PREVIEW }
            }
            100.. => Self { number: 8, time: 21, connection: 27, kind: 32, length: 53, bits: 55, preview: 70 },
            TIME_FROM.. => Self { number: 6, time: 17, connection: 22, kind: 26, length: 45, bits: 47, preview: 57 },
            TIME_FROM_IN_COLUMN.. if is_column => {
                Self { number: 5, time: 16, connection: 0, kind: 20, length: 37, bits: 0, preview: 39 }
            }
            _ => Self { number: 5, time: 0, connection: 0, kind: 9, length: 28, bits: 0, preview: 30 },
        }
    }
}

pub fn render(app: &App, buffer: &mut Buffer) {
    let (title, area) = (app.layout.list_title, app.layout.list);
    let focused = app.panels.focus == Panel::List;
    let is_column = app.layout.list_divider.width > 0;
    let in_messages = app.panels.view == View::Messages;
    let columns_of = |width: u16| ListColumns::of(width, is_column, in_messages);
    let columns = columns_of(title.width);
    // The words beside the last head.
    let (mut words, style) = state(app);
    let is_narrow = |words: &str| width(words) + 4 > title.width.saturating_sub(columns.preview + HEAD);
    let mut name = app.panels.view.name().to_owned();
    if let Some(number) = app.list.connection() {
        let long = format!("connection {number} · {}", words[0]);
        if is_narrow(&long) { name = format!("Conn {number}") } else { words[0] = long }
    }
    let words = words.iter().find(|words| !is_narrow(words)).unwrap_or(&words[1]);
    rule::titled(app, buffer, title, &name, "", focused);
    if area.height == 0 {
        return;
    }
    rule::right(buffer, title, words, style);
    let room = title.width.saturating_sub(width(words) + 3);
    heads(app, buffer, Rect { width: room, ..title }, &columns, width(&name) + 2);
    let base = app.capture.origin().unwrap_or_default();
    let mut previous = time_before_top(app);
    let cursor = app.list.cursor_row();
    let mut y = 0;
    for row in &app.list.page.rows {
        if y >= area.height {
            break;
        }
        let line = Rect { y: area.y + y, height: row.lines.min(area.height - y), ..area };
        y += row.lines;
        let time = time_text(app.panels.time_format, row.record.time, base, previous);
        ListLine { app, row, time, columns: columns_of(area.width), in_messages }.draw(buffer, line);
        if cursor == Some(row.at) {
            mark_cursor(&app.theme, buffer, line);
        }
        previous = Some(row.record.time);
    }
}

/// Draws the title line of records outside the list, with the heads of their columns.
pub fn titled(app: &App, buffer: &mut Buffer, title: Rect, name: &str, words: &str) {
    rule::titled(app, buffer, title, name, "", false);
    let columns = ListColumns::of(title.width, false, true);
    let has_room = width(words) + 4 <= title.width.saturating_sub(columns.preview + HEAD);
    let room = title.width.saturating_sub(if has_room { width(words) + 3 } else { 0 });
    if has_room {
        rule::right(buffer, title, words, app.theme.faint);
    }
    heads(app, buffer, Rect { width: room, ..title }, &columns, width(name) + 2);
}

/// Draws lines of records outside the list, without a cursor. Returns the number of lines.
pub fn records(app: &App, buffer: &mut Buffer, area: Rect, rows: &[PageRow]) -> u16 {
    let base = app.capture.origin().unwrap_or_default();
    let mut previous = None;
    let mut lines = 0;
    for row in rows.iter().take(usize::from(area.height)) {
        let line = Rect { y: area.y + lines, height: 1, ..area };
        let time = time_text(app.panels.time_format, row.record.time, base, previous);
        ListLine { app, row, time, columns: ListColumns::of(area.width, false, true), in_messages: false }
            .draw(buffer, line);
        previous = Some(row.record.time);
        lines += 1;
    }
    lines
}

/// The text at the right of the title, and a shorter form of it: which row is selected, and whether the cursor follows new records.
fn state(app: &App) -> ([String; 2], Style) {
    let theme = &app.theme;
    let key = app.keymap.key_of(Action::Pause);
    match (!app.is_live(), app.list.following, app.list.new_since_pause()) {
        (true, ..) => ([place(app), place(app)], theme.faint),
        (_, true, _) => (["following ▼", "following ▼"].map(str::to_owned), theme.good),
        (_, false, 0) => ([format!("paused · {key} follows"), "paused".to_owned()], theme.warning),
        (_, false, new) => {
            let new = grouped(new);
            ([format!("paused · +{new} new · {key} follows"), format!("+{new} new")], theme.warning)
        }
    }
}

/// The row of the cursor and the number of rows.
fn place(app: &App) -> String {
    let row = app.list.cursor_row().map_or("–".to_owned(), |row| grouped(row + 1));
    format!("{row} of {}", grouped(app.list.rows.len()))
}

/// The time of the record in the row above the first one in view.
fn time_before_top(app: &App) -> Option<Time> {
    let no = app.list.rows.number(app.list.top.checked_sub(1)?)?;
    app.capture.record(no).map(|record| record.time)
}

/// Draws the column heads into the title line, from the end of its name on. A head that does not fit beside the text at the right is
/// left out.
fn heads(app: &App, buffer: &mut Buffer, area: Rect, columns: &ListColumns, from: u16) {
    let style = app.theme.faint;
    let time = match app.panels.time_format {
        TimeFormat::SinceStart => "Time",
        TimeFormat::SincePrevious => "Δ Time",
        TimeFormat::Clock => "Clock",
    };
    let bits = if app.panels.view == View::Messages { "Frames" } else { "Bits" };
    for (end, head) in [(columns.time, time), (columns.connection, "Conn"), (columns.length, "Length")] {
        let wide = width(head) + 2;
        if end >= wide + from {
            put(buffer, area, end - wide + 1, 0, &format!(" {head} "), style);
        }
    }
    for (start, head) in [(columns.kind, "Kind"), (columns.bits, bits), (columns.preview, "Preview")] {
        let at = start.max(from + 1);
        if start > 0 && start + width(head) < area.width {
            put(buffer, area, at - 1, 0, &format!(" {head} "), style);
        }
    }
}

/// A line of the list.
struct ListLine<'a> {
    app: &'a App,
    row: &'a PageRow,
    time: String,
    columns: ListColumns,
    /// Whether the line belongs to the view of messages.
    in_messages: bool,
}

impl ListLine<'_> {
    fn draw(&self, buffer: &mut Buffer, line: Rect) {
        let (app, at, record, summary) = (self.app, &self.columns, &self.row.record, &self.row.summary);
        let theme = &app.theme;
        // A finding may leave no room for the note.
        if let Some(sign) = app.held.sign(record) {
            put(buffer, line, 1, 0, sign, if sign == HELD { theme.alarm } else { theme.warning });
        } else if app.list.marks.contains(&record.no) {
            put(buffer, line, 1, 0, "●", theme.warning);
        } else if let Some(how) = self.row.proxied {
            put(buffer, line, 1, 0, proxied_sign(how), theme.warning);
        } else if self.row.note.is_some() {
            put(buffer, line, 1, 0, "✎", theme.info);
        }
        let child = matches!(self.row.row.kind, RowKind::Child { .. });
        if !child {
            right(buffer, line, at.number, &self.number(), theme.faint);
        }
        right(buffer, line, at.time, fewer_digits(&self.time, at.time.saturating_sub(at.number + 1)), theme.text);
        if let Some(sign) = self.tree_sign() {
            put(buffer, line, at.kind - 2, 0, sign, theme.key);
        }
        let folded = match self.row.row.kind {
            RowKind::Heartbeats(beats) => {
                Some((count(beats.into(), "heartbeat"), format!("{} {}", summary.kind, summary.preview)))
            }
            RowKind::Pages(requests) => {
                Some((count(requests.into(), "page request"), app.list.rows.page_targets().join("  ")))
            }
            RowKind::Record | RowKind::Child { .. } => None,
        };
        if let Some((words, preview)) = folded {
            put(buffer, line, at.kind, 0, &format!("⋯ {words}"), theme.faint);
            put(buffer, line, at.preview, 0, &fit(&preview, room(line, at.preview)), theme.faint);
            return;
        }
        right(buffer, line, at.connection, &record.connection.to_string(), theme.faint);
        let direction = theme.direction(record.direction);
        put(buffer, line, at.kind - 3, 0, &record.direction.arrow().to_string(), direction);
        // A child has its number in the tree, so that the numbers of the other rows ascend.
        let indent = if child { put(buffer, line, at.kind, 0, &format!("{} ", record.no), theme.faint) } else { 0 };
        put(buffer, line, at.kind + indent, 0, &fit(&summary.kind, 12), direction);
        if let Some(length) = summary.length {
            right(buffer, line, at.length, &grouped(length), theme.text);
        }
        // In the view of messages the column counts frames, which only the row of a message or of a child has.
        if self.row.message.is_some() || !self.in_messages || child {
            self.bits(buffer, line, summary.bits.clone());
        }
        self.text(buffer, line);
    }

    /// The number of the record; of a row that shows several, the first and, if it is known and there is room, the last.
    fn number(&self) -> String {
        let no = self.row.record.no;
        match (&self.row.message, self.row.row.kind) {
            (Some(message), _) if message.frames > 1 => {
                let both = format!("{no}–{}", message.last);
                if width(&both) < self.columns.number { both } else { format!("{no}…") }
            }
            (_, RowKind::Pages(_)) => {
                let both = self.app.list.rows.last_page_if_consecutive().map(|last| format!("{no}–{last}"));
                both.filter(|both| width(both) < self.columns.number).unwrap_or_else(|| format!("{no}…"))
            }
            (_, RowKind::Heartbeats(_)) => format!("{no}…"),
            _ => no.to_string(),
        }
    }

    /// The sign of an expanded or expandable row, or of a child.
    fn tree_sign(&self) -> Option<&'static str> {
        match self.row.row.kind {
            RowKind::Child { last: false } => Some("├"),
            RowKind::Child { last: true } => Some("└"),
            _ if self.app.list.rows.is_expanded(self.row.row.no) => Some("▾"),
            RowKind::Heartbeats(_) | RowKind::Pages(_) => Some("▸"),
            RowKind::Record => self.row.message.as_ref().filter(|message| message.frames > 1).map(|_| "▸"),
        }
    }

    fn bits(&self, buffer: &mut Buffer, line: Rect, mut bits: String) {
        let columns = &self.columns;
        if columns.bits == 0 {
            return;
        }
        let room = usize::from(columns.preview - columns.bits - 1);
        // A narrow column shows shorter names.
        if room < 13 {
            bits = bits.replace("RSV", "R");
        }
        if bits.width() > room {
            bits = bits.replace("MASK", "M").replace(" frames · ", " frames ");
        }
        if bits.width() > room {
            bits = bits.replace(" frames ", " · ").replace(" %", "%");
        }
        put(buffer, line, columns.bits, 0, &fit(&bits, room), self.app.theme.faint);
    }

    /// The worst finding, the note and the preview.
    fn text(&self, buffer: &mut Buffer, line: Rect) {
        let (theme, start) = (&self.app.theme, self.columns.preview);
        let mut x = start;
        if let (Some(finding), Some(words)) = (self.row.record.worst(), self.row.finding_words()) {
            let style = theme.severity(finding.rule.severity());
            if line.height > 1 {
                let lines = paragraph(&words, room(line, start), usize::from(line.height));
                for (words, y) in lines.iter().zip(0..) {
                    put(buffer, line, start, y, words, style);
                }
                return;
            }
            x += put(buffer, line, x, 0, &fit(&words, room(line, x)), style) + 2;
        } else if let Some(severity) = self.row.message.as_ref().and_then(|message| message.severity) {
            // A later frame of the message breaks a rule.
            x += put(buffer, line, x, 0, severity_symbol(severity), theme.severity(severity)) + 1;
        }
        let note = self.row.note.as_ref().map(|note| format!("✎ {} ", printable::text(note)));
        // The target of a request and the status of a response say more than a note on what the proxy changed.
        let is_head = matches!(self.row.record.kind, Kind::Request | Kind::Response);
        if let Some(note) = note.as_ref().filter(|_| !is_head) {
            x += put(buffer, line, x, 0, note, theme.info) + 1;
        }
        if line.height > 1 && x == start {
            let lines = paragraph(&self.row.summary.preview, room(line, start), usize::from(line.height));
            for (words, y) in lines.iter().zip(0..) {
                put(buffer, line, start, y, words, theme.text);
            }
            return;
        }
        // Beside a finding, the preview needs at least eight columns to be of use.
        if x == start || room(line, x) >= 8 {
            let (summary, room) = (&self.row.summary, room(line, x));
            let brief = summary.brief.as_deref().filter(|_| summary.preview.width() > room);
            x += put(buffer, line, x, 0, &fit(brief.unwrap_or(&summary.preview), room), theme.text) + 2;
        }
        if let Some(note) = note.filter(|_| is_head) {
            put(buffer, line, x, 0, &fit(&note, room(line, x)), theme.info);
        }
    }
}

/// Writes text that ends before a column; 0 leaves it out.
fn right(buffer: &mut Buffer, line: Rect, end: u16, text: &str, style: Style) {
    if end > 0 {
        put(buffer, line, end.saturating_sub(width(text)), 0, text, style);
    }
}

/// A time with as many digits of its fraction as fit: never so wide that it covers the number of the record.
fn fewer_digits(time: &str, room: u16) -> &str {
    let Some(point) = time.find('.') else { return time };
    let end = usize::from(room).min(time.len());
    // A point without a digit after it is left out.
    &time[..if end > point + 1 { end } else { point }]
}

fn room(line: Rect, x: u16) -> usize {
    usize::from(line.width.saturating_sub(x))
}

/// The symbol of a severity, so that colour is never the only sign.
pub const fn severity_symbol(severity: Severity) -> &'static str {
    severity.symbol()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_loses_digits_of_its_fraction_before_it_covers_the_number() {
        for (time, room, fits) in [
            ("19:30:04.501", 12, "19:30:04.501"),
            ("19:30:04.501", 10, "19:30:04.5"),
            ("19:30:04.501", 9, "19:30:04"),
            ("12345.678901", 10, "12345.6789"),
            ("-1.000000", 10, "-1.000000"),
            ("?", 0, "?"),
        ] {
            assert_eq!(fewer_digits(time, room), fits, "{time} in {room} columns");
        }
    }
}
