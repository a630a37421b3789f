//! The part of HTTP/1.1 that a page and a handshake need: reading a request head within limits, and writing responses
//! (RFC 9112).

use std::borrow::Cow;
use std::io::Write as _;
use std::time::Instant;

use super::page_connections;
use super::site::Upgrade;
use super::transport::{ConnectionLost, ReadOutcome, Transport};
use crate::wire::http::{self, Head};

/// The longest request head in bytes.
pub const MAX_HEAD: usize = 16 * 1024;

/// The most header lines of a request.
pub const MAX_HEADERS: usize = 100;

/// The result of waiting for a request.
pub enum RequestOutcome {
    /// The head is complete: it is the first so many bytes of the transport's input.
    Head(usize),
    /// There is no acceptable head. This response is the reply.
    Refused(Response),
    /// The client ended its direction, or sent nothing before the deadline: there is nothing to reply to.
    NoRequest,
    /// The server is shutting down.
    ShuttingDown,
}

/// Waits until `deadline` for the head of a request.
///
/// # Errors
/// [`ConnectionLost::Reset`].
pub fn read_request(transport: &mut Transport, deadline: Instant) -> Result<RequestOutcome, ConnectionLost> {
    let mut scanned = 0;
    loop {
        let input = transport.input();
        if !http::may_be_request(input) {
            return Ok(RequestOutcome::Refused(not_http(input)));
        }
        let end = http::head_len(input, scanned);
        if end.unwrap_or(input.len()) > MAX_HEAD {
            let words = format!("The request head is longer than {MAX_HEAD} bytes.");
            return Ok(RequestOutcome::Refused(Response::text(431, &words).closing()));
        }
        if let Some(end) = end {
            return Ok(RequestOutcome::Head(end));
        }
        scanned = input.len();
        let left = deadline.saturating_duration_since(Instant::now());
        let outcome = if left.is_zero() {
            ReadOutcome::TimedOut
        } else if page_connections::may_be_request(input) {
            transport.read_withholding(left)?
        } else {
            transport.read(Some(left))?
        };
        match outcome {
            ReadOutcome::Bytes => {}
            ReadOutcome::TimedOut if transport.input().is_empty() => return Ok(RequestOutcome::NoRequest),
            ReadOutcome::TimedOut => {
                return Ok(RequestOutcome::Refused(
                    Response::text(408, "The request head did not arrive in time.").closing(),
                ));
            }
            ReadOutcome::Fin | ReadOutcome::Evicted => return Ok(RequestOutcome::NoRequest),
            ReadOutcome::ShuttingDown => return Ok(RequestOutcome::ShuttingDown),
        }
    }
}

/// Returns true if the connection ends after the response: the client asks for it (RFC 9112 §9.6), uses HTTP/1.0, or sends
/// a body, which this server does not read.
pub fn is_last_request(head: &Head<'_>) -> bool {
    head.has_token("connection", "close") || head.version() == b"HTTP/1.0" || has_body(head)
}

/// Returns true if a request announces a body (RFC 9112 §6).
pub fn has_body(head: &Head<'_>) -> bool {
    head.value("transfer-encoding").is_some() || head.values("content-length").any(|len| len != b"0")
}

fn not_http(input: &[u8]) -> Response {
    let words = match input {
        // RFC 8446 §5.1: a record of type handshake.
        [0x16, 0x03, ..] | [0x16] => {
            "This is a TLS ClientHello, but the server uses plain HTTP: connect with http:// or ws://."
        }
        _ => "This is not an HTTP request.",
    };
    Response::text(400, words).closing()
}

/// Appends the response that accepts a handshake (RFC 6455 §4.2.2).
pub fn encode_upgrade(upgrade: &Upgrade, out: &mut Vec<u8>) {
    out.extend_from_slice(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n");
    // Writing to a Vec cannot fail.
    let _ = write!(out, "Sec-WebSocket-Accept: {}\r\n", upgrade.accept);
    if let Some(subprotocol) = &upgrade.subprotocol {
        let _ = write!(out, "Sec-WebSocket-Protocol: {subprotocol}\r\n");
    }
    if let Some(params) = &upgrade.deflate {
        let _ = write!(out, "Sec-WebSocket-Extensions: {params}\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

/// An HTTP response with its body.
#[derive(Clone, Debug)]
pub struct Response {
    status: u16,
    content_type: &'static str,
    headers: Vec<(&'static str, Cow<'static, str>)>,
    body: Cow<'static, [u8]>,
    close: bool,
    upgrade: bool,
}

impl Response {
    /// A file of the page, with status 200.
    pub const fn file(content_type: &'static str, body: &'static [u8]) -> Self {
        Self { status: 200, content_type, headers: Vec::new(), body: Cow::Borrowed(body), close: false, upgrade: false }
    }

    /// A plain text, to which a line break is added.
    pub fn text(status: u16, words: &str) -> Self {
        let body = Cow::Owned(format!("{words}\n").into_bytes());
        let content_type = "text/plain; charset=utf-8";
        Self { status, content_type, headers: Vec::new(), body, close: false, upgrade: false }
    }

    /// A JSON value, with status 200.
    pub fn json(body: String) -> Self {
        let (content_type, body) = ("application/json", Cow::Owned(body.into_bytes()));
        Self { status: 200, content_type, headers: Vec::new(), body, close: false, upgrade: false }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Makes it the last response of its connection.
    #[must_use]
    pub const fn closing(mut self) -> Self {
        self.close = true;
        self
    }

    /// Adds `Upgrade: websocket`, the protocol that the resource requires (RFC 9110 §15.5.22).
    #[must_use]
    pub const fn requiring_upgrade(mut self) -> Self {
        self.upgrade = true;
        self
    }

    /// Returns true if it is the last response of its connection.
    pub const fn closes(&self) -> bool {
        self.close
    }

    /// Appends the response to `out`; with `head_only` (for a HEAD request) without its body.
    pub fn encode(&self, head_only: bool, out: &mut Vec<u8>) {
        let mut line = |text: std::fmt::Arguments<'_>| {
            // Writing to a Vec cannot fail.
            let _ = write!(out, "{text}\r\n");
        };
        line(format_args!("HTTP/1.1 {} {}", self.status, reason(self.status)));
        // RFC 9110 §6.6.1: an origin server with a clock sends Date.
        if let Ok(date) =
            jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&jiff::Timestamp::now())
        {
            line(format_args!("Date: {date}"));
        }
        line(format_args!("Content-Type: {}", self.content_type));
        line(format_args!("Content-Length: {}", self.body.len()));
        line(format_args!("Cache-Control: no-store"));
        line(format_args!("X-Content-Type-Options: nosniff"));
        line(format_args!(
            "Content-Security-Policy: default-src 'self'; connect-src 'self' ws: wss:; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'"
        ));
        for (name, value) in &self.headers {
            line(format_args!("{name}: {value}"));
        }
        if self.upgrade {
            line(format_args!("Upgrade: websocket"));
        }
        match (self.upgrade, self.close) {
            (true, true) => line(format_args!("Connection: Upgrade, close")),
            (true, false) => line(format_args!("Connection: Upgrade")),
            (false, true) => line(format_args!("Connection: close")),
            (false, false) => {}
        }
        line(format_args!(""));
        if !head_only {
            out.extend_from_slice(&self.body);
        }
    }
}

const fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        426 => "Upgrade Required",
        431 => "Request Header Fields Too Large",
        502 => "Bad Gateway",
        504 => "Gateway Timeout",
        508 => "Loop Detected",
        _ => "",
    }
}
