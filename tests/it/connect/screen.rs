//! The line to send, on the screen of a terminal.

use super::server;
use crate::support::terminal::Terminal;
use framescope::proto::dissected::Kind;

#[test]
fn lines_are_typed_sent_refused_and_repeated() {
    let (server, recorder) = server(|_| {});
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("ws://{}/echo", server.address());
    let mut terminal = Terminal::program(&["connect", &url, "--no-deflate", "--discard"], folder.path());
    terminal.expect("Switching Protocols");
    terminal.press(":");
    terminal.expect("Enter send");
    terminal.press("hello\r");
    terminal.wait_until("the echo", |screen| screen.contents().matches("hello").count() >= 2);
    // A wrong line stays, with the reason.
    terminal.press("/hexx 00\r");
    terminal.expect("/fragment /frame /connect");
    terminal.expect("/hexx 00");
    terminal.press("\x7f\x7f\x7f\x7f 0102\r");
    terminal.expect("01 02");
    // A paste is one message, with its line breaks and tabs.
    terminal.press("\x1b[200~{\n\t\"a\": 1\n}\x1b[201~\r");
    let is_echoed = || {
        let frames = recorder.capture().records(1..u64::MAX).into_iter().filter(|record| record.kind == Kind::Frame);
        let texts = frames.filter_map(|record| recorder.capture().payload(&record, 0..64).ok());
        texts.filter(|text| text == b"{\n\t\"a\": 1\n}").count() == 2
    };
    terminal.wait_until("the pasted message", |_| is_echoed());
    // A file is read and sent in the background.
    let file = folder.path().join("large");
    std::fs::write(&file, vec![b'x'; 3_000_000]).expect("a file");
    terminal.press(&format!("/file {}\r", file.display()));
    let lengths = || recorder.capture().records(1..u64::MAX).into_iter().filter_map(|record| record.payload_len());
    terminal.wait_until("the file and its echo", |_| lengths().filter(|len| *len == 3_000_000).count() == 2);
    terminal.press("/file no-such-file\r");
    terminal.expect("cannot read no-such-file");
    // The line before comes back.
    terminal.press("\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A");
    terminal.wait_until("hello again", |screen| screen.contents().lines().any(|line| line.trim() == "hello"));
    terminal.press("\x1b[B\x1b[B\x1b[B\x1b[B\x1b[B");
    terminal.press("/close 1000 bye\r");
    terminal.expect("/connect to connect again");
    terminal.press("late\r");
    terminal.expect("not sent");
    // A refused line is typed again: the cursor is at its end.
    terminal.press("\x7f\x7f\x7f\x7f/connect\r");
    terminal.wait_until("the second handshake", |screen| screen.contents().matches("Switching Protocols").count() == 2);
    terminal.press("again\r");
    terminal.wait_until("its echo", |screen| screen.contents().matches("again").count() >= 2);
    // Leaving the line keeps what is typed.
    terminal.press("a draft\x1b");
    terminal.expect("q quit");
    terminal.press(":");
    terminal.expect("a draft");
    terminal.press("\x7f\x7f\x7f\x7f\x7f\x7f\x7f/close\r");
    terminal.expect("■ closed");
    terminal.press("\x1b");
    terminal.expect("q quit");
    terminal.press("q");
    terminal.expect("Quitting deletes");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    terminal.assert_restored();
    assert!(server.shutdown());
}

#[test]
fn a_signal_ends_the_program_while_it_connects() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("wss://{}/", listener.local_addr().expect("an address"));
    let mut terminal = Terminal::program(&["connect", &url, "-k"], folder.path());
    // The server accepts, and never answers the ClientHello.
    let _silent = listener.accept().expect("the program connects");
    let begun = std::time::Instant::now();
    terminal.press("\x03");
    assert_eq!(terminal.end(), 1);
    assert!(begun.elapsed().as_secs() < 8, "before its time limit of 10 s: {:?}", begun.elapsed());
    assert!(terminal.text().contains("stopped by a signal"), "{}", terminal.text());
}
