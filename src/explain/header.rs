//! The words about header lines: which text fits the name, the value and the sort of message.

use super::http::direction;
use super::texts::{self, Chapter, Page};
use crate::proto::accept::is_valid_key;
use crate::proto::dissected::Direction;
use crate::proto::extensions::PERMESSAGE_DEFLATE;
use crate::proto::handshake::{self, VERSION};
use crate::wire::http::{Flaw, Head, HeaderLine};

/// Headers whose text depends on no more than their name. `true` for those that only requests have, `false` for those that
/// only responses have.
const SIMPLE: &[(&str, Option<bool>)] = &[
    ("accept", Some(true)),
    ("accept-encoding", None),
    ("accept-language", Some(true)),
    ("authorization", Some(true)),
    ("content-encoding", None),
    ("content-security-policy", Some(false)),
    ("content-type", None),
    ("cookie", Some(true)),
    ("date", None),
    ("etag", Some(false)),
    ("last-modified", Some(false)),
    ("location", Some(false)),
    ("pragma", None),
    ("proxy-authorization", Some(true)),
    ("referer", Some(true)),
    ("server", Some(false)),
    ("set-cookie", Some(false)),
    ("transfer-encoding", None),
    ("upgrade-insecure-requests", Some(true)),
    ("user-agent", Some(true)),
    ("vary", Some(false)),
    ("www-authenticate", Some(false)),
    ("x-content-type-options", Some(false)),
];

/// Where the text about the n-th header line stands; about a line that is not there, what is said of unknown headers.
pub(super) fn choose(head: &Head<'_>, n: usize) -> Page<'static> {
    let page = |topic, case| Page::new(Chapter::Header, topic, case);
    let Some(line) = head.headers.get(n) else { return page("other", "plain") };
    match line.flaw {
        Some(Flaw::NoColon) => return page("flawed", "no-colon"),
        Some(Flaw::BadName) => return page("flawed", "bad-name"),
        Some(Flaw::BadValue) => return page("flawed", "bad-value"),
        Some(Flaw::Folded) => return page("flawed", "folded"),
        None => {}
    }
    let name = head.text(&line.name).to_ascii_lowercase();
    let request = direction(head) == Direction::ClientToServer;
    let found = handshake_header(head, line, &name, request).or_else(|| http_header(head, line, &name, request));
    let (topic, case) = found.unwrap_or(match name.as_str() {
        name if name.starts_with("sec-websocket-") => ("sec-websocket", "unknown"),
        name if name.starts_with("sec-fetch-") => ("sec-fetch", "any"),
        name if name.starts_with("sec-ch-") => ("sec-ch", "any"),
        _ if head.is_upgrade() => ("other", "handshake"),
        _ => ("other", "plain"),
    });
    debug_assert!(texts::has_topic(Chapter::Header, topic), "{topic}");
    page(topic, case)
}

type Found = (&'static str, &'static str);

const IN_REQUEST: Found = ("misplaced", "in-request");
const IN_RESPONSE: Found = ("misplaced", "in-response");

/// The headers of the opening handshake (RFC 6455 §4.1, §4.2, §11.3).
fn handshake_header(head: &Head<'_>, line: &HeaderLine, name: &str, request: bool) -> Option<Found> {
    let value = head.slice(&line.value);
    Some(match (name, request) {
        ("host" | "origin" | "sec-websocket-key", false) => IN_RESPONSE,
        ("sec-websocket-accept", true) => IN_REQUEST,
        ("host", true) => ("host", if handshake::host_is_local(value) { "local" } else { "named" }),
        ("origin", true) => ("origin", origin_case(head, value)),
        ("upgrade", _) => ("upgrade", upgrade_case(head, request)),
        ("connection", _) => ("connection", connection_case(head, request)),
        ("sec-websocket-key", true) => ("sec-websocket-key", key_case(head, value)),
        // Base64 of the 20 bytes of a SHA-1 has 28 characters, the last of them padding.
        ("sec-websocket-accept", false) if value.len() == 28 && value.ends_with(b"=") => {
            ("sec-websocket-accept", "answer")
        }
        ("sec-websocket-accept", false) => ("sec-websocket-accept", "malformed"),
        ("sec-websocket-version", true) if value == VERSION.as_bytes() => ("sec-websocket-version", "right"),
        ("sec-websocket-version", true) => ("sec-websocket-version", "wrong"),
        ("sec-websocket-version", false) => ("sec-websocket-version", "offers"),
        ("sec-websocket-protocol", true) => ("sec-websocket-protocol", "offers"),
        ("sec-websocket-protocol", false) => ("sec-websocket-protocol", "chosen"),
        ("sec-websocket-extensions", _) => ("sec-websocket-extensions", extensions_case(value, request)),
        _ => return None,
    })
}

/// The headers that HTTP has in any case.
fn http_header(head: &Head<'_>, line: &HeaderLine, name: &str, request: bool) -> Option<Found> {
    let value = head.slice(&line.value);
    match name {
        "cache-control" if request => return Some(("cache-control", "request")),
        "cache-control" => return Some(("cache-control", "response")),
        "content-length" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
            return Some(("content-length", "number"));
        }
        "content-length" => return Some(("content-length", "malformed")),
        _ => {}
    }
    let (topic, only) = SIMPLE.iter().find(|(topic, _)| *topic == name)?;
    Some(match (only, request) {
        (Some(true), false) => IN_RESPONSE,
        (Some(false), true) => IN_REQUEST,
        _ => (topic, "any"),
    })
}

