//! The timeline: two lanes per connection.
//!
//! ```text
//!  Timeline ─┬ 0 s ──────────┬ 1 s ──────────┬ 2 s ─────────────────── a column: 100 ms · record 12 ─
//!      1 ▲  ◆──────▂───╭┄•───▂─────────▂──✗───────×┤
//! ▌      ▼  ╰◆────▁────•─────▁─────────▁──────────×┤
//!   ▁▄█ data by size   • ping, pong   ┬┴ both in one column   ◆ HTTP   ╭┄ answer   × Close   ┤ end
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use unicode_width::UnicodeWidthStr as _;

use super::list::severity_symbol;
use super::{cells, fit, put, rule, width};
use crate::capture::query::summary;
use crate::capture::query::timeline::{ActivityKind, Bin, Spans};
use crate::proto::dissected::Direction;
use crate::proto::rules::{Severity, grouped};
use crate::proto::time::Time;
use crate::tui::app::App;
use crate::tui::layout::{GUTTER, LEGEND_FROM};
use crate::tui::panel::Panel;

/// Smallest number of columns between two times in the title.
const MIN_TICK: u64 = 14;

/// Draws the timeline.
pub fn render(app: &App, buffer: &mut Buffer) {
    let (title, area) = (app.layout.list_title, app.layout.list);
    rule::titled(app, buffer, title, app.panels.view.name(), "", app.panels.focus == Panel::List);
    if area.height == 0 {
        return;
    }
    let spans = app.timeline.spans;
    let column = format!("a column: {}", summary::nanos(spans.each));
    let words = match app.timeline.cut {
        (0, 0) => format!("{column} · record {}", app.list.cursor),
        (above, below) => {
            let shown = app.timeline.lanes.len() as u64;
            let (first, all) = (u64::from(above) + 1, u64::from(above) + shown + u64::from(below));
            format!("{column} · connections {first}–{} of {}", u64::from(above) + shown, grouped(all))
        }
    };
    rule::right(buffer, title, &words, app.theme.faint);
    let room = title.width.saturating_sub(width(&words) + 3);
    axis(app, buffer, Rect { width: room, ..title });
    let own = app.detail.record().map(|record| (record.connection, record.direction));
    let column = app.detail.record().and_then(|record| spans.at(record.time));
    for (pair, lanes) in app.timeline.lanes.iter().enumerate() {
        for direction in Direction::BOTH {
            let y = area.y + cells(pair) * 2 + cells(direction.index());
            let line = Rect { y, height: 1, ..area };
            if y >= area.bottom() {
                return;
            }
            if direction == Direction::ClientToServer {
                let number = lanes.connection.to_string();
                put(buffer, line, 7 - (cells(number.len())).min(6), 0, &number, app.theme.faint);
            }
            put(buffer, line, 8, 0, &direction.arrow().to_string(), app.theme.direction(direction));
            lane(app, buffer, line, direction, &lanes.bins[direction.index()]);
            if own == Some((lanes.connection, direction)) {
                mark(app, buffer, line, column);
            }
        }
    }
    if area.height >= LEGEND_FROM {
        legend(app, buffer, Rect { y: area.bottom() - 1, height: 1, ..area });
    }
}

fn lane(app: &App, buffer: &mut Buffer, line: Rect, direction: Direction, bins: &[Bin]) {
    let theme = &app.theme;
    for (x, bin) in bins.iter().enumerate() {
        let (sign, style) = match bin.severity.filter(|severity| *severity > Severity::Info) {
            Some(severity) => (severity_symbol(severity), theme.severity(severity)),
            None => (sign(bin, direction), style(app, direction, bin.kind)),
        };
        put(buffer, line, GUTTER + cells(x), 0, sign, style);
    }
}

/// Marks the lane of the cursor and the column of its record.
fn mark(app: &App, buffer: &mut Buffer, line: Rect, column: Option<usize>) {
    put(buffer, line, 0, 0, "▌", app.theme.focus);
    buffer.set_style(line, app.theme.cursor);
    if let Some(column) = column {
        let cell = Rect { x: line.x + GUTTER + cells(column), width: 1, ..line };
        buffer.set_style(cell.intersection(line), app.theme.selected);
    }
}

/// The sign of a column. For data, a bar: the lowest is up to 16 bytes, and each step is four times as many.
/// A line leads from the column of a request, ping or Close in the other lane to its answer.
fn sign(bin: &Bin, direction: Direction) -> &'static str {
    match bin.kind {
        ActivityKind::Absent => " ",
        ActivityKind::Quiet => "─",
        ActivityKind::Waiting => "┄",
        // The other lane is below this one, or above it.
        ActivityKind::Asked => match direction {
            Direction::ClientToServer => "╭",
            Direction::ServerToClient => "╰",
        },
        ActivityKind::Control if bin.answered => match direction {
            Direction::ClientToServer => "┬",
            Direction::ServerToClient => "┴",
        },
        ActivityKind::Control => "•",
        ActivityKind::Http => "◆",
        ActivityKind::Odd => "?",
        ActivityKind::End => "┤",
        ActivityKind::Close => "×",
        ActivityKind::Data => {
            let step = (bin.bytes.saturating_sub(1) / 16).checked_ilog(4).map_or(0, |step| step as usize + 1);
            ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"][step.min(7)]
        }
    }
}

