//! A TCP stream whose every byte is recorded, exactly as it crossed and when.
//!
//! What was read and written is noted and handed to the recorder together: before a read that may block, before a
//! write that may block, and at the end. So an answer leaves before its recording costs time, one append to the spool
//! covers a read and its answer, and whatever the thread waits for, the capture is complete while it waits.
//!
//! A connection whose reads follow each other within a millisecond is busy: then an append covers several of them, and
//! the capture lags by 5 ms at most.

use std::io::{self, ErrorKind, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::io::Errno;
use rustix::net::SendFlags;

use crate::capture::live::recorder::{Chunk, ConnectionRecorder};
use crate::proto::dissected::{Direction, EndReason};
use crate::proto::time::Time;

const UP: Direction = Direction::ClientToServer;
const DOWN: Direction = Direction::ServerToClient;

/// The read buffer's first size in bytes: a thousand idle connections stay cheap.
const FIRST_READ: usize = 4 * 1024;

/// The most that is read or written at once, in bytes.
const MOST_AT_ONCE: usize = 256 * 1024;

/// An output buffer that grew beyond this many bytes is given back.
const KEPT_CAPACITY: usize = 2 << 20;

/// A read that comes within this time after the one before is a quick one.
const QUICK: Duration = Duration::from_millis(1);

/// After so many quick reads in a row a connection is busy.
const BUSY_AFTER: u32 = 32;

/// How many chunks are noted before they are handed over.
const MAX_NOTED: usize = 8;

/// How much is still read, in bytes, from a peer that goes on talking after our end.
const MAX_DRAINED: usize = 256 << 10;

/// What a read brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// More bytes in [`Tap::input`].
    Bytes,
    /// Nothing within the time given.
    Silence,
    /// The peer's FIN.
    Fin,
    /// The server is shutting down, and nothing more is there.
    Stopped,
}

/// Why a connection cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// It was torn down; that is recorded.
    Reset,
    /// The peer takes no more bytes.
    Stuck,
}

/// The server's end of a recorded connection.
pub struct Tap {
    stream: Arc<TcpStream>,
    recorder: ConnectionRecorder,
    /// Set when the server shuts down: the end of input is then our own doing.
    stopping: Arc<AtomicBool>,
    /// Bytes read; those from `start` to `end` are not consumed.
    input: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes to write; the first `written` of them are.
    out: Vec<u8>,
    written: usize,
    /// What crossed and is not handed to the recorder yet.
    noted: [Note; MAX_NOTED],
    notes: usize,
    latest: Time,
    /// When the latest bytes came, and how many reads in a row were quick.
    heard: Time,
    quick: u32,
    /// The read timeout that the socket has.
    timeout: Option<Duration>,
}

/// A chunk by its place in `input` (upwards) or `out` (downwards).
#[derive(Clone, Copy)]
struct Note {
    direction: Direction,
    time: Time,
    from: usize,
    to: usize,
}

impl Tap {
    /// A tap on a stream. `stopping` must be set before anybody else shuts the stream down.
    pub fn new(stream: Arc<TcpStream>, recorder: ConnectionRecorder, stopping: Arc<AtomicBool>) -> Self {
        Self {
            stream,
            recorder,
            stopping,
            input: vec![0; FIRST_READ],
            start: 0,
            end: 0,
            out: Vec::new(),
            written: 0,
            noted: [Note { direction: UP, time: Time(0), from: 0, to: 0 }; MAX_NOTED],
            notes: 0,
            latest: Time(0),
            heard: Time(0),
            quick: 0,
            timeout: None,
        }
    }

    /// The bytes read and not consumed.
    pub fn input(&self) -> &[u8] {
        &self.input[self.start..self.end]
    }

    /// The bytes read and not consumed, and the buffer that takes what is to be written.
    pub fn input_and_out(&mut self) -> (&[u8], &mut Vec<u8>) {
        (&self.input[self.start..self.end], &mut self.out)
    }

    /// The buffer that takes what is to be written by the next [`Self::flush`].
    pub const fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Marks the first `n` bytes of the input as used.
    pub fn consume(&mut self, n: usize) {
        self.start = (self.start + n).min(self.end);
    }

    /// Marks all of the input as used.
    pub const fn consume_all(&mut self) {
        self.start = self.end;
    }

