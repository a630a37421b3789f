//! Breaking a long text into lines.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// The text in lines of at most `columns` columns, broken at spaces where possible. Each line after the first begins with `indent`,
/// which must be shorter than a line.
pub fn wrapped(text: &str, columns: usize, indent: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_inclusive(' ') {
        let is_begun = !line.is_empty() && line != indent;
        if is_begun && line.width() + word.trim_end().width() > columns {
            lines.push(std::mem::replace(&mut line, indent.to_owned()));
        }
        for part in word.graphemes(true) {
            if line.width() + part.trim_end().width() > columns {
                lines.push(std::mem::replace(&mut line, indent.to_owned()));
            }
            line.push_str(part);
        }
    }
    lines.push(line);
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_is_broken_at_spaces_and_a_long_word_anywhere() {
        assert_eq!(wrapped("one two three", 8, " "), ["one two", " three"]);
        assert_eq!(wrapped("a 0123456789", 6, "  "), ["a", "  0123", "  4567", "  89"]);
        assert_eq!(wrapped("日本語", 4, ""), ["日本", "語"]);
        assert_eq!(wrapped("", 4, ""), [""]);
    }

    proptest! {
        #[test]
        fn no_line_is_too_long_and_no_character_is_lost(text in "[a-zé日 ]{0,80}", columns in 4usize..30) {
            let lines = wrapped(&text, columns, " ");
            prop_assert!(lines.iter().all(|line| line.width() <= columns), "{lines:?}");
            let letters = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
        }
    }
}
