//! HAR: the files that we write, and those of other programs.

use std::collections::BTreeMap;
use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::program::run;
use crate::support::{DOWN, Screen, UP, Wire, exported, frame, opened, sample};
use framescope::capture::import;
use framescope::capture::store::Capture;
use framescope::export::{ExportOptions, ExportSelection, Format, Progress, Redaction, export};
use framescope::proto::dissected::Kind;
use serde_json::{Value, json};

fn exported_with(capture: &Capture, format: Format, options: &ExportOptions) -> Vec<u8> {
    let mut out = Vec::new();
    export(capture, format, options, &mut out, &Progress::default()).expect("exported");
    out
}

fn har(capture: &Capture) -> Value {
    serde_json::from_slice(&exported(capture, Format::Har)).expect("JSON")
}

pub fn lines(capture: &Capture) -> Vec<Value> {
    let text = exported(capture, Format::Ndjson);
    text.split(|b| *b == b'\n').filter(|l| !l.is_empty()).map(|l| serde_json::from_slice(l).expect("JSON")).collect()
}

/// A data message of a capture.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Message {
    pub direction: String,
    pub opcode: u64,
    pub data: Vec<u8>,
    /// When its last byte crossed, in microseconds.
    pub micros: u64,
}

/// The data messages of each connection, reassembled and inflated.
pub fn messages(capture: &Capture) -> BTreeMap<u64, Vec<Message>> {
    let mut all: BTreeMap<u64, Vec<Message>> = BTreeMap::new();
    let mut unfinished: BTreeMap<(u64, String), (u64, Vec<u8>)> = BTreeMap::new();
    for line in lines(capture) {
        let opcode = line["opcode"].as_u64().unwrap_or(u64::MAX);
        if line["type"] != "frame" || opcode >= 8 {
            continue;
        }
        let bytes = |text: &str, data: &str| match (line[text].as_str(), line[data].as_str()) {
            (Some(text), _) => Some(text.as_bytes().to_vec()),
            (_, Some(data)) => Some(STANDARD.decode(data).expect("base64")),
            _ => None,
        };
        let connection = line["conn"].as_u64().expect("a number");
        let direction = line["dir"].as_str().expect("a direction").to_owned();
        let key = (connection, direction.clone());
        let payload = bytes("text", "data").expect("a payload");
        if opcode == 0 {
            unfinished.entry(key.clone()).and_modify(|(_, data)| data.extend(payload));
        } else {
            unfinished.insert(key.clone(), (opcode, payload));
        }
        if line["fin"] != true {
            continue;
        }
        let Some((opcode, joined)) = unfinished.remove(&key) else { continue };
        let data = bytes("inflated", "inflated_data").unwrap_or(joined);
        // A HAR has text as text.
        let data = if opcode == 1 { String::from_utf8_lossy(&data).into_owned().into_bytes() } else { data };
        let time: jiff::Timestamp = line["time"].as_str().expect("a time").parse().expect("a time");
        let micros = u64::try_from(time.as_microsecond()).expect("after 1970");
        all.entry(connection).or_default().push(Message { direction, opcode, data, micros });
    }
    all
}

/// Compares messages; times may differ by the microsecond to which a HAR rounds them.
pub fn same(one: &[Message], other: &[Message]) -> bool {
    let alike = |(one, other): (&Message, &Message)| {
        let times = one.micros.abs_diff(other.micros) <= 1;
        times && (&one.direction, one.opcode, &one.data) == (&other.direction, other.opcode, &other.data)
    };
    one.len() == other.len() && one.iter().zip(other).all(alike)
}

/// The frames of a capture: direction, opcode, time, text or data.
pub fn said(capture: &Capture) -> Vec<(String, u64, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let frames = lines(capture).into_iter().filter(|line| line["type"] == "frame");
    frames
        .map(|f| {
            let data = if f["text"].is_null() { text(&f["data"]) } else { text(&f["text"]) };
            (text(&f["dir"]), f["opcode"].as_u64().unwrap_or(99), text(&f["time"]), data)
        })
        .collect()
}

mod written {
    use super::*;

