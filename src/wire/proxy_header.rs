//! Parses the header that a load balancer puts in front of a forwarded connection, to name its ends: the PROXY protocol of
//! HAProxy, version 1 (text) and version 2 (binary), <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The start of a version 2 header (§2.2).
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// The start of a version 1 header (§2.1).
const WORD: &[u8; 6] = b"PROXY ";

/// The longest version 1 header in bytes, with its line break (§2.1).
const MAX_LINE: usize = 107;

/// The longest version 2 header that is recognized, in bytes. The format allows 65,551; real ones have at most a few hundred.
const MAX_BINARY: usize = 16 * 1024;

/// A header of the PROXY protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxyHeader {
    /// Its length in bytes.
    pub len: usize,
    /// Its version, 1 or 2.
    pub version: u8,
    /// The addresses of the client and of the server to which it connected, if the header gives them.
    pub ends: Option<[SocketAddr; 2]>,
}

/// The result of [`ProxyHeader::read`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyReading {
    /// The bytes do not start with a header.
    Other,
    /// The bytes may be the start of a header.
    NeedMore,
    /// The bytes start with this header.
    Header(ProxyHeader),
}

impl ProxyHeader {
    /// Reads the header at the start of `bytes`, the first bytes of a connection.
    pub fn read(bytes: &[u8]) -> ProxyReading {
        let starts = |start: &[u8]| bytes.iter().zip(start).all(|(have, want)| have == want);
        if starts(WORD) {
            read_line(bytes)
        } else if starts(SIGNATURE) {
            read_binary(bytes)
        } else {
            ProxyReading::Other
        }
    }
}

impl ProxyHeader {
    /// The addresses in words: `from 192.0.2.1:56324 to 192.0.2.2:443`, or that there are none.
    pub fn words(&self) -> String {
        match self.ends {
            Some([client, server]) => format!("from {client} to {server}"),
            None => "without addresses".to_owned(),
        }
    }
}

/// Version 1: `PROXY TCP4 192.0.2.1 192.0.2.2 56324 443`, or `PROXY UNKNOWN` and anything.
fn read_line(bytes: &[u8]) -> ProxyReading {
    let Some(end) = bytes.iter().take(MAX_LINE).position(|byte| *byte == b'\n') else {
        return if bytes.len() < MAX_LINE { ProxyReading::NeedMore } else { ProxyReading::Other };
    };
    let words = bytes[..end].strip_suffix(b"\r").and_then(|line| std::str::from_utf8(line.get(WORD.len()..)?).ok());
    let Some(words) = words else { return ProxyReading::Other };
    let words: Vec<&str> = words.split(' ').collect();
    let ends = match words.as_slice() {
        ["UNKNOWN", ..] => None,
        ["TCP4", from, to, from_port, to_port] => both::<Ipv4Addr>([from, to], [from_port, to_port]),
        ["TCP6", from, to, from_port, to_port] => both::<Ipv6Addr>([from, to], [from_port, to_port]),
        _ => return ProxyReading::Other,
    };
    if ends.is_none() && words[0] != "UNKNOWN" {
        return ProxyReading::Other;
    }
    ProxyReading::Header(ProxyHeader { len: end + 1, version: 1, ends })
}

fn both<Ip: std::str::FromStr + Into<IpAddr>>(addresses: [&str; 2], ports: [&str; 2]) -> Option<[SocketAddr; 2]> {
    let end = |address: &str, port: &str| Some(SocketAddr::new(address.parse::<Ip>().ok()?.into(), port.parse().ok()?));
    Some([end(addresses[0], ports[0])?, end(addresses[1], ports[1])?])
}

/// Version 2: the signature, version and command, family and protocol, the length of the rest, addresses.
fn read_binary(bytes: &[u8]) -> ProxyReading {
    let Some(&[command, family, high, low]) = bytes.get(SIGNATURE.len()..).and_then(|rest| rest.first_chunk()) else {
        return ProxyReading::NeedMore;
    };
    let head = SIGNATURE.len() + 4;
    let len = head + usize::from(u16::from_be_bytes([high, low]));
    // Command 0 is LOCAL, a connection of the load balancer itself; 1 is PROXY.
    if command >> 4 != 2 || command & 0xf > 1 || len > MAX_BINARY {
        return ProxyReading::Other;
    }
    let Some(rest) = bytes.get(head..len) else { return ProxyReading::NeedMore };
    let ends = match (command & 0xf, family >> 4) {
        (1, 1) => rest.first_chunk::<12>().map(|part| {
            let ip = |at: usize| Ipv4Addr::new(part[at], part[at + 1], part[at + 2], part[at + 3]).into();
            ends([ip(0), ip(4)], &part[8..])
        }),
        (1, 2) => rest.first_chunk::<36>().map(|part| {
            let ip = |at: usize| {
                let mut octets = [0; 16];
                octets.copy_from_slice(&part[at..at + 16]);
                Ipv6Addr::from(octets).into()
            };
            ends([ip(0), ip(16)], &part[32..])
        }),
        _ => None,
    };
    ProxyReading::Header(ProxyHeader { len, version: 2, ends })
}

