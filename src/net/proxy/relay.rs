//! Relays the bytes of one connection in both directions as they arrive, with the ends of each direction: a FIN and a RST pass too.

use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::thread;
use std::time::Duration;

use super::exchange::{Exchange, Responses};
use super::requests::{Outgoing, Requests};
use super::tap::Tap;
use crate::net::connections::OpenConnections;
use crate::net::listener::STACK;
use crate::net::stream::Stream;
use crate::proto::dissected::{Direction, EndReason};
use crate::proto::time::Time;

const UP: Direction = Direction::ClientToServer;
const DOWN: Direction = Direction::ServerToClient;

/// Initial and largest size of a read buffer in bytes. It is small at first, so that a thousand idle connections take little memory.
const BUFFER: [usize; 2] = [4 << 10, 64 << 10];

/// Two reads less than this apart count as quick.
const QUICK: Duration = Duration::from_millis(1);

/// A direction is busy after this many quick reads in a row. Then the capture lags by at most 5 ms.
const BUSY_AFTER: u32 = 32;

/// A direction goes on.
const RUNS: u8 = 0;

/// Its sender has ended it, and the receiver knows.
const ENDED: u8 = 1;

/// Its receiver takes no bytes any more.
const REFUSED: u8 = 2;

/// A client and its server.
pub struct Relay {
    client: Arc<Stream>,
    server: Arc<Stream>,
    tap: Arc<Tap>,
    exchange: Arc<Exchange>,
    connections: Arc<OpenConnections>,
    /// The state of each direction: [`RUNS`], [`ENDED`] or [`REFUSED`].
    states: [AtomicU8; 2],
    /// Whether the connection is being cut.
    cut: AtomicBool,
}

/// Bytes that were read, and which of them remain.
pub struct Input {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    last_read: Time,
    quick_reads: u32,
}

/// The end of a direction.
enum End {
    /// The sender ended it (FIN).
    Fin,
    /// The sender reset the connection.
    Reset,
    /// The receiver takes no bytes any more.
    Refused,
    /// The relay itself cut the connection.
    Cut,
}

impl Relay {
    pub fn new(
        streams: [&Arc<Stream>; 2],
        tap: &Arc<Tap>,
        exchange: &Arc<Exchange>,
        connections: &Arc<OpenConnections>,
    ) -> Self {
        let [client, server] = streams.map(Arc::clone);
        let (tap, exchange, connections) = (Arc::clone(tap), Arc::clone(exchange), Arc::clone(connections));
        Self { client, server, tap, exchange, connections, states: Default::default(), cut: AtomicBool::new(false) }
    }