    #[test]
    fn an_entry_is_what_chrome_writes() {
        let har = har(&sample("ticker"));
        let log = &har["log"];
        assert_eq!((&log["version"], &log["creator"]["name"]), (&json!("1.2"), &json!("framescope")));
        let [page, socket] = log["entries"].as_array().expect("entries").as_slice() else { panic!("two entries") };
        assert_eq!(page["request"]["url"], "http://127.0.0.1:6455/");
        assert_eq!(page["response"]["status"], 200);
        assert!(page.get("_webSocketMessages").is_none());
        assert_eq!(socket["request"]["url"], "ws://127.0.0.1:6455/ticker");
        assert_eq!(socket["startedDateTime"], "2026-11-22T19:30:00.041Z");
        assert_eq!((&socket["response"]["status"], &socket["_resourceType"]), (&json!(101), &json!("websocket")));
        let messages = socket["_webSocketMessages"].as_array().expect("messages");
        let first = json!({"type": "receive", "time": 1_795_375_801.041_845, "opcode": 1, "data": "echo 0"});
        assert_eq!(messages[0], first);
        assert_eq!((&messages[1]["type"], &messages[1]["data"]), (&json!("send"), &json!("client: echo 0")));
    }

    #[test]
    fn messages_are_reassembled_and_inflated() {
        let messages = |name| har(&sample(name))["log"]["entries"][0]["_webSocketMessages"].clone();
        let fragments = messages("fragments");
        assert!(fragments[0]["data"].as_str().expect("text").starts_with("one message, three frames: naï"));
        assert_eq!((&fragments[2]["opcode"], &fragments[2]["data"]), (&json!(2), &json!("")));
        let deflate = messages("deflate");
        assert_eq!(deflate[0]["data"], "Hello");
        assert!(deflate.as_array().expect("messages").iter().any(|m| m["opcode"] == 2 && m["type"] == "receive"));
    }

