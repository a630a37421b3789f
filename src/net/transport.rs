//! The server's end of one TCP connection: blocking reads and writes with buffers, each reported to a wiretap.
//!
//! The transport notes each read and write and hands its notes to the wiretap together: before a read that may block, before
//! a write that may block, and at the end of the connection. So a reply is sent before it is recorded, one append to the
//! spool covers a read and its reply, and the capture is complete whenever the thread blocks.
//!
//! One kind of request is no part of the capture (see [`super::page_connections`]). Bytes that may belong to it are withheld from the
//! wiretap until the whole head has arrived.
//!
//! A connection whose reads come less than a millisecond apart is busy. For a busy connection one append covers several
//! reads, and the capture lags by at most 5 ms.

mod notes;
mod report;

use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use self::notes::Notes;
use super::memory::MemoryShare;
use super::stream::{Stream, is_timeout, is_tls_over};
use super::wiretap::Wiretap;
use crate::proto::dissected::{Direction, EndReason};
use crate::proto::time::Time;

/// The direction of the bytes that a server reads, and of those that it writes.
const READ: Direction = Direction::ClientToServer;
const WRITTEN: Direction = Direction::ServerToClient;

/// Initial size of the read buffer in bytes. It is small, so that a thousand idle connections take little memory.
const FIRST_READ: usize = 4 * 1024;

/// The most bytes that one system call reads or writes.
const MAX_AT_ONCE: usize = 256 * 1024;

/// Two reads less than this apart count as quick.
const QUICK: Duration = Duration::from_millis(1);

/// A connection is busy after this many quick reads in a row.
const BUSY_AFTER: u32 = 32;

/// The most bytes that are read from a peer that keeps sending after the server has ended its direction.
const MAX_DRAINED: usize = 256 << 10;

/// The result of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadOutcome {
    /// There are more bytes in [`Transport::input`].
    Bytes,
    /// No byte arrived before the timeout.
    TimedOut,
    /// The peer has ended its direction (FIN).
    Fin,
    /// The server is shutting down, and every byte that had arrived has been read.
    ShuttingDown,
    /// The server ends the connection, because the buffers of all connections take too much memory: see [`super::memory`].
    Evicted,
}

/// Why a connection cannot continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionLost {
    /// The connection was reset. The reset is recorded.
    Reset,
    /// The peer took no byte before the write timeout.
    WriteTimedOut,
    /// As [`ReadOutcome::Evicted`], while the peer did not take bytes.
    Evicted,
}

/// The server's end of a recorded connection.
pub struct Transport {
    stream: Arc<Stream>,
    wiretap: Wiretap,
    /// Set when the server shuts down. The server then caused the end of the input itself.
    shutting_down: Arc<AtomicBool>,
    /// Bytes read; those in `start..end` are not consumed yet.
    input: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes to write; the first `written` of them have been written.
    out: Vec<u8>,
    written: usize,
    /// The reads and writes that the wiretap does not know yet.
    notes: Notes,
    /// Set while bytes are written that the capture does not contain.
    unrecorded: bool,
    /// When the latest read returned bytes, and how many quick reads came in a row.
    last_read: Time,
    quick_reads: u32,
    /// The read timeout that is set on the socket.
    read_timeout: Option<Duration>,
    memory: MemoryShare,
    /// The bytes that buffers outside the transport take.
    other_buffers: usize,
}

impl Transport {
    /// A transport over a stream. `shutting_down` must be set before another thread shuts the stream down.
    pub fn new(stream: Arc<Stream>, wiretap: Wiretap, shutting_down: Arc<AtomicBool>, memory: MemoryShare) -> Self {
        Self {
            stream,
            wiretap,
            shutting_down,
            input: vec![0; FIRST_READ],
            start: 0,
            end: 0,
            out: Vec::new(),
            written: 0,
            notes: Notes::new(),
            unrecorded: false,
            last_read: Time(0),
            quick_reads: 0,
            read_timeout: None,
            memory,
            other_buffers: 0,
        }
    }

    /// The bytes that were read and are not consumed.
    pub fn input(&self) -> &[u8] {
        &self.input[self.start..self.end]
    }

