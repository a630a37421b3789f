//! The screen before the first record: what to do, the samples, and a frame with the meaning of its bytes.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::sample_frame::{self, HEIGHT as FRAME_HEIGHT};
use super::{cells, fit, put, rule, width};
use crate::capture::import::samples::Sample;
use crate::proto::rules::count;
use crate::tui::action::Action;
use crate::tui::app::App;
use crate::tui::layout::TOUR_SIZE;

/// The widest block of text.
const MAX_WIDTH: u16 = 84;

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
    let samples = if app.offers_samples() { cells(Sample::ALL.len()) + 1 } else { 0 };
    let frame = if samples > 0 { FRAME_HEIGHT + 1 } else { 0 };
    // The frame is left out first, then the space between.
    let needed = cells(head.len()) + samples;
    let frame = if needed + frame <= body.height { frame } else { 0 };
    let gap = if needed + frame + 2 <= body.height { 1 } else { 0 };
    let height = (needed + frame + 2 * gap).min(body.height);
    let x = (body.width - wide) / 2;
    let mut area = Rect { x: body.x + x, y: body.y + (body.height - height) / 2, width: wide, height };
    for (line, y) in head.iter().zip(0..) {
        let mut x = 1;
        for (text, style) in line {
            let room = usize::from(area.width.saturating_sub(x));
            x += put(buffer, area, x, y, &fit(text, room), *style);
        }
    }
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
        let area = skip(samples + gap);
        let title = Rect { height: 1, ..area };
        rule::titled(app, buffer, title, "A frame", "a client sends \"Hello\" (RFC 6455 §5.7)", false);
        let inner = Rect { x: area.x + 2, y: area.y + 1, width: area.width.saturating_sub(2), height: area.height - 1 };
        sample_frame::render(&app.theme, buffer, inner);
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
        vec![title(words), vec![address]]
    };
    if let Some(traffic) = &app.session.traffic {
        return pair(&traffic.advice, &traffic.address);
    }
    let file = vec![(app.session.file.clone().unwrap_or_default(), theme.text)];
    let Some(url) = &app.session.url else {
        return match (app.capture.is_loading(), app.capture.is_growing()) {
            (true, _) => vec![title("Reading …"), file],
            (false, true) => vec![title("Waiting for TCP traffic in this file …"), file],
            (false, false) => vec![title("This file contains no TCP traffic."), file],
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
