//! Parsers of the values that flags take. clap puts the flag and the wrong value before each error.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::capture::live::ring::MIN_RING;
use crate::capture::query::filter;
use crate::wire::url::{Url, UrlError};

/// The least `--max-memory`, in bytes.
const MIN_MEMORY: u64 = 1 << 20;

/// The least `--buffer`, in bytes.
const MIN_BUFFER: u64 = 1 << 20;

/// The largest `--buffer`, in bytes: libpcap computes with 32 bits.
const MAX_BUFFER: u64 = 1 << 30;

/// The longest `--interval`.
const MAX_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest `--linger`.
pub const MAX_LINGER: Duration = Duration::from_secs(5);

/// Why a text is no address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write ADDR:PORT, such as 127.0.0.1:6455, [::1]:6455 or localhost:0")]
pub struct AddressError;

/// Why a text is no interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntervalError {
    #[error("write a number with its unit, such as 1s, 250ms or 0.5s")]
    Form,
    #[error("must be longer than zero")]
    Zero,
    #[error("must be at most {}s", .longest.as_secs())]
    TooLong { longest: Duration },
}

/// Why a text is no size for a ring of files, a buffer, or the memory of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SizeError {
    #[error("write a number with its unit, such as 1GiB, 500MB or 64MiB")]
    Form,
    #[error("must be at least {}MiB", .least >> 20)]
    TooSmall {
        /// The least size in bytes.
        least: u64,
    },
    #[error("must be at most {}MiB", .most >> 20)]
    TooLarge {
        /// The largest size in bytes.
        most: u64,
    },
}

/// Why a text is no origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write scheme://host or scheme://host:port, such as http://localhost:8080")]
pub struct OriginError;

/// Why a text is no host of a packet filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    #[error("write a host name or an IP address, such as 10.0.0.7")]
    Form,
    #[error("write the host alone, such as 10.0.0.7; --port takes the port")]
    HasPort,
}

/// Why a text is no network interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write the name of a network interface, such as lo or eth0")]
pub struct InterfaceError;

/// Why a text is not the server of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error("it has a query, which a proxy cannot put in front of paths; leave out ? and what follows")]
    Query,
}

/// A parser that accepts the names of `all`.
pub fn one_of<T: Copy + Send + Sync + 'static>(
    all: &'static [T],
    name: impl Fn(T) -> &'static str + Clone + Send + Sync + 'static,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.iter().map(|value| name(*value)))
        .map(move |typed| *all.iter().find(|value| name(**value) == typed).expect("one of the names"))
}

/// Parses an address to listen on. Names other than localhost are not resolved: a name could resolve to another address
/// tomorrow.
pub fn address(text: &str) -> Result<SocketAddr, AddressError> {
    if let Some(port) = text.strip_prefix("localhost:") {
        let port: u16 = port.parse().map_err(|_| AddressError)?;
        return Ok(SocketAddr::from(([127, 0, 0, 1], port)));
    }
    text.parse().map_err(|_| AddressError)
}

/// Parses the host of a packet filter: a name or an IP address. Anything else could change the meaning of the expression.
pub fn capture_host(text: &str) -> Result<String, HostError> {
    if text.parse::<IpAddr>().is_ok() {
        return Ok(text.to_owned());
    }
    let is_name = |text: &str| {
        let begins_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        let has_letter = text.contains(|c: char| c.is_ascii_alphabetic());
        begins_well && has_letter && text.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
    };
    match text.rsplit_once(':') {
        None if is_name(text) => Ok(text.to_owned()),
        Some((host, port)) if port.parse::<u16>().is_ok() && (is_name(host) || host.parse::<Ipv4Addr>().is_ok()) => {
            Err(HostError::HasPort)
        }
        _ => Err(HostError::Form),
    }
}

/// Parses the name of a network interface.
pub fn interface(text: &str) -> Result<String, InterfaceError> {
    let is_name = !text.trim().is_empty() && !text.starts_with('-') && !text.contains(char::is_control);
    if is_name { Ok(text.to_owned()) } else { Err(InterfaceError) }
}

/// Parses the URL of the server of a proxy.
pub fn target(text: &str) -> Result<Url, TargetError> {
    let url: Url = text.parse()?;
    match url {
        url if url.target().contains('?') => Err(TargetError::Query),
        url => Ok(url),
    }
}

/// Parses an interval in `s` or `ms`.
pub fn interval(text: &str) -> Result<Duration, IntervalError> {
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 0.001),
        None => (text.strip_suffix('s').ok_or(IntervalError::Form)?, 1.0),
    };
    if !number.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return Err(IntervalError::Form);
    }
    let seconds = number.parse::<f64>().map_err(|_| IntervalError::Form)? * unit;
    match Duration::try_from_secs_f64(seconds) {
        Ok(interval) if interval.is_zero() => Err(IntervalError::Zero),
        Ok(interval) if interval <= MAX_INTERVAL => Ok(interval),
        _ => Err(IntervalError::TooLong { longest: MAX_INTERVAL }),
    }
}

