//! The part of a typed text around its cursor, in lines.

use unicode_width::UnicodeWidthStr as _;

use crate::wire::printable;

/// The lines around the cursor of a text, broken at the width of the window.
pub struct TypedText {
    pub lines: Vec<String>,
    /// Column and line of the cursor in the window.
    pub cursor: (usize, usize),
}

impl TypedText {
    /// The window around the character `cursor` of a text that may be long: only what can be shown is laid out.
    pub fn of(text: &str, cursor: usize, columns: usize, rows: usize) -> Self {
        let reach = columns.max(1) * rows;
        let before = cursor.saturating_sub(reach);
        let mut lines = vec![String::new()];
        let mut at = None;
        for (i, c) in text.chars().enumerate().skip(before).take(2 * reach) {
            if i == cursor {
                at = Some((lines[lines.len() - 1].width(), lines.len() - 1));
            }
            if c == '\n' {
                lines.push(String::new());
                continue;
            }
            let shown = printable::text(c.encode_utf8(&mut [0; 4])).into_owned();
            if lines[lines.len() - 1].width() + shown.width() > columns {
                lines.push(String::new());
            }
            let last = lines.len() - 1;
            lines[last].push_str(&shown);
        }
        let (column, line) = at.unwrap_or((lines[lines.len() - 1].width(), lines.len() - 1));
        let top = line.saturating_sub(rows - 1);
        let lines: Vec<String> = lines.into_iter().skip(top).take(rows).collect();
        Self { lines, cursor: (column, line - top) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_shows_the_lines_around_the_cursor() {
        let window = |text: &str, cursor, rows| {
            let TypedText { lines, cursor } = TypedText::of(text, cursor, 5, rows);
            (lines.join("|"), cursor)
        };
        assert_eq!(window("", 0, 3), (String::new(), (0, 0)));
        assert_eq!(window("81 05 48", 8, 3), ("81 05| 48".to_owned(), (3, 1)));
        assert_eq!(window("81\n05\n48\n65", 4, 2), ("81|05".to_owned(), (1, 1)));
        assert_eq!(window("81\n05\n48\n65", 11, 2), ("48|65".to_owned(), (2, 1)));
        assert_eq!(window("a\u{1b}日本", 4, 2), ("a␛日|本".to_owned(), (2, 1)));
        assert_eq!(window(&"x".repeat(1_000_000), 1_000_000, 2).1, (5, 1));
    }
}
