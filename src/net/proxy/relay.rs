//! Relays the bytes of one connection in both directions as they arrive, with the ends of each direction: a FIN and a RST pass too.

mod client_side;
mod lanes;

use std::io::ErrorKind;
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use self::lanes::Lanes;
use super::end::End;
use super::exchange::{Exchange, Responses};
use super::hold::{Hold, Link};
use super::input::Input;
use super::requests::{Outgoing, Requests};
use super::tap::Tap;
use crate::net::connections::{OpenConnections, OpenGuard};
use crate::net::stream::{Stream, is_timeout, is_tls_over};
use crate::proto::dissected::{Direction, EndReason};

const UP: Direction = Direction::ClientToServer;
const DOWN: Direction = Direction::ServerToClient;

/// Poll interval for a reset by a side, for threads that wait for something else.
const LOOK: Duration = Duration::from_millis(200);

/// Poll interval of the client's thread for the response to an upgrade.
const SWITCH_LOOK: Duration = Duration::from_millis(20);

/// The state of a direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Its bytes are relayed.
    #[default]
    Runs,
    /// Its sender has ended it, and the receiver knows.
    Ended,
    /// Its receiver takes no bytes any more.
    Broken,
}

/// The states of the connection to the server.
mod fate {
    /// It is open.
    pub const OPEN: u8 = 0;
    /// The server ends it, and with it that of the client.
    pub const ENDED: u8 = 1;
    /// The proxy has ended it, because the next request of the client is for another server.
    pub const LEFT: u8 = 2;
}

/// A client and its server.
pub struct Relay {
    client: Arc<Stream>,
    server: Arc<Stream>,
    tap: Arc<Tap>,
    exchange: Arc<Exchange>,
    connections: Arc<OpenConnections>,
    /// The state of each direction.
    states: Mutex<[State; 2]>,
    /// Notified when a state changes.
    changed: Condvar,
    /// The side that reset the connection. It is recorded at the end: bytes that the other thread has read come first.
    reset_by: OnceLock<Direction>,
    /// Whether the connection is being cut.
    cut: AtomicBool,
    /// One of the constants of [`fate`].
    fate: AtomicU8,
    /// The rules that hold messages.
    hold: Arc<Hold>,
    /// The head of the latest request for another protocol, as the proxy sent it to the server.
    upgrade: Mutex<Vec<u8>>,
    /// What holds messages in each direction, from the switch to WebSocket on.
    lanes: OnceLock<Lanes>,
    /// Keeps the connection to the server among the open ones.
    _open: OpenGuard,
}

impl Relay {
    pub fn new(
        streams: [&Arc<Stream>; 2],
        tap: &Arc<Tap>,
        exchange: &Arc<Exchange>,
        connections: &Arc<OpenConnections>,
        open: OpenGuard,
        hold: &Arc<Hold>,
    ) -> Self {
        let [client, server] = streams.map(Arc::clone);
        let (tap, exchange, connections) = (Arc::clone(tap), Arc::clone(exchange), Arc::clone(connections));
        // A thread must notice a reset of the side that it reads while it waits for the other one.
        for stream in [&client, &server] {
            // If the socket refuses it, the connection is lost, and the next write fails.
            let _ = stream.set_write_timeout(Some(LOOK));
        }
        Self {
            client,
            server,
            tap,
            exchange,
            connections,
            states: Mutex::default(),
            changed: Condvar::new(),
            reset_by: OnceLock::new(),
            cut: AtomicBool::new(false),
            fate: AtomicU8::new(fate::OPEN),
            hold: Arc::clone(hold),
            upgrade: Mutex::default(),
            lanes: OnceLock::new(),
            _open: open,
        }
    }

    /// Relays the bytes of the client until its direction ends. `first` is the beginning of the input, and is recorded already.
    pub fn relay_client(&self, first: Option<Outgoing>, input: &mut Input, requests: &mut Requests<'_>) {
        self.guarded(UP, || {
            let end = self.settle(UP, self.relay_requests(first, input, requests));
            let rest = input.bytes();
            if rest.is_empty() || matches!(end, End::Left) {
                return end;
            }
            // The beginning of a head, or bytes that the server did not take.
            self.tap.push(UP, rest, None);
            match end {
                End::Fin | End::Truncated(_) => self.write(UP, rest).err().unwrap_or(end),
                end => end,
            }
        });
    }

