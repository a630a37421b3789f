//! Measures memory, drawing and waiting for ten million records: `cargo bench --bench scale [-- RECORDS]`.
//!
//! Small frames of one connection, of a hundred connections that send two frames at a time, and of a thousand that send one
//! at a time; recorded live, then opened again, each in a process of its own. Prints the resident memory per record beyond
//! that of a program without a capture (at most 64 bytes), the time of a drawing at 120×36 (at most 4 ms), and the longest time
//! from a key to its drawing (at most 50 ms). Then records as many through a ring of files of 512 MiB, and prints how many are
//! left and the longest time for which a connection waits until its records are written, next to the same without a ring.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use crossterm::event::{KeyCode, KeyEvent};
use framescope::capture::import;
use framescope::capture::live::recorder::{Chunk, ConnectionRecorder, Recorder};
use framescope::capture::live::spool::Spool;
use framescope::capture::store::Capture;
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

/// This many connections send one frame at a time; fewer send two.
const ONE_EACH: u64 = 1000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [mode, path, records, connections] if mode == "ring" || mode == "file" => {
            let (records, connections) = (records.parse().expect("a number"), connections.parse().expect("a number"));
            ring(mode == "ring", Path::new(path), records, connections);
        }
        [mode, path, records, connections] if mode == "live" || mode == "opened" => {
            let (records, connections) = (records.parse().expect("a number"), connections.parse().expect("a number"));
            measure(mode == "live", Path::new(path), records, connections);
        }
        all if all.iter().any(|argument| argument == "--bench") => {
            let records = all.iter().find_map(|argument| argument.parse().ok()).unwrap_or(10_000_000);
            run(records);
        }
        // `cargo test --benches` must only build it.
        _ => {}
    }
}

fn run(records: u64) {
    println!("{records} records   connections  bytes/record    draw  slowest of End Home PgUp PgDn ] [ partner");
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    for connections in [1, 100, ONE_EACH] {
        let path = folder.path().join(format!("{connections}.pcapng"));
        for mode in ["live", "opened"] {
            let own = std::env::current_exe().expect("the path of this program");
            let mut child = Command::new(own);
            child.arg(mode).arg(&path).args([records, connections].map(|n| n.to_string()));
            assert!(child.status().expect("it starts").success(), "{mode} failed");
        }
        std::fs::remove_file(path).expect("removed");
    }
    println!("\nwritten into      connections  records there  resident beyond  longest wait");
    for connections in [1, 100] {
        for mode in ["file", "ring"] {
            let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
            let own = std::env::current_exe().expect("the path of this program");
            let mut child = Command::new(own);
            child.arg(mode).arg(folder.path().join("a.pcapng")).args([records, connections].map(|n| n.to_string()));
            assert!(child.status().expect("it starts").success(), "{mode} failed");
        }
    }
}

/// Records into a ring of files, or into one file.
fn ring(ring: bool, path: &Path, records: u64, connections: u64) {
    let before = resident();
    let spool = if ring { Spool::keep_ring(path, false, 512 << 20) } else { Spool::keep(path, false) };
    let recorder = Recorder::new(spool.expect("a spool"));
    let longest = record(&recorder, records, connections);
    let totals = recorder.capture().totals();
    assert_eq!(totals.evicted() > 0, ring);
    let beyond = (resident() - before) / 1e6;
    let name = if ring { "a ring of 512 MiB" } else { "a file" };
    println!("{name:<17} {connections:>11} {:>14} {beyond:>13.1} MB {longest:>10.2} ms", totals.kept());
}

