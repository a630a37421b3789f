//! Parses HTTP/1.1 request and response heads leniently, with the position of each part (RFC 9112, RFC 6455 §4).
//!
//! Hand-written, because an inspector must show heads that a strict parser rejects. A [`Head`] consists of ranges of
//! the original bytes. It marks malformed lines with a [`Flaw`] and never fails.

use std::ops::Range;

use super::field::{Field, FieldId, FieldValue, Span};

/// A parsed head: start line and header lines, as ranges of the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head<'a> {
    bytes: &'a [u8],
    /// The start line.
    pub start: StartLine,
    /// The header lines in order. A folded line is joined to the line that it continues.
    pub headers: Vec<HeaderLine>,
    /// The empty line with its line break; `None` if the bytes end before it.
    pub end: Option<Range<usize>>,
    /// The position of the first LF without CR, if there is one.
    pub bare_lf: Option<usize>,
}

/// The first line of a head, as byte ranges. A missing part is an empty range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartLine {
    /// `METHOD TARGET VERSION`
    Request {
        /// Such as `GET`.
        method: Range<usize>,
        /// Such as `/ticker`.
        target: Range<usize>,
        /// Such as `HTTP/1.1`.
        version: Range<usize>,
    },
    /// `VERSION STATUS REASON`
    Response {
        /// Such as `HTTP/1.1`.
        version: Range<usize>,
        /// Such as `101`.
        status: Range<usize>,
        /// Such as `Switching Protocols`; may be empty.
        reason: Range<usize>,
    },
}

/// One header line, as byte ranges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderLine {
    /// The line without its line break.
    pub line: Range<usize>,
    /// The text before the colon.
    pub name: Range<usize>,
    /// The text after the colon, without the white space around it.
    pub value: Range<usize>,
    /// The error in the line, if it has one.
    pub flaw: Option<Flaw>,
}

/// An error in a header line (RFC 9112 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// The line has no colon.
    NoColon,
    /// The name is empty or contains a character that is not allowed in a token, such as a space before the colon.
    BadName,
    /// The value continues on the next line, which starts with white space (obs-fold).
    Folded,
    /// The value contains a control character (RFC 9110 §5.5). It may continue on the next line too.
    ControlCharacter,
}

/// The length of the head at the start of `bytes` with its empty line; `None` if the empty line has not arrived.
///
/// The first `scanned` bytes are known not to contain the end. With it, feeding a head byte by byte takes linear time.
pub fn head_len(bytes: &[u8], scanned: usize) -> Option<usize> {
    let from = scanned.saturating_sub(3).min(bytes.len());
    let mut at = from;
    while let Some(lf) = bytes[at..].iter().position(|b| *b == b'\n') {
        let next = at + lf + 1;
        match &bytes[next..] {
            [b'\n', ..] => return Some(next + 1),
            [b'\r', b'\n', ..] => return Some(next + 2),
            _ => at = next,
        }
    }
    None
}

/// Returns true if `bytes` can be the start of a request: a method of at most 20 capital letters, then a space. A
/// misspelled GET, such as `get` or `GET2`, is accepted if a path follows, so that the handshake is shown with its
/// error.
pub fn may_be_request(bytes: &[u8]) -> bool {
    let method = bytes.iter().take(21).take_while(|b| is_token(&[**b])).count();
    let name = &bytes[..method];
    let usual = name.iter().all(|b| b.is_ascii_uppercase() || matches!(b, b'-' | b'_'));
    let meant = name.iter().zip(b"GET").all(|(have, want)| have.eq_ignore_ascii_case(want));
    match &bytes[method..] {
        [] => method <= 20 && (usual || meant),
        [b' ', target @ ..] if (1..=20).contains(&method) => {
            usual || method >= 3 && meant && target.first().is_none_or(|first| *first == b'/')
        }
        _ => false,
    }
}

/// Returns true if `bytes` can be the start of a response: `HTTP/`.
pub fn may_be_response(bytes: &[u8]) -> bool {
    let n = bytes.len().min(5);
    bytes[..n] == b"HTTP/"[..n]
}

impl<'a> Head<'a> {
    /// Parses the head at the start of `bytes`. Ignores bytes after its empty line. A truncated head has the lines that
    /// were captured.
    pub fn read(bytes: &'a [u8]) -> Self {
        let mut lines = HeadLines { bytes, at: 0 };
        let mut bare_lf = None;
        let first = lines.next().unwrap_or(RawLine { text: 0..0, end: 0, bare_lf: false, whole: false });
        let start = start_line(bytes, first.text.clone());
        let mut note_break = |line: &RawLine| {
            if line.bare_lf && bare_lf.is_none() {
                bare_lf = Some(line.text.end);
            }
        };
        note_break(&first);
        let mut headers: Vec<HeaderLine> = Vec::new();
        let mut end = None;
        for line in lines {
            note_break(&line);
            if line.text.is_empty() {
                end = line.whole.then_some(line.text.start..line.end);
                break;
            }
            let folded = matches!(bytes[line.text.start], b' ' | b'\t');
            match headers.last_mut() {
                Some(previous) if folded => {
                    previous.line.end = line.text.end;
                    previous.value.end = trim(bytes, line.text.clone()).end.max(previous.value.end);
                    if previous.flaw != Some(Flaw::ControlCharacter) {
                        let controls = control_character(&bytes[line.text.clone()]).is_some();
                        previous.flaw = Some(if controls { Flaw::ControlCharacter } else { Flaw::Folded });
                    }
                }
                _ => headers.push(header_line(bytes, line.text)),
            }
        }
        Self { bytes, start, headers, end, bare_lf }
    }