fn ends(ips: [IpAddr; 2], ports: &[u8]) -> [SocketAddr; 2] {
    let port = |at: usize| u16::from_be_bytes([ports[at], ports[at + 1]]);
    [SocketAddr::new(ips[0], port(0)), SocketAddr::new(ips[1], port(2))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LINE: &[u8] = b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n";
    const LINE_6: &[u8] = b"PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n";
    const UNKNOWN: &[u8] = b"PROXY UNKNOWN ffff::1 what ever\r\n";
    const BINARY: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\xdc\x04\x01\xbb";
    const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00";
    const UNIX: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x31\x00\x02ab";

    fn ends(from: &str, to: &str) -> Option<[SocketAddr; 2]> {
        Some([from, to].map(|end| end.parse().expect("an address")))
    }

    #[test]
    fn both_versions_are_read_whole_and_cut_anywhere() {
        let known = ends("192.0.2.1:56324", "192.0.2.2:443");
        let sixes = [b"\r\n\r\n\0\r\nQUIT\n\x21\x21\x00\x27".as_slice(), &[1; 32], &[0, 80, 1, 187, 4, 0, 0]].concat();
        let six = ends("[101:101:101:101:101:101:101:101]:80", "[101:101:101:101:101:101:101:101]:443");
        for (bytes, version, ends) in [
            (LINE, 1, known),
            (LINE_6, 1, ends("[2001:db8::1]:1", "[2001:db8::2]:65535")),
            (UNKNOWN, 1, None),
            (BINARY, 2, known),
            (&sixes, 2, six),
            (LOCAL, 2, None),
            (UNIX, 2, None),
        ] {
            let header = ProxyReading::Header(ProxyHeader { len: bytes.len(), version, ends });
            assert_eq!(ProxyHeader::read(bytes), header, "{bytes:?}");
            assert_eq!(ProxyHeader::read(&[bytes, b"GET / HTTP/1.1\r\n"].concat()), header);
            for cut in 0..bytes.len() {
                assert_eq!(ProxyHeader::read(&bytes[..cut]), ProxyReading::NeedMore, "{cut}");
            }
        }
    }

    #[test]
    fn other_bytes_are_no_header() {
        for bytes in [
            &b"GET / HTTP/1.1\r\n"[..],
            b"PROXY / HTTP/1.1\r\n",
            b"PROXY TCP4 a b 1 2\r\n",
            b"PROXY TCP4 192.0.2.1 192.0.2.2 56324\r\n",
            b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\n",
            b"PROXY TCP6 192.0.2.1 192.0.2.2 56324 443\r\n",
            b"\r\n\r\nGET / HTTP/1.1\r\n",
            b"\r\n\r\n\0\r\nQUIT\n\x11\x11\x00\x0c",
        ] {
            assert_eq!(ProxyHeader::read(bytes), ProxyReading::Other, "{bytes:?}");
        }
        assert_eq!(ProxyHeader::read(&[WORD.as_slice(), &[b'a'; 101]].concat()), ProxyReading::Other);
    }

    proptest! {
        #[test]
        fn more_bytes_never_change_a_verdict(
            start in prop_oneof![Just(LINE), Just(BINARY), Just(&b""[..])], rest in proptest::collection::vec(any::<u8>(), 0..40),
            cut in 0usize..60,
        ) {
            let bytes = [&start[..cut.min(start.len())], &rest].concat();
            let whole = ProxyHeader::read(&bytes);
            for cut in 0..bytes.len() {
                let part = ProxyHeader::read(&bytes[..cut]);
                prop_assert!(part == whole || part == ProxyReading::NeedMore);
            }
            if let ProxyReading::Header(header) = whole {
                prop_assert!(header.len <= bytes.len());
            }
        }
    }
}
