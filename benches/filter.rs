//! How long a filter takes: `cargo bench --bench filter`.
//!
//! Evaluates each filter over a capture of ten million small frames (`-- 1000000` for another number) and builds its selection.
//! Prints the median of the rounds, its ratio to a plain pass over as many index entries (which shows what memory and processor
//! allow, so that the ratio means the same on every machine), and the longest time for which a connection would have waited for
//! the index lock. The bar for one comparison that needs only the index is 15 plain passes.

use std::time::{Duration, Instant};

use framescope::capture::live::recorder::{Chunk, Recorder};
use framescope::capture::live::spool::Spool;
use framescope::capture::query::filter::{Filter, FilterEvaluator};
use framescope::capture::query::selection::SelectedRecords;
use framescope::capture::store::Capture;
use framescope::proto::dissected::Direction;
use framescope::proto::time::Time;
use framescope::wire::frame::FrameHead;
use framescope::wire::opcode::Opcode;

const ROUNDS: usize = 5;

/// About as large as an index entry, which has 38 bytes.
type Entry = [u64; 5];

/// Entries of the plain pass: more than a processor's cache holds.
const ENTRIES: usize = 2_000_000;

/// Filters that need only the index, and a last one that reads bytes.
const FILTERS: [&str; 9] = [
    "op == ping",
    "op in {ping pong} and not fin",
    "dir == c2s and len > 64KiB",
    "len > 10 or mask or rsv1",
    "time > 3.5s and time < 4s",
    "finding",
    "finding == masking-key-zero and dir == c2s",
    "path == /echo and op == text",
    "op == text and text contains \"echo 999999\"",
];

fn main() {
    // `cargo test --benches` must only build it.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let records = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(10_000_000);
    let folder = tempfile::tempdir().expect("a folder");
    let recorder = capture(folder.path(), records);
    let capture = recorder.capture();
    let plain = plain_pass() * capture.len() as f64;
    println!("{} records, median of {ROUNDS}; a plain pass over as many entries: {:.1} ms", capture.len(), plain * 1e3);
    for text in FILTERS {
        let filter = Filter::parse(text).expect("a filter");
        let rounds = if filter.reads_bytes() { 1 } else { ROUNDS };
        let mut times: Vec<(Duration, Duration, u64)> = (0..rounds).map(|_| evaluate(&filter, capture)).collect();
        times.sort_unstable();
        let (time, longest, selected) = times[rounds / 2];
        let rate = capture.len() as f64 / time.as_secs_f64() / 1e6;
        println!(
            "{:>8.1} ms  ×{:<6.1}  {rate:>7.1} Mrecords/s  {selected:>9} selected  {:>6.2} ms at once  {text}",
            time.as_secs_f64() * 1e3,
            time.as_secs_f64() / plain,
            longest.as_secs_f64() * 1e3
        );
    }
}

/// Evaluates a filter: its time, the longest time between two calls of `go_on`, and the number of selected records.
fn evaluate(filter: &Filter, capture: &Capture) -> (Duration, Duration, u64) {
    let (start, mut asked, mut longest) = (Instant::now(), Instant::now(), Duration::ZERO);
    let mut selection = SelectedRecords::default();
    let whole = FilterEvaluator::new(filter, capture).extend(&mut selection, |_| {
        longest = longest.max(asked.elapsed());
        asked = Instant::now();
        true
    });
    assert!(whole.expect("read"));
    (start.elapsed(), longest, selection.len())
}

/// Seconds for each entry of a pass that compares one byte of each.
fn plain_pass() -> f64 {
    let entries: Vec<Entry> = (0..ENTRIES as u64).map(|n| [n, 20, n * 1_000, 1, n % 50]).collect();
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            let selected = entries.iter().filter(|entry| std::hint::black_box(entry)[4] as u8 == 9).count();
            assert_eq!(selected, ENTRIES / 50);
            start.elapsed().as_secs_f64() / ENTRIES as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}

fn chunk(direction: Direction, bytes: &[u8], n: usize) -> Chunk<'_> {
    Chunk { direction, time: Time(n as u64 * 1_000), bytes }
}

fn capture(folder: &std::path::Path, records: usize) -> Recorder {
    let recorder = Recorder::new(Spool::temporary_in(folder).expect("a spool"));
    let address = "127.0.0.1:6455".parse().expect("an address");
    let connection = recorder.connection(address, address);
    let handshake = "GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    let client = Direction::ClientToServer;
    connection.record(&[chunk(client, handshake.as_bytes(), 0)]);
    connection.record(&[chunk(Direction::ServerToClient, answer.as_bytes(), 0)]);
    let mut wire = Vec::new();
    for n in 0..records {
        // A masking key of zero is a finding.
        let key = if n % 100_000 == 7 { 0 } else { (n as u32).wrapping_mul(0x9e37_79b1) | 1 };
        let opcode = if n % 50 == 0 { Opcode::Ping } else { Opcode::Text };
        let text = format!("echo {n}");
        FrameHead::new(true, opcode, Some(key.to_be_bytes()), text.len() as u64)
            .encode_with(text.as_bytes(), &mut wire);
        if wire.len() > 60_000 || n + 1 == records {
            connection.record(&[chunk(client, &wire, n)]);
            wire.clear();
        }
    }
    recorder
}
