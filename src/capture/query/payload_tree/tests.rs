//! Tests of the readings through their public function.

use proptest::prelude::*;

use super::tree::{MAX_DEPTH, MAX_LINES, MAX_TEXT};
use super::*;
use crate::proto::connection::HandshakeSummary;

const TEXT: PayloadContext<'_> = PayloadContext { is_text: true, handshake: None };
const BINARY: PayloadContext<'_> = PayloadContext { is_text: false, handshake: None };

fn text(tree: &Tree) -> String {
    let line = |line: &TreeLine| {
        let gap = if line.name.is_empty() { "" } else { ": " };
        format!("{}{}{gap}{}\n", "  ".repeat(line.depth), line.name, line.text)
    };
    tree.lines.iter().map(line).collect()
}

#[test]
fn json_keeps_the_order_the_numbers_and_duplicate_keys() {
    let trees = read(br#"{"b":1.0e400,"a":{"x\"]":[]}, "a" : [ true ,{"c":null}],"e":{}}"#, &TEXT).expect("JSON");
    let expected = "{\n  \"b\": 1.0e400\n  \"a\": {\n    \"x\\\"]\": []\n  }\n  \"a\": [\n    true\n    {\n      \"c\": null\n    }\n  ]\n  \"e\": {}\n}\n";
    assert_eq!(text(&trees[0]), expected);
    assert!(read(b"hello", &TEXT).expect_err("text").to_string().starts_with("not JSON: expected value"));
    assert!(read(&[b'['; 1000], &TEXT).is_err());
}

#[test]
fn message_pack_and_cbor_values_end_with_the_payload() {
    // {"compact": true, "schema": 0}, from msgpack.org.
    let packed = b"\x82\xa7compact\xc3\xa6schema\x00";
    let trees = read(packed, &BINARY).expect("a tree");
    assert_eq!(trees[0].format, TreeFormat::MessagePack);
    assert_eq!(text(&trees[0]), "{\n  \"compact\": true\n  \"schema\": 0\n}\n");
    // {1: 2, 3: [h'01', 1(1363896240)]}, by RFC 8949 appendix A.
    let cbor = b"\xa2\x01\x02\x03\x82\x41\x01\xc1\x1a\x51\x4b\x67\xb0";
    let trees = read(cbor, &BINARY).expect("a tree");
    let cbor = trees.iter().find(|tree| tree.format == TreeFormat::Cbor).expect("CBOR");
    assert_eq!(text(cbor), "{\n  1: 2\n  3: [\n    h'01'\n    1(1363896240)\n  ]\n}\n");
    let why = read(b"\xc1", &BINARY).expect_err("neither").to_string();
    assert!(why.starts_with("not JSON, not MessagePack") && why.contains("not CBOR"), "{why}");
}

#[test]
fn deep_and_long_payloads_are_bounded_and_escapes_are_shown() {
    for byte in [0x91, 0x81, 0xc6, 0xdd, 0x9f, 0xbf] {
        let _ = read(&vec![byte; 100_000], &BINARY);
    }
    let mut many = vec![0xdd, 0, 1, 0, 0];
    many.extend(vec![0xc0; 65_536]);
    let tree = &read(&many, &BINARY).expect("an array")[0];
    assert!(tree.cut && tree.lines.len() <= MAX_LINES);
    let tree = &read(b"\xa3a\x1bb", &BINARY).expect("a string")[0];
    assert_eq!(text(tree), "\"a\u{241b}b\"\n");
}

/// A handshake with a chosen subprotocol and a target.
fn handshake(subprotocol: &str, target: &str) -> HandshakeSummary {
    let text = |text: &str| (!text.is_empty()).then(|| text.into());
    HandshakeSummary { subprotocol: text(subprotocol), target: text(target), ..HandshakeSummary::default() }
}

/// The formats of a payload, and the lines of the first.
fn first(bytes: &[u8], is_text: bool, about: &HandshakeSummary) -> (Vec<TreeFormat>, String) {
    let trees = read(bytes, &PayloadContext { is_text, handshake: Some(about) }).expect("a tree");
    (trees.iter().map(|tree| tree.format).collect(), text(&trees[0]))
}

#[test]
fn socket_io_and_engine_io_packets_are_named() {
    let none = handshake("", "");
    let (formats, lines) = first(br#"42/admin,13["chat",{"a":1}]"#, true, &none);
    assert_eq!(formats, [TreeFormat::SocketIo]);
    let head = "Engine.IO packet: 4 message\nSocket.IO packet: 2 EVENT\nnamespace: /admin\nacknowledgement id: 13\n";
    assert_eq!(lines, format!("{head}data: [\n  \"chat\"\n  {{\n    \"a\": 1\n  }}\n]\n"));
    let (_, lines) = first(br#"451-["f",{"_placeholder":true,"num":0}]"#, true, &none);
    assert!(
        lines.contains("Socket.IO packet: 5 BINARY_EVENT") && lines.contains("attachment 0: binary message 1"),
        "{lines}"
    );
    let (formats, lines) = first(br#"0{"sid":"x","upgrades":[]}"#, true, &none);
    assert_eq!((formats, lines.lines().next()), (vec![TreeFormat::EngineIo], Some("Engine.IO packet: 0 open")));
    assert_eq!(first(b"2probe", true, &none).1, "Engine.IO packet: 2 ping\ndata: probe\n");
    // A digit is a packet only if the target says so.
    assert_eq!(first(b"2", true, &none).0, [TreeFormat::Json]);
    for version in [3, 4] {
        let about = handshake("", &format!("/socket.io/?transport=websocket&EIO={version}"));
        assert_eq!(first(b"2", true, &about).0, [TreeFormat::EngineIo, TreeFormat::Json]);
        assert_eq!(
            first(b"40", true, &about).1,
            "Engine.IO packet: 4 message\nSocket.IO packet: 0 CONNECT\nnamespace: /\n"
        );
        let lines = first(b"\x04\xff\x00", false, &about).1;
        let attachment = if version == 3 { "attachment: h'ff00'" } else { "attachment: h'04ff00'" };
        assert_eq!(lines.lines().nth(1), Some(attachment));
    }
}

#[test]
fn signalr_messages_are_named() {
    let none = handshake("", "");
    let bytes = b"{\"type\":1,\"target\":\"x\",\"arguments\":[]}\x1e{\"type\":6}\x1e";
    let (formats, lines) = first(bytes, true, &none);
    assert_eq!(formats, [TreeFormat::SignalR]);
    let names: Vec<_> = lines.lines().filter(|line| line.starts_with("message: ")).collect();
    assert_eq!(names, ["message: Invocation (type 1)", "message: Ping (type 6)"]);
    let named = |bytes: &[u8]| first(bytes, true, &none).1.lines().next().map(str::to_owned);
    assert_eq!(named(b"{\"protocol\":\"json\",\"version\":1}\x1e").as_deref(), Some("message: handshake request"));
    assert_eq!(named(b"{}\x1e").as_deref(), Some("message: handshake response"));
    assert_eq!(named(b"{\"error\":\"no\"}\x1e").as_deref(), Some("message: handshake response"));
    assert_eq!(named(b"{\"a\":1}\x1e").as_deref(), Some("message: without a type"));
    assert!(read(b"{}\x1e{", &TEXT).is_err());
}

#[test]
fn graphql_messages_are_named_by_their_subprotocol() {
    let message = br#"{"id":"1","type":"next","payload":{}}"#;
    let (formats, lines) = first(message, true, &handshake("graphql-transport-ws", ""));
    assert_eq!(formats, [TreeFormat::GraphQl, TreeFormat::Json]);
    assert!(lines.starts_with("message: next: a result of an operation\noperation: 1\n{\n"), "{lines}");
    let (_, lines) = first(message, true, &handshake("graphql-ws", ""));
    assert!(lines.starts_with("message: next: not a type of this subprotocol\n"), "{lines}");
    let (_, lines) = first(br#"{"type":"ka"}"#, true, &handshake("graphql-ws", ""));
    assert!(lines.starts_with("message: ka: "), "{lines}");
    assert_eq!(first(message, true, &handshake("", "")).0, [TreeFormat::Json]);
    assert_eq!(first(br#"{"type":"connection_init"}"#, true, &handshake("", "")).0[0], TreeFormat::GraphQl);
    assert_eq!(first(br#"{"type":"connection_init"}"#, true, &handshake("other", "")).0, [TreeFormat::Json]);
}

#[test]
fn graphql_operations_are_recognized_without_a_handshake() {
    for (message, start) in [
        (r#"{"id":"1","type":"subscribe","payload":{"query":"{a}"}}"#, "message: subscribe: the client starts"),
        (r#"{"id":"1","type":"next","payload":{"data":{"a":1}}}"#, "message: next: a result"),
        (r#"{"id":"1","type":"start","payload":{"query":"{a}"}}"#, "message: start: the client starts"),
        (r#"{"id":"1","type":"data","payload":{"errors":[]}}"#, "message: data: a result"),
    ] {
        let (formats, lines) = first(message.as_bytes(), true, &handshake("", ""));
        assert_eq!(formats, [TreeFormat::GraphQl, TreeFormat::Json], "{message}");
        assert!(lines.starts_with(start), "{lines}");
    }
    for other in [
        r#"{"type":"subscribe","payload":{"query":"{a}"}}"#,
        r#"{"id":"1","type":"subscribe","payload":["query"]}"#,
        r#"{"id":"1","type":"data","payload":"data"}"#,
        r#"{"id":"1","type":"data"}"#,
    ] {
        assert_eq!(first(other.as_bytes(), true, &handshake("", "")).0, [TreeFormat::Json], "{other}");
    }
}

#[test]
fn several_json_documents_are_numbered() {
    let none = handshake("", "");
    for bytes in [&b"{\"a\":1}\n[2]\n"[..], b"{\"a\":1}[2]", b" {\"a\":1}\r\n\r\n[2]"] {
        let (formats, lines) = first(bytes, true, &none);
        assert_eq!(formats, [TreeFormat::JsonDocuments]);
        assert_eq!(lines, "document 1: {\n  \"a\": 1\n}\ndocument 2: [\n  2\n]\n");
    }
    for bytes in [&b"1 2 3"[..], b"{} x", b"{}{"] {
        assert!(read(bytes, &TEXT).is_err(), "{bytes:?}");
    }
}

#[test]
fn protobuf_without_a_schema_shows_numbers_types_and_guesses() {
    // 1: 150, 2: "testing" and 3: {1: 150}, from the encoding guide of Protocol Buffers; 4: 1.5 as 32 bits.
    let bytes = b"\x08\x96\x01\x12\x07testing\x1a\x03\x08\x96\x01\x25\x00\x00\xc0\x3f";
    let expected = "1 varint: 150 (zigzag: 75)\n2 length 7: \"testing\" (guess: text)\n\
                    3 length 3, guess: message: {\n  1 varint: 150 (zigzag: 75)\n}\n4 32-bit: 1069547520 (guess: 1.5)\n";
    let (formats, lines) = first(bytes, false, &handshake("", ""));
    assert_eq!((formats, lines.as_str()), (vec![TreeFormat::Protobuf], expected));
    let negative = b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
    assert_eq!(first(negative, false, &handshake("", "")).1, "1 varint: 18446744073709551615 (guess: -1)\n");
    for bytes in [&b"\x00\x01"[..], b"\x0e\x01", b"\x0c", b"\x0b\x14", b"\x12\x05x"] {
        assert!(protobuf::read(bytes).is_err(), "{bytes:?}");
    }
    // With a subprotocol that names it, it comes first.
    let (formats, _) = first(b"\x08\x01\x10\x02\x0a\x00", false, &handshake("v1.protobuf", ""));
    assert_eq!(formats[0], TreeFormat::Protobuf);
    // Messages in messages, deeper than the bound.
    let mut deep = vec![0x08, 0x01];
    for _ in 0..90 {
        let len = u8::try_from(deep.len()).unwrap_or(0x7f);
        deep = [&[0x0a, len][..], &deep].concat();
    }
    let _ = protobuf::read(&deep);
    let groups = [[0x0b; 100], [0x0c; 100]].concat();
    assert!(protobuf::read(&groups).is_err());
}

proptest! {
    #[test]
    fn every_reading_of_any_bytes_is_bounded(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..300),
            prop::collection::vec(prop::sample::select(&b"0123456789{}[]\",:-/\x1e\n ab\x0a\x0b\x0c\x08\x12"[..]), 0..300),
            "4[0-6][0-9]{0,2}-?(/[a-z]{0,3},)?[0-9]{0,2}(\\[.{0,9}\\])?".prop_map(String::into_bytes),
            "(\\{\"(type|id|protocol)\":(\"[a-z_]{0,9}\"|[0-9])\\}[\x1e\n]?){0,4}".prop_map(String::into_bytes),
        ],
        is_text in any::<bool>(),
        subprotocol in prop::sample::select(&["", "graphql-ws", "graphql-transport-ws", "proto"][..]),
        target in prop::sample::select(&["", "/?EIO=3", "/?EIO=4"][..]),
    ) {
        let about = handshake(subprotocol, target);
        let trees = read(&bytes, &PayloadContext { is_text, handshake: Some(&about) });
        for tree in trees.into_iter().flatten() {
            prop_assert!(!tree.lines.is_empty() && tree.lines.len() <= MAX_LINES);
            for line in &tree.lines {
                // serde_json reads up to 128 nested values.
                prop_assert!(line.depth <= 2 * MAX_DEPTH && line.text.len() <= 4 * MAX_TEXT, "{line:?}");
                prop_assert!(!line.text.chars().chain(line.name.chars()).any(char::is_control), "{line:?}");
            }
        }
    }
}
