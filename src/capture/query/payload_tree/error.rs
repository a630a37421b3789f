//! Why a payload is not a tree.

use super::tree::{MAX_DEPTH, safe};

/// Why a payload is not a tree.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum PayloadTreeError {
    /// The payload is empty.
    #[error("the payload is empty: there is no tree to show")]
    Empty,
    /// A text that is not JSON.
    #[error("not JSON: {0}")]
    Text(FormatError),
    /// A binary payload in none of the formats.
    #[error("not JSON, not MessagePack ({message_pack}), not CBOR ({cbor}), not Protobuf ({protobuf})")]
    Binary {
        /// Why it is not MessagePack.
        message_pack: FormatError,
        /// Why it is not CBOR.
        cbor: FormatError,
        /// Why it is not Protobuf.
        protobuf: FormatError,
    },
}

/// Why bytes are not in a format.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum FormatError {
    /// Not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// The value ends before the payload does.
    #[error("{0} more bytes after the value")]
    Trailing(usize),
    /// The payload ends before the value does.
    #[error("it ends too early")]
    Truncated,
    /// A type that does not exist.
    #[error("0xc1 is not a type")]
    UnusedType,
    /// A byte that no value has there.
    #[error("wrong at byte {0}")]
    Byte(usize),
    /// Too many nested values.
    #[error("more than {MAX_DEPTH} nested values")]
    TooDeep,
    /// A message of the parser.
    #[error("{0}")]
    Parser(String),
}

impl FormatError {
    pub(super) fn parser(error: &impl ToString) -> Self {
        Self::Parser(safe(&error.to_string()))
    }
}
