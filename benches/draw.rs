//! Measures how long one drawing of the screen takes: `cargo bench --bench draw`.
//!
//! Draws into ratatui's buffer and reads the visible records from the capture's file, as the program does. Prints the median of
//! several rounds, for two terminal sizes and for captures of a thousand and of a million records: with a text selected, with a
//! large payload selected, in each view, and with a list of compressed messages. For the last, also one page per drawing, so
//! that every drawing inflates all visible messages again.

use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent};
use framescope::capture::live::recorder::{Chunk, ConnectionRecorder, Recorder};
use framescope::capture::live::spool::Spool;
use framescope::proto::deflate::Deflater;
use framescope::proto::dissected::Direction;
use framescope::proto::time::Time;
use framescope::tui::app::{App, Session};
use framescope::tui::keymap::Keymap;
use framescope::tui::theme::{Theme, ThemeName};
use framescope::tui::view;
use framescope::wire::frame::FrameHead;
use framescope::wire::opcode::Opcode;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

const ROUNDS: usize = 9;
const DRAWINGS: u32 = 50;
const CROWD: usize = 10_000;

fn main() {
    // `cargo test --benches` must only build it.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("{:>10} records  {:>9}  {:<14}  median of {ROUNDS}", "", "size", "on the screen");
    for records in [1_000, 1_000_000] {
        let folder = tempfile::tempdir().expect("a folder");
        let recorder = capture(folder.path(), records, false);
        let compressed = capture(folder.path(), records, true);
        for size in [(120, 36), (300, 100)] {
            for (what, keys_up) in [("a text", 1), ("1 MiB binary", 0)] {
                print(records, size, what, measure(&recorder, size, keys_up, None));
            }
            for (what, view) in [("messages", '2'), ("connections", '3'), ("timeline", '4'), ("folded", 'z')] {
                print(records, size, what, measure_view(&recorder, size, view));
            }
            print(records, size, "compressed", measure(&compressed, size, 1, None));
            print(records, size, "paging in it", measure(&compressed, size, 1, Some(KeyCode::PageUp)));
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let crowd = crowd(folder.path());
    println!("time until a view has examined a million records, in slices of a few milliseconds");
    for (what, view) in [("messages", '2'), ("folded", 'z')] {
        let mut app = open(&crowd, (120, 36));
        let start = Instant::now();
        app.key(KeyEvent::from(KeyCode::Char(view)));
        let answered = start.elapsed();
        while app.list.incomplete {
            app.extend_rows();
        }
        let [answered, whole] = [answered, start.elapsed()].map(|time| time.as_secs_f64() * 1e3);
        println!("{what:>10}  answered after {answered:.1} ms, whole after {whole:.0} ms");
    }
    println!("{CROWD} connections");
    for size in [(120, 36), (300, 100)] {
        for (what, view) in [("connections", '3'), ("timeline", '4'), ("folded", 'z')] {
            print(1_000_000, size, what, measure_view(&crowd, size, view));
        }
    }
}

/// A million records of 10,000 connections, one record of each at a time.
fn crowd(folder: &std::path::Path) -> Recorder {
    let recorder = Recorder::new(Spool::temporary_in(folder).expect("a spool"));
    let address = "127.0.0.1:6455".parse().expect("an address");
    let mut connections: Vec<_> = (0..CROWD).map(|_| recorder.connection(address, address)).collect();
    let request = "GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let response = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
    let mut time = 0;
    let mut say = |connection: &mut ConnectionRecorder, direction, bytes: &[u8]| {
        time += 1_000_000;
        connection.record(&[Chunk { direction, time: Time(time), bytes }]);
    };
    for round in 0..100 {
        for connection in &mut connections {
            match round {
                0 => say(connection, Direction::ClientToServer, request.as_bytes()),
                1 => say(connection, Direction::ServerToClient, response.as_bytes()),
                _ => say(connection, Direction::ServerToClient, b"\x81\x022a"),
            }
        }
    }
    recorder
}

fn print(records: usize, (width, height): (u16, u16), what: &str, median: Duration) {
    println!("{records:>10} records  {width:>4}×{height:<4}  {what:<14}  {:.3} ms", median.as_secs_f64() * 1e3);
}

fn capture(folder: &std::path::Path, records: usize, compressed: bool) -> Recorder {
    let recorder = Recorder::new(Spool::temporary_in(folder).expect("a spool"));
    let address = "127.0.0.1:6455".parse().expect("an address");
    let connection = recorder.connection(address, address);
    let say = |direction, bytes: &[u8], n: usize| {
        connection.record(&[Chunk { direction, time: Time(n as u64 * 1_000_000), bytes }]);
    };
    let extension = if compressed { "Sec-WebSocket-Extensions: permessage-deflate\r\n" } else { "" };
    let request = format!(
        "GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{extension}\r\n"
    );
    let response = format!("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n{extension}\r\n");
    say(Direction::ClientToServer, request.as_bytes(), 0);
    say(Direction::ServerToClient, response.as_bytes(), 0);
    let mut deflater = Deflater::new(15, true);
    for n in 0..records {
        let mut wire = Vec::new();
        let key = Some((n as u32).wrapping_mul(0x9e37_79b1).to_be_bytes());
        let mut payload = format!("client: echo {n}").into_bytes();
        if compressed {
            let text = std::mem::take(&mut payload);
            deflater.message(&text, &mut payload);
        }
        let head = FrameHead::new(true, Opcode::Text, key, payload.len() as u64);
        FrameHead { rsv1: compressed, ..head }.encode_with(&payload, &mut wire);
        say(Direction::ClientToServer, &wire, n);
    }
    let mut wire = Vec::new();
    FrameHead::new(true, Opcode::Binary, Some([1, 2, 3, 4]), 1 << 20).encode_with(&vec![7; 1 << 20], &mut wire);
    say(Direction::ClientToServer, &wire, records);
    recorder
}

fn measure(recorder: &Recorder, size: (u16, u16), keys_up: usize, then: Option<KeyCode>) -> Duration {
    let mut app = open(recorder, size);
    for _ in 0..keys_up {
        app.key(KeyEvent::from(KeyCode::Up));
    }
    time(&mut app, then)
}

/// Measures a view other than the frames, after the view has examined all records.
fn measure_view(recorder: &Recorder, size: (u16, u16), view: char) -> Duration {
    let mut app = open(recorder, size);
    app.key(KeyEvent::from(KeyCode::Char(view)));
    app.key(KeyEvent::from(KeyCode::Up));
    while app.list.incomplete {
        app.refresh();
    }
    time(&mut app, None)
}

fn open(recorder: &Recorder, (width, height): (u16, u16)) -> App {
    let setting = Session {
        url: Some("http://127.0.0.1:6455/".to_owned()),
        file: None,
        formats: Vec::new(),
        ..Session::default()
    };
    let keymap = Keymap::built_in().expect("a table");
    let mut app = App::new(recorder.capture().clone(), setting, Theme::named(ThemeName::Dark), keymap, true);
    app.resize(Rect::new(0, 0, width, height));
    app
}

fn time(app: &mut App, then: Option<KeyCode>) -> Duration {
    let mut buffer = Buffer::empty(app.layout.area);
    let mut rounds: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..DRAWINGS {
                buffer.reset();
                if let Some(key) = then {
                    app.key(KeyEvent::from(key));
                }
                app.refresh();
                view::render(app, &mut buffer);
            }
            start.elapsed() / DRAWINGS
        })
        .collect();
    rounds.sort();
    rounds[ROUNDS / 2]
}
