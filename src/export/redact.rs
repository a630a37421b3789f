//! Replaces secrets by asterisks of the same length, so that offsets do not change.
//!
//! Programs read malformed heads in different ways. A value is hidden if one way of reading it finds a secret: with or without a colon
//! after the name, after a bare CR, and in folded lines.

use std::ops::Range;

use crate::proto::body::{Body, Progress};
use crate::proto::chunked::Chunked;
use crate::wire::http::{Head, is_token};

/// The headers whose values are secrets.
const SECRET: [&str; 4] = ["cookie", "set-cookie", "authorization", "proxy-authorization"];

/// The longest name of a query parameter, in bytes.
const MAX_NAME: usize = 256;

/// What is hidden: the values of the headers in `SECRET`, and those with certain names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redaction {
    /// Query parameters whose values are hidden, and subprotocols after which everything is hidden. Upper and lower case are the same.
    pub names: Vec<String>,
}

/// Redacts an HTTP message that is read in pieces: its head, and the trailer of its chunked body (RFC 9112 §7.1.2).
#[derive(Debug, Default)]
pub struct MessageRedaction {
    /// How many bytes were redacted.
    pub position: u64,
    /// The position in the body; `None` if it is not chunked, or over.
    body: Option<Body>,
}

impl MessageRedaction {
    /// Redacts the next piece. The first one contains all of the head.
    pub fn piece(&mut self, bytes: &mut [u8], redaction: &Redaction) {
        let body = match self.position {
            0 => {
                let head = Head::read(bytes);
                let end = head.end.as_ref().map_or(bytes.len(), |end| end.end);
                let is_chunked = head.has_token("transfer-encoding", "chunked");
                self.body = is_chunked.then_some(Body::Chunked(Chunked::default()));
                redaction.lines(&mut bytes[..end]);
                end
            }
            _ => 0,
        };
        self.position += bytes.len() as u64;
        self.trailer(&mut bytes[body..], redaction);
    }

    fn trailer(&mut self, bytes: &mut [u8], redaction: &Redaction) {
        let Some(body) = &mut self.body else { return };
        let begins_inside = body.is_in_trailer();
        let mut start = begins_inside.then_some(0);
        let (mut at, mut is_over) = (0, false);
        while at < bytes.len() && !is_over {
            if start.is_none() && body.is_in_trailer() {
                start = Some(at);
            }
            let line = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |lf| at + lf + 1);
            let (taken, progress) = body.take(&bytes[at..line]);
            at += taken;
            // A record ends where its body is malformed.
            is_over = progress != Progress::Incomplete;
        }
        if is_over {
            self.body = None;
        }
        if let Some(start) = start {
            let trailer = &mut bytes[start..at];
            redaction.lines(trailer);
            if begins_inside {
                // The name of the line may be in the piece before.
                hide_first_line(trailer);
            }
        }
    }
}

impl Redaction {
    /// Redacts all lines that look like header lines, and the query parameters in all of them.
    pub fn lines(&self, bytes: &mut [u8]) {
        for (field, value) in values(bytes) {
            match field {
                FieldName::Secret => overwrite(&mut bytes[value]),
                FieldName::Subprotocol => self.subprotocols(&mut bytes[value]),
            }
        }
        user_information(bytes);
        if !self.names.is_empty() {
            self.parameters(bytes);
        }
    }

    /// Hides what follows one of the names in a list of subprotocols: the rest of the element, or the next element.
    fn subprotocols(&self, list: &mut [u8]) {
        let mut is_next = false;
        for element in list.split_mut(|b| *b == b',') {
            if element.trim_ascii().is_empty() {
                continue;
            }
            let end_of = |name: &String| Some(find_ignoring_case(element, name.as_bytes())? + name.len());
            let end = self.names.iter().filter(|name| !name.is_empty()).filter_map(end_of).min();
            let rest = match end {
                _ if is_next => 0..element.len(),
                Some(end) => end..element.len(),
                None => continue,
            };
            is_next = !is_next && element[rest.clone()].trim_ascii().is_empty();
            overwrite(&mut element[rest]);
        }
    }

    /// Hides the values of query parameters with one of the names, in every URL.
    fn parameters(&self, bytes: &mut [u8]) {
        let mut at = 0;
        while let Some(mark) = bytes[at..].iter().position(|b| b"?&;#".contains(b)) {
            let name = at + mark + 1;
            at = name;
            let Some(len) = bytes[name..].iter().take(MAX_NAME).position(|b| *b == b'=') else { continue };
            let decoded = percent_decoded(&bytes[name..name + len]);
            if self.names.iter().any(|wanted| decoded.eq_ignore_ascii_case(wanted.as_bytes())) {
                let value = name + len + 1;
                let end = bytes[value..].iter().position(|b| b.is_ascii_whitespace() || b"&#\"<>".contains(b));
                at = end.map_or(bytes.len(), |end| value + end);
                bytes[value..at].fill(b'*');
            }
        }
    }
}

