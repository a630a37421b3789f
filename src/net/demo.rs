//! The built-in demo client, which acts like the page in a browser, over a real loopback connection.
//!
//! Like the page, it connects to `/ticker` and replies to each `echo N` with `client: echo N`. It also sends a ping now and
//! then, which a page cannot. For the tour it gives a lesson instead: it sends a frame of each kind to `/echo`, and closes.

mod lesson;

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use self::lesson::Lesson;
use super::config::PageServer;
use super::listener::reachable;
use super::random::random;
use super::stream::Stream;
use super::tls::client::{self, Trust};
use super::tls::handshake;
use crate::proto::accept::accept_key;
use crate::proto::endpoint::{Endpoint, EndpointEvent, Limits, Sender};
use crate::wire::close::CloseCode;
use crate::wire::http::{self, Head};
use crate::wire::opcode::Opcode;

/// A ping is sent after each this many messages.
const MESSAGES_PER_PING: u64 = 5;

/// Poll interval for the stop flag.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Timeout of connecting, of the handshake and of the closing handshake, each.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The longest response head that the client reads, in bytes.
const MAX_HEAD: usize = 16 * 1024;

/// Why the demo client failed.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The connection failed.
    #[error("the demo client lost its connection to {address}: {source}")]
    Io {
        /// The server.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// The handshake failed.
    #[error("the demo client's handshake with {address} failed: {reason}")]
    Handshake {
        /// The server.
        address: SocketAddr,
        /// The reason.
        reason: HandshakeFailure,
    },
}

/// A running demo client. Dropping it stops the client.
pub struct DemoHandle {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<(), DemoError>>>,
}

/// What a demo client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// It replies to each message of `/ticker`, until it is stopped.
    Page,
    /// It sends a frame of each kind to `/echo` within seconds, and closes.
    Lesson,
}

/// Starts a demo client of a server of this program.
///
/// # Errors
/// When the system cannot start a thread.
pub fn start(server: impl Into<PageServer>, behaviour: Behaviour) -> io::Result<DemoHandle> {
    let server = server.into();
    let stop = Arc::new(AtomicBool::new(false));
    let address = reachable(server.address);
    let stopped = Arc::clone(&stop);
    let run = move || {
        Client::connect(address, server.is_tls, behaviour, &stopped).and_then(|client| client.run(&stopped)).map_err(
            |e| match e {
                Failure::Io(source) => DemoError::Io { address, source },
                Failure::Handshake(reason) => DemoError::Handshake { address, reason },
            },
        )
    };
    let thread = thread::Builder::new().name("demo".to_owned()).spawn(run)?;
    Ok(DemoHandle { stop, thread: Some(thread) })
}

impl DemoHandle {
    /// Returns true while the client runs.
    pub fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Closes the connection in order and waits for that, for a few seconds at most.
    ///
    /// # Errors
    /// The error with which the client had ended before.
    pub fn stop(mut self) -> Result<(), DemoError> {
        self.join()
    }

    fn join(&mut self) -> Result<(), DemoError> {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.take().map_or(Ok(()), |thread| thread.join().unwrap_or(Ok(())))
    }
}

impl Drop for DemoHandle {
    fn drop(&mut self) {
        // The error is of no use any more.
        let _ = self.join();
    }
}

/// Why the handshake of the demo client failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeFailure {
    /// No complete response arrived.
    #[error("no complete response arrived")]
    NoResponse,
    /// The server ended the connection before its response was complete.
    #[error("the server ended the connection before its response was complete")]
    Ended,
    /// The response does not switch to WebSocket.
    #[error("the response is {}, not 101 Switching Protocols", .status.map_or("unreadable".to_owned(), |code| code.to_string()))]
    NotSwitching {
        /// The status code, if the response has one.
        status: Option<u16>,
    },
    /// The accept key is not the one that belongs to the request's key (RFC 6455 §4.1).
    #[error("Sec-WebSocket-Accept does not match the key")]
    WrongAccept,
}

