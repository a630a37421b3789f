//! The lines of stdin, what arrives at the server, and the end of the connection.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixListener;
use std::thread;
use std::time::Duration;

use super::*;
use crate::support::{exported, frame, opened, rules};
use framescope::capture::store::Capture;
use framescope::export::Format;
use framescope::net::{HeartbeatConfig, Pongs};
use framescope::proto::dissected::Direction;
use framescope::proto::rules::Severity;
use framescope::wire::frame::FrameHead;
use framescope::wire::opcode::Opcode;
use tungstenite::Message;

/// Every frame of a stream of them.
fn opcodes(mut bytes: &[u8]) -> Vec<Opcode> {
    let mut found = Vec::new();
    while let Some(head) = FrameHead::read(bytes) {
        found.push(head.opcode);
        bytes = &bytes[(head.header_len() + head.payload_len as usize).min(bytes.len())..];
    }
    found
}

/// The findings that are more than information.
fn breaches(capture: &Capture) -> Vec<String> {
    let breaches = rules(capture).into_iter().filter(|rule| rule.severity() != Severity::Info);
    breaches.map(|rule| rule.id().to_owned()).collect()
}

#[test]
fn each_line_is_sent_and_the_connection_closes_in_order() {
    let (server, recorder) = server(|_| {});
    let url = format!("ws://{}/echo?a=b", server.address());
    let folder = tempfile::tempdir().expect("a folder");
    let (file, kept) = (folder.path().join("file.txt"), folder.path().join("kept.pcapng"));
    std::fs::write(&file, "from a file").expect("written");
    let lines = format!("hello\r\n/hex 00ff\n/file {}\n/ping p1\n/fragment 3,4 Hello, world\n//x", file.display());
    let (status, records, err) = connect(&url, &["--write", &kept.to_string_lossy()], &lines);
    assert_eq!(status, Some(0), "{err}");
    let frames = frames(&records);
    let sent: Vec<_> = frames.iter().filter(|frame| frame.0 == "c2s").map(|frame| (frame.1, frame.2)).collect();
    assert_eq!(
        sent,
        [
            ("text", "hello"),
            ("binary", ""),
            ("text", "from a file"),
            ("ping", ""),
            ("text", "Hel"),
            ("continuation", ""),
            ("continuation", ""),
            ("text", "/x"),
            ("close", "")
        ]
    );
    let received: Vec<_> = frames.iter().filter(|frame| frame.0 == "s2c").map(|frame| frame.2).collect();
    assert_eq!(received, ["hello", "", "from a file", "", "Hello, world", "/x", ""]);
    assert!(records.iter().filter(|record| record["close_code"] == 1000).count() == 2);
    // Both ends have the same bytes, and neither breaks a rule.
    assert!(server.shutdown());
    let own = opened(&std::fs::read(&kept).expect("the capture"));
    assert_eq!((breaches(&own), breaches(recorder.capture())), (vec![], vec![]));
    let wires = |capture: &Capture, of: Direction| {
        let records = capture.records(1..u64::MAX);
        let of = records.iter().filter(|record| record.direction == of);
        of.flat_map(|record| capture.wire(record, 0..u64::MAX).expect("bytes")).collect::<Vec<u8>>()
    };
    for direction in Direction::BOTH {
        assert_eq!(wires(&own, direction), wires(recorder.capture(), direction));
    }
    let ndjson = String::from_utf8(exported(&own, Format::Ndjson)).expect("text");
    assert!(ndjson.contains("\"target\":\"/echo?a=b\"") && ndjson.contains("client_max_window_bits"));
}

#[test]
fn a_wrong_line_is_refused_and_the_others_are_sent() {
    let (server, _) = server(|_| {});
    let url = format!("ws://{}/echo", server.address());
    let (status, records, err) =
        connect(&url, &["--no-deflate"], "a\n/hexx 00\n/file /nonexistent\nb\n/close 4000 bye\nc\n");
    assert_eq!(status, Some(1));
    let sent: Vec<_> = frames(&records).into_iter().filter(|frame| frame.0 == "c2s").map(|frame| frame.2).collect();
    assert_eq!(sent[..2], ["a", "b"]);
    assert!(err.contains("line 2 of stdin") && err.contains("line 3 of stdin"), "{err}");
    assert_eq!(records.iter().filter(|record| record["close_code"] == 4000).count(), 2, "nothing follows a close");
    assert!(records.iter().all(|record| record["rsv1"] != true));
}

#[test]
fn the_end_waits_until_every_ping_is_answered() {
    let (url, peer) = peer(|mut stream| {
        accept(&mut stream, "");
        let mut ping = [0; 8];
        stream.read_exact(&mut ping).expect("a ping");
        // Nothing arrives while the ping is not answered, however long nothing was received.
        stream.set_read_timeout(Some(Duration::from_millis(150))).expect("a socket");
        assert!(stream.read(&mut [0]).is_err(), "no close yet");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream.write_all(&frame(true, Opcode::Pong, None, b"p1")).expect("sent");
        let mut close = [0; 8];
        stream.read_exact(&mut close).expect("a close");
        stream.write_all(&frame(true, Opcode::Close, None, b"\x03\xe8")).expect("sent");
    });
    let (status, records, err) = connect(&url, &["--linger", "10ms"], "/ping p1\n");
    peer.join().expect("the peer is content");
    assert_eq!((status, frames(&records).len()), (Some(0), 4), "{err}");
}

