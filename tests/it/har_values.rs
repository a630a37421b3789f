//! HARs of other programs: how they write messages, and values of types that a HAR does not allow.

use serde_json::{Value, json};

use crate::har::{lines, said};
use crate::support::opened;
use framescope::capture::store::Capture;
use framescope::capture::store::trouble::ProblemKind;

/// An entry of a WebSocket with these messages.
fn entry(messages: &Value) -> Value {
    json!({"startedDateTime": "2026-06-02T10:00:00Z", "_webSocketMessages": messages,
           "request": {"method": "GET", "url": "wss://api.example.com/ws", "headers": []}, "response": {"status": 101}})
}

fn har(entries: &Value) -> Capture {
    opened(
        json!({"log": {"version": "1.2", "creator": {"name": "Somebody"}, "entries": entries}}).to_string().as_bytes(),
    )
}

/// Whether the whole file was read.
fn is_whole(capture: &Capture) -> bool {
    let trouble = capture.trouble();
    !trouble.has_failed() && trouble.reason_of(ProblemKind::Damage).is_none()
}

/// The messages of a capture, of which the whole file was read: direction, opcode, data.
fn messages(capture: &Capture) -> Vec<(String, u64, String)> {
    assert!(is_whole(capture), "{:?}", capture.trouble());
    assert!(capture.findings(0, 99).is_empty());
    said(capture).into_iter().map(|(direction, opcode, _, data)| (direction, opcode, data)).collect()
}

fn data(capture: &Capture) -> Vec<String> {
    messages(capture).into_iter().map(|(_, _, data)| data).collect()
}

/// The lines about what is not shown.
fn notices(capture: &Capture) -> Vec<String> {
    capture.trouble().reason().map(|lines| lines.split("; ").map(str::to_owned).collect()).unwrap_or_default()
}

fn text(data: &str) -> Value {
    json!({"type": "send", "time": 1_780_394_401.5, "opcode": 1, "data": data})
}

/// A value of each JSON type.
fn values() -> [Value; 7] {
    [json!(null), json!(true), json!(7), json!(1e300), json!("word"), json!(["a"]), json!({"a": {"b": []}})]
}

#[test]
fn a_message_with_data_of_another_type_is_left_out_and_counted() {
    for odd in [json!({"a": 1}), json!([1, 2]), json!(5), json!(false)] {
        for opcode in [json!(1), json!(2), json!(8)] {
            let message = json!({"type": "receive", "time": 1_780_394_402, "opcode": opcode, "data": odd});
            let capture =
                har(&json!([entry(&json!([text("a"), message, text("b"), message])), entry(&json!([text("c")]))]));
            assert_eq!(data(&capture), ["a", "b", "c"], "{odd}");
            assert_eq!(notices(&capture), ["2 messages left out: the data is not text"], "{odd}");
        }
    }
    let none = json!([{"type": "send", "data": null}, {"type": "send"}, {"type": "send", "opcode": 9, "data": null}]);
    let capture = har(&json!([entry(&none)]));
    assert_eq!((data(&capture), notices(&capture)), (vec![String::new(); 3], vec![]));
}

#[test]
fn each_value_of_another_type_costs_the_smallest_part() {
    let message = json!({"type": "send", "time": 1_780_394_401, "opcode": 1, "data": "x"});
    let header = json!({"name": "X-A", "value": "b"});
    let timings = json!({"blocked": 1, "dns": 1, "connect": 1, "send": 1, "wait": 1, "receive": 1});
    let full = json!({
        "startedDateTime": "2026-06-02T10:00:00Z", "time": 1, "timings": timings, "serverIPAddress": "192.0.2.1",
        "connection": "1", "_resourceType": "websocket", "cache": {}, "_webSocketClose": {"code": 1000, "reason": "r", "timestamp": 1_780_394_409},
        "request": {"method": "GET", "url": "wss://a.example/", "httpVersion": "HTTP/1.1", "headers": [header], "cookies": []},
        "response": {"status": 101, "statusText": "x", "headers": [header], "content": {}},
        "_webSocketMessages": [message],
    });
    // The paths of all values of an entry, and of one that is a list's only element.
    let mut paths = Vec::new();
    collect("", &full, &mut paths);
    assert!(paths.len() >= 40, "{}", paths.len());
    let before = entry(&json!([text("before")]));
    let after = entry(&json!([text("after")]));
    for path in &paths {
        for odd in values() {
            let mut changed = full.clone();
            *changed.pointer_mut(path).expect("a value") = odd.clone();
            let capture = har(&json!([before, changed, after]));
            let data = said(&capture).into_iter().map(|(_, _, _, data)| data).collect::<Vec<_>>();
            assert!(is_whole(&capture), "{path} {odd}: {:?}", capture.trouble());
            assert!(
                data.contains(&"before".to_owned()) && data.contains(&"after".to_owned()),
                "{path} {odd}: {data:?}"
            );
            let is_of_the_message = path.starts_with("/_webSocketMessages");
            assert!(is_of_the_message || data.contains(&"x".to_owned()), "{path} {odd}: {data:?}");
        }
    }
}