    /// Waits for more input, at most as long as given.
    ///
    /// # Errors
    /// When the connection was torn down.
    pub fn read(&mut self, patience: Option<Duration>) -> Result<Heard, Lost> {
        self.hand_over(self.quick >= BUSY_AFTER);
        self.make_room();
        // A zero would mean forever.
        let patience = patience.map(|patience| patience.max(Duration::from_millis(1)));
        if patience != self.timeout {
            if self.stream.set_read_timeout(patience).is_err() {
                return Err(self.reset());
            }
            self.timeout = patience;
        }
        loop {
            // Of a file descriptor: the system call alone, without the thread cancellation that libc wraps around it.
            match rustix::io::read(&*self.stream, &mut self.input[self.end..]).map_err(io::Error::from) {
                Ok(0) if self.stopping.load(Ordering::SeqCst) => return Ok(Heard::Stopped),
                Ok(0) => {
                    let now = self.now();
                    self.recorder.end(UP, EndReason::Fin, now);
                    return Ok(Heard::Fin);
                }
                Ok(n) => {
                    self.note(UP, self.end, self.end + n);
                    self.end += n;
                    let quick = self.latest.0 - self.heard.0 < QUICK.as_nanos() as u64;
                    self.quick = if quick { self.quick.saturating_add(1) } else { 0 };
                    self.heard = self.latest;
                    return Ok(Heard::Bytes);
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if is_timeout(&e) => return Ok(Heard::Silence),
                Err(_) => return Err(self.reset()),
            }
        }
    }

    /// Writes all that is in the output buffer.
    ///
    /// # Errors
    /// When the connection was torn down, or the peer took nothing for as long as the socket's write timeout.
    pub fn flush(&mut self) -> Result<(), Lost> {
        while self.written < self.out.len() {
            let until = self.out.len().min(self.written + MOST_AT_ONCE);
            // First without waiting: what was heard must not stay uncaptured behind a peer that does not read.
            let now = rustix::net::send(&*self.stream, &self.out[self.written..until], SendFlags::DONTWAIT);
            let sent = match now {
                Err(Errno::AGAIN) => {
                    self.hand_over(false);
                    (&*self.stream).write(&self.out[self.written..until])
                }
                done => done.map_err(io::Error::from),
            };
            match sent {
                Ok(n) => {
                    self.note(DOWN, self.written, self.written + n);
                    self.written += n;
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if is_timeout(&e) => return Err(Lost::Stuck),
                Err(_) => return Err(self.reset()),
            }
        }
        Ok(())
    }

    /// How long a write may take without any progress.
    pub fn set_write_patience(&self, patience: Duration) {
        // A socket that refuses this is gone, which the next write tells.
        let _ = self.stream.set_write_timeout(Some(patience));
    }

    /// Ends our side, then listens for the peer's end for a while, so that it is seen.
    pub fn finish(&mut self, patience: Duration) {
        self.hand_over(false);
        if self.stream.shutdown(Shutdown::Write).is_ok() {
            let now = self.now();
            self.recorder.end(DOWN, EndReason::Fin, now);
        }
        let deadline = Instant::now() + patience;
        let mut drained = 0;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            self.consume_all();
            if left.is_zero() || drained >= MAX_DRAINED || self.read(Some(left)) != Ok(Heard::Bytes) {
                break;
            }
            drained += self.input().len();
        }
        self.hand_over(false);
        let now = self.now();
        for direction in Direction::BOTH {
            // Only where nothing better is known: what the peer does from here on is not seen.
            self.recorder.end(direction, EndReason::Capture, now);
        }
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// The connection is gone: by the peer's RST, or because we shut it down.
    fn reset(&mut self) -> Lost {
        self.hand_over(false);
        if !self.stopping.load(Ordering::SeqCst) {
            let now = self.now();
            self.recorder.reset(UP, now);
        }
        Lost::Reset
    }

    fn note(&mut self, direction: Direction, from: usize, to: usize) {
        if self.notes == MAX_NOTED {
            self.hand_over(true);
        }
        let time = self.now();
        self.noted[self.notes] = Note { direction, time, from, to };
        self.notes += 1;
    }

    /// Hands what was noted to the recorder, so that the buffers are free; the capture has it `soon` or at once.
    fn hand_over(&mut self, soon: bool) {
        let chunks = self.noted.map(|note| {
            let buffer = if note.direction == UP { &self.input } else { &self.out };
            let bytes = buffer.get(note.from..note.to).unwrap_or_default();
            Chunk { direction: note.direction, time: note.time, bytes }
        });
        let chunks = &chunks[..self.notes];
        if soon {
            self.recorder.record_soon(chunks);
        } else {
            self.recorder.record(chunks);
        }
        self.notes = 0;
        if self.written == self.out.len() {
            self.written = 0;
            if self.out.capacity() > KEPT_CAPACITY {
                self.out = Vec::new();
            }
            self.out.clear();
        }
    }

    /// Moves what is not consumed to the front, and grows a buffer that was filled to its end.
    fn make_room(&mut self) {
        let was_full = self.end == self.input.len();
        self.input.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if was_full && (self.input.len() < MOST_AT_ONCE || self.end == self.input.len()) {
            self.input.resize(self.input.len() * 2, 0);
        }
    }

    /// Now, and never before what was seen earlier, whatever happens to the clock.
    fn now(&mut self) -> Time {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.latest = self.latest.max(Time(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)));
        self.latest
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
