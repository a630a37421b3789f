//! Tests of the answers: each message of `errors.toml` is found, other texts are not.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::messages::{LIBRARIES, MESSAGES, Target};
use super::template::next_name;
use super::*;
use crate::explain::texts;
use crate::proto::dissected::Direction;
use crate::proto::judge::{ActiveExtensions, judge_head};
use crate::wire::frame::FrameHead;

fn found(text: &str) -> Vec<Topic> {
    match find(text) {
        Answer::Found(found) => found.into_iter().map(|found| found.topic).collect(),
        Answer::Guesses(_) => Vec::new(),
    }
}

fn ids_of(text: &str) -> Vec<String> {
    found(text).into_iter().map(|topic| topic.page().id).collect()
}

fn first(text: &str) -> Option<Topic> {
    found(text).first().copied()
}

/// Each message with its library and key.
fn all() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    LIBRARIES.iter().flat_map(|(library, targets)| {
        let of = move |key: &'static str, messages: &'static Vec<String>| {
            messages.iter().map(move |message| (library.as_str(), key, message.as_str()))
        };
        targets.iter().flat_map(move |(key, messages)| of(key, messages))
    })
}

/// A message with values for its names: `text` for those without a meaning.
fn filled(message: &str, text: &str) -> String {
    let mut filled = String::new();
    let mut rest = message.trim_end_matches('$');
    while let Some((before, name, after)) = next_name(rest) {
        filled.push_str(before);
        filled.push_str(match name {
            "n" => "70000",
            "code" | "close-code" | "wide-code" => "1002",
            "status" => "403",
            "reserved" => "11",
            "rsv" => "4",
            "rsv-byte" => "40",
            "rsv-index" | "rsv1" | "rsv2" | "rsv3" => "1",
            _ => text,
        });
        rest = after;
    }
    filled + rest
}

/// What a filled message of a key must mean.
fn expected(key: &'static str, message: &str) -> Topic {
    match Target::of(key).expect("a known key") {
        Target::Rule(rule) => Topic::Rule(rule),
        Target::Situation(id) => Topic::Situation(id),
        Target::CloseCodes => Topic::CloseCode(CloseCode(1002)),
        Target::CloseCode(code) => Topic::CloseCode(CloseCode(code)),
        Target::RsvBits => {
            let of_bit = |name: &str| message.contains(name) && !message.contains("{rsv1}");
            let others = [("{rsv2}", Rule::Rsv2Set), ("{rsv3}", Rule::Rsv3Set)];
            Topic::Rule(others.into_iter().find(|(name, _)| of_bit(name)).map_or(Rule::Rsv1Set, |(_, rule)| rule))
        }
    }
}

#[test]
fn the_list_has_many_messages_of_many_libraries_and_only_known_keys() {
    let messages: BTreeSet<_> = all().map(|(library, _, message)| (library, message)).collect();
    assert!(messages.len() >= 1000 && LIBRARIES.len() >= 50, "{} {}", messages.len(), LIBRARIES.len());
    let unknown: Vec<_> = all().filter(|(_, key, _)| Target::of(key).is_none()).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let used: BTreeSet<_> = all().map(|(_, key, _)| key).collect();
    let unused: Vec<_> = texts::situations().filter(|id| !used.contains(id)).collect();
    assert!(unused.is_empty(), "no message leads to {unused:?}");
    let rules: BTreeSet<_> = Rule::ALL.iter().map(|rule| rule.id()).collect();
    assert!(texts::situations().all(|id| !rules.contains(id)));
    assert!(MESSAGES.entries.iter().all(|entry| entry.template.literals().next().is_some()));
}

