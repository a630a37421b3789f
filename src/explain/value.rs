//! Formats the value of a field for people. All views use this module.

use crate::proto::rules::grouped;
use crate::wire::close::CloseCode;
use crate::wire::field::{Field, FieldId, FieldValue};
use crate::wire::opcode::Opcode;
use crate::wire::printable;

/// The value of a field in several forms, all safe for a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueText {
    /// The value as sent: the digits of at most 8 bits, or the bytes of an extended length. Otherwise empty.
    pub raw: String,
    /// The value for people: a number (an opcode in hex), bytes in hex, text, or a length with its unit.
    pub value: String,
    /// The name of an opcode or close code. Otherwise empty.
    pub name: &'static str,
}

/// Formats the value of a field.
pub fn value(field: &Field) -> ValueText {
    let (mut raw, mut name) = (String::new(), "");
    let value = match &field.value {
        FieldValue::Bits { value, width } => {
            let is_length = matches!(field.id, FieldId::ExtendedLen16 | FieldId::ExtendedLen64);
            match *width {
                width @ ..=8 => raw = format!("{value:0width$b}", width = usize::from(width)),
                16 if is_length => raw = hex(&(*value as u16).to_be_bytes()),
                64 if is_length => raw = hex(&value.to_be_bytes()),
                _ => {}
            }
            match field.id {
                FieldId::Opcode => name = Opcode::from_wire(*value as u8).name(),
                FieldId::CloseCode => name = CloseCode(*value as u16).name(),
                _ => {}
            }
            match field.id {
                FieldId::Opcode => format!("0x{value:X}"),
                _ if is_length => grouped(*value),
                _ => value.to_string(),
            }
        }
        FieldValue::Bytes(bytes) => hex(bytes),
        FieldValue::Text(text) => printable::text(text).into_owned(),
        FieldValue::Length(1) => "1 byte".to_owned(),
        FieldValue::Length(bytes) => format!("{} bytes", grouped(*bytes)),
    };
    ValueText { raw, value, name }
}

impl ValueText {
    /// The raw form, then the name of an opcode or the value; only the value if both are the same, as for a single bit.
    pub fn with_raw(&self) -> String {
        match (self.raw.as_str(), self.name) {
            ("", _) => self.value.clone(),
            (raw, _) if raw == self.value => self.value.clone(),
            (raw, "") => format!("{raw}  {}", self.value),
            (raw, name) => format!("{raw}  {name}"),
        }
    }

    /// The value, then its name.
    pub fn with_name(&self) -> String {
        if self.name.is_empty() { self.value.clone() } else { format!("{} {}", self.value, self.name) }
    }
}

/// Bytes in hex, with spaces between them.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::frame;
    use crate::wire::http::Head;

    /// The value of each field, with its raw form and with its name.
    fn said(fields: &[Field]) -> Vec<(String, String)> {
        fields.iter().map(value).map(|words| (words.with_raw(), words.with_name())).collect()
    }

    fn frame_of(hex: &str) -> Vec<(String, String)> {
        let bytes = hex::decode(hex).expect("hex");
        said(&frame::fields(&bytes, bytes.len() as u64)).split_off(4)
    }

    fn pair(raw: &str, name: &str) -> (String, String) {
        (raw.to_owned(), name.to_owned())
    }

    #[test]
    fn the_fields_of_frames() {
        assert_eq!(
            frame_of("8182010203046060"),
            [
                pair("0001  text", "0x1 text"),
                pair("1", "1"),
                pair("0000010  2", "2"),
                pair("01 02 03 04", "01 02 03 04"),
                pair("2 bytes", "2 bytes")
            ]
        );
        assert_eq!(frame_of("8f7e012c")[0], pair("1111  reserved-f", "0xF reserved-f"));
        assert_eq!(frame_of("8f7e012c")[3], pair("01 2c  300", "300"));
        assert_eq!(frame_of("827f0000000000010000")[3], pair("00 00 00 00 00 01 00 00  65,536", "65,536"));
        assert_eq!(frame_of("817f8000")[3], pair("80 00", "80 00"), "truncated");
        assert_eq!(frame_of("880303e861")[3..], [pair("1000", "1000 normal closure"), pair("1 byte", "1 byte")]);
    }

    #[test]
    fn text_from_the_wire_is_made_visible() {
        let head = Head::read(b"GET /\x1b[2J HTTP/1.1\r\n\r\n");
        assert_eq!(said(&head.fields(24))[1], pair("/␛[2J", "/␛[2J"));
    }
}