    /// The bytes that were read and are not consumed, and the buffer for bytes to write.
    pub fn input_and_out(&mut self) -> (&[u8], &mut Vec<u8>) {
        (&self.input[self.start..self.end], &mut self.out)
    }

    /// The buffer for bytes to write. The next [`Self::flush`] writes them.
    pub const fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Removes the first `n` bytes from the input.
    pub fn consume(&mut self, n: usize) {
        self.start = (self.start + n).min(self.end);
    }

    /// Removes all bytes from the input.
    pub const fn consume_all(&mut self) {
        self.start = self.end;
    }

    /// Removes the first `n` bytes from the input. They do not become part of the capture, provided that they were read by
    /// [`Self::read_withholding`], or by one read.
    pub fn consume_unrecorded(&mut self, n: usize) {
        self.report_consumed(false);
        self.consume(n);
        self.notes.keep_input_from(self.start);
    }

    /// Writes all bytes of the output buffer, which do not become part of the capture.
    ///
    /// # Errors
    /// [`ConnectionLost`].
    pub fn flush_unrecorded(&mut self) -> Result<(), ConnectionLost> {
        self.unrecorded = true;
        let flushed = self.flush();
        self.unrecorded = false;
        flushed
    }

    /// The number of the connection in the capture, after all bytes that were read and written became part of it.
    pub fn number(&mut self) -> Option<u32> {
        self.report(false);
        self.wiretap.number()
    }

    /// Reads more input, as [`Self::read`], but withholds the input that is not consumed from the capture: it becomes part of it with
    /// the next read, unless [`Self::consume_unrecorded`] removes it before.
    ///
    /// # Errors
    /// [`ConnectionLost::Reset`].
    pub fn read_withholding(&mut self, timeout: Duration) -> Result<ReadOutcome, ConnectionLost> {
        self.report_consumed(false);
        self.receive_within_memory(Some(timeout))
    }

    /// Reads more input. Blocks until bytes arrive, the connection ends, or `timeout` is over (without one: forever).
    ///
    /// # Errors
    /// [`ConnectionLost::Reset`].
    pub fn read(&mut self, timeout: Option<Duration>) -> Result<ReadOutcome, ConnectionLost> {
        self.report(self.quick_reads >= BUSY_AFTER);
        self.receive_within_memory(timeout)
    }

    fn receive_within_memory(&mut self, timeout: Option<Duration>) -> Result<ReadOutcome, ConnectionLost> {
        if self.memory.is_scarce() {
            self.free_empty_buffers();
        }
        self.count_memory();
        if self.memory.is_evicted() {
            return Ok(ReadOutcome::Evicted);
        }
        self.receive(timeout)
    }

