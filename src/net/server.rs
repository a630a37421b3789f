//! The listener: a thread that accepts, and a thread per connection.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::connections::Connections;
use super::session;
use super::tap::Tap;
use crate::capture::live::recorder::Recorder;
use crate::proto::endpoint::Limits;

/// Stack of a connection's thread in bytes: what it works on lies on the heap.
const STACK: usize = 256 * 1024;

/// How many connections may wait to be accepted: a burst of a thousand loses none. Linux takes what `somaxconn` allows.
const BACKLOG: i32 = 4096;

/// How long to wait when the system has no more sockets or threads for us.
const EXHAUSTED: Duration = Duration::from_millis(50);

/// How long a shutdown lets threads end by themselves, and how long after their sockets were cut.
const SHUTDOWN: [Duration; 2] = [Duration::from_millis(800), Duration::from_millis(800)];

/// How a server behaves.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// How often the ticker speaks.
    pub interval: Duration,
    /// Origins that may connect besides the page's own, such as `http://localhost:3000`.
    pub allow_origins: Vec<String>,
    /// How long a connection may take for a request's head.
    pub handshake_timeout: Duration,
    /// How long a peer may take no bytes while there are some for it.
    pub write_timeout: Duration,
    /// What each WebSocket connection bears.
    pub limits: Limits,
    /// Whether permessage-deflate is accepted.
    pub deflate: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 6455)),
            interval: Duration::from_secs(1),
            allow_origins: Vec::new(),
            handshake_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
            limits: Limits::default(),
            deflate: true,
        }
    }
}

/// Why a server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Somebody else listens there.
    #[error("cannot listen on {0}: the port is in use; stop the other program, or use --listen {ip}:0 for a free port", ip = host(.0))]
    InUse(SocketAddr),
    /// The port is reserved.
    #[error("cannot listen on {0}: the system does not allow it; use a port from 1024 on, such as --listen {ip}:6455", ip = host(.0))]
    Denied(SocketAddr),
    /// The address is none of this machine's.
    #[error("cannot listen on {0}: this machine does not have that address; use --listen 127.0.0.1:{port}", port = .0.port())]
    NotHere(SocketAddr),
    /// Anything else.
    #[error("cannot listen on {address}: {source}; try --listen 127.0.0.1:0")]
    Io {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// The host part of an address as `--listen` takes it.
fn host(address: &SocketAddr) -> String {
    match address {
        SocketAddr::V4(v4) => v4.ip().to_string(),
        SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
    }
}

/// A server that listens and does not serve yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    config: Config,
}

/// A server at work. It is shut down when this is dropped.
pub struct Handle {
    address: SocketAddr,
    connections: Arc<Connections>,
    /// The listening socket, to wake the thread that accepts.
    listener: Arc<TcpListener>,
    acceptor: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens, and raises the limit of open files as far as it goes.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn bind(config: Config) -> Result<Self, BindError> {
        raise_open_files();
        let address = config.listen;
        let error = |source: io::Error| match source.kind() {
            ErrorKind::AddrInUse => BindError::InUse(address),
            ErrorKind::PermissionDenied => BindError::Denied(address),
            ErrorKind::AddrNotAvailable => BindError::NotHere(address),
            _ => BindError::Io { address, source },
        };
        let listener = TcpListener::bind(address).map_err(error)?;
        // The standard library asks for 128. A smaller queue is no reason not to serve.
        let _ = rustix::net::listen(&listener, BACKLOG);
        let address = listener.local_addr().map_err(error)?;
        Ok(Self { listener, address, config })
    }

    /// Where it listens, with the real port.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What its owner should know about where it listens: one line.
    pub fn warning(&self) -> Option<String> {
        (!self.address.ip().is_loopback()).then(|| {
            format!(
                "listening on {}: other machines can connect, and what they send is captured; use --listen 127.0.0.1:{} \
                 to keep it to this one",
                self.address,
                self.address.port()
            )
        })
    }

