//! What the threads of a client's connection share.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::Shutdown;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::WRITE_TIMEOUT;
use super::end::ClientEnd;
use super::tap::Tap;
use crate::net::heartbeat::Heartbeat;
use crate::net::stream::{Stream, is_timeout};
use crate::proto::endpoint::Endpoint;
use crate::script::Outgoing;

/// A sender that must not fill the memory waits while so many bytes are not written.
const MAX_QUEUED: usize = 1 << 20;

/// The most pings whose pongs are awaited. Of more, the latest count.
const MAX_PINGS: usize = 1024;

/// What the threads of a connection share.
pub(super) struct Shared {
    pub stream: Arc<Stream>,
    pub tap: Tap,
    state: Mutex<State>,
    /// Notified at each change of the state.
    changed: Condvar,
}

/// The state of a connection.
pub(super) struct State {
    /// The protocol, from the end of the handshake on.
    pub open: Option<Open>,
    /// Frames that are not written yet.
    pub out: Vec<u8>,
    /// How many of its bytes are replies to what the server sent.
    pub replies: usize,
    /// True while bytes that were taken from `out` are being written.
    pub writing: bool,
    /// The number of reads of the server's bytes that are recorded.
    pub reads: u64,
    /// When the latest one was.
    pub last_read: Instant,
    /// The number of messages of the server.
    pub messages: u64,
    /// The pings that are not answered, the oldest first.
    pub pings: VecDeque<Vec<u8>>,
    /// When this side's Close was sent.
    pub closed: Option<Instant>,
    /// Why the connection was cut; set by the thread that cuts it.
    pub cut: Option<ClientEnd>,
    /// How the script ended; an error is one line for people.
    pub script: Option<Result<(), String>>,
    /// How the connection ended.
    pub end: Option<ClientEnd>,
    /// True when its threads have ended.
    pub is_finished: bool,
}

/// An open connection.
pub(super) struct Open {
    pub endpoint: Endpoint,
    pub heartbeat: Heartbeat,
}

impl Shared {
    pub fn new(stream: Arc<Stream>, tap: Tap) -> Self {
        let state = State {
            open: None,
            out: Vec::new(),
            replies: 0,
            writing: false,
            reads: 0,
            messages: 0,
            last_read: Instant::now(),
            pings: VecDeque::new(),
            closed: None,
            cut: None,
            script: None,
            end: None,
            is_finished: false,
        };
        Self { stream, tap, state: Mutex::new(state), changed: Condvar::new() }
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and wakes the threads that wait for a change.
    pub fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.lock());
        self.changed.notify_all();
        changed
    }

    /// Waits for a change, or until `deadline`; without one, for a change.
    pub fn wait<'a>(&self, state: MutexGuard<'a, State>, deadline: Option<Instant>) -> MutexGuard<'a, State> {
        match deadline {
            None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
            }
        }
    }

    /// Waits until `is_met`, the connection has ended, or `timeout` is over. Returns whether it is met.
    pub fn wait_until(&self, timeout: Duration, is_met: impl Fn(&State) -> bool) -> bool {
        let deadline = Instant::now().checked_add(timeout);
        let mut state = self.lock();
        loop {
            if is_met(&state) {
                return true;
            }
            if state.end.is_some() || deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return false;
            }
            state = self.wait(state, deadline);
        }
    }

    /// Waits while the peer does not take what is queued.
    pub fn wait_for_space(&self) {
        let mut state = self.lock();
        while state.out.len() > MAX_QUEUED && state.end.is_none() {
            state = self.wait(state, None);
        }
    }

    /// Writes bytes and records them. Only one thread may write: the reading thread before the connection is open, `client-out` after.
    ///
    /// # Errors
    /// [`ClientEnd::WriteTimedOut`] if the server takes no bytes, [`ClientEnd::Reset`] if the connection is lost.
    pub fn write(&self, bytes: &[u8]) -> Result<(), ClientEnd> {
        let mut at = 0;
        // The bytes before this position are recorded.
        let mut recorded = 0;
        while at < bytes.len() {
            if at >= recorded {
                self.tap.writing(&bytes[at..]);
            }
            let result = self.stream.write(&bytes[at..]);
            if at >= recorded && !self.tap.written(result.as_ref().map_or(0, |len| *len)) {
                recorded = bytes.len();
            }
            match result {
                Ok(len) => at += len,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if is_timeout(&e) => return Err(ClientEnd::WriteTimedOut(WRITE_TIMEOUT)),
                Err(_) => return Err(ClientEnd::Reset),
            }
        }
        Ok(())
    }

    /// Ends the connection at once, for this reason, unless another one came first.
    pub fn cut(&self, why: ClientEnd) {
        self.change(|state| {
            state.cut.get_or_insert(why);
        });
        // This fails if the connection is lost already.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

impl State {
    /// True if the server sends no further frame: it has sent its Close, broken a rule, or is gone.
    pub fn is_over(&self) -> bool {
        self.end.is_some() || self.open.as_ref().is_some_and(|open| open.endpoint.is_over())
    }

    /// Queues a message or frame. Returns false if the connection is not open, or this side has sent its Close.
    pub fn queue(&mut self, outgoing: &Outgoing) -> bool {
        if self.closed.is_some() || self.is_over() {
            return false;
        }
        let Some(open) = &mut self.open else { return false };
        outgoing.encode(&mut open.endpoint.sender(&mut self.out));
        match outgoing {
            Outgoing::Ping(payload) => self.await_pong(payload.clone()),
            Outgoing::Close { .. } => self.closed = Some(Instant::now()),
            _ => {}
        }
        true
    }

    /// Sends the pings and pongs that are due.
    pub fn beat(&mut self, now: Instant) {
        if let Some(Open { endpoint, heartbeat }) = &mut self.open
            && self.closed.is_none()
            && let Some(ping) = heartbeat.act(now, &mut endpoint.sender(&mut self.out))
        {
            self.await_pong(ping);
        }
    }

    fn await_pong(&mut self, ping: Vec<u8>) {
        if self.pings.len() == MAX_PINGS {
            self.pings.pop_front();
        }
        self.pings.push_back(ping);
    }

    /// Takes a Pong: it answers the ping with its payload, and the earlier ones (RFC 6455 §5.5.3).
    pub fn pong(&mut self, payload: &[u8]) {
        if let Some(at) = self.pings.iter().position(|ping| ping == payload) {
            self.pings.drain(..=at);
        }
    }
}
