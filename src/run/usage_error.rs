//! Wrong usage that clap cannot find: exit status 2.

use std::fmt;

/// Wrong usage.
#[derive(Debug)]
pub struct UsageError {
    /// What is wrong, and what to do, in one line.
    pub line: String,
    /// The wrong text, and a line with carets under the wrong word.
    pub carets: Option<[String; 2]>,
}

impl UsageError {
    /// Wrong usage without a place.
    pub fn new(line: impl Into<String>) -> Self {
        Self { line: line.into(), carets: None }
    }
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

impl std::error::Error for UsageError {}