    /// Reads more input. Notes that have not been reported must be of the unconsumed input.
    fn receive(&mut self, timeout: Option<Duration>) -> Result<ReadOutcome, ConnectionLost> {
        self.make_space();
        // The socket takes zero as "no timeout".
        let timeout = timeout.map(|timeout| timeout.max(Duration::from_millis(1)));
        if timeout != self.read_timeout {
            if self.stream.set_read_timeout(timeout).is_err() {
                return Err(self.reset());
            }
            self.read_timeout = timeout;
        }
        loop {
            match self.stream.read(&mut self.input[self.end..]) {
                Ok(0) if self.shutting_down.load(Ordering::SeqCst) => return Ok(ReadOutcome::ShuttingDown),
                Ok(0) if self.memory.is_evicted() => return Ok(ReadOutcome::Evicted),
                Ok(0) => {
                    self.report(false);
                    self.wiretap.ended(READ, EndReason::Fin);
                    return Ok(ReadOutcome::Fin);
                }
                Ok(n) => {
                    let time = self.note(READ, self.end, self.end + n);
                    self.end += n;
                    let is_quick = u128::from(time.0 - self.last_read.0) < QUICK.as_nanos();
                    self.quick_reads = if is_quick { self.quick_reads.saturating_add(1) } else { 0 };
                    self.last_read = time;
                    return Ok(ReadOutcome::Bytes);
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if is_timeout(&e) => return Ok(ReadOutcome::TimedOut),
                Err(e) if is_tls_over(&e) => return Ok(self.end_unannounced(&e)),
                Err(_) => return Err(self.reset()),
            }
        }
    }

    /// The outcome of a read with the error of an end of TLS, which the server itself causes when it wakes the thread.
    fn end_unannounced(&mut self, error: &io::Error) -> ReadOutcome {
        if self.shutting_down.load(Ordering::SeqCst) {
            return ReadOutcome::ShuttingDown;
        }
        if self.memory.is_evicted() {
            return ReadOutcome::Evicted;
        }
        self.report(false);
        self.wiretap.truncated(READ, error);
        ReadOutcome::Fin
    }

    /// Writes all bytes of the output buffer.
    ///
    /// # Errors
    /// [`ConnectionLost`].
    pub fn flush(&mut self) -> Result<(), ConnectionLost> {
        while self.written < self.out.len() {
            let until = self.out.len().min(self.written + MAX_AT_ONCE);
            // Try without blocking first. If the peer does not read, report the notes before the thread blocks.
            let sent = match self.stream.try_write(&self.out[self.written..until]) {
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    self.report_consumed(false);
                    self.count_memory();
                    let written = self.memory.write(|| self.stream.write(&self.out[self.written..until]));
                    written.ok_or(ConnectionLost::Evicted)?
                }
                done => done,
            };
            match sent {
                Ok(n) => {
                    self.note(WRITTEN, self.written, self.written + n);
                    self.written += n;
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if is_timeout(&e) => return Err(ConnectionLost::WriteTimedOut),
                Err(_) => return Err(self.reset()),
            }
        }
        Ok(())
    }

    /// Sets how long [`Self::flush`] waits for a peer that takes no byte.
    pub fn set_write_timeout(&self, timeout: Duration) {
        // If the socket refuses it, the connection is lost, and the next write fails.
        let _ = self.stream.set_write_timeout(Some(timeout));
    }

    /// Ends the server's direction (FIN), then reads for at most `timeout`, so that the peer's end is recorded.
    pub fn finish(&mut self, timeout: Duration) {
        self.report(false);
        if self.stream.shutdown(Shutdown::Write).is_ok() {
            self.wiretap.ended(WRITTEN, EndReason::Fin);
        }
        let deadline = Instant::now() + timeout;
        let mut drained = 0;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            self.consume_all();
            self.report(false);
            if left.is_zero() || drained >= MAX_DRAINED || self.receive(Some(left)) != Ok(ReadOutcome::Bytes) {
                break;
            }
            drained += self.input().len();
        }
        for direction in Direction::BOTH {
            // This counts for a direction whose end is not recorded yet: its end is not captured.
            self.wiretap.ended(direction, EndReason::Capture);
        }
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Sets the size of the connection's buffers outside the transport, in bytes.
    pub const fn set_other_buffers(&mut self, bytes: usize) {
        self.other_buffers = bytes;
    }

    /// The connection's share of the memory.
    pub const fn memory(&self) -> &MemoryShare {
        &self.memory
    }

    /// Reports the size of the buffers. May evict connections, also this one.
    fn count_memory(&mut self) {
        self.memory.set((self.input.len() + self.out.capacity() + self.other_buffers) as u64);
    }

    fn free_empty_buffers(&mut self) {
        if self.out.is_empty() {
            self.out = Vec::new();
        }
        if self.start == self.end && self.input.len() > FIRST_READ {
            (self.start, self.end) = (0, 0);
            self.input = vec![0; FIRST_READ];
        }
    }

    /// Records that the peer reset the connection, unless the server itself cut it.
    fn reset(&mut self) -> ConnectionLost {
        self.report(false);
        if self.memory.is_evicted() {
            return ConnectionLost::Evicted;
        }
        if !self.shutting_down.load(Ordering::SeqCst) {
            self.wiretap.reset(READ);
        }
        ConnectionLost::Reset
    }

    /// Moves the unconsumed input to the front of its buffer. Doubles a buffer that the latest read filled.
    fn make_space(&mut self) {
        let was_full = self.end == self.input.len();
        self.input.copy_within(self.start..self.end, 0);
        self.notes.shift(self.start);
        self.end -= self.start;
        self.start = 0;
        if was_full && (self.input.len() < MAX_AT_ONCE || self.end == self.input.len()) {
            self.input.resize(self.input.len() * 2, 0);
        }
    }
}
