//! Text in a limited number of lines.

use super::{fit, wrap};

/// The text in at most `rows` lines of `width` columns. A truncated text ends with an ellipsis.
pub fn paragraph(text: &str, width: usize, rows: usize) -> Vec<String> {
    let mut lines = wrap(text, width);
    if lines.len() > rows {
        lines.truncate(rows);
        if let Some(last) = lines.last_mut() {
            *last = format!("{} …", fit(last, width.saturating_sub(2)).trim_end_matches('…').trim_end());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_truncated_text_ends_with_an_ellipsis() {
        assert_eq!(paragraph("one two three", 7, 2), ["one two", "three"]);
        assert_eq!(paragraph("one two three", 7, 1), ["one …"]);
        assert_eq!(paragraph("one two three", 9, 1), ["one two …"]);
        assert!(paragraph("one", 7, 0).is_empty());
    }
}
