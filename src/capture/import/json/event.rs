//! What happens on a connection that a JSON file describes, and what the replay of a record needs besides.

use crate::proto::dissected::{Direction, EndReason};

/// What happens in one direction of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordEvent {
    /// The bytes of the record cross.
    Bytes,
    /// This many bytes are missing.
    Gap(u64),
    /// The direction ends. A reset has the side that sent it, if the file names one.
    End(EndReason, Option<Direction>),
}

/// Facts about a record that the dissector cannot derive from its bytes and their order in the file.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReplayHints {
    /// The record's number in the file.
    pub no: u64,
    /// Whether it begins with the first byte of a frame or head, complete or truncated.
    pub begins: bool,
    /// Whether its last byte certainly ends a frame or unrecognized bytes.
    pub ends: bool,
    /// Whether it is a complete request.
    pub is_request: bool,
    /// Whether it is a frame, complete or truncated.
    pub is_frame: bool,
    /// The number of the request that was not answered yet when this record was sent, although the response comes first in the file.
    pub unanswered: Option<u64>,
    /// How many bytes of the record are unrecognized, however they look.
    pub junk: u64,
    /// Whether its sender had bytes of the other direction that come later in the file, or are missing; `None` if it has no bytes.
    pub outstanding: Option<bool>,
    /// How many bytes of the record, or before it, were repeated with other content.
    pub overlapped: u64,
}
