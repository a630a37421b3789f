//! The reverse proxy: it relays connections to one server byte for byte, and records them. [`forward`] has the proxy for any server.
//!
//! Two threads serve each connection, one per direction; that of the server connects to it while the other one reads. Each writes what
//! it has read before it reads again, so a side that takes no bytes stops only the side that sends them. The capture has the bytes that
//! each side sent. If a request is changed, for example its Host, a note on it has both forms.
//!
//! | file | what it does |
//! | --- | --- |
//! | `requests` | finds the heads in the bytes of the client |
//! | `framing` | finds where the body of a request ends |
//! | `rewrite` | changes Host, the path and Origin in a head |
//! | `exchange` | watches the responses, to notice that the protocol is switched |
//! | `connect` | connects to a server |
//! | `decline` | answers a client whose server cannot be reached |
//! | `relay` | the two directions, and how each ends |
//! | `input` | the bytes that were read and not forwarded |
//! | `tap` | the bytes that wait to be recorded |
//! | `forward/` | the forward proxy |
//! | `hold/` | held messages, and frames that the user sends |

mod connect;
mod decline;
mod end;
mod exchange;
pub mod forward;
mod framing;
pub mod hold;
mod input;
mod relay;
mod requests;
mod rewrite;
mod tap;

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use rustls::ClientConfig;

use self::connect::{ConnectError, connect_to, is_itself};
use self::decline::Declining;
use self::exchange::Exchange;
use self::hold::Hold;
use self::input::Input;
use self::relay::Relay;
use self::requests::{Heads, Outgoing, Requests};
pub use self::rewrite::Rewriting;
use self::rewrite::Rewritten;
use self::tap::Tap;
use super::connections::{OpenConnections, OpenGuard};
use super::dial::addresses;
use super::listener::{Accepted, BindError, Listener, ListenerHandle, STACK, Service, reachable};
use super::stream::Stream;
use super::tls::handshake;
use super::tls::server::{self, Opened, ServerTls};
use super::wiretap::Wiretap;
use crate::capture::live::recorder::Recorder;
use crate::proto::dissected::Direction;
use crate::wire::url::Url;

/// How long a connection to the server may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

const UP: Direction = Direction::ClientToServer;
const DOWN: Direction = Direction::ServerToClient;

/// Why a proxy cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It cannot listen.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Its server is the proxy itself.
    #[error(
        "TARGET is the address {0}, on which the proxy itself listens; give the address of your server, or another one with --listen"
    )]
    Itself(SocketAddr),
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
    /// The rules that hold messages.
    pub hold: Arc<Hold>,
}

impl ProxyConfig {
    /// A proxy with the usual limits.
    pub fn new(listen: SocketAddr, target: Url) -> Self {
        let rewriting = Rewriting { target, origin: false, any_host: !listen.ip().is_loopback() };
        Self { listen, rewriting, connect_timeout: CONNECT_TIMEOUT, tls: None, trust: None, hold: Arc::default() }
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
    /// See [`StartError`].
    pub fn bind(config: ProxyConfig) -> Result<Self, StartError> {
        let listener = Listener::bind(config.listen)?;
        match config.own_address(listener.address()) {
            Some(own) => Err(StartError::Itself(own)),
            None => Ok(Self { listener, config }),
        }
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
        let (tls, timeout) = (self.tls.as_deref(), self.connect_timeout);
        let Some(opened) = server::open(tls, accepted, timeout, self.trust.is_some(), recorder) else { return };
        let Opened { accepted, is_tls, recording } = opened;
        let tap = Arc::new(Tap::new(Wiretap::new(recording)));
        let exchange = Arc::<Exchange>::default();
        let (connected, connection) = sync_channel(1);
        let relay = thread::scope(|scope| {
            let (accepted, tap, exchange) = (&accepted, &tap, &exchange);
            // The closure owns the sender: the other thread notices the end of this one.
            let to_client = move || self.serve_server(accepted, is_tls, tap, exchange, &connected);
            let to_client =
                thread::Builder::new().name("to client".to_owned()).stack_size(STACK).spawn_scoped(scope, to_client);
            if to_client.is_err() {
                recorder.capture().add_notice("the system has no free threads: a connection was not relayed");
                return None;
            }
            self.serve_client(&accepted.stream, tap, exchange, &connection)
        });
        if let Some(relay) = relay {
            relay.record_reset();
        }
    }
}

/// The relay of a connection, or why the server cannot be reached.
type Connected = Result<Arc<Relay>, ConnectError>;

impl ProxyConfig {
    /// Connects to the server, and relays its bytes. Sends nothing to `connected` at a shutdown.
    fn serve_server(
        &self,
        accepted: &Accepted,
        is_tls: bool,
        tap: &Arc<Tap>,
        exchange: &Arc<Exchange>,
        connected: &SyncSender<Connected>,
    ) {
        let Accepted { stream: client, local, connections, .. } = accepted;
        let server = match self.tls.is_some() && !is_tls {
            true => Err(ConnectError::NotTls(*local)),
            false => self.connect(*local, connections),
        };
        let (server, open) = match server {
            Ok(Some(server)) => server,
            Ok(None) => return,
            // The other thread receives it, unless it has panicked.
            Err(error) => return drop(connected.send(Err(error))),
        };
        let relay = Arc::new(Relay::new([client, &server], tap, exchange, connections, open, &self.hold));
        if connected.send(Ok(Arc::clone(&relay))).is_ok() {
            relay.relay_server();
        }
    }

