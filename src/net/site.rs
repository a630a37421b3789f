//! Decides the response to a request: a file of the page, the handshake of a WebSocket path, the number of a connection, or a refusal
//! with its reason.

use std::net::SocketAddr;

use super::config::ServerConfig;
use super::http::{self, MAX_HEADERS, Response};
use super::page_connections::{self, PageConnections};
use super::roles::{self, Role};
use crate::proto::accept::accept_key;
use crate::proto::extensions::{DeflateParams, Extensions};
use crate::proto::handshake::{self, RequestFacts};
use crate::proto::rules::{Rule, Severity};
use crate::wire::authority::Authority;
use crate::wire::http::{Flaw, Head, HeaderLine};
use crate::wire::printable;

/// The script of the page: the files of `static/app` in one function. Each file for itself would be a request, and maybe a
/// connection, before the handshake that people look for.
const APP: &str = concat!(
    "(() => {\n'use strict';\n",
    include_str!("../../static/app/dom.js"),
    include_str!("../../static/app/format.js"),
    include_str!("../../static/app/wire.js"),
    include_str!("../../static/app/input.js"),
    include_str!("../../static/app/sentences.js"),
    include_str!("../../static/app/frames.js"),
    include_str!("../../static/app/log.js"),
    include_str!("../../static/app/client.js"),
    include_str!("../../static/app/page.js"),
    "})();\n",
);

/// The page's files: path, content type, content.
const FILES: [(&str, &str, &[u8]); 4] = [
    ("/", "text/html; charset=utf-8", include_bytes!("../../static/index.html")),
    ("/app.js", "text/javascript; charset=utf-8", APP.as_bytes()),
    ("/style.css", "text/css; charset=utf-8", include_bytes!("../../static/style.css")),
    ("/favicon.svg", "image/svg+xml; charset=utf-8", include_bytes!("../../static/favicon.svg")),
];

/// The path that is named for the script.
const SCRIPT_PATH: &str = "/script";

/// The response to a request.
pub enum Answer {
    /// An HTTP response.
    Http(Response),
    /// An HTTP response that the capture does not contain, and neither the request: see [`page_connections`].
    Unrecorded(Response),
    /// The handshake is accepted.
    Upgrade(Upgrade),
}

/// An accepted handshake.
pub struct Upgrade {
    /// The value of Sec-WebSocket-Accept.
    pub accept: String,
    /// The agreed parameters, if permessage-deflate was negotiated.
    pub deflate: Option<DeflateParams>,
    /// The chosen subprotocol, if the client offers some: the first, because the roles do not depend on it.
    pub subprotocol: Option<String>,
    /// The token by which the page asks for the number of the connection.
    pub page: Option<String>,
    /// The role that serves the connection after the handshake.
    pub role: Box<dyn Role>,
    /// Whether the script of the server plays on the connection.
    pub plays_script: bool,
}

/// Answers a request whose head is complete, on a connection to the server's address `server`.
pub fn answer(head: &Head<'_>, server: SocketAddr, config: &ServerConfig, pages: &PageConnections) -> Answer {
    match accept_or_refuse(head, server, config, pages) {
        Ok(answer) => answer,
        Err(refusal) => Answer::Http(refusal),
    }
}

