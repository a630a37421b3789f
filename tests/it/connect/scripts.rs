//! Scripts of a client, and of the server as a mock.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::support::bare_request;
use crate::support::program::Program;
use framescope::net::ServedScript;
use framescope::script::Script;
use tungstenite::Message;

/// Writes a script into a folder.
fn script(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("it.script");
    std::fs::write(&path, text).expect("written");
    path
}

/// Runs a script against `/echo`: the exit status, the frames and stderr.
fn played(text: &str) -> (Option<i32>, Vec<Value>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("data.json"), "{}").expect("written");
    let (server, _) = server(|_| {});
    let url = format!("ws://{}/echo", server.address());
    connect(&url, &["--linger", "10ms", "--script", &script(folder.path(), text).to_string_lossy()], "")
}

#[test]
fn a_script_that_is_met_ends_with_0() {
    let (status, records, err) = played(
        "expect status == 101 within 5s\n\
         send text \"hi\"\n\
         expect text == \"hi\" within 5s\n\
         repeat 2\n  ping \"p\"\n  expect op == pong within 5s\nend\n\
         send file data.json\n\
         expect text == \"{}\" and rsv1 within 5s\n\
         close 4001 \"done\"\n\
         expect close.code == 4001 within 5s\n",
    );
    assert_eq!(status, Some(0), "{err}");
    let sent: Vec<_> = frames(&records).into_iter().filter(|frame| frame.0 == "c2s").map(|frame| frame.1).collect();
    assert_eq!(sent, ["text", "ping", "ping", "text", "close"]);
}

#[test]
fn a_failed_expectation_names_its_line_and_the_latest_record() {
    let (status, records, err) = played("send text \"hi\"\n\nexpect text == \"ho\" within 50ms\nsend text \"never\"\n");
    assert_eq!(status, Some(1));
    let line = err.lines().last().expect("a line");
    assert!(line.contains("it.script:3: expect text == \"ho\" within 50ms"), "{line}");
    assert!(line.contains("record is 4") && line.contains("hi"), "{line}");
    assert!(!frames(&records).iter().any(|frame| frame.2 == "never"));
}

#[test]
fn an_error_in_a_script_has_carets_and_ends_with_2() {
    let (status, records, err) = played("send text \"hi\"\nexpect opp == pong within 1s\n");
    assert_eq!((status, records.len()), (Some(2), 0));
    assert!(err.contains("it.script:2: ") && err.contains("\n  expect opp == pong within 1s\n         ^^^\n"), "{err}");
    let (status, ..) = played("send file missing.json\n");
    assert_eq!(status, Some(2));
    let (status, _, err) = played("ping\nsend text \"a\\q\"\n");
    assert_eq!(status, Some(2));
    assert!(err.contains("it.script:2: ") && err.contains("\n              ^^\n"), "{err}");
}

#[test]
fn a_script_from_stdin_may_begin_with_a_byte_order_mark() {
    let (server, _) = server(|_| {});
    let url = format!("ws://{}/echo", server.address());
    let lines = "\u{feff}send text \"hi\"\r\nexpect text == \"hi\" within 5s\r\n";
    let (status, records, err) = connect(&url, &["--linger", "10ms", "--script", "-"], lines);
    assert_eq!((status, frames(&records).len()), (Some(0), 4), "{err}");
}

#[test]
fn a_script_in_another_encoding_is_refused_with_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("latin.script");
    std::fs::write(&path, b"ping\nsend text \"\xe9\"\n").expect("written");
    let (status, _, err) = connect("ws://127.0.0.1:9/", &["--script", &path.to_string_lossy()], "");
    assert!(status == Some(2) && err.contains("latin.script:2: "), "{err}");
}

#[test]
fn a_peer_that_closes_early_fails_the_script() {
    let (url, peer) = peer(|mut stream| {
        accept(&mut stream, "");
        stream.write_all(b"\x88\x02\x03\xe9").expect("sent");
        stream.read_exact(&mut [0; 8]).expect("a close");
    });
    let folder = tempfile::tempdir().expect("a folder");
    let path = script(folder.path(), "expect op == text within 20s\n");
    let (status, _, err) = connect(&url, &["--script", &path.to_string_lossy()], "");
    peer.join().expect("the peer is content");
    assert_eq!(status, Some(1));
    assert!(err.contains("it.script:1: ") && err.contains("1001"), "the record and the line: {err}");
}

