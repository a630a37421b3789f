//! The view of connections: the table, and below it the facts and the records of the connection under the cursor.
//!
//! ```text
//!  Connections ──────────────────────────────────────────────────────────────────────────────── 1 of 2 ─
//!   No.  Client           Path         Records        ▲        ▼  Rate       Lasted     Ping  Findings  Ended
//! ▌   1  127.0.0.1:50000  /ticker           24   1.2 kB   1.1 kB  ▃▃▃█▃▃▃▃     12 s   137 µs  ✗ 1 ⚠ 2   client 1000
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::list::{self, severity_symbol};
use super::{bytes_with_unit, card, cells, fit, put, rule, width};
use crate::capture::query::overview::{self, ConnectionEnding, Overview};
use crate::capture::query::summary;
use crate::proto::dissected::EndReason;
use crate::proto::rules::{Severity, count, grouped};
use crate::tui::action::Action;
use crate::tui::app::App;
use crate::tui::panel::Panel;
use crate::tui::state::connection_facts::ending_tone;
use crate::tui::text::duration;
use crate::wire::printable;

/// Number of bars in the column "Rate".
const RATE: usize = 8;

/// The least widths of the screen to which the widths in [`COLUMNS`] belong.
const SCREENS: [u16; 4] = [190, 112, 70, 0];

/// Width of the column that gets what the others leave.
const REST: u16 = u16::MAX;

/// The head of the column of addresses, which is as wide as the longest one.
const CLIENT: &str = "Client";

/// A text in parts, each with its style.
type Parts = Vec<(String, Style)>;

/// The text of a column for a connection.
type Text = fn(&App, &Overview) -> Parts;

/// The columns: the head, whether it is a number, the width on each of the [`SCREENS`] (0 leaves it out), and the text.
const COLUMNS: [(&str, bool, [u16; 4], Text); 15] = [
    ("No.", true, [4, 4, 4, 4], |app, of| one(of.info.number.to_string(), app.theme.faint)),
    // The port tells connections apart where the whole address does not fit.
    ("Port", true, [0, 0, 0, 5], |app, of| one(of.info.client.port().to_string(), app.theme.text)),
    (CLIENT, false, [30, 21, 21, 0], |app, of| one(of.info.client.to_string(), app.theme.text)),
    ("Server", false, [21, 0, 0, 0], |app, of| one(of.info.server.to_string(), app.theme.text)),
    ("Path", false, [REST, REST, REST, REST], path),
    ("Subprotocol", false, [20, 0, 0, 0], |app, of| one(raw(&of.info.about.subprotocol), app.theme.text)),
    ("Extensions", false, [18, 0, 0, 0], |app, of| one(raw(&of.info.about.extensions), app.theme.text)),
    ("Records", true, [8, 7, 7, 0], |app, of| one(grouped(u64::from(of.info.records)), app.theme.text)),
    ("▲", true, [8, 8, 0, 0], |app, of| one(bytes_with_unit(of.info.bytes[0]), app.theme.up)),
    ("▼", true, [8, 8, 0, 0], |app, of| one(bytes_with_unit(of.info.bytes[1]), app.theme.down)),
    ("Rate", false, [8, 0, 0, 0], |app, of| one(bars(&of.rate), app.theme.info)),
    ("Lasted", true, [7, 7, 0, 0], |app, of| one(duration(of.duration()), app.theme.text)),
    ("Ping", true, [7, 7, 0, 0], |app, of| one(ping(of), app.theme.text)),
    ("Findings", false, [14, 12, 12, 12], found),
    ("Ended", false, [14, 14, 14, 14], |app, of| one(ended(of), card::style(app, ending_tone(of)))),
];

/// A column with its position.
struct Column {
    head: &'static str,
    is_number: bool,
    start: u16,
    width: u16,
    text: Text,
}

pub fn render(app: &App, buffer: &mut Buffer) {
    let layout = app.connections_layout();
    let (title, area) = (layout.title, layout.rows);
    rule::titled(app, buffer, title, app.panels.view.name(), "", app.panels.focus == Panel::List);
    let place = match app.list.filter() {
        Some(_) => format!(
            "{} of {} match",
            app.list.connections(&app.capture).count(),
            grouped(app.counts.totals.connections)
        ),
        None => format!("{} of {}", grouped(u64::from(app.table.cursor)), grouped(app.counts.totals.connections)),
    };
    rule::right(buffer, title, &place, app.theme.faint);
    let shown = app.list.connections(&app.capture).page(app.table.top, u32::from(area.height));
    let overviews = overview::overviews(&app.capture, &shown, RATE);
    let client = overviews.iter().map(|overview| overview.info.client.to_string().len()).max().unwrap_or(0);
    let columns = columns(area.width, cells(client));
    for column in &columns {
        let wide = width(column.head).min(column.width);
        let start = if column.is_number { column.start + column.width - wide } else { column.start };
        put(buffer, layout.heads, start, 0, column.head, app.theme.faint);
    }
    for (y, overview) in overviews.iter().enumerate() {
        let line = Rect { y: area.y + cells(y), height: 1, ..area };
        row(app, buffer, line, &columns, overview);
    }
    card::render(app, buffer, &layout);
    records(app, buffer, layout.records_title, layout.records);
}

