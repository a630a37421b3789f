//! JSON as a tree (RFC 8259).

use serde::de::IgnoredAny;

use super::error::FormatError;
use super::tree::{Tree, TreeBuilder, TreeFormat};

/// Reads JSON: one value.
pub(super) fn read(bytes: &[u8]) -> Result<Tree, FormatError> {
    let text = std::str::from_utf8(bytes).map_err(|_| FormatError::NotUtf8)?;
    check(text)?;
    let mut lines = TreeBuilder::default();
    add(&mut lines, "", text);
    Ok(lines.tree(TreeFormat::Json))
}

/// Checks that a text is one JSON value.
pub(super) fn check(text: &str) -> Result<(), FormatError> {
    serde_json::from_str::<IgnoredAny>(text).map(|_| ()).map_err(|e| FormatError::parser(&e))
}

/// Adds the lines of a valid JSON value, token by token: only white space changes.
pub(super) fn add(lines: &mut TreeBuilder, name: &str, text: &str) {
    let (mut name, mut value) = (name.to_owned(), String::new());
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        match c {
            '"' => {
                let mut end = start + 1;
                let mut escaped = false;
                for (at, c) in chars.by_ref() {
                    end = at + c.len_utf8();
                    if c == '"' && !escaped {
                        break;
                    }
                    escaped = c == '\\' && !escaped;
                }
                value.push_str(&text[start..end]);
            }
            ':' => name = std::mem::take(&mut value),
            '{' | '[' => lines.open(&std::mem::take(&mut name), c),
            '}' | ']' => {
                if !value.is_empty() {
                    lines.leaf(&std::mem::take(&mut name), &std::mem::take(&mut value));
                }
                lines.close(c);
            }
            ',' if value.is_empty() => {}
            ',' => lines.leaf(&std::mem::take(&mut name), &std::mem::take(&mut value)),
            c if c.is_ascii_whitespace() => {}
            c => value.push(c),
        }
    }
    if !value.is_empty() {
        lines.leaf(&name, &value);
    }
}
