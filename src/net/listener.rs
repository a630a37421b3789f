//! The listener: a thread that accepts, and a thread per connection, which a service serves.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::connections::OpenConnections;
use super::stream::Stream;
use crate::capture::live::recorder::Recorder;

/// Stack of each thread of a connection in bytes. It is small: buffers are on the heap.
pub const STACK: usize = 256 * 1024;

/// Length of the listen queue. A burst of a thousand connections fits; Linux limits it to `somaxconn`.
const BACKLOG: i32 = 4096;

/// How long to wait before trying again when the system has no free sockets or threads.
const EXHAUSTED: Duration = Duration::from_millis(50);

/// How long a shutdown waits for the connections' threads to end.
const SHUTDOWN_GRACE: Duration = Duration::from_millis(800);

/// How long it waits again after it has cut their sockets.
const SHUTDOWN_CUT: Duration = Duration::from_millis(800);

/// Why a server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another program listens on the address.
    #[error("cannot listen on {0}: the port is in use; stop the other program, or use --listen {ip}:0 for a free port", ip = host(.0))]
    InUse(SocketAddr),
    /// The system does not allow the port.
    #[error("cannot listen on {0}: the system does not allow it; use a port from 1024 on, such as --listen {ip}:6455", ip = host(.0))]
    Denied(SocketAddr),
    /// The address does not belong to this machine.
    #[error("cannot listen on {0}: this machine does not have that address; use --listen 127.0.0.1:{port}", port = .0.port())]
    NotLocal(SocketAddr),
    /// Another error.
    #[error("cannot listen on {address}: {source}; try --listen 127.0.0.1:0")]
    Io {
        /// The address.
        address: SocketAddr,
        /// The system's error.
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

/// Serves the connections of a listener.
pub trait Service: Send + Sync + 'static {
    /// Serves a connection until it ends, on a thread of its own.
    fn serve(&self, accepted: Accepted, recorder: &Recorder);
}

/// A connection that was accepted.
pub struct Accepted {
    /// The connection.
    pub stream: Arc<Stream>,
    /// The client's address.
    pub peer: SocketAddr,
    /// The address that the client connected to.
    pub local: SocketAddr,
    /// The open connections of the listener, this one among them.
    pub connections: Arc<OpenConnections>,
}

/// Listens, but does not accept connections yet.
pub struct Listener {
    listener: TcpListener,
    address: SocketAddr,
}

/// A listener that accepts. Dropping it ends all connections.
pub struct ListenerHandle {
    address: SocketAddr,
    connections: Arc<OpenConnections>,
    /// The listening socket. Shutting it down wakes the accepting thread.
    listener: Arc<TcpListener>,
    acceptor: Option<JoinHandle<()>>,
}

impl Listener {
    /// Listens on an address; port 0 takes a free port. Raises the limit of open files as far as the system allows.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn bind(address: SocketAddr) -> Result<Self, BindError> {
        raise_open_files();
        let error = |source: io::Error| match source.kind() {
            ErrorKind::AddrInUse => BindError::InUse(address),
            ErrorKind::PermissionDenied => BindError::Denied(address),
            ErrorKind::AddrNotAvailable => BindError::NotLocal(address),
            _ => BindError::Io { address, source },
        };
        let listener = TcpListener::bind(address).map_err(error)?;
        // The standard library asks for a queue of 128. The listener also works with that.
        let _ = rustix::net::listen(&listener, BACKLOG);
        let address = listener.local_addr().map_err(error)?;
        Ok(Self { listener, address })
    }

    /// The address it listens on, with the real port.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A warning, in one line, if other machines can connect.
    pub fn warning(&self) -> Option<String> {
        (!self.address.ip().is_loopback()).then(|| {
            format!(
                "listening on {}: other machines can connect, and what they send is captured; use --listen 127.0.0.1:{} \
                 to accept only this machine",
                self.address,
                self.address.port()
            )
        })
    }

    /// Starts to accept connections, which `service` serves and `recorder` records.
    ///
    /// # Errors
    /// When the system cannot start a thread.
    pub fn start(self, service: impl Service, recorder: Recorder) -> io::Result<ListenerHandle> {
        let connections = Arc::<OpenConnections>::default();
        let Self { listener, address } = self;
        let listener = Arc::new(listener);
        let (shared, accepting) = (Arc::clone(&connections), Arc::clone(&listener));
        let service = Arc::new(service);
        let accept = move || accept(&accepting, &shared, &service, &recorder);
        let acceptor = thread::Builder::new().name("accept".to_owned()).spawn(accept)?;
        Ok(ListenerHandle { address, connections, listener, acceptor: Some(acceptor) })
    }
}

