//! A connected stream that several threads use at once through `&self`.
//!
//! One thread may read while another writes and a third shuts the stream down.

mod tls;

use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::net::{RecvFlags, SendFlags};

pub use self::tls::TlsStream;

/// A connected stream.
#[derive(Debug)]
pub enum Stream {
    /// Plain TCP.
    Tcp(TcpStream),
    /// A Unix socket.
    Unix(UnixStream),
    /// TLS over another stream.
    Tls(Box<TlsStream>),
}

impl Stream {
    /// A plain TCP stream. A reply must not wait for the acknowledgement of the previous one, so it is sent at once.
    pub fn tcp(stream: TcpStream) -> Self {
        // If the socket refuses it, the connection is lost, and the first read fails.
        let _ = stream.set_nodelay(true);
        Self::Tcp(stream)
    }

    /// Reads into `buffer`; zero at the end of the input.
    ///
    /// # Errors
    /// The system's, and for TLS those of [`TlsStream::read`]; [`io::ErrorKind::WouldBlock`] or [`io::ErrorKind::TimedOut`] after the read timeout.
    #[inline]
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            // rustix makes the bare system call: libc adds thread cancellation around it, which costs time.
            Self::Tcp(stream) => Ok(rustix::io::read(stream, buffer)?),
            Self::Unix(stream) => Ok(rustix::io::read(stream, buffer)?),
            Self::Tls(stream) => stream.read(buffer),
        }
    }

    /// Writes a part of `bytes`, and blocks until the system takes some; returns how many it took.
    ///
    /// # Errors
    /// The system's; [`io::ErrorKind::WouldBlock`] or [`io::ErrorKind::TimedOut`] after the write timeout. Then nothing of `bytes`
    /// was taken.
    #[inline]
    pub fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => Ok(rustix::net::send(stream, bytes, SendFlags::empty())?),
            Self::Unix(stream) => Ok(rustix::net::send(stream, bytes, SendFlags::empty())?),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    /// Writes a part of `bytes` without blocking; returns how many the system took.
    ///
    /// # Errors
    /// The system's; [`io::ErrorKind::WouldBlock`] if it takes none now. The next write must then begin with the same bytes, because
    /// TLS may have encrypted and sent a part of them.
    #[inline]
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => Ok(rustix::net::send(stream, bytes, SendFlags::DONTWAIT)?),
            Self::Unix(stream) => Ok(rustix::net::send(stream, bytes, SendFlags::DONTWAIT)?),
            Self::Tls(stream) => stream.try_write(bytes),
        }
    }

    /// Sets how long a read may wait; `None` for ever. Zero is not allowed.
    ///
    /// # Errors
    /// When the socket is lost.
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_read_timeout(timeout),
            Self::Unix(stream) => stream.set_read_timeout(timeout),
            Self::Tls(stream) => stream.socket().set_read_timeout(timeout),
        }
    }

    /// Sets how long a write may wait; `None` for ever. Zero is not allowed.
    ///
    /// # Errors
    /// When the socket is lost.
    pub fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_write_timeout(timeout),
            Self::Unix(stream) => stream.set_write_timeout(timeout),
            Self::Tls(stream) => stream.socket().set_write_timeout(timeout),
        }
    }

    /// Shuts down the write half (sends FIN; over TLS, close_notify first), the read half, or both. Wakes threads that block in a read or
    /// write.
    ///
    /// # Errors
    /// When the connection is already lost.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.shutdown(how),
            Self::Unix(stream) => stream.shutdown(how),
            Self::Tls(stream) => stream.shutdown(how),
        }
    }

    /// Sends FIN. Over TLS, does not send close_notify before it: a proxy passes on the truncation of the other side.
    ///
    /// # Errors
    /// When the connection is already lost.
    pub fn end_unannounced(&self) -> io::Result<()> {
        match self {
            Self::Tls(stream) => stream.socket().shutdown(Shutdown::Write),
            other => other.shutdown(Shutdown::Write),
        }
    }

    /// Copies the first bytes that have arrived without removing them. Blocks like [`Self::read`].
    ///
    /// # Errors
    /// As [`Self::read`]; [`io::ErrorKind::Unsupported`] for others than TCP.
    pub fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.peek(buffer),
            Self::Unix(_) | Self::Tls(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// The address of the peer.
    ///
    /// # Errors
    /// When the connection is lost; [`io::ErrorKind::Unsupported`] for a Unix socket.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Tcp(stream) => stream.peer_addr(),
            Self::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
            Self::Tls(stream) => stream.socket().peer_addr(),
        }
    }

    /// Returns true if the peer has ended its direction (FIN), or the whole connection, even if bytes before that have not been read.
    /// Works on Linux only; returns false elsewhere.
    pub fn peer_has_ended(&self) -> bool {
        match self {
            Self::Tcp(stream) => has_hung_up(stream),
            Self::Unix(stream) => has_hung_up(stream),
            Self::Tls(stream) => stream.socket().peer_has_ended(),
        }
    }

    /// Returns true if [`Self::read`] of a socket without TLS would not wait: bytes have arrived, or the end.
    pub fn has_arrived(&self) -> bool {
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        let peeked = match self {
            Self::Tcp(stream) => rustix::net::recv(stream, &mut [0; 1], flags),
            Self::Unix(stream) => rustix::net::recv(stream, &mut [0; 1], flags),
            Self::Tls(stream) => return stream.socket().has_arrived(),
        };
        !matches!(peeked, Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR))
    }

    /// The addresses of the own end and of the peer; `None` if the connection is lost, or has no addresses.
    pub fn addresses(&self) -> Option<(SocketAddr, SocketAddr)> {
        match self {
            Self::Tcp(stream) => Some((stream.local_addr().ok()?, stream.peer_addr().ok()?)),
            Self::Unix(_) => None,
            Self::Tls(stream) => stream.socket().addresses(),
        }
    }

    /// Makes the system reset the connection (RST) when the last handle closes it, in place of an orderly end.
    pub fn reset_at_close(&self) {
        // If the socket refuses it, the connection is lost already.
        let _ = match self {
            Self::Tcp(stream) => rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO)),
            // A Unix socket has no reset.
            Self::Unix(_) => Ok(()),
            Self::Tls(stream) => return stream.socket().reset_at_close(),
        };
    }

    /// Returns true if the connection is over in both directions: after a reset, or after both have ended.
    pub fn is_disconnected(&self) -> bool {
        match self {
            Self::Tcp(stream) => stream.peer_addr().is_err(),
            Self::Unix(stream) => stream.peer_addr().is_err(),
            Self::Tls(stream) => stream.socket().is_disconnected(),
        }
    }
}

#[cfg(target_os = "linux")]
fn has_hung_up(socket: impl std::os::fd::AsFd) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut sockets = [PollFd::new(&socket, PollFlags::RDHUP)];
    poll(&mut sockets, Some(&Timespec::default())).is_ok() && !sockets[0].revents().is_empty()
}

#[cfg(not(target_os = "linux"))]
fn has_hung_up(_: impl std::os::fd::AsFd) -> bool {
    false
}

/// Returns true for the error of a read after which TLS is over, although the peer did not announce that with close_notify: it ended TCP, sent
/// a fatal alert, or violated the protocol (RFC 8446 §6.1, §6.2). TCP was not reset.
pub fn is_tls_over(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData)
}

/// Returns true for the error of a read or write that reached its timeout, or would have had to wait.
pub fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