#[test]
fn the_end_waits_until_a_late_pong_is_sent() {
    let (url, peer) = peer(|mut stream| {
        accept(&mut stream, "");
        stream.write_all(&frame(true, Opcode::Ping, None, b"p1")).expect("sent");
        let mut input = Vec::new();
        while !opcodes(&input).contains(&Opcode::Close) {
            let mut bytes = [0; 64];
            let len = stream.read(&mut bytes).expect("a close");
            input.extend_from_slice(&bytes[..len]);
        }
        stream.write_all(&frame(true, Opcode::Close, None, b"\x03\xe8")).expect("sent");
        opcodes(&input)
    });
    let (status, _, err) = connect(&url, &["--linger", "100ms", "--pong-delay", "400ms"], "");
    assert_eq!(peer.join().expect("the peer is content"), [Opcode::Pong, Opcode::Close]);
    assert_eq!(status, Some(0), "{err}");
}

#[test]
fn lines_after_a_close_are_reported() {
    let (server, _) = server(|_| {});
    let url = format!("ws://{}/echo", server.address());
    for (lines, expected) in [("/close 1000 bye\n", Some(0)), ("/close 1000 bye\nafter\n", Some(1))] {
        let (status, records, err) = connect(&url, &[], lines);
        assert_eq!((status, frames(&records).len()), (expected, 2), "{err}");
        assert_eq!(err.contains("line 1 of stdin"), expected == Some(1), "{err}");
    }
}

#[test]
fn pings_and_pongs_are_sent_as_the_flags_say() {
    let (url, peer) = peer(|mut stream| {
        accept(&mut stream, "");
        stream.write_all(&frame(true, Opcode::Ping, None, b"a")).expect("sent");
        let mut input = Vec::new();
        // Two pings of the client: header, key and the digit.
        while opcodes(&input).len() < 2 {
            let mut bytes = [0; 64];
            let len = stream.read(&mut bytes).expect("pings");
            input.extend_from_slice(&bytes[..len]);
        }
        stream.write_all(&frame(true, Opcode::Close, None, b"\x03\xe9")).expect("sent");
        while !opcodes(&input).contains(&Opcode::Close) {
            let mut bytes = [0; 64];
            let len = stream.read(&mut bytes).expect("a close");
            input.extend_from_slice(&bytes[..len]);
        }
        opcodes(&input)
    });
    let (listener, hold) = std::sync::mpsc::channel::<()>();
    let run = thread::spawn(move || {
        let stdin_stays_open = hold;
        let arguments = ["connect", &url, "--headless", "--no-pong", "--ping-every", "20ms"];
        let mut child = program::command(&arguments)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("the program starts");
        let status = child.wait().expect("it ends when the server closes");
        drop(stdin_stays_open);
        status.code()
    });
    let opcodes = peer.join().expect("the peer is content");
    drop(listener);
    assert_eq!(run.join().expect("a status"), Some(0));
    assert!(opcodes[..2].iter().all(|opcode| *opcode == Opcode::Ping), "{opcodes:?}");
    assert!(!opcodes.contains(&Opcode::Pong), "{opcodes:?}");
    assert!(opcodes.contains(&Opcode::Close));
}

#[test]
fn the_server_sends_pings_and_late_pongs() {
    let heartbeat = HeartbeatConfig {
        pongs: Pongs::After(Duration::from_millis(300)),
        ping_every: Some(Duration::from_millis(20)),
    };
    let (server, _) = server(|config| config.heartbeat = heartbeat);
    let (mut client, _) = tungstenite::connect(format!("ws://{}/echo", server.address())).expect("a handshake");
    client.send(Message::Ping("mine".into())).expect("sent");
    let mut seen = Vec::new();
    while !seen.contains(&Message::Pong("mine".into())) {
        seen.push(client.read().expect("a frame"));
    }
    assert_eq!(seen[0], Message::Ping("1".into()), "the ping comes before the late pong: {seen:?}");
}

#[test]
fn a_unix_socket_is_a_way_to_the_server_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).expect("a socket");
    let serve = thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        let mut peer = tungstenite::accept(stream).expect("a handshake");
        let message = peer.read().expect("a message");
        peer.send(message).expect("sent");
        while peer.read().is_ok() {}
    });
    let socket = path.to_string_lossy();
    let (status, records, err) = connect("ws://app.example/", &["--unix-socket", &socket], "over a file\n");
    serve.join().expect("the peer is content");
    assert_eq!(status, Some(0), "{err}");
    assert_eq!(frames(&records)[1], ("s2c", "text", "over a file"));
    assert_eq!(records[0]["headers"][0], serde_json::json!(["Host", "app.example"]));
}

#[test]
fn a_server_that_writes_before_it_reads_blocks_nothing() {
    const SIZE: usize = 8 << 20;
    let (url, peer) = peer(|mut stream: TcpStream| {
        accept(&mut stream, "");
        // More than the buffers of both sockets hold, before the client's bytes are read.
        stream.write_all(&frame(true, Opcode::Binary, None, &vec![7; SIZE])).expect("sent");
        let mut input = vec![0; 14 + SIZE];
        stream.read_exact(&mut input).expect("the client's message");
        let mut close = [0; 8];
        stream.read_exact(&mut close).expect("a close");
        stream.write_all(&frame(true, Opcode::Close, None, b"\x03\xe8")).expect("sent");
    });
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("large");
    std::fs::write(&file, vec![b'x'; SIZE]).expect("written");
    let line = format!("/file {}\n", file.display());
    let command = ["connect", &url, "--headless", "--quiet"];
    let (status, _, err) = program::run_with(&command, line.as_bytes());
    peer.join().expect("the peer is content");
    assert_eq!(status, Some(0), "{err}");
}
