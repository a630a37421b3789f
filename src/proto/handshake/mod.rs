//! Checks the opening handshake: a list of requirements, each met or violated (RFC 6455 §4.1, §4.2).

mod report;
mod request;
mod response;

pub use self::request::check_request;
pub use self::response::check_response;
use super::extensions::{DeflateOffer, Extensions};
use super::rules::{Finding, Rule};
use crate::wire::field::FieldId;
use crate::wire::http::Head;

/// The WebSocket paths of framescope's server. A request for one of them is checked as a handshake, whatever its headers.
pub const WEBSOCKET_TARGETS: [&str; 3] = ["/ticker", "/echo", "/lab"];

/// The protocol version of RFC 6455.
pub const VERSION: &str = "13";

/// One requirement of the handshake, and whether it is met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The requirement as a phrase, such as `Upgrade: websocket`. May contain captured text as sent.
    pub title: String,
    /// The rule that states it.
    pub rule: Rule,
    /// The field that it applies to, if the head has it.
    pub field: Option<FieldId>,
    /// The violation; `None` if the requirement is met.
    pub finding: Option<Finding>,
}

impl Requirement {
    /// True for the requirement that [`super::accept::AcceptBench`] explains: Sec-WebSocket-Accept has the expected value.
    pub const fn is_accept_value(&self) -> bool {
        matches!(self.rule, Rule::AcceptMissing | Rule::AcceptWrong | Rule::AcceptKeySpaces)
    }
}

/// The facts of a request that the response to it is checked against.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestFacts {
    /// True if the request was captured.
    pub is_known: bool,
    /// True if the request is checked as a handshake: see [`is_handshake`].
    pub is_handshake: bool,
    /// The method. It decides whether the response has a body.
    pub method: Box<[u8]>,
    /// The value of the first Sec-WebSocket-Key header.
    pub key: Option<Box<[u8]>>,
    /// The text after the colon of that header, with the white space around the key.
    pub key_line: Box<[u8]>,
    /// The offered subprotocols.
    pub protocols: Vec<String>,
    /// The names of the offered extensions.
    pub extensions: Vec<String>,
    /// The valid offers of permessage-deflate.
    pub deflate_offers: Vec<DeflateOffer>,
}

impl RequestFacts {
    /// True if the request asks a proxy for a tunnel (RFC 9110 §9.3.6).
    pub fn is_connect(&self) -> bool {
        &*self.method == b"CONNECT"
    }

    /// The facts of a request with this head.
    pub fn of(head: &Head<'_>) -> Self {
        let key_line = head.lines_named("sec-websocket-key").next().map(|(_, line)| line.name.end + 1..line.line.end);
        let extensions = Extensions::of(head).list;
        let deflate = extensions.iter().filter(|extension| extension.is_deflate());
        Self {
            is_known: true,
            is_handshake: is_handshake(head),
            method: head.method().unwrap_or_default().into(),
            key: head.value("sec-websocket-key").map(Into::into),
            key_line: key_line.map(|line| head.slice(&line).into()).unwrap_or_default(),
            protocols: list(head, "sec-websocket-protocol"),
            deflate_offers: deflate.filter_map(|extension| DeflateOffer::read(extension).ok()).collect(),
            extensions: extensions.into_iter().map(|extension| extension.name).collect(),
        }
    }
}

/// Returns true if the rules of the handshake apply to a request.
pub fn is_handshake(head: &Head<'_>) -> bool {
    let path = head.target().map(|t| t.split(|b| *b == b'?').next().unwrap_or(t));
    head.is_upgrade() || path.is_some_and(|path| WEBSOCKET_TARGETS.iter().any(|t| t.as_bytes() == path))
}

/// Returns true if an Origin has the host and port of a Host value (RFC 6455 §10.2).
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

/// The elements of a comma-separated header in all its lines.
fn list(head: &Head<'_>, name: &str) -> Vec<String> {
    head.values(name)
        .flat_map(|value| value.split(|b| *b == b','))
        .map(|part| String::from_utf8_lossy(part.trim_ascii()).into_owned())
        .filter(|part| !part.is_empty())
        .collect()
}

#[cfg(test)]
mod tests;