/// Parses how long a client waits for silence.
pub fn linger(text: &str) -> Result<Duration, IntervalError> {
    let linger = interval(text)?;
    if linger <= MAX_LINGER { Ok(linger) } else { Err(IntervalError::TooLong { longest: MAX_LINGER }) }
}

/// Parses the URL of a WebSocket server.
pub fn server_url(text: &str) -> Result<Url, UrlError> {
    text.parse()
}

/// Parses the size of a ring of files; returns bytes.
pub fn ring_size(text: &str) -> Result<u64, SizeError> {
    size_from(text, MIN_RING)
}

/// Parses the size of the memory for messages; returns bytes.
pub fn memory_size(text: &str) -> Result<u64, SizeError> {
    size_from(text, MIN_MEMORY)
}

/// Parses the size of the kernel's buffer for captured packets; returns bytes.
pub fn buffer_size(text: &str) -> Result<u64, SizeError> {
    match size_from(text, MIN_BUFFER)? {
        size if size > MAX_BUFFER => Err(SizeError::TooLarge { most: MAX_BUFFER }),
        size => Ok(size),
    }
}

fn size_from(text: &str, least: u64) -> Result<u64, SizeError> {
    let size = filter::size(text).ok_or(SizeError::Form)?;
    if size < least { Err(SizeError::TooSmall { least }) } else { Ok(size) }
}

/// Parses an origin (RFC 6454 §6.2), or `null`; returns it in lower case.
pub fn origin(text: &str) -> Result<String, OriginError> {
    if text == "null" {
        return Ok(text.to_owned());
    }
    let text = text.strip_suffix('/').unwrap_or(text);
    match text.split_once("://") {
        Some((scheme, host)) if !scheme.is_empty() && !host.is_empty() && !host.contains(['/', ' ', '?', '#', '@']) => {
            Ok(text.to_ascii_lowercase())
        }
        _ => Err(OriginError),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_packet_filter_is_a_name_or_an_address() {
        for host in ["10.0.0.7", "::1", "fe80::1", "localhost", "net", "db-1.example_a.org", "3com.com"] {
            assert_eq!(capture_host(host).as_deref(), Ok(host));
        }
        for host in ["127.0.0.1:9000", "localhost:80"] {
            assert_eq!(capture_host(host), Err(HostError::HasPort), "{host}");
        }
        for host in ["", "-a", "a or tcp", "(a)", "a:b", "10.0.0", "999.1.1.1", "[::1]", "fe80::1%eth0", "a\\b", ".a"] {
            assert_eq!(capture_host(host), Err(HostError::Form), "{host}");
        }
    }

    #[test]
    fn a_buffer_has_a_least_and_a_largest_size() {
        assert_eq!(buffer_size("256MiB"), Ok(256 << 20));
        assert_eq!(buffer_size("1KiB"), Err(SizeError::TooSmall { least: MIN_BUFFER }));
        assert_eq!(buffer_size("2GiB"), Err(SizeError::TooLarge { most: MAX_BUFFER }));
    }

    #[test]
    fn an_interval_has_a_unit_and_is_longer_than_zero() {
        for (text, millis) in [("1s", 1000), ("250ms", 250), ("0.5s", 500), (".1s", 100), ("1.5ms", 1)] {
            assert_eq!(interval(text).map(|d| d.as_millis()), Ok(millis), "{text}");
        }
        for text in ["", "1", "s", "-1s", "1m", "1e3s", "infs", "nans", "1e400s", ".s", "1.2.3s"] {
            assert_eq!(interval(text), Err(IntervalError::Form), "{text}");
        }
        assert_eq!((interval("0s"), interval("0ms")), (Err(IntervalError::Zero), Err(IntervalError::Zero)));
        assert_eq!(interval("99999999s"), Err(IntervalError::TooLong { longest: MAX_INTERVAL }));
    }

    #[test]
    fn a_ring_size_has_a_unit_and_is_at_least_1_mib() {
        assert_eq!(
            (ring_size("1GiB"), ring_size("1.5MB"), ring_size("64mib")),
            (Ok(1 << 30), Ok(1_500_000), Ok(64 << 20))
        );
        for text in ["", "1", "GiB", "-1GiB", "1G", "99999999999TiB"] {
            assert_eq!(ring_size(text), Err(SizeError::Form), "{text}");
        }
        for text in ["1023KiB", "0GiB"] {
            assert_eq!(ring_size(text), Err(SizeError::TooSmall { least: MIN_RING }), "{text}");
        }
    }

    #[test]
    fn a_memory_size_is_at_least_1_mib() {
        assert_eq!((memory_size("1MiB"), memory_size("2GB")), (Ok(1 << 20), Ok(2_000_000_000)));
        assert_eq!(memory_size("1MB"), Err(SizeError::TooSmall { least: 1 << 20 }));
    }

    #[test]
    fn an_origin_is_scheme_and_host() {
        assert_eq!(origin("http://LOCALHOST:8080/").as_deref(), Ok("http://localhost:8080"));
        for text in ["localhost", "http://", "http://a/b", "://a", "http://a b"] {
            assert_eq!(origin(text), Err(OriginError), "{text}");
        }
    }
}