fn collect(path: &str, value: &Value, paths: &mut Vec<String>) {
    let members: Vec<(String, &Value)> = match value {
        Value::Object(object) => object.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(array) => array.iter().enumerate().map(|(i, value)| (i.to_string(), value)).collect(),
        _ => vec![],
    };
    for (key, value) in members {
        paths.push(format!("{path}/{key}"));
        collect(&format!("{path}/{key}"), value, paths);
    }
}

#[test]
fn entries_and_lists_of_another_type_are_counted() {
    for odd in values() {
        let capture = har(&json!([entry(&json!([text("a")])), odd, entry(&json!([odd, text("b")]))]));
        assert_eq!(data(&capture), ["a", "b"], "{odd}");
        if !odd.is_object() {
            let lines = ["1 message left out: not an object", "1 entry left out: not an object"];
            assert_eq!(notices(&capture), lines, "{odd}");
            let marked = capture.reconstructed().expect("marked");
            assert!(!marked.contains("left out"), "counted once: {marked}");
        }
        let capture = har(&odd);
        assert!(is_whole(&capture) && capture.trouble().reason().is_some(), "{odd}");
    }
}

#[test]
fn opcodes_and_directions_are_read_as_words_too() {
    let message = |kind: &str, opcode: Value, data: &str| json!({"type": kind, "opcode": opcode, "data": data});
    let all = json!([
        message("sent", json!("text"), "a"),
        message("received", json!("Binary"), "AAEC"),
        message("outgoing", json!("2"), "AAEC"),
        message("incoming", json!(1.0), "b"),
        message("request", json!(" 1 "), "c"),
        message("RESPONSE", json!("ping"), "cGluZw=="),
        message("Send", json!("pong"), "cGluZw=="),
        // The kind is the type; the direction is a member of its own.
        {"type": "binary", "direction": "received", "data": "AAEC"},
        {"type": "text", "direction": "sent", "payloadData": "d"},
    ]);
    let mut expected: Vec<(String, u64, String)> = Vec::new();
    for (direction, opcode, data) in [
        ("c2s", 1, "a"),
        ("s2c", 2, "AAEC"),
        ("c2s", 2, "AAEC"),
        ("s2c", 1, "b"),
        ("c2s", 1, "c"),
        ("s2c", 9, "cGluZw=="),
        ("c2s", 10, "cGluZw=="),
        ("s2c", 2, "AAEC"),
        ("c2s", 1, "d"),
    ] {
        expected.push((direction.to_owned(), opcode, data.to_owned()));
    }
    let capture = har(&json!([entry(&all)]));
    assert_eq!((messages(&capture), notices(&capture)), (expected, vec![]));
    // Neither is guessed.
    let odd = json!([
        message("client", json!(1), "a"),
        message("message", json!(1), "a"),
        message("send", json!("json"), "a"),
        message("send", json!(0), "a"),
        message("send", json!(1.5), "a"),
        message("send", json!([1]), "a"),
        message("error", json!(-1), "net::ERR_FAILED"),
    ]);
    let capture = har(&json!([entry(&odd)]));
    let counts: Vec<_> = notices(&capture).iter().map(|line| line.split(' ').next().map(str::to_owned)).collect();
    assert_eq!((data(&capture).len(), counts), (0, vec![Some("3".to_owned()), Some("4".to_owned())]));
}

#[test]
fn dates_of_entries_are_read_in_each_form() {
    for started in [
        json!("2026-06-02 10:00:00"),
        json!("2026-06-02T12:00:00.000+0200"),
        json!("2026-06-02 12:00:00 +02:00"),
        json!("2026-06-02T10:00:00"),
        json!(1_780_394_400_000_i64),
        json!("1780394400"),
    ] {
        let mut entry =
            entry(&json!([{"type": "send", "time": "3.5", "data": "a"}, {"type": "send", "time": "4", "data": "b"}]));
        entry["startedDateTime"] = started.clone();
        let times: Vec<_> = said(&har(&json!([entry]))).into_iter().map(|(_, _, time, _)| time).collect();
        assert_eq!(times, ["2026-06-02T10:00:00.000000000Z", "2026-06-02T10:00:00.500000000Z"], "{started}");
    }
    // A time that is none keeps the order.
    let odd = json!([{"type": "send", "time": {"at": 1}, "data": "a"}, {"type": "send", "time": "soon", "data": "b"}]);
    let capture = har(&json!([entry(&odd)]));
    assert_eq!(
        (data(&capture), notices(&capture)),
        (vec!["a".to_owned(), "b".to_owned()], vec!["2 times ignored: neither a number nor a date".to_owned()])
    );
}

