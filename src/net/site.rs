//! Decides the response to a request: a file of the page, the handshake of a WebSocket path, or a refusal with its reason.

use std::net::SocketAddr;

use super::config::ServerConfig;
use super::http::{self, MAX_HEADERS, Response};
use super::roles::{self, Role};
use crate::proto::accept::accept_key;
use crate::proto::extensions::{DeflateParams, Extensions};
use crate::proto::handshake;
use crate::proto::rules::{Rule, Severity};
use crate::wire::http::Head;
use crate::wire::printable;

/// The page's files: path, content type, content.
const FILES: [(&str, &str, &[u8]); 4] = [
    ("/", "text/html; charset=utf-8", include_bytes!("../../static/index.html")),
    ("/app.js", "text/javascript; charset=utf-8", include_bytes!("../../static/app.js")),
    ("/style.css", "text/css; charset=utf-8", include_bytes!("../../static/style.css")),
    ("/favicon.svg", "image/svg+xml; charset=utf-8", include_bytes!("../../static/favicon.svg")),
];

/// The response to a request.
pub enum Answer {
    /// An HTTP response.
    Http(Response),
    /// The handshake is accepted.
    Upgrade(Upgrade),
}

/// An accepted handshake.
pub struct Upgrade {
    /// The value of Sec-WebSocket-Accept.
    pub accept: String,
    /// The agreed parameters, if permessage-deflate was negotiated.
    pub deflate: Option<DeflateParams>,
    /// The role that serves the connection after the handshake.
    pub role: Box<dyn Role>,
}

/// Answers a request whose head is complete, on a connection to the server's address `server`.
pub fn answer(head: &Head<'_>, server: SocketAddr, config: &ServerConfig) -> Answer {
    match accept_or_refuse(head, server, config) {
        Ok(answer) => answer,
        Err(refusal) => Answer::Http(refusal),
    }
}

fn accept_or_refuse(head: &Head<'_>, server: SocketAddr, config: &ServerConfig) -> Result<Answer, Response> {
    if head.headers.len() > MAX_HEADERS {
        return Err(Response::text(431, &format!("The request has more than {MAX_HEADERS} header lines.")).closing());
    }
    if !head.version().starts_with(b"HTTP/") {
        return Err(Response::text(400, "The request line has no HTTP version.").closing());
    }
    check_host(head)?;
    let path = path(head);
    let role = roles::PATHS.iter().find(|(name, _)| *name == path);
    if let Some((_, make)) = role {
        let accept = check_handshake(head, server, config)?;
        let role = make(config);
        let accepts = config.deflate && role.accepts_deflate() && !declines_deflate(head);
        let offers = accepts.then(|| Extensions::of(head));
        let deflate = offers.and_then(|offers| DeflateParams::negotiate(&offers));
        return Ok(Answer::Upgrade(Upgrade { accept, deflate, role }));
    }
    let Some((_, kind, content)) = FILES.iter().find(|(name, ..)| *name == path) else { return Err(not_found()) };
    if head.has_token("upgrade", "websocket") {
        return Err(not_found());
    }
    if !matches!(head.method(), Some(b"GET" | b"HEAD")) {
        return Err(Response::text(405, "The page can only be read.").header("Allow", "GET, HEAD"));
    }
    Ok(Answer::Http(Response::file(kind, content)))
}

/// Returns true if the target contains `?deflate=off`. A page needs this, because a browser always offers compression.
fn declines_deflate(head: &Head<'_>) -> bool {
    let target = String::from_utf8_lossy(head.target().unwrap_or_default());
    target.split_once('?').is_some_and(|(_, query)| query.split('&').any(|part| part == "deflate=off"))
}

/// The path of the request target without its query. Accepts the absolute form too (RFC 9112 §3.2.2).
fn path(head: &Head<'_>) -> String {
    let target = String::from_utf8_lossy(head.target().unwrap_or_default());
    let path = match target.strip_prefix("http://") {
        Some(rest) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => &target,
    };
    path.split(['?', '#']).next().unwrap_or_default().to_owned()
}

