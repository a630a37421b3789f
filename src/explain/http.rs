//! Explains the fields of an HTTP request or response, except its headers: see [`super::header`].

use super::Explanation;
use super::header;
use super::texts::{self, Chapter, TextKey};
use crate::proto::dissected::Direction;
use crate::proto::extensions::{DeflateParams, Extensions};
use crate::wire::absolute_form::AbsoluteForm;
use crate::wire::field::{Field, FieldId, FieldValue};
use crate::wire::http::{self, Head, StartLine};
use crate::wire::printable;

/// The number of characters of a value that are inserted into a text.
const MAX_VALUE: usize = 60;

/// The meaning of a field of a request or response in at most 36 columns. Empty for a field that neither has.
pub fn http_gloss(head: &Head<'_>, field: &Field) -> String {
    choose(head, field).map(|key| key.gloss(|name| look(head, field, name))).unwrap_or_default()
}

/// Explains a field of a request or response. `field` must be one of [`Head::fields`] of the same head. For a field
/// that neither has, the explanation contains only its name.
pub fn http_field(head: &Head<'_>, field: &Field) -> Explanation {
    match choose(head, field) {
        Some(key) => key.explanation(|name| look(head, field, name)),
        None => Explanation { title: field.id.key().to_owned(), section: String::new(), text: String::new() },
    }
}

