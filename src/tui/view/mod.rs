//! Drawing. Each panel has its file and one `render`; none changes anything.

mod bits;
mod bytes;
mod card;
mod connections;
mod empty;
mod explanation;
pub mod findings;
pub mod grid;
mod header;
mod help;
mod hints;
mod list;
mod popup;
mod rule;
pub mod timeline;
mod tree;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use super::app::overlay::Overlay;
use super::app::{App, View};
use super::layout::MIN_SIZE;

/// Draws the screen.
pub fn draw(app: &App, frame: &mut Frame<'_>) {
    let buffer = frame.buffer_mut();
    render(app, buffer);
    if let Some(position) = hints::cursor(app).or_else(|| popup::cursor(app)) {
        frame.set_cursor_position(position);
    }
}

/// Draws the screen into a buffer.
pub fn render(app: &App, buffer: &mut Buffer) {
    let layout = &app.layout;
    if layout.is_too_small() {
        let (columns, rows) = MIN_SIZE;
        let line = format!("framescope needs {columns}×{rows} at least");
        put(buffer, layout.area, 0, 0, &line, app.theme.text.0);
        return;
    }
    header::render(app, buffer);
    if app.totals.records == 0 {
        empty::render(app, buffer);
    } else {
        match app.view {
            View::Connections => connections::render(app, buffer),
            View::Timeline => timeline::render(app, buffer),
            View::Frames | View::Messages => list::render(app, buffer),
        }
        card::render(app, buffer);
        bits::render(app, buffer);
        bytes::render(app, buffer);
        explanation::render(app, buffer);
    }
    hints::render(app, buffer);
    match &app.overlay {
        Some(Overlay::Findings(panel)) => findings::render(app, panel, buffer),
        Some(Overlay::Help(top)) => help::render(app, *top, buffer),
        Some(overlay) => popup::render(app, overlay, buffer),
        None => {}
    }
}

/// Writes text at a place of an area, cut at its edge; returns the columns used.
fn put(buffer: &mut Buffer, area: Rect, x: u16, y: u16, text: &str, style: Style) -> u16 {
    if x >= area.width || y >= area.height {
        return 0;
    }
    let (end, _) = buffer.set_stringn(area.x + x, area.y + y, text, usize::from(area.width - x), style);
    end - area.x - x
}

/// The text in at most `width` columns; where it is cut an ellipsis says so.
fn fit(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        let columns = grapheme.width();
        if used + columns + 1 > width {
            break;
        }
        used += columns;
        out.push_str(grapheme);
    }
    if width > 0 {
        out.push('…');
    }
    out
}

/// The text in at most `width` columns, cut between words where it must be; an ellipsis says so.
fn fit_words(text: &str, width: usize) -> String {
    match wrap(text, width.saturating_sub(2)).into_iter().next() {
        Some(line) if text.width() > width => format!("{line} …"),
        _ => text.to_owned(),
    }
}

/// The text in at most `width` columns; of one that holds a path the name of the file at its end stays, and the middle goes.
fn fit_path(text: &str, width: usize) -> String {
    let name = text.rfind('/').map_or("", |at| &text[at..]);
    if text.width() <= width || name.is_empty() || name.width() + 2 > width {
        return fit(text, width);
    }
    fit(&text[..text.len() - name.len()], width - name.width()) + name
}

/// The text in at most `rows` lines of `width` columns: as many of its sentences as fit, and of the first what fits.
fn wrap_sentences(text: &str, width: usize, rows: usize) -> Vec<String> {
    let whole = wrap(text, width);
    if whole.len() <= rows {
        return whole;
    }
    let ends = text.rmatch_indices(". ").map(|(at, _)| wrap(&text[..=at], width));
    ends.into_iter().find(|lines| lines.len() <= rows).unwrap_or_else(|| {
        let mut lines = wrap(text, width.saturating_sub(2));
        lines.truncate(rows);
        if let Some(last) = lines.last_mut() {
            last.push_str(" …");
        }
        lines
    })
}

/// The text in lines of at most `width` columns, broken between words where they fit.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let joined = line.width() + usize::from(!line.is_empty()) + word.width();
        if joined > width && !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        if word.width() > width {
            line.push_str(&fit_path(word, width));
        } else {
            line.push_str(word);
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// A number of bytes for people: `487 B`, `21.0 kB`, `1.2 MB`.
fn bytes_for_people(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_by_columns_not_by_characters() {
        assert_eq!(fit("日本語", 5), "日本…");
        assert_eq!(fit("日本語", 6), "日本語");
        assert_eq!(fit("abc", 0), "");
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!([fit_words("one two three", 9), fit_words("one two", 7)], ["one two …", "one two"]);
    }

    #[test]
    fn of_a_path_the_file_stays() {
        assert_eq!(fit_path("open /a/long/way/live.pcapng", 22), "open /a/l…/live.pcapng");
        assert_eq!(fit_path("open /a/live.pcapng", 19), "open /a/live.pcapng");
        assert_eq!([fit_path("no path here", 8), fit_path("/a/very-long-name", 8)], ["no path…", "/a/very…"]);
    }

    #[test]
    fn sentences_are_shown_whole_as_far_as_there_are_lines() {
        let text = "One two. Three four. Five six.";
        assert_eq!(wrap_sentences(text, 10, 4), ["One two.", "Three", "four. Five", "six."]);
        assert_eq!(wrap_sentences(text, 10, 3), ["One two.", "Three", "four."]);
        assert_eq!(wrap_sentences(text, 10, 2), ["One two."]);
        assert_eq!(wrap_sentences(text, 6, 1), ["One …"]);
    }
}
