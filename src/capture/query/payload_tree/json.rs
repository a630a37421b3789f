//! JSON as a tree (RFC 8259).

use serde::de::IgnoredAny;

use super::error::FormatError;
use super::tree::{Tree, TreeBuilder, TreeFormat};

/// Reads JSON, also after the digits and the name that Socket.IO writes before it.
pub(super) fn read(bytes: &[u8]) -> Result<Tree, FormatError> {
    let text = std::str::from_utf8(bytes).map_err(|_| FormatError::NotUtf8)?;
    let check = |text: &str| serde_json::from_str::<IgnoredAny>(text);
    let mut front = "";
    let mut rest = text;
    if let Err(e) = check(text) {
        let start = text.find(['[', '{']).filter(|start| *start > 0 && text.starts_with(|c: char| c.is_ascii_digit()));
        let start = start.ok_or_else(|| FormatError::parser(&e))?;
        (front, rest) = text.split_at(start);
        check(rest).map_err(|e| FormatError::parser(&e))?;
    }
    let mut lines = TreeBuilder::default();
    if !front.is_empty() {
        lines.leaf("", front);
    }
    indent(rest, &mut lines);
    Ok(lines.tree(TreeFormat::Json))
}

/// Splits valid JSON into lines, token by token: only white space changes.
fn indent(text: &str, lines: &mut TreeBuilder) {
    let (mut name, mut value) = (String::new(), String::new());
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
        lines.leaf("", &value);
    }
}
