//! The timeline: two lanes per connection.
//!
//! ```text
//!  Timeline ─┬ 0 s ──────────┬ 1 s ──────────┬ 2 s ──────── 3.2 s ┬
//!      1 ▲  ◆──────▂───╭┄•───▂─────────▂──✗───────×┤
//! ▌      ▼  ╰◆────▁────•─────▁─────────▁──────────×┤
//!   ▁▄█ data  • ping, pong  ◆ HTTP  ╭┄ answer  × Close   record 4 → 5, 137 µs
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::list::severity_symbol;
use super::{cells, fit, put, rule, width};
use crate::capture::query::summary;
use crate::capture::query::timeline::{ActivityKind, Bin, Lanes, Spans};
use crate::proto::dissected::Direction;
use crate::proto::rules::Severity;
use crate::proto::time::Time;
use crate::tui::app::App;
use crate::tui::layout::GUTTER;
use crate::tui::panel::Panel;
use crate::tui::theme::Theme;
use crate::wire::printable;

/// Smallest number of columns between two times in the title.
const MIN_TICK: u64 = 14;

/// Draws the timeline.
pub fn render(app: &App, buffer: &mut Buffer) {
    let (title, area) = (app.layout.list_title, app.layout.list);
    rule::titled(app, buffer, title, app.panels.view.name(), "", app.panels.focus == Panel::List);
    if area.height == 0 {
        return;
    }
    axis(app, buffer, title);
    let spans = app.timeline.spans;
    let own = app.detail.record().map(|record| (record.connection, record.direction));
    let column = app.detail.record().and_then(|record| spans.at(record.time));
    let rows = app.timeline.rows;
    // The highest bar in view fills a lane of several rows.
    let all = app.timeline.lanes.iter().flat_map(|lanes| lanes.bins.iter().flatten());
    let most = all.filter(|bin| bin.kind == ActivityKind::Data).map(|bin| steps(bin.bytes)).max().unwrap_or(1);
    for (n, lanes) in app.timeline.lanes.iter().enumerate() {
        let top = area.y + cells(n) * rows.of_connection();
        let both = Rect { y: top + rows.label, height: 2 * rows.lane, ..area };
        if both.bottom() > area.bottom() {
            break;
        }
        label(app, buffer, Rect { y: top, height: 1, ..area }, lanes.connection);
        for direction in Direction::BOTH {
            let lane_area = Rect { y: both.y + cells(direction.index()) * rows.lane, height: rows.lane, ..area };
            let base = Rect { y: lane_area.bottom() - 1, height: 1, ..area };
            put(buffer, base, 8, 0, &direction.arrow().to_string(), app.theme.direction(direction));
            lane(app, buffer, lane_area, direction, &lanes.bins[direction.index()], most);
            if own == Some((lanes.connection, direction)) {
                mark(app, buffer, base, column);
            }
        }
        joints(app, buffer, both, lanes);
    }
    if rows.legend > 0 {
        legend(app, buffer, Rect { y: area.bottom() - 1, height: 1, ..area });
    }
}

/// The number of a connection, and its path and client if it has a row for them.
fn label(app: &App, buffer: &mut Buffer, line: Rect, connection: u32) {
    let number = connection.to_string();
    put(buffer, line, 7 - (cells(number.len())).min(6), 0, &number, app.theme.faint);
    let info = app.capture.connection(connection).filter(|_| app.timeline.rows.label > 0);
    if let Some(info) = info {
        let path = info.about.target.as_deref().map_or("no request seen".into(), printable::text);
        let words = format!("{path} · {} → {}", info.client, info.server);
        put(buffer, line, GUTTER, 0, &fit(&words, usize::from(line.width.saturating_sub(GUTTER + 1))), app.theme.faint);
    }
}

/// Draws the vertical lines between a request, ping or Close and its answer, in the free rows between the two lanes.
fn joints(app: &App, buffer: &mut Buffer, area: Rect, lanes: &Lanes) {
    let rows = app.timeline.rows.lane;
    let is_joint = |bin: &Bin| bin.kind == ActivityKind::Asked || bin.answered;
    for x in (0..lanes.bins[0].len()).filter(|x| lanes.bins.iter().any(|lane| lane.get(*x).is_some_and(is_joint))) {
        for y in rows..2 * rows - 1 {
            put(buffer, area, GUTTER + cells(x), y, "│", app.theme.rule);
        }
    }
}

