//! The panel of what a proxy holds, at the bottom of the screen, so that the record above stays in view.
//!
//! ```text
//!  Hold ─ 1 held · 1 rule ────────────────────────────────────────────
//! ▌‖ record 17  conn 3 ▲  20 B on the wire  4 s   client: echo 0
//! + to send    conn 3 ▼   2 B              1 s   text, after the server's message
//!   rule  op == text and dir == c2s                           1 held
//!  s send on · e edit · x drop or delete · a add a rule · Esc close
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{bytes_with_unit, clear, fit, hints, mark_cursor, put, rule, width};
use crate::capture::format::proxied::Proxied;
use crate::proto::rules::{count, grouped};
use crate::tui::app::App;
use crate::tui::hold_desk::{HeldRow, InjectionRow, RuleRow};
use crate::tui::legend::{HELD, proxied_sign};
use crate::tui::state::dialogs::hold_panel::{HoldPanel, HoldRow, OTHER_LINES};
use crate::tui::state::notice::Notice;
use crate::wire::printable;

/// Least width of the screen that says which bytes the size counts: the list beside it has the length of the payload.
const ON_THE_WIRE_FROM: u16 = 80;

pub fn render(app: &App, panel: &HoldPanel, buffer: &mut Buffer) {
    let theme = &app.theme;
    let rows = HoldPanel::rows(&app.held);
    let screen = app.layout.area;
    let height = HoldPanel::height(&app.held, screen.height);
    let shown = height.saturating_sub(OTHER_LINES);
    let area = Rect { y: screen.bottom() - height, height, ..screen };
    clear(app, buffer, area);
    let line = Rect { height: 1, ..area };
    rule::titled(app, buffer, line, "Hold", &title(app), true);
    let selected = panel.row(&app.held).unwrap_or(0);
    let first = (selected + 1).saturating_sub(usize::from(shown));
    let after = rows.len().saturating_sub(first + usize::from(shown));
    let more = [(first, "↑"), (after, "↓")].into_iter().filter(|(count, _)| *count > 0);
    let more: Vec<String> = more.map(|(count, arrow)| format!("{arrow} {} more", grouped(count as u64))).collect();
    if !more.is_empty() {
        rule::right(buffer, line, &more.join(" · "), app.theme.faint);
    }
    let in_view = || rows.iter().enumerate().skip(first).take(usize::from(shown));
    let cells = in_view().map(|(_, row)| match row {
        HoldRow::Held(held) => message_cells(held, area.width).map(|cell| usize::from(width(&cell))),
        HoldRow::Injection(row) => injection_cells(row).map(|cell| usize::from(width(&cell))),
        HoldRow::Rule(_) => [0; 4],
    });
    let widths = cells.fold([0; 4], |most, cells| std::array::from_fn(|i| most[i].max(cells[i])));
    for (y, (at, row)) in (1..).zip(in_view()) {
        let line = Rect { y: area.y + y, height: 1, ..area };
        match row {
            HoldRow::Held(held) => message(app, buffer, line, held, widths),
            HoldRow::Injection(row) => injection(app, buffer, line, row, widths),
            HoldRow::Rule(rule) => self::rule(app, buffer, line, rule),
        }
        if at == selected {
            mark_cursor(theme, buffer, line);
        }
    }
    if rows.is_empty() {
        let words = "no hold rule: add one, such as: op == text";
        put(buffer, area, 2, 1, words, theme.text);
    }
    foot(app, buffer, Rect { y: area.bottom() - 1, height: 1, ..area });
}

/// The keys, or what has just happened.
fn foot(app: &App, buffer: &mut Buffer, line: Rect) {
    let theme = &app.theme;
    match &app.notice {
        Some(Notice::Failure(words)) => drop(put(buffer, line, 1, 0, &format!("✗ {words}"), theme.error)),
        Some(Notice::Success(words)) => drop(put(buffer, line, 1, 0, &format!("✓ {words}"), theme.good)),
        Some(Notice::Info(words)) => drop(put(buffer, line, 1, 0, words, theme.info)),
        _ => hints::keys(app, buffer, line),
    }
}

