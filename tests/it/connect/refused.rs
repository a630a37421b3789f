//! Servers that refuse, cheat or vanish: exit status 1 with the reason. Wrong usage: exit status 2.

use super::*;
use crate::support::frame;
use framescope::wire::opcode::Opcode;

/// Runs `connect` without lines; the exit status, and the last line on stderr.
fn refused(url: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let (status, _, err) = connect(url, arguments, "");
    (status, err.lines().last().unwrap_or_default().to_owned())
}

#[test]
fn another_status_is_shown_and_its_body_is_captured() {
    let (url, peer) = peer(|mut stream| {
        request(&mut stream);
        let response = "HTTP/1.1 403 Forbidden\r\nContent-Length: 13\r\nX-Why: a\r\n\r\nnot\r\nfor you.\n";
        stream.write_all(response.as_bytes()).expect("sent");
    });
    let (status, records, err) = connect(&url, &[], "");
    peer.join().expect("the peer is content");
    assert_eq!((status, records[1]["status"].as_u64()), (Some(1), Some(403)));
    assert!(
        err.contains("403 Forbidden") && err.contains(": not for you; if it checks Origin, try -H 'Origin: "),
        "{err}"
    );
    assert!(records[1]["wire"].as_str().expect("bytes").ends_with(&hex::encode("not\r\nfor you.")));
}

