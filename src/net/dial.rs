//! Connects to a host: looks its name up, and tries each of its addresses.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::capture::store::output::has_no_handle;

/// How often a wait that can be given up looks whether it is.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Stack of the thread that looks a name up and connects, in bytes.
const STACK: usize = 256 * 1024;

/// Why no connection to a host could be made.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The name has no address.
    #[error("cannot find the host {host} ({source}); check the name")]
    UnknownHost {
        /// The name.
        host: String,
        /// The system's error.
        source: io::Error,
    },
    /// Nothing listens on the port.
    #[error("cannot connect to {0}: nothing listens on the port; start the server, or check the port")]
    Refused(SocketAddr),
    /// No answer came in time.
    #[error("cannot connect to {address}: no answer within {} s; check the address and the firewall", .after.as_secs_f32())]
    TimedOut {
        /// The address that was tried last.
        address: SocketAddr,
        /// How long all attempts took together.
        after: Duration,
    },
    /// This process, or the system, may have no further socket.
    #[error("cannot connect to {0}: too many open files; raise the limit before the start, such as ulimit -n 4096")]
    Exhausted(SocketAddr),
    /// Another error.
    #[error("cannot connect to {address}: {source}")]
    Io {
        /// The address that was tried last.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
}

/// Connects to a port of a host, a name or an IP address without brackets. All of its addresses are tried, in the order of the system,
/// within `timeout` together. The system's own limit bounds how long it looks the name up.
///
/// # Errors
/// See [`DialError`]; of several addresses, the error of the last one.
pub fn dial(host: &str, port: u16, timeout: Duration) -> Result<TcpStream, DialError> {
    let unknown = |source| DialError::UnknownHost { host: host.to_owned(), source };
    let addresses = addresses(host, port).map_err(unknown)?;
    let begun = Instant::now();
    let mut failed = unknown(io::Error::new(ErrorKind::NotFound, "it has no address"));
    for (tried, address) in addresses.iter().enumerate() {
        // An address that does not answer leaves time for the next ones.
        let left = timeout.saturating_sub(begun.elapsed()) / u32::try_from(addresses.len() - tried).unwrap_or(1);
        match TcpStream::connect_timeout(address, left.max(Duration::from_millis(1))) {
            Ok(stream) => return Ok(stream),
            Err(e) => failed = DialError::new(*address, e, timeout),
        }
    }
    Err(failed)
}

/// The addresses of a host. A name below `localhost` is this machine (RFC 6761 §6.3), also where the system does not know it.
///
/// # Errors
/// When the system finds no address.
pub fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    match (host, port).to_socket_addrs() {
        Err(_) if host.trim_end_matches('.').to_ascii_lowercase().ends_with(".localhost") => {
            Ok(vec![(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()])
        }
        found => Ok(found?.collect()),
    }
}

/// As [`dial`], on a thread of its own, so that the wait for it can be given up: then `None` is returned, and the thread ends with its
/// attempt.
///
/// # Errors
/// See [`DialError`].
pub fn dial_unless(
    is_given_up: impl Fn() -> bool,
    host: &str,
    port: u16,
    timeout: Duration,
) -> Result<Option<TcpStream>, DialError> {
    let (sender, receiver) = sync_channel(1);
    let name = host.to_owned();
    // Nobody receives the result if it was given up.
    let work = move || drop(sender.send(dial(&name, port, timeout)));
    if thread::Builder::new().name("dial".to_owned()).stack_size(STACK).spawn(work).is_err() {
        return dial(host, port, timeout).map(Some);
    }
    loop {
        match receiver.recv_timeout(POLL_INTERVAL) {
            Ok(dialed) => return dialed.map(Some),
            Err(RecvTimeoutError::Timeout) if !is_given_up() => {}
            Err(_) => return Ok(None),
        }
    }
}

impl DialError {
    fn new(address: SocketAddr, source: io::Error, after: Duration) -> Self {
        match source.kind() {
            ErrorKind::ConnectionRefused => Self::Refused(address),
            ErrorKind::TimedOut | ErrorKind::WouldBlock => Self::TimedOut { address, after },
            _ if has_no_handle(&source) => Self::Exhausted(address),
            _ => Self::Io { address, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    const SOON: Duration = Duration::from_secs(5);

    #[test]
    fn every_address_of_a_name_is_tried() {
        // localhost may have the address ::1 first, where nothing listens.
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        for name in ["localhost", "a.LocalHost"] {
            let stream = dial(name, address.port(), SOON).expect("a connection");
            assert_eq!(stream.peer_addr().expect("an address"), address);
        }
    }

    #[test]
    fn a_dial_can_be_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let dialed = dial_unless(|| false, "127.0.0.1", address.port(), SOON).expect("a server").expect("a connection");
        assert_eq!(dialed.peer_addr().expect("an address"), address);
        // The system answers no further connection when the queue is full.
        rustix::net::listen(&listener, 0).expect("a short queue");
        let mut queued = vec![dialed];
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(50)) {
            queued.push(stream);
            assert!(queued.len() < 100, "the queue has a limit");
        }
        let begun = Instant::now();
        assert!(dial_unless(|| true, "127.0.0.1", address.port(), SOON).expect("no answer yet").is_none());
        assert!(begun.elapsed() < SOON / 2, "{:?}", begun.elapsed());
    }

    #[test]
    fn each_failure_has_its_name() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        drop(listener);
        assert!(
            matches!(dial("127.0.0.1", address.port(), SOON), Err(DialError::Refused(refused)) if refused == address)
        );
        // RFC 6761 §6.4: a name that never exists. The system answers without a network, too.
        assert!(
            matches!(dial("no.invalid", 80, SOON), Err(DialError::UnknownHost { host, .. }) if host == "no.invalid")
        );
        let timed_out = DialError::new(address, ErrorKind::TimedOut.into(), SOON);
        assert!(matches!(timed_out, DialError::TimedOut { .. }));
    }
}
