//! Places in a record that a step names: a field, a header line, or a byte.

use crate::wire::field::{Field, FieldId};

/// The fields that a place can name, except header lines.
const FIELDS: [FieldId; 20] = [
    FieldId::Fin,
    FieldId::Rsv1,
    FieldId::Rsv2,
    FieldId::Rsv3,
    FieldId::Opcode,
    FieldId::Mask,
    FieldId::PayloadLen,
    FieldId::ExtendedLen16,
    FieldId::ExtendedLen64,
    FieldId::MaskingKey,
    FieldId::Payload,
    FieldId::CloseCode,
    FieldId::CloseReason,
    FieldId::Method,
    FieldId::Target,
    FieldId::Version,
    FieldId::Status,
    FieldId::Reason,
    FieldId::HeadEnd,
    FieldId::Body,
];

/// The start of a place that is a header line.
const HEADER: &str = "header:";

/// A field, or a byte of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    name: FieldName,
    /// The byte in the field, counted from 0.
    pub byte: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum FieldName {
    Id(FieldId),
    /// A header line, by its name in lower case.
    Header(String),
}

impl Place {
    /// Reads a place: `fin`, `payload[6]`, `header:sec-websocket-accept`.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence.
    pub(super) fn parse(text: &str) -> Result<Self, PlaceError> {
        let (name, byte) = match text.strip_suffix(']').and_then(|text| text.split_once('[')) {
            Some((name, byte)) => (name, Some(byte.parse().map_err(|_| PlaceError::Byte(byte.to_owned()))?)),
            None => (text, None),
        };
        let name = match name.strip_prefix(HEADER) {
            Some(header) => FieldName::Header(header.to_ascii_lowercase()),
            None => {
                let id = FIELDS.into_iter().find(|id| id.key() == name);
                FieldName::Id(id.ok_or_else(|| PlaceError::Field(name.to_owned()))?)
            }
        };
        Ok(Self { name, byte })
    }

    /// The index of the field among those of a record.
    pub fn field(&self, fields: &[Field]) -> Option<usize> {
        fields.iter().position(|field| self.is_field(field))
    }

    /// Whether it is this field, or a byte of it.
    pub fn is_field(&self, field: &Field) -> bool {
        match (&self.name, field.id) {
            (FieldName::Id(id), field) => *id == field,
            (FieldName::Header(name), FieldId::Header(_)) => field.name.eq_ignore_ascii_case(name),
            (FieldName::Header(_), _) => false,
        }
    }
}

/// Why a text is not a place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// There is no such field.
    #[error("unknown field {0:?}; fields are {fields} and header:NAME", fields = names())]
    Field(String),
    /// The byte is not a number.
    #[error("{0:?} is not the number of a byte; the first byte is 0, as in payload[0]")]
    Byte(String),
}

fn names() -> String {
    FIELDS.map(FieldId::key).join(", ")
}
