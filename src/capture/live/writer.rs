//! The writer of a capture: it appends the batches of all connections to one spool, in one order, and applies them to the index.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::ring::{ConnectionSnapshot, OpenConnections, Ring};
use super::spool::{Spool, SpoolError};
use crate::capture::store::Capture;
use crate::capture::store::index::{Applied, IndexBatch};
use crate::proto::rules::count;

/// How many records a capture may have: their numbers are kept in 32 bits.
const MAX_RECORDS: u64 = u32::MAX as u64;

/// Packets of one connection and the index entries for them.
pub(in crate::capture) struct Batch {
    /// Blocks of a pcapng file.
    pub blocks: Vec<u8>,
    /// The entries; positions are relative to `blocks`.
    pub index: IndexBatch,
}

/// Appends to the spool and applies to the index. A mutex lets one connection at a time use it.
pub(in crate::capture) struct Writer {
    capture: Capture,
    spool: Spool,
    /// What the next file of a ring begins with.
    open: OpenConnections,
    /// Whether writing has failed. Nothing is appended from then on: the file would have a hole.
    stopped: bool,
    pub most_records: u64,
}

/// Why a batch cannot be written.
#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error("a capture has at most {}", count(*.0, "record"))]
    TooManyRecords(u64),
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

impl Batch {
    /// An empty batch for `capture`.
    pub fn new(capture: &Capture) -> Self {
        Self { blocks: Vec::new(), index: capture.batch() }
    }

    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty() && self.index.len() == 0
    }

    fn clear(&mut self) {
        self.blocks.clear();
        self.index.clear();
    }
}

impl Writer {
    pub fn new(capture: Capture, spool: Spool) -> Self {
        Self { capture, spool, open: OpenConnections::default(), stopped: false, most_records: MAX_RECORDS }
    }

    pub const fn spool(&mut self) -> &mut Spool {
        &mut self.spool
    }

    /// Appends a batch to the spool, then applies it to the index, and empties it. When it cannot be written, capturing stops:
    /// the bytes of this batch and of all later ones are counted as not captured.
    pub fn commit(&mut self, batch: &mut Batch) -> Option<Applied> {
        let applied = match self.append(batch) {
            Ok(position) => position.map(|position| self.capture.index_mut().apply(&mut batch.index, position)),
            Err(error) => {
                self.stopped = true;
                self.capture.note_stop(&error.to_string());
                None
            }
        };
        if applied.is_none() {
            self.capture.note_uncaptured(batch.index.bytes());
        }
        batch.clear();
        applied
    }

    /// Appends the packets of a batch; returns the position of the first byte, `None` after capturing stopped.
    fn append(&mut self, batch: &Batch) -> Result<Option<u64>, WriteError> {
        if self.stopped {
            return Ok(None);
        }
        if self.capture.len() + batch.index.records() > self.most_records {
            return Err(WriteError::TooManyRecords(self.most_records));
        }
        Ok(Some(self.spool.append_evicting(&batch.blocks, &self.capture, &self.open)?))
    }

    /// Appends packets that hold no bytes of the traffic.
    pub fn append_comment(&mut self, blocks: &[u8]) {
        // A failure loses no bytes, and the next commit reports it.
        let _ = self.spool.append_evicting(blocks, &self.capture, &self.open);
    }

    /// The number of the latest file of a ring; `None` when the spool is no ring.
    pub fn ring_file(&self) -> Option<u32> {
        self.spool.ring.as_ref().map(Ring::number)
    }

    /// Notes the state of a connection that has just committed, and lets the ring rotate.
    pub fn rotate(&mut self, serial: u32, snapshot: ConnectionSnapshot) {
        if self.spool.ring.is_some() {
            self.open.note(serial, snapshot);
            self.spool.rotate(&self.capture, &self.open);
        }
    }
}

/// Locks a mutex. A thread that panicked while it held the lock leaves data that is as good as before.
pub(in crate::capture) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
