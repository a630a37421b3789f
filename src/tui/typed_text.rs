//! The part of a typed text around its cursor, in lines.

use std::ops::Range;

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
        let show = |c: char| printable::text(c.encode_utf8(&mut [0; 4])).into_owned();
        let shown: Vec<(char, String)> = text
            .chars()
            .skip(before)
            .take(2 * reach)
            .map(|c| (c, if c == '\n' { String::new() } else { show(c) }))
            .collect();
        let starts = starts(&shown, columns);
        let width = |range: Range<usize>| shown[range].iter().map(|(_, shown)| shown.width()).sum::<usize>();
        let at = cursor.saturating_sub(before).min(shown.len());
        let line = starts.iter().rposition(|start| *start <= at).unwrap_or(0);
        let column = width(starts[line]..at);
        let top = line.saturating_sub(rows - 1);
        let ends = starts.iter().skip(1).copied().chain([shown.len()]);
        let lines = starts
            .iter()
            .copied()
            .zip(ends)
            .map(|(start, end)| shown[start..end].iter().map(|(_, shown)| shown.as_str()).collect());
        let lines: Vec<String> = lines.skip(top).take(rows).collect();
        Self { lines, cursor: (column, line - top) }
    }
}

/// The first character of each line. A line is broken after a space, or in a word that is longer than a line; spaces at its end may be
/// beyond the window.
fn starts(shown: &[(char, String)], columns: usize) -> Vec<usize> {
    let mut starts = vec![0];
    let (mut used, mut after_space) = (0, None);
    let mut i = 0;
    while let Some((c, text)) = shown.get(i) {
        let start = starts[starts.len() - 1];
        if *c != ' ' && used + text.width() > columns && i > start {
            let next = after_space.filter(|at| *at > start).unwrap_or(i);
            starts.push(next);
            (used, after_space) = (0, None);
            i = next;
            continue;
        }
        used += text.width();
        i += 1;
        if *c == '\n' {
            starts.push(i);
            (used, after_space) = (0, None);
        } else if *c == ' ' {
            after_space = Some(i);
        }
    }
    starts
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
        assert_eq!(window("81 05 48", 8, 3), ("81 05 |48".to_owned(), (2, 1)));
        assert_eq!(window("81\n05\n48\n65", 4, 2), ("81|05".to_owned(), (1, 1)));
        assert_eq!(window("81\n05\n48\n65", 11, 2), ("48|65".to_owned(), (2, 1)));
        assert_eq!(window("a\u{1b}日本", 4, 2), ("a␛日|本".to_owned(), (2, 1)));
        assert_eq!(window("to do.", 6, 2), ("to |do.".to_owned(), (3, 1)), "a dot stays with its word");
        assert_eq!(window(&"x".repeat(1_000_000), 1_000_000, 2).1, (5, 1));
    }
}
