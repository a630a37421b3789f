//! HTTP as far as a page and a handshake need it: a request head within limits, and responses (RFC 9112).

use std::borrow::Cow;
use std::io::Write as _;
use std::time::Instant;

use super::tap::{Heard, Lost, Tap};
use crate::proto::extensions::DeflateParams;
use crate::wire::http::{self, Head};

/// The longest request head in bytes.
pub const MAX_HEAD: usize = 16 * 1024;

/// The most header lines of a request.
pub const MAX_HEADERS: usize = 100;

/// What waiting for a request came to.
pub enum Waited {
    /// The head is whole: the first so many bytes of the tap's input.
    Head(usize),
    /// It can be answered by a refusal only.
    Refused(Response),
    /// The peer ended, or said nothing in time: there is nobody to answer.
    Over,
    /// The server shuts down.
    Stopped,
}

/// Waits for a request's head until `deadline`.
///
/// # Errors
/// When the connection was torn down.
pub fn request(tap: &mut Tap, deadline: Instant) -> Result<Waited, Lost> {
    let mut scanned = 0;
    loop {
        let input = tap.input();
        if !http::may_be_request(input) {
            return Ok(Waited::Refused(not_http(input)));
        }
        let end = http::head_len(input, scanned);
        if end.unwrap_or(input.len()) > MAX_HEAD {
            let words = format!("The request head is longer than {MAX_HEAD} bytes.");
            return Ok(Waited::Refused(Response::text(431, &words).closing()));
        }
        if let Some(end) = end {
            return Ok(Waited::Head(end));
        }
        scanned = input.len();
        let left = deadline.saturating_duration_since(Instant::now());
        let heard = if left.is_zero() { Heard::Silence } else { tap.read(Some(left))? };
        match heard {
            Heard::Bytes => {}
            Heard::Silence if tap.input().is_empty() => return Ok(Waited::Over),
            Heard::Silence => {
                return Ok(Waited::Refused(Response::text(408, "The request did not come in time.").closing()));
            }
            Heard::Fin => return Ok(Waited::Over),
            Heard::Stopped => return Ok(Waited::Stopped),
        }
    }
}

/// Whether the connection ends after the answer: the client wants it (RFC 9112 §9.6), is older than HTTP/1.1, or sends a
/// body, which nothing here reads.
pub fn ends_after(head: &Head<'_>) -> bool {
    head.has_token("connection", "close") || head.version() == b"HTTP/1.0" || has_body(head)
}

/// Whether a request announces a body (RFC 9112 §6).
pub fn has_body(head: &Head<'_>) -> bool {
    head.value("transfer-encoding").is_some() || head.value("content-length").is_some_and(|len| len != b"0")
}

fn not_http(input: &[u8]) -> Response {
    let words = match input {
        // RFC 8446 §5.1: a record of type handshake.
        [0x16, 0x03, ..] | [0x16] => "This is a TLS hello, and the server speaks plain HTTP: use http:// and ws://.",
        _ => "This is no HTTP request.",
    };
    Response::text(400, words).closing()
}

/// Appends the response that accepts a handshake (RFC 6455 §4.2.2).
pub fn encode_upgrade(accept: &str, deflate: Option<&DeflateParams>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n");
    // Writing to a Vec cannot fail.
    let _ = write!(out, "Sec-WebSocket-Accept: {accept}\r\n");
    if let Some(params) = deflate {
        let _ = write!(out, "Sec-WebSocket-Extensions: {params}\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

/// A response with its body.
#[derive(Clone, Debug)]
pub struct Response {
    status: u16,
    kind: &'static str,
    headers: Vec<(&'static str, Cow<'static, str>)>,
    body: Cow<'static, [u8]>,
    close: bool,
    upgrade: bool,
}

impl Response {
    /// A file of the page.
    pub const fn file(kind: &'static str, body: &'static [u8]) -> Self {
        Self { status: 200, kind, headers: Vec::new(), body: Cow::Borrowed(body), close: false, upgrade: false }
    }

    /// Words for a person; a line break is added.
    pub fn text(status: u16, words: &str) -> Self {
        let body = Cow::Owned(format!("{words}\n").into_bytes());
        Self { status, kind: "text/plain; charset=utf-8", headers: Vec::new(), body, close: false, upgrade: false }
    }

    /// With a further header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The last one of its connection.
    #[must_use]
    pub const fn closing(mut self) -> Self {
        self.close = true;
        self
    }

    /// With `Upgrade: websocket`: what the resource wants to speak (RFC 9110 §15.5.22).
    #[must_use]
    pub const fn wanting_upgrade(mut self) -> Self {
        self.upgrade = true;
        self
    }

    /// Whether it is the last one of its connection.
    pub const fn closes(&self) -> bool {
        self.close
    }

    /// Appends the response to `out`, without its body when it answers a HEAD.
    pub fn encode(&self, head_only: bool, out: &mut Vec<u8>) {
        let mut line = |text: std::fmt::Arguments<'_>| {
            // Writing to a Vec cannot fail.
            let _ = write!(out, "{text}\r\n");
        };
        line(format_args!("HTTP/1.1 {} {}", self.status, reason(self.status)));
        // RFC 9110 §6.6.1: an origin server with a clock sends it.
        if let Ok(date) =
            jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&jiff::Timestamp::now())
        {
            line(format_args!("Date: {date}"));
        }
        line(format_args!("Content-Type: {}", self.kind));
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
        _ => "",
    }
}
