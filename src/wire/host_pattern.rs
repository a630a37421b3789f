//! Patterns that name hosts: `example.org`, `*.example.org`, each with or without a port.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::authority::{Authority, AuthorityFault};

/// A pattern that names hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    /// The name after `*.`, or the whole name: see [`normal_host`].
    name: String,
    /// Whether it names all hosts below the name, and not the name itself.
    below: bool,
    /// `None` for every port.
    port: Option<u16>,
}

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostPatternError {
    /// A star is elsewhere than in front of the first dot.
    #[error("* must be the whole first part of a longer name, such as *.example.org")]
    Star,
    /// It is no host with an optional port.
    #[error("the host is wrong: {}", .0.words())]
    Authority(AuthorityFault),
    /// The name has characters that no host name has.
    #[error("a host name has letters, digits, dots, - and _; write a name outside ASCII in its xn-- form")]
    Name,
    /// The port is 0.
    #[error("the port is 0; write a port from 1 to 65535, or none for all ports")]
    PortZero,
}

impl HostPattern {
    /// Returns true if the pattern names this host, a name or an IP address without brackets, and port.
    pub fn matches(&self, host: &str, port: u16) -> bool {
        let host = normal_host(host);
        let names = match self.below {
            false => host == self.name,
            // `*.0.0.1` is no network.
            true if host.parse::<IpAddr>().is_ok() => false,
            true => host.strip_suffix(&self.name).is_some_and(|below| below.len() > 1 && below.ends_with('.')),
        };
        names && self.port.is_none_or(|own| own == port)
    }
}

impl FromStr for HostPattern {
    type Err = HostPatternError;

    fn from_str(text: &str) -> Result<Self, HostPatternError> {
        let (below, rest) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if rest.contains('*') {
            return Err(HostPatternError::Star);
        }
        let authority = Authority::parse(rest.as_bytes()).map_err(|fault| match fault {
            AuthorityFault::Character => HostPatternError::Name,
            fault => HostPatternError::Authority(fault),
        })?;
        if authority.port == Some(0) {
            return Err(HostPatternError::PortZero);
        }
        // In brackets is an IP address, or one of a version of the future.
        if !is_host_name(authority.host) || rest.starts_with('[') && authority.ip.is_none() {
            return Err(HostPatternError::Name);
        }
        if below && authority.ip.is_some() {
            return Err(HostPatternError::Star);
        }
        Ok(Self { name: normal_host(authority.host), below, port: authority.port })
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.below { "*." } else { "" })?;
        match (self.name.contains(':'), self.port) {
            (true, Some(port)) => write!(f, "[{}]:{port}", self.name),
            (true, None) => write!(f, "[{}]", self.name),
            (false, Some(port)) => write!(f, "{}:{port}", self.name),
            (false, None) => f.write_str(&self.name),
        }
    }
}

/// Returns true for an IP address without brackets, and for a name that can be looked up: letters, digits, `-`, `_` and dots, in parts
/// of 1 to 63 characters (RFC 1035 §2.3.4), 253 in all.
pub fn is_host_name(host: &str) -> bool {
    if host.parse::<IpAddr>().is_ok() {
        return true;
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_part = |part: &str| {
        (1..=63).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    name.len() <= 253 && name.split('.').all(is_part)
}

/// A host, a name or an IP address without brackets, in the form in which equal hosts have equal texts: lower case, without the dot at the
/// end of a name, and the usual form of an address.
pub fn normal_host(host: &str) -> String {
    match host.parse::<IpAddr>() {
        Ok(ip) => ip.to_canonical().to_string(),
        Err(_) => host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_names_hosts_and_ports() {
        for (pattern, host, port, named) in [
            ("example.org", "EXAMPLE.org.", 443, true),
            ("example.org", "www.example.org", 443, false),
            ("example.org:8443", "example.org", 8443, true),
            ("example.org:8443", "example.org", 443, false),
            ("*.Example.org", "a.b.example.org", 1, true),
            ("*.example.org", "example.org", 443, false),
            ("*.example.org", ".example.org", 443, false),
            ("*.example.org", "anexample.org", 443, false),
            ("*.example.org:443", "a.example.org", 8443, false),
            ("127.0.0.1", "::ffff:127.0.0.1", 443, true),
            ("*.0.0.1", "127.0.0.1", 443, false),
            ("[::1]:9", "0:0::1", 9, true),
            ("[::1]", "::2", 9, false),
        ] {
            let parsed: HostPattern = pattern.parse().unwrap_or_else(|e| panic!("{pattern}: {e}"));
            assert_eq!(parsed.matches(host, port), named, "{pattern} {host}:{port}");
            assert_eq!(parsed.to_string().parse(), Ok(parsed), "{pattern}");
        }
    }

    #[test]
    fn each_fault_of_a_pattern_has_its_name() {
        use HostPatternError::{Name, PortZero, Star};
        for (text, error) in [
            ("", HostPatternError::Authority(AuthorityFault::Empty)),
            ("https://example.org", HostPatternError::Authority(AuthorityFault::Uri)),
            ("example.org/", HostPatternError::Authority(AuthorityFault::Path)),
            ("*", Star),
            ("a.*.org", Star),
            ("*.*.org", Star),
            ("*.127.0.0.1", Star),
            ("*.", HostPatternError::Authority(AuthorityFault::Empty)),
            ("a:0", PortZero),
            ("a..b", Name),
            ("b%C3%BCcher.example", Name),
            ("bücher.example", Name),
            ("[v1.a]", Name),
        ] {
            assert_eq!(text.parse::<HostPattern>(), Err(error), "{text}");
        }
    }

    #[test]
    fn section_2_3_4_a_name_has_short_parts() {
        let long = ["a"; 64].concat();
        for (host, is_name) in [
            ("a.b-c_d.example.", true),
            ("xn--bcher-kva.example", true),
            ("fe80::1", true),
            ("fe80::1%25eth0", false),
            ("a\u{7}b", false),
            ("", false),
            (".", false),
            (&long[1..], true),
            (&long, false),
        ] {
            assert_eq!(is_host_name(host), is_name, "{host:?}");
        }
    }
}