/// Draws a lane; only bars are higher than a row. `most` is the height of the highest bar in view, in steps.
fn lane(app: &App, buffer: &mut Buffer, area: Rect, direction: Direction, bins: &[Bin], most: u16) {
    let theme = &app.theme;
    let line = Rect { y: area.bottom() - 1, height: 1, ..area };
    for (x, bin) in bins.iter().enumerate() {
        let is_bar =
            bin.kind == ActivityKind::Data && !bin.answered && bin.severity.is_none_or(|of| of == Severity::Info);
        if is_bar && area.height > 1 {
            bar(buffer, area, GUTTER + cells(x), steps(bin.bytes) * 8 / most, theme.direction(direction));
            continue;
        }
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
        // A full block would hide the colour of the selection.
        if let Some(cell) = buffer.cell_mut((cell.x, cell.y)).filter(|cell| cell.symbol() == "█") {
            cell.set_symbol(" ");
        }
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
        ActivityKind::Control | ActivityKind::Data if bin.answered => match direction {
            Direction::ClientToServer => "┬",
            Direction::ServerToClient => "┴",
        },
        ActivityKind::Control => "•",
        ActivityKind::Http => "◆",
        ActivityKind::Odd => "?",
        ActivityKind::End => "┤",
        ActivityKind::Close => "×",
        ActivityKind::Data => BARS[usize::from(steps(bin.bytes)) - 1],
    }
}

const BARS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// The height of a bar, from 1 to 8.
fn steps(bytes: u64) -> u16 {
    let step = (bytes.saturating_sub(1) / 16).checked_ilog(4).map_or(0, |step| step + 1);
    cells(step.min(7)) + 1
}

