//! The panel of what a proxy holds, at the bottom of the screen, so that the record above stays in view.
//!
//! ```text
//!  Hold ─ 1 held · 1 rule ────────────────────────────────────────────
//! ▌‖ record 17  conn 3 ▲  20 B on the wire  4 s   client: echo 0
//!  rule  op == text and dir == c2s                             1 held
//!  s send on · e edit · x drop or delete · a add a rule · Esc close
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{bytes_with_unit, cells, clear, fit, hints, put, rule, width};
use crate::proto::rules::{count, grouped};
use crate::tui::app::App;
use crate::tui::hold_desk::{HeldRow, RuleRow};
use crate::tui::legend::HELD;
use crate::tui::state::dialogs::{HoldPanel, HoldRow};
use crate::tui::state::notice::Notice;
use crate::wire::printable;

/// The most rows of messages and rules.
const MAX_ROWS: u16 = 8;

/// Least width of the screen that says which bytes the size counts: the list beside it has the length of the payload.
const ON_THE_WIRE_FROM: u16 = 80;

pub fn render(app: &App, panel: &HoldPanel, buffer: &mut Buffer) {
    let theme = &app.theme;
    let rows = HoldPanel::rows(&app.held);
    let shown = cells(rows.len()).clamp(1, MAX_ROWS);
    let screen = app.layout.area;
    let height = (shown + 2).min(screen.height);
    let area = Rect { y: screen.bottom() - height, height, ..screen };
    clear(app, buffer, area);
    rule::titled(app, buffer, Rect { height: 1, ..area }, "Hold", &title(app), true);
    let selected = panel.row(&app.held).unwrap_or(0);
    let first = (selected + 1).saturating_sub(usize::from(shown));
    let in_view = || rows.iter().enumerate().skip(first).take(usize::from(shown));
    let cells = in_view().map(|(_, row)| match row {
        HoldRow::Held(held) => message_cells(held, area.width).map(|cell| usize::from(width(&cell))),
        HoldRow::Rule(_) => [0; 4],
    });
    let widths = cells.fold([0; 4], |most, cells| std::array::from_fn(|i| most[i].max(cells[i])));
    for (y, (at, row)) in (1..).zip(in_view()) {
        let line = Rect { y: area.y + y, height: 1, ..area };
        match row {
            HoldRow::Held(held) => message(app, buffer, line, held, widths),
            HoldRow::Rule(rule) => self::rule(app, buffer, line, rule),
        }
        if at == selected {
            put(buffer, line, 0, 0, "▌", theme.focus);
            buffer.set_style(line, theme.cursor);
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
    match app.held.count {
        0 => format!("nothing held · {rules}"),
        held => format!("{} held · {rules}", grouped(held as u64)),
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

fn rule(app: &App, buffer: &mut Buffer, line: Rect, rule: &RuleRow) {
    let theme = &app.theme;
    put(buffer, line, 1, 0, "rule", theme.faint);
    let held = app.held.held_by(rule.id).filter(|held| *held > 0);
    let held = held.map(|held| format!("{held} held")).unwrap_or_default();
    let room = usize::from(line.width.saturating_sub(9 + width(&held)));
    put(buffer, line, 7, 0, &fit(&printable::text(&rule.text), room), theme.text);
    put(buffer, line, line.width.saturating_sub(width(&held) + 1), 0, &held, theme.alarm);
}
