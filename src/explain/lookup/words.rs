//! Splits a message into words, and records the position of each.

use std::ops::Range;

/// Words that say nothing: one library writes them, another does not.
const ARTICLES: [&str; 3] = ["a", "an", "the"];

/// Words after which a logger prints a message.
const LEVELS: [&str; 12] = [
    "error",
    "err",
    "warn",
    "warning",
    "info",
    "debug",
    "trace",
    "fatal",
    "critical",
    "exception",
    "failed",
    "uncaught",
];

/// A word of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// Letters in lower case, or digits.
    pub text: String,
    /// The bytes of the word in the message.
    pub bytes: Range<usize>,
    /// The end of the letters and digits that follow without a gap: that of `0x1f` for `0`.
    pub run_end: usize,
    /// Whether the previous word belongs to the same letters and digits.
    pub is_inside_run: bool,
    /// Whether punctuation, a line break, a number or a log level comes before the word, or nothing.
    pub starts_part: bool,
    /// Whether a line break comes before the word.
    pub starts_line: bool,
}

impl Word {
    pub fn is_number(&self) -> bool {
        self.text.bytes().all(|b| b.is_ascii_digit())
    }

    /// Whether a logger prints the word before a message: a level, the name of an exception, or a part of the time.
    pub fn is_of_logger(&self) -> bool {
        self.is_number()
            || LEVELS.contains(&&*self.text)
            || self.text.ends_with("error")
            || self.text.ends_with("exception")
    }
}

/// Splits a message into lower-case words without punctuation and articles. Digits are words of their own: `rsv1` is two.
pub(super) fn words(message: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let (mut starts_part, mut starts_line) = (true, true);
    let mut start = 0;
    while let Some(c) = message[start..].chars().next() {
        if !c.is_alphanumeric() {
            start += c.len_utf8();
            starts_line |= c == '\n';
            starts_part |= match c {
                '-' | '_' | '/' | '\'' | '’' => false,
                // The end of a sentence, or the name of a class after that of its package.
                '.' => message[start..].chars().next().is_none_or(|next| next.is_whitespace() || next.is_uppercase()),
                c => !c.is_whitespace() || c == '\n',
            };
            continue;
        }
        let run_end = start + message[start..].find(|c: char| !c.is_alphanumeric()).unwrap_or(message.len() - start);
        let mut at = start;
        while at < run_end {
            let run = &message[at..run_end];
            let digits = run.starts_with(|c: char| c.is_ascii_digit());
            let end = at + run.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(run.len());
            let text = message[at..end].to_lowercase();
            // The run is one word, so that `a` of `0xa` is no article.
            let is_article = at == start && end == run_end && ARTICLES.contains(&text.as_str());
            if !is_article {
                let before = words.last().is_some_and(Word::is_of_logger);
                let is_inside_run = at > start;
                words.push(Word {
                    text,
                    bytes: at..end,
                    run_end,
                    is_inside_run,
                    starts_part: (starts_part || before) && !is_inside_run,
                    starts_line,
                });
                (starts_part, starts_line) = (false, false);
            }
            at = end;
        }
        start = run_end;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(message: &str) -> Vec<String> {
        words(message).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn a_message_is_split_at_punctuation_and_before_digits() {
        assert_eq!(texts("The RSV1-bit isn’t a 0x1F!"), ["rsv", "1", "bit", "isn", "t", "0", "x", "1", "f"]);
        assert_eq!(texts("WS_ERR_UNEXPECTED_RSV_2_3"), ["ws", "err", "unexpected", "rsv", "2", "3"]);
        assert_eq!(texts(" ,… "), [""; 0]);
    }

    #[test]
    fn parts_start_after_punctuation_numbers_and_levels() {
        let starts = |message: &str| {
            let words = words(message).into_iter();
            words.filter(|word| word.starts_part).map(|word| word.text).collect::<Vec<_>>()
        };
        assert_eq!(
            starts("19:30 ERROR x: the frame is \"bad\" now. Then\nend"),
            ["19", "30", "error", "x", "frame", "bad", "now", "then", "end"]
        );
        assert_eq!(starts("Sec-WebSocket-Key don't v.x"), ["sec"]);
    }
}
