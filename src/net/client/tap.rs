//! Records the bytes of a client's connection, which one thread reads while another writes.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::capture::live::recorder::Chunk;
use crate::net::wiretap::Wiretap;
use crate::proto::dissected::{Direction, EndReason};
use crate::proto::time::Time;

/// The directions of the bytes that a client writes and reads.
const WRITTEN: Direction = Direction::ClientToServer;
const READ: Direction = Direction::ServerToClient;

/// Records what a client writes and reads.
///
/// The answer to a write may be read before the write returns. So the bytes are noted before they are written, and the reader records
/// noted bytes before its own. If the connection is lost during that write, the capture can have bytes of it that were not sent.
pub struct Tap {
    wiretap: Wiretap,
    /// Bytes that are being written, with the time at which that began.
    in_flight: Mutex<Option<(Time, Vec<u8>)>>,
}

impl Tap {
    /// A tap that reports to `wiretap`.
    pub const fn new(wiretap: Wiretap) -> Self {
        Self { wiretap, in_flight: Mutex::new(None) }
    }

    /// Notes bytes that will be written now.
    pub fn writing(&self, bytes: &[u8]) {
        *self.lock() = Some((self.wiretap.now(), bytes.to_vec()));
    }

    /// Records the first `len` of the noted bytes, which were written. Returns false if the reader has recorded all of them already.
    pub fn written(&self, len: usize) -> bool {
        let mut in_flight = self.lock();
        let Some((time, bytes)) = in_flight.take() else { return false };
        if len > 0 {
            self.wiretap.crossed(&[Chunk { direction: WRITTEN, time, bytes: &bytes[..len.min(bytes.len())] }]);
        }
        true
    }

    /// Records bytes that were read.
    pub fn read(&self, bytes: &[u8]) {
        let mut in_flight = self.lock();
        let before = in_flight.take();
        let read = Chunk { direction: READ, time: self.wiretap.now(), bytes };
        match &before {
            Some((time, sent)) => self.wiretap.crossed(&[Chunk { direction: WRITTEN, time: *time, bytes: sent }, read]),
            None => self.wiretap.crossed(&[read]),
        }
    }

    /// Records the end of the server's direction.
    pub fn server_ended(&self) {
        self.wiretap.ended(READ, EndReason::Fin);
    }

    /// Records that the server ended TLS with the error of a read.
    pub fn server_truncated(&self, error: &io::Error) {
        self.wiretap.truncated(READ, error);
    }

    /// Records the end of the client's direction.
    pub fn client_ended(&self) {
        self.wiretap.ended(WRITTEN, EndReason::Fin);
    }

    /// Records that the server reset the connection.
    pub fn reset(&self) {
        self.wiretap.reset(READ);
    }

    /// Records that the end of each direction that has not ended is not captured.
    pub fn given_up(&self) {
        for direction in Direction::BOTH {
            self.wiretap.ended(direction, EndReason::Capture);
        }
    }

    /// The number of the connection in the capture; `None` until bytes of it are part of the capture.
    pub fn number(&self) -> Option<u32> {
        self.wiretap.number()
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Time, Vec<u8>)>> {
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
