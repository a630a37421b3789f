use super::*;
use proptest::prelude::*;

const REQUEST: &[u8] =
    b"GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nrest";

#[test]
fn the_request_of_section_1_3() {
    let head = Head::read(REQUEST);
    assert_eq!(head.method(), Some(&b"GET"[..]));
    assert_eq!(head.target(), Some(&b"/chat"[..]));
    assert_eq!(head.version(), b"HTTP/1.1");
    assert_eq!(head.value("sec-websocket-key"), Some(&b"dGhlIHNhbXBsZSBub25jZQ=="[..]));
    assert!(head.has_token("connection", "upgrade") && head.is_upgrade());
    assert_eq!(head.end.clone().map(|e| e.end), head_len(REQUEST, 0));
    let fields = head.fields(REQUEST.len() as u64);
    assert_eq!(fields.last().map(|f| (f.id, f.value.clone())), Some((FieldId::Body, FieldValue::Length(4))));
}

#[test]
fn a_response_has_status_and_reason() {
    let head = Head::read(b"HTTP/1.1 101 Switching Protocols\r\n\r\n");
    assert_eq!(head.status(), Some(101));
    let StartLine::Response { reason, .. } = &head.start else { panic!("a response") };
    assert_eq!(head.slice(reason), b"Switching Protocols");
    assert_eq!(Head::read(b"HTTP/1.1 200\r\n\r\n").status(), Some(200));
}

#[test]
fn malformed_heads_are_parsed() {
    let head = Head::read(b"GET  / /x HTTP/1.1\nA b: 1\r\nnocolon\r\nX: 1\r\n  2 \r\nN: \0\n\n");
    assert_eq!(head.target(), Some(&b" / /x"[..]));
    assert_eq!(head.bare_lf, Some(18));
    let flaws: Vec<_> = head.headers.iter().map(|h| h.flaw).collect();
    assert_eq!(flaws, [Some(Flaw::BadName), Some(Flaw::NoColon), Some(Flaw::Folded), Some(Flaw::ControlCharacter)]);
    assert_eq!(head.text(&head.headers[2].value), "1\r\n  2");
    assert!(head.end.is_some());
    assert_eq!(Head::read(b"GET /").target(), Some(&b"/"[..]));
    assert_eq!(Head::read(b"GET /").end, None);
}

#[test]
fn rfc_9112_section_2_3_a_version_is_two_digits_around_a_dot() {
    for (text, expected) in [("HTTP/1.1", (1, 1)), ("HTTP/1.0", (1, 0)), ("HTTP/0.9", (0, 9)), ("HTTP/2.0", (2, 0))] {
        assert_eq!(version(text.as_bytes()), Some(expected), "{text}");
    }
    for text in [
        "",
        "HTTP",
        "HTTP/",
        "HTTP/1",
        "HTTP/1.",
        "HTTP/.1",
        "HTTP/11",
        "HTTP/1.1 ",
        "HTTP/ 1.1",
        "HTTP/1.10",
        "HTTP/12.1",
        "HTTP/+1.1",
        "HTTP/-1.1",
        "HTTP/1e9",
        "HTTP/inf",
        "HTTP/NaN",
        "HTTP/1,1",
        "http/1.1",
        "HTTPS/1.1",
        "HTTP/٣.١",
    ] {
        assert_eq!(version(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn the_beginnings_of_requests_and_responses() {
    assert!(may_be_request(b"") && may_be_request(b"GE") && may_be_request(b"GET /"));
    assert!(!may_be_request(b"\x16\x03\x01") && !may_be_request(b" GET"));
    assert!(!may_be_request(b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA") && !may_be_request(b"hello") && !may_be_request(b"a /"));
    for meant in [&b"g"[..], b"get", b"get /", b"GET2 /echo"] {
        assert!(may_be_request(meant), "{meant:?}");
    }
    assert!(!may_be_request(b"get well soon") && !may_be_request(b"get\n"));
    assert!(may_be_response(b"HT") && may_be_response(b"HTTP/1.1 200") && !may_be_response(b"SSH-2.0"));
}

proptest! {
    #[test]
    fn any_bytes_parse(bytes in proptest::collection::vec(prop_oneof![
        Just(b'\r'), Just(b'\n'), Just(b':'), Just(b' '), Just(b'A'), any::<u8>(),
    ], 0..80), scanned in 0usize..90) {
        let head = Head::read(&bytes);
        let whole = head_len(&bytes, 0);
        if let Some(end) = &head.end {
            prop_assert_eq!(Some(end.end), whole);
        }
        // A scan that skips bytes without the end finds the same end.
        if whole.is_none_or(|end| end > scanned) {
            prop_assert_eq!(head_len(&bytes, scanned.min(bytes.len())), whole);
        }
        let fields = head.fields(bytes.len() as u64);
        prop_assert!(fields.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start));
    }
}
