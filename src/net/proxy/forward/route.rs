//! Which server a request to a forward proxy is for (RFC 9112 §3.2).

use crate::net::proxy::framing;
use crate::wire::absolute_form::AbsoluteForm;
use crate::wire::authority::{Authority, AuthorityFault};
use crate::wire::host_pattern::{is_host_name, normal_host};
use crate::wire::http::Head;
use crate::wire::url::Scheme;

/// The most digits of a port: 65535.
const MAX_PORT_DIGITS: usize = 5;

/// A server that a request names.
#[derive(Clone, Debug)]
pub struct Place {
    /// The host as sent, without the brackets of an IPv6 address.
    pub host: String,
    pub port: u16,
    /// Host and port as sent, for the Host header.
    pub authority: String,
}

impl Place {
    /// The host as `--intercept` takes it: an IPv6 address in brackets.
    pub fn pattern(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }
}

impl PartialEq for Place {
    /// Whether the same server is named, in any spelling.
    fn eq(&self, other: &Self) -> bool {
        self.port == other.port && normal_host(&self.host) == normal_host(&other.host)
    }
}

/// What a request asks a forward proxy for.
#[derive(Clone, Debug, PartialEq)]
pub enum Route {
    /// A tunnel to the server (CONNECT, RFC 9110 §9.3.6).
    Tunnel(Place),
    /// That the proxy sends it to the server, without TLS.
    Http(Place),
}

/// Why a forward proxy cannot do what a request asks for. Its text continues a sentence that begins with "the proxy".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// It is a request for the proxy itself: its target is a path.
    #[error("relays requests to other servers, and this one names none")]
    OriginForm,
    /// It asks for TLS without a tunnel.
    #[error(
        "opens no TLS connection for a request with https:// or wss://; the client must ask for a tunnel with CONNECT {host}:{port} and speak \
         TLS in it, as most clients do with https_proxy"
    )]
    Tls {
        /// The host as sent; an IPv6 address in brackets.
        host: String,
        /// The port, or that of the scheme.
        port: u16,
    },
    /// The target has another form, or another scheme.
    #[error("cannot read the target of the request; write http://HOST:PORT/PATH, or CONNECT HOST:PORT")]
    Target,
    /// The host or the port is wrong.
    #[error("cannot read the host in the target of the request: {}", .0.words())]
    Authority(AuthorityFault),
    /// The name cannot be looked up.
    #[error(
        "cannot look up the host: a name has letters, digits, dots, - and _, and a name outside ASCII has its xn-- form"
    )]
    Name,
    /// CONNECT without a port, or port 0.
    #[error("needs a port from 1 to 65535 in the target, such as CONNECT example.org:443")]
    Port,
    /// Readers may disagree on where its body ends, so that the next request might go to the wrong server.
    #[error(
        "cannot tell where the body of the request ends (RFC 9112 §6.3): it has a malformed header line, an unknown Transfer-Encoding, or \
         more than one length"
    )]
    Framing,
    /// Its head is longer than the proxy reads.
    #[error("reads heads of at most {} KiB", crate::net::proxy::exchange::MAX_HEAD >> 10)]
    TooLong,
    /// CONNECT with a body.
    #[error("takes no body with CONNECT; leave out Content-Length and Transfer-Encoding")]
    Body,
}

impl Route {
    /// What the request with this head asks for.
    ///
    /// # Errors
    /// See [`RouteError`].
    pub fn of(head: &Head<'_>) -> Result<Self, RouteError> {
        let target = head.target().unwrap_or_default();
        if head.method() == Some(b"CONNECT") {
            let place = place(target, None)?;
            return match framing::body(head) {
                Some(body) if body.is_whole() => Ok(Self::Tunnel(place)),
                Some(_) => Err(RouteError::Body),
                None => Err(RouteError::Framing),
            };
        }
        if target.starts_with(b"/") || target == b"*" {
            return Err(RouteError::OriginForm);
        }
        if framing::body(head).is_none() {
            return Err(RouteError::Framing);
        }
        let absolute = AbsoluteForm::of(target).ok_or(RouteError::Target)?;
        let place = place(&target[..absolute.path][absolute.authority..], Some(absolute.scheme))?;
        if absolute.scheme.is_tls() {
            return Err(RouteError::Tls { host: place.pattern(), port: place.port });
        }
        Ok(Self::Http(place))
    }
}

