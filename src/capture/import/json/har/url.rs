//! The server address and the request target in a URL.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The parts of a `ws`, `wss`, `http` or `https` URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Url<'a> {
    /// Host and port as they are written.
    pub host: &'a str,
    /// Path and query.
    pub target: &'a str,
    /// Whether it is that of a WebSocket (RFC 6455 §3).
    pub is_websocket: bool,
    /// Whether it goes over TLS.
    is_secure: bool,
}

impl<'a> Url<'a> {
    /// Reads a URL. If it is not valid, the host is empty and the target is a slash.
    pub fn read(url: &'a str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let target = path.split('#').next().unwrap_or_default();
        let target = if target.starts_with('/') { target } else { "/" };
        let is_valid = |text: &str| text.bytes().all(|byte| (0x21..0x7f).contains(&byte));
        Self {
            host: if is_valid(host) { host } else { "" },
            target: if is_valid(target) { target } else { "/" },
            is_websocket: matches!(scheme, "ws" | "wss"),
            is_secure: matches!(scheme, "wss" | "https"),
        }
    }

    /// The server's address: that of the host if it is an IP address or localhost, else `address`, else an unspecified one.
    pub fn server(&self, address: &str) -> SocketAddr {
        let (name, port) = match self.host.rsplit_once(':') {
            Some((name, port)) if !port.contains(']') => (name, port.parse().ok()),
            _ => (self.host, None),
        };
        let ip = |text: &str| text.trim_matches(['[', ']']).parse::<IpAddr>().ok();
        let local = name.eq_ignore_ascii_case("localhost").then_some(Ipv4Addr::LOCALHOST.into());
        let ip = ip(name).or_else(|| ip(address)).or(local).unwrap_or(Ipv4Addr::UNSPECIFIED.into());
        SocketAddr::new(ip, port.unwrap_or(if self.is_secure { 443 } else { 80 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_urls() {
        let read = |url| (Url::read(url).host, Url::read(url).target);
        assert_eq!(read("ws://a.example:81/x?y=1#z"), ("a.example:81", "/x?y=1"));
        assert_eq!(read("wss://me:secret@a"), ("a", "/"));
        assert_eq!(read("ws://a?b"), ("a", "/"));
        assert_eq!(read(""), ("", "/"));
        assert_eq!(read("ws://a b/c\r\nd"), ("", "/"));
    }

    #[test]
    fn addresses_of_servers() {
        let server = |url, address| Url::read(url).server(address).to_string();
        assert_eq!(server("wss://a.example/", "[2001:db8::1]"), "[2001:db8::1]:443");
        assert_eq!(server("ws://[::1]:81/", "1.2.3.4"), "[::1]:81");
        assert_eq!(server("ws://localhost:6455/", ""), "127.0.0.1:6455");
        assert_eq!(server("wss://a.example/", ""), "0.0.0.0:443");
    }
}
