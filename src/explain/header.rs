//! Explains header lines, depending on name, value and kind of message.

use super::texts::{self, Chapter, TextKey};
use crate::proto::accept::is_valid_key;
use crate::proto::extensions::PERMESSAGE_DEFLATE;
use crate::proto::handshake::{self, VERSION};
use crate::wire::authority::Authority;
use crate::wire::http::{Flaw, Head, HeaderLine, StartLine};

/// Headers whose text depends only on their name. `Some(true)`: only in requests; `Some(false)`: only in responses.
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
    ("proxy-connection", Some(true)),
    ("proxy-status", Some(false)),
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

/// The key of the text for the header line with index `n`; for a missing line, the key for unknown headers.
pub(super) fn choose(head: &Head<'_>, n: usize) -> TextKey<'static> {
    let key = |topic, case| TextKey::new(Chapter::Header, topic, case);
    let Some(line) = head.headers.get(n) else { return key("other", "plain") };
    match line.flaw {
        Some(Flaw::NoColon) => return key("flawed", "no-colon"),
        Some(Flaw::BadName) => return key("flawed", "bad-name"),
        Some(Flaw::ControlCharacter) => return key("flawed", "control-character"),
        Some(Flaw::Folded) => return key("flawed", "folded"),
        None => {}
    }
    let name = head.text(&line.name).to_ascii_lowercase();
    let request = matches!(head.start, StartLine::Request { .. });
    let found = handshake_header(head, line, &name, request).or_else(|| http_header(head, line, &name, request));
    let (topic, case) = found.unwrap_or(match name.as_str() {
        name if name.starts_with("sec-websocket-") => ("sec-websocket", "unknown"),
        name if name.starts_with("sec-fetch-") => ("sec-fetch", "any"),
        name if name.starts_with("sec-ch-") => ("sec-ch", "any"),
        _ if head.is_upgrade() => ("other", "handshake"),
        _ => ("other", "plain"),
    });
    debug_assert!(texts::has_topic(Chapter::Header, topic), "{topic}");
    key(topic, case)
}

type TopicAndCase = (&'static str, &'static str);

const IN_REQUEST: TopicAndCase = ("misplaced", "in-request");
const IN_RESPONSE: TopicAndCase = ("misplaced", "in-response");

/// The headers of the opening handshake (RFC 6455 §4.1, §4.2, §11.3).
fn handshake_header(head: &Head<'_>, line: &HeaderLine, name: &str, request: bool) -> Option<TopicAndCase> {
    let value = head.slice(&line.value);
    Some(match (name, request) {
        ("host" | "origin" | "sec-websocket-key", false) => IN_RESPONSE,
        ("sec-websocket-accept", true) => IN_REQUEST,
        ("host", true) => ("host", host_case(value)),
        ("origin", true) => ("origin", origin_case(head, value)),
        ("upgrade", _) => ("upgrade", upgrade_case(head, request)),
        ("connection", _) => ("connection", connection_case(head, request)),
        ("sec-websocket-key", true) => ("sec-websocket-key", key_case(head, value)),
        // The 20 bytes of a SHA-1 hash have 28 characters in base64; the last is padding.
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

/// The headers of plain HTTP.
fn http_header(head: &Head<'_>, line: &HeaderLine, name: &str, request: bool) -> Option<TopicAndCase> {
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

fn host_case(host: &[u8]) -> &'static str {
    match Authority::parse(host) {
        Ok(authority) if authority.is_local() => "local",
        Ok(_) => "named",
        Err(_) => "invalid",
    }
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

/// The case for a line of extensions: with or without permessage-deflate (RFC 6455 §9.1, RFC 7692 §7).
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
    use crate::explain::http_field;
    use crate::wire::field::FieldId;

    /// Topic and case of the text for the first header of a head with this start line and these header lines.
    fn key(start: &str, lines: &str) -> TopicAndCase {
        let wire = format!("{start}\r\n{lines}\r\n\r\n");
        let TextKey { topic, case, .. } = choose(&Head::read(wire.as_bytes()), 0);
        (topic, case)
    }

    const GET: &str = "GET /chat HTTP/1.1";
    const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols";

    #[test]
    fn section_4_1_the_key() {
        assert_eq!(key(GET, "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=="), ("sec-websocket-key", "right"));
        assert_eq!(key(GET, "Sec-WebSocket-Key: short"), ("sec-websocket-key", "malformed"));
    }

    #[test]
    fn a_header_has_another_meaning_in_a_response() {
        assert_eq!(key(GET, "Upgrade: websocket"), ("upgrade", "asks"));
        assert_eq!(key(SWITCHED, "Upgrade: WebSocket"), ("upgrade", "agrees"));
        assert_eq!(key("HTTP/1.1 426 Upgrade Required", "Upgrade: websocket"), ("upgrade", "offers"));
        assert_eq!(key(GET, "Sec-WebSocket-Accept: x"), IN_REQUEST);
        let offer = "Sec-WebSocket-Extensions: foo, permessage-deflate; client_max_window_bits";
        assert_eq!(key(GET, offer), ("sec-websocket-extensions", "offers-deflate"));
        assert_eq!(key(SWITCHED, offer), ("sec-websocket-extensions", "chosen-deflate"));
    }

    #[test]
    fn connection_depends_on_the_message() {
        let case = |lines| key(GET, lines).1;
        assert_eq!(case("Connection: keep-alive, Upgrade\r\nUpgrade: websocket"), "upgrade");
        assert_eq!(case("Connection: keep-alive\r\nUpgrade: websocket"), "lacks");
        assert_eq!(case("Connection: keep-alive"), "plain");
    }

    #[test]
    fn section_10_2_origins() {
        let case = |origin: &str| key(GET, &format!("Origin: {origin}\r\nHost: localhost:6455")).1;
        assert_eq!(case("http://localhost:6455"), "same");
        assert_eq!(case("https://evil.example"), "foreign");
        assert_eq!(case("null"), "null");
    }

    #[test]
    fn malformed_lines_and_unknown_names() {
        assert_eq!(key(GET, "no colon here"), ("flawed", "no-colon"));
        assert_eq!(key(GET, "X : 1"), ("flawed", "bad-name"));
        assert_eq!(key(GET, "X-\u{202e}: 1"), ("flawed", "bad-name"));
        assert_eq!(key(GET, "Sec-WebSocket-Colour: 1"), ("sec-websocket", "unknown"));
        let head = Head::read(b"GET / HTTP/1.1\r\nX-Thing: 1\r\n\r\n");
        let fields = head.fields(u64::MAX);
        let field = fields.iter().find(|field| field.id == FieldId::Header(0)).expect("a header");
        assert_eq!(http_field(&head, field).title, "X-Thing");
    }
}
