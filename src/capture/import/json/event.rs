//! What a record of a JSON file makes happen on its connection.

use crate::proto::dissected::{Direction, EndReason};

/// What a record makes happen on its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Bytes cross: those of `wire`.
    Bytes,
    /// Bytes were lost: so many.
    Gap(u64),
    /// The direction ends; of a reset who tore the connection down, where that is told.
    End(EndReason, Option<Direction>),
}

/// What is told of a record besides what it makes happen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Next {
    /// The number that it was told with.
    pub no: u64,
    /// Whether it begins as a frame or a head does, whole or not.
    pub begins: bool,
    /// Whether it is a request.
    pub is_request: bool,
    /// Whether it is a frame, or the beginning of one.
    pub is_frame: bool,
    /// The number of the handshake that was not answered yet when it was sent, though it is told behind the answer.
    pub unanswered: Option<u64>,
    /// How many bytes of it, or before it, came again with another content.
    pub overlapped: u64,
}
