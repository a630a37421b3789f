//! CBOR as a tree, in the diagnostic notation (RFC 8949 §8).

use ciborium::Value;

use super::error::FormatError;
use super::tree::{MAX_DEPTH, Tree, TreeBuilder, TreeFormat, hex, quoted};

/// Reads CBOR: one data item that ends with the payload.
pub(super) fn read(bytes: &[u8]) -> Result<Tree, FormatError> {
    let mut rest = bytes;
    let read = ciborium::de::from_reader_with_recursion_limit::<Value, _>(&mut rest, MAX_DEPTH);
    let value = read.map_err(|e| match e {
        ciborium::de::Error::Io(_) => FormatError::Truncated,
        ciborium::de::Error::Syntax(at) => FormatError::Byte(at),
        ciborium::de::Error::Semantic(_, why) => FormatError::parser(&why),
        ciborium::de::Error::RecursionLimitExceeded => FormatError::TooDeep,
    })?;
    if !rest.is_empty() {
        return Err(FormatError::Trailing(rest.len()));
    }
    let mut lines = TreeBuilder::default();
    add(&mut lines, "", &value);
    Ok(lines.tree(TreeFormat::Cbor))
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
        Value::Tag(tag, inner) if matches!(**inner, Value::Array(_) | Value::Map(_)) => {
            let gap = if name.is_empty() { "" } else { ": " };
            add(lines, &format!("{name}{gap}tag {tag}"), inner);
        }
        other => lines.leaf(name, &in_line(other)),
    }
}

/// Prints a value in one line.
fn in_line(value: &Value) -> String {
    match value {
        Value::Integer(number) => i128::from(*number).to_string(),
        Value::Bytes(bytes) => hex(bytes),
        Value::Float(number) => number.to_string(),
        Value::Text(text) => quoted(text),
        Value::Bool(whether) => whether.to_string(),
        Value::Null => "null".to_owned(),
        Value::Tag(tag, inner) => format!("{tag}({})", in_line(inner)),
        Value::Array(items) => format!("[… {} items]", items.len()),
        Value::Map(pairs) => format!("{{… {} pairs}}", pairs.len()),
        _ => "?".to_owned(),
    }
}
