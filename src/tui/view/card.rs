//! The panels about the connection under the cursor, around its records: its facts, the chart, what its end means, and its findings.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{cells, fit, ladder, put, rule, width, wrap};
use crate::capture::query::overview;
use crate::explain;
use crate::proto::rules::{Severity, grouped};
use crate::tui::action::Action;
use crate::tui::app::App;
use crate::tui::app::closing::verdict;
use crate::tui::connections_layout::{ConnectionsLayout, FACT_NAMES};
use crate::tui::state::connection_facts::{self, Fact, Tone};
use crate::tui::text::duration;
use crate::wire::printable;

/// Fewest rows below the list.
const LEAST_ASIDE: u16 = 10;

/// Columns to the left of the names.
const MARGIN: u16 = 2;

pub fn render(app: &App, buffer: &mut Buffer, layout: &ConnectionsLayout) {
    let (title, area) = (layout.facts_title, layout.facts);
    if area.height == 0 {
        return;
    }
    let bins = usize::from(area.width.saturating_sub(FACT_NAMES + 2));
    let overviews = overview::overviews(&app.capture, &[app.table.cursor], bins);
    let Some(overview) = overviews.first() else { return };
    let kind = if overview.info.about.websocket { "WebSocket" } else { "plain HTTP, never upgraded" };
    rule::titled(app, buffer, title, &format!("Connection {}", app.table.cursor), kind, false);
    let all = app.table.facts.iter();
    if ConnectionsLayout::is_wide(area.width) {
        let (right, left): (Vec<&Fact>, Vec<&Fact>) = all.partition(|fact| fact.of_handshake);
        let [left_area, right_area] = halves(area);
        facts(app, buffer, left_area, &left, true);
        facts(app, buffer, right_area, &right, true);
    } else {
        facts(app, buffer, area, &all.collect::<Vec<_>>(), true);
    }
    chart(app, buffer, layout.chart, &overview.rate, &duration(overview.duration()));
    end(app, buffer, layout);
}

/// Draws the connection of the record under the cursor below the list.
pub fn aside(app: &App, buffer: &mut Buffer) {
    let area = app.layout.aside;
    let Some(record) = app.detail.record().filter(|_| area.height >= LEAST_ASIDE) else { return };
    let bins = usize::from(area.width.saturating_sub(FACT_NAMES + 2));
    let overviews = overview::overviews(&app.capture, &[record.connection], bins);
    let Some(overview) = overviews.first() else { return };
    let title = format!("Connection {}", record.connection);
    rule::titled(app, buffer, Rect { height: 1, ..area }, &title, "that of the record", false);
    put(buffer, Rect { y: area.y, height: 1, ..app.layout.list_divider }, 0, 0, "┤", app.theme.rule);
    let all = connection_facts::facts(&app.capture, overview);
    let all: Vec<&Fact> = all.iter().collect();
    let columns = usize::from(area.width.saturating_sub(FACT_NAMES + 1));
    let needed: usize = all.iter().map(|fact| fact.rows(columns).len()).sum();
    // The facts come first; the chart gets the rows that they leave.
    let rows = Rect { y: area.y + 1, height: cells(needed).min(area.height - 1), ..area };
    facts(app, buffer, rows, &all, false);
    let chart_area = Rect { y: rows.bottom(), height: area.bottom() - rows.bottom(), ..area };
    chart(app, buffer, chart_area, &overview.rate, &duration(overview.duration()));
}

/// Draws the records of that connection above it.
pub fn conversation(app: &App, buffer: &mut Buffer) {
    let area = app.layout.conversation;
    if area.height == 0 {
        return;
    }
    rule::titled(app, buffer, Rect { height: 1, ..area }, "Conversation", "the records as arrows", false);
    put(buffer, Rect { y: area.y, height: 1, ..app.layout.list_divider }, 0, 0, "┤", app.theme.rule);
    let rows = Rect { y: area.y + 1, height: area.height - 1, ..area };
    ladder::render(app, buffer, rows, &app.conversation_rungs(), app.conversation_around);
}

fn halves(area: Rect) -> [Rect; 2] {
    let half = area.width / 2;
    [Rect { width: half, ..area }, Rect { x: area.x + half, width: area.width - half, ..area }]
}

/// Draws facts. If they are more than fit, the last row says how many rows are missing and, if `has_key`, which key shows all.
fn facts(app: &App, buffer: &mut Buffer, area: Rect, facts: &[&Fact], has_key: bool) {
    let columns = usize::from(area.width.saturating_sub(FACT_NAMES + 1));
    let named = |fact: &&Fact| {
        let names = std::iter::once(fact.name).chain(std::iter::repeat(""));
        names.zip(fact.rows(columns)).collect::<Vec<_>>()
    };
    let rows: Vec<_> = facts.iter().flat_map(named).collect();
    let room = usize::from(area.height);
    let shown = if rows.len() > room { room.saturating_sub(1) } else { room };
    for (y, (name, parts)) in (0..).zip(rows.iter().take(shown)) {
        put(buffer, area, MARGIN, y, name, app.theme.faint);
        let mut x = FACT_NAMES;
        for (text, tone) in parts {
            x += put(buffer, area, x, y, &fit(text, usize::from(area.width.saturating_sub(x))), style(app, *tone));
        }
    }
    if rows.len() > room {
        let more = format!("↓ {} more rows", rows.len() - shown);
        let x = MARGIN + put(buffer, area, MARGIN, cells(shown), &more, app.theme.faint);
        if has_key {
            let x = x + put(buffer, area, x, cells(shown), " · ", app.theme.faint);
            put(buffer, area, x, cells(shown), &format!("{} all", app.keymap.key_of(Action::Read)), app.theme.key);
        }
    }
}

