//! The line to send, on the screen of a terminal.

use super::server;
use crate::support::terminal::Terminal;

#[test]
fn lines_are_typed_sent_refused_and_repeated() {
    let (server, _) = server(|_| {});
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
    // The line before comes back.
    terminal.press("\x1b[A\x1b[A");
    terminal.wait_until("hello again", |screen| screen.contents().lines().any(|line| line.trim() == "hello"));
    terminal.press("\x1b[B\x1b[B");
    terminal.press("/close 1000 bye\r");
    terminal.expect("/connect to connect again");
    terminal.press("late\r");
    terminal.expect("not sent");
    // A refused line is typed again: the cursor is at its end.
    terminal.press("\x7f\x7f\x7f\x7f/connect\r");
    terminal.wait_until("the second handshake", |screen| screen.contents().matches("Switching Protocols").count() == 2);
    terminal.press("again\r");
    terminal.wait_until("its echo", |screen| screen.contents().matches("again").count() >= 2);
    terminal.press("\x1b");
    terminal.expect("q quit");
    terminal.press("q");
    terminal.expect("Quitting deletes");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    terminal.assert_restored();
    assert!(server.shutdown());
}
