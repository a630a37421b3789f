//! Looks for TLS in a connection whose beginning was not captured.

use super::record::RecordReader;
use crate::proto::dissected::Direction;
use crate::wire::tls::{begins_after_hello, begins_with_hello};

/// How many bytes of a direction are examined.
const MAX_SEARCHED: u64 = 64 * 1024;

/// What the bytes so far show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// More bytes are needed.
    More,
    /// It is TLS.
    Tls,
    /// It is not, as far as can be seen.
    Nothing,
}

/// Looks for TLS records. Bytes can begin inside a record, so two records in a row are needed.
#[derive(Debug, Default)]
pub struct Search {
    sides: [Side; 2],
}

#[derive(Debug, Default)]
struct Side {
    reader: RecordReader,
    /// Whether a record was found, which the next one must follow.
    has_found: bool,
    searched: u64,
}

impl Search {
    /// Takes the next bytes of a direction.
    pub fn push(&mut self, direction: Direction, bytes: &[u8]) -> Found {
        let side = &mut self.sides[direction.index()];
        let is_first = side.searched == 0;
        if is_first && (begins_with_hello(bytes) || begins_after_hello(bytes)) {
            return Found::Tls;
        }
        side.searched += bytes.len() as u64;
        if side.searched > MAX_SEARCHED {
            return Found::Nothing;
        }
        if is_first {
            // The bytes can begin anywhere in a record.
            side.reader.lose(1);
        }
        side.reader.push(bytes);
        while side.reader.find() {
            if side.has_found && !side.reader.is_searching() {
                return Found::Tls;
            }
            side.reader.accept();
            side.has_found = true;
        }
        Found::More
    }

    /// The next bytes of a direction are lost.
    pub fn lose(&mut self, direction: Direction, len: u64) {
        let side = &mut self.sides[direction.index()];
        side.reader.lose(len);
        side.searched = side.searched.max(1);
    }
}
