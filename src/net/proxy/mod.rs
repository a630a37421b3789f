//! The reverse proxy: it relays connections to one server byte for byte, and records them.
//!
//! Two threads serve each connection, one per direction. Each writes what it has read before it reads again, so a side that takes no
//! bytes stops only the side that sends them. The capture has the bytes that each side sent. What goes on with other bytes, such as
//! Host, is in a note on the request.
//!
//! | file | what it does |
//! | --- | --- |
//! | `requests` | finds the heads in what the client sends |
//! | `rewrite` | changes Host, the path and Origin in a head |
//! | `exchange` | watches the responses, to notice that the protocol is switched |
//! | `relay` | the two directions, and how each ends |
//! | `tap` | the bytes that wait to be recorded |

mod exchange;
mod relay;
mod requests;
mod rewrite;
mod tap;

use std::io;
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ClientConfig;

use self::exchange::Exchange;
use self::relay::{Input, Relay};
use self::requests::{Outgoing, Requests};
pub use self::rewrite::Rewriting;
use self::tap::Tap;
use super::dial::{DialError, dial};
use super::http::Response;
use super::listener::{Accepted, BindError, Listener, ListenerHandle, Service};
use super::stream::Stream;
use super::tls::failure;
use super::tls::handshake::{self, HandshakeFailure};
use super::tls::server::{Opening, ServerTls};
use super::wiretap::Wiretap;
use crate::capture::live::recorder::Recorder;
use crate::proto::dissected::{Direction, EndReason};
use crate::wire::http;
use crate::wire::url::Url;

/// How long a connection to the server may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a client may take to end its direction after a refusal.
const FIN_TIMEOUT: Duration = Duration::from_secs(1);

const UP: Direction = Direction::ClientToServer;
const DOWN: Direction = Direction::ServerToClient;

/// Why the proxy has no connection to its server. The words follow "the proxy".
#[derive(Debug, thiserror::Error)]
enum ConnectError {
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error("would connect to itself: {0} is the address that it listens on; use the address of your server")]
    Itself(SocketAddr),
    #[error("cannot use the server: {words}")]
    Tls {
        /// Whether it took too long.
        timed_out: bool,
        /// The reason.
        words: String,
    },
    #[error("speaks TLS on this port: use https://{0}/ or wss://{0}/ in place of an address without TLS")]
    NotTls(SocketAddr),
}

impl ConnectError {
    /// The status of the response (RFC 9110 §15.5.1, §15.6.3, §15.6.5; RFC 5842 §7.2).
    const fn status(&self) -> u16 {
        match self {
            Self::Dial(DialError::TimedOut { .. }) | Self::Tls { timed_out: true, .. } => 504,
            Self::Dial(_) | Self::Tls { .. } => 502,
            Self::NotTls(_) => 400,
            Self::Itself(_) => 508,
        }
    }
}

/// The settings of a proxy.
#[derive(Clone, Debug)]
pub struct ProxyConfig {
    /// The address to listen on; port 0 takes a free port.
    pub listen: SocketAddr,
    /// The server, and what changes in requests to it.
    pub rewriting: Rewriting,
    /// How long a connection to the server may take.
    pub connect_timeout: Duration,
    /// TLS with clients.
    pub tls: Option<Arc<ServerTls>>,
    /// TLS with the server, if its URL asks for it.
    pub trust: Option<Arc<ClientConfig>>,
}

impl ProxyConfig {
    /// A proxy with the usual limits.
    pub fn new(listen: SocketAddr, target: Url) -> Self {
        let rewriting = Rewriting { target, origin: false, any_host: !listen.ip().is_loopback() };
        Self { listen, rewriting, connect_timeout: CONNECT_TIMEOUT, tls: None, trust: None }
    }
}

/// A proxy that listens but does not accept connections yet.
pub struct Proxy {
    listener: Listener,
    config: ProxyConfig,
}

impl Proxy {
    /// Listens on the configured address.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn bind(config: ProxyConfig) -> Result<Self, BindError> {
        Ok(Self { listener: Listener::bind(config.listen)?, config })
    }

    /// A warning, in one line, if other machines can connect.
    pub fn warning(&self) -> Option<String> {
        self.listener.warning()
    }

    /// Starts to accept connections, which `recorder` records. A shutdown cuts them.
    ///
    /// # Errors
    /// When the system cannot start a thread.
    pub fn start(self, recorder: Recorder) -> io::Result<ListenerHandle> {
        self.listener.start(self.config, recorder)
    }
}