/// The style of a tone.
pub const fn style(app: &App, tone: Tone) -> Style {
    match tone {
        Tone::Text => app.theme.text,
        Tone::Faint => app.theme.faint,
        Tone::Good => app.theme.good,
        Tone::Of(direction) => app.theme.direction(direction),
        Tone::Found(severity) => app.theme.severity(severity),
    }
}

/// Draws what the end of the connection means and, if it has findings, each with its record.
fn end(app: &App, buffer: &mut Buffer, layout: &ConnectionsLayout) {
    let (title, area) = (layout.end_title, layout.end);
    if area.height == 0 {
        return;
    }
    let closing = app.table.closing.as_ref().filter(|closing| !closing.steps.is_empty());
    let found = &app.table.findings;
    let [left, right] = match (closing.is_some(), found.is_empty()) {
        (true, false) if ConnectionsLayout::is_wide(area.width) => halves(area),
        (_, false) => [Rect::default(), area],
        (_, true) => [area, Rect::default()],
    };
    if left.width > 0 {
        let Some(closing) = closing else { return };
        rule::titled(app, buffer, Rect { width: left.width, ..title }, "End", "what it means", false);
        let columns = usize::from(left.width.saturating_sub(2 * MARGIN)).min(96);
        for (line, y) in wrap(&verdict(closing), columns).iter().zip(0..left.height) {
            put(buffer, left, MARGIN, y, line, app.theme.text);
        }
    }
    if right.width > 0 {
        let title = Rect { x: right.x, width: right.width, ..title };
        rule::titled(
            app,
            buffer,
            title,
            "Findings",
            &format!("{} lists them all", app.keymap.key_of(Action::Findings)),
            false,
        );
        findings(app, buffer, right);
    }
}

/// Draws the findings, each with its reason if all fit with it.
fn findings(app: &App, buffer: &mut Buffer, area: Rect) {
    let theme = &app.theme;
    let columns = usize::from(area.width.saturating_sub(2 * MARGIN + 2)).min(110);
    let lines = |with_reasons: bool| {
        let mut lines: Vec<(String, Style)> = Vec::new();
        for (no, finding) in &app.table.findings {
            let severity = finding.rule.severity();
            let what = format!("{} record {no}: {}", severity.symbol(), printable::text(&finding.sentence()));
            let style = if severity == Severity::Info { theme.info } else { theme.severity(severity) };
            lines.extend(wrap(&what, columns).into_iter().map(|line| (line, style)));
            if with_reasons {
                let why = explain::rule(finding.rule).text;
                lines.extend(wrap(&why, columns).into_iter().map(|line| (format!("  {line}"), theme.faint)));
            }
        }
        lines
    };
    let room = usize::from(area.height);
    let mut all = lines(true);
    if all.len() > room {
        all = lines(false);
    }
    let shown = if all.len() > room { room - 1 } else { room };
    for ((line, style), y) in all.iter().take(shown).zip(0..) {
        put(buffer, area, MARGIN, y, line, *style);
    }
    if all.len() > room {
        let words = format!("↓ {} more rows", grouped((all.len() - shown) as u64));
        put(buffer, area, MARGIN, cells(shown), &words, theme.faint);
    }
}

/// Draws the number of records over time, over the whole width.
fn chart(app: &App, buffer: &mut Buffer, area: Rect, rate: &[u32], end: &str) {
    let theme = &app.theme;
    let Some(height) = area.height.checked_sub(1).filter(|height| *height > 0) else { return };
    put(buffer, area, MARGIN, 0, "records", theme.faint);
    put(buffer, area, MARGIN, 1, "over time", theme.faint);
    let most = rate.iter().copied().max().unwrap_or(0).max(1);
    // The numbers of the highest bar and of none, at the left of the bars.
    let top = if most < 10_000 { grouped(most.into()) } else { format!("{} k", most / 1000) };
    for (number, line) in [(top.as_str(), 0), ("0", height - 1)] {
        if line > 0 || number != "0" {
            put(buffer, area, FACT_NAMES.saturating_sub(width(number) + 1), line, number, theme.text);
        }
    }
    for line in 0..height {
        // Each line shows its slice of the bars, in eighths of a line.
        let below = u32::from(height - 1 - line) * 8;
        let slice = rate
            .iter()
            .map(|n| (u64::from(*n) * u64::from(height) * 8).div_ceil(u64::from(most)) as u32)
            .map(|eighths| eighths.saturating_sub(below).min(8));
        let text: String = slice.map(|n| [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'][n as usize]).collect();
        put(buffer, area, FACT_NAMES, line, &text, theme.info);
    }
    put(buffer, area, FACT_NAMES, height, "0", theme.faint);
    put(buffer, area, area.width.saturating_sub(width(end) + 2), height, end, theme.faint);
}