#[test]
fn every_message_finds_its_own_topic_first_also_in_a_log_and_in_other_case() {
    let mut meanings = BTreeMap::new();
    all().for_each(|(_, _, message)| *meanings.entry(message).or_insert(0) += 1);
    let mut wrong = BTreeSet::new();
    for (number, (library, key, message)) in all().enumerate() {
        let text = filled(message, ["x", "", "wss://example.com:8080/a?b=c"][number % 3]);
        let in_log = format!("2026-11-22T19:30:00.123Z ERROR [worker-3] a.js:117 Error: {text}\n    at f (/a.js:1:2)");
        let quoted = format!("\"{}\"", text.to_uppercase());
        let forms = if message.ends_with('$') { vec![text, quoted] } else { vec![text, quoted, in_log] };
        for form in forms {
            let topics = found(&form);
            // A message with several meanings finds all of them, before anything else.
            let at = topics.iter().position(|topic| *topic == expected(key, message));
            if at.is_none_or(|at| at > 2 * meanings[message]) {
                wrong.insert(format!("{library} | {key} | {form} | {topics:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn ids_sentences_and_parts_of_sentences_find_their_rule() {
    for rule in Rule::ALL {
        assert_eq!(found(rule.id()), [Topic::Rule(*rule)]);
        assert_eq!(first(&rule.summary()), Some(Topic::Rule(*rule)), "{}", rule.summary());
    }
    for (text, id) in [
        ("RSV1 must be clear", "rsv1-set"),
        ("rsv1 MUST be clear!", "rsv1-set"),
        ("invalid opcode 12", "opcode-reserved"),
        ("close code 1006 must not be sent", "close-code-invalid"),
        ("must mask every frame", "client-frame-unmasked"),
        ("must not be fragmented", "control-fragmented"),
        ("capture.pcapng: record 7: rsv3-set: RSV3 is 1", "rsv3-set"),
    ] {
        assert_eq!(ids_of(text).first().map(String::as_str), Some(id), "{text}: {:?}", find(text));
    }
}

#[test]
fn reported_messages_find_what_they_mean() {
    for (text, ids) in [
        ("Server sent no subprotocol", &["subprotocol-not-chosen"][..]),
        ("SubProtocol error: Server sent no subprotocol", &["subprotocol-not-chosen"]),
        ("Server sent a subprotocol but none was requested", &["subprotocol-not-offered"]),
        (
            "WebSocket connection to 'ws://127.0.0.1:8080/chat?x=%20' failed: Error during WebSocket handshake: \
             'Upgrade' header must not appear more than once in a response",
            &["response-upgrade-repeated"],
        ),
        ("reserved1 = 0, reserved2 = 1, reserved3 = 1", &["rsv2-set", "rsv3-set"]),
        ("One or more reserved bits are on: reserved1 = 1, reserved2 = 0, reserved3 = 0", &["rsv1-set"]),
        ("RSV1=1", &["rsv1-set"]),
        ("rsv1: false, rsv2: true", &["rsv2-set"]),
        ("RSV = 4 and no extension negotiated", &["rsv1-set"]),
        ("CorruptedFrameException: RSV != 0 and no extension negotiated, RSV:3", &["rsv2-set", "rsv3-set"]),
        ("bad rsv RSV1: true RSV2: false RSV3: true", &["rsv1-set", "rsv3-set"]),
        ("websocket: unexpected reserved bits 0x60", &["rsv1-set", "rsv2-set"]),
        ("RangeError [WS_ERR_EXPECTED_MASK]: Invalid WebSocket frame: MASK must be set", &["client-frame-unmasked"]),
        ("code: 'WS_ERR_UNEXPECTED_MASK'", &["server-frame-masked"]),
        ("1002", &["close code 1002"]),
        ("404", &["status 404", "status-not-101"]),
        ("Error: 502", &["status 502", "status-not-101"]),
        ("101", &["status 101"]),
        ("HTTP/1.1 426 Upgrade Required", &["status-not-101", "status 426"]),
        ("close code 2000", &["close code 2000", "close-code-invalid"]),
        ("WebSocket close code 65535", &["close code 65535", "close-code-invalid"]),
        ("1006.", &["close code 1006", "close-missing"]),
        ("Error: 1002", &["close code 1002"]),
        ("2026-11-22 19:30:00 ERROR WebSocketError: 1006", &["close code 1006", "close-missing"]),
        ("(NSURLErrorDomain, code=-1005) The network connection was lost.", &["close-missing"]),
        ("org.java_websocket.exceptions.WebsocketNotConnectedException", &["closed-already"]),
        ("WebSocket error: HTTP error: 403 Forbidden", &["status-not-101", "status 403"]),
        ("ValueError: invalid HTTP status line: HTTP/1.1 101", &["status-space-missing", "not-http"]),
        ("close code 4401", &["close code 4401"]),
        ("code = 1002", &["close code 1002"]),
        ("websocket closed unexpectedly with code 1012", &["close code 1012"]),
        ("wasClean=false code=4999", &["close code 4999"]),
        ("error: read tcp 127.0.0.1:80->127.0.0.1:1234: i/o timeout", &["idle-timeout"]),
        ("dial tcp 10.0.0.1:80: i/o timeout", &["connect-timeout"]),
        ("failed to get reader: context deadline exceeded", &["idle-timeout"]),
        (
            "failed to WebSocket dial: failed to send handshake request: Get \"http://a/\": context deadline exceeded",
            &["connect-timeout", "handshake-timeout"],
        ),
        ("websocat: Received unexpected status code (403 Forbidden)", &["status-not-101", "status 403"]),
        ("ws handshake failed: 400 Bad Request", &["status-not-101", "status 400"]),
        ("expected 101, got 426", &["status-not-101", "status 426"]),
        ("[1011] Connection closed", &["close code 1011"]),
        ("starlette.websockets.WebSocketDisconnect: (1001, None)", &["close code 1001"]),
        ("WebSocketDisconnect(code=1012, reason='')", &["close code 1012"]),
        (
            "starlette.websockets.WebSocketDisconnect: (<CloseCode.NO_STATUS_RCVD: 1005>, '')",
            &["close code 1005", "close-code-invalid"],
        ),
        ("WebSocket protocol error: Key mismatch in \"Sec-WebSocket-Accept\" header", &["accept-wrong"]),
        (
            "CloseEvent {isTrusted: true, wasClean: false, code: 1009, reason: '', type: 'close'}",
            &["close code 1009", "message-over-limit"],
        ),
        ("received 1012 (service restart); then sent 1012 (service restart)", &["close code 1012"]),
        (
            "websockets.exceptions.ConnectionClosedError: received 1001 (going away) bye; then sent 1000 (OK)",
            &["close code 1001", "close code 1000"],
        ),
        ("websocket: close 1006 (abnormal closure): unexpected EOF", &["close code 1006", "close-missing"]),
        ("Error in connection establishment: net::ERR_CONNECTION_REFUSED", &["connection-refused"]),
        ("ERR_CERT_AUTHORITY_INVALID", &["tls-certificate"]),
        ("Error: Unexpected server response: 502", &["status-not-101", "status 502"]),
        ("WebSocket connection to 'ws://a/' failed: ", &["connection-failed"]),
        ("\x1b[31mRSV2 and RSV3 must be clear\x1b[0m", &["rsv2-set", "rsv3-set"]),
        ("Error: connect ECONNREFUSED 127.0.0.1:6455", &["connection-refused"]),
    ] {
        assert_eq!(ids_of(text), ids, "{text}: {:?}", find(text));
    }
}

#[test]
fn messages_as_people_report_them_find_what_they_mean_first() {
    let lines = include_str!("../../../tests/data/reported-messages.tsv").lines();
    let mut wrong = Vec::new();
    for line in lines.filter(|line| !line.starts_with('#')) {
        let (id, message) = line.split_once('\t').expect("an id, a tab and a message");
        let ids = ids_of(message);
        if ids.first().map_or("-", String::as_str) != id {
            wrong.push(format!("{id} | {message} | {ids:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_section_finds_its_rules_and_those_of_subsections() {
    let sections = |text: &str| found(text).into_iter().map(|topic| topic.page().section).collect::<Vec<_>>();
    for text in ["5.5.1", "§5.5.1", "RFC 6455 §5.5.1", "rfc6455 5.5.1", "RFC 6455, section 5.5.1"] {
        let found = sections(text);
        assert!(!found.is_empty() && found.iter().all(|section| section == "RFC 6455 §5.5.1"), "{text}: {found:?}");
    }
    assert_eq!(sections("5.5").first().map(String::as_str), Some("RFC 6455 §5.5"));
    assert!(sections("5.5").iter().any(|section| section == "RFC 6455 §5.5.1"));
    assert!(sections("RFC 9112 §5").iter().all(|section| section.starts_with("RFC 9112 §5")));
    assert_eq!(sections("RFC 9999 §5.5"), [""; 0]);
}

#[test]
fn a_text_without_a_known_message_has_no_answer() {
    for text in [
        "",
        "bananas",
        "the frame",
        "1",
        "error",
        "segmentation fault (core dumped)",
        "99",
        "218",
        "600",
        "65536",
        "close code 7",
        "line 404",
        "exit status 101",
        "WebSocket connection to 'ws://a/' failed: the moon is full",
        "must be clear",
        "header is missing",
        "process exited with code 1",
        "error code 1020",
        "Error: 1045",
        "listening on port: 3000",
        "v1.0.1002",
        "-1002",
        "frame too short",
        "Received a masked frame from client",
        "RSV1 must be set",
        "ERROR 1045 (28000): Access denied for user 'x'@'localhost'",
        "reserved1 = 0, reserved2 = 0, reserved3 = 0",
        "the server sent nothing that the client could use",
        "TypeError: Cannot read properties of undefined (reading 'x')",
    ] {
        assert_eq!(found(text), [], "{text}: {:?}", find(text));
    }
}

#[test]
fn similar_texts_are_guesses() {
    let Answer::Guesses(guesses) = find("the server has sent a frame that was masked") else { panic!("an answer") };
    assert!(guesses.iter().any(|guess| guess.topic == Topic::Rule(Rule::ServerFrameMasked)), "{guesses:?}");
    assert!(guesses.len() <= 3);
}

#[test]
fn the_bits_of_a_rule_are_the_bits_of_its_findings() {
    use Direction::{ClientToServer as Up, ServerToClient as Down};
    let mut seen = 0;
    for (hex, direction) in [
        ("8105", Up),
        ("818537fa213d", Down),
        ("c105", Down),
        ("a105", Down),
        ("9105", Down),
        ("8305", Down),
        ("0900", Down),
        ("827f8000000000000000", Down),
    ] {
        let Some(head) = FrameHead::read(&hex::decode(hex).expect("hex")) else { panic!("a head") };
        let mut findings = Vec::new();
        judge_head(&head, direction, ActiveExtensions::default(), &mut findings);
        for finding in findings {
            assert_eq!(bits(finding.rule), finding.span, "{hex}");
            seen += 1;
        }
    }
    assert_eq!(seen, Rule::ALL.iter().filter(|rule| bits(**rule).is_some()).count());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_has_an_answer_or_at_most_three_guesses(text in "\\PC{0,200}|(([a-zA-Z]{1,9}|[0-9]{1,5}|RSV|frame|header|not|close)[ :='\",.]{1,2}){0,30}") {
        match find(&text) {
            Answer::Found(found) => prop_assert!(!found.is_empty()),
            Answer::Guesses(guesses) => prop_assert!(guesses.len() <= 3),
        }
    }

    #[test]
    fn a_message_finds_its_topic_whatever_its_values_are(at in 0..2000_usize, value in "[ -~]{0,40}", before in "[a-z ]{0,20}: ") {
        let messages: Vec<_> = all().filter(|(_, _, message)| !message.ends_with('$')).collect();
        let (_, key, message) = messages[at % messages.len()];
        let topics = found(&format!("{before}{}", filled(message, &value)));
        prop_assert!(topics.contains(&expected(key, message)), "{key}: {message}: {topics:?}");
    }
}
