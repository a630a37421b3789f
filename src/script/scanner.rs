//! Reads the words and the quoted texts of one line.

use std::ops::Range;

use super::error::ScriptProblem;
use crate::capture::query::filter::{unknown_escape, unquote};

/// A problem and its place in the line, in bytes.
pub(super) type Located = (ScriptProblem, Range<usize>);

/// A position in a line.
pub(super) struct Scanner<'a> {
    /// The line without its comment and the white space at its end.
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    /// Begins at the first word of a line. A comment begins with `#`, at the beginning of the line or after white space, outside
    /// quotes.
    pub fn new(line: &'a str) -> Self {
        let mut end = line.len();
        let mut at = 0;
        let mut after_space = true;
        while let Some(c) = line[at..].chars().next() {
            if c == '#' && after_space {
                end = at;
                break;
            }
            after_space = c.is_whitespace();
            at = if is_quote(c) { quoted_end(line, at).unwrap_or(line.len()) } else { at + c.len_utf8() };
        }
        let mut scanner = Self { text: line[..end].trim_end(), at: 0 };
        scanner.skip_space();
        scanner
    }

    /// True if nothing is left.
    pub fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    /// What is left, and its place.
    pub fn rest(&mut self) -> (&'a str, Range<usize>) {
        let span = self.at..self.text.len();
        self.at = self.text.len();
        (&self.text[span.clone()], span)
    }

    /// The next word, which ends at white space, and its place: empty at the end.
    pub fn word(&mut self) -> (&'a str, Range<usize>) {
        let rest = &self.text[self.at..];
        let span = self.at..self.at + rest.find(char::is_whitespace).unwrap_or(rest.len());
        self.at = span.end;
        self.skip_space();
        (&self.text[span.clone()], span)
    }

    /// The next text in quotes, without them, and its place.
    pub fn quoted(&mut self) -> Result<(String, Range<usize>), Located> {
        let Some(quote) = self.text[self.at..].chars().next().filter(|c| is_quote(*c)) else {
            return Err((ScriptProblem::Quotes, self.at..self.text.len()));
        };
        let open = || (ScriptProblem::OpenText(quote), self.at..self.text.len());
        let span = self.at..quoted_end(self.text, self.at).ok_or_else(open)?;
        let text = unquote(&self.text[span.clone()]).ok_or_else(open)?;
        if let Some(escape) = unknown_escape(&self.text[span.start + 1..span.end - 1]) {
            let start = span.start + 1;
            return Err((ScriptProblem::Escape, start + escape.start..start + escape.end));
        }
        self.at = span.end;
        self.skip_space();
        Ok((text, span))
    }

    /// Splits what is left at the last occurrence of a word outside quotes: what is before it, and a scanner after it.
    pub fn split_at_last(&self, word: &str) -> Option<(Range<usize>, Self)> {
        let mut found = None;
        let mut at = self.at;
        while at < self.text.len() {
            let rest = &self.text[at..];
            let c = rest.chars().next()?;
            if is_quote(c) {
                at = quoted_end(self.text, at)?;
            } else if c.is_whitespace() {
                at += c.len_utf8();
            } else {
                let len = rest.find(|c: char| c.is_whitespace() || is_quote(c)).unwrap_or(rest.len());
                if &rest[..len] == word {
                    found = Some(at);
                }
                at += len;
            }
        }
        let found = found?;
        let mut after = Self { text: self.text, at: found + word.len() };
        after.skip_space();
        let before = self.text[self.at..found].trim_end().len();
        Some((self.at..self.at + before, after))
    }

    /// Requires that nothing is left.
    pub fn end(&mut self) -> Result<(), Located> {
        if self.is_at_end() { Ok(()) } else { Err((ScriptProblem::AfterTheEnd, self.rest().1)) }
    }

    fn skip_space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }
}

const fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'')
}

/// The end of the text in quotes that begins at `start`, with its closing quote; `None` if nothing closes it.
fn quoted_end(text: &str, start: usize) -> Option<usize> {
    let mut chars = text[start..].char_indices();
    let (_, quote) = chars.next()?;
    while let Some((at, c)) = chars.next() {
        if c == '\\' {
            chars.next();
        } else if c == quote {
            return Some(start + at + 1);
        }
    }
    None
}