/// Draws a bar over several rows; `height` is in eighths of the area.
fn bar(buffer: &mut Buffer, area: Rect, x: u16, height: u16, style: Style) {
    let eighths = height.max(1) * area.height;
    for row in 0..area.height {
        let filled = eighths.saturating_sub(row * 8).min(8);
        if let Some(filled) = filled.checked_sub(1) {
            put(buffer, area, x, area.height - 1 - row, BARS[usize::from(filled)], style);
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

/// Times since the first record, in the title line. The last column has the time of its end.
fn axis(app: &App, buffer: &mut Buffer, area: Rect) {
    let spans = app.timeline.spans;
    let base = app.capture.span().map_or(Time(0), |(first, _)| first);
    let step = tick(spans);
    let end = spans.start(spans.count).0;
    let last = format!(" {} ┬", seconds(end.saturating_sub(base.0), (step / 10).max(1)));
    let end_at = area.width.saturating_sub(width(&last) + 1);
    // The numbers of connections that are out of view, before the last time.
    let cut = match app.timeline.cut {
        (0, 0) => String::new(),
        (above, 0) => format!(" ↑ {above} more "),
        (0, below) => format!(" ↓ {below} more "),
        (above, below) => format!(" ↑ {above} ↓ {below} more "),
    };
    let start = if cut.is_empty() { end_at } else { end_at.saturating_sub(width(&cut) + 1) };
    let mut at = spans.from.0.saturating_sub(base.0).div_ceil(step).saturating_mul(step);
    while let Some(column) = spans.at(Time(base.0.saturating_add(at))).filter(|_| base.0.saturating_add(at) < end) {
        let x = GUTTER + cells(column);
        let label = format!("┬ {} ", seconds(at, step));
        // Leave out a label that would cover the title or the last time.
        if x > width(app.panels.view.name()) + 1 && x + width(&label) < start {
            put(buffer, area, x, 0, &label, app.theme.faint);
        }
        at += step;
    }
    put(buffer, area, start, 0, &cut, app.theme.warning);
    put(buffer, area, end_at, 0, &last, app.theme.faint);
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

/// The signs of the lanes in view, and the pair under the cursor or the time of a column.
fn legend(app: &App, buffer: &mut Buffer, line: Rect) {
    let (theme, timeline) = (&app.theme, &app.timeline);
    let start = 2;
    let column = format!("a column: {}", summary::nanos(timeline.spans.each));
    let pair =
        timeline.pair.map(|pair| format!("record {} → {}, {}", pair.asked, pair.answered, summary::nanos(pair.took)));
    let both = pair.as_ref().map(|pair| format!("{pair} · {column}"));
    let bins = || timeline.lanes.iter().flat_map(|lanes| lanes.bins.iter().flatten());
    let mut shown: Vec<&LegendSign> = LEGEND.iter().filter(|sign| bins().any(sign.is_of)).collect();
    let room = line.width.saturating_sub(start + 1);
    let fits = |shown: &[&LegendSign], form: usize, gap: u16, info: &str| {
        let signs: u16 = shown.iter().map(|sign| sign.width(form) + gap).sum();
        signs + width(info) <= room + if info.is_empty() { gap } else { 0 }
    };
    let infos = [both, pair, Some(column), Some(String::new())];
    let found = infos.into_iter().flatten().find_map(|info| {
        let (form, gap) = FORMS.into_iter().find(|(form, gap)| fits(&shown, *form, *gap, &info))?;
        Some((form, gap, info))
    });
    let (form, gap, info) = found.unwrap_or((2, 1, String::new()));
    // Signs that do not fit are in the help.
    let all = shown.len();
    while !shown.is_empty() && !fits(&shown, form, gap + u16::from(shown.len() < all), &info) {
        shown.pop();
    }
    let is_cut = shown.len() < all;
    let mut x = start;
    for sign in shown {
        x += put(buffer, line, x, 0, sign.sign, (sign.style)(theme)) + 1;
        x += put(buffer, line, x, 0, sign.words[form], theme.faint) + gap;
    }
    if is_cut {
        put(buffer, line, x, 0, "…", theme.faint);
    }
    put(buffer, line, line.width.saturating_sub(width(&info) + 1), 0, &info, theme.text);
}

/// The forms of the legend, from the longest: which words, and how many columns between two signs.
const FORMS: [(usize, u16); 5] = [(0, 3), (0, 2), (1, 2), (2, 2), (2, 1)];

/// A sign in the legend.
struct LegendSign {
    /// Whether a column has it.
    is_of: fn(&Bin) -> bool,
    sign: &'static str,
    style: fn(&Theme) -> Style,
    /// Its meaning, shorter and shorter.
    words: [&'static str; 3],
}

impl LegendSign {
    fn width(&self, form: usize) -> u16 {
        width(self.sign) + 1 + width(self.words[form])
    }
}

/// The most important come first.
const LEGEND: [LegendSign; 9] = [
    LegendSign {
        is_of: |bin| bin.severity > Some(Severity::Info),
        sign: "✗⚠",
        style: |theme| theme.error,
        words: ["finding"; 3],
    },
    LegendSign {
        is_of: |bin| bin.kind == ActivityKind::Data,
        sign: "▁█",
        style: |theme| theme.text,
        words: ["data by size", "data", "data"],
    },
    LegendSign {
        is_of: |bin| bin.kind == ActivityKind::Close,
        sign: "×",
        style: |theme| theme.text,
        words: ["Close"; 3],
    },
    LegendSign {
        is_of: |bin| bin.kind == ActivityKind::Control,
        sign: "•",
        style: |theme| theme.text,
        words: ["ping, pong", "ping, pong", "ping"],
    },
    LegendSign {
        is_of: |bin| bin.answered,
        sign: "┬┴",
        style: |theme| theme.text,
        words: ["ping and pong in one column", "ping and pong", "pong"],
    },
    LegendSign {
        is_of: |bin| bin.kind == ActivityKind::Http,
        sign: "◆",
        style: |theme| theme.text,
        words: ["HTTP"; 3],
    },
    LegendSign {
        is_of: |bin| bin.kind == ActivityKind::Asked,
        sign: "╭┄",
        style: |theme| theme.text,
        words: ["from a request to its answer", "answer", "answer"],
    },
    LegendSign {
        is_of: |bin| bin.kind == ActivityKind::Odd,
        sign: "?",
        style: |theme| theme.warning,
        words: ["gap, cut, unrecognized", "gap, cut", "gap"],
    },
    LegendSign {
        is_of: |bin| bin.kind == ActivityKind::End,
        sign: "┤",
        style: |theme| theme.text,
        words: ["end of TCP", "end", "end"],
    },
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