/// Hides user information (RFC 3986 §3.2.1) in every URL, and in the target of a request that has no scheme, such as that of CONNECT.
fn user_information(bytes: &mut [u8]) {
    let line = memchr::memchr2(b'\r', b'\n', bytes).unwrap_or(bytes.len());
    let mut words = bytes[..line].splitn(3, |b| *b == b' ');
    if let (Some(method), Some(target)) = (words.next(), words.next())
        && is_token(method)
    {
        let (start, len) = (method.len() + 1, target.len());
        hide_user(&mut bytes[start..start + len]);
    }
    let mut at = 0;
    while let Some(slashes) = memchr::memmem::find(&bytes[at..], b"//") {
        at += slashes + 2;
        hide_user(&mut bytes[at..]);
    }
}

/// Hides what precedes the last `@` of the authority at the beginning of `bytes`.
fn hide_user(bytes: &mut [u8]) {
    let end = bytes.iter().position(|b| b.is_ascii_whitespace() || b"/?#\"<>".contains(b)).unwrap_or(bytes.len());
    if let Some(user) = memchr::memrchr(b'@', &bytes[..end]) {
        bytes[..user].fill(b'*');
    }
}

/// Hides the first line, whose beginning is not known, and the lines that continue it.
pub fn hide_first_line(bytes: &mut [u8]) {
    let mut end = 0;
    while let Some(lf) = memchr::memchr(b'\n', &bytes[end..]) {
        end += lf + 1;
        if !matches!(bytes.get(end), Some(b' ' | b'\t')) {
            return overwrite(&mut bytes[..end]);
        }
    }
    overwrite(bytes);
}

/// The headers that are redacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FieldName {
    /// One of [`SECRET`].
    Secret,
    /// Sec-WebSocket-Protocol.
    Subprotocol,
}

impl FieldName {
    /// The name at the start of a line, and the position of the value. Ignores what cannot be in a name before it.
    fn of(line: &[u8]) -> Option<(Self, usize)> {
        let start = line.iter().position(|b| is_token(&[*b]))?;
        let len = line[start..].iter().position(|b| !is_token(&[*b])).unwrap_or(line.len() - start);
        let name = &line[start..start + len];
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted.as_bytes());
        let field = if SECRET.into_iter().any(is) {
            Self::Secret
        } else if is("sec-websocket-protocol") {
            Self::Subprotocol
        } else {
            return None;
        };
        let after = start + len;
        let blanks = line[after..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        let has_separator = matches!(line.get(after + blanks), Some(b':' | b'='));
        Some((field, after + blanks + usize::from(has_separator)))
    }
}

/// The values of header lines that are redacted, with the lines that continue them.
fn values(bytes: &[u8]) -> Vec<(FieldName, Range<usize>)> {
    let mut values: Vec<(FieldName, Range<usize>)> = Vec::new();
    // Whether the line may continue the latest value, and whether a bare CR is before the line.
    let (mut is_open, mut after_cr) = (false, false);
    let mut at = 0;
    while at < bytes.len() {
        let end = memchr::memchr2(b'\r', b'\n', &bytes[at..]).map_or(bytes.len(), |n| at + n);
        let is_crlf = bytes[end..].starts_with(b"\r\n");
        let continues = is_open && (after_cr || matches!(bytes[at], b' ' | b'\t'));
        let latest = values.last_mut().filter(|_| continues);
        match (latest, FieldName::of(&bytes[at..end])) {
            (Some((FieldName::Secret, value)), _) | (Some((_, value)), None) => value.end = end,
            (_, Some((field, value))) => {
                values.push((field, at + value..end));
                is_open = true;
            }
            (None, None) => is_open = false,
        }
        after_cr = bytes.get(end) == Some(&b'\r') && !is_crlf;
        at = end + 1 + usize::from(is_crlf);
    }
    values
}

/// Overwrites a value with asterisks. Keeps the white space around it, and the line breaks and indents of a folded value.
fn overwrite(value: &mut [u8]) {
    let blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\r' | b'\n');
    let lead = value.iter().take_while(|b| blank(b)).count();
    let trail = value[lead..].iter().rev().take_while(|b| blank(b)).count();
    let end = value.len() - trail;
    let mut after_break = false;
    for byte in &mut value[lead..end] {
        let keep = matches!(*byte, b'\r' | b'\n') || after_break && matches!(*byte, b' ' | b'\t');
        after_break = *byte == b'\n';
        if !keep {
            *byte = b'*';
        }
    }
}

fn find_ignoring_case(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window.eq_ignore_ascii_case(wanted))
}

/// A name in a URL without its percent-encoding (RFC 3986 §2.1). What is not valid stays as it is.
fn percent_decoded(name: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(name.len());
    let mut at = 0;
    while at < name.len() {
        let hex = name.get(at + 1..at + 3).filter(|_| name[at] == b'%');
        match hex.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(name[at]);
                at += 1;
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests;
