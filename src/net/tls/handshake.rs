//! The TLS handshake on a blocking socket, with a deadline (RFC 8446 §4, RFC 5246 §7).

use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, Connection, ServerConfig, ServerConnection};

use crate::net::stream::{Stream, TlsStream};

/// How long a side that refuses the handshake reads what the peer has sent.
const DRAIN: Duration = Duration::from_millis(100);

/// Why a handshake failed.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeFailure {
    /// It was not complete before the deadline.
    #[error("the TLS handshake was not complete in time")]
    TimedOut,
    /// The peer ended the TCP connection.
    #[error("the peer ended the connection during the TLS handshake")]
    Ended,
    /// The peer broke the protocol, refused, or has a certificate that is not accepted.
    #[error(transparent)]
    Tls(rustls::Error),
    /// The name of the server cannot be in a certificate.
    #[error("no certificate can be for a host of this name")]
    Name,
    /// The socket failed.
    #[error("the connection failed during the TLS handshake: {0}")]
    Io(io::Error),
}

/// Acts as the server of a handshake on `socket`. Afterwards the socket has no timeouts.
///
/// # Errors
/// See [`HandshakeFailure`].
pub fn accept(
    socket: Arc<Stream>,
    config: Arc<ServerConfig>,
    deadline: Instant,
) -> Result<TlsStream, HandshakeFailure> {
    accept_begun(socket, config, &[], deadline)
}

/// The same for a client whose first bytes, `begun`, were read already.
///
/// # Errors
/// See [`HandshakeFailure`].
pub fn accept_begun(
    socket: Arc<Stream>,
    config: Arc<ServerConfig>,
    begun: &[u8],
    deadline: Instant,
) -> Result<TlsStream, HandshakeFailure> {
    let session = ServerConnection::new(config).map_err(HandshakeFailure::Tls)?;
    shake_hands(socket, session.into(), begun, deadline)
}

/// Acts as the client of a handshake on `socket` with the server `name`. Afterwards the socket has no timeouts.
///
/// # Errors
/// See [`HandshakeFailure`].
pub fn connect(
    socket: Arc<Stream>,
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    deadline: Instant,
) -> Result<TlsStream, HandshakeFailure> {
    let session = ClientConnection::new(config, name).map_err(HandshakeFailure::Tls)?;
    shake_hands(socket, session.into(), &[], deadline)
}

/// Acts as the client of a handshake on `stream` with the server of a URL's host.
///
/// # Errors
/// See [`HandshakeFailure`].
pub fn connect_to(
    host: &str,
    stream: Arc<Stream>,
    config: &Arc<ClientConfig>,
    deadline: Instant,
) -> Result<Stream, HandshakeFailure> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| HandshakeFailure::Name)?;
    let stream = connect(stream, Arc::clone(config), name, deadline)?;
    Ok(Stream::Tls(Box::new(stream)))
}

fn shake_hands(
    socket: Arc<Stream>,
    mut session: Connection,
    begun: &[u8],
    deadline: Instant,
) -> Result<TlsStream, HandshakeFailure> {
    let mut begun = begun;
    while !begun.is_empty() {
        // `read_tls` may take only a part.
        session.read_tls(&mut begun).map_err(io_failure)?;
        process(&socket, &mut session)?;
    }
    exchange(&socket, &mut session, deadline)?;
    set_timeouts(&socket, None)?;
    Ok(TlsStream::new(socket, session))
}

/// Writes and reads until the handshake is complete and everything is sent.
fn exchange(socket: &Stream, session: &mut Connection, deadline: Instant) -> Result<(), HandshakeFailure> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(HandshakeFailure::TimedOut);
        }
        set_timeouts(socket, Some(left.max(Duration::from_millis(1))))?;
        if session.wants_write() {
            uninterrupted(|| session.write_tls(&mut Socket(socket)))?;
            continue;
        }
        if !session.is_handshaking() {
            return Ok(());
        }
        if uninterrupted(|| session.read_tls(&mut Socket(socket)))? == 0 {
            return Err(HandshakeFailure::Ended);
        }
        process(socket, session)?;
    }
}

/// Repeats a read or write that a signal interrupted: with a socket timeout, the kernel does not restart it (signal(7)).
fn uninterrupted(mut act: impl FnMut() -> io::Result<usize>) -> Result<usize, HandshakeFailure> {
    loop {
        match act() {
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            done => return done.map_err(io_failure),
        }
    }
}

/// Processes what was read. If the peer is refused, an alert says why.
fn process(socket: &Stream, session: &mut Connection) -> Result<(), HandshakeFailure> {
    if let Err(error) = session.process_new_packets() {
        // If the socket has no space for these few bytes, the peer is lost anyway.
        while session.wants_write() && matches!(session.write_tls(&mut Socket(socket)), Ok(1..)) {}
        drain(socket);
        return Err(HandshakeFailure::Tls(error));
    }
    Ok(())
}

/// Ends our direction and reads what the peer has sent. If unread bytes were left, closing the socket would reset the connection, and the
/// peer could lose the alert.
fn drain(socket: &Stream) {
    let deadline = Instant::now() + DRAIN;
    let mut bytes = [0; 4096];
    let _ = socket.shutdown(Shutdown::Write);
    while Instant::now() < deadline
        && socket.set_read_timeout(Some(DRAIN)).is_ok()
        && matches!(socket.read(&mut bytes), Ok(1..))
    {}
}

/// A stream with the traits that rustls takes.
struct Socket<'a>(&'a Stream);

impl io::Read for Socket<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl io::Write for Socket<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn set_timeouts(socket: &Stream, timeout: Option<Duration>) -> Result<(), HandshakeFailure> {
    socket.set_read_timeout(timeout).and_then(|()| socket.set_write_timeout(timeout)).map_err(HandshakeFailure::Io)
}

fn io_failure(error: io::Error) -> HandshakeFailure {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => HandshakeFailure::TimedOut,
        ErrorKind::UnexpectedEof => HandshakeFailure::Ended,
        _ => HandshakeFailure::Io(error),
    }
}