    #[test]
    fn a_selection_brings_its_handshakes() {
        let capture = sample("ticker");
        let frame = capture.records(1..99).into_iter().find(|r| r.kind == Kind::Frame).expect("a frame").no;
        let options = ExportOptions { selection: ExportSelection::Records(vec![frame]), ..ExportOptions::default() };
        let har: Value = serde_json::from_slice(&exported_with(&capture, Format::Har, &options)).expect("JSON");
        let entries = har["log"]["entries"].as_array().expect("entries");
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0]["_webSocketMessages"].as_array().map(Vec::len), Some(1));
        let again = opened(har.to_string().as_bytes());
        assert!(same(&messages(&again)[&1], &messages(&capture)[&2][..1]));
    }

    #[test]
    fn messages_and_handshakes_come_back_in_their_order() {
        for name in ["hello", "ticker", "fragments", "deflate"] {
            let capture = sample(name);
            let again = opened(&exported(&capture, Format::Har));
            assert_eq!(again.trouble().reason(), None, "{name}");
            assert!(
                again.reconstructed().expect("marked").starts_with("the messages of a HAR by framescope"),
                "{name}"
            );
            let [before, after] = [&capture, &again].map(|capture| messages(capture).into_values().collect::<Vec<_>>());
            assert_eq!(before.len(), after.len(), "{name}");
            assert!(
                before.iter().zip(&after).all(|(before, after)| same(before, after)),
                "{name}: {before:?} {after:?}"
            );
            let heads = |capture: &Capture| -> Vec<Vec<Value>> {
                let lines = lines(capture).into_iter();
                let upgrades = lines.filter(|line| line["headers"].to_string().contains("Sec-WebSocket"));
                upgrades.map(|line| ["target", "status", "headers"].map(|key| line[key].clone()).to_vec()).collect()
            };
            assert_eq!(heads(&capture), heads(&again), "{name}");
            // Reconstructed frames are data frames, whole and uncompressed.
            assert!(
                lines(&again)
                    .iter()
                    .all(|line| line["type"] != "frame" || line["fin"] == true && line["rsv1"] == false)
            );
        }
    }

    #[test]
    fn nothing_of_framescope_is_in_it_but_its_name() {
        let capture = sample("violations");
        let file = String::from_utf8(exported(&capture, Format::Har)).expect("UTF-8");
        assert!(!file.contains("_framescope") && !file.contains("findings"));
        let har: Value = serde_json::from_str(&file).expect("JSON");
        let keys: Vec<_> = har["log"]["entries"][0].as_object().expect("an entry").keys().cloned().collect();
        let known = [
            "_resourceType",
            "_webSocketMessages",
            "cache",
            "connection",
            "request",
            "response",
            "serverIPAddress",
            "startedDateTime",
            "time",
            "timings",
        ];
        assert_eq!(keys, known);
    }

    #[test]
    fn connections_without_a_request_are_left_out_and_counted() {
        let line = json!({"v": 1, "no": 1, "type": "frame", "conn": 1, "dir": "s2c", "time": "2026-11-22T19:30:00Z",
                          "offset": 0, "wire": "810161"});
        let capture = opened(line.to_string().as_bytes());
        let mut out = Vec::new();
        let exported = export(&capture, Format::Har, &ExportOptions::default(), &mut out, &Progress::default());
        let exported = exported.expect("exported");
        assert_eq!((exported.records, exported.note.as_deref()), (0, Some("1 connection without a request left out")));
        let har: Value = serde_json::from_slice(&out).expect("JSON");
        assert_eq!(har["log"]["entries"], json!([]));
    }

    #[test]
    fn cookies_are_listed_and_redacted() {
        let request =
            "GET /a?b=c&d HTTP/1.1\r\nHost: x\r\nCookie: a=s3cr3t;\r\n b=s3cr3t\r\nAuthorization: s3cr3t\r\n\r\n";
        let response = "HTTP/1.1 200 OK\r\nSet-Cookie: sid=s3cr3t; Path=/; HttpOnly\r\nContent-Type: text/plain\r\n\
                        Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
        let line = |no: u32, kind: &str, dir: &str, bytes: &str| {
            json!({"v": 1, "no": no, "type": kind, "conn": 1, "dir": dir, "time": "2026-11-22T19:30:00Z", "offset": 0,
                   "wire": hex::encode(bytes), "client": "127.0.0.1:1", "server": "127.0.0.1:2"})
        };
        let file = format!("{}\n{}\n", line(1, "request", "c2s", request), line(2, "response", "s2c", response));
        let capture = opened(file.as_bytes());
        let entry = &har(&capture)["log"]["entries"][0];
        assert_eq!(
            entry["request"]["cookies"],
            json!([{"name": "a", "value": "s3cr3t"}, {"name": "b", "value": "s3cr3t"}])
        );
        assert_eq!(entry["request"]["queryString"], json!([{"name": "b", "value": "c"}, {"name": "d", "value": ""}]));
        let cookie = &entry["response"]["cookies"][0];
        assert_eq!(
            (&cookie["name"], &cookie["value"], &cookie["path"]),
            (&json!("sid"), &json!("s3cr3t"), &json!("/"))
        );
        assert_eq!((&cookie["httpOnly"], &cookie["secure"]), (&json!(true), &json!(false)));
        assert_eq!(
            (&entry["response"]["content"]["text"], &entry["response"]["content"]["size"]),
            (&json!("ok"), &json!(2))
        );
        // Stars of the same length, in every format.
        for format in Format::ALL {
            let directions = framescope::proto::dissected::Direction::BOTH.map(Some);
            for direction in directions.into_iter().chain([None]).filter(|d| d.is_some() == (format == Format::Wire)) {
                let options =
                    ExportOptions { redact: Some(Redaction::default()), direction, ..ExportOptions::default() };
                let bytes = exported_with(&capture, format, &options);
                for told in [&b"s3cr3t"[..], hex::encode("s3cr3t").as_bytes(), b"73 33 63 72", b"czNjcjN0"] {
                    assert!(!bytes.windows(told.len()).any(|window| window == told), "{format:?}");
                }
            }
        }
        let options = ExportOptions { redact: Some(Redaction::default()), ..ExportOptions::default() };
        let redacted = opened(&exported_with(&capture, Format::Pcapng, &options));
        let wires = |capture: &Capture| lines(capture).iter().map(|l| l["wire_len"].clone()).collect::<Vec<_>>();
        assert_eq!(wires(&redacted), wires(&capture));
    }
}

#[test]
fn a_message_larger_than_a_piece_is_whole_in_fragments_too() {
    use framescope::wire::opcode::Opcode;

    let text = "naïve ✓ \u{1f600} \"x\" ".repeat(33_000);
    let broken = [text.as_bytes(), b"\xff", &text.as_bytes()[..5]].concat();
    let mut wire = Wire::upgraded();
    let (third, rest) = text.as_bytes().split_at(text.len() / 3 + 1);
    wire.say(UP, &frame(false, Opcode::Text, Some([9, 8, 7, 6]), third));
    wire.say(UP, &frame(true, Opcode::Ping, Some([9, 8, 7, 5]), b"between"));
    wire.say(DOWN, &frame(true, Opcode::Binary, None, &broken));
    wire.say(UP, &frame(true, Opcode::Continuation, Some([9, 8, 7, 4]), rest));
    wire.say(DOWN, &frame(true, Opcode::Text, None, &broken));
    wire.say(DOWN, &frame(false, Opcode::Text, None, b"unfinished"));
    let capture = wire.capture();
    let har = har(capture);
    let messages = har["log"]["entries"][0]["_webSocketMessages"].as_array().expect("messages");
    let data: Vec<&str> = messages.iter().map(|message| message["data"].as_str().expect("data")).collect();
    let base64 = STANDARD.encode(&broken);
    assert!(data == [base64.as_str(), text.as_str(), &String::from_utf8_lossy(&broken)]);
    let ways: Vec<_> = messages.iter().map(|message| (&message["type"], &message["opcode"])).collect();
    assert_eq!(ways, [(&json!("receive"), &json!(2)), (&json!("send"), &json!(1)), (&json!("receive"), &json!(1))]);
    let again = opened(&exported(capture, Format::Har));
    assert!(same(&self::messages(&again)[&1], &self::messages(capture)[&1]));
}

