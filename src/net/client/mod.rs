//! A WebSocket client (RFC 6455 §4.1) whose traffic is recorded.
//!
//! Two threads serve a connection: `client` reads, and `client-out` writes, sends pings and delayed pongs, runs the script and
//! enforces the closing timeouts. Neither blocks the other: a server that does not read until its answers are read causes no deadlock.

mod driver;
mod end;
mod reader;
mod request;
mod response;
mod shared;
mod tap;

use std::io;
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub use self::end::ClientEnd;
pub use self::request::RequestConfig;
pub use self::response::Refusal;
use self::shared::Shared;
use self::tap::Tap;
use super::heartbeat::HeartbeatConfig;
use super::script_run::ScriptRun;
use super::stream::Stream;
use super::wiretap::Wiretap;
use crate::capture::live::recorder::Recorder;
use crate::proto::dissected::Direction;
use crate::script::{Outgoing, Script};
use crate::wire::close::CloseCode;

/// How long the server may take for its response to the handshake request.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a write may wait for a server that takes no bytes.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long to wait for the server's Close after ours.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long to wait for the server's FIN after both Closes (RFC 6455 §7.1.1).
const FIN_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a shutdown waits for the threads to end.
const SHUTDOWN_GRACE: Duration = Duration::from_millis(800);

/// How long it waits again after it has cut the connection.
const SHUTDOWN_CUT: Duration = Duration::from_millis(800);

/// The settings of a client.
#[derive(Clone, Debug, Default)]
pub struct ClientConfig {
    /// The handshake.
    pub request: RequestConfig,
    /// The heartbeats.
    pub heartbeat: HeartbeatConfig,
    /// The script to run.
    pub script: Option<Arc<Script>>,
}

/// A connection of a client; clones are the same connection.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

impl Client {
    /// Starts the handshake on a connected stream, from the address `local` to `server`. Calls `ended` when the connection has ended and
    /// its records are in the capture.
    ///
    /// # Errors
    /// When the system cannot start a thread.
    pub fn start(
        stream: Arc<Stream>,
        [local, server]: [SocketAddr; 2],
        config: ClientConfig,
        recorder: &Recorder,
        ended: impl FnOnce(&ClientEnd) + Send + 'static,
    ) -> io::Result<Self> {
        // If the socket refuses it, the connection is lost, and the first write fails.
        let _ = stream.set_write_timeout(Some(WRITE_TIMEOUT));
        let connection = recorder.connection(local, server);
        connection.decrypted(false, matches!(*stream, Stream::Tls(_)));
        let tap = Tap::new(Wiretap::new(connection));
        let shared = Arc::new(Shared::new(stream, tap));
        let script = config.script.as_ref();
        let script = script.map(|script| ScriptRun::new(script, recorder.capture(), Direction::ServerToClient));
        let writing = Arc::clone(&shared);
        let writer = thread::Builder::new().name("client-out".to_owned());
        let writer = writer.spawn(move || driver::run(&writing, script))?;
        let reading = Arc::clone(&shared);
        let read = move || {
            let end = reader::run(&reading, &config);
            reading.change(|state| state.end = Some(end.clone()));
            reading.finish(writer);
            ended(&end);
        };
        let spawned = thread::Builder::new().name("client".to_owned()).spawn(read);
        if let Err(e) = spawned {
            shared.change(|state| state.end = Some(ClientEnd::Stopped));
            return Err(e);
        }
        Ok(Self(shared))
    }

    /// Waits until the handshake is done. Returns false if it failed.
    pub fn wait_open(&self, timeout: Duration) -> bool {
        self.0.wait_until(timeout, |state| state.open.is_some())
    }

    /// True from the end of the handshake until the connection ends or this side sends its Close.
    pub fn is_open(&self) -> bool {
        let state = self.0.lock();
        state.open.is_some() && !state.is_over() && state.closed.is_none()
    }

    /// Waits until either side has sent its Close, or the connection has ended. Returns false if neither happened in time.
    pub fn wait_closing(&self, timeout: Duration) -> bool {
        self.0.wait_until(timeout, |state| state.closed.is_some() || state.is_over())
    }