fn measure(live: bool, path: &Path, records: u64, connections: u64) {
    let before = resident();
    // Keep the recorder: the capture's file is deleted with it.
    let mut recorder = None;
    let capture = if live {
        let recorder = recorder.insert(Recorder::new(Spool::keep(path, false).expect("a spool")));
        record(recorder, records, connections);
        recorder.capture().clone()
    } else {
        let (capture, loader) = import::open(path).expect("our own file");
        loader.run(&AtomicBool::new(false));
        capture
    };
    assert!(capture.len() >= records);
    let each = (resident() - before) / capture.len() as f64;
    let (draw, slowest) = screen(&capture);
    let name = if live { "live" } else { "opened" };
    println!("{name:<17} {connections:>12} {each:>13.1}  {draw:>5.2} ms  {slowest:>5.2} ms");
}

/// Resident memory in bytes.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the status of this process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") * 1024.0
}

/// Records the frames; returns the longest time of one call in milliseconds.
fn record(recorder: &Recorder, records: u64, connections: u64) -> f64 {
    let handshake = "GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ";
    let response = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    let (up, down) = (Direction::ClientToServer, Direction::ServerToClient);
    let all: Vec<ConnectionRecorder> = (0..connections)
        .map(|n| {
            let client = ([127, 0, 0, 1], 10_000 + n as u16).into();
            let connection = recorder.connection(client, ([127, 0, 0, 1], 6455).into());
            let key = hex::encode((n as u128).to_be_bytes());
            let request = format!("{handshake}{}==\r\n\r\n", &key[10..]);
            let chunk = |direction, bytes| Chunk { direction, time: Time(n), bytes };
            connection.record(&[chunk(up, request.as_bytes()), chunk(down, response.as_bytes())]);
            connection
        })
        .collect();
    let mut longest = 0f64;
    for n in 0..records / 2 {
        let time = Time(n * 1_000_000);
        let text = format!("echo {n}");
        let mut frames = [Vec::new(), Vec::new()];
        FrameHead::new(true, Opcode::Text, None, text.len() as u64).encode_with(text.as_bytes(), &mut frames[0]);
        let text = format!("client: {text}");
        let key = Some(((n as u32).wrapping_mul(0x9e37_79b1) | 1).to_be_bytes());
        FrameHead::new(true, Opcode::Text, key, text.len() as u64).encode_with(text.as_bytes(), &mut frames[1]);
        let chunks =
            [Chunk { direction: down, time, bytes: &frames[0] }, Chunk { direction: up, time, bytes: &frames[1] }];
        let begun = Instant::now();
        if connections == ONE_EACH {
            for (n, chunk) in (2 * n..).zip(chunks) {
                all[(n % connections) as usize].record(&[chunk]);
            }
        } else {
            all[(n % connections) as usize].record(&chunks);
        }
        longest = longest.max(begun.elapsed().as_secs_f64() * 1e3);
    }
    longest
}

/// Milliseconds of a drawing, and of the slowest key with its drawing.
fn screen(capture: &Capture) -> (f64, f64) {
    let setting = Session { url: None, file: Some("a.pcapng".to_owned()), formats: Vec::new() };
    let keymap = Keymap::built_in().expect("a table");
    let mut app = App::new(capture.clone(), setting, Theme::named(ThemeName::Dark), keymap, true);
    let area = Rect::new(0, 0, 120, 36);
    app.resize(area);
    let mut buffer = Buffer::empty(area);
    let mut drawn = |app: &mut App| {
        buffer.reset();
        app.refresh();
        view::render(app, &mut buffer);
    };
    let mut slowest = 0f64;
    use KeyCode::{Char, End, Home, PageDown, PageUp};
    for key in [End, PageUp, PageUp, Home, PageDown, Char(']'), Char('['), End, Char('['), Home, Char('p'), End] {
        let begun = Instant::now();
        app.key(KeyEvent::from(key));
        drawn(&mut app);
        slowest = slowest.max(begun.elapsed().as_secs_f64() * 1e3);
    }
    let begun = Instant::now();
    for _ in 0..100 {
        drawn(&mut app);
    }
    (begun.elapsed().as_secs_f64() * 1e3 / 100.0, slowest)
}
