//! Keeps what both threads of a relayed connection read, in one order, until it is recorded.
//!
//! A thread pushes bytes before it forwards them, and drains the tap afterwards. So a request comes before its response, and
//! recording adds no latency.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::capture::live::recorder::Chunk;
use crate::net::wiretap::{Remark, Wiretap};
use crate::proto::dissected::{Direction, Loss};
use crate::proto::time::Time;
use crate::wire::tls;

/// A thread that pushes waits for the recording of the other one when more bytes than this are pending.
const MAX_PENDING: usize = 1 << 20;

/// Empty buffers larger than this many bytes are freed.
const MAX_KEPT: usize = 256 << 10;

/// The bytes that wait to be recorded.
pub struct Tap {
    wiretap: Wiretap,
    pending: Mutex<Pending>,
    /// The bytes that a thread is recording; it holds the lock meanwhile.
    recorded: Mutex<Pending>,
    /// How many bytes of each direction were pushed.
    pushed: [AtomicU64; 2],
    /// One of the constants of [`content`].
    content: AtomicU8,
    /// How many bytes of each direction crossed that are not kept, and not recorded as missing yet.
    unkept: [AtomicU64; 2],
}

/// What crosses.
mod content {
    /// Bytes that are recorded.
    pub const KEPT: u8 = 0;
    /// The bytes of a tunnel, before the first one of the client.
    pub const TUNNEL: u8 = 1;
    /// The bytes of a tunnel with TLS, which the proxy does not read.
    pub const ENCRYPTED: u8 = 2;
}

#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
}

/// Bytes of one read.
struct Piece {
    direction: Direction,
    time: Time,
    /// Where they end among the pending bytes; they begin where the piece before ends.
    end: usize,
    /// A remark on the record that they belong to.
    remark: Option<Remark>,
}

impl Tap {
    pub fn new(wiretap: Wiretap) -> Self {
        Self {
            wiretap,
            pending: Mutex::default(),
            recorded: Mutex::default(),
            pushed: Default::default(),
            content: AtomicU8::new(content::KEPT),
            unkept: Default::default(),
        }
    }

    /// The next bytes of the client are the first ones of a tunnel. If they begin TLS, those of both directions are counted from then
    /// on, and not kept.
    pub fn begin_tunnel(&self) {
        self.content.store(content::TUNNEL, Ordering::Relaxed);
    }

    /// Counts bytes of a tunnel with TLS; returns false for others, which are kept.
    fn counts(&self, direction: Direction, bytes: &[u8]) -> bool {
        let mut content = self.content.load(Ordering::Relaxed);
        if content == content::TUNNEL && direction == Direction::ClientToServer && !bytes.is_empty() {
            content = if tls::may_begin_hello(bytes) { content::ENCRYPTED } else { content::KEPT };
            self.content.store(content, Ordering::Relaxed);
        }
        if content == content::ENCRYPTED {
            self.unkept[direction.index()].fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
        content == content::ENCRYPTED
    }

    /// Adds bytes that were read now; returns the time. `remark` is about the record that they belong to.
    pub fn push(&self, direction: Direction, bytes: &[u8], remark: Option<Remark>) -> Time {
        if self.content.load(Ordering::Relaxed) != content::KEPT && self.counts(direction, bytes) {
            return self.wiretap.now();
        }
        let mut pending = lock(&self.pending);
        if pending.bytes.len() > MAX_PENDING {
            drop(pending);
            self.drain_all();
            pending = lock(&self.pending);
        }
        // Under the lock, so that the pieces are in the order of their times.
        let time = self.wiretap.now();
        pending.bytes.extend_from_slice(bytes);
        self.pushed[direction.index()].fetch_add(bytes.len() as u64, Ordering::Relaxed);
        let end = pending.bytes.len();
        pending.pieces.push(Piece { direction, time, end, remark });
        time
    }

    /// How many bytes of a direction were pushed.
    pub fn position(&self, direction: Direction) -> u64 {
        self.pushed[direction.index()].load(Ordering::Relaxed)
    }

    /// Records all that was pushed before. It is part of the capture when this returns.
    pub fn drain_all(&self) {
        let mut recorded = lock(&self.recorded);
        self.record(&mut recorded, false);
    }

    /// Records how many bytes of a direction were not kept, when it ends. Call [`Self::drain_all`] before.
    pub fn record_unkept(&self, direction: Direction) {
        let bytes = self.unkept[direction.index()].swap(0, Ordering::Relaxed);
        if bytes > 0 {
            self.wiretap.not_kept(direction, bytes, Loss::Unread);
        }
    }

    /// Records what was pushed, unless the other thread is doing that: then it records this too. With `soon`, it is part of the
    /// capture at most 5 ms later.
    pub fn drain(&self, soon: bool) {
        while !lock(&self.pending).pieces.is_empty() {
            let Ok(mut recorded) = self.recorded.try_lock() else { return };
            self.record(&mut recorded, soon);
            // The other thread may have pushed bytes while the lock was still held.
        }
    }

    fn record(&self, recorded: &mut Pending, soon: bool) {
        std::mem::swap(&mut *lock(&self.pending), recorded);
        let mut chunks = Vec::with_capacity(recorded.pieces.len());
        let mut start = 0;
        for piece in &recorded.pieces {
            let chunk =
                Chunk { direction: piece.direction, time: piece.time, bytes: &recorded.bytes[start..piece.end] };
            start = piece.end;
            match &piece.remark {
                None => chunks.push(chunk),
                Some(remark) => {
                    self.wiretap.crossed_soon(&chunks);
                    chunks.clear();
                    self.wiretap.crossed_with(chunk, remark);
                }
            }
        }
        match soon {
            true => self.wiretap.crossed_soon(&chunks),
            false => self.wiretap.crossed(&chunks),
        }
        recorded.pieces.clear();
        recorded.bytes.clear();
        if recorded.bytes.capacity() > MAX_KEPT {
            recorded.bytes = Vec::new();
        }
    }

    /// The wiretap, for the ends of the connection. Call [`Self::drain_all`] before.
    pub const fn wiretap(&self) -> &Wiretap {
        &self.wiretap
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
