//! MessagePack as a tree.

use rmpv::Value;

use super::error::FormatError;
use super::tree::{MAX_DEPTH, Tree, TreeBuilder, TreeFormat, hex, quoted};

/// Reads MessagePack: one value that ends with the payload.
pub(super) fn read(bytes: &[u8]) -> Result<Tree, FormatError> {
    if bytes.first() == Some(&0xc1) {
        return Err(FormatError::UnusedType);
    }
    let mut rest = bytes;
    let value = rmpv::decode::read_value_with_max_depth(&mut rest, MAX_DEPTH).map_err(|e| FormatError::parser(&e))?;
    if !rest.is_empty() {
        return Err(FormatError::Trailing(rest.len()));
    }
    let mut lines = TreeBuilder::default();
    add(&mut lines, "", &value);
    Ok(lines.tree(TreeFormat::MessagePack))
}

fn add(lines: &mut TreeBuilder, name: &str, value: &Value) {
    if lines.is_full() {
        return;
    }
    match value {
        Value::Array(items) => {
            lines.open(name, '[');
            items.iter().for_each(|item| add(lines, "", item));
            lines.close(']');
        }
        Value::Map(pairs) => {
            lines.open(name, '{');
            pairs.iter().for_each(|(key, value)| add(lines, &in_line(key), value));
            lines.close('}');
        }
        other => lines.leaf(name, &in_line(other)),
    }
}

/// Prints a value in one line.
fn in_line(value: &Value) -> String {
    match value {
        Value::Nil => "null".to_owned(),
        Value::String(text) => text.as_str().map_or_else(|| hex(text.as_bytes()), quoted),
        Value::Binary(bytes) => hex(bytes),
        Value::Ext(kind, bytes) => format!("ext {kind}({})", hex(bytes)),
        Value::Array(items) => format!("[… {} items]", items.len()),
        Value::Map(pairs) => format!("{{… {} pairs}}", pairs.len()),
        Value::F32(number) => number.to_string(),
        Value::F64(number) => number.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(whether) => whether.to_string(),
    }
}