enum Failure {
    Io(io::Error),
    Handshake(HandshakeFailure),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

struct Client {
    stream: Stream,
    endpoint: Endpoint,
    /// Bytes that were read and not processed.
    input: Vec<u8>,
    task: Task,
}

/// What a client does after its handshake.
enum Task {
    /// It replies; the number of messages that it replied to.
    Reply(u64),
    Lesson(Lesson),
}

impl Client {
    /// Connects and performs the opening handshake (RFC 6455 §4.1).
    fn connect(address: SocketAddr, is_tls: bool, behaviour: Behaviour, stop: &AtomicBool) -> Result<Self, Failure> {
        let stream = Stream::tcp(TcpStream::connect_timeout(&address, TIMEOUT)?);
        let stream = if is_tls { encrypted(stream, address)? } else { stream };
        stream.set_read_timeout(Some(POLL_INTERVAL))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        let endpoint = Endpoint::client(Limits::default(), || random().to_ne_bytes());
        let (path, task) = match behaviour {
            Behaviour::Page => ("/ticker", Task::Reply(0)),
            Behaviour::Lesson => ("/echo", Task::Lesson(Lesson::default())),
        };
        let mut client = Self { stream, endpoint, input: Vec::new(), task };
        let mut nonce = [0; 16];
        for part in nonce.chunks_mut(4) {
            part.copy_from_slice(&random().to_ne_bytes());
        }
        let key = STANDARD.encode(nonce);
        let scheme = if is_tls { "https" } else { "http" };
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: framescope-demo/{}\r\nOrigin: {scheme}://{address}\r\n\
             Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n",
            env!("CARGO_PKG_VERSION")
        );
        write_all(&client.stream, request.as_bytes())?;
        let deadline = Instant::now() + TIMEOUT;
        let head_len = loop {
            if let Some(len) = http::head_len(&client.input, 0) {
                break len;
            }
            if client.input.len() > MAX_HEAD || Instant::now() > deadline || stop.load(Ordering::SeqCst) {
                return Err(Failure::Handshake(HandshakeFailure::NoResponse));
            }
            if !client.read()? {
                return Err(Failure::Handshake(HandshakeFailure::Ended));
            }
        };
        let head = Head::read(&client.input[..head_len]);
        if head.status() != Some(101) || !head.has_token("upgrade", "websocket") {
            return Err(Failure::Handshake(HandshakeFailure::NotSwitching { status: head.status() }));
        }
        // RFC 6455 §4.1, item 4 of the client's checks.
        if head.value("sec-websocket-accept") != Some(accept_key(key.as_bytes()).as_bytes()) {
            return Err(Failure::Handshake(HandshakeFailure::WrongAccept));
        }
        client.input.drain(..head_len);
        Ok(client)
    }

    /// Does its task until it is done or stopped, or the server closes; then waits for the server to end the connection.
    fn run(mut self, stop: &AtomicBool) -> Result<(), Failure> {
        let mut deadline = None;
        loop {
            self.process_input()?;
            self.go_on_with_lesson()?;
            if stop.load(Ordering::SeqCst) && deadline.is_none() {
                let mut out = Vec::new();
                self.endpoint.sender(&mut out).close(Some(CloseCode::NORMAL), "the demo is over");
                write_all(&self.stream, &out)?;
                deadline = Some(Instant::now() + TIMEOUT);
            }
            // RFC 6455 §7.1.1: the client waits for the server to end the TCP connection.
            if !self.read()? || deadline.is_some_and(|deadline| Instant::now() > deadline) {
                return Ok(());
            }
            if self.endpoint.is_over() {
                deadline.get_or_insert(Instant::now() + TIMEOUT);
            }
        }
    }

    /// Processes the bytes that were read, and writes the replies.
    fn process_input(&mut self) -> io::Result<()> {
        let mut out = Vec::new();
        let Self { endpoint, input, task, .. } = self;
        endpoint.receive(input, &mut out, |event, sender| {
            if let (EndpointEvent::Message { opcode: Opcode::Text, payload }, Task::Reply(replies)) =
                (event, &mut *task)
            {
                reply(payload, replies, sender);
            }
        });
        input.clear();
        write_all(&self.stream, &out)
    }

    /// Sends the next part of the lesson, if it is due.
    fn go_on_with_lesson(&mut self) -> io::Result<()> {
        let mut out = Vec::new();
        if let Task::Lesson(lesson) = &mut self.task {
            lesson.go_on(Instant::now(), &mut self.endpoint.sender(&mut out));
        }
        write_all(&self.stream, &out)
    }

    /// Reads bytes if some arrive within [`POLL_INTERVAL`]. Returns false if the server has ended its direction.
    fn read(&mut self) -> io::Result<bool> {
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer) {
            Ok(0) => Ok(false),
            Ok(n) => {
                self.input.extend_from_slice(&buffer[..n]);
                Ok(true)
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {
                Ok(true)
            }
            Err(e) => Err(e),
        }
    }
}

/// Begins TLS with a server of this program, whatever its certificate.
fn encrypted(stream: Stream, address: SocketAddr) -> io::Result<Stream> {
    let trust = Trust { insecure: true, ..Trust::default() };
    let config = client::config(&trust, None).map_err(io::Error::other)?;
    let stream = handshake::connect(Arc::new(stream), config, address.ip().into(), Instant::now() + TIMEOUT);
    stream.map(|stream| Stream::Tls(Box::new(stream))).map_err(io::Error::other)
}

fn write_all(stream: &Stream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match stream.write(bytes) {
            Ok(n) => bytes = &bytes[n..],
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

fn reply(payload: &[u8], replies: &mut u64, sender: &mut Sender<'_>) {
    sender.text(&format!("client: {}", String::from_utf8_lossy(payload)));
    *replies += 1;
    if replies.is_multiple_of(MESSAGES_PER_PING) {
        sender.ping(format!("ping {}", *replies / MESSAGES_PER_PING).as_bytes());
    }
}
