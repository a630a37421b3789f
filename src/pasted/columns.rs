//! Hex digits with a text column beside them, without offsets: `81 05 48 65 6c 6c 6f  ..Hello`.

use super::error::{PasteError, Place, excerpt};
use super::{Recognized, hex, text_column};

/// Reads lines of hex digits, each with a text column that shows its bytes. `None` if no line has one.
///
/// # Errors
/// A line has no text column, or one that does not show its bytes; or each column may be hex digits as well.
pub(super) fn read(text: &str) -> Recognized<Vec<u8>> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let rows: Vec<Option<Row<'_>>> = lines.iter().map(|line| row(line)).collect();
    let shown = rows.iter().flatten().find(|row| row.bytes.len() > 1 && !row.column.is_empty())?;
    let place = |part: &str| Place::of(text, part.as_ptr() as usize - text.as_ptr() as usize);
    if rows.iter().flatten().all(|row| row.column.is_empty() || hex::read(row.column).is_some()) {
        // Digits alone do not show whether the last ones are bytes or text.
        return (hex::read(text).is_some_and(|read| read.is_ok()))
            .then(|| Err(PasteError::BytesOrText { place: place(shown.column), found: excerpt(shown.column) }));
    }
    let mut bytes = Vec::new();
    for (line, row) in lines.iter().zip(rows) {
        match row {
            Some(row) => bytes.extend(row.bytes),
            None => {
                let start = line.trim_start();
                // Other lines are text, as in a log.
                hex::read(start)?.ok()?;
                return Some(Err(PasteError::NoColumn { place: place(start), found: excerpt(start) }));
            }
        }
    }
    Some(Ok(bytes))
}

/// A line of bytes and the text column that shows them.
struct Row<'t> {
    bytes: Vec<u8>,
    column: &'t str,
}

/// A line as a row: hex digits up to a gap, after which the rest shows their bytes. The gap is wider than a space, or has a sign
/// around the text column. A line of spaces shows nothing.
fn row(line: &str) -> Option<Row<'_>> {
    let mut gaps: Vec<usize> = line.match_indices("  ").map(|(at, _)| at).collect();
    gaps.extend(line.match_indices(['\t', '|', '│', '┊', '>']).map(|(at, _)| at));
    gaps.sort_unstable();
    gaps.into_iter().find_map(|at| {
        let (digits, column) = (&line[..at], line[at..].trim());
        let bytes = hex::read(digits)?.ok()?;
        let is_blank = column.is_empty() && bytes.iter().all(|byte| *byte == b' ');
        (is_blank || text_column::shows(column, &bytes)).then_some(Row { bytes, column })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &[u8] = b"\x81\x05Hello";

    #[test]
    fn a_column_that_shows_the_bytes_is_text() {
        for text in [
            "81 05 48 65 6c 6c 6f  ..Hello",
            "81 05 48 65 6c 6c 6f\t..Hello\r\n",
            "8105 4865 6c6c 6f                        ..Hello",
            "81 05 48 65 6c 6c 6f |..Hello|",
            "81 05 48 65  6c 6c 6f  ··Hello",
            "\n  81 05 48 65  ..He\n  6c 6c 6f     llo\n",
        ] {
            assert_eq!(read(text), Some(Ok(HELLO.to_vec())), "{text}");
        }
        // The second column consists of hex digits, and the first one shows that it is a column.
        assert_eq!(read("81 03 61 62  ..ab\n20     \n63     c"), Some(Ok(b"\x81\x03ab c".to_vec())));
        assert_eq!(read("81 04 61 62  ..ab\n63 64        cd"), Some(Ok(b"\x81\x04abcd".to_vec())));
    }

    #[test]
    fn what_may_be_bytes_or_text_is_refused() {
        assert!(matches!(read("61 62 63 64  abcd"), Some(Err(PasteError::BytesOrText { .. }))));
        assert!(matches!(read("81 05 48 65  ..He\n6c 6c 6f"), Some(Err(PasteError::NoColumn { .. }))));
        for text in
            ["81 05 48 65 6c 6c 6f", "81 05 48  Hello", "81 05 ..", "hello  world", "RX:\n81 05 48 65  ..He", ""]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
