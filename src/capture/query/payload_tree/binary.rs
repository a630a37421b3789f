//! MessagePack and CBOR as trees, both in the diagnostic notation of CBOR (RFC 8949 §8).

use super::error::FormatError;
use super::tree::{MAX_DEPTH, Tree, TreeBuilder, TreeFormat, hex, quoted};

/// A value of one of the formats.
trait BinaryValue: Sized {
    fn content(&self) -> Content<'_, Self>;
}

/// The content of a value.
enum Content<'v, V> {
    Array(&'v [V]),
    Map(&'v [(V, V)]),
    Tagged(u64, &'v V),
    /// A value without parts, printed.
    Plain(String),
}

impl BinaryValue for rmpv::Value {
    fn content(&self) -> Content<'_, Self> {
        Content::Plain(match self {
            Self::Array(items) => return Content::Array(items),
            Self::Map(pairs) => return Content::Map(pairs),
            Self::Nil => "null".to_owned(),
            Self::String(text) => text.as_str().map_or_else(|| hex(text.as_bytes()), quoted),
            Self::Binary(bytes) => hex(bytes),
            Self::Ext(kind, bytes) => format!("ext {kind}({})", hex(bytes)),
            Self::F32(number) => number.to_string(),
            Self::F64(number) => number.to_string(),
            Self::Integer(number) => number.to_string(),
            Self::Boolean(whether) => whether.to_string(),
        })
    }
}

impl BinaryValue for ciborium::Value {
    fn content(&self) -> Content<'_, Self> {
        Content::Plain(match self {
            Self::Array(items) => return Content::Array(items),
            Self::Map(pairs) => return Content::Map(pairs),
            Self::Tag(tag, inner) => return Content::Tagged(*tag, inner),
            Self::Integer(number) => i128::from(*number).to_string(),
            Self::Bytes(bytes) => hex(bytes),
            Self::Float(number) => number.to_string(),
            Self::Text(text) => quoted(text),
            Self::Bool(whether) => whether.to_string(),
            Self::Null => "null".to_owned(),
            _ => "?".to_owned(),
        })
    }
}

/// Reads MessagePack: one value that ends with the payload.
pub(super) fn message_pack(bytes: &[u8]) -> Result<Tree, FormatError> {
    if bytes.first() == Some(&0xc1) {
        return Err(FormatError::UnusedType);
    }
    let mut rest = bytes;
    let value = rmpv::decode::read_value_with_max_depth(&mut rest, MAX_DEPTH).map_err(|e| FormatError::parser(&e))?;
    tree(&value, rest, TreeFormat::MessagePack)
}

/// Reads CBOR: one data item that ends with the payload.
pub(super) fn cbor(bytes: &[u8]) -> Result<Tree, FormatError> {
    let mut rest = bytes;
    let read = ciborium::de::from_reader_with_recursion_limit::<ciborium::Value, _>(&mut rest, MAX_DEPTH);
    let value = read.map_err(|e| match e {
        ciborium::de::Error::Io(_) => FormatError::Truncated,
        ciborium::de::Error::Syntax(at) => FormatError::Byte(at),
        ciborium::de::Error::Semantic(_, why) => FormatError::parser(&why),
        ciborium::de::Error::RecursionLimitExceeded => FormatError::TooDeep,
    })?;
    tree(&value, rest, TreeFormat::Cbor)
}

/// The tree of a value, after which the payload has these bytes.
fn tree(value: &impl BinaryValue, rest: &[u8], format: TreeFormat) -> Result<Tree, FormatError> {
    if !rest.is_empty() {
        return Err(FormatError::Trailing(rest.len()));
    }
    let mut lines = TreeBuilder::default();
    add(&mut lines, "", value);
    Ok(lines.tree(format))
}

fn add(lines: &mut TreeBuilder, name: &str, value: &impl BinaryValue) {
    if lines.is_full() {
        return;
    }
    match value.content() {
        Content::Array(items) => {
            lines.open(name, '[');
            items.iter().for_each(|item| add(lines, "", item));
            lines.close(']');
        }
        Content::Map(pairs) => {
            lines.open(name, '{');
            pairs.iter().for_each(|(key, value)| add(lines, &in_line(key), value));
            lines.close('}');
        }
        Content::Tagged(tag, inner) if matches!(inner.content(), Content::Array(_) | Content::Map(_)) => {
            let gap = if name.is_empty() { "" } else { ": " };
            add(lines, &format!("{name}{gap}tag {tag}"), inner);
        }
        Content::Tagged(..) => lines.leaf(name, &in_line(value)),
        Content::Plain(text) => lines.leaf(name, &text),
    }
}

/// Prints a value in one line.
fn in_line(value: &impl BinaryValue) -> String {
    match value.content() {
        Content::Array(items) => format!("[… {} items]", items.len()),
        Content::Map(pairs) => format!("{{… {} pairs}}", pairs.len()),
        Content::Tagged(tag, inner) => format!("{tag}({})", in_line(inner)),
        Content::Plain(text) => text,
    }
}