#[test]
fn the_server_is_a_mock_on_every_path_without_a_role() {
    let script = "on open\n  send text \"welcome\"\nend\n\
                  on text == \"time\" and path == \"/clock\"\n  send text \"12:00\"\nend\n\
                  on op == binary\n  send hex \"00ff\"\n  close 4000 \"enough\"\nend\n";
    let script = Script::parse(script, |_| Err(String::new())).expect("a script").named("mock");
    let served = ServedScript { script: Arc::new(script), has_failed: Arc::default() };
    let has_failed = Arc::clone(&served.has_failed);
    let (server, _) = server(|config| config.script = Some(served));
    for (path, reply) in [("/clock", Some("12:00")), ("/script", None), ("/", None)] {
        let (mut client, _) = tungstenite::connect(format!("ws://{}{path}", server.address())).expect("a handshake");
        assert_eq!(client.read().expect("a message"), Message::text("welcome"), "{path}");
        client.send(Message::text("time")).expect("sent");
        if let Some(reply) = reply {
            assert_eq!(client.read().expect("a message"), Message::text(reply));
        }
        client.send(Message::binary(vec![1])).expect("sent");
        assert_eq!(client.read().expect("a message"), Message::binary(vec![0, 255]), "{path}");
        let Message::Close(Some(close)) = client.read().expect("a close") else { panic!("no close") };
        assert_eq!((u16::from(close.code), close.reason.as_str()), (4000, "enough"));
    }
    // The paths with roles are as before.
    let (mut client, _) = tungstenite::connect(format!("ws://{}/echo", server.address())).expect("a handshake");
    client.send(Message::text("time")).expect("sent");
    assert_eq!(client.read().expect("an echo"), Message::text("time"));
    assert!(!has_failed.load(Ordering::SeqCst));
}

#[test]
fn a_mock_whose_expectation_fails_closes_with_1011() {
    let script = Script::parse("expect text == \"login\" within 30s\nsend text \"ok\"", |_| Err(String::new()));
    let has_failed = Arc::<AtomicBool>::default();
    let served =
        ServedScript { script: Arc::new(script.expect("a script").named("mock")), has_failed: Arc::clone(&has_failed) };
    let (server, recorder) = server(|config| config.script = Some(served));
    let url = format!("ws://{}/script", server.address());
    let (mut client, _) = tungstenite::connect(&url).expect("a handshake");
    client.send(Message::text("login")).expect("sent");
    assert_eq!(client.read().expect("a message"), Message::text("ok"));
    client.close(None).expect("sent");
    while client.read().is_ok() {}
    assert!(!has_failed.load(Ordering::SeqCst), "a script that has ended expects nothing");
    let (mut client, _) = tungstenite::connect(&url).expect("a handshake");
    client.close(None).expect("sent");
    while client.read().is_ok() {}
    assert!(server.shutdown());
    assert!(has_failed.load(Ordering::SeqCst));
    let notice = recorder.capture().trouble().reason().expect("a notice");
    assert!(notice.contains("mock:1: expect text"), "{notice}");
}

#[test]
fn a_mock_ends_a_connection_whose_client_does_not_answer_its_close() {
    let script = Script::parse("close 1000", |_| Err(String::new())).expect("a script");
    let served = ServedScript { script: Arc::new(script), has_failed: Arc::default() };
    let (server, _) = server(|config| {
        config.script = Some(served);
        config.close_timeout = Duration::from_millis(50);
    });
    let mut stream = TcpStream::connect(server.address()).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let request = bare_request("/mock", &server.address().to_string());
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the server ends the connection");
    assert!(answer.ends_with(b"\x88\x02\x03\xe8"));
}

#[test]
fn serve_reads_its_script_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = script(folder.path(), "on text\n  send text \"got it\"\nend\n");
    let mut program = Program::start(&["--script", &path.to_string_lossy()]);
    let url = program.url.replace("http://", "ws://") + "any/path";
    let (mut client, _) = tungstenite::connect(url).expect("a handshake");
    client.send(Message::text("hello")).expect("sent");
    assert_eq!(client.read().expect("a message"), Message::text("got it"));
    program.wait_for("the reply", 0, |record| record["text"] == "got it");
    program.stop();
    let path = script(folder.path(), "send nothing");
    let (status, _, err) = program::run(&["serve", "--headless", "--script", &path.to_string_lossy()]);
    assert!(status == Some(2) && err.contains("it.script:1: "), "{err}");
}