    /// Relays the bytes of the server until its direction ends.
    pub fn relay_server(self: &Arc<Self>) {
        self.guarded(DOWN, || self.settle(DOWN, self.relay_responses()));
    }

    /// Returns true if the next request of the client, which is in the input, is for another server. Both directions of this relay have ended.
    pub fn is_left(&self) -> bool {
        self.fate.load(Ordering::SeqCst) == fate::LEFT
    }

    /// Sets the state of the connection to the server, unless it has ended or was left already; returns the state that was set first.
    fn decide(&self, fate: u8) -> u8 {
        self.fate
            .compare_exchange(fate::OPEN, fate, Ordering::SeqCst, Ordering::SeqCst)
            .map_or_else(|first| first, |_| fate)
    }

    /// Records the reset, if a side has reset the connection. Call it when both directions have ended.
    pub fn record_reset(&self) {
        self.tap.drain_all();
        if let Some(by) = self.reset_by.get() {
            self.tap.wiretap().reset(*by);
        }
    }

    /// Runs a direction to its end. If a bug panics in it, the other one must not wait for ever.
    fn guarded(&self, direction: Direction, run: impl FnOnce() -> End) {
        struct Cut<'a>(&'a Relay);
        impl Drop for Cut<'_> {
            fn drop(&mut self) {
                self.0.cut();
            }
        }
        let panicked = Cut(self);
        let end = run();
        std::mem::forget(panicked);
        self.end(direction, &end);
    }

    fn relay_responses(self: &Arc<Self>) -> End {
        let (mut input, mut responses) = (Input::new(), Responses::of(&self.exchange));
        loop {
            if let Err(end) = self.read_lane(DOWN, &mut input, self.control_wait(DOWN)) {
                return end;
            }
            let head = responses.watch(input.bytes(), &self.exchange);
            let time = self.tap.push(DOWN, input.bytes(), None);
            if self.exchange.is_websocket() && self.lanes.get().is_none() {
                self.begin_lanes();
            }
            let (head, frames) = input.bytes().split_at(head);
            let sent = match self.lane(DOWN) {
                Some(lane) => self.write(DOWN, head).and_then(|()| lane.pass(&**self, frames)),
                None => self.write(DOWN, input.bytes()),
            };
            if let Err(end) = sent {
                return end;
            }
            let is_busy = input.is_busy(time);
            self.tap.drain(is_busy);
            input.consume(input.bytes().len());
        }
    }

    /// The stream that a direction comes from.
    const fn source(&self, direction: Direction) -> &Arc<Stream> {
        match direction {
            UP => &self.client,
            DOWN => &self.server,
        }
    }

    /// Reads more, or nothing if no byte arrives within `timeout`.
    fn read(&self, direction: Direction, input: &mut Input, timeout: Option<Duration>) -> Result<(), End> {
        let source = self.source(direction);
        match input.read(source, timeout) {
            Err(e) if is_timeout(&e) => Ok(()),
            Ok(0) | Err(_) if self.is_left() => Err(End::Left),
            Ok(0) if self.is_cut() => Err(End::Cut),
            // The other thread's write may have taken the error of a reset.
            Ok(0) => Err(if self.is_reset(direction) { End::Reset } else { End::Fin }),
            Ok(_) => Ok(()),
            Err(_) if self.is_cut() => Err(End::Cut),
            Err(e) if is_tls_over(&e) => Err(End::Truncated(e)),
            Err(_) => Err(End::Reset),
        }
    }

    /// Records the end of a direction, and passes it on.
    fn end(&self, direction: Direction, end: &End) {
        self.tap.drain_all();
        self.tap.record_unkept(direction);
        // The end of a server that was left is not that of the client's connection.
        if direction == DOWN && self.decide(fate::ENDED) == fate::LEFT {
            return;
        }
        match end {
            End::Fin => {
                self.tap.wiretap().ended(direction, EndReason::Fin);
                self.end_delivered(direction, EndReason::Fin);
                // Before the FIN, upon which the other direction may end.
                self.set(direction, State::Ended);
                let _ = self.source(direction.opposite()).shutdown(Shutdown::Write);
                self.watch(direction);
            }
            End::Truncated(error) => {
                self.tap.wiretap().truncated(direction, error);
                self.set(direction, State::Ended);
                let _ = self.source(direction.opposite()).end_unannounced();
                self.watch(direction);
            }
            End::Reset => self.reset(direction),
            End::Broken => {
                self.set(direction, State::Broken);
                // The thread that reads from the receiver notices the reset, after the receiver's last bytes; unless it has ended.
                if self.state(direction.opposite()) != State::Runs {
                    self.reset(direction.opposite());
                }
            }
            End::Cut => self.cut(),
            // This wakes the thread that reads from the server.
            End::Left => drop(self.server.shutdown(Shutdown::Both)),
        }
    }

    /// Waits until the other direction has ended too. A side that has ended its own direction can still reset the connection.
    fn watch(&self, direction: Direction) {
        let mut states = self.states();
        while states[direction.opposite().index()] == State::Runs && !self.is_cut() {
            if self.source(direction).is_disconnected() {
                drop(states);
                return self.reset(direction);
            }
            states = self.changed.wait_timeout(states, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Returns true if the side that sends in a direction has reset the connection, although the other direction is still relayed.
    fn is_reset(&self, direction: Direction) -> bool {
        // Hold the lock for both checks: if the other direction ended between them, the socket would be disconnected without a reset.
        let states = self.states();
        match states[direction.opposite().index()] {
            State::Runs => self.source(direction).is_disconnected(),
            State::Broken => true,
            State::Ended => false,
        }
    }

    /// Resets the other side too.
    fn reset(&self, by: Direction) {
        let _ = self.reset_by.set(by);
        for stream in [&self.client, &self.server] {
            stream.reset_at_close();
        }
        self.cut.store(true, Ordering::SeqCst);
        self.changed.notify_all();
        // This wakes the other thread if it reads, and sends nothing. If it writes, then to the side that is lost.
        let _ = self.source(by.opposite()).shutdown(Shutdown::Read);
    }

    /// Ends both directions, which wakes the other thread.
    fn cut(&self) {
        if !self.cut.swap(true, Ordering::SeqCst) {
            for stream in [&self.client, &self.server] {
                let _ = stream.shutdown(Shutdown::Both);
            }
            self.changed.notify_all();
        }
    }

    fn state(&self, direction: Direction) -> State {
        self.states()[direction.index()]
    }

    fn set(&self, direction: Direction, state: State) {
        self.states()[direction.index()] = state;
        self.changed.notify_all();
    }

    fn states(&self) -> MutexGuard<'_, [State; 2]> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Link for Relay {
    /// Writes all bytes. While the receiver takes none, the sender is not read either.
    fn write(&self, direction: Direction, bytes: &[u8]) -> Result<(), End> {
        let to = self.source(direction.opposite());
        let mut rest = bytes;
        while !rest.is_empty() {
            let sent = match to.try_write(rest) {
                Err(e) if is_timeout(&e) => {
                    self.tap.drain(false);
                    to.write(rest)
                }
                sent => sent,
            };
            let is_stuck = sent.as_ref().is_err_and(is_timeout);
            match sent {
                Ok(n) => rest = &rest[n..],
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) if self.is_cut() => return Err(End::Cut),
                // Bytes that remain in the socket of a side that is gone are lost, as they would be without the proxy.
                Err(_) if is_stuck && self.is_reset(direction) => return Err(End::Reset),
                Err(_) if is_stuck => {}
                Err(_) => return Err(End::Broken),
            }
        }
        Ok(())
    }

    /// Returns true if the connection is being cut.
    fn is_cut(&self) -> bool {
        self.cut.load(Ordering::SeqCst) || self.connections.is_shutting_down()
    }

    /// Returns true if the side that sends in a direction has reset the connection.
    fn is_sender_lost(&self, direction: Direction) -> bool {
        self.is_reset(direction)
    }
}
