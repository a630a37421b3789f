//! The bytes that a relay has read from one side and not forwarded yet.

use std::io::{self, ErrorKind};
use std::time::Duration;

use crate::net::stream::Stream;
use crate::proto::time::Time;

/// Initial and largest size of a read buffer in bytes. It is small at first, so that a thousand idle connections take little memory.
const BUFFER: [usize; 2] = [4 << 10, 64 << 10];

/// Two reads less than this apart count as quick.
const QUICK: Duration = Duration::from_millis(1);

/// A direction is busy after this many quick reads in a row. Then the capture lags by at most 5 ms.
const BUSY_AFTER: u32 = 32;

/// Bytes that were read, and which of them remain.
pub struct Input {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    last_read: Time,
    quick_reads: u32,
    /// The read timeout that is set on the stream.
    timeout: Option<Duration>,
}

impl Input {
    pub fn new() -> Self {
        Self { buffer: vec![0; BUFFER[0]], start: 0, end: 0, last_read: Time(0), quick_reads: 0, timeout: None }
    }

    /// The bytes that remain.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Removes the first `n` bytes.
    pub const fn consume(&mut self, n: usize) {
        self.start += n;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Reads more; returns zero at the end of the input.
    ///
    /// # Errors
    /// The stream's; see [`Stream::read`] for that of the timeout.
    pub fn read(&mut self, stream: &Stream, timeout: Option<Duration>) -> io::Result<usize> {
        if timeout != self.timeout {
            stream.set_read_timeout(timeout)?;
            self.timeout = timeout;
        }
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        loop {
            match stream.read(&mut self.buffer[self.end..]) {
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
                Ok(n) => {
                    self.end += n;
                    if self.end == self.buffer.len() && self.buffer.len() < BUFFER[1] {
                        self.buffer.resize(BUFFER[1], 0);
                    }
                    return Ok(n);
                }
            }
        }
    }

    /// Counts a read at this time; returns true if many came quickly.
    pub fn is_busy(&mut self, time: Time) -> bool {
        let is_quick = u128::from(time.0 - self.last_read.0) < QUICK.as_nanos();
        self.quick_reads = if is_quick { self.quick_reads.saturating_add(1) } else { 0 };
        self.last_read = time;
        self.quick_reads >= BUSY_AFTER
    }
}