#[test]
fn headers_may_be_an_object_and_odd_ones_are_counted() {
    let key = "dGhlIHNhbXBsZSBub25jZQ==";
    for headers in [
        json!({"Sec-WebSocket-Key": key, "X-Number": 5}),
        json!([{"name": "Sec-WebSocket-Key", "value": key}, {"name": "X-Number", "value": 5}]),
        json!([{"name": "Sec-WebSocket-Key", "value": key}, {"name": "X-Number", "value": 5}, 7, {"name": [], "value": "x"}, {"name": "A", "value": {}}]),
    ] {
        let mut entry = entry(&json!([text("a")]));
        entry["request"]["headers"] = headers.clone();
        let capture = har(&json!([entry]));
        assert_eq!(data(&capture), ["a"]);
        let sent = lines(&capture)[0]["headers"].to_string();
        assert!(sent.contains(key) && sent.contains("X-Number"), "{sent}");
        let counted = headers.as_array().is_some_and(|headers| headers.len() == 5);
        assert_eq!(
            notices(&capture),
            if counted { vec!["3 headers left out: name and value are not text"] } else { vec![] }
        );
    }
}

#[test]
fn a_har_by_firefox_with_an_empty_list_says_so_too() {
    let quiet = |creator: &str| {
        let log = json!({"entries": [entry(&json!([]))], "creator": {"name": creator}, "browser": {"name": creator}});
        opened(json!({"log": log}).to_string().as_bytes())
    };
    let lines = notices(&quiet("Firefox"));
    assert!(
        lines[0].starts_with("1 WebSocket without messages: Firefox")
            && lines.iter().any(|line| line.contains("Chrome")),
        "{lines:?}"
    );
    // Nothing was said.
    assert_eq!(notices(&quiet("WebInspector")), [""; 0]);
    // Its messages cannot be frames: that is another cause.
    let log = json!({"entries": [entry(&json!([{"type": "error"}]))], "creator": {"name": "Firefox"}});
    assert_eq!(notices(&opened(json!({"log": log}).to_string().as_bytes())).len(), 1);
}

#[test]
fn lone_surrogates_and_other_encodings_do_not_end_the_file() {
    let file = json!({"log": {"creator": {"name": "N"}, "entries": [entry(&json!([text("1"), text("2")])), entry(&json!([text("3")]))]}}).to_string();
    let file = file
        .replace("\"N\"", "\"N\\ud800\"")
        .replace("\"1\"", "\"\\udc00x\"")
        .replace("api.example.com/ws", "api.example.com/\\ud83d");
    let mut bytes = file.into_bytes();
    let at = bytes.windows(3).position(|part| part == b"\"2\"").expect("a message");
    bytes.splice(at + 1..at + 2, *b"caf\xe9");
    let capture = opened(&bytes);
    let seen = data(&capture);
    assert_eq!((seen.len(), seen[1].as_str(), seen[2].as_str()), (3, "caf\u{fffd}", "3"));
    assert!(seen[0].ends_with('x'), "{seen:?}");
}

#[test]
fn lists_with_other_names_are_read() {
    for key in ["_webSocketMessages", "_websocketMessages", "webSocketMessages", "_webSocketFrames"] {
        let mut entry = entry(&json!([]));
        entry.as_object_mut().expect("an object").remove("_webSocketMessages");
        entry[key] = json!([text("a")]);
        assert_eq!(data(&har(&json!([entry]))), ["a"], "{key}");
    }
}

#[test]
fn a_har_compressed_as_mitmproxy_does_is_read() {
    use std::io::Write as _;

    let zlib = |bytes: &[u8], level| {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(level));
        encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("in memory")
    };
    let file = json!({"log": {"creator": {"name": "mitmproxy"}, "entries": [entry(&json!([text("a"), text("b")]))]}});
    let file = file.to_string().into_bytes();
    for level in [0, 1, 6, 9] {
        assert_eq!(data(&opened(&zlib(&file, level))), ["a", "b"], "{level}");
    }
    let whole = zlib(&file, 9);
    assert!(!is_whole(&opened(&whole[..whole.len() - 5])));
    // A zlib stream of something else may be anything.
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a");
    std::fs::write(&path, zlib(b"just text", 9)).expect("written");
    let refused = framescope::capture::import::open(&path).err().expect("no capture").to_string();
    assert!(refused.contains("is not a capture"), "{refused}");
}

#[test]
fn other_archives_and_captures_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.har");
    for (magic, name) in [
        (&b"PK\x03\x04"[..], "ZIP"),
        (b"\x28\xb5\x2f\xfd", "Zstandard"),
        (b"\xfd7zXZ\0", "xz"),
        (b"BZh91AY&SY", "bzip2"),
        (b"\x04\x22\x4d\x18", "LZ4"),
        (b"snoop\0\0\0", "snoop"),
        (b"GMBU", "Network Monitor"),
    ] {
        std::fs::write(&path, [magic, &[7; 40]].concat()).expect("written");
        let refused = framescope::capture::import::open(&path).err().expect("no capture").to_string();
        assert!(refused.contains(name), "{refused}");
    }
}
