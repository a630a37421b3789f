//! The facts of the connection under the cursor, below the table of connections.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr as _;

use super::connections::{ended_style, lasted};
use super::list::severity_symbol;
use super::{bytes_with_unit, fit, put, rule, width};
use crate::capture::query::overview::{self, ConnectionEnding, Overview};
use crate::capture::query::summary;
use crate::proto::dissected::{Direction, EndReason};
use crate::proto::rules::{Severity, count};
use crate::tui::app::App;
use crate::tui::connections_layout::{ConnectionsLayout, FACTS_IN_TWO};
use crate::wire::close::CloseCode;
use crate::wire::printable;

/// Width of the names, in columns.
const NAMES: u16 = 13;

/// A fact: its name, and its value in parts with their styles.
type Fact = (&'static str, Vec<(String, Style)>);

/// The facts that a low screen leaves out first.
const MINOR: [&str; 2] = ["path", EXTREMES];

/// The row of the shortest round trip and the last one, which goes on with the row above.
const EXTREMES: &str = " ";

pub fn render(app: &App, buffer: &mut Buffer, layout: &ConnectionsLayout) {
    let (title, area) = (layout.facts_title, layout.facts);
    if area.height == 0 {
        return;
    }
    let bins = usize::from(area.width.saturating_sub(NAMES + 4));
    let overviews = overview::overviews(&app.capture, &[app.table.cursor], bins);
    let Some(overview) = overviews.first() else { return };
    let kind = if overview.info.about.websocket { "WebSocket" } else { "plain HTTP, never upgraded" };
    rule::titled(app, buffer, title, &format!("Connection {}", app.table.cursor), kind, false);
    let (identity, history) = (identity(app, overview), history(app, overview));
    if area.width >= FACTS_IN_TWO {
        let half = area.width / 2;
        facts(buffer, app, Rect { width: half, ..area }, &history);
        facts(buffer, app, Rect { x: area.x + half, width: area.width - half, ..area }, &identity);
    } else {
        in_one_column(app, buffer, area, &history, &identity);
    }
    chart(app, buffer, layout.chart, overview);
}

fn facts(buffer: &mut Buffer, app: &App, area: Rect, facts: &[Fact]) {
    for (y, (name, parts)) in (0..area.height).zip(facts) {
        put(buffer, area, 2, y, name, app.theme.faint);
        let mut x = 2 + NAMES;
        for (text, style) in parts {
            x += put(buffer, area, x, y, &fit(text, usize::from(area.width.saturating_sub(x + 1))), *style);
        }
    }
}

/// Draws all facts into one column. A fact that goes on in a second row shares the first if both fit, and so do the two addresses, and
/// what was negotiated. An area that is too low ends with the number of rows that it lacks.
fn in_one_column(app: &App, buffer: &mut Buffer, area: Rect, history: &[Fact], identity: &[Fact]) {
    let room = usize::from(area.width.saturating_sub(NAMES + 3));
    let wide = |parts: &[(String, Style)]| parts.iter().map(|(text, _)| text.width()).sum::<usize>();
    let mut rows: Vec<Fact> = Vec::new();
    for (name, parts) in history.iter().chain(identity).filter(|(_, parts)| wide(parts) > 0) {
        // The words before a fact that joins the row above.
        let joint = match *name {
            "" | EXTREMES => " · ".to_owned(),
            "server" | "extensions" => format!(" · {name} "),
            _ => String::new(),
        };
        match rows.last_mut().filter(|_| !joint.is_empty()) {
            Some((_, above)) if wide(above) + joint.width() + wide(parts) <= room => {
                above.push((joint, app.theme.faint));
                above.extend(parts.iter().cloned());
            }
            _ => rows.push((name, parts.clone())),
        }
    }
    for name in MINOR.into_iter().rev() {
        if rows.len() > usize::from(area.height) {
            rows.retain(|(row, _)| *row != name);
        }
    }
    facts(buffer, app, area, &rows);
    let lacking = rows.len().saturating_sub(usize::from(area.height));
    if let Some(y) = area.height.checked_sub(1).filter(|_| lacking > 0) {
        let words = format!(" ↓ {lacking} more ");
        put(buffer, area, area.width.saturating_sub(width(&words) + 1), y, &words, app.theme.faint);
    }
}

/// What the handshake negotiated, and the addresses.
fn identity(app: &App, overview: &Overview) -> Vec<Fact> {
    let (text, faint) = (app.theme.text, app.theme.faint);
    let about = &overview.info.about;
    let raw = |value: &Option<Box<str>>, none: &str| match value {
        Some(value) => vec![(printable::text(value).into_owned(), text)],
        None => vec![(none.to_owned(), faint)],
    };
    let [up, down] = overview.info.bytes.map(bytes_with_unit);
    let mut path = raw(&about.target, "none seen");
    path.extend(about.host.as_ref().map(|host| (format!(" on {}", printable::text(host)), faint)));
    vec![
        ("path", path),
        ("client", vec![(overview.info.client.to_string(), app.theme.up), (format!(" sent {up}"), text)]),
        ("server", vec![(overview.info.server.to_string(), app.theme.down), (format!(" sent {down}"), text)]),
        ("subprotocol", raw(&about.subprotocol, "none")),
        ("extensions", raw(&about.extensions, "none")),
    ]
}

/// How the connection ended, and its statistics.
fn history(app: &App, overview: &Overview) -> Vec<Fact> {
    let theme = &app.theme;
    let (text, faint) = (theme.text, theme.faint);
    let [trips, extremes] = match &overview.trips {
        None => [("no ping was answered".to_owned(), faint), Default::default()],
        Some(trips) => {
            let [least, median, last] = [trips.least, trips.median(), trips.last].map(summary::nanos);
            let median = format!("median {median} · {}", count(trips.count, "pong"));
            [(median, text), (format!("least {least} · last {last}"), text)]
        }
    };
    let open = if overview.ending == ConnectionEnding::Open { " so far" } else { "" };
    let [first, then] = ended(app, overview);
    let style = ended_style(app, overview);
    let records = count(u64::from(overview.info.records), "record");
    vec![
        ("ended", vec![(first, style)]),
        ("", vec![(then, style)]),
        ("findings", findings(app, overview)),
        ("lasted", vec![(format!("{}{open} · {records}", lasted(overview.duration())), text)]),
        ("round trips", vec![trips]),
        (EXTREMES, vec![extremes]),
    ]
}

/// The findings by severity, each in its colour.
fn findings(app: &App, overview: &Overview) -> Vec<(String, Style)> {
    let levels = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Info, "info")];
    let mut parts = Vec::new();
    for (level, name) in levels {
        let n = u64::from(overview.findings[level as usize]);
        if n > 0 {
            let gap = if parts.is_empty() { "" } else { "  " };
            parts.push((format!("{gap}{} {}", severity_symbol(level), count(n, name)), app.theme.severity(level)));
        }
    }
    if parts.is_empty() {
        parts.push(("✓ nothing breaks a rule".to_owned(), app.theme.good));
    }
    parts
}