    /// Begins to serve. Connections are recorded by `recorder`.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(self, recorder: Recorder) -> io::Result<Handle> {
        let connections = Arc::<Connections>::default();
        let Self { listener, address, config } = self;
        let listener = Arc::new(listener);
        let (shared, accepting) = (Arc::clone(&connections), Arc::clone(&listener));
        let accept = move || accept(&accepting, &shared, &Arc::new(config), &recorder);
        let acceptor = thread::Builder::new().name("accept".to_owned()).spawn(accept)?;
        Ok(Handle { address, connections, listener, acceptor: Some(acceptor) })
    }
}

/// Accepts until the server shuts down.
fn accept(listener: &TcpListener, connections: &Arc<Connections>, config: &Arc<Config>, recorder: &Recorder) {
    while !connections.is_stopping() {
        match listener.accept() {
            Ok((stream, peer)) => open(stream, peer, connections, config, recorder),
            // The peer was faster than we.
            Err(e) if matches!(e.kind(), ErrorKind::ConnectionAborted | ErrorKind::Interrupted) => {}
            // No more sockets (EMFILE and the like): those that wait are served when others have gone.
            Err(_) if !connections.is_stopping() => thread::sleep(EXHAUSTED),
            Err(_) => break,
        }
    }
}

/// Gives a connection its thread.
fn open(
    stream: TcpStream,
    peer: SocketAddr,
    connections: &Arc<Connections>,
    config: &Arc<Config>,
    recorder: &Recorder,
) {
    let Ok(local) = stream.local_addr() else { return };
    // An answer must not wait for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let stream = Arc::new(stream);
    let Some(entry) = connections.enter(&stream) else { return };
    let config = Arc::clone(config);
    let mut tap = Tap::new(stream, recorder.connection(peer, local), connections.stopping());
    let capture = recorder.capture().clone();
    let serve = move || {
        // A fault of ours in one connection must not be silent, and ends only that connection.
        let served = panic::catch_unwind(AssertUnwindSafe(|| session::serve(&mut tap, local, &config)));
        if served.is_err() {
            capture.add_trouble("a fault in framescope ended a connection; please report it");
        }
        drop(tap);
        drop(entry);
    };
    // Without a thread the closure goes, and with it the connection.
    if thread::Builder::new().name(format!("from {peer}")).stack_size(STACK).spawn(serve).is_err() {
        thread::sleep(EXHAUSTED);
    }
}

impl Handle {
    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.connections.count()
    }

    /// Ends everything within two seconds, however mute the peers are: WebSockets are told 1001, sockets shut down, all is
    /// recorded. Returns whether every connection's thread ended.
    pub fn shutdown(mut self) -> bool {
        self.stop()
    }

    fn stop(&mut self) -> bool {
        let Some(acceptor) = self.acceptor.take() else { return true };
        self.connections.stop();
        // On Linux that wakes the thread that accepts; elsewhere a connection does.
        let _ = rustix::net::shutdown(&self.listener, rustix::net::Shutdown::Both);
        let deadline = Instant::now() + SHUTDOWN[0];
        while !acceptor.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
            let _ = TcpStream::connect_timeout(&reachable(self.address), Duration::from_millis(100));
        }
        if acceptor.is_finished() {
            // It has nothing to tell.
            let _ = acceptor.join();
        }
        if self.connections.wait(deadline.saturating_duration_since(Instant::now())) {
            return true;
        }
        self.connections.cut();
        self.connections.wait(SHUTDOWN[1])
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stop();
    }
}

/// An address under which a listener on `address` is reached from this machine: the unspecified one is no destination.
pub fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => std::net::Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => std::net::Ipv6Addr::LOCALHOST.into(),
        other => other.ip(),
    };
    SocketAddr::new(ip, address.port())
}

/// Raises the limit of open files to what the system lets us have: each connection is one.
fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    // Without it fewer connections fit, which is no reason not to serve.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}
