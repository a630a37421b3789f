//! The location of a record's bytes.

use crate::capture::store::record::Record;
use crate::proto::dissected::Direction;

/// The position of a record's first byte in the files.
#[derive(Clone, Copy, Debug)]
pub struct Location {
    pub connection: u32,
    pub direction: Direction,
    /// Offset of the record in its direction's stream.
    pub offset: u64,
    /// `None` when the record is not in one piece.
    pub position: Option<u64>,
}

impl Location {
    pub fn is_of(&self, record: &Record) -> bool {
        (self.connection, self.direction, self.offset) == (record.connection, record.direction, record.offset)
    }
}
