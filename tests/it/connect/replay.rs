//! `framescope replay`: the client's side of a capture again.

use super::*;
use crate::support::packets::PLAIN;
use crate::support::tcp::{PSH_ACK, Tcp};
use crate::support::{REQUEST, RESPONSE, frame};
use framescope::net::ServedScript;
use framescope::script::Script;
use framescope::wire::opcode::Opcode;

/// A capture of a conversation with `/echo`, in a folder.
fn captured(folder: &std::path::Path, lines: &str) -> String {
    let (server, _) = server(|_| {});
    let url = format!("ws://{}/echo", server.address());
    let path = folder.join("captured.pcapng").to_string_lossy().into_owned();
    let arguments = ["--linger", "20ms", "--write", &path, "-H", "X-A: kept", "--subprotocol", "a"];
    let (status, _, err) = connect(&url, &arguments, lines);
    assert_eq!(status, Some(0), "{err}");
    path
}

const LINES: &str = "one\n/hex 00ff\n/ping p\n/frame op=text fin=0 text fr\n/frame op=continuation fin=0 text agm\n\
                     /frame op=continuation text ents\n/close 4000 bye\n";

#[test]
fn the_same_answers_end_with_0() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = captured(folder.path(), LINES);
    for (n, pace) in [&["--pace", "answers"][..], &["--speed", "10"], &["--no-deflate"]].into_iter().enumerate() {
        let (server, recorder) = server(|_| {});
        let url = format!("ws://{}", server.address());
        let out = folder.path().join(format!("{n}.pcapng")).to_string_lossy().into_owned();
        let command = [&["replay", &path, "--to", &url, "-H", "X-B: new", "--write", &out], pace].concat();
        let (status, out, err) = program::run(&command);
        assert_eq!(status, Some(0), "{out}{err}");
        assert!(server.shutdown());
        let capture = recorder.capture();
        let records = capture.records(1..u64::MAX);
        let sent: Vec<_> = records
            .iter()
            .filter(|record| record.direction == crate::support::UP && record.opcode().is_some())
            .map(|record| (record.opcode().map(Opcode::name), record.fin()))
            .collect();
        let text = Some("text");
        let more = Some("continuation");
        let expected = [
            (text, true),
            (Some("binary"), true),
            (Some("ping"), true),
            (text, false),
            (more, false),
            (more, true),
            (Some("close"), true),
        ];
        assert_eq!(sent, expected);
        let request = capture.wire(&records[0], 0..u64::MAX).expect("bytes");
        let head = Head::read(&request);
        assert_eq!(head.target(), Some(&b"/echo"[..]));
        assert_eq!((head.value("x-a"), head.value("x-b")), (Some(&b"kept"[..]), Some(&b"new"[..])));
        assert_eq!(head.value("sec-websocket-protocol"), Some(&b"a"[..]));
        assert_eq!(head.value("sec-websocket-extensions").is_some(), !pace.contains(&"--no-deflate"));
        assert!(records.iter().all(|record| record.findings.iter().all(|finding| finding.rule.id() != "key-reused")));
    }
}

#[test]
fn other_answers_end_with_1_and_name_both_records() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = captured(folder.path(), LINES);
    let script = "on op == text and fin\n  send text \"oNe\"\nend\non op == binary\n  send hex \"00ff\"\nend\n";
    let script = Script::parse(script, |_| Err(String::new())).expect("a script");
    let served = ServedScript { script: script.into(), has_failed: std::sync::Arc::default() };
    let (server, _) = server(|config| config.script = Some(served));
    let url = format!("ws://{}/mock", server.address());
    let started = std::time::Instant::now();
    let (status, out, err) = program::run(&["replay", &path, "--to", &url, "--speed", "100"]);
    assert_eq!(status, Some(1), "{err}");
    let lines: Vec<&str> = out.lines().collect();
    assert!(
        lines[0].starts_with("answer 1: record ") && lines[0].contains("from byte 2 on: \"one\" ≠ \"oNe\""),
        "{out}"
    );
    assert!(
        lines[1].starts_with("answer 3: ") && lines[1].contains("\"fragments\"") || lines[1].contains("close 4000"),
        "{out}"
    );
    assert!(lines.last().is_some_and(|last| last.contains("3 different")), "{out}");
    assert!(started.elapsed() < PATIENCE);
}

#[test]
fn a_capture_without_a_choice_is_refused() {
    let demo = crate::support::sample_path("violations");
    let (status, _, err) = program::run(&["replay", &demo, "--to", "ws://127.0.0.1:1"]);
    assert!(status == Some(2) && err.contains("--connection") || status == Some(1), "{err}");
    let (status, _, err) = program::run(&["replay", &demo, "--to", "127.0.0.1:1"]);
    assert!(status == Some(2) && err.contains("ws://"), "{err}");
}

#[test]
fn the_capture_itself_is_not_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = captured(folder.path(), "one\n");
    let before = std::fs::read(&path).expect("bytes");
    let command = ["replay", &path, "--to", "ws://127.0.0.1:1", "--write", &path, "--force"];
    let (status, _, err) = program::run(&command);
    assert!(status == Some(1) && err.contains("the capture itself"), "{err}");
    assert_eq!(std::fs::read(&path).expect("bytes"), before);
}

