//! The URL of a server: `ws`, `wss`, `http` and `https` (RFC 3986, RFC 6455 §3). Path and query stay as they were given.

use std::fmt;
use std::str::FromStr;

use super::authority::{Authority, AuthorityFault};

/// The URL of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    scheme: Scheme,
    /// Host and port as given.
    authority: String,
    /// The host without the brackets of an IPv6 address.
    host: String,
    port: u16,
    /// Path and query as given; may be empty.
    target: String,
}

/// The scheme of a [`Url`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `ws`
    Ws,
    /// `wss`
    Wss,
    /// `http`
    Http,
    /// `https`
    Https,
}

/// Why a text is not the URL of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It has no scheme, or another one.
    #[error("write a URL with ws://, wss://, http:// or https://, such as ws://127.0.0.1:9000/chat")]
    Scheme,
    /// Its host or port is wrong.
    #[error("the host is wrong: {}", .0.words())]
    Authority(AuthorityFault),
    /// The port is 0.
    #[error("the port is 0; write a port from 1 to 65535")]
    PortZero,
    /// It has a fragment (RFC 6455 §3).
    #[error("it has a fragment, which no server receives; leave out # and what follows, or write %23")]
    Fragment,
    /// Path or query contain a character that a URL cannot contain.
    #[error("it contains the character {0:?}, which a URL cannot contain; escape it, such as %20 for a space")]
    Character(char),
    /// The host has a character outside ASCII (RFC 3490).
    #[error("the host has the character {0:?}; write the host in ASCII, as xn--…")]
    HostNotAscii(char),
}

impl Scheme {
    /// All schemes.
    pub const ALL: [Self; 4] = [Self::Ws, Self::Wss, Self::Http, Self::Https];

    /// Its name in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ws => "ws",
            Self::Wss => "wss",
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// Returns true if TLS protects the connection.
    pub const fn is_tls(self) -> bool {
        matches!(self, Self::Wss | Self::Https)
    }

    /// The port if the URL has none (RFC 6455 §3).
    pub const fn default_port(self) -> u16 {
        if self.is_tls() { 443 } else { 80 }
    }
}

impl Url {
    /// The scheme.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Host and port as given, as they are in a Host header (RFC 6455 §4.1).
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The host, without the brackets of an IPv6 address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; that of the scheme if the URL has none.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Path and query as given; may be empty.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The target of a request for this URL in origin form (RFC 9112 §3.2.1).
    pub fn request_target(&self) -> String {
        if self.target.starts_with('/') { self.target.clone() } else { format!("/{}", self.target) }
    }

    /// The origin of a page of this server (RFC 6454 §6.2).
    pub fn origin(&self) -> String {
        let scheme = if self.scheme.is_tls() { Scheme::Https } else { Scheme::Http };
        format!("{}://{}", scheme.name(), self.authority.to_ascii_lowercase())
    }
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::Scheme)?;
        let named = |known: &Scheme| known.name().eq_ignore_ascii_case(scheme);
        let scheme = Scheme::ALL.into_iter().find(named).ok_or(UrlError::Scheme)?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        if let Some(wrong) = host.chars().find(|c| !c.is_ascii() && c.is_alphanumeric()) {
            return Err(UrlError::HostNotAscii(wrong));
        }
        if let Some(wrong) = text.chars().find(|c| !c.is_ascii_graphic() || matches!(c, '"' | '<' | '>' | '\\')) {
            return Err(UrlError::Character(wrong));
        }
        if rest.contains('#') {
            return Err(UrlError::Fragment);
        }
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let parsed = Authority::parse(authority.as_bytes()).map_err(UrlError::Authority)?;
        let port = parsed.port.unwrap_or(scheme.default_port());
        if port == 0 {
            return Err(UrlError::PortZero);
        }
        let (host, authority) = (parsed.host.to_owned(), authority.trim_end_matches(':').to_owned());
        Ok(Self { scheme, authority, host, port, target: target.to_owned() })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme.name(), self.authority, self.target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_6455_section_3_the_parts_of_a_url() {
        for (text, host, port, target, shown) in [
            ("ws://localhost", "localhost", 80, "", "ws://localhost"),
            ("WSS://Example.com/chat?a=%20b", "Example.com", 443, "/chat?a=%20b", "wss://Example.com/chat?a=%20b"),
            ("http://[::1]:9000/", "::1", 9000, "/", "http://[::1]:9000/"),
            ("https://a:8443?q=a/b:c", "a", 8443, "?q=a/b:c", "https://a:8443?q=a/b:c"),
            ("ws://a:/x//y/..", "a", 80, "/x//y/..", "ws://a/x//y/.."),
        ] {
            let url: Url = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!((url.host(), url.port(), url.target(), &*url.to_string()), (host, port, target, shown));
            assert_eq!(
                url.request_target(),
                if target.starts_with('/') { target.to_owned() } else { format!("/{target}") }
            );
        }
    }

    #[test]
    fn each_fault_of_a_url_has_its_name() {
        for (text, error) in [
            ("localhost:9000", UrlError::Scheme),
            ("ftp://a", UrlError::Scheme),
            ("ws:/a", UrlError::Scheme),
            ("ws://", UrlError::Authority(AuthorityFault::Empty)),
            ("ws://a:99999", UrlError::Authority(AuthorityFault::Port)),
            ("ws://me:secret@a", UrlError::Authority(AuthorityFault::UserInfo)),
            ("ws://::1", UrlError::Authority(AuthorityFault::Brackets)),
            ("ws://a:0", UrlError::PortZero),
            ("ws://a/#b", UrlError::Fragment),
            ("ws://a/b c", UrlError::Character(' ')),
            ("ws://a/\r\nHost: b", UrlError::Character('\r')),
            ("ws://a/ü", UrlError::Character('ü')),
            ("ws://exämple:1/", UrlError::HostNotAscii('ä')),
            ("ws://sécret@a/", UrlError::Character('é')),
        ] {
            assert_eq!(text.parse::<Url>(), Err(error), "{text}");
        }
    }

    #[test]
    fn the_origin_of_a_page_has_the_scheme_of_http() {
        let origin = |text: &str| text.parse::<Url>().expect("a URL").origin();
        assert_eq!([origin("ws://A:9000/x"), origin("wss://b")], ["http://a:9000", "https://b"]);
    }
}
