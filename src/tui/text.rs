//! Text that fits into columns and lines, and numbers with units.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use crate::capture::query::summary;

/// The text in at most `width` columns. A truncated text ends with an ellipsis.
pub fn fit(text: &str, width: usize) -> String {
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

/// The text in at most `width` columns. If it ends with a path, the middle is cut out and the file name stays.
pub fn fit_path(text: &str, width: usize) -> String {
    let name = text.rfind('/').map_or("", |at| &text[at..]);
    if text.width() <= width || name.is_empty() || name.width() + 2 > width {
        return fit(text, width);
    }
    fit(&text[..text.len() - name.len()], width - name.width()) + name
}

/// The text in lines of at most `width` columns, broken between words.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
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

/// The text in at most `rows` lines of `width` columns. A truncated text ends with an ellipsis.
pub fn paragraph(text: &str, width: usize, rows: usize) -> Vec<String> {
    let mut lines = wrap(text, width);
    if lines.len() > rows {
        lines.truncate(rows);
        if let Some(last) = lines.last_mut() {
            // Whole words, if one fits.
            let whole = wrap(last, width.saturating_sub(1)).into_iter().next().unwrap_or_default();
            *last = format!("{}…", whole.trim_end_matches(['…', ' ']));
        }
    }
    lines
}

/// A number of bytes with a unit: `487 B`, `21.0 kB`, `1.2 MB`.
pub fn bytes_with_unit(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}

/// A duration in nanoseconds with a unit: `137 µs`, `12 s`, `5 min`, `2.5 h`.
pub fn duration(nanos: u64) -> String {
    let seconds = nanos / 1_000_000_000;
    match seconds {
        0..120 => summary::nanos(nanos),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{:.1} h", seconds as f64 / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_truncated_by_columns_not_by_characters() {
        assert_eq!(fit("日本語", 5), "日本…");
        assert_eq!(fit("日本語", 6), "日本語");
        assert_eq!(fit("abc", 0), "");
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
    }

    #[test]
    fn a_path_keeps_its_file_name() {
        assert_eq!(fit_path("open /a/long/way/live.pcapng", 22), "open /a/l…/live.pcapng");
        assert_eq!(fit_path("open /a/live.pcapng", 19), "open /a/live.pcapng");
        assert_eq!([fit_path("no path here", 8), fit_path("/a/very-long-name", 8)], ["no path…", "/a/very…"]);
    }

    #[test]
    fn a_truncated_text_ends_with_an_ellipsis() {
        assert_eq!(paragraph("one two three", 7, 2), ["one two", "three"]);
        assert_eq!(paragraph("one two three", 7, 1), ["one…"]);
        assert_eq!(paragraph("one two three", 9, 1), ["one two…"]);
        assert_eq!(paragraph("70,000 letters. This has 70,000", 28, 1), ["70,000 letters. This has…"]);
        assert!(paragraph("one", 7, 0).is_empty());
    }
}
