//! Reads records one after the other with less than one system call per record.

use std::io;
use std::ops::Range;

use super::index::Location;
use super::record::Record;
use super::{Capture, to_usize};
use crate::capture::format::blocks::ReadAt as _;
use crate::proto::dissected::{Direction, Kind};

/// How much is read ahead while reading goes forward through the file, in bytes.
const AHEAD: usize = 128 * 1024;

/// The longest distance after the previous piece at which the next one counts as reading forward, in bytes.
const NEAR: u64 = 16 * 1024;

/// Reads the bytes of records as [`Capture::wire`] does; keeps a window of the file.
pub struct RecordReader {
    capture: Capture,
    window: Vec<u8>,
    /// File position of the window's first byte.
    at: u64,
    /// Where the previous piece ended in the file.
    previous: u64,
    /// The locations of records that are read next, and the number of the first. See [`Self::look_up`].
    located: (u64, Vec<Location>),
}

impl RecordReader {
    /// A reader that has read nothing.
    pub fn new(capture: &Capture) -> Self {
        Self { capture: capture.clone(), window: Vec::new(), at: 0, previous: u64::MAX, located: Default::default() }
    }

    /// Looks up the locations of records that are read next, all under one lock, so that reading each needs none. Their numbers
    /// must be consecutive.
    pub fn look_up(&mut self, records: &[Record]) {
        self.located.0 = records.first().map_or(0, |record| record.no);
        self.capture.index().positions(records, &mut self.located.1);
    }

    /// Replaces `out` by bytes of a record as on the wire: the part of `range` that lies inside the record and was captured.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn wire(&mut self, record: &Record, range: Range<u64>, out: &mut Vec<u8>) -> io::Result<()> {
        let end = range.end.min(record.wire_len);
        let start = range.start.min(end);
        if record.kind == Kind::Gap {
            out.clear();
            return Ok(());
        }
        let at = record.no.checked_sub(self.located.0).and_then(|at| usize::try_from(at).ok());
        let located = at.and_then(|at| self.located.1.get(at)).filter(|located| located.is_of(record));
        if let Some(position) = located.and_then(|located| located.position).filter(|_| end > start) {
            out.clear();
            if self.piece(position + start, to_usize(end - start), out).is_ok() {
                return Ok(());
            }
            // A ring may have written it again elsewhere.
        }
        self.stream(record.connection, record.direction, record.offset + start, end - start, out)
    }

    /// Replaces `out` by bytes of one direction of a connection, from `offset` on, as far as they were captured.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn stream(
        &mut self,
        connection: u32,
        direction: Direction,
        offset: u64,
        len: u64,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        out.clear();
        match self.read_stream((connection, direction), offset, len, out) {
            Ok(()) if !out.is_empty() || len == 0 => {}
            // Evicted, or moved to another file of a ring.
            _ => *out = self.capture.stream(connection, direction, offset, len)?,
        }
        Ok(())
    }

    fn read_stream(
        &mut self,
        (connection, direction): (u32, Direction),
        offset: u64,
        len: u64,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        let (one, pieces) = match self.capture.index().connection(connection) {
            Some(entry) => {
                let stream = &entry.streams[direction.index()];
                let one = stream.one_piece(offset, len, &mut Default::default());
                (one, if one.is_some() { Vec::new() } else { stream.pieces(offset, len) })
            }
            None => (None, Vec::new()),
        };
        if let Some((position, len)) = one {
            return self.piece(position, len, out);
        }
        for (position, len) in pieces {
            self.piece(position, len, out)?;
        }
        Ok(())
    }

    fn piece(&mut self, position: u64, len: usize, out: &mut Vec<u8>) -> io::Result<()> {
        let end = position + len as u64;
        if position < self.at || end > self.at + self.window.len() as u64 {
            let forward = (self.previous..self.previous.saturating_add(NEAR)).contains(&position);
            self.previous = end;
            if !forward || len >= AHEAD {
                let start = out.len();
                out.resize(start + len, 0);
                return self.capture.files().read_exact_at(&mut out[start..], position);
            }
            self.fill(position, len)?;
        }
        self.previous = end;
        let start = to_usize(position - self.at);
        out.extend_from_slice(&self.window[start..start + len]);
        Ok(())
    }

    /// Reads the window from `position` on: at least `len` bytes, more as far as the file goes.
    fn fill(&mut self, position: u64, len: usize) -> io::Result<()> {
        self.at = position;
        self.window.resize(AHEAD, 0);
        let mut had = 0;
        while had < len {
            match self.capture.files().read_at(&mut self.window[had..], position + had as u64) {
                Ok(0) => {
                    self.window.clear();
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                Ok(read) => had += read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => {
                    self.window.clear();
                    return Err(e);
                }
            }
        }
        self.window.truncate(had);
        Ok(())
    }
}
