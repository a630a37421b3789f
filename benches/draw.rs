//! How long a drawing of the screen takes: `cargo bench --bench draw`.
//!
//! Draws into ratatui's buffer, reading the visible records from the capture's file, as the program does. Prints the median of
//! several rounds for two sizes of terminal and for captures of a thousand and of a million records, each with the screen
//! following, and with a large payload on it.

use std::time::{Duration, Instant};

use framescope::capture::recorder::{Chunk, Recorder};
use framescope::capture::spool::Spool;
use framescope::proto::dissected::Direction;
use framescope::proto::time::Time;
use framescope::tui::app::{App, Setting};
use framescope::tui::keymap::Keymap;
use framescope::tui::theme::{Theme, ThemeName};
use framescope::tui::view;
use framescope::wire::frame::FrameHead;
use framescope::wire::opcode::Opcode;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

const ROUNDS: usize = 9;
const DRAWINGS: u32 = 50;

fn main() {
    // `cargo test --benches` only wants to know that it builds.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("{:>10} records  {:>9}  {:<14}  median of {ROUNDS}", "", "size", "on the screen");
    for records in [1_000, 1_000_000] {
        let folder = tempfile::tempdir().expect("a folder");
        let recorder = capture(folder.path(), records);
        for size in [(120, 36), (300, 100)] {
            for (what, keys_up) in [("a text", 1), ("1 MiB binary", 0)] {
                let median = measure(&recorder, size, keys_up);
                println!(
                    "{records:>10} records  {:>4}×{:<4}  {what:<14}  {:.3} ms",
                    size.0,
                    size.1,
                    median.as_secs_f64() * 1e3
                );
            }
        }
    }
}

fn capture(folder: &std::path::Path, records: usize) -> Recorder {
    let recorder = Recorder::new(Spool::temporary_in(folder).expect("a spool"));
    let address = "127.0.0.1:6455".parse().expect("an address");
    let mut connection = recorder.connection(address, address);
    let mut say = |direction, bytes: &[u8], n: usize| {
        connection.record(&[Chunk { direction, time: Time(n as u64 * 1_000_000), bytes }]);
    };
    let handshake = "GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    say(Direction::ClientToServer, handshake.as_bytes(), 0);
    say(Direction::ServerToClient, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", 0);
    for n in 0..records {
        let mut wire = Vec::new();
        let key = Some((n as u32).wrapping_mul(0x9e37_79b1).to_be_bytes());
        let text = format!("client: echo {n}");
        FrameHead::new(true, Opcode::Text, key, text.len() as u64).encode_with(text.as_bytes(), &mut wire);
        say(Direction::ClientToServer, &wire, n);
    }
    let mut wire = Vec::new();
    FrameHead::new(true, Opcode::Binary, Some([1, 2, 3, 4]), 1 << 20).encode_with(&vec![7; 1 << 20], &mut wire);
    say(Direction::ClientToServer, &wire, records);
    recorder
}

fn measure(recorder: &Recorder, (width, height): (u16, u16), keys_up: usize) -> Duration {
    let setting = Setting { url: Some("http://127.0.0.1:6455/".to_owned()), file: None, formats: Vec::new() };
    let keymap = Keymap::built_in().expect("a table");
    let mut app = App::new(recorder.capture().clone(), setting, Theme::named(ThemeName::Dark), keymap, true);
    app.resize(Rect::new(0, 0, width, height));
    for _ in 0..keys_up {
        app.key(crossterm::event::KeyEvent::from(crossterm::event::KeyCode::Up));
    }
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    let mut rounds: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..DRAWINGS {
                buffer.reset();
                app.refresh();
                view::render(&app, &mut buffer);
            }
            start.elapsed() / DRAWINGS
        })
        .collect();
    rounds.sort();
    rounds[ROUNDS / 2]
}
