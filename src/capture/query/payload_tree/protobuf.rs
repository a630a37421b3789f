//! Protocol Buffers without their schema: field numbers, wire types and values. What a field with a length contains is a guess.

use super::error::FormatError;
use super::tree::{MAX_DEPTH, Tree, TreeBuilder, TreeFormat, hex, quoted};

/// The largest field number.
const MAX_FIELD: u64 = (1 << 29) - 1;

/// A field of a message.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Value<'m> {
    Varint(u64),
    Fixed64(u64),
    /// Length and bytes: a string, bytes, a message, or packed numbers.
    Bytes(&'m [u8]),
    Group(&'m [u8]),
    Fixed32(u32),
}

/// Reads a message: fields that end with the payload.
pub(super) fn read(bytes: &[u8]) -> Result<Tree, FormatError> {
    let fields = message(bytes, 0)?;
    let mut lines = TreeBuilder::default();
    add(&mut lines, &fields, 0);
    Ok(lines.tree(TreeFormat::Protobuf))
}

fn add(lines: &mut TreeBuilder, fields: &[(u64, Value<'_>)], depth: usize) {
    for (number, value) in fields {
        if lines.is_full() {
            return;
        }
        match *value {
            Value::Varint(value) => lines.leaf(&format!("{number} varint"), &varint_text(value)),
            Value::Fixed64(bits) => {
                lines.leaf(&format!("{number} 64-bit"), &format!("{bits} (guess: {:?})", f64::from_bits(bits)));
            }
            Value::Fixed32(bits) => {
                lines.leaf(&format!("{number} 32-bit"), &format!("{bits} (guess: {:?})", f32::from_bits(bits)));
            }
            Value::Group(bytes) => nested(lines, &format!("{number} group"), bytes, depth),
            Value::Bytes(bytes) => {
                let name = format!("{number} length {}", bytes.len());
                match text(bytes) {
                    Some(text) => lines.leaf(&name, &format!("{} (guess: text)", quoted(text))),
                    None if !bytes.is_empty() && message(bytes, depth + 1).is_ok() => {
                        nested(lines, &format!("{name}, guess: message"), bytes, depth);
                    }
                    None => lines.leaf(&name, &hex(bytes)),
                }
            }
        }
    }
}

fn nested(lines: &mut TreeBuilder, name: &str, bytes: &[u8], depth: usize) {
    lines.open(name, '{');
    if let Ok(fields) = message(bytes, depth + 1) {
        add(lines, &fields, depth + 1);
    }
    lines.close('}');
}

/// The number as unsigned, and as the signed number that it may be: two's complement or zigzag.
fn varint_text(value: u64) -> String {
    let zigzag = (value >> 1).cast_signed() ^ -(value & 1).cast_signed();
    match value.cast_signed() {
        negative @ ..0 => format!("{value} (guess: {negative})"),
        _ if value > 1 => format!("{value} (zigzag: {zigzag})"),
        _ => value.to_string(),
    }
}

/// The bytes as text, if they are printable: a message mostly contains control characters, such as the tag 0x0A.
fn text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| !text.is_empty())?;
    let is_printable = |c: char| !c.is_control() || matches!(c, '\t' | '\r');
    let is_line = |(at, c): (usize, char)| is_printable(c) || (c == '\n' && at > 0);
    text.char_indices().all(is_line).then_some(text)
}

/// Reads all fields of a message, without looking into those with a length.
fn message(mut bytes: &[u8], depth: usize) -> Result<Vec<(u64, Value<'_>)>, FormatError> {
    if depth > MAX_DEPTH {
        return Err(FormatError::TooDeep);
    }
    let whole = bytes.len();
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let at = whole - bytes.len();
        let (number, kind) = tag(&mut bytes, at)?;
        let value = match kind {
            3 => group(&mut bytes, number, at)?,
            kind => value(&mut bytes, kind, at)?,
        };
        fields.push((number, value));
    }
    Ok(fields)
}

