//! Notes that are made on a live capture: its file has them.

use std::path::Path;

use crate::support::terminal::{Terminal, files};
use crate::support::{DOWN, UP, frame, load};
use framescope::capture::live::recorder::{Chunk, Recorder};
use framescope::capture::live::spool::Spool;
use framescope::capture::store::Capture;
use framescope::proto::time::Time;
use framescope::wire::opcode::Opcode;

fn notes(capture: &Capture) -> Vec<Option<String>> {
    (1..=capture.len()).map(|no| capture.note(no)).collect()
}

#[test]
fn the_file_has_the_notes_on_the_records_on_which_they_were_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.pcapng");
    let recorder = Recorder::new(Spool::keep(&path, false).expect("a spool"));
    let connect = |port| recorder.connection(([127, 0, 0, 1], port).into(), ([127, 0, 0, 1], 80).into());
    let connections = [connect(50_001), connect(50_002)];
    let mut clock = 0;
    let mut say = |connection: usize, direction, bytes: &[u8]| {
        clock += 1;
        connections[connection].record(&[Chunk { direction, time: Time(clock), bytes }]);
    };
    for connection in [0, 1] {
        say(connection, UP, b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n");
        say(connection, DOWN, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");
    }
    let capture = recorder.capture();
    capture.set_note(2, "framescope: not a finding");
    capture.set_note(3, "the second request");
    capture.set_note(1, "removed later");
    for n in 0..1000 {
        say(n % 2, DOWN, &frame(true, Opcode::Text, None, b"a"));
    }
    drop(connections);
    capture.set_note(1, "");
    capture.set_note(capture.len(), "an end");
    capture.set_note(900, "a text, ✎ 日本");
    recorder.write_notes();
    let again = load(&path);
    assert_eq!(again.len(), capture.len());
    assert_eq!(notes(&again), notes(capture));
    assert_eq!(notes(&again).iter().flatten().count(), 4);
}

/// Makes a note in a run of the program that Ctrl-C ends.
fn run_with_a_note(arguments: &[&str], folder: &Path) {
    let mut terminal = Terminal::program(arguments, folder);
    terminal.expect("client: echo 1");
    terminal.press("ga");
    terminal.expect("Note");
    terminal.press("the first request\r");
    terminal.expect("✎ the first request");
    terminal.press("\x03");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn a_capture_that_is_kept_or_written_has_its_notes() {
    const DEMO: [&str; 6] = ["serve", "--demo", "--listen", "127.0.0.1:0", "--interval", "100ms"];
    let [folder, other] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    run_with_a_note(&DEMO, folder.path());
    let kept = files(&folder.path().join("cache"), "live-");
    let written = other.path().join("mine.pcapng");
    let path = written.to_str().expect("a path");
    run_with_a_note(&[&DEMO[..], &["--write", path]].concat(), other.path());
    for path in [kept.first().expect("a capture"), &written] {
        assert_eq!(load(path).note(1).as_deref(), Some("the first request"), "{}", path.display());
    }
}