    /// Queues a message or frame. Returns false if the connection is not open, or this side has sent its Close.
    pub fn send(&self, outgoing: &Outgoing) -> bool {
        self.0.change(|state| state.queue(outgoing))
    }

    /// The same, but waits first while the server does not take what was sent before.
    pub fn send_in_time(&self, outgoing: &Outgoing) -> bool {
        self.0.wait_for_space();
        self.send(outgoing)
    }

    /// Waits until every ping of both sides is answered, all is sent, and nothing has arrived for `linger`; for at most `longest`.
    pub fn settle(&self, linger: Duration, longest: Duration) {
        let started = Instant::now();
        let longest = started + longest;
        let mut state = self.0.lock();
        while state.end.is_none() && !state.is_over() {
            let now = Instant::now();
            let quiet = state.last_read.max(started) + linger;
            let owes_pong = state.open.as_ref().is_some_and(|open| open.heartbeat.owes_pong());
            let is_done = state.pings.is_empty() && !owes_pong && state.out.is_empty() && !state.writing;
            if now >= longest || is_done && now >= quiet {
                return;
            }
            let until = if is_done { quiet.min(longest) } else { longest };
            state = self.0.wait(state, Some(until));
        }
    }

    /// The number of the connection in the capture; `None` until bytes of it are part of the capture.
    pub fn number(&self) -> Option<u32> {
        self.0.tap.number()
    }

    /// How many messages the server has sent.
    pub fn messages(&self) -> u64 {
        self.0.lock().messages
    }

    /// Waits until the server has sent so many messages. Returns false if it has not.
    pub fn wait_messages(&self, messages: u64, timeout: Duration) -> bool {
        self.0.wait_until(timeout, |state| state.messages >= messages)
    }

    /// How the connection ended; `None` while it has not.
    pub fn end(&self) -> Option<ClientEnd> {
        self.0.lock().end.clone()
    }

    /// How the script ended; an error is one line for people. `None` while it runs, and without a script.
    pub fn script_end(&self) -> Option<Result<(), String>> {
        self.0.lock().script.clone()
    }

    /// Waits until the script has ended. Returns false if the connection ended before.
    pub fn wait_script(&self) -> bool {
        self.0.wait_until(Duration::MAX, |state| state.script.is_some())
    }

    /// Waits until the connection has ended and its records are in the capture. Returns how it ended.
    pub fn wait_end(&self, timeout: Duration) -> Option<ClientEnd> {
        let deadline = Instant::now().checked_add(timeout);
        let mut state = self.0.lock();
        while !state.is_finished {
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return None;
            }
            state = self.0.wait(state, deadline);
        }
        state.end.clone()
    }

    /// Ends the connection within two seconds, however mute the server is: sends Close 1001 if none was sent, and cuts it if the server
    /// does not answer.
    pub fn shutdown(&self) {
        let reason = String::new();
        self.send(&Outgoing::Close { code: Some(CloseCode::GOING_AWAY), reason });
        let is_open = self.0.lock().open.is_some();
        if is_open && self.wait_end(SHUTDOWN_GRACE).is_some() {
            return;
        }
        self.0.cut(ClientEnd::Stopped);
        self.wait_end(SHUTDOWN_CUT);
    }
}

impl Shared {
    /// Ends the client's direction, and records its end after everything that `writer` has written.
    fn finish(&self, writer: JoinHandle<()>) {
        // A write that the server does not take ends with an error now.
        let is_ended = self.stream.shutdown(Shutdown::Write).is_ok();
        // It returns nothing; a panic was reported.
        let _ = writer.join();
        if is_ended {
            self.tap.client_ended();
        }
        // This fails if the connection is lost already.
        let _ = self.stream.shutdown(Shutdown::Both);
        self.tap.given_up();
        self.change(|state| state.is_finished = true);
    }

    /// Ends the connection because it cannot be written to. What has arrived is read first.
    fn stop_writing(&self, why: ClientEnd) {
        self.change(|state| {
            state.cut.get_or_insert(why);
        });
        // This fails if the connection is lost already.
        let _ = self.stream.shutdown(Shutdown::Read);
    }
}