/// Requires exactly one Host header (RFC 9112 §3.2), with localhost or an IP literal: another name that resolves to this
/// server may be DNS rebinding.
fn check_host(head: &Head<'_>) -> Result<(), Response> {
    let mut hosts = head.values("host");
    match (hosts.next(), hosts.next()) {
        (None, _) if head.version() == b"HTTP/1.0" => Ok(()),
        (None, _) => Err(Response::text(400, "The request has no Host header (RFC 9112 §3.2).").closing()),
        (Some(_), Some(_)) => {
            Err(Response::text(400, "The request has more than one Host header (RFC 9112 §3.2).").closing())
        }
        (Some(host), None) if handshake::host_is_local(host) => Ok(()),
        (Some(host), None) => {
            let words = format!(
                "The Host is {}, which is neither localhost nor an IP address. This may be DNS rebinding, by which a \
                 foreign page reaches local servers. Use localhost or the IP address.",
                printable::bytes(host)
            );
            Err(Response::text(403, &words).closing())
        }
    }
}

/// Returns the accept key if the handshake breaks no rule (RFC 6455 §4.2), and otherwise the refusal.
fn check_handshake(head: &Head<'_>, server: SocketAddr, config: &ServerConfig) -> Result<String, Response> {
    if head.method() != Some(b"GET") {
        return Err(Response::text(405, "A WebSocket handshake is a GET (RFC 6455 §4.1).").header("Allow", "GET"));
    }
    if !head.is_upgrade() {
        let words =
            "This is a WebSocket path. Open / in a browser (its page connects here), or use a WebSocket client.";
        return Err(Response::text(426, words).requiring_upgrade());
    }
    check_origin(head, config)?;
    if http::has_body(head) {
        // One reader could take the next bytes for that body, another for the first frame.
        return Err(Response::text(400, "This server accepts no body in a WebSocket handshake.").closing());
    }
    let broken: Vec<_> = handshake::check_request(head, Some(server))
        .into_iter()
        .filter_map(|step| step.finding)
        .filter(|finding| finding.rule.severity() == Severity::Error)
        .collect();
    if broken.is_empty() {
        return Ok(accept_key(head.value("sec-websocket-key").unwrap_or_default()));
    }
    let words: Vec<_> = broken
        .iter()
        .map(|finding| format!("{} ({})", printable::text(&finding.sentence()), finding.rule.section()))
        .collect();
    let words = format!("This is not a valid WebSocket handshake:\n{}", words.join("\n"));
    if broken.iter().all(|finding| finding.rule == Rule::VersionNot13) {
        // RFC 6455 §4.2.2: the response lists the versions that the server supports.
        let refusal = Response::text(426, &words).header("Sec-WebSocket-Version", handshake::VERSION);
        return Err(refusal.requiring_upgrade());
    }
    Err(Response::text(400, &words).closing())
}

/// Refuses pages of other origins, which could otherwise connect without the user's knowledge (RFC 6455 §10.2). Tools send
/// no Origin, and may connect.
fn check_origin(head: &Head<'_>, config: &ServerConfig) -> Result<(), Response> {
    let host = head.value("host").unwrap_or_default();
    let allowed = |origin: &[u8]| {
        let listed = |allowed: &String| allowed.trim_end_matches('/').as_bytes().eq_ignore_ascii_case(origin);
        // This server uses plain HTTP, so an https:// origin belongs to another server, on another port.
        (origin.starts_with(b"http://") && handshake::origin_is_host(origin, host))
            || config.allow_origins.iter().any(listed)
    };
    match head.values("origin").find(|origin| !allowed(origin)) {
        None => Ok(()),
        Some(origin) => {
            let origin = printable::bytes(origin);
            let words = format!(
                "The Origin is {origin}, which is not this server's page. Start the server with --allow-origin {origin} to allow it."
            );
            Err(Response::text(403, &words).closing())
        }
    }
}

fn not_found() -> Response {
    let paths: Vec<_> = roles::PATHS.iter().map(|(path, _)| format!("{path} (WebSocket)")).collect();
    Response::text(404, &format!("There is nothing at this path. The paths are / (the page), {}.", paths.join(", ")))
}