#[test]
fn a_wrong_accept_key_and_an_extension_that_was_not_offered_fail_the_handshake() {
    let wrong = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n";
    let (url, _peer) = peer(move |mut stream| {
        request(&mut stream);
        stream.write_all(format!("HTTP/1.1 101 Switching Protocols\r\n{wrong}\r\n").as_bytes()).expect("sent");
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let (status, line) = refused(&url, &[]);
    assert!(status == Some(1) && line.contains("Sec-WebSocket-Accept is wrong"), "{line}");
    let (url, _peer) = peer(|mut stream| {
        accept(&mut stream, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let (status, line) = refused(&url, &["--no-deflate"]);
    assert!(status == Some(1) && line.contains("permessage-deflate"), "{line}");
}

#[test]
fn each_way_to_lose_the_connection_has_its_words() {
    let lost = |words: &str, serve: fn(TcpStream)| {
        let (url, peer) = peer(serve);
        let command = ["connect", &url, "--headless", "--quiet"];
        let mut child = program::command(&command)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stdin = child.stdin.take();
        let output = child.wait_with_output().expect("the program ends, although stdin is open");
        drop(stdin);
        peer.join().expect("the peer is content");
        let err = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(1), "{err}");
        assert!(err.contains(words), "{err}");
    };
    lost("before its response", |mut stream| drop(request(&mut stream)));
    lost("other than HTTP", |mut stream| {
        request(&mut stream);
        stream.write_all(b"SSH-2.0-x\r\n").expect("sent");
        let _ = stream.read_to_end(&mut Vec::new());
    });
    lost("without a close", |mut stream| drop(accept(&mut stream, "")));
    lost("reset", |mut stream| {
        accept(&mut stream, "");
        stream.write_all(b"\x81\x01a").expect("sent");
        rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).expect("a socket");
    });
    lost("violated the protocol", |mut stream| {
        accept(&mut stream, "");
        stream.write_all(&frame(true, Opcode::Text, Some([1, 2, 3, 4]), b"masked")).expect("sent");
        let mut close = [0; 8];
        stream.read_exact(&mut close).expect("a close");
        assert_eq!(close[0], 0x88);
    });
}

#[test]
fn wrong_usage_says_what_to_write_and_no_secret() {
    for (arguments, words) in [
        (&["connect", "localhost:9000", "--headless"][..], "ws://"),
        (&["connect", "ws://a", "--headless", "-H", "Authorization s3cret"], "Name: value"),
        (&["connect", "ws://a", "--headless", "-H", "X: s3cret\u{7}"], "control character"),
        (
            &["connect", "ws://a", "--headless", "-H", "ORIGIN: http://s3cret", "--origin", "http://b"],
            "--origin and -H",
        ),
        (&["connect", "ws://a", "--headless", "--script", "/nonexistent"], "/nonexistent"),
        (&["connect", "ws://a", "--linger", "6s", "--headless"], "5s"),
        (&["connect", "ws://a", "--linger", "1s"], "--headless"),
    ] {
        let (status, _, err) = program::run(arguments);
        assert_eq!(status, Some(2), "{err}");
        assert!(err.contains(words) && !err.contains("s3cret"), "{err}");
    }
    let (status, _, err) = program::run(&["connect", "ws://127.0.0.1:1/", "--headless"]);
    assert!(status == Some(1) && err.contains("nothing listens"), "{err}");
}

#[test]
fn the_headers_of_the_command_line_are_in_the_request() {
    let (url, peer) = peer(|mut stream| {
        let head = accept(&mut stream, "Sec-WebSocket-Protocol: b\r\n");
        stream.write_all(&frame(true, Opcode::Close, None, b"\x03\xe8")).expect("sent");
        stream.read_exact(&mut [0; 8]).expect("a close");
        String::from_utf8(head).expect("text")
    });
    let key = "dGhlIHNhbXBsZSBub25jZQ==";
    let arguments = [
        "-H",
        "X-A: 1",
        "-H",
        "x-a: 2",
        "--subprotocol",
        "a",
        "--subprotocol",
        "b",
        "--origin",
        "http://page",
        "--ws-key",
        key,
        "--no-deflate",
    ];
    let (status, records, err) = connect(&url, &arguments, "");
    let head = peer.join().expect("the peer is content");
    assert_eq!(status, Some(0), "{err}");
    let expected = format!(
        "Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nOrigin: http://page\r\nSec-WebSocket-Protocol: a, b\r\n"
    );
    assert!(head.contains(&expected) && head.contains("X-A: 1\r\nx-a: 2\r\n\r\n"), "{head}");
    assert!(head.starts_with("GET /chat HTTP/1.1\r\nHost: 127.0.0.1:") && !head.contains("Extensions"), "{head}");
    let findings = records.iter().flat_map(|record| record["findings"].as_array().into_iter().flatten());
    assert_eq!(findings.filter(|finding| finding["severity"] != "info").count(), 0);
}

#[test]
fn a_redirect_is_shown_without_password_and_query() {
    let (url, _peer) = peer(|mut stream| {
        request(&mut stream);
        let line = "Location: ws://u:secret@example.com/x?token=abc";
        stream
            .write_all(format!("HTTP/1.1 302 Found\r\n{line}\r\nContent-Length: 0\r\n\r\n").as_bytes())
            .expect("sent");
    });
    let (status, line) = refused(&url, &[]);
    assert!(status == Some(1) && line.contains("ws://example.com/x…"), "{line}");
    assert!(!line.contains("secret") && !line.contains("abc"), "{line}");
}

#[test]
fn much_data_may_follow_a_head_that_arrives_in_parts() {
    let (url, _peer) = peer(|mut stream| {
        let head = request(&mut stream);
        let accept = accept_key(Head::read(&head).value("sec-websocket-key").expect("a key"));
        let response = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        stream.write_all(&response.as_bytes()[..20]).expect("sent");
        let rest = [&response.as_bytes()[20..], &frame(true, Opcode::Binary, None, &[0; 200_000])].concat();
        stream.write_all(&[&rest[..], &frame(true, Opcode::Close, None, &[])].concat()).expect("sent");
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let (status, records, err) = connect(&url, &["--no-deflate"], "");
    assert_eq!(status, Some(0), "{err}");
    assert_eq!(frames(&records).len(), 3);
}

#[test]
fn a_signal_before_the_work_is_done_ends_with_1() {
    use std::io::{BufRead as _, BufReader};
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("never.fs");
    std::fs::write(&script, "expect text == \"never\" within 20s\n").expect("written");
    let (server, _) = server(|_| {});
    let url = format!("ws://{}/echo", server.address());
    let script = script.to_string_lossy();
    let command = ["connect", &url, "--headless", "--json", "--script", &script];
    let mut child = program::command(&command)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    // The records of the handshake.
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    assert!(lines.next().is_some() && lines.next().is_some());
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::TERM)
        .expect("a process");
    lines.for_each(drop);
    let output = child.wait_with_output().expect("the program ends");
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
}