impl Service for ProxyConfig {
    fn serve(&self, accepted: Accepted, recorder: &Recorder) {
        let Accepted { stream: client, peer, local, connections } = accepted;
        // The address that the client connected to: the findings about Host are about what the client did.
        let opening = match &self.tls {
            None => Ok(Opening::Plain(client)),
            Some(tls) => tls.accept(client, local.ip(), Instant::now() + self.connect_timeout),
        };
        let (client, is_tls) = match opening {
            Ok(Opening::Tls(client)) => (client, true),
            Ok(Opening::Plain(client)) => (client, false),
            Err(error) => {
                // Nothing was decrypted, so the capture has no connection.
                if let Some(line) = failure::with_client(&error) {
                    recorder.capture().add_notice(&line);
                }
                return;
            }
        };
        let connection = recorder.connection(peer, local);
        connection.decrypted(is_tls, self.trust.is_some());
        let tap = Arc::new(Tap::new(Wiretap::new(connection)));
        let exchange = Arc::<Exchange>::default();
        let (mut input, mut requests) = (Input::new(), Requests::new(&self.rewriting));
        let Some(first) = first(&client, &mut input, &mut requests, &exchange, &tap) else { return };
        if connections.is_shutting_down() {
            tap.push(UP, input.bytes(), None);
            return tap.drain_all();
        }
        // A request without a body is on the screen while the proxy connects.
        let note = first.changed.as_ref().map(|changed| changed.note.clone());
        tap.push(UP, &input.bytes()[..first.len], note);
        tap.drain_all();
        let connected = match self.tls.is_some() && !is_tls {
            true => Err(ConnectError::NotTls(local)),
            false => self.connect(local),
        };
        let server = match connected {
            Ok(server) => Arc::new(server),
            Err(error) => {
                tap.push(UP, &input.bytes()[first.len..], None);
                return decline(&client, &mut input, &tap, &error);
            }
        };
        let Some(_guard) = connections.add(&server) else { return };
        let relay = Relay::new([&client, &server], &tap, &exchange, &connections);
        if relay.run(&first, &mut input, &mut requests).is_err() {
            recorder.capture().add_notice("the system has no free threads: a connection was not relayed");
        }
    }
}

impl ProxyConfig {
    /// Connects to the server, for a client that connected to `local`.
    fn connect(&self, local: SocketAddr) -> Result<Stream, ConnectError> {
        let target = &self.rewriting.target;
        let stream = dial(target.host(), target.port(), self.connect_timeout)?;
        if let (Ok(server), Ok(own)) = (stream.peer_addr(), stream.local_addr())
            && self.is_itself(server, own, local)
        {
            return Err(ConnectError::Itself(server));
        }
        let stream = Stream::tcp(stream);
        let Some(config) = &self.trust else { return Ok(stream) };
        let stream = handshake::connect_to(target.host(), stream, config, Instant::now() + self.connect_timeout);
        stream.map_err(|failure| ConnectError::Tls {
            timed_out: matches!(failure, HandshakeFailure::TimedOut),
            words: failure::with_server(target.authority(), &failure),
        })
    }

    /// Returns true if a connection from `own` to `server` reaches the listener, which accepted one at `local`.
    fn is_itself(&self, server: SocketAddr, own: SocketAddr, local: SocketAddr) -> bool {
        let same = |a: SocketAddr, b: SocketAddr| a.ip().to_canonical() == b.ip().to_canonical();
        let is_any = self.listen.ip().is_unspecified();
        server.port() == local.port() && (same(server, local) || is_any && same(server, own))
    }
}

/// Reads until there is something to send; `None` if the client ends before, without a byte.
fn first(
    client: &Stream,
    input: &mut Input,
    requests: &mut Requests<'_>,
    exchange: &Exchange,
    tap: &Tap,
) -> Option<Outgoing> {
    loop {
        if let Some(first) = requests.next(input.bytes(), exchange) {
            return Some(first);
        }
        match input.read(client, None) {
            Ok(0) if input.bytes().is_empty() => return None,
            // The beginning of a head.
            Ok(0) => return Some(Outgoing { len: input.bytes().len(), changed: None }),
            Ok(_) => {}
            Err(_) => {
                tap.push(UP, input.bytes(), None);
                tap.drain_all();
                tap.wiretap().reset(UP);
                return None;
            }
        }
    }
}

/// Answers a client whose server cannot be reached, with the reason (RFC 9110 §15.6.3, §15.6.5).
fn decline(client: &Stream, input: &mut Input, tap: &Tap, error: &ConnectError) {
    tap.drain_all();
    let head = http::Head::read(input.bytes());
    if client.is_disconnected() {
        return tap.wiretap().reset(UP);
    }
    if !http::may_be_request(input.bytes()) || head.end.is_none() {
        // It does not speak HTTP: no response would be understood.
        tap.wiretap().reset(DOWN);
        return client.reset_at_close();
    }
    let mut response = Vec::new();
    let words = format!("The proxy {error}.");
    Response::text(error.status(), &words).closing().encode(head.method() == Some(b"HEAD"), &mut response);
    let _ = client.set_write_timeout(Some(FIN_TIMEOUT));
    let mut written = 0;
    while let Some(n) = client.write(&response[written..]).ok().filter(|n| *n > 0) {
        written += n;
    }
    if written > 0 {
        tap.push(DOWN, &response[..written], Some(format!("framescope sent this response: it {error}")));
        tap.drain_all();
    }
    if written < response.len() {
        return tap.wiretap().reset(UP);
    }
    tap.wiretap().ended(DOWN, EndReason::Fin);
    let _ = client.shutdown(Shutdown::Write);
    // Until the client has ended its direction: if bytes of it remain unread, the system resets the connection, and the client may
    // lose the response.
    let deadline = Instant::now() + FIN_TIMEOUT;
    loop {
        input.consume(input.bytes().len());
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        match input.read(client, Some(left)) {
            Ok(0) => return tap.wiretap().ended(UP, EndReason::Fin),
            Ok(_) => {
                tap.push(UP, input.bytes(), None);
                tap.drain_all();
            }
            Err(e) if e.kind() == io::ErrorKind::ConnectionReset => return tap.wiretap().reset(UP),
            Err(_) => return,
        }
    }
}