    /// The bytes of a range of this head.
    pub fn slice(&self, range: &Range<usize>) -> &'a [u8] {
        &self.bytes[range.clone()]
    }

    /// A range of this head as text. Invalid UTF-8 is replaced.
    pub fn text(&self, range: &Range<usize>) -> String {
        String::from_utf8_lossy(self.slice(range)).into_owned()
    }

    /// The method of a request.
    pub fn method(&self) -> Option<&'a [u8]> {
        match &self.start {
            StartLine::Request { method, .. } => Some(self.slice(method)),
            StartLine::Response { .. } => None,
        }
    }

    /// The target of a request.
    pub fn target(&self) -> Option<&'a [u8]> {
        match &self.start {
            StartLine::Request { target, .. } => Some(self.slice(target)),
            StartLine::Response { .. } => None,
        }
    }

    /// The HTTP version as sent.
    pub fn version(&self) -> &'a [u8] {
        match &self.start {
            StartLine::Request { version, .. } | StartLine::Response { version, .. } => self.slice(version),
        }
    }

    /// Returns true if the status code of a response ends its first line: the space after it is missing (RFC 9112 §4).
    pub fn lacks_status_space(&self) -> bool {
        match &self.start {
            StartLine::Response { status, reason, .. } => status.len() == 3 && reason.start == status.end,
            StartLine::Request { .. } => false,
        }
    }

    /// The status code of a response, if it is a number.
    pub fn status(&self) -> Option<u16> {
        match &self.start {
            StartLine::Response { status, .. } => std::str::from_utf8(self.slice(status)).ok()?.parse().ok(),
            StartLine::Request { .. } => None,
        }
    }

    /// The header lines with this name, compared case-insensitively, and their indices.
    pub fn lines_named<'h>(&'h self, name: &'h str) -> impl Iterator<Item = (usize, &'h HeaderLine)> {
        self.headers.iter().enumerate().filter(move |(_, h)| self.slice(&h.name).eq_ignore_ascii_case(name.as_bytes()))
    }

    /// The values of the headers with this name, in order.
    pub fn values<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'a [u8]> + 'h {
        self.lines_named(name).map(|(_, line)| self.slice(&line.value))
    }

    /// The value of the first header with this name.
    pub fn value(&self, name: &str) -> Option<&'a [u8]> {
        self.values(name).next()
    }

    /// Returns true if a comma-separated header contains a token, compared case-insensitively.
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.values(name)
            .flat_map(|value| value.split(|b| *b == b','))
            .any(|part| part.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    }

    /// Returns true if this head is part of a WebSocket handshake: it has a Sec-WebSocket header, or an Upgrade header
    /// that does not name another known protocol, such as `h2c`.
    pub fn is_upgrade(&self) -> bool {
        let foreign = |value: &[u8]| {
            ["h2c", "h2", "TLS"]
                .iter()
                .any(|name| value.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes())))
        };
        self.headers.iter().any(|h| {
            let name = self.slice(&h.name);
            name.eq_ignore_ascii_case(b"upgrade") && !foreign(self.slice(&h.value))
                || name.get(..14).is_some_and(|n| n.eq_ignore_ascii_case(b"sec-websocket-"))
        })
    }

    /// The field table of a request or response of `wire_len` bytes with this head.
    pub fn fields(&self, wire_len: u64) -> Vec<Field> {
        let mut table = Vec::with_capacity(self.headers.len() + 5);
        let mut text = |id, name: &str, span: &Range<usize>, value: &Range<usize>| {
            table.push(Field {
                id,
                name: name.to_owned(),
                span: Span::bytes(span.start as u64, span.end as u64),
                value: FieldValue::Text(self.text(value)),
            });
        };
        match &self.start {
            StartLine::Request { method, target, version } => {
                text(FieldId::Method, "method", method, method);
                text(FieldId::Target, "target", target, target);
                text(FieldId::Version, "version", version, version);
            }
            StartLine::Response { version, status, reason } => {
                text(FieldId::Version, "version", version, version);
                text(FieldId::Status, "status", status, status);
                text(FieldId::Reason, "reason", reason, reason);
            }
        }
        for (i, header) in self.headers.iter().enumerate() {
            let name =
                if header.flaw == Some(Flaw::NoColon) { "(no colon)".to_owned() } else { self.text(&header.name) };
            text(FieldId::Header(u16::try_from(i).unwrap_or(u16::MAX)), &name, &header.line, &header.value);
        }
        if let Some(end) = &self.end {
            text(FieldId::HeadEnd, "end of head", end, &(end.start..end.start));
            let body = end.end as u64;
            if wire_len > body {
                table.push(Field {
                    id: FieldId::Body,
                    name: "body".to_owned(),
                    span: Span::bytes(body, wire_len),
                    value: FieldValue::Length(wire_len - body),
                });
            }
        }
        table.retain(|field| !field.span.is_empty());
        table
    }
}

