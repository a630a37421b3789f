//! The opening handshake as a report of steps, each kept or broken (RFC 6455 §4.1, §4.2).

mod report;
mod request;
mod response;

use std::net::IpAddr;

pub use self::request::check_request;
pub use self::response::{ACCEPT_REQUIREMENT, check_response};
use super::extensions::{DeflateOffer, Extensions};
use super::rules::Finding;
use crate::wire::field::FieldId;
use crate::wire::http::Head;

/// Targets that our server reserves for WebSocket: a request for one is judged as a handshake, whatever its headers.
pub const WEBSOCKET_TARGETS: [&str; 3] = ["/ticker", "/echo", "/lab"];

/// The protocol version of RFC 6455.
pub const VERSION: &str = "13";

/// One requirement of the handshake, and whether it was met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// What was required, or what was found where that says more; raw from the wire.
    pub title: String,
    /// Where it is required.
    pub section: &'static str,
    /// The field that it is about, when the head has it.
    pub field: Option<FieldId>,
    /// What is wrong; `None` when the requirement is met.
    pub finding: Option<Finding>,
}

/// What a response must be held against: the facts of the request that it answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestFacts {
    /// Whether the request was seen at all.
    pub is_known: bool,
    /// Whether it asks for WebSocket, well or badly.
    pub is_handshake: bool,
    /// Whether it is a HEAD, so that the response has no body.
    pub is_head: bool,
    /// The first Sec-WebSocket-Key.
    pub key: Option<Box<[u8]>>,
    /// The same with the white space around it: all that stands behind the header's colon.
    pub key_line: Box<[u8]>,
    /// The subprotocols offered.
    pub protocols: Vec<String>,
    /// The names of the extensions offered.
    pub extensions: Vec<String>,
    /// The offers of permessage-deflate that a server may accept.
    pub deflate_offers: Vec<DeflateOffer>,
}

impl RequestFacts {
    /// The facts of a request.
    pub fn of(head: &Head<'_>) -> Self {
        let key_line = head.lines_named("sec-websocket-key").next().map(|(_, line)| line.name.end + 1..line.line.end);
        let extensions = Extensions::of(head).list;
        let deflate = extensions.iter().filter(|extension| extension.is_deflate());
        Self {
            is_known: true,
            is_handshake: is_handshake(head),
            is_head: head.method() == Some(b"HEAD"),
            key: head.value("sec-websocket-key").map(Into::into),
            key_line: key_line.map(|line| head.slice(&line).into()).unwrap_or_default(),
            protocols: list(head, "sec-websocket-protocol"),
            deflate_offers: deflate.filter_map(|extension| DeflateOffer::read(extension).ok()).collect(),
            extensions: extensions.into_iter().map(|extension| extension.name).collect(),
        }
    }
}

/// Whether the rules of the handshake apply to a request.
pub fn is_handshake(head: &Head<'_>) -> bool {
    let path = head.target().map(|t| t.split(|b| *b == b'?').next().unwrap_or(t));
    head.is_upgrade() || path.is_some_and(|path| WEBSOCKET_TARGETS.iter().any(|t| t.as_bytes() == path))
}

/// Whether a Host value is `localhost` or an IP literal, so that no foreign name was resolved to reach us.
pub fn host_is_local(host: &[u8]) -> bool {
    let Ok(host) = std::str::from_utf8(host) else { return false };
    let name = if host.starts_with('[') {
        host.split_inclusive(']').next().unwrap_or(host).trim_matches(['[', ']'])
    } else {
        host.rsplit_once(':').map_or(host, |(name, _)| name)
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

/// Whether an Origin names the place that Host names (RFC 6455 §10.2).
pub fn origin_is_host(origin: &[u8], host: &[u8]) -> bool {
    let (Ok(origin), Ok(host)) = (std::str::from_utf8(origin), std::str::from_utf8(host)) else { return false };
    let Some((scheme, place)) = origin.split_once("://") else { return false };
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let bare = |place: &str| place.strip_suffix(default_port).unwrap_or(place).to_ascii_lowercase();
    bare(place) == bare(host)
}

/// The members of a comma-separated header, over all its lines.
fn list(head: &Head<'_>, name: &str) -> Vec<String> {
    head.values(name)
        .flat_map(|value| value.split(|b| *b == b','))
        .map(|part| String::from_utf8_lossy(part.trim_ascii()).into_owned())
        .filter(|part| !part.is_empty())
        .collect()
}

#[cfg(test)]
mod tests;