/// The server of a host with a port, or with that of a scheme.
fn place(text: &[u8], scheme: Option<Scheme>) -> Result<Place, RouteError> {
    let authority = Authority::parse(text).map_err(|fault| match fault {
        AuthorityFault::Character => RouteError::Name,
        fault => RouteError::Authority(fault),
    })?;
    let port = authority.port.or(scheme.map(Scheme::default_port)).filter(|port| *port > 0).ok_or(RouteError::Port)?;
    // In brackets is an IP address, or one of a version of the future.
    if !is_host_name(authority.host) || text.starts_with(b"[") && authority.ip.is_none() {
        return Err(RouteError::Name);
    }
    // Zeros in front of the port would go to the server and into the note.
    let digits = text.len() - text.iter().rposition(|byte| *byte == b':').map_or(text.len(), |at| at + 1);
    if authority.port.is_some() && digits > MAX_PORT_DIGITS {
        return Err(RouteError::Port);
    }
    // It is ASCII: see `Authority`.
    let sent = String::from_utf8_lossy(text).trim_end_matches(':').to_owned();
    Ok(Place { host: authority.host.to_owned(), port, authority: sent })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(start: &str) -> Result<(bool, String, u16, String), RouteError> {
        let head = format!("{start} HTTP/1.1\r\n\r\n");
        let (is_tunnel, place) = match Route::of(&Head::read(head.as_bytes()))? {
            Route::Tunnel(place) => (true, place),
            Route::Http(place) => (false, place),
        };
        Ok((is_tunnel, place.host, place.port, place.authority))
    }

    #[test]
    fn rfc_9112_section_3_2_each_form_names_its_server() {
        for (start, is_tunnel, host, port, authority) in [
            ("CONNECT example.org:443", true, "example.org", 443, "example.org:443"),
            ("CONNECT [::1]:80", true, "::1", 80, "[::1]:80"),
            ("GET http://Example.org/a?b", false, "Example.org", 80, "Example.org"),
            ("GET WS://a:9?b", false, "a", 9, "a:9"),
            ("OPTIONS http://[::1]:", false, "::1", 80, "[::1]"),
            ("GET http://a:8/http://b:9/", false, "a", 8, "a:8"),
        ] {
            assert_eq!(route(start), Ok((is_tunnel, host.to_owned(), port, authority.to_owned())), "{start}");
        }
    }

    #[test]
    fn what_names_no_server_says_why() {
        use RouteError::{Name, OriginForm, Port, Target};
        let tls = |host: &str, port| RouteError::Tls { host: host.to_owned(), port };
        for (start, error) in [
            ("GET /", OriginForm),
            ("OPTIONS *", OriginForm),
            ("GET https://a/", tls("a", 443)),
            ("GET wss://[::1]:99/", tls("[::1]", 99)),
            ("GET ftp://a/", Target),
            ("GET a:80", Target),
            ("GET", Target),
            ("CONNECT a", Port),
            ("CONNECT a:0", Port),
            ("GET http://a:0/", Port),
            ("CONNECT a%00b:1", Name),
            ("CONNECT http://a:1/", RouteError::Authority(AuthorityFault::Uri)),
            ("CONNECT a\u{1b}[2J:1", Name),
            ("CONNECT [v1.a]:1", Name),
            ("CONNECT a:000080", Port),
            ("GET http:///x", RouteError::Authority(AuthorityFault::Empty)),
            ("GET http://me:pw@a/", RouteError::Authority(AuthorityFault::UserInfo)),
        ] {
            assert_eq!(route(start), Err(error), "{start}");
        }
        for (head, error) in [
            ("CONNECT a:1 HTTP/1.1\r\nContent-Length: 1\r\n\r\n", RouteError::Body),
            ("POST http://a/ HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", RouteError::Framing),
            ("POST http://a/ HTTP/1.1\r\nContent-Length : 1\r\n\r\n", RouteError::Framing),
            ("CONNECT a:1 HTTP/1.1\r\nA: b\r\n c\r\n\r\n", RouteError::Framing),
        ] {
            assert_eq!(Route::of(&Head::read(head.as_bytes())), Err(error), "{head}");
        }
    }

    #[test]
    fn the_spelling_of_a_host_makes_no_other_server() {
        let place = |text: &[u8]| place(text, Some(Scheme::Http)).expect("a server");
        assert_eq!(place(b"Example.org"), place(b"example.ORG.:80"));
        assert_ne!(place(b"example.org"), place(b"example.org:81"));
    }
}