mod read {
    use super::*;

    /// A HAR of one entry.
    fn one(entry: &Value) -> Capture {
        opened(
            json!({"log": {"version": "1.2", "creator": {"name": "Somebody"}, "entries": [entry]}})
                .to_string()
                .as_bytes(),
        )
    }

    fn rules(capture: &Capture) -> Vec<&'static str> {
        capture.findings(0, 99).iter().map(|(_, finding)| finding.rule.id()).collect()
    }

    fn messages() -> Value {
        json!([
            {"type": "send", "time": 1_795_375_801.5, "opcode": 1, "data": "naïve"},
            {"type": "receive", "time": 1_795_375_801.500_25, "opcode": 2, "data": "AAEC"},
            {"type": "send", "time": 1_795_375_802, "opcode": 1, "data": ""},
        ])
    }

    fn expected() -> Vec<(String, u64, String, String)> {
        [
            ("c2s", 1, "2026-11-22T19:30:01.500000000Z", "naïve"),
            ("s2c", 2, "2026-11-22T19:30:01.500250000Z", "AAEC"),
            ("c2s", 1, "2026-11-22T19:30:02.000000000Z", ""),
        ]
        .map(|(dir, opcode, time, data)| (dir.to_owned(), opcode, time.to_owned(), data.to_owned()))
        .to_vec()
    }

    #[test]
    fn chromes_messages_become_frames_and_the_capture_is_marked() {
        let capture = one(&json!({
            "_resourceType": "websocket", "startedDateTime": "2026-11-22T19:30:01.000Z", "time": 3.5,
            "_webSocketMessages": messages(),
            "request": {"method": "GET", "url": "wss://echo.example/x?y", "httpVersion": "HTTP/1.1", "headers": [
                {"name": "Host", "value": "echo.example"}, {"name": "Upgrade", "value": "websocket"},
                {"name": "Connection", "value": "Upgrade"}, {"name": "Sec-WebSocket-Version", "value": "13"},
                {"name": "Sec-WebSocket-Key", "value": "dGhlIHNhbXBsZSBub25jZQ=="},
                {"name": "Sec-WebSocket-Extensions", "value": "permessage-deflate; client_max_window_bits"}]},
            "response": {"status": 101, "statusText": "Switching Protocols", "headers": [
                {"name": "Upgrade", "value": "websocket"}, {"name": "Connection", "value": "Upgrade"},
                {"name": "Sec-WebSocket-Extensions", "value": "permessage-deflate"},
                {"name": "Sec-WebSocket-Accept", "value": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}]},
            "timings": {"wait": 20, "receive": 3}, "serverIPAddress": "[2001:db8::7]",
        }));
        assert_eq!(capture.trouble().reason(), None);
        assert_eq!(said(&capture), expected());
        assert_eq!(rules(&capture), Vec::<&str>::new());
        let options = ExportOptions::default();
        let noted =
            export(&capture, Format::Ndjson, &options, &mut std::io::sink(), &Progress::default()).expect("exported");
        assert!(noted.note.expect("a note").contains("reconstructed"));
        let words = capture.reconstructed().expect("marked").to_owned();
        assert!(words.contains("HAR by Somebody") && words.contains("not the bytes of the wire"), "{words}");
        let lines = lines(&capture);
        assert_eq!((&lines[0]["target"], &lines[0]["server"]), (&json!("/x?y"), &json!("[2001:db8::7]:443")));
        assert_eq!(lines[1]["time"], "2026-11-22T19:30:01.020000000Z");
        // It stays marked as a pcapng file. As a HAR it is one of framescope.
        let again = opened(&exported(&capture, Format::Pcapng));
        assert_eq!(again.reconstructed(), Some(words.as_str()));
        assert_eq!(said(&again), expected());
        let again = opened(&exported(&capture, Format::Har));
        assert!(again.reconstructed().expect("marked").contains("HAR by framescope"));
        assert_eq!(said(&again), expected());
    }

    #[test]
    fn http_toolkits_close_is_a_closing_handshake() {
        let entry = |close: Value| {
            json!({
                "startedDateTime": "2026-11-22T19:30:01.000+00:00", "time": 5, "_resourceType": "websocket", "_client": {},
                "request": {"method": "GET", "url": "ws://localhost:8080/", "headers": [{"name": "host", "value": "localhost:8080"}]},
                "response": {"status": 101, "headers": [{"name": "sec-websocket-protocol", "value": "chat"}]},
                "timings": {"wait": -1}, "_webSocketMessages": messages(), "_webSocketClose": close,
            })
        };
        let capture = one(&entry(json!({"code": 1000, "reason": "bye", "timestamp": 1_795_375_803.0})));
        let closes: Vec<_> = lines(&capture).into_iter().filter(|line| line["opcode"] == 8).collect();
        assert_eq!(closes.len(), 2);
        assert_eq!((&closes[0]["close_code"], &closes[1]["close_reason"]), (&json!(1000), &json!("bye")));
        assert_eq!(closes[0]["time"], "2026-11-22T19:30:03.000000000Z");
        assert_eq!(rules(&capture), Vec::<&str>::new());
        for none in [json!("aborted"), json!({"code": 1006, "reason": ""}), json!(null)] {
            assert_eq!(said(&one(&entry(none))), expected());
        }
    }

    #[test]
    fn playwrights_times_are_milliseconds_or_left_out() {
        let message = |time: Value, data: &str| json!({"type": "receive", "time": time, "opcode": 1, "data": data});
        let capture = one(&json!({
            "startedDateTime": "2026-11-22T19:30:01.000Z", "time": -1, "_resourceType": "websocket",
            "request": {"method": "GET", "url": "wss://echo.example/", "headers": [], "cookies": []},
            "response": {"status": -1, "statusText": "", "headers": []},
            "timings": {"send": -1, "wait": -1, "receive": -1},
            "_webSocketMessages": [
                message(json!(-1), "a"), message(json!(1_795_375_801_500.25), "b"), message(json!(-1), "c"),
            ],
        }));
        let times: Vec<_> = said(&capture).into_iter().map(|(_, _, time, data)| format!("{data} {time}")).collect();
        let expected = [
            "a 2026-11-22T19:30:01.000000000Z",
            "b 2026-11-22T19:30:01.500250000Z",
            "c 2026-11-22T19:30:01.500250000Z",
        ];
        assert_eq!(times, expected);
        assert_eq!(rules(&capture), Vec::<&str>::new());
    }

    #[test]
    fn entries_in_sequence_may_overlap_in_time() {
        let entry = |name: &str, from: u32| {
            let message = |n: u32| json!({"type": "receive", "time": f64::from(from + 2 * n), "opcode": 1, "data": format!("{name}{n}")});
            json!({"_resourceType": "websocket", "startedDateTime": "1970-01-01T00:00:01Z",
                   "request": {"url": format!("ws://a/{name}")}, "response": {"status": 101},
                   "_webSocketMessages": [message(0), message(1), message(2)]})
        };
        let other = json!({"_resourceType": "document", "request": {"url": "http://a/"}, "response": {"content": {"text": "x"}}});
        let capture =
            opened(json!({"log": {"entries": [other, entry("a", 10), entry("b", 11)]}}).to_string().as_bytes());
        let data: Vec<_> = said(&capture).into_iter().map(|(_, _, _, data)| data).collect();
        assert_eq!(data, ["a0", "b0", "a1", "b1", "a2", "b2"]);
        assert!(capture.reconstructed().expect("marked").ends_with("1 entry that is not a WebSocket is left out"));
        assert_eq!(rules(&capture), Vec::<&str>::new());
    }

    #[test]
    fn what_no_frame_carries_is_counted() {
        let capture = one(&json!({
            "request": {"url": "ws://a/"}, "response": {"status": 101}, "startedDateTime": "2026-11-22T19:30:01Z",
            "_webSocketMessages": [
                {"type": "error", "time": 1, "opcode": -1, "data": "went wrong"},
                {"type": "error", "time": 1, "opcode": 1, "data": "went wrong again"},
                {"type": "send", "time": 2, "opcode": 2, "data": "not base64!"},
                {"type": "send", "time": 3, "opcode": 7, "data": null},
                {"type": "send", "time": 4, "opcode": 9, "data": "cGluZw"},
                {"type": "send", "time": "5", "opcode": "1", "data": "text"},
            ],
        }));
        assert_eq!(said(&capture).len(), 3);
        // By type, by opcode, and those that are kept although their data is not base64.
        let reason = capture.trouble().reason().expect("a reason");
        let counts: Vec<_> = reason.split("; ").map(|line| line.split(' ').next()).collect();
        assert_eq!(counts, [Some("2"), Some("1"), Some("1")]);
    }

    /// An entry with these messages, in which the time of the entry comes last.
    fn entry_at_ten(messages: &Value) -> Value {
        json!({"_webSocketMessages": messages, "request": {"url": "wss://api.example.com/ws"}, "response": {"status": 101},
               "timings": {"send": 0, "wait": 1, "receive": 1}, "startedDateTime": "2026-06-02T10:00:00.000Z"})
    }

    #[test]
    fn without_an_opcode_a_message_is_text() {
        let message = |data: &str, more: Value| {
            let mut message = json!({"type": "send", "time": 1_795_375_801.5, "data": data});
            message.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            message
        };
        let all = [
            message("42[\"x\",1]", json!({})),
            message("AAEC", json!({"opcode": null})),
            message("c", json!({"opcode": "1"})),
        ];
        let capture = one(&entry_at_ten(&json!(all)));
        let seen: Vec<_> = said(&capture).into_iter().map(|(_, opcode, _, data)| (opcode, data)).collect();
        assert_eq!(seen, [(1, "42[\"x\",1]".to_owned()), (1, "AAEC".to_owned()), (1, "c".to_owned())]);
        assert_eq!((capture.trouble().reason(), rules(&capture)), (None, vec![]));
    }

    #[test]
    fn messages_without_a_response_follow_an_upgrade() {
        let mut entry = entry_at_ten(&json!([{"type": "send", "data": "a"}, {"type": "receive", "data": "b"}]));
        entry.as_object_mut().expect("an object").remove("response");
        let capture = one(&entry);
        let seen: Vec<_> = said(&capture).into_iter().map(|(dir, _, _, data)| (dir, data)).collect();
        assert_eq!(seen, [("c2s".to_owned(), "a".to_owned()), ("s2c".to_owned(), "b".to_owned())]);
        assert_eq!(rules(&capture), [""; 0]);
    }

    #[test]
    fn times_of_another_clock_begin_when_the_entry_does() {
        let message = |time: Value, data: &str| json!({"type": "receive", "time": time, "data": data});
        let times = |messages: Value| {
            let capture = one(&entry_at_ten(&messages));
            assert_eq!((capture.trouble().reason(), rules(&capture)), (None, vec![]));
            let said = said(&capture).into_iter();
            said.map(|(_, _, time, data)| format!("{data} {}", &time[11..])).collect::<Vec<_>>()
        };
        // Seconds since the start of the browser; the third one is missing.
        assert_eq!(
            times(json!([
                message(json!(86_412.25), "a"),
                message(json!(86_413.5), "b"),
                json!({"type": "send", "data": "c"}),
                message(json!(86_414.25), "d"),
            ])),
            ["a 10:00:00.000000000Z", "b 10:00:01.250000000Z", "c 10:00:01.250000000Z", "d 10:00:02.000000000Z"]
        );
        // Text, and a number as text.
        assert_eq!(
            times(json!([
                message(json!("2026-06-02T12:00:03.5+02:00"), "a"),
                message(json!("1780394404.25"), "b"),
                message(json!("2026-06-02T10:00:05Z"), "c"),
            ])),
            ["a 10:00:03.500000000Z", "b 10:00:04.250000000Z", "c 10:00:05.000000000Z"]
        );
        // None at all: the order of the file, when the response arrived.
        let order = times(json!([message(json!(null), "b"), message(json!(0), "a"), message(json!(-1), "c")]));
        assert_eq!(order, ["b 10:00:00.001000000Z", "a 10:00:00.001000000Z", "c 10:00:00.001000000Z"]);
    }

    #[test]
    fn a_har_by_firefox_has_only_handshakes_and_says_so() {
        let header = |name: &str, value: &str| json!({"name": name, "value": value});
        let entry = json!({
            "startedDateTime": "2026-06-02T10:00:00.000+02:00", "serverIPAddress": "192.0.2.7", "timings": {"wait": 20},
            "request": {"method": "GET", "url": "wss://echo.example/", "httpVersion": "HTTP/1.1", "headers": [
                header("Host", "echo.example"), header("Sec-WebSocket-Version", "13"), header("Upgrade", "websocket"),
                header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), header("Connection", "keep-alive, Upgrade")]},
            "response": {"status": 101, "statusText": "Switching Protocols", "headers": [
                header("upgrade", "websocket"), header("connection", "Upgrade"),
                header("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")]},
        });
        let page = json!({"request": {"url": "https://echo.example/"}, "response": {"status": 200}});
        // By its URL, and by its response.
        for (url, creator) in [("wss://echo.example/", "Firefox"), ("https://echo.example/", "Another")] {
            let mut entry = entry.clone();
            entry["request"]["url"] = json!(url);
            let log = json!({"creator": {"name": creator}, "entries": [page, entry]});
            let capture = opened(json!({"log": log}).to_string().as_bytes());
            let kinds: Vec<_> = lines(&capture).iter().map(|line| line["type"].clone()).collect();
            assert_eq!(kinds[..2], ["request", "response"]);
            assert_eq!(rules(&capture), Vec::<&str>::new());
            let reason = capture.trouble().reason().expect("a reason");
            assert!(reason.starts_with("1 WebSocket ") && reason.contains("Chrome"), "{reason}");
            assert_eq!(reason.contains("Firefox"), creator == "Firefox");
        }
        // A WebSocket on which nothing was said.
        let mut quiet = entry;
        quiet["_webSocketMessages"] = json!([]);
        assert_eq!(one(&quiet).trouble().reason(), None);
    }

    #[test]
    fn compressed_files_are_recognized_by_their_content() {
        use std::io::Write as _;

        let gzip = |bytes: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(bytes).expect("in memory");
            encoder.finish().expect("in memory")
        };
        let har = json!({"log": {"entries": [entry_at_ten(&messages())]}}).to_string().into_bytes();
        let ndjson = exported(&sample("ticker"), Format::Ndjson);
        // In two members, as appending to a compressed log gives.
        let (first, second) = ndjson.split_at(ndjson.len() / 2);
        for (plain, compressed) in [(&har, gzip(&har)), (&ndjson, [gzip(first), gzip(second)].concat())] {
            let [plain, inflated] = [plain, &compressed].map(|bytes| opened(bytes));
            assert_eq!(lines(&inflated), lines(&plain));
            assert_eq!((inflated.trouble(), inflated.reconstructed()), (plain.trouble(), plain.reconstructed()));
        }
        let compressed = gzip(&ndjson);
        let cut = opened(&compressed[..compressed.len() / 2]);
        assert!(cut.trouble().reason().is_some() && cut.len() > 2);
        let followed = import::ImportOptions { follow: true, ..import::ImportOptions::default() };
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.har");
        fs::write(&path, &compressed).expect("written");
        assert!(import::open_with(&path, followed).is_err(), "it cannot grow");
        for nothing in [&b"just text"[..], b"", b"{\"entries\":[]}"] {
            fs::write(&path, gzip(nothing)).expect("written");
            assert!(import::open(&path).is_err());
        }
    }

    #[test]
    fn the_records_that_an_earlier_framescope_wrote_into_a_har_are_not_read() {
        let record = json!({"no": 1, "type": "junk", "conn": 1, "dir": "c2s", "time": "2026-11-22T19:30:00Z", "offset": 0, "wire": "00"});
        let own = json!({"v": 1, "reconstructed": "from something else", "records": [record]});
        let entry = json!({"_framescope": own, "_webSocketMessages": messages(), "request": {"url": "ws://a/"},
                           "response": {"status": 101}, "startedDateTime": "2026-11-22T19:30:01Z"});
        let log = json!({"creator": {"name": "framescope"}, "entries": [entry], "_framescope": own});
        let capture = opened(json!({"log": log}).to_string().as_bytes());
        assert_eq!(said(&capture), expected());
        assert!(capture.reconstructed().expect("marked").contains("HAR by framescope"));
    }

    #[test]
    fn a_refusal_stays_one_and_no_websocket_is_said() {
        let capture = one(&json!({
            "_resourceType": "websocket", "request": {"url": "ws://a/"},
            "response": {"status": 403, "statusText": "For\r\nbidden", "headers": [{"name": "Content-Length", "value": "12"}]},
        }));
        assert_eq!(lines(&capture)[1]["status"], 403);
        assert_eq!(rules(&capture), ["status-not-101"]);
        let capture = opened(br#"{"log":{"entries":[]}}"#);
        assert_eq!(capture.trouble().reason().as_deref(), Some("this HAR has no entries"));
        let capture = one(&json!({"request": {"url": "http://a/"}}));
        assert_eq!(capture.trouble().reason().as_deref(), Some("the only entry of this HAR is not a WebSocket"));
    }

    #[test]
    fn a_file_cut_anywhere_gives_the_messages_before_the_cut() {
        let entry = json!({"_webSocketMessages": messages(), "request": {"url": "ws://a/"}, "response": {"status": 101},
                           "startedDateTime": "2026-11-22T19:30:01Z"});
        let foreign = json!({"log": {"entries": [entry]}}).to_string();
        let own = String::from_utf8(exported(&sample("hello"), Format::Har)).expect("UTF-8");
        let own_messages = said(&opened(own.as_bytes()));
        // Every cut of the short file covers the syntax; of the long one some cuts do.
        for (file, whole, step) in [(foreign.clone(), expected(), 1), (own[..6000].to_owned(), own_messages, 61)] {
            for cut in (8..file.len() - 1).step_by(step) {
                let capture = opened(&file.as_bytes()[..cut]);
                let seen = said(&capture);
                let data = |all: &[(String, u64, String, String)]| all.iter().map(|s| s.3.clone()).collect::<Vec<_>>();
                assert_eq!(data(&seen), data(&whole[..seen.len()]), "at {cut}");
                assert!(capture.trouble().reason().is_some(), "at {cut}");
            }
        }
        let most = said(&opened(&foreign.as_bytes()[..foreign.len() - 1]));
        assert_eq!(most, expected());
    }

    #[test]
    fn odd_values_are_no_reason_to_panic() {
        for text in [
            r#"{"log":null}"#,
            r#"{"log":[]}"#,
            r#"{"log":{"entries":null}}"#,
            r#"{"log":{"entries":[null,1]}}"#,
            r#"{"log":{"entries":[{"_webSocketMessages":null,"request":null,"response":null}]}}"#,
            r#"{"log":{"entries":[{"_webSocketMessages":[{}],"request":{"url":"ws://a\r\nb/","headers":null},"timings":null}]}}"#,
            r#"{"log":{"entries":[{"_webSocketMessages":[{"type":"send","time":1e308,"opcode":1,"data":"\ud800"}]}]}}"#,
            r#"{"log":{"entries":[]}}trailing"#,
        ] {
            let capture = opened(text.as_bytes());
            let _ = exported(&capture, Format::Ndjson);
        }
    }
}

