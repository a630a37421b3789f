//! The bytes of a capture, read from its files by position.

use std::io;
use std::ops::Range;

use super::record::Record;
use super::{Capture, to_usize};
use crate::proto::dissected::{Direction, Kind};
use crate::wire::frame::{FrameHead, MAX_HEAD_LEN};
use crate::wire::mask;

/// The longest distance between two pieces of a stream that are read at once, and the longest such piece, in bytes.
const NEAR: u64 = 512;
const SHORT: usize = 4096;

impl Capture {
    /// Bytes of a record as on the wire: the part of `range` that lies inside the record and was captured.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn wire(&self, record: &Record, range: Range<u64>) -> io::Result<Vec<u8>> {
        if record.kind == Kind::Gap {
            return Ok(Vec::new());
        }
        let end = range.end.min(record.wire_len);
        self.stream(
            record.connection,
            record.direction,
            record.offset + range.start.min(end),
            end.saturating_sub(range.start),
        )
    }

    /// Bytes of one direction of a connection, from `offset` on, as far as they were captured and are not evicted.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn stream(&self, connection: u32, direction: Direction, offset: u64, len: u64) -> io::Result<Vec<u8>> {
        let pieces = || match self.index().connection(connection) {
            Some(entry) => entry.streams[direction.index()].pieces(offset, len),
            None => Vec::new(),
        };
        let mut found = pieces();
        let read = loop {
            match self.read_pieces(&found) {
                // A ring may have evicted the bytes, or moved them to its next file, after they were looked up.
                Err(error) => match pieces() {
                    now if now == found => return Err(error),
                    now => found = now,
                },
                Ok(bytes) => break bytes,
            }
        };
        if !read.is_empty() {
            return Ok(read);
        }
        let index = self.index();
        let handshake = index.connection(connection).and_then(|entry| entry.evicted_bytes(direction, offset, len));
        Ok(handshake.map_or(read, <[u8]>::to_vec))
    }

    fn read_pieces(&self, pieces: &[(u64, usize)]) -> io::Result<Vec<u8>> {
        let total = pieces.iter().map(|(_, len)| len).sum();
        let mut bytes = Vec::with_capacity(total);
        let mut run = Vec::new();
        // Short pieces that lie close together are read at once, with the packet heads between them.
        for near in pieces.chunk_by(|(position, len), (next, next_len)| {
            let between = next.checked_sub(position + *len as u64);
            (*len).max(*next_len) <= SHORT && between.is_some_and(|between| between <= NEAR)
        }) {
            let (first, (last, last_len)) = (near[0].0, near[near.len() - 1]);
            run.resize(to_usize(last - first) + last_len, 0);
            self.files().read_exact_at(&mut run, first)?;
            for (position, len) in near {
                let at = to_usize(position - first);
                bytes.extend_from_slice(&run[at..at + len]);
            }
        }
        Ok(bytes)
    }

    /// The head of a frame; `None` for another record, or when the frame was cut inside its head.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn frame_head(&self, record: &Record) -> io::Result<Option<FrameHead>> {
        if record.opcode().is_none() {
            return Ok(None);
        }
        Ok(FrameHead::read(&self.wire(record, 0..MAX_HEAD_LEN as u64)?))
    }

    /// Bytes of a frame's payload, unmasked: the part of `range` (relative to the payload) that was captured. Empty for
    /// another record.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn payload(&self, record: &Record, range: Range<u64>) -> io::Result<Vec<u8>> {
        let Some(head) = self.frame_head(record)? else { return Ok(Vec::new()) };
        let start = head.header_len() as u64;
        let mut bytes = self.wire(record, start + range.start..start.saturating_add(range.end))?;
        if let Some(key) = head.masking_key {
            mask::apply(&mut bytes, key, range.start);
        }
        Ok(bytes)
    }

    /// Bytes of the files themselves.
    pub(in crate::capture) fn read_file(&self, position: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        self.files().read_exact_at(&mut bytes, position)?;
        Ok(bytes)
    }
}