fn title(app: &App) -> String {
    let rules = count(app.held.rules.len() as u64, "hold rule");
    if app.counts.trouble.stop.is_some() {
        return format!("capturing has stopped, so that no rule can be tested · {rules}");
    }
    let held = match app.held.count {
        0 => "nothing held".to_owned(),
        held => format!("{} held", grouped(held as u64)),
    };
    match app.held.injections.len() {
        0 => format!("{held} · {rules}"),
        waiting => format!("{held} · {} to send · {rules}", grouped(waiting as u64)),
    }
}

/// What is shown of a message that waits, in columns: its record, its connection, its size and how long it has waited.
fn message_cells(held: &HeldRow, columns: u16) -> [String; 4] {
    let size = bytes_with_unit(held.len);
    [
        format!("record {}", held.record),
        format!("conn {} {}", held.connection, held.direction.arrow()),
        if columns < ON_THE_WIRE_FROM { size } else { format!("{size} on the wire") },
        format!("{} s", held.since.elapsed().as_secs()),
    ]
}

fn message(
    app: &App,
    buffer: &mut Buffer,
    line: Rect,
    held: &HeldRow,
    [of_record, of_side, of_size, of_time]: [usize; 4],
) {
    let theme = &app.theme;
    let [record, side, size, time] = message_cells(held, line.width);
    let mut x = 1 + put(buffer, line, 1, 0, HELD, theme.alarm) + 1;
    x += put(buffer, line, x, 0, &format!("{record:<of_record$}"), theme.text) + 2;
    x += put(buffer, line, x, 0, &format!("{side:<of_side$}"), theme.direction(held.direction)) + 2;
    x += put(buffer, line, x, 0, &format!("{size:>of_size$}"), theme.text) + 2;
    let state = if held.is_decided { "goes on after those before".to_owned() } else { format!("{time:>of_time$}") };
    x += put(buffer, line, x, 0, &state, theme.warning) + 2;
    let room = usize::from(line.width.saturating_sub(x));
    put(buffer, line, x, 0, &fit(app.held.preview(held), room), theme.faint);
}

/// What is shown of a message or frame that a person has added, in the same columns.
fn injection_cells(row: &InjectionRow) -> [String; 4] {
    [
        "to send".to_owned(),
        format!("conn {} {}", row.connection, row.direction.arrow()),
        bytes_with_unit(row.len),
        format!("{} s", row.since.elapsed().as_secs()),
    ]
}

fn injection(
    app: &App,
    buffer: &mut Buffer,
    line: Rect,
    row: &InjectionRow,
    [of_name, of_side, of_size, of_time]: [usize; 4],
) {
    let theme = &app.theme;
    let [name, side, size, time] = injection_cells(row);
    let mut x = 1 + put(buffer, line, 1, 0, proxied_sign(Proxied::Added), theme.warning) + 1;
    x += put(buffer, line, x, 0, &format!("{name:<of_name$}"), theme.text) + 2;
    x += put(buffer, line, x, 0, &format!("{side:<of_side$}"), theme.direction(row.direction)) + 2;
    x += put(buffer, line, x, 0, &format!("{size:>of_size$}"), theme.text) + 2;
    x += put(buffer, line, x, 0, &format!("{time:>of_time$}"), theme.warning) + 2;
    let room = line.width.saturating_sub(x);
    let begun = if row.opcode.is_control() { "frame" } else { "message" };
    let (kind, sender) = (row.opcode.name(), row.direction.sender());
    let forms = [
        format!("{kind}, waits for the end of the {begun} that the {sender} has begun"),
        format!("{kind}, after the {sender}'s {begun}"),
        format!("after the {sender}'s {begun}"),
    ];
    let words = forms.iter().find(|words| width(words) <= room).unwrap_or(&forms[2]);
    put(buffer, line, x, 0, &fit(words, usize::from(room)), theme.faint);
}

fn rule(app: &App, buffer: &mut Buffer, line: Rect, rule: &RuleRow) {
    let theme = &app.theme;
    put(buffer, line, 3, 0, "rule", theme.faint);
    let held = app.held.held_by(rule.id).filter(|held| *held > 0);
    let held = held.map(|held| format!("{held} held")).unwrap_or_default();
    let room = usize::from(line.width.saturating_sub(11 + width(&held)));
    put(buffer, line, 9, 0, &fit(&printable::text(&rule.text), room), theme.text);
    put(buffer, line, line.width.saturating_sub(width(&held) + 1), 0, &held, theme.alarm);
}