fn origin_case(head: &Head<'_>, origin: &[u8]) -> &'static str {
    match head.value("host") {
        _ if origin == b"null" => "null",
        Some(host) if handshake::origin_is_host(origin, host) => "same",
        _ => "foreign",
    }
}

fn upgrade_case(head: &Head<'_>, request: bool) -> &'static str {
    match (request, head.has_token("upgrade", "websocket"), head.status()) {
        (true, true, _) => "asks",
        (true, false, _) => "asks-other",
        (false, true, Some(101)) => "agrees",
        (false, false, Some(101)) => "agrees-other",
        (false, ..) => "offers",
    }
}

fn connection_case(head: &Head<'_>, request: bool) -> &'static str {
    let switches = request && head.is_upgrade() || head.status() == Some(101);
    match (switches, head.has_token("connection", "upgrade")) {
        (true, true) if request => "upgrade",
        (true, true) => "agrees",
        (true, false) => "lacks",
        (false, _) if head.has_token("connection", "close") => "close",
        (false, _) => "plain",
    }
}

fn key_case(head: &Head<'_>, key: &[u8]) -> &'static str {
    match head.values("sec-websocket-key").count() {
        0 | 1 if is_valid_key(key) => "right",
        0 | 1 => "malformed",
        _ => "repeated",
    }
}

/// Whether permessage-deflate is among the extensions of a line (RFC 6455 §9.1, RFC 7692 §7).
fn extensions_case(value: &[u8], request: bool) -> &'static str {
    let deflate = value.split(|byte| *byte == b',').any(|extension| {
        let name = extension.split(|byte| *byte == b';').next().unwrap_or_default();
        name.trim_ascii().eq_ignore_ascii_case(PERMESSAGE_DEFLATE.as_bytes())
    });
    match (request, deflate) {
        (true, true) => "offers-deflate",
        (true, false) => "offers",
        (false, true) => "chosen-deflate",
        (false, false) => "chosen",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::{Explanation, http_field};
    use crate::wire::field::FieldId;

    /// The words about the first header of a head that begins so, with the rest behind.
    fn explain(start: &str, lines: &str) -> Explanation {
        let wire = format!("{start}\r\n{lines}\r\n\r\n");
        let head = Head::read(wire.as_bytes());
        let fields = head.fields(wire.len() as u64);
        http_field(&head, fields.iter().find(|field| field.id == FieldId::Header(0)).expect("a header"))
    }

    const GET: &str = "GET /chat HTTP/1.1";
    const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols";

    #[test]
    fn section_4_1_the_key() {
        let words = explain(GET, "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!((words.title.as_str(), words.section.as_str()), ("Sec-WebSocket-Key", "RFC 6455 §4.1"));
        assert!(words.text.starts_with("dGhlIHNhbXBsZSBub25jZQ==: 16 random bytes in base64"), "{}", words.text);
        assert!(explain(GET, "Sec-WebSocket-Key: short").text.starts_with("short is not base64 of exactly 16 bytes"));
    }

    #[test]
    fn the_same_header_says_another_thing_in_a_response() {
        assert!(explain(GET, "Upgrade: websocket").text.contains("the client asks"));
        assert!(explain(SWITCHED, "Upgrade: WebSocket").text.contains("the server agrees"));
        assert!(explain("HTTP/1.1 426 Upgrade Required", "Upgrade: websocket").text.contains("could change"));
        assert!(explain(GET, "Sec-WebSocket-Accept: x").text.contains("a header of responses"));
        let offer = "Sec-WebSocket-Extensions: foo, permessage-deflate; client_max_window_bits";
        assert!(explain(GET, offer).text.contains("offers to compress messages"));
        assert!(explain(SWITCHED, offer).text.contains("may now compress"));
    }

    #[test]
    fn connection_is_judged_by_the_message_it_is_in() {
        assert!(
            explain(GET, "Connection: keep-alive, Upgrade\r\nUpgrade: websocket").text.contains("this very connection")
        );
        assert!(
            explain(GET, "Connection: keep-alive\r\nUpgrade: websocket").text.contains("must hold the word Upgrade")
        );
        assert!(explain(GET, "Connection: keep-alive").text.contains("options for this one connection"));
    }

    #[test]
    fn section_10_2_origins() {
        let origin = |origin: &str| explain(GET, &format!("Origin: {origin}\r\nHost: localhost:6455")).text;
        assert!(origin("http://localhost:6455").contains("agrees with Host"));
        assert!(origin("https://evil.example").contains("not this Host"));
        assert!(origin("null").starts_with("null:"));
    }

    #[test]
    fn broken_lines_and_unknown_names() {
        assert_eq!(explain(GET, "no colon here").title, "header line");
        assert!(explain(GET, "X : 1").text.starts_with("“X ” cannot be a header's name"));
        assert_eq!(explain(GET, "X-Thing: 1").title, "X-Thing");
        assert!(explain(GET, "Sec-WebSocket-Colour: 1").text.contains("defines no such header"));
        assert_eq!(explain(GET, "X-\u{202e}: 1").title, "header line");
    }
}