/// The major and minor version in an HTTP version: `HTTP/`, a digit, a dot, a digit (RFC 9112 §2.3). `None` if it is
/// malformed.
pub fn version(text: &[u8]) -> Option<(u8, u8)> {
    match text.strip_prefix(b"HTTP/")? {
        [major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9'] => Some((major - b'0', minor - b'0')),
        _ => None,
    }
}

/// Returns true for a token (RFC 9110 §5.6.2).
pub fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b))
}

/// The position of the first control character in a header value that is not allowed there: all except a tab and the line breaks
/// of a folded value (RFC 9110 §5.5, RFC 9112 §5.2).
pub fn control_character(value: &[u8]) -> Option<usize> {
    let is_break = |at: usize| value[at] == b'\n' || value[at..].starts_with(b"\r\n");
    (0..value.len()).find(|at| value[*at].is_ascii_control() && value[*at] != b'\t' && !is_break(*at))
}

struct RawLine {
    /// The line without its line break.
    text: Range<usize>,
    /// The position after the line break.
    end: usize,
    bare_lf: bool,
    /// True if a line break ended it.
    whole: bool,
}

struct HeadLines<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Iterator for HeadLines<'_> {
    type Item = RawLine;

    fn next(&mut self) -> Option<RawLine> {
        let start = self.at;
        if start >= self.bytes.len() {
            return None;
        }
        let Some(lf) = self.bytes[start..].iter().position(|b| *b == b'\n') else {
            self.at = self.bytes.len();
            return Some(RawLine { text: start..self.at, end: self.at, bare_lf: false, whole: false });
        };
        let lf = start + lf;
        self.at = lf + 1;
        let crlf = lf > start && self.bytes[lf - 1] == b'\r';
        Some(RawLine { text: start..if crlf { lf - 1 } else { lf }, end: self.at, bare_lf: !crlf, whole: true })
    }
}

fn start_line(bytes: &[u8], line: Range<usize>) -> StartLine {
    let word_end = |from: usize| bytes[from..line.end].iter().position(|b| *b == b' ').map_or(line.end, |n| from + n);
    let first = line.start..word_end(line.start);
    let after = |end: usize| (end + 1).min(line.end);
    if bytes[line.clone()].starts_with(b"HTTP/") {
        let status_start = after(first.end);
        let status = status_start..word_end(status_start);
        let reason = after(status.end)..line.end;
        return StartLine::Response { version: first, status, reason };
    }
    // The version is the last word; the target is everything before it, so that an invalid target with spaces is shown
    // whole.
    let rest = after(first.end)..line.end;
    let last_space = bytes[rest.clone()].iter().rposition(|b| *b == b' ').map(|n| rest.start + n);
    match last_space {
        Some(space) if bytes[space + 1..rest.end].starts_with(b"HTTP/") => {
            StartLine::Request { method: first, target: rest.start..space, version: space + 1..rest.end }
        }
        _ => StartLine::Request { method: first, target: rest.clone(), version: rest.end..rest.end },
    }
}

fn header_line(bytes: &[u8], line: Range<usize>) -> HeaderLine {
    let Some(colon) = bytes[line.clone()].iter().position(|b| *b == b':').map(|n| line.start + n) else {
        return HeaderLine { line: line.clone(), name: line.start..line.start, value: line, flaw: Some(Flaw::NoColon) };
    };
    let name = line.start..colon;
    let value = trim(bytes, colon + 1..line.end);
    let flaw = if !is_token(&bytes[name.clone()]) {
        Some(Flaw::BadName)
    } else if control_character(&bytes[value.clone()]).is_some() {
        Some(Flaw::ControlCharacter)
    } else {
        None
    };
    HeaderLine { line, name, value, flaw }
}

/// The range without spaces and tabs at its ends.
fn trim(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let blank = |b: &u8| matches!(b, b' ' | b'\t');
    let lead = bytes[range.clone()].iter().take_while(|b| blank(b)).count();
    let start = range.start + lead;
    let trail = bytes[start..range.end].iter().rev().take_while(|b| blank(b)).count();
    start..range.end - trail
}

#[cfg(test)]
mod tests;