fn accept_or_refuse(
    head: &Head<'_>,
    server: SocketAddr,
    config: &ServerConfig,
    pages: &PageConnections,
) -> Result<Answer, Response> {
    if head.headers.len() > MAX_HEADERS {
        return Err(Response::text(431, &format!("The request has more than {MAX_HEADERS} header lines.")).closing());
    }
    if !head.version().starts_with(b"HTTP/") {
        return Err(Response::text(400, "The request line has no HTTP version.").closing());
    }
    check_lines(head)?;
    check_host(head)?;
    let path = path(head);
    let role = roles::PATHS.iter().find(|(name, _)| *name == path);
    // A mock takes the place of an application, whatever its paths are: every other path is the script's.
    let plays_script =
        role.is_none() && config.script.is_some() && (head.has_token("upgrade", "websocket") || path == SCRIPT_PATH);
    if role.is_some() || plays_script {
        let accept = check_handshake(head, server, config)?;
        let role = role.map_or_else(roles::silent, |(_, make)| make(config));
        let accepts =
            config.deflate && role.accepts_deflate() && query_value(head, "deflate").as_deref() != Some("off");
        let offers = accepts.then(|| Extensions::of(head));
        let deflate = offers.and_then(|offers| DeflateParams::negotiate(&offers));
        let subprotocol = RequestFacts::of(head).protocols.into_iter().next();
        let page = query_value(head, "page").filter(|token| page_connections::is_token(token));
        return Ok(Answer::Upgrade(Upgrade { accept, deflate, subprotocol, page, role, plays_script }));
    }
    if let Some(token) = page_connections::requested_token(head).filter(|_| !http::has_body(head)) {
        return Ok(Answer::Unrecorded(pages.response(token)));
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

/// The value of a parameter of the target's query. The page sends `deflate=off`, because a browser always offers compression.
fn query_value(head: &Head<'_>, name: &str) -> Option<String> {
    let target = String::from_utf8_lossy(head.target().unwrap_or_default());
    let (_, query) = target.split_once('?')?;
    let parts = query.split('&').filter_map(|part| part.split_once('='));
    parts.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).next()
}

/// The path of the request target without its query.
fn path(head: &Head<'_>) -> String {
    let target = head.target().unwrap_or_default();
    let path = absolute_form(target).map_or(target, |(_, path)| path);
    let path = String::from_utf8_lossy(path);
    path.split(['?', '#']).next().filter(|path| !path.is_empty()).unwrap_or("/").to_owned()
}

/// Splits a target in absolute form, such as `http://localhost/echo`, into its authority and the rest (RFC 9112 §3.2.2).
fn absolute_form(target: &[u8]) -> Option<(&[u8], &[u8])> {
    let scheme = target.iter().position(|byte| !byte.is_ascii_alphabetic())?;
    let rest = target[scheme..].strip_prefix(b"://")?;
    Some(rest.split_at(rest.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(rest.len())))
}

/// Requires header lines that every recipient reads in the same way: otherwise a proxy in front of this server could see the
/// end of the request elsewhere (RFC 9112 §5.1, §6.3).
fn check_lines(head: &Head<'_>) -> Result<(), Response> {
    let malformed = |line: &HeaderLine| {
        let flaw = match line.flaw? {
            Flaw::NoColon => "has no colon",
            Flaw::BadName => "has a name that is not a token, maybe with white space before the colon",
            Flaw::ControlCharacter => "contains a control character",
            Flaw::Folded => return None,
        };
        Some(format!("A header line {flaw} (RFC 9112 §5, RFC 9110 §5.5): {}", printable::bytes(head.slice(&line.line))))
    };
    if let Some(words) = head.headers.iter().find_map(malformed) {
        return Err(Response::text(400, &words).closing());
    }
    let mut lengths = head.values("content-length");
    let first = lengths.next().unwrap_or(b"0");
    let is_number = !first.is_empty() && first.iter().all(u8::is_ascii_digit);
    if !is_number || lengths.any(|other| other != first) {
        let words = "Content-Length is not one number (RFC 9112 §6.3).";
        return Err(Response::text(400, words).closing());
    }
    Ok(())
}

/// Requires exactly one Host header (RFC 9112 §3.2), with localhost or an IP literal, and the same of the target if that has a
/// host too: another name that resolves to this server may be DNS rebinding.
fn check_host(head: &Head<'_>) -> Result<(), Response> {
    if let Some((authority, _)) = head.target().and_then(absolute_form) {
        // RFC 9112 §3.2.2: the host of the target counts, not Host.
        check_authority("host of the target", authority)?;
    }
    let mut hosts = head.values("host");
    match (hosts.next(), hosts.next()) {
        (None, _) if head.version() == b"HTTP/1.0" => Ok(()),
        (None, _) => Err(Response::text(400, "The request has no Host header (RFC 9112 §3.2).").closing()),
        (Some(_), Some(_)) => {
            Err(Response::text(400, "The request has more than one Host header (RFC 9112 §3.2).").closing())
        }
        (Some(host), None) => check_authority("Host", host),
    }
}

/// Requires localhost or an IP literal, with or without a port. `what` names the text for the refusal.
fn check_authority(what: &str, text: &[u8]) -> Result<(), Response> {
    match Authority::parse(text) {
        Ok(authority) if authority.is_local() => Ok(()),
        Ok(_) => {
            let words = format!(
                "The {what} is {}, which is neither localhost nor an IP address. This may be DNS rebinding, by which a \
                 foreign page reaches local servers. Use localhost or the IP address.",
                printable::bytes(text)
            );
            Err(Response::text(403, &words).closing())
        }
        Err(fault) => {
            let words = format!("The {what} is invalid: {} (RFC 9112 §3.2): {}", fault.words(), printable::bytes(text));
            Err(Response::text(400, &words).closing())
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
    let scheme: &[u8] = if config.tls.is_some() { b"https://" } else { b"http://" };
    let allowed = |origin: &[u8]| {
        let listed = |allowed: &String| allowed.trim_end_matches('/').as_bytes().eq_ignore_ascii_case(origin);
        // Another scheme belongs to another server, on another port.
        (origin.starts_with(scheme) && handshake::origin_is_host(origin, host))
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