    /// Relays both directions until both have ended. `first` goes to the server first; it is recorded already.
    ///
    /// # Errors
    /// When the system cannot start the thread of the other direction.
    pub fn run(&self, first: &Outgoing, input: &mut Input, requests: &mut Requests<'_>) -> io::Result<()> {
        thread::scope(|scope| {
            let relay_server = || self.guarded(DOWN, || self.relay_server());
            thread::Builder::new().name("to client".to_owned()).stack_size(STACK).spawn_scoped(scope, relay_server)?;
            self.guarded(UP, || self.relay_client(first, input, requests));
            Ok(())
        })
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

    fn relay_client(&self, first: &Outgoing, input: &mut Input, requests: &mut Requests<'_>) -> End {
        let sent = first.changed.as_ref().map_or(&input.bytes()[..first.len], |changed| &*changed.bytes);
        if let Err(end) = self.write(UP, sent) {
            return end;
        }
        input.consume(first.len);
        loop {
            while let Some(out) = requests.next(input.bytes(), &self.exchange) {
                let bytes = &input.bytes()[..out.len];
                let (note, changed) = out.changed.map(|changed| (changed.note, changed.bytes)).unzip();
                let time = self.tap.push(UP, bytes, note);
                if let Err(end) = self.write(UP, changed.as_deref().unwrap_or(bytes)) {
                    return end;
                }
                let is_busy = input.is_busy(time);
                self.tap.drain(is_busy);
                input.consume(out.len);
            }
            if let Err(end) = self.read(UP, input) {
                // What remains is the beginning of a head.
                self.tap.push(UP, input.bytes(), None);
                return match end {
                    End::Fin => self.write(UP, input.bytes()).err().unwrap_or(End::Fin),
                    end => end,
                };
            }
        }
    }

    fn relay_server(&self) -> End {
        let (mut input, mut responses) = (Input::new(), Responses::new());
        loop {
            if let Err(end) = self.read(DOWN, &mut input) {
                return end;
            }
            responses.watch(input.bytes(), &self.exchange);
            let time = self.tap.push(DOWN, input.bytes(), None);
            if let Err(end) = self.write(DOWN, input.bytes()) {
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

    fn read(&self, direction: Direction, input: &mut Input) -> Result<(), End> {
        let source = self.source(direction);
        match input.read(source) {
            Ok(0) if self.is_cut() => Err(End::Cut),
            // The other thread's write may have taken the error of a reset.
            Ok(0) => match self.state(direction.opposite()) {
                RUNS if source.is_disconnected() => Err(End::Reset),
                REFUSED => Err(End::Reset),
                _ => Err(End::Fin),
            },
            Ok(_) => Ok(()),
            Err(_) if self.is_cut() => Err(End::Cut),
            Err(_) => Err(End::Reset),
        }
    }

    /// Writes all bytes. While the receiver takes none, the sender is not read either.
    fn write(&self, direction: Direction, bytes: &[u8]) -> Result<(), End> {
        let to = self.source(direction.opposite());
        let mut rest = bytes;
        while !rest.is_empty() {
            let sent = match to.try_write(rest) {
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    self.tap.drain(false);
                    to.write(rest)
                }
                sent => sent,
            };
            match sent {
                Ok(n) => rest = &rest[n..],
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) if self.is_cut() => return Err(End::Cut),
                Err(_) => return Err(End::Refused),
            }
        }
        Ok(())
    }

    /// Records the end of a direction, and passes it on.
    fn end(&self, direction: Direction, end: &End) {
        self.tap.drain_all();
        match end {
            End::Fin => {
                self.tap.wiretap().ended(direction, EndReason::Fin);
                // Before the FIN, upon which the other direction may end.
                self.set(direction, ENDED);
                let _ = self.source(direction.opposite()).shutdown(Shutdown::Write);
            }
            End::Reset => self.reset(direction),
            End::Refused => {
                self.set(direction, REFUSED);
                // The thread that reads from the receiver notices the reset, after the receiver's last bytes; unless it has ended.
                if self.state(direction.opposite()) != RUNS {
                    self.reset(direction.opposite());
                }
            }
            End::Cut => self.cut(),
        }
    }

    /// Records that a side has reset the connection, and resets the other side.
    fn reset(&self, by: Direction) {
        self.tap.wiretap().reset(by);
        for stream in [&self.client, &self.server] {
            stream.reset_at_close();
        }
        self.cut.store(true, Ordering::SeqCst);
        // This wakes the other thread if it reads, and sends nothing. If it writes, then to the side that is lost.
        let _ = self.source(by.opposite()).shutdown(Shutdown::Read);
    }

    /// Ends both directions, which wakes the other thread.
    fn cut(&self) {
        if !self.cut.swap(true, Ordering::SeqCst) {
            for stream in [&self.client, &self.server] {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }

    fn is_cut(&self) -> bool {
        self.cut.load(Ordering::SeqCst) || self.connections.is_shutting_down()
    }

    fn state(&self, direction: Direction) -> u8 {
        self.states[direction.index()].load(Ordering::SeqCst)
    }

    fn set(&self, direction: Direction, state: u8) {
        self.states[direction.index()].store(state, Ordering::SeqCst);
    }
}

impl Input {
    pub fn new() -> Self {
        Self { buffer: vec![0; BUFFER[0]], start: 0, end: 0, last_read: Time(0), quick_reads: 0 }
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
    /// The stream's.
    pub fn read(&mut self, stream: &Stream) -> io::Result<usize> {
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
    fn is_busy(&mut self, time: Time) -> bool {
        let is_quick = u128::from(time.0 - self.last_read.0) < QUICK.as_nanos();
        self.quick_reads = if is_quick { self.quick_reads.saturating_add(1) } else { 0 };
        self.last_read = time;
        self.quick_reads >= BUSY_AFTER
    }
}