mod shown {
    use super::*;

    /// A HAR whose creator's name holds a terminal escape sequence.
    fn foreign() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("colleague.json");
        let message = json!({"type": "receive", "time": 1_795_375_801.5, "opcode": 1, "data": "hello"});
        let entry = json!({"request": {"url": "ws://a/"}, "response": {"status": 101}, "_webSocketMessages": [message],
                           "startedDateTime": "2026-11-22T19:30:01Z"});
        let creator = json!({"name": "A\u{1b}[31mB"});
        fs::write(&path, json!({"log": {"creator": creator, "entries": [entry]}}).to_string()).expect("written");
        (folder, path)
    }

    #[test]
    fn the_screen_and_stderr_name_the_file_and_the_program_that_wrote_it() {
        let (_folder, path) = foreign();
        let screen = Screen::file(&path, import::ImportOptions::default(), (120, 36));
        let first = screen.text().lines().next().unwrap_or_default().to_owned();
        assert!(first.contains("colleague.json"), "{first}");
        assert!(screen.app.capture.reconstructed().is_some_and(|from| from.contains("A\u{241b}[31mB")));
        let path = path.to_string_lossy();
        for arguments in [&["check", &path][..], &["export", "--to", "hex", "-o", "-", &path]] {
            let (status, _, err) = run(arguments);
            assert_eq!(status, Some(0), "{err}");
            let line = err.lines().next().unwrap_or_default();
            assert!(line.contains("colleague.json") && line.contains("A\u{241b}[31mB"), "{line}");
        }
    }

    #[test]
    fn json_that_is_neither_is_refused_by_its_content() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in [("a.har", "{\"entries\":[]}"), ("a.ndjson", "[]"), ("a.har", "")] {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("written");
            let (status, _, err) = run(&["check", &path.to_string_lossy()]);
            assert_eq!((status, err.lines().count()), (Some(1), 1), "{err}");
            assert!(err.contains(name), "{err}");
        }
    }
}
