//! The screen before the first record: what to do, the samples, and a frame with the meaning of its bytes.

use std::sync::LazyLock;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::sample_frame::{self, HEIGHT as FRAME_HEIGHT};
use super::{cells, fit, put, rule, width, wrap};
use crate::capture::import::samples::Sample;
use crate::explain::tour::Tour;
use crate::proto::rules::count;
use crate::tui::action::Action;
use crate::tui::app::App;
use crate::tui::layout::TOUR_SIZE;
use crate::tui::legend;
use crate::wire::printable;

/// The widest block of text.
const MAX_WIDTH: u16 = 84;

/// Smallest area below the first line that shows two blocks side by side.
const TWO_COLUMNS: (u16, u16) = (MAX_WIDTH + GUTTER + RIGHT_WIDTH + 2, 44);

/// Width of the right block: two columns of signs.
const RIGHT_WIDTH: u16 = 98;

/// Columns between them, and lines between their parts.
const GUTTER: u16 = 4;
const GAP: u16 = 3;

/// Columns of a sign and of a word before their meanings.
const SIGN: u16 = 8;
const TERM: u16 = 12;

/// The titles of the steps of the tour.
static TITLES: LazyLock<Vec<String>> = LazyLock::new(|| {
    Tour::built_in().map(|tour| tour.steps.into_iter().map(|step| step.title).collect()).unwrap_or_default()
});

/// Column of the words about a sample.
const WORDS: u16 = 14;

/// A line: its text in parts with their styles.
type Line = Vec<(String, Style)>;

pub fn render(app: &App, buffer: &mut Buffer) {
    let body = Rect {
        y: app.layout.header.bottom(),
        height: app.layout.hints.y.saturating_sub(app.layout.header.bottom()),
        ..app.layout.area
    };
    let wide = body.width.saturating_sub(2).min(MAX_WIDTH);
    let head = head(app, wide);
    if body.width >= TWO_COLUMNS.0 && body.height >= TWO_COLUMNS.1 && app.offers_samples() {
        return two_columns(app, buffer, body, &head);
    }
    let samples = if app.offers_samples() { cells(Sample::ALL.len()) + 1 } else { 0 };
    let frame = if samples > 0 { FRAME_HEIGHT + 1 } else { 0 };
    // The frame is left out first, then the space between.
    let needed = cells(head.len()) + samples;
    let frame = if needed + frame <= body.height { frame } else { 0 };
    let gap = if needed + frame + 2 <= body.height { 1 } else { 0 };
    let height = (needed + frame + 2 * gap).min(body.height);
    let x = (body.width - wide) / 2;
    let mut area = Rect { x: body.x + x, y: body.y + (body.height - height) / 2, width: wide, height };
    lines(buffer, area, &head);
    let mut skip = |rows: u16| {
        let rows = rows.min(area.height);
        area.y += rows;
        area.height -= rows;
        area
    };
    if samples > 0 {
        let area = skip(cells(head.len()) + gap);
        list(app, buffer, Rect { height: samples.min(area.height), ..area });
    }
    if frame > 0 {
        labelled_frame(app, buffer, skip(samples + gap));
    }
}

fn lines(buffer: &mut Buffer, area: Rect, lines: &[Line]) {
    for (line, y) in lines.iter().zip(0..) {
        let mut x = 1;
        for (text, style) in line {
            let room = usize::from(area.width.saturating_sub(x));
            x += put(buffer, area, x, y, &fit(text, room), *style);
        }
    }
}

/// Draws the title and the bytes of the frame with their labels.
fn labelled_frame(app: &App, buffer: &mut Buffer, area: Rect) {
    let title = Rect { height: 1, ..area };
    rule::titled(app, buffer, title, "A frame", "a client sends \"Hello\" (RFC 6455 §5.7)", false);
    sample_frame::render(&app.theme, buffer, inside(area));
}

/// The area below a title.
fn inside(area: Rect) -> Rect {
    let (width, height) = (area.width.saturating_sub(2), area.height.saturating_sub(1));
    Rect { x: area.x + 2, y: area.y + 1, width, height }
}