/// How the connection ended, which side ended it, and how the other side answered.
fn ended(app: &App, overview: &Overview) -> [String; 2] {
    let code = |by: Direction, code: u16| {
        let close = overview.closes[by.index()].and_then(|no| app.capture.record(no));
        match (code, close.and_then(|close| close.payload_len())) {
            (0, Some(1)) => "with 1 byte, not a code ✗".to_owned(),
            (0, None | Some(0)) => "without a code".to_owned(),
            _ => summary::close_code(CloseCode(code)),
        }
    };
    let first = match overview.ending {
        ConnectionEnding::Open => "still open".to_owned(),
        ConnectionEnding::Capture => "the capture ends before the connection".to_owned(),
        ConnectionEnding::Close { by, code: sent, .. } => format!("{} closed, {}", the_peer(by), code(by, sent)),
        ConnectionEnding::Without { by, how: EndReason::Rst } => {
            format!("{} aborted the connection (TCP RST)", the_peer(by))
        }
        ConnectionEnding::Without { by, .. } => format!("{} ended first (TCP FIN)", the_peer(by)),
    };
    let then = match overview.ending {
        ConnectionEnding::Close { by, code: sent, answer } => match answer {
            Some(answer) if answer == sent && sent != 0 => format!("{} answered the same", the_peer(by.opposite())),
            Some(answer) => format!("{} answered {}", the_peer(by.opposite()), code(by.opposite(), answer)),
            None => format!("{} did not answer", the_peer(by.opposite())),
        },
        ConnectionEnding::Without { .. } if overview.info.about.websocket => "without a Close".to_owned(),
        _ => String::new(),
    };
    [first, then]
}

const fn the_peer(direction: Direction) -> &'static str {
    match direction {
        Direction::ClientToServer => "the client",
        Direction::ServerToClient => "the server",
    }
}

/// Draws the number of records over time, over the whole width.
fn chart(app: &App, buffer: &mut Buffer, area: Rect, overview: &Overview) {
    let theme = &app.theme;
    let Some(height) = area.height.checked_sub(1).filter(|height| *height > 0) else { return };
    put(buffer, area, 2, 0, "records", theme.faint);
    put(buffer, area, 2, 1, "over time", theme.faint);
    let most = overview.rate.iter().copied().max().unwrap_or(0).max(1);
    for line in 0..height {
        // Each line shows its slice of the bars, in eighths of a line.
        let below = u32::from(height - 1 - line) * 8;
        let slice: Vec<u32> = overview
            .rate
            .iter()
            .map(|n| (u64::from(*n) * u64::from(height) * 8).div_ceil(u64::from(most)) as u32)
            .map(|eighths| eighths.saturating_sub(below).min(8))
            .collect();
        let text: String = slice.iter().map(|n| [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'][*n as usize]).collect();
        put(buffer, area, 2 + NAMES, line, &text, theme.info);
    }
    let end = lasted(overview.duration());
    put(buffer, area, 2 + NAMES, height, "0", theme.faint);
    put(buffer, area, area.width.saturating_sub(width(&end) + 2), height, &end, theme.faint);
}
