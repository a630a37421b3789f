//! The records of a connection as arrows between client and server.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{put, width};
use crate::proto::dissected::{Direction, EndReason};
use crate::proto::rules::count;
use crate::proto::time::Time;
use crate::tui::app::App;
use crate::tui::ladder::{self, LadderColumns, LadderLine, Rung, RungKind};
use crate::tui::text::duration;

/// Draws them; `around` are the numbers of records of the connection before and after.
pub fn render(app: &App, buffer: &mut Buffer, area: Rect, rungs: &[Rung], around: (u64, u64)) {
    let theme = &app.theme;
    let at = LadderColumns::of(area.width);
    let cursor = app.detail.record().map(|record| record.no);
    for (line, y) in ladder::lines(rungs, around, at, area.height).iter().zip(0..) {
        let row = Rect { y: area.y + y, height: 1, ..area };
        match line {
            LadderLine::Names => {
                end_at(buffer, row, at.number, "record", theme.faint);
                end_at(buffer, row, at.time, "time (s)", theme.faint);
                put(buffer, row, at.client, 0, "client", theme.up);
                end_at(buffer, row, at.server + 1, "server", theme.down);
            }
            LadderLine::Foot => {
                for x in [at.client, at.server] {
                    put(buffer, row, x, 0, "┴", theme.rule);
                }
            }
            LadderLine::Earlier(records) | LadderLine::Later(records) => {
                sides(app, buffer, row, at);
                let place = if matches!(line, LadderLine::Earlier(_)) { "before" } else { "after" };
                hidden(app, buffer, row, at, *records, place);
            }
            LadderLine::Space(space) => {
                sides(app, buffer, row, at);
                let time = |rung: usize| rungs.get(rung).map(|rung| rung.time);
                let since = space.above.and_then(|above| Some(time(space.below)?.nanos_since(time(above)?)));
                if let Some(since) = since.and_then(|nanos| u64::try_from(nanos).ok()).filter(|nanos| *nanos > 0) {
                    end_at(buffer, row, at.time, &format!("+{}", duration(since)), theme.faint);
                }
                if space.hidden > 0 {
                    hidden(app, buffer, row, at, space.hidden, "here");
                }
            }
            LadderLine::Label(i, label) => {
                sides(app, buffer, row, at);
                if let Some(rung) = rungs.get(*i) {
                    on_arrow(buffer, row, at, rung.direction, label, label_style(app, rung));
                }
            }
            LadderLine::Arrow(i, label) => {
                sides(app, buffer, row, at);
                let Some(rung) = rungs.get(*i) else { continue };
                arrow(app, buffer, row, at, rung, label);
                if rung.no.is_some() && rung.no == cursor {
                    put(buffer, row, 0, 0, "▌", theme.focus);
                    buffer.set_style(row, theme.cursor);
                }
            }
        }
    }
}

/// Says how many records have no arrow, and where they are.
fn hidden(app: &App, buffer: &mut Buffer, row: Rect, at: LadderColumns, records: u64, place: &str) {
    let words = format!("┄ {} {place} ┄", count(records, "record"));
    put(buffer, row, at.client + 3, 0, &words, app.theme.faint);
}

/// Draws the lines of both sides.
fn sides(app: &App, buffer: &mut Buffer, row: Rect, at: LadderColumns) {
    for x in [at.client, at.server] {
        put(buffer, row, x, 0, "│", app.theme.rule);
    }
}

/// Draws the arrow of a rung with the beginning of its label, its number and time, and what it means.
fn arrow(app: &App, buffer: &mut Buffer, row: Rect, at: LadderColumns, rung: &Rung, label: &str) {
    let theme = &app.theme;
    if let Some(no) = rung.no {
        end_at(buffer, row, at.number, &no.to_string(), theme.faint);
        end_at(buffer, row, at.time, &seconds(app, rung.time), theme.text);
    }
    let line = match rung.kind {
        RungKind::Stopped | RungKind::NoClose | RungKind::TornDown | RungKind::Tcp(EndReason::Capture) => "┄",
        _ => "─",
    };
    let style = match rung.kind {
        RungKind::Before => theme.rule,
        RungKind::Record | RungKind::Stopped => theme.direction(rung.direction),
        _ => label_style(app, rung),
    };
    let between = at.server.saturating_sub(at.client + 1);
    put(buffer, row, at.client + 1, 0, &line.repeat(usize::from(between)), style);
    if line == "─" {
        let (x, head) = match rung.direction {
            Direction::ClientToServer => (at.server.saturating_sub(1), "►"),
            Direction::ServerToClient => (at.client + 1, "◄"),
        };
        put(buffer, row, x, 0, head, style);
    }
    on_arrow(buffer, row, at, rung.direction, &format!(" {label} "), label_style(app, rung));
    if at.remark > 0 {
        put(buffer, row, at.remark, 0, &rung.remark, theme.faint);
    }
}

/// Writes a label on an arrow, near the side that sends.
fn on_arrow(buffer: &mut Buffer, row: Rect, at: LadderColumns, direction: Direction, label: &str, style: Style) {
    let margin = if label.starts_with(' ') { 2 } else { 3 };
    let x = match direction {
        Direction::ClientToServer => at.client + 1 + margin,
        Direction::ServerToClient => at.server.saturating_sub(margin + width(label)),
    };
    put(buffer, row, x, 0, label, style);
}

fn label_style(app: &App, rung: &Rung) -> Style {
    let theme = &app.theme;
    match rung.kind {
        RungKind::Close { faulty: true } | RungKind::Tcp(EndReason::Rst) => theme.error,
        RungKind::NoClose => theme.warning,
        RungKind::TornDown | RungKind::Tcp(EndReason::Capture) => theme.faint,
        RungKind::Before => theme.faint,
        RungKind::Record | RungKind::Stopped => theme.text,
        _ => theme.direction(rung.direction),
    }
}

/// A time since the first record of the capture.
fn seconds(app: &App, time: Time) -> String {
    let micros = time.nanos_since(app.capture.origin().unwrap_or_default()) / 1000;
    format!("{}.{:06}", micros / 1_000_000, micros.rem_euclid(1_000_000))
}

/// Writes text that ends before a column; 0 leaves it out.
fn end_at(buffer: &mut Buffer, row: Rect, end: u16, text: &str, style: Style) {
    if end > 0 {
        put(buffer, row, end.saturating_sub(width(text)), 0, text, style);
    }
}