/// Draws on a large screen: what to do, the samples, the tour and the words at the left; the frame, its bits and the signs at the right.
fn two_columns(app: &App, buffer: &mut Buffer, body: Rect, head: &[Line]) {
    let theme = &app.theme;
    let titles = &*TITLES;
    let samples = cells(Sample::ALL.len()) + 1;
    let signs = cells(legend::SIGNS.len().div_ceil(2)) + 1;
    let left = [cells(head.len()), samples, cells(titles.len()) + 1, cells(legend::WORDS.len()) + 1];
    let right = [FRAME_HEIGHT + 1, sample_frame::GRID_HEIGHT + 1, signs];
    let sum = |heights: &[u16]| heights.iter().sum::<u16>() + GAP * (cells(heights.len()) - 1);
    let height = sum(&left).max(sum(&right));
    let x = body.x + (body.width - (MAX_WIDTH + GUTTER + RIGHT_WIDTH)) / 2;
    let y = body.y + body.height.saturating_sub(height) / 2;
    let places = |x: u16, width: u16, heights: &[u16]| -> Vec<Rect> {
        let starts = heights.iter().scan(y, |next, height| {
            let start = *next;
            *next += height + GAP;
            Some(start)
        });
        starts.zip(heights).map(|(y, height)| Rect { x, y, width, height: *height }).collect()
    };
    let titled = |buffer: &mut Buffer, area: Rect, name: &str, words: &str| {
        rule::titled(app, buffer, Rect { height: 1, ..area }, name, words, false);
    };
    let meaning = |buffer: &mut Buffer, area: Rect, (x, y): (u16, u16), sign: &legend::Sign, at: u16| {
        put(buffer, area, x, y, sign.sign, (sign.style)(theme));
        put(buffer, area, x + at, y, sign.words, theme.text);
    };
    if let [top, list_area, tour, words] = places(x, MAX_WIDTH, &left)[..] {
        lines(buffer, top, head);
        list(app, buffer, list_area);
        titled(buffer, tour, "The tour", &format!("{} starts it", app.keymap.key_of(Action::Tour)));
        for ((title, n), y) in titles.iter().zip(1..).zip(0..) {
            let x = put(buffer, inside(tour), 0, y, &format!("{n}  "), theme.faint);
            put(buffer, inside(tour), x, y, title, theme.text);
        }
        titled(buffer, words, "Words", "of this program");
        for (sign, y) in legend::WORDS.iter().zip(0..) {
            meaning(buffer, inside(words), (0, y), sign, TERM);
        }
    }
    if let [frame, bits, signs_area] = places(x + MAX_WIDTH + GUTTER, RIGHT_WIDTH, &right)[..] {
        labelled_frame(app, buffer, frame);
        titled(buffer, bits, "Its bits", "the figure of RFC 6455 §5.2");
        sample_frame::grid(theme, buffer, inside(bits));
        titled(buffer, signs_area, "Signs", &format!("{} lists keys too", app.keymap.key_of(Action::Help)));
        let per_column = usize::from(signs - 1);
        for (i, sign) in legend::SIGNS.iter().enumerate() {
            let column = if i < per_column { 0 } else { RIGHT_WIDTH / 2 };
            meaning(buffer, inside(signs_area), (column, cells(i % per_column)), sign, SIGN);
        }
    }
}

/// What there is, and what to do.
fn head(app: &App, wide: u16) -> Vec<Line> {
    let theme = &app.theme;
    let key = |action, words: &str| {
        vec![(format!("{:>5}", app.keymap.key_of(action)), theme.key), (format!("  {words}"), theme.text)]
    };
    let title = |words: &str| vec![(words.to_owned(), theme.title)];
    // The words and the address, in one line where they fit.
    let pair = |words: &str, address: &str| {
        let address = (address.to_owned(), theme.focus);
        if width(words) + width(&address.0) + 3 <= wide {
            return vec![vec![(format!("{words} "), theme.title), address]];
        }
        let words = wrap(words, usize::from(wide.saturating_sub(2)));
        words.iter().map(|line| title(line)).chain([vec![address]]).collect()
    };
    if app.capture.awaits_secrets() {
        return vec![
            title("TLS has arrived, but not its secrets."),
            vec![("Its records follow with the secrets, or without them after 10 seconds.".to_owned(), theme.text)],
        ];
    }
    if let Some(traffic) = &app.session.traffic {
        let mut lines = pair(&traffic.advice, &traffic.address);
        let mut keys = key(Action::Paste, "takes pasted frames");
        keys.extend(key(Action::Help, "lists keys and signs"));
        lines.push(keys);
        if let [rule, more @ ..] = &app.held.rules[..] {
            let words = match more.len() {
                0 => format!("shows the hold rule {}", printable::text(&rule.text)),
                more => format!("shows the {}", count(more as u64 + 1, "hold rule")),
            };
            lines.push(key(Action::HoldRules, &words));
        }
        return lines;
    }
    let file = vec![(app.session.file.clone().unwrap_or_default(), theme.text)];
    let Some(url) = &app.session.url else {
        return match (app.capture.is_loading(), app.capture.is_growing()) {
            (true, _) => vec![title("Reading …"), file],
            (false, true) => vec![title("Waiting for TCP traffic …"), file],
            (false, false) => vec![title("No TCP traffic in:"), file],
        };
    };
    let mut lines = pair("No traffic yet. Open this address in a browser:", url);
    if app.layout.area.height >= TOUR_SIZE.1 {
        lines.push(key(Action::Tour, "starts a guided tour: WebSocket in eight steps"));
    }
    let pairs = [
        (Action::Browser, "opens your browser", Action::Paste, "takes pasted frames"),
        (Action::Demo, "starts a demo client", Action::Help, "lists keys and signs"),
    ];
    for (left, left_words, right, right_words) in pairs {
        let mut line = key(left, &format!("{left_words:<21}"));
        line.extend(key(right, right_words));
        lines.push(line);
    }
    if app.kept > 0 {
        lines.push(key(Action::Kept, &format!("lists {} that earlier runs kept", count(app.kept as u64, "capture"))));
    }
    lines
}

/// The samples, with a cursor.
fn list(app: &App, buffer: &mut Buffer, area: Rect) {
    let theme = &app.theme;
    let [up, down, open] = [Action::Up, Action::Down, Action::Open].map(|action| app.keymap.key_of(action));
    let title = Rect { height: 1, ..area };
    rule::titled(app, buffer, title, "Samples", &format!("{up}{down} choose · {open} opens"), true);
    for (i, sample) in Sample::ALL.iter().enumerate() {
        let line = Rect { y: area.y + 1 + cells(i), height: 1, ..area };
        if line.y >= area.bottom() {
            break;
        }
        put(buffer, line, 2, 0, sample.name, theme.info);
        let room = usize::from(line.width.saturating_sub(WORDS));
        put(buffer, line, WORDS, 0, &fit(sample.words, room), theme.text);
        if i == app.samples.at {
            put(buffer, line, 0, 0, "▌", theme.focus);
            buffer.set_style(line, theme.cursor);
        }
    }
}