    /// Reads the bytes of the client, and relays them when the proxy has connected to the server.
    fn serve_client(
        &self,
        client: &Stream,
        tap: &Tap,
        exchange: &Exchange,
        connection: &Receiver<Connected>,
    ) -> Option<Arc<Relay>> {
        let (mut input, mut requests) = (Input::new(), Requests::new(Heads::Reverse(&self.rewriting)));
        // It is on the screen while the proxy connects.
        let first = first(client, &mut input, &mut requests, exchange, tap);
        match connection.recv() {
            Ok(Ok(relay)) => {
                relay.relay_client(first, &mut input, &mut requests);
                return Some(relay);
            }
            Ok(Err(error)) => {
                Declining { client, tap, exchange, input: &mut input, requests: &mut requests }.run(first, &error);
            }
            Err(RecvError) => {
                tap.push(UP, &input.bytes()[first.map_or(0, |first| first.len)..], None);
                tap.drain_all();
            }
        }
        None
    }
}

impl ProxyConfig {
    /// Connects to the server, for a client that connected to `local`; `None` at a shutdown.
    fn connect(
        &self,
        local: SocketAddr,
        connections: &Arc<OpenConnections>,
    ) -> Result<Option<(Arc<Stream>, OpenGuard)>, ConnectError> {
        let (target, timeout) = (&self.rewriting.target, self.connect_timeout);
        let dialed = connect_to((target.host(), target.port()), timeout, self.listen, local, connections)?;
        let Some(config) = &self.trust else { return Ok(dialed) };
        let Some((stream, open)) = dialed else { return Ok(None) };
        match handshake::connect_to(target.host(), stream, config, Instant::now() + timeout) {
            Ok(stream) => Ok(Some((Arc::new(stream), open))),
            Err(_) if connections.is_shutting_down() => Ok(None),
            Err(failure) => Err(ConnectError::tls(target.authority(), failure)),
        }
    }

    /// The address of the server, if it is that of the listener on `listener`.
    fn own_address(&self, listener: SocketAddr) -> Option<SocketAddr> {
        let target = &self.rewriting.target;
        if target.port() != listener.port() {
            return None;
        }
        // An unknown name is reported to each client: it may be known later.
        let mut servers = addresses(target.host(), target.port()).ok()?.into_iter().map(reachable);
        servers.find(|server| {
            // Only an address of this machine can be bound.
            let is_local = UdpSocket::bind((server.ip(), 0)).is_ok();
            is_itself(*server, if is_local { *server } else { listener }, self.listen, listener)
        })
    }
}

/// Reads until there is something to send, and records that; `None` if the client's direction ends before.
fn first(
    client: &Stream,
    input: &mut Input,
    requests: &mut Requests<'_>,
    exchange: &Exchange,
    tap: &Tap,
) -> Option<Outgoing> {
    loop {
        if let Some(first) = requests.next(input.bytes(), exchange) {
            let remark = first.changed.as_ref().map(Rewritten::remark);
            tap.push(UP, &input.bytes()[..first.len], remark);
            tap.drain_all();
            return Some(first);
        }
        if !matches!(input.read(client, None), Ok(1..)) {
            return None;
        }
    }
}
