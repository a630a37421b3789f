//! What ten million records cost: `cargo bench --bench scale [-- RECORDS]`.
//!
//! Small frames of one connection, of a hundred that take turns, and of a thousand that take turns frame by frame; recorded live,
//! then opened again, each in a process of its own. Prints the resident memory per record beyond that of the program without a
//! capture (at most 64 bytes are wanted), the time of a draw at 120×36 (at most 4 ms), and the time of the slowest key with its
//! draw (at most 50 ms).
//!
//! Then records as many into a ring of 512 MiB and into one file: the records that are kept, and the longest time for which a
//! connection waits until its records are written. The same bytes are also appended to a plain file on the same disk, one write for
//! each commit; the printed ratio is to the longest of these writes, because a disk that stalls makes every program wait. The bar
//! for a ring is 3 times the longest wait of the plain file. Files are written below TMPDIR if it is set, else below target/tmp.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
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

/// This many connections take turns frame by frame, all others commit by commit.
const ONE_EACH: u64 = 1000;

/// Bytes that a packet of the capture has beside its payload: the block's 32, and the IPv4 and TCP headers.
const PACKET: usize = 32 + 20 + 20;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [mode, path, records, connections] if ["ring", "file", "plain"].contains(&mode.as_str()) => {
            let (records, connections) = (records.parse().expect("a number"), connections.parse().expect("a number"));
            write(mode, Path::new(path), records, connections);
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
    let folder = new_folder();
    for connections in [1, 100, ONE_EACH] {
        let path = folder.path().join(format!("{connections}.pcapng"));
        for mode in ["live", "opened"] {
            print!("{}", child(mode, &path, records, connections));
        }
        std::fs::remove_file(path).expect("removed");
    }
    println!("\nwritten into        connections   records kept  resident beyond  longest wait  ratio to plain appends");
    for connections in [1, 100] {
        let mut plain = None;
        for (mode, name) in [("plain", "plain appends"), ("file", "a file"), ("ring", "a ring of 512 MiB")] {
            let folder = new_folder();
            let printed = child(mode, &folder.path().join("a.pcapng"), records, connections);
            let mut numbers = printed.split_whitespace().map(|number| number.parse::<f64>().expect("a number"));
            let [kept, beyond, longest] = std::array::from_fn(|_| numbers.next().expect("three numbers"));
            let ratio = longest / *plain.get_or_insert(longest);
            println!("{name:<19} {connections:>11} {kept:>14} {beyond:>13.1} MB {longest:>10.2} ms  ×{ratio:.1}");
        }
    }
}

/// A folder for files that are measured.
fn new_folder() -> tempfile::TempDir {
    let parent = std::env::var_os("TMPDIR").map_or_else(|| env!("CARGO_TARGET_TMPDIR").into(), PathBuf::from);
    tempfile::tempdir_in(parent).expect("a folder")
}

/// Measures in a process of its own; returns what that prints.
fn child(mode: &str, path: &Path, records: u64, connections: u64) -> String {
    let mut child = Command::new(std::env::current_exe().expect("the path of this program"));
    child.arg(mode).arg(path).args([records, connections].map(|n| n.to_string()));
    let output = child.output().expect("it starts");
    assert!(output.status.success(), "{mode} failed: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// Records into a ring or into one file, or appends the same bytes to a plain file. Prints the number of records that are kept, the
/// resident memory beyond that of the start in megabytes, and the longest wait in milliseconds.
fn write(mode: &str, path: &Path, records: u64, connections: u64) {
    let before = resident();
    if mode == "plain" {
        let longest = append(path, records);
        println!("0 {} {longest}", (resident() - before) / 1e6);
        return;
    }
    let ring = mode == "ring";
    let spool = if ring { Spool::keep_ring(path, false, 512 << 20) } else { Spool::keep(path, false) };
    let recorder = Recorder::new(spool.expect("a spool"));
    let longest = record(&recorder, records, connections);
    let totals = recorder.capture().totals();
    println!("{} {} {longest}", totals.kept(), (resident() - before) / 1e6);
}

/// Appends to a file what [`record`] makes a capture write, a write for each commit. Returns the longest write in milliseconds.
fn append(path: &Path, records: u64) -> f64 {
    let mut file = File::create(path).expect("a file");
    let mut longest = 0f64;
    let mut block = Vec::new();
    for n in 0..records / 2 {
        block.clear();
        for wire in frames(n) {
            block.extend_from_slice(&[0; PACKET]);
            block.extend_from_slice(&wire);
            block.resize(block.len().next_multiple_of(4), 0);
        }
        let begun = Instant::now();
        file.write_all(&block).expect("written");
        longest = longest.max(begun.elapsed().as_secs_f64() * 1e3);
    }
    longest
}

/// The frames of a round: from the server, and the masked answer of the client.
fn frames(n: u64) -> [Vec<u8>; 2] {
    let mut frames = [Vec::new(), Vec::new()];
    let text = format!("echo {n}");
    FrameHead::new(true, Opcode::Text, None, text.len() as u64).encode_with(text.as_bytes(), &mut frames[0]);
    let text = format!("client: {text}");
    let key = Some(((n as u32).wrapping_mul(0x9e37_79b1) | 1).to_be_bytes());
    FrameHead::new(true, Opcode::Text, key, text.len() as u64).encode_with(text.as_bytes(), &mut frames[1]);
    frames
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

/// Records handshakes and frames. Returns the time of the slowest commit in milliseconds.
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
        let frames = frames(n);
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

/// Milliseconds for a draw, and for the slowest key with its draw.
fn screen(capture: &Capture) -> (f64, f64) {
    let setting = Session { url: None, file: Some("a.pcapng".to_owned()), formats: Vec::new(), ..Session::default() };
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
