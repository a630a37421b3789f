//! What happens on a connection that a JSON file describes, and what the replay of a record needs besides.

use crate::proto::dissected::{Direction, EndReason, Missing};
use crate::proto::stated::StatedRecord;

/// What happens in one direction of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordEvent {
    /// The bytes of the record cross.
    Bytes,
    /// This many bytes are missing.
    Gap(Missing),
    /// The direction ends. A reset has the side that sent it, if the file names one.
    End(EndReason, Option<Direction>),
}

/// Facts about a record that the dissector cannot derive from its bytes and their order in the file.
#[derive(Clone, Copy, Debug)]
pub struct ReplayHints {
    /// How its bytes are read; `None` if it has none.
    pub stated: Option<StatedRecord>,
    /// Whether its sender had bytes of the other direction that come later in the file, or are missing; `None` if it has no bytes.
    pub outstanding: Option<bool>,
    /// Whether it is an end whose side got something else than the bytes of the other direction.
    pub altered: bool,
    /// How many bytes of the record, or before it, were repeated with other content.
    pub overlapped: u64,
}
