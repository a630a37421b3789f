//! Parses the host and port of a Host header or of a request target (RFC 3986 §3.2, RFC 9110 §7.2).

use std::net::{IpAddr, Ipv6Addr};

/// A host and an optional port. Without the user information that a URI may have before an `@` (RFC 9110 §4.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authority<'a> {
    /// The host as sent; an IPv6 address without its brackets.
    pub host: &'a str,
    /// The port; `None` if it is missing or empty.
    pub port: Option<u16>,
    /// The IP address that the host is, if it is one.
    pub ip: Option<IpAddr>,
}

/// Why a text is not a host with an optional port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorityFault {
    /// It is empty, or has only a port.
    Empty,
    /// It is a URI with a scheme.
    Uri,
    /// A path, a query or a fragment follows the host.
    Path,
    /// It contains white space.
    Space,
    /// User information comes before the host.
    UserInfo,
    /// The port is not a number from 0 to 65535.
    Port,
    /// An IPv6 address without brackets, something else in brackets, or something other than a port after them.
    Brackets,
    /// It contains a character that a host name cannot have.
    Character,
}

impl AuthorityFault {
    /// The fault as the end of a sentence about the text.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Empty => "it has no host",
            Self::Uri => "it is a URI",
            Self::Path => "a path follows the host",
            Self::Space => "it contains white space",
            Self::UserInfo => "it contains user information",
            Self::Port => "its port is not a number from 0 to 65535",
            Self::Brackets => "an IPv6 address, and nothing else, is written in brackets",
            Self::Character => "it contains a character that a host cannot have",
        }
    }
}

impl<'a> Authority<'a> {
    /// Parses all of `text`: `host [ ":" port ]` with a non-empty host.
    ///
    /// # Errors
    /// The first fault that a person would name: a URI is a URI, whatever else is wrong with it.
    pub fn parse(text: &'a [u8]) -> Result<Self, AuthorityFault> {
        use AuthorityFault::{Brackets, Character, Empty, Path, Space, Uri, UserInfo};
        if text.is_empty() {
            return Err(Empty);
        }
        if text.windows(3).any(|part| part == b"://") {
            return Err(Uri);
        }
        let has = |wanted: &[u8]| text.iter().any(|byte| wanted.contains(byte));
        for (characters, fault) in [(&b" \t"[..], Space), (b"/?#", Path), (b"@", UserInfo)] {
            if has(characters) {
                return Err(fault);
            }
        }
        let Ok(text) = std::str::from_utf8(text) else { return Err(Character) };
        if let Some(rest) = text.strip_prefix('[') {
            let (address, after) = rest.split_once(']').ok_or(Brackets)?;
            let port = match after.strip_prefix(':') {
                Some(digits) => port(digits)?,
                None if after.is_empty() => None,
                None => return Err(Brackets),
            };
            return Ok(Self { host: address, port, ip: ip_literal(address)? });
        }
        if text.parse::<Ipv6Addr>().is_ok() {
            return Err(Brackets);
        }
        let (host, port) = match text.split_once(':') {
            Some((host, digits)) => (host, port(digits)?),
            None => (text, None),
        };
        if host.is_empty() {
            return Err(Empty);
        }
        if !is_reg_name(host.as_bytes()) {
            return Err(Character);
        }
        Ok(Self { host, port, ip: host.parse().ok().map(IpAddr::V4) })
    }

    /// Returns true for `localhost` and IP addresses: the client did not look a name up in the DNS.
    pub fn is_local(&self) -> bool {
        self.ip.is_some() || self.host.eq_ignore_ascii_case("localhost")
    }
}

/// The digits of a port, which may be none (RFC 3986 §3.2.3).
fn port(digits: &str) -> Result<Option<u16>, AuthorityFault> {
    if digits.is_empty() {
        return Ok(None);
    }
    let number = digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
    number.map(Some).ok_or(AuthorityFault::Port)
}