#[test]
fn a_replay_that_is_refused_fails_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mute.pcapng").to_string_lossy().into_owned();
    // A server that sends no message, and no close.
    let (url, mute) = peer(|mut stream| {
        accept(&mut stream, "");
        let mut frame = [0; 11];
        stream.read_exact(&mut frame).expect("a message");
    });
    let (status, _, _) = connect(&url, &["--linger", "20ms", "--write", &path, "--no-deflate"], "hello\n");
    mute.join().expect("the peer is content");
    assert_eq!(status, Some(1));
    let (url, _peer) = peer(|mut stream| {
        request(&mut stream);
        stream.write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").expect("sent");
    });
    let (status, out, err) = program::run(&["replay", &path, "--to", &url]);
    assert!(status == Some(1) && err.contains("401 Unauthorized"), "{out}{err}");
}

/// The frames that a server got: opcode, FIN and RSV1.
fn received(recorder: &Recorder) -> Vec<(&'static str, bool, bool)> {
    let records = recorder.capture().records(1..u64::MAX);
    let frames = records.iter().filter(|record| record.direction == crate::support::UP);
    frames.filter_map(|record| Some((record.opcode()?.name(), record.fin(), record.lead[0] & 0x40 != 0))).collect()
}

#[test]
fn compressed_fragments_stay_fragments_with_what_is_between_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let lines = "/frame op=text fin=0 rsv1=1 deflate=1 text Hel\n/ping between\n\
                 /frame op=continuation fin=0 rsv1=0 deflate=1 text lo, \n/frame op=continuation rsv1=0 deflate=1 text world\n";
    let path = captured(folder.path(), lines);
    let (server, recorder) = server(|_| {});
    let url = format!("ws://{}", server.address());
    let (status, out, err) = program::run(&["replay", &path, "--to", &url, "--speed", "10"]);
    assert_eq!(status, Some(0), "{out}{err}");
    assert!(server.shutdown());
    let more = "continuation";
    let expected = [
        ("text", false, true),
        ("ping", true, false),
        (more, false, false),
        (more, true, false),
        ("close", true, false),
    ];
    assert_eq!(received(&recorder), expected);
    assert!(crate::support::rules(recorder.capture()).is_empty());
}

#[test]
fn a_gap_of_the_capture_is_named_and_what_it_may_explain_is_not_judged() {
    let folder = tempfile::tempdir().expect("a folder");
    let text =
        |up: bool, fin, opcode, text: &str| (up, frame(fin, opcode, up.then_some([1, 2, 3, 4]), text.as_bytes()));
    let close = |up: bool| (up, frame(true, Opcode::Close, up.then_some([1, 2, 3, 4]), b"\x03\xe8"));
    let mut tcp = Tcp::open(1, 2);
    let said = [
        (true, REQUEST.as_bytes().to_vec()),
        (false, RESPONSE.as_bytes().to_vec()),
        text(true, true, Opcode::Text, "one"),
        text(false, true, Opcode::Text, "one"),
        text(true, false, Opcode::Text, "hel"),
        text(true, false, Opcode::Continuation, "lo w"),
        text(true, true, Opcode::Continuation, "orld"),
        text(false, true, Opcode::Text, "hello world"),
        text(true, true, Opcode::Text, "two"),
        text(false, true, Opcode::Text, "two"),
        close(true),
        close(false),
    ];
    said.iter().for_each(|(up, bytes)| tcp.send(*up, PSH_ACK, bytes));
    tcp.close();
    // The segment of each of these, after the three of the SYN exchange: a fragment of the client, and an answer of the server.
    for (lost, sender, texts) in [(5, "client", &["one", "two"][..]), (7, "server", &["one", "hello world", "two"])] {
        let mut segments = tcp.segments.clone();
        segments.remove(3 + lost);
        let path = folder.path().join(format!("{lost}.pcap"));
        std::fs::write(&path, PLAIN.file(&segments)).expect("written");
        let (server, recorder) = server(|_| {});
        let url = format!("ws://{}/echo", server.address());
        let origin = format!("Origin: http://{}", server.address());
        let command = ["replay", &path.to_string_lossy(), "--to", &url, "--speed", "100", "-H", &origin];
        let (_, out, err) = program::run(&command);
        assert!(err.contains(" byte") && err.contains(sender), "{out}{err}");
        assert!(!out.contains("in the replay has no counterpart"), "{out}");
        assert!(server.shutdown());
        let capture = recorder.capture();
        let records = capture.records(1..u64::MAX);
        let sent = records.iter().filter(|record| record.direction == crate::support::UP && record.message.is_some());
        let sent = sent.map(|record| capture.payload(record, 0..64).expect("bytes")).collect::<Vec<_>>().concat();
        assert_eq!(String::from_utf8_lossy(&sent), texts.concat(), "{out}{err}");
        assert!(received(&recorder).ends_with(&[("close", true, false)]), "{out}{err}");
    }
}

#[test]
fn a_capture_of_the_server_alone_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("half.pcap");
    let segments = Tcp::conversation(1, 2).segments.into_iter().filter(|segment| !segment.up).collect::<Vec<_>>();
    std::fs::write(&path, PLAIN.file(&segments)).expect("written");
    let (status, out, err) = program::run(&["replay", &path.to_string_lossy(), "--to", "ws://127.0.0.1:1"]);
    assert!(status == Some(1) && err.contains("client"), "{out}{err}");
    assert!(!err.contains("127.0.0.1:1"), "it does not connect: {err}");
}
