//! The built-in demo client: plays the browser's part over a real loopback connection.
//!
//! It does what the page does, connecting to `/ticker` and answering each `echo N` by `client: echo N`, and a ping now and
//! then, which a page cannot send.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::server::reachable;
use crate::proto::accept::accept_key;
use crate::proto::endpoint::{Endpoint, EndpointEvent, Limits, Sender};
use crate::wire::close::CloseCode;
use crate::wire::http::{self, Head};
use crate::wire::opcode::Opcode;

/// After how many messages comes a ping.
const PING_EACH: u64 = 5;

/// How often the client looks whether it has to stop.
const GLANCE: Duration = Duration::from_millis(50);

/// How long connecting, the handshake and the closing handshake may take, each.
const PATIENCE: Duration = Duration::from_secs(2);

/// The longest response head that is read, in bytes.
const MAX_HEAD: usize = 16 * 1024;

/// Why the demo client ended.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The connection failed.
    #[error("the demo client lost its connection to {address}: {source}")]
    Io {
        /// The server.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The server's answer is no right handshake.
    #[error("the demo client was not let in by {address}: {what}")]
    Refused {
        /// The server.
        address: SocketAddr,
        /// What is wrong.
        what: &'static str,
    },
}

/// A demo client at work. It stops when this is dropped.
pub struct DemoHandle {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<(), DemoError>>>,
}

/// Starts a demo client of the server that listens on `address`.
///
/// # Errors
/// When the system gives no thread.
pub fn start(address: SocketAddr) -> io::Result<DemoHandle> {
    let stop = Arc::new(AtomicBool::new(false));
    let address = reachable(address);
    let stopped = Arc::clone(&stop);
    let run = move || {
        Client::connect(address, &stopped).and_then(|client| client.talk(&stopped)).map_err(|e| match e {
            Failure::Io(source) => DemoError::Io { address, source },
            Failure::Refused(what) => DemoError::Refused { address, what },
        })
    };
    let thread = thread::Builder::new().name("demo".to_owned()).spawn(run)?;
    Ok(DemoHandle { stop, thread: Some(thread) })
}

impl DemoHandle {
    /// Whether it is still talking.
    pub fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Closes the connection in order and waits for that, a few seconds at most.
    ///
    /// # Errors
    /// Why the client had ended before.
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
        // Nobody asks any more why it ended.
        let _ = self.join();
    }
}

enum Failure {
    Io(io::Error),
    Refused(&'static str),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

struct Client {
    stream: TcpStream,
    endpoint: Endpoint,
    /// What was read.
    input: Vec<u8>,
    answered: u64,
}

impl Client {
    /// Connects and makes the handshake (RFC 6455 §4.1).
    fn connect(address: SocketAddr, stop: &AtomicBool) -> Result<Self, Failure> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(GLANCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let endpoint = Endpoint::client(Limits::default(), || random().to_ne_bytes());
        let mut client = Self { stream, endpoint, input: Vec::new(), answered: 0 };
        let mut nonce = [0; 16];
        for part in nonce.chunks_mut(4) {
            part.copy_from_slice(&random().to_ne_bytes());
        }
        let key = STANDARD.encode(nonce);
        let request = format!(
            "GET /ticker HTTP/1.1\r\nHost: {address}\r\nUser-Agent: framescope-demo/{}\r\nOrigin: http://{address}\r\n\
             Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n",
            env!("CARGO_PKG_VERSION")
        );
        client.stream.write_all(request.as_bytes())?;
        let deadline = Instant::now() + PATIENCE;
        let head_len = loop {
            if let Some(len) = http::head_len(&client.input, 0) {
                break len;
            }
            if client.input.len() > MAX_HEAD || Instant::now() > deadline || stop.load(Ordering::SeqCst) {
                return Err(Failure::Refused("no answer to the handshake came"));
            }
            if !client.read()? {
                return Err(Failure::Refused("the server ended the connection"));
            }
        };
        let head = Head::read(&client.input[..head_len]);
        if head.status() != Some(101) || !head.has_token("upgrade", "websocket") {
            return Err(Failure::Refused("the answer is not 101 Switching Protocols"));
        }
        // RFC 6455 §4.1, item 4 of the client's checks.
        if head.value("sec-websocket-accept") != Some(accept_key(key.as_bytes()).as_bytes()) {
            return Err(Failure::Refused("Sec-WebSocket-Accept does not fit the key"));
        }
        client.input.drain(..head_len);
        Ok(client)
    }

    /// Answers until it is stopped or the server closes; then waits for the server's end.
    fn talk(mut self, stop: &AtomicBool) -> Result<(), Failure> {
        let mut deadline = None;
        loop {
            self.answer()?;
            if stop.load(Ordering::SeqCst) && deadline.is_none() {
                let mut out = Vec::new();
                self.endpoint.sender(&mut out).close(Some(CloseCode::NORMAL), "the demo is over");
                self.stream.write_all(&out)?;
                deadline = Some(Instant::now() + PATIENCE);
            }
            // RFC 6455 §7.1.1: the client waits for the server to end the TCP connection.
            if !self.read()? || deadline.is_some_and(|deadline| Instant::now() > deadline) {
                return Ok(());
            }
            if self.endpoint.is_over() {
                deadline.get_or_insert(Instant::now() + PATIENCE);
            }
        }
    }

    /// Takes what was read.
    fn answer(&mut self) -> io::Result<()> {
        let mut out = Vec::new();
        let Self { endpoint, input, answered, .. } = self;
        endpoint.receive(input, &mut out, |event, sender| {
            if let EndpointEvent::Message { opcode: Opcode::Text, payload } = event {
                answer(payload, answered, sender);
            }
        });
        input.clear();
        self.stream.write_all(&out)
    }

    /// Reads what is there, waiting a moment for it; whether the server may say more.
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

fn answer(payload: &[u8], answered: &mut u64, sender: &mut Sender<'_>) {
    sender.text(&format!("client: {}", String::from_utf8_lossy(payload)));
    *answered += 1;
    if answered.is_multiple_of(PING_EACH) {
        sender.ping(format!("ping {}", *answered / PING_EACH).as_bytes());
    }
}

/// 32 bits that nobody can predict without the process's own hash keys: what a masking key needs (RFC 6455 §10.3).
fn random() -> u32 {
    RandomState::new().build_hasher().finish() as u32
}
