//! The table of connections.
//!
//! ```text
//!  Connections ─ Client ──────── Path ─────── Records ──── ▲ ───── ▼ ─ Rate ────── Lasted ─ Ping ───── Ended ── 1 of 2 ─
//! ▌   1  127.0.0.1:50000        /ticker           24  1.2 kB  1.1 kB  ▃▃▃█▃▃▃▃▃▃     12 s  137 µs  ✗ 1  client 1000
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::list::severity_symbol;
use super::{bytes_with_unit, cells, fit, put, rule, width};
use crate::capture::query::overview::{self, ConnectionEnding, Overview};
use crate::capture::query::summary;
use crate::proto::dissected::EndReason;
use crate::proto::rules::{Severity, grouped};
use crate::tui::app::App;
use crate::tui::panel::Panel;
use crate::wire::printable;

/// Number of bars in the column "Rate".
const RATE: usize = 8;

/// The least widths of the screen to which the widths in [`COLUMNS`] belong.
const SCREENS: [u16; 4] = [190, 112, 70, 0];

/// Width of the column that gets what the others leave.
const REST: u16 = u16::MAX;

/// The head of the column of addresses, which is as wide as the longest one.
const CLIENT: &str = "Client";

/// The text of a column for a connection.
type Text = fn(&App, &Overview) -> (String, Style);

/// The columns: the head, whether it is a number, the width on each of the [`SCREENS`] (0 leaves it out), and the text.
const COLUMNS: [(&str, bool, [u16; 4], Text); 14] = [
    ("", true, [4, 4, 4, 4], |app, of| (of.info.number.to_string(), app.theme.faint)),
    (CLIENT, false, [30, 21, 21, REST], |app, of| (of.info.client.to_string(), app.theme.text)),
    ("Server", false, [21, 0, 0, 0], |app, of| (of.info.server.to_string(), app.theme.text)),
    ("Path", false, [REST, REST, REST, 0], |app, of| (raw(&of.info.about.target), app.theme.text)),
    ("Subprotocol", false, [20, 0, 0, 0], |app, of| (raw(&of.info.about.subprotocol), app.theme.text)),
    ("Extensions", false, [18, 0, 0, 0], |app, of| (raw(&of.info.about.extensions), app.theme.text)),
    ("Records", true, [8, 7, 7, 0], |app, of| (grouped(u64::from(of.info.records)), app.theme.text)),
    ("▲", true, [8, 8, 0, 0], |app, of| (bytes_with_unit(of.info.bytes[0]), app.theme.up)),
    ("▼", true, [8, 8, 0, 0], |app, of| (bytes_with_unit(of.info.bytes[1]), app.theme.down)),
    ("Rate", false, [8, 8, 8, 0], |app, of| (bars(&of.rate), app.theme.info)),
    ("Lasted", true, [7, 7, 0, 0], |app, of| (lasted(of.duration()), app.theme.text)),
    ("Ping", true, [7, 7, 0, 0], |app, of| (ping(of), app.theme.text)),
    ("", false, [5, 4, 4, 0], findings),
    ("Ended", false, [12, 12, 12, 11], |app, of| (ended(of), ended_style(app, of))),
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
    let (title, area) = (app.layout.list_title, app.layout.list);
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
    let room = title.width.saturating_sub(width(&place) + 3);
    heads(app, buffer, Rect { width: room, ..title }, &columns);
    if overviews.is_empty() {
        put(buffer, area, 2, 0, "no connection matches the filter", app.theme.faint);
    }
    for (y, overview) in overviews.iter().enumerate() {
        let line = Rect { y: area.y + cells(y), height: 1, ..area };
        for column in &columns {
            let (text, style) = (column.text)(app, overview);
            let text = fit(&text, usize::from(column.width));
            let pad = if column.is_number { column.width - width(&text) } else { 0 };
            put(buffer, line, column.start + pad, 0, &text, style);
        }
        if overview.info.number == app.table.cursor {
            put(buffer, line, 0, 0, "▌", app.theme.focus);
            buffer.set_style(line, app.theme.cursor);
        }
    }
}

/// The columns of a screen of that width, with two columns between them; `client` is the width of the longest address.
fn columns(width: u16, client: u16) -> Vec<Column> {
    let screen = SCREENS.iter().position(|least| width >= *least).unwrap_or(SCREENS.len() - 1);
    let column = |(head, is_number, widths, text): (&'static str, bool, [u16; 4], Text)| {
        let width = match widths[screen] {
            most if head == CLIENT && most < REST => client.clamp(9, most),
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

/// Draws the column heads into the title line. A head that does not fit is left out.
fn heads(app: &App, buffer: &mut Buffer, area: Rect, columns: &[Column]) {
    for column in columns {
        let (head, wide) = (column.head, width(column.head));
        let start = if column.is_number { column.start + column.width - wide.min(column.width) } else { column.start };
        let after_title = start > width(app.panels.view.name()) + 2;
        if wide > 0 && after_title && start + wide < area.width {
            put(buffer, area, start - 1, 0, &format!(" {head} "), app.theme.faint);
        }
    }
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

/// A duration in nanoseconds with a unit: `137 µs`, `12 s`, `5 min`, `2.5 h`.
pub fn lasted(nanos: u64) -> String {
    let seconds = nanos / 1_000_000_000;
    match seconds {
        0..120 => summary::nanos(nanos),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{:.1} h", seconds as f64 / 3600.0),
    }
}

/// The worst severity of a connection's findings, and the number of findings with it.
pub fn worst(overview: &Overview) -> Option<(Severity, u32)> {
    let levels = [Severity::Error, Severity::Warning, Severity::Info];
    levels.into_iter().map(|level| (level, overview.findings[level as usize])).find(|(_, count)| *count > 0)
}

fn raw(text: &Option<Box<str>>) -> String {
    printable::text(text.as_deref().unwrap_or("–")).into_owned()
}

fn ping(overview: &Overview) -> String {
    overview.trips.as_ref().map_or("–".to_owned(), |trips| summary::nanos(trips.median()))
}

fn findings(app: &App, overview: &Overview) -> (String, Style) {
    match worst(overview) {
        None => ("✓".to_owned(), app.theme.good),
        Some((severity, count)) => (format!("{} {count}", severity_symbol(severity)), app.theme.severity(severity)),
    }
}

/// How the connection ended, in a word or two.
fn ended(overview: &Overview) -> String {
    match overview.ending {
        ConnectionEnding::Open => "open".to_owned(),
        ConnectionEnding::Close { by, code: 0, .. } => format!("{} Close", by.sender()),
        ConnectionEnding::Close { by, code, .. } => format!("{} {code}", by.sender()),
        ConnectionEnding::Without { by, how } => {
            format!("{} {}", by.sender(), if how == EndReason::Rst { "RST" } else { "FIN" })
        }
        ConnectionEnding::Capture => "cut".to_owned(),
    }
}

/// The colour of an ending: an abnormal one is a warning.
pub fn ended_style(app: &App, overview: &Overview) -> Style {
    let theme = &app.theme;
    match overview.ending {
        ConnectionEnding::Open => theme.good,
        ConnectionEnding::Close { code: 0 | 1000 | 1001, .. } => theme.text,
        ConnectionEnding::Without { how: EndReason::Fin, .. } if !overview.info.about.websocket => theme.text,
        ConnectionEnding::Close { .. } | ConnectionEnding::Without { .. } => theme.warning,
        ConnectionEnding::Capture => theme.faint,
    }
}