/// Accepts connections until the listener shuts down.
fn accept<S: Service>(
    listener: &TcpListener,
    connections: &Arc<OpenConnections>,
    service: &Arc<S>,
    recorder: &Recorder,
) {
    let mut is_exhausted = false;
    while !connections.is_shutting_down() {
        match listener.accept() {
            Ok((stream, peer)) => {
                is_exhausted = false;
                open(stream, peer, connections, service, recorder);
            }
            // The client has gone already.
            Err(e) if matches!(e.kind(), ErrorKind::ConnectionAborted | ErrorKind::Interrupted) => {}
            // No free socket (such as EMFILE): try again when other connections have ended.
            Err(e) if !connections.is_shutting_down() => {
                if !is_exhausted {
                    recorder.capture().add_notice(&format!(
                        "cannot accept connections now ({e}): clients wait until others end; if too many files are open, raise the \
                         limit before the start, such as ulimit -n 4096"
                    ));
                }
                is_exhausted = true;
                thread::sleep(EXHAUSTED);
            }
            Err(_) => break,
        }
    }
}

/// Starts the thread that serves a connection.
fn open<S: Service>(
    stream: TcpStream,
    peer: SocketAddr,
    connections: &Arc<OpenConnections>,
    service: &Arc<S>,
    recorder: &Recorder,
) {
    let Ok(local) = stream.local_addr() else { return };
    let stream = Arc::new(Stream::tcp(stream));
    let Some(guard) = connections.add(&stream) else { return };
    let accepted = Accepted { stream, peer, local, connections: Arc::clone(connections) };
    let (service, recorder) = (Arc::clone(service), recorder.clone());
    let serve = move || {
        // A bug that panics must be reported, and must end only its own connection.
        let serve = || service.serve(accepted, &recorder);
        if panic::catch_unwind(AssertUnwindSafe(serve)).is_err() {
            recorder.capture().add_notice("a bug in framescope ended a connection; please report it");
        }
        drop(recorder);
        drop(guard);
    };
    // If the system cannot start a thread, the closure is dropped, which closes the connection.
    if thread::Builder::new().name(format!("from {peer}")).stack_size(STACK).spawn(serve).is_err() {
        thread::sleep(EXHAUSTED);
    }
}

impl ListenerHandle {
    /// The address it listens on, with the real port.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address by which this machine reaches it.
    pub fn reachable(&self) -> SocketAddr {
        reachable(self.address)
    }

    /// Ends all connections within two seconds, also those whose peers do not respond: wakes their threads, and cuts those that
    /// do not end. Returns true if every connection's thread has ended.
    pub fn shutdown(mut self) -> bool {
        self.stop()
    }

    fn stop(&mut self) -> bool {
        let Some(acceptor) = self.acceptor.take() else { return true };
        self.connections.shut_down();
        // On Linux this wakes the accepting thread; elsewhere a connection to it does.
        let _ = rustix::net::shutdown(&self.listener, rustix::net::Shutdown::Both);
        let deadline = Instant::now() + SHUTDOWN_GRACE;
        while !acceptor.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
            let _ = TcpStream::connect_timeout(&reachable(self.address), Duration::from_millis(100));
        }
        if acceptor.is_finished() {
            // The thread returns nothing.
            let _ = acceptor.join();
        }
        if self.connections.wait(deadline.saturating_duration_since(Instant::now())) {
            return true;
        }
        self.connections.cut();
        self.connections.wait(SHUTDOWN_CUT)
    }
}

impl Drop for ListenerHandle {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The address by which this machine reaches a listener on `address`: loopback if that is the unspecified address.
pub fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => std::net::Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => std::net::Ipv6Addr::LOCALHOST.into(),
        other => other.ip(),
    };
    SocketAddr::new(ip, address.port())
}

/// Raises the soft limit of open files to the hard limit: each connection needs one.
fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    // If this fails, fewer connections fit; the server works all the same.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}
