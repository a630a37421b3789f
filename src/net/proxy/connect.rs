//! Connects to a server, and says why that fails.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::forward::route::RouteError;
use crate::net::connections::{OpenConnections, OpenGuard};
use crate::net::dial::{DialError, dial_unless};
use crate::net::stream::Stream;
use crate::net::tls::failure;
use crate::net::tls::handshake::HandshakeFailure;
use crate::wire::tls;

/// Why the proxy has no connection to its server. Its text continues a sentence that begins with "the proxy".
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error("would connect to itself: {0} is the address that it listens on; use the address of your server")]
    Itself(SocketAddr),
    #[error("cannot use the server: {words}")]
    Tls {
        /// What happened.
        failure: HandshakeFailure,
        /// The same for people.
        words: String,
    },
    #[error("speaks TLS on this port: use https://{0}/ or wss://{0}/ in place of an address without TLS")]
    NotTls(SocketAddr),
    #[error(
        "{}; set http://{own} as the proxy of the client (such as http_proxy and https_proxy), or relay to one server with framescope proxy TARGET",
        RouteError::OriginForm
    )]
    NoServer {
        /// The address that the client connected to.
        own: SocketAddr,
    },
    #[error(transparent)]
    Route(RouteError),
}

impl ConnectError {
    /// The status of the response (RFC 9110 §15.5.1, §15.6.3, §15.6.5; RFC 5842 §7.2).
    pub const fn status(&self) -> u16 {
        match self {
            Self::Dial(DialError::TimedOut { .. }) | Self::Tls { failure: HandshakeFailure::TimedOut, .. } => 504,
            Self::Dial(_) | Self::Tls { .. } => 502,
            Self::Route(RouteError::TooLong) => 431,
            Self::NotTls(_) | Self::NoServer { .. } | Self::Route(_) => 400,
            Self::Itself(_) => 508,
        }
    }

    /// The error in Proxy-Status, with its parameters (RFC 9209 §2.3).
    pub fn name(&self) -> String {
        let name = match self {
            Self::Dial(DialError::UnknownHost { .. }) => "dns_error",
            Self::Dial(DialError::Refused(_)) => "connection_refused",
            Self::Dial(DialError::TimedOut { .. }) | Self::Tls { failure: HandshakeFailure::TimedOut, .. } => {
                "connection_timeout"
            }
            Self::Tls { failure, .. } => return tls_error(failure),
            Self::NotTls(_) | Self::NoServer { .. } | Self::Route(_) => "http_request_error",
            Self::Dial(DialError::Io { .. } | DialError::Exhausted(_)) => "destination_unavailable",
            Self::Itself(_) => "proxy_loop_detected",
        };
        name.to_owned()
    }

    /// The failure of a handshake with the server `host`.
    pub fn tls(host: &str, failure: HandshakeFailure) -> Self {
        Self::Tls { words: failure::with_server(host, &failure), failure }
    }
}

/// A failed handshake in Proxy-Status (RFC 9209 §2.3.13 to §2.3.15).
fn tls_error(failure: &HandshakeFailure) -> String {
    match failure {
        HandshakeFailure::Tls(rustls::Error::AlertReceived(alert)) => {
            let id = u8::from(*alert);
            let message = tls::alert_name(id).map(|name| format!("; alert-message={name}")).unwrap_or_default();
            format!("tls_alert_received; alert-id={id}{message}")
        }
        HandshakeFailure::Tls(rustls::Error::InvalidCertificate(_)) | HandshakeFailure::Name => {
            "tls_certificate_error".to_owned()
        }
        HandshakeFailure::Ended | HandshakeFailure::Io(_) => "connection_terminated".to_owned(),
        HandshakeFailure::Tls(_) | HandshakeFailure::TimedOut => "tls_protocol_error".to_owned(),
    }
}

/// Connects to a host and port, without TLS, for a client that connected to `local`, an address of the listener on `listen`. The connection
/// is among the open ones as long as the guard, so a shutdown ends its TLS handshake too. `None` at a shutdown.
pub fn connect_to(
    (host, port): (&str, u16),
    timeout: Duration,
    listen: SocketAddr,
    local: SocketAddr,
    connections: &Arc<OpenConnections>,
) -> Result<Option<(Arc<Stream>, OpenGuard)>, ConnectError> {
    let Some(stream) = dial_unless(|| connections.is_shutting_down(), host, port, timeout)? else { return Ok(None) };
    if let (Ok(server), Ok(own)) = (stream.peer_addr(), stream.local_addr())
        && is_itself(server, own, listen, local)
    {
        return Err(ConnectError::Itself(server));
    }
    let stream = Arc::new(Stream::tcp(stream));
    Ok(connections.add(&stream).map(|open| (stream, open)))
}

/// Returns true if a connection from `own` to `server` reaches the listener on `listen`, which accepted one at `local`.
pub fn is_itself(server: SocketAddr, own: SocketAddr, listen: SocketAddr, local: SocketAddr) -> bool {
    let same = |a: SocketAddr, b: SocketAddr| a.ip().to_canonical() == b.ip().to_canonical();
    // A connection to 127.0.0.2 comes from 127.0.0.1.
    let is_own = same(server, own) || server.ip().to_canonical().is_loopback();
    server.port() == local.port() && (same(server, local) || listen.ip().is_unspecified() && is_own)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_connection_to_the_listener_itself_is_noticed() {
        for (listen, server, own, is_itself) in [
            ("127.0.0.1:1", "127.0.0.1:1", "127.0.0.1:9", true),
            ("127.0.0.1:1", "[::ffff:127.0.0.1]:1", "[::ffff:127.0.0.1]:9", true),
            ("127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:9", false),
            ("127.0.0.1:1", "10.0.0.1:1", "10.0.0.1:9", false),
            ("0.0.0.0:1", "10.0.0.1:1", "10.0.0.1:9", true),
            ("0.0.0.0:1", "127.0.0.2:1", "127.0.0.1:9", true),
            ("0.0.0.0:1", "10.0.0.2:1", "10.0.0.1:9", false),
        ] {
            let [listen, server, own] = [listen, server, own].map(|text| text.parse().expect("an address"));
            assert_eq!(super::is_itself(server, own, listen, listen), is_itself, "{listen} {server}");
        }
    }
}
