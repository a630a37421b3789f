//! The facts of the connection under the cursor, below the table of connections.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::connections::{ended_style, lasted, worst};
use super::list::severity_symbol;
use super::{bytes_with_unit, cells, fit, put, rule, width};
use crate::capture::query::overview::{self, ConnectionEnding, Overview};
use crate::capture::query::summary;
use crate::proto::dissected::{Direction, EndReason};
use crate::proto::rules::{Severity, count};
use crate::tui::action::Action;
use crate::tui::app::App;
use crate::tui::layout::CARD_IN_TWO;
use crate::wire::close::CloseCode;
use crate::wire::printable;

/// Width of the names, in columns.
const NAMES: u16 = 13;

type Fact = (&'static str, String, Style);

pub fn render(app: &App, buffer: &mut Buffer) {
    let (title, area) = (app.layout.middle_title, app.layout.card);
    if area.height == 0 {
        return;
    }
    let bins = usize::from(area.width.saturating_sub(NAMES + 4));
    let overviews = overview::overviews(&app.capture, &[app.table.cursor], bins);
    let Some(overview) = overviews.first() else { return };
    rule::titled(app, buffer, title, &format!("Connection {}", app.table.cursor), "", false);
    let way = format!("{} shows its frames", app.keymap.key_of(Action::Open));
    rule::right(buffer, title, &way, app.theme.faint);
    let (identity, history) = (identity(app, overview), history(app, overview));
    let half = area.width / 2;
    let rows = if area.width >= CARD_IN_TWO {
        facts(buffer, app, Rect { width: half, ..area }, &identity);
        facts(buffer, app, Rect { x: area.x + half, width: area.width - half, ..area }, &history);
        cells(identity.len().max(history.len()))
    } else {
        let all: Vec<Fact> = history.into_iter().chain(identity).collect();
        facts(buffer, app, area, &all);
        cells(all.len())
    };
    rate(app, buffer, area, rows, overview);
}

fn facts(buffer: &mut Buffer, app: &App, area: Rect, facts: &[Fact]) {
    for (y, (name, value, style)) in facts.iter().enumerate() {
        put(buffer, area, 2, cells(y), name, app.theme.faint);
        let room = usize::from(area.width.saturating_sub(NAMES + 3));
        put(buffer, area, 2 + NAMES, cells(y), &fit(value, room), *style);
    }
}

/// The addresses, and what the handshake negotiated.
fn identity(app: &App, overview: &Overview) -> Vec<Fact> {
    let (text, faint) = (app.theme.text, app.theme.faint);
    let about = &overview.info.about;
    let raw = |name, value: &Option<Box<str>>, none: &str| match value {
        Some(value) => (name, printable::text(value).into_owned(), text),
        None => (name, none.to_owned(), faint),
    };
    let kind = if about.websocket { "WebSocket" } else { "plain HTTP, never upgraded" };
    vec![
        ("client", overview.info.client.to_string(), app.theme.up),
        ("server", overview.info.server.to_string(), app.theme.down),
        ("protocol", kind.to_owned(), text),
        raw("path", &about.target, "none seen"),
        raw("host", &about.host, "none seen"),
        raw("subprotocol", &about.subprotocol, "none negotiated"),
        raw("extensions", &about.extensions, "none negotiated"),
    ]
}

/// How the connection ended, and its statistics.
fn history(app: &App, overview: &Overview) -> Vec<Fact> {
    let theme = &app.theme;
    let (text, faint) = (theme.text, theme.faint);
    let info = &overview.info;
    let bytes = info.bytes.map(bytes_with_unit);
    let (trips, ends) = match &overview.trips {
        None => (("round trips", "no ping was answered".to_owned(), faint), String::new()),
        Some(trips) => {
            let [least, median, last] = [trips.least, trips.median(), trips.last].map(summary::nanos);
            let words = format!("median {median} · {}", count(trips.count, "pong"));
            (("round trips", words, text), format!("least {least} · last {last}"))
        }
    };
    let findings = match worst(overview) {
        None => ("findings", "✓ nothing breaks a rule".to_owned(), theme.good),
        Some((level, _)) => ("findings", findings(overview), theme.severity(level)),
    };
    let open = if overview.ending == ConnectionEnding::Open { " so far" } else { "" };
    let [first, then] = ended(overview);
    let style = ended_style(app, overview);
    let records = count(u64::from(info.records), "record");
    vec![
        ("ended", first, style),
        ("", then, style),
        ("lasted", format!("{}{open} · {records}", lasted(overview.duration())), text),
        ("bytes", format!("▲ {} sent up · ▼ {} down", bytes[0], bytes[1]), text),
        findings,
        trips,
        ("", ends, text),
    ]
}

fn findings(overview: &Overview) -> String {
    let levels = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Info, "note")];
    let said = levels.map(|(level, name)| (level, u64::from(overview.findings[level as usize]), name));
    let said = said.iter().filter(|(_, n, _)| *n > 0);
    said.map(|(level, n, name)| format!("{} {}", severity_symbol(*level), count(*n, name)))
        .collect::<Vec<_>>()
        .join(" · ")
}

/// How the connection ended, which side ended it, and how the other side answered.
fn ended(overview: &Overview) -> [String; 2] {
    let code = |code: u16| match code {
        0 => "without a code".to_owned(),
        code => format!("{code} {}", CloseCode(code).name()),
    };
    let first = match overview.ending {
        ConnectionEnding::Open => "still open".to_owned(),
        ConnectionEnding::Capture => "the capture ends before the connection".to_owned(),
        ConnectionEnding::Close { by, code: sent, .. } => format!("{} closed, {}", the_peer(by), code(sent)),
        ConnectionEnding::Without { by, how: EndReason::Rst } => {
            format!("{} aborted the connection (TCP RST)", the_peer(by))
        }
        ConnectionEnding::Without { by, .. } => format!("{} ended first (TCP FIN)", the_peer(by)),
    };
    let then = match overview.ending {
        ConnectionEnding::Close { by, code: sent, answer } => match answer {
            Some(answer) if answer == sent => format!("{} answered the same", the_peer(by.opposite())),
            Some(answer) => format!("{} answered {}", the_peer(by.opposite()), code(answer)),
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
fn rate(app: &App, buffer: &mut Buffer, area: Rect, rows: u16, overview: &Overview) {
    let theme = &app.theme;
    let y = rows + 1;
    if y >= area.height {
        return;
    }
    put(buffer, area, 2, y, "records", theme.faint);
    put(buffer, area, 2, y + 1, "over time", theme.faint);
    let height = area.height.saturating_sub(y + 1).clamp(1, 4);
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
        put(buffer, area, 2 + NAMES, y + line, &text, theme.info);
    }
    let axis = y + height;
    let end = lasted(overview.duration());
    put(buffer, area, 2 + NAMES, axis, "0", theme.faint);
    let at = area.width.saturating_sub(width(&end) + 2);
    put(buffer, area, at, axis, &end, theme.faint);
}