fn row(app: &App, buffer: &mut Buffer, line: Rect, columns: &[Column], overview: &Overview) {
    for column in columns {
        let parts = (column.text)(app, overview);
        let wide: u16 = parts.iter().map(|(text, _)| width(text)).sum();
        let end = column.start + column.width;
        let mut x = if column.is_number { end.saturating_sub(wide).max(column.start) } else { column.start };
        for (text, style) in parts {
            x += put(buffer, line, x, 0, &fit(&text, usize::from(end.saturating_sub(x))), style);
        }
    }
    if overview.info.number == app.table.cursor {
        put(buffer, line, 0, 0, "▌", app.theme.focus);
        buffer.set_style(line, app.theme.cursor);
    }
}

/// Draws the first and the last records of the connection under the cursor.
fn records(app: &App, buffer: &mut Buffer, title: Rect, area: Rect) {
    if area.height == 0 {
        return;
    }
    let (table, open) = (&app.table, app.keymap.key_of(Action::Open));
    let rows = table.lines.rows();
    list::titled(
        app,
        buffer,
        title,
        "Records",
        &format!("{} · {open} lists them", count(table.records.into(), "record")),
    );
    let (head, tail) = rows.split_at(table.head.min(rows.len()));
    let used = list::records(app, buffer, area, head);
    if table.left_out > 0 {
        let words = format!("⋯ {} more", grouped(u64::from(table.left_out)));
        put(buffer, area, 4, used, &words, app.theme.faint);
        let below = Rect { y: area.y + used + 1, height: area.height.saturating_sub(used + 1), ..area };
        list::records(app, buffer, below, tail);
    }
}

/// The columns of a screen of that width, with two columns between them; `client` is the width of the longest address.
fn columns(width: u16, client: u16) -> Vec<Column> {
    let screen = SCREENS.iter().position(|least| width >= *least).unwrap_or(SCREENS.len() - 1);
    let column = |(head, is_number, widths, text): (&'static str, bool, [u16; 4], Text)| {
        let width = match widths[screen] {
            most if head == CLIENT && most > 0 => client.clamp(9, most),
            width => width,
        };
        Column { head, is_number, start: 1, width, text }
    };
    let mut columns: Vec<Column> = COLUMNS.into_iter().map(column).filter(|column| column.width > 0).collect();
    let taken: u16 = columns.iter().map(|column| if column.width == REST { 2 } else { column.width + 2 }).sum();
    let mut start = 1;
    for column in &mut columns {
        column.width = if column.width == REST { width.saturating_sub(taken) } else { column.width };
        column.start = start;
        start += column.width + 2;
    }
    columns
}

fn one(text: String, style: Style) -> Parts {
    vec![(text, style)]
}

/// Counts as bars; the largest count is as high as a line.
pub fn bars(counts: &[u32]) -> String {
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let bar = |count: &u32| match count {
        0 => ' ',
        count => ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'][(u64::from(*count) * 7 / u64::from(most)) as usize],
    };
    counts.iter().map(bar).collect()
}

fn raw(text: &Option<Box<str>>) -> String {
    printable::text(text.as_deref().unwrap_or("–")).into_owned()
}

/// The path; that of a connection without WebSocket is less important.
fn path(app: &App, overview: &Overview) -> Parts {
    let about = &overview.info.about;
    match &about.target {
        Some(_) if !about.websocket => {
            vec![(raw(&about.target), app.theme.faint), (" · HTTP".to_owned(), app.theme.faint)]
        }
        target => one(raw(target), app.theme.text),
    }
}

fn ping(overview: &Overview) -> String {
    overview.trips.as_ref().map_or("–".to_owned(), |trips| summary::nanos(trips.median()))
}

/// The number of findings of each severity, in its own colour; a tick if there are none.
fn found(app: &App, overview: &Overview) -> Parts {
    let mut parts = Parts::new();
    for severity in [Severity::Error, Severity::Warning, Severity::Info] {
        let count = overview.findings[severity as usize];
        if count > 0 {
            let gap = if parts.is_empty() { "" } else { " " };
            let words = format!("{gap}{} {}", severity_symbol(severity), grouped(u64::from(count)));
            parts.push((words, app.theme.severity(severity)));
        }
    }
    if parts.is_empty() { one("✓".to_owned(), app.theme.good) } else { parts }
}

/// How the connection ended, in a word or two.
fn ended(overview: &Overview) -> String {
    match overview.ending {
        ConnectionEnding::Open => "open".to_owned(),
        ConnectionEnding::Close { by, code: 0, .. } => format!("{} Close", by.sender()),
        ConnectionEnding::Close { by, code, .. } => format!("{} {code}", by.sender()),
        ConnectionEnding::Without { by, how } => {
            format!("{} {}", by.sender(), if how == EndReason::Rst { "RST" } else { "TCP FIN" })
        }
        ConnectionEnding::Capture => "cut".to_owned(),
    }
}
