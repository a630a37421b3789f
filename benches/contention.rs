//! How long the list takes to draw while the capture is busy: `cargo bench --bench contention`.
//!
//! Eight connections commit frames as fast as they can, one filter passes over the capture again and again, and one thread draws the
//! screen at 120×36. Prints the median and the longest draw without load, with the connections alone, and with connections and
//! filter, each also as a ratio to the draw without load. At most 4 ms are wanted for the median under load. The longest also
//! contains the time for which the kernel ran other threads instead: with fewer than eleven processors it says little, and the
//! draws that waited for a lock are better seen in the 99th percentile.
//!
//! The capture is written to TMPDIR, or to /dev/shm if TMPDIR is not set, so that no disk is measured.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent};
use framescope::capture::live::recorder::{Chunk, Recorder};
use framescope::capture::live::spool::Spool;
use framescope::capture::query::filter::{Filter, FilterEvaluator};
use framescope::capture::query::selection::SelectedRecords;
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

/// Connections that commit at the same time.
const CONNECTIONS: u64 = 8;

/// Records in the capture before anything is measured.
const RECORDS: u64 = 200_000;

/// How long each load is measured.
const MEASURED: Duration = Duration::from_secs(5);

/// A pause between two draws, as the screen pauses for the next event.
const PAUSE: Duration = Duration::from_millis(2);

fn main() {
    // `cargo test --benches` must only build it.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let memory = PathBuf::from("/dev/shm");
    let parent = if std::env::var_os("TMPDIR").is_none() && memory.is_dir() { memory } else { std::env::temp_dir() };
    let folder = tempfile::tempdir_in(parent).expect("a folder");
    println!("{} processors", thread::available_parallelism().map_or(1, usize::from));
    println!("{:<27}  {:>7}  median        99 %          longest       frames/s", "load", "draws");
    let quiet = measure(&folder.path().join("quiet.pcapng"), 0, false);
    print("none", &quiet, &quiet);
    for (name, filters) in [("8 connections", false), ("8 connections and a filter", true)] {
        print(name, &measure(&folder.path().join(format!("{filters}.pcapng")), CONNECTIONS, filters), &quiet);
    }
}

/// Prints a row: times in milliseconds, and their ratios to those without load.
fn print(load: &str, draws: &Draws, quiet: &Draws) {
    let column = |at: fn(&Draws) -> f64| format!("{:>6.2} ms ×{:<4.1}", at(draws), at(draws) / at(quiet));
    println!(
        "{load:<27}  {:>7}  {} {} {} {:>9.0}",
        draws.times.len(),
        column(Draws::median),
        column(Draws::percentile_99),
        column(Draws::longest),
        draws.frames_per_second
    );
}

/// Measurements under one load.
struct Draws {
    /// Milliseconds of each draw, in ascending order.
    times: Vec<f64>,
    frames_per_second: f64,
}

impl Draws {
    fn median(&self) -> f64 {
        self.times[self.times.len() / 2]
    }

    fn percentile_99(&self) -> f64 {
        self.times[self.times.len() * 99 / 100]
    }

    fn longest(&self) -> f64 {
        self.times[self.times.len() - 1]
    }
}

/// Measures draws while so many connections commit frames, and while a filter runs if `filters`.
fn measure(path: &std::path::Path, connections: u64, filters: bool) -> Draws {
    let recorder = Recorder::new(Spool::keep(path, false).expect("a spool"));
    let (stop, committed) = (AtomicBool::new(false), AtomicU64::new(0));
    commit(&recorder, 0, &|frames| frames >= RECORDS);
    let (times, seconds) = thread::scope(|scope| {
        for n in 1..=connections {
            let (recorder, stop, committed) = (&recorder, &stop, &committed);
            scope.spawn(move || {
                let frames = commit(recorder, n, &|_| stop.load(Ordering::Relaxed));
                committed.fetch_add(frames, Ordering::Relaxed);
            });
        }
        if filters {
            let (capture, stop) = (recorder.capture(), &stop);
            let filter = Filter::parse("op == text and len > 15 and text contains \"echo 99\"").expect("a filter");
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let mut selected = SelectedRecords::default();
                    let go_on = |_| !stop.load(Ordering::Relaxed);
                    FilterEvaluator::new(&filter, capture).extend(&mut selected, go_on).expect("readable");
                }
            });
        }
        let begun = Instant::now();
        let times = draw(&recorder);
        let seconds = begun.elapsed().as_secs_f64();
        stop.store(true, Ordering::Relaxed);
        (times, seconds)
    });
    Draws { times, frames_per_second: committed.into_inner() as f64 / seconds }
}

/// Draws the screen for [`MEASURED`]. Returns the milliseconds of each draw in ascending order.
fn draw(recorder: &Recorder) -> Vec<f64> {
    let setting = Session {
        url: Some("http://127.0.0.1:6455/".to_owned()),
        file: None,
        formats: Vec::new(),
        ..Session::default()
    };
    let keymap = Keymap::built_in().expect("a table");
    let mut app = App::new(recorder.capture().clone(), setting, Theme::named(ThemeName::Dark), keymap, true);
    let area = Rect::new(0, 0, 120, 36);
    app.resize(area);
    app.key(KeyEvent::from(KeyCode::End));
    let mut buffer = Buffer::empty(area);
    let (begun, mut times) = (Instant::now(), Vec::new());
    while begun.elapsed() < MEASURED {
        let start = Instant::now();
        buffer.reset();
        app.refresh();
        view::render(&app, &mut buffer);
        times.push(start.elapsed().as_secs_f64() * 1e3);
        thread::sleep(PAUSE);
    }
    times.sort_by(f64::total_cmp);
    times
}

/// Records a handshake and frames of one connection until `enough` returns true for their number; returns that number.
fn commit(recorder: &Recorder, n: u64, enough: &dyn Fn(u64) -> bool) -> u64 {
    let client = ([127, 0, 0, 1], 10_000 + u16::try_from(n).expect("few connections")).into();
    let connection = recorder.connection(client, ([127, 0, 0, 1], 6455).into());
    let request = format!(
        "GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {n:022}==\r\n\r\n"
    );
    let response = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    let (up, down) = (Direction::ClientToServer, Direction::ServerToClient);
    let say = |direction, time, bytes: &[u8]| connection.record(&[Chunk { direction, time: Time(time), bytes }]);
    say(up, 0, request.as_bytes());
    say(down, 0, response.as_bytes());
    let mut frames = 0;
    let mut wire = Vec::new();
    while !enough(frames) {
        let text = format!("client: echo {frames}");
        let key = Some([0x37, 0xfa, 0x21, 0x3d]);
        wire.clear();
        FrameHead::new(true, Opcode::Text, key, text.len() as u64).encode_with(text.as_bytes(), &mut wire);
        frames += 1;
        say(up, frames * 1_000, &wire);
    }
    frames
}