/// The key of the text for a field.
pub(super) fn choose(head: &Head<'_>, field: &Field) -> Option<TextKey<'static>> {
    let value = text_of(field);
    let case = match field.id {
        FieldId::Method => method_case(head, value),
        FieldId::Target if head.is_upgrade() => "handshake",
        FieldId::Target => target_case(head),
        FieldId::Version => version_case(head, value),
        FieldId::Status => status_case(head.status(), head.has_token("upgrade", "websocket")),
        FieldId::Reason => "given",
        FieldId::Header(n) => return Some(header::choose(head, usize::from(n))),
        FieldId::HeadEnd => head_end_case(head),
        FieldId::Body if head.has_token("transfer-encoding", "chunked") => "chunked",
        FieldId::Body if head.value("content-length").is_some() => "length",
        FieldId::Body => "until-end",
        FieldId::Opaque => "any",
        _ => return None,
    };
    Some(TextKey::new(Chapter::Http, field.id.key(), case))
}

/// The value of a name in braces.
fn look(head: &Head<'_>, field: &Field, name: &str) -> Option<String> {
    match (name, &field.value) {
        ("value", _) => Some(shown(text_of(field))),
        ("name", _) => Some(shown(&field.name)),
        ("bytes", FieldValue::Length(length)) => Some(texts::bytes(*length)),
        ("windows", _) => Some(windows(head)),
        _ => texts::peer(direction(head), name),
    }
}

/// How far back the pointers of each side reach, in a response that accepts permessage-deflate.
fn windows(head: &Head<'_>) -> String {
    let extensions = Extensions::of(head);
    let deflate = extensions.list.iter().find(|extension| extension.is_deflate());
    let params = deflate.map(DeflateParams::read_leniently).unwrap_or_default();
    texts::fill(texts::phrase("windows"), |name| {
        let (side, what) = name.split_once('_')?;
        let direction = if side == "server" { Direction::ServerToClient } else { Direction::ClientToServer };
        let bits = params.window_bits(direction);
        let takeover = if params.takeover(direction) { "with-takeover" } else { "without-takeover" };
        Some(match what {
            "bits" => bits.to_string(),
            "window" => texts::bytes(1 << bits),
            _ => texts::phrase(takeover).to_owned(),
        })
    })
}

const fn direction(head: &Head<'_>) -> Direction {
    match head.start {
        StartLine::Request { .. } => Direction::ClientToServer,
        StartLine::Response { .. } => Direction::ServerToClient,
    }
}

fn method_case(head: &Head<'_>, method: &str) -> &'static str {
    match (head.is_upgrade(), method) {
        (true, "GET") => "handshake",
        (true, _) => "handshake-wrong",
        (false, "GET") => "get",
        (false, "CONNECT") => "connect",
        (false, _) => "other",
    }
}

/// RFC 9112 §3.2: the forms of a target.
fn target_case(head: &Head<'_>) -> &'static str {
    match head.target() {
        _ if head.method() == Some(b"CONNECT") => "connect",
        Some(target) if AbsoluteForm::of(target).is_some() => "absolute",
        _ => "plain",
    }
}

/// RFC 6455 §4.1: the HTTP version of a handshake is at least 1.1.
fn version_case(head: &Head<'_>, version: &str) -> &'static str {
    match direction(head) {
        Direction::ServerToClient => "response",
        Direction::ClientToServer if !head.is_upgrade() => "plain",
        Direction::ClientToServer if http::version(version.as_bytes()).is_some_and(|number| number >= (1, 1)) => {
            "right"
        }
        Direction::ClientToServer => "wrong",
    }
}

/// The case of a status in the texts. `is_upgrade`: the response switches to WebSocket.
pub(super) const fn status_case(status: Option<u16>, is_upgrade: bool) -> &'static str {
    match status {
        Some(101) if is_upgrade => "101",
        Some(101) => "101-other",
        Some(304) => "304",
        Some(400) => "400",
        Some(401) => "401",
        Some(403) => "403",
        Some(404) => "404",
        Some(426) => "426",
        Some(429) => "429",
        Some(431) => "431",
        Some(500) => "500",
        Some(502) => "502",
        Some(503) => "503",
        Some(504) => "504",
        Some(100..=199) => "1xx",
        Some(200..=299) => "2xx",
        Some(300..=399) => "3xx",
        Some(400..=499) => "4xx",
        Some(500..=599) => "5xx",
        _ => "other",
    }
}

fn head_end_case(head: &Head<'_>) -> &'static str {
    match direction(head) {
        Direction::ClientToServer if head.is_upgrade() => "handshake",
        Direction::ServerToClient if head.status() == Some(101) && head.is_upgrade() => "switched",
        _ => "plain",
    }
}

fn text_of(field: &Field) -> &str {
    match &field.value {
        FieldValue::Text(text) => text,
        _ => "",
    }
}

/// Captured text for a sentence: printable, truncated, and never empty.
fn shown(raw: &str) -> String {
    if raw.is_empty() {
        return texts::phrase("nothing").to_owned();
    }
    let safe = printable::text(raw);
    match safe.char_indices().nth(MAX_VALUE) {
        Some((cut, _)) => format!("{}…", &safe[..cut]),
        None => safe.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(fields: &[Field], id: FieldId) -> &Field {
        fields.iter().find(|field| field.id == id).expect("the field")
    }

    /// The case of the text for a field of a head.
    fn case(wire: &str, id: FieldId) -> &'static str {
        let head = Head::read(wire.as_bytes());
        choose(&head, field(&head.fields(wire.len() as u64), id)).expect("a text").case
    }

    #[test]
    fn section_4_1_the_first_line_of_a_handshake() {
        let request = "GET /chat HTTP/1.1\r\nUpgrade: websocket\r\n\r\n";
        assert_eq!(case(request, FieldId::Method), "handshake");
        assert_eq!(case(request, FieldId::Target), "handshake");
        assert_eq!(case(request, FieldId::Version), "right");
        for version in ["HTTP/1.0", "HTTP/inf"] {
            let request = format!("GET /chat {version}\r\nUpgrade: websocket\r\n\r\n");
            assert_eq!(case(&request, FieldId::Version), "wrong", "{version}");
        }
        assert_eq!(case("GET / HTTP/1.1\r\n\r\n", FieldId::Method), "get");
    }

    #[test]
    fn section_4_2_2_the_status() {
        let switched = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
        assert_eq!(case(switched, FieldId::Status), "101");
        assert_eq!(case(switched, FieldId::HeadEnd), "switched");
        assert_eq!(case("HTTP/1.1 418 I'm a teapot\r\n\r\n", FieldId::Status), "4xx");
        assert_eq!(case("HTTP/1.1 abc\r\n\r\n", FieldId::Status), "other");
    }

    #[test]
    fn captured_text_is_printable_and_truncated() {
        let wire = format!("GET /\x1b[31m{} HTTP/1.1\r\n\r\n", "x".repeat(200));
        let head = Head::read(wire.as_bytes());
        let text = http_field(&head, field(&head.fields(wire.len() as u64), FieldId::Target)).text;
        assert!(text.starts_with("/␛[31mxxx") && text.contains("x…:") && !text.contains('\x1b'), "{text}");
        assert!(!shown("").is_empty());
    }
}