fn style(app: &App, direction: Direction, kind: ActivityKind) -> Style {
    match kind {
        ActivityKind::Absent | ActivityKind::Quiet => app.theme.rule,
        ActivityKind::Waiting | ActivityKind::Asked => app.theme.direction(direction).add_modifier(Modifier::DIM),
        ActivityKind::Odd => app.theme.warning,
        _ => app.theme.direction(direction),
    }
}

/// Times since the first record, in the title line.
fn axis(app: &App, buffer: &mut Buffer, area: Rect) {
    let spans = app.timeline.spans;
    let base = app.capture.span().map_or(Time(0), |(first, _)| first);
    let step = tick(spans);
    let end = spans.start(spans.count).0;
    let mut at = spans.from.0.saturating_sub(base.0).div_ceil(step).saturating_mul(step);
    while let Some(column) = spans.at(Time(base.0.saturating_add(at))).filter(|_| base.0.saturating_add(at) < end) {
        let x = GUTTER + cells(column);
        let label = format!("┬ {} ", seconds(at, step));
        // Leave out a label that would cover the title or the text at the right.
        if x > width(app.panels.view.name()) + 1 && x + width(&label) < area.width {
            put(buffer, area, x, 0, &label, app.theme.faint);
        }
        at += step;
    }
}

/// A round time between two labels, in nanoseconds: 1, 2 or 5 times a power of ten, and at least [`MIN_TICK`] columns.
fn tick(spans: Spans) -> u64 {
    let least = spans.each.saturating_mul(MIN_TICK);
    let mut power = 1u64;
    loop {
        for digit in [1, 2, 5] {
            if power.saturating_mul(digit) >= least {
                return power.saturating_mul(digit);
            }
        }
        power = power.saturating_mul(10);
    }
}

/// A time in seconds, with the decimals of the step.
fn seconds(nanos: u64, step: u64) -> String {
    let decimals = (0..9).find(|decimals| step.is_multiple_of(10u64.pow(9 - decimals))).unwrap_or(9);
    format!("{:.*} s", decimals as usize, nanos as f64 / 1e9)
}

/// The signs, after the number of connections that are out of view.
fn legend(app: &App, buffer: &mut Buffer, line: Rect) {
    let theme = &app.theme;
    let cut = match app.timeline.cut {
        (0, 0) => String::new(),
        (above, 0) => format!("↑ {above} more  "),
        (0, below) => format!("↓ {below} more  "),
        (above, below) => format!("↑ {above} ↓ {below} more  "),
    };
    let start = 2 + put(buffer, line, 2, 0, &cut, theme.warning);
    let room = usize::from(line.width.saturating_sub(start + 1));
    let signs = LEGENDS.iter().find(|signs| signs.width() <= room).unwrap_or(&LEGENDS[LEGENDS.len() - 1]);
    put(buffer, line, start, 0, &fit(signs, room), theme.faint);
}

/// The signs in words: the longest that fits is shown.
const LEGENDS: [&str; 6] = [
    "▁▄█ data by size   • ping, pong   ┬┴ both in one column   ◆ HTTP   ╭┄ answer   × Close   ┤ end   ✗ ⚠ finding   ? gap, cut, junk",
    "▁▄█ data  • ping, pong  ┬┴ both  ◆ HTTP  ╭┄ answer  × Close  ┤ end  ✗ ⚠ finding  ? gap, cut",
    "▁▄█ data • ping, pong ┬┴ both ◆ HTTP ╭┄ answer × Close ┤ end ✗ ⚠ finding ? gap",
    "▁▄█ data • ping, pong ┬┴ both ◆ HTTP ╭┄ answer × Close ┤ end ✗ ⚠ finding",
    "▁█ data • ping ┬┴ pong ◆ HTTP ╭┄ answer × Close ┤ end",
    "▁█ data • ping ◆ HTTP × Close ┤ end",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_round_and_have_the_decimals_of_their_step() {
        let spans = |each| Spans { from: Time(0), each, count: 100 };
        assert_eq!(
            [1_000, 100_000_000, 7_000_000_000].map(|each| tick(spans(each))),
            [20_000, 2_000_000_000, 100_000_000_000]
        );
        assert_eq!(seconds(1_500_000_000, 500_000_000), "1.5 s");
        assert_eq!(seconds(2_000_000_000, 2_000_000_000), "2 s");
        assert_eq!(seconds(40_000, 20_000), "0.00004 s");
    }
}