/// The IPv6 address between brackets, with or without a zone (RFC 6874). `None` for an address of a future version
/// (RFC 3986 §3.2.2).
fn ip_literal(text: &str) -> Result<Option<IpAddr>, AuthorityFault> {
    let bare = text.split_once("%25").map_or(text, |(address, _)| address);
    if let Ok(address) = bare.parse::<Ipv6Addr>() {
        return Ok(Some(IpAddr::V6(address)));
    }
    let future = text.strip_prefix(['v', 'V']).and_then(|text| text.split_once('.'));
    let is_future = future.is_some_and(|(version, address)| {
        !version.is_empty() && version.bytes().all(|digit| digit.is_ascii_hexdigit()) && !address.is_empty()
    });
    if is_future { Ok(None) } else { Err(AuthorityFault::Brackets) }
}

/// Returns true for a registered name or an IPv4 address (RFC 3986 §3.2.2): letters, digits, some punctuation, and escapes such
/// as `%C3`.
fn is_reg_name(name: &[u8]) -> bool {
    let mut rest = name;
    while let [first, after @ ..] = rest {
        rest = match (first, after) {
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => after,
            (b'%', _) => return false,
            (byte, after) if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(byte) => after,
            _ => return false,
        };
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn section_3_2_a_host_and_a_port() {
        let parsed = |text: &'static str| {
            Authority::parse(text.as_bytes()).map(|authority| (authority.host, authority.port, authority.is_local()))
        };
        for (text, host, port, local) in [
            ("localhost", "localhost", None, true),
            ("LOCALHOST:6455", "LOCALHOST", Some(6455), true),
            ("localhost:", "localhost", None, true),
            ("127.0.0.1:80", "127.0.0.1", Some(80), true),
            ("[::1]:6455", "::1", Some(6455), true),
            ("[::ffff:127.0.0.1]", "::ffff:127.0.0.1", None, true),
            ("[fe80::1%25eth0]:1", "fe80::1%25eth0", Some(1), true),
            ("[v1.a]", "v1.a", None, false),
            ("example.com:65535", "example.com", Some(65535), false),
            ("127.0.0.1.nip.io", "127.0.0.1.nip.io", None, false),
            ("a_b-c.example.", "a_b-c.example.", None, false),
            ("b%C3%BCcher.example:0", "b%C3%BCcher.example", Some(0), false),
        ] {
            assert_eq!(parsed(text), Ok((host, port, local)), "{text}");
        }
    }

    #[test]
    fn each_fault_has_its_name() {
        use AuthorityFault::{Brackets, Character, Empty, Path, Port, Space, Uri, UserInfo};
        for (text, fault) in [
            ("", Empty),
            (":80", Empty),
            ("ws://192.0.2.9:81/", Uri),
            ("http://a", Uri),
            ("localhost/chat", Path),
            ("/chat", Path),
            ("a?b", Path),
            ("local host", Space),
            ("a\t:1", Space),
            ("user@localhost", UserInfo),
            ("localhost:99999", Port),
            ("localhost:+80", Port),
            ("127.0.0.1:evil.com", Port),
            ("::1", Brackets),
            ("fe80::1", Brackets),
            ("[::1]evil.com", Brackets),
            ("[127.0.0.1].evil.com", Brackets),
            ("[127.0.0.1]", Brackets),
            ("[::1", Brackets),
            ("[]", Brackets),
            ("[::1]]", Brackets),
            ("[::1]:x", Port),
            ("bücher.example", Character),
            ("a%zz", Character),
            ("a,b\u{7f}", Character),
            ("a]", Character),
        ] {
            assert_eq!(Authority::parse(text.as_bytes()), Err(fault), "{text}");
        }
        assert_eq!(Authority::parse(b"a\xff"), Err(Character));
    }

    proptest! {
        #[test]
        fn what_is_parsed_is_all_of_the_text(text in proptest::collection::vec(prop_oneof![
            Just(b'['), Just(b']'), Just(b':'), Just(b'.'), Just(b'1'), Just(b'a'), Just(b'%'), Just(b'2'), any::<u8>(),
        ], 0..20)) {
            if let Ok(authority) = Authority::parse(&text) {
                let sent = std::str::from_utf8(&text).expect("a host is ASCII");
                let host = if sent.starts_with('[') { format!("[{}]", authority.host) } else { authority.host.to_owned() };
                let after = sent.strip_prefix(host.as_str()).expect("it starts with the host");
                let digits = after.strip_prefix(':').unwrap_or(after);
                prop_assert_eq!(digits.parse::<u16>().ok(), authority.port);
                prop_assert!(after.is_empty() || after.starts_with(':'));
            }
        }
    }
}