/// Field number and wire type.
fn tag(bytes: &mut &[u8], at: usize) -> Result<(u64, u8), FormatError> {
    let tag = varint(bytes)?;
    let number = tag >> 3;
    if number == 0 || number > MAX_FIELD {
        return Err(FormatError::Byte(at));
    }
    Ok((number, (tag & 7) as u8))
}

fn value<'m>(bytes: &mut &'m [u8], kind: u8, at: usize) -> Result<Value<'m>, FormatError> {
    Ok(match kind {
        0 => Value::Varint(varint(bytes)?),
        1 => Value::Fixed64(u64::from_le_bytes(fixed(bytes)?)),
        2 => {
            let len = usize::try_from(varint(bytes)?).map_err(|_| FormatError::Truncated)?;
            let (value, rest) = bytes.split_at_checked(len).ok_or(FormatError::Truncated)?;
            *bytes = rest;
            Value::Bytes(value)
        }
        5 => Value::Fixed32(u32::from_le_bytes(fixed(bytes)?)),
        _ => return Err(FormatError::Byte(at)),
    })
}

/// The fields up to the end of a group, which has the number of its start. Groups inside it are skipped.
fn group<'m>(bytes: &mut &'m [u8], number: u64, at: usize) -> Result<Value<'m>, FormatError> {
    let start = *bytes;
    let mut open = vec![number];
    loop {
        let before = start.len() - bytes.len();
        let (number, kind) = tag(bytes, at)?;
        match kind {
            3 if open.len() >= MAX_DEPTH => return Err(FormatError::TooDeep),
            3 => open.push(number),
            4 if open.pop() != Some(number) => return Err(FormatError::Byte(at)),
            4 if open.is_empty() => return Ok(Value::Group(&start[..before])),
            4 => {}
            kind => drop(value(bytes, kind, at)?),
        }
    }
}

fn varint(bytes: &mut &[u8]) -> Result<u64, FormatError> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or(FormatError::Truncated)?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Ok(value);
        }
    }
    Err(FormatError::Parser("a number has more than 64 bits".to_owned()))
}

fn fixed<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], FormatError> {
    let (value, rest) = bytes.split_first_chunk().ok_or(FormatError::Truncated)?;
    *bytes = rest;
    Ok(*value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn write_varint(out: &mut Vec<u8>, mut value: u64) {
        while value >= 0x80 {
            out.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
    }

    fn write(out: &mut Vec<u8>, number: u64, value: Value<'_>) {
        let kind = match value {
            Value::Varint(_) => 0,
            Value::Fixed64(_) => 1,
            Value::Bytes(_) => 2,
            Value::Group(_) => 3,
            Value::Fixed32(_) => 5,
        };
        write_varint(out, number << 3 | kind);
        match value {
            Value::Varint(value) => write_varint(out, value),
            Value::Fixed64(bits) => out.extend(bits.to_le_bytes()),
            Value::Fixed32(bits) => out.extend(bits.to_le_bytes()),
            Value::Bytes(bytes) => {
                write_varint(out, bytes.len() as u64);
                out.extend(bytes);
            }
            Value::Group(bytes) => {
                out.extend(bytes);
                write_varint(out, number << 3 | 4);
            }
        }
    }

    proptest! {
        #[test]
        fn fields_read_back(
            fields in prop::collection::vec((1..=MAX_FIELD, 0..5_u8, any::<u64>(), prop::collection::vec(any::<u8>(), 0..20)), 1..9),
        ) {
            let group = [0x08, 0x01];
            let fields: Vec<_> = fields.iter().map(|(number, kind, value, bytes)| (*number, match kind {
                0 => Value::Varint(*value),
                1 => Value::Fixed64(*value),
                2 => Value::Bytes(bytes),
                3 => Value::Group(&group),
                _ => Value::Fixed32(*value as u32),
            })).collect();
            let mut wire = Vec::new();
            fields.iter().for_each(|(number, value)| write(&mut wire, *number, *value));
            prop_assert_eq!(message(&wire, 0), Ok(fields));
            prop_assert!(message(&wire[..wire.len() - 1], 0).is_err());
        }
    }
}
