//! The field table of a frame (RFC 6455 §5.2).

use super::extended_len_bytes;
use crate::wire::field::{Field, FieldId, FieldValue, Span};
use crate::wire::mask;
use crate::wire::opcode::Opcode;

/// The field table of a frame of `wire_len` captured bytes. `bytes` is the start of the frame: at least its first 14
/// bytes, or 16 for the code of a Close, if it has so many.
///
/// The table of a truncated frame has the complete fields, then the captured bytes of the truncated field as
/// [`FieldValue::Bytes`], because its value is unknown.
pub fn fields(bytes: &[u8], wire_len: u64) -> Vec<Field> {
    let mut table = Vec::with_capacity(10);
    let mut bits = |id, name: &str, start: u64, width: u8, value: u64| {
        table.push(Field {
            id,
            name: name.to_owned(),
            span: Span::bits(start, start + u64::from(width)),
            value: FieldValue::Bits { value, width },
        });
    };
    let Some(&first) = bytes.first() else { return table };
    bits(FieldId::Fin, "FIN", 0, 1, u64::from(first >> 7));
    bits(FieldId::Rsv1, "RSV1", 1, 1, u64::from(first >> 6 & 1));
    bits(FieldId::Rsv2, "RSV2", 2, 1, u64::from(first >> 5 & 1));
    bits(FieldId::Rsv3, "RSV3", 3, 1, u64::from(first >> 4 & 1));
    bits(FieldId::Opcode, "opcode", 4, 4, u64::from(first & 0x0f));
    let Some(&second) = bytes.get(1) else { return table };
    let len_code = second & 0x7f;
    bits(FieldId::Mask, "MASK", 8, 1, u64::from(second >> 7));
    bits(FieldId::PayloadLen, "payload len", 9, 7, u64::from(len_code));
    let mut at = 2;
    let extended = extended_len_bytes(len_code);
    if extended > 0 {
        let id = if extended == 2 { FieldId::ExtendedLen16 } else { FieldId::ExtendedLen64 };
        let Some(raw) = bytes.get(at..at + extended) else {
            table.extend(cut_field(id, "extended len", bytes, at));
            return table;
        };
        let value = raw.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
        bits(id, "extended len", 16, extended as u8 * 8, value);
        at += extended;
    }
    let mut key = None;
    if second & 0x80 != 0 {
        let Some(raw) = bytes.get(at..at + 4) else {
            table.extend(cut_field(FieldId::MaskingKey, "masking key", bytes, at));
            return table;
        };
        let raw: [u8; 4] = [raw[0], raw[1], raw[2], raw[3]];
        key = Some(raw);
        table.push(Field {
            id: FieldId::MaskingKey,
            name: "masking key".to_owned(),
            span: Span::bytes(at as u64, at as u64 + 4),
            value: FieldValue::Bytes(raw.to_vec()),
        });
        at += 4;
    }
    payload_fields(&mut table, bytes, at, wire_len, Opcode::from_wire(first), key);
    table
}

/// The captured bytes of a truncated field that starts at byte `at`; `None` if there are none.
fn cut_field(id: FieldId, name: &str, bytes: &[u8], at: usize) -> Option<Field> {
    let raw = bytes.get(at..).filter(|raw| !raw.is_empty())?;
    let span = Span::bytes(at as u64, bytes.len() as u64);
    Some(Field { id, name: name.to_owned(), span, value: FieldValue::Bytes(raw.to_vec()) })
}

fn payload_fields(
    table: &mut Vec<Field>,
    bytes: &[u8],
    at: usize,
    wire_len: u64,
    opcode: Opcode,
    key: Option<[u8; 4]>,
) {
    let start = at as u64;
    let mut push = |id, name: &str, from: u64, value| {
        let end = if id == FieldId::CloseCode { from + 2 } else { wire_len };
        table.push(Field { id, name: name.to_owned(), span: Span::bytes(from, end), value });
    };
    if wire_len <= start {
        return;
    }
    if opcode == Opcode::Close && wire_len >= start + 2 && bytes.len() >= at + 2 {
        let mut code = [bytes[at], bytes[at + 1]];
        if let Some(key) = key {
            mask::apply(&mut code, key, 0);
        }
        push(
            FieldId::CloseCode,
            "close code",
            start,
            FieldValue::Bits { value: u64::from(u16::from_be_bytes(code)), width: 16 },
        );
        if wire_len > start + 2 {
            push(FieldId::CloseReason, "close reason", start + 2, FieldValue::Length(wire_len - start - 2));
        }
    } else {
        push(FieldId::Payload, "payload", start, FieldValue::Length(wire_len - start));
    }
}
