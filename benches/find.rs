//! Measures how fast a search passes through payloads: `cargo bench --bench find`.
//!
//! Searches 1 GiB of masked payload, in frames of several lengths, for text (ignoring case) and for bytes that do not occur.
//! Prints the median of the rounds in gigabytes of payload per second. The bar is 1.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use framescope::capture::live::recorder::{Chunk, Recorder};
use framescope::capture::live::spool::Spool;
use framescope::capture::query::search::{self, Pattern, Toward};
use framescope::proto::connection::Connection;
use framescope::proto::dissected::Direction;
use framescope::proto::time::Time;
use framescope::wire::frame::FrameHead;
use framescope::wire::opcode::Opcode;

const ROUNDS: usize = 5;

/// Bytes of payload to search.
const TOTAL: usize = 1 << 30;

fn main() {
    // `cargo test --benches` must only build it.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("{:>11}  {:>9}  {:<13}  GB/s (median of {ROUNDS})", "payload", "frames", "for");
    for len in [125, 1_024, 65_536, 1 << 20] {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let recorder = Recorder::new(Spool::temporary_in(folder.path()).expect("a spool"));
        let frames = if len < 1_000 { TOTAL / 8 / len } else { TOTAL / len };
        record(&recorder, len, frames);
        let bytes = (frames * len) as f64;
        for (what, typed, toward) in [
            ("text", "Needle", Toward::Later),
            ("text, earlier", "Needle", Toward::Earlier),
            ("bytes", "x 6e 65 65 64 6c 65", Toward::Later),
        ] {
            let pattern = Pattern::parse(typed).expect("a pattern");
            let mut rates: Vec<f64> = (0..ROUNDS)
                .map(|_| {
                    let (looked, cancel) = (AtomicU64::new(0), AtomicBool::new(false));
                    let begun = Instant::now();
                    let hit = search::find(recorder.capture(), &pattern, 1u64, toward, &looked, &cancel);
                    let seconds = begun.elapsed().as_secs_f64();
                    assert_eq!((hit, looked.load(Ordering::Relaxed)), (None, recorder.capture().len()));
                    bytes / seconds / 1e9
                })
                .collect();
            rates.sort_by(f64::total_cmp);
            println!("{len:>9} B  {frames:>9}  {what:<13}  {:.2}", rates[ROUNDS / 2]);
        }
    }
}

fn record(recorder: &Recorder, len: usize, frames: usize) {
    let address = "127.0.0.1:6455".parse().expect("an address");
    let connection = recorder.dissected_by(address, address, Connection::in_frames());
    let text = r#"{"level":"info","message":"nothing to see here","needl":17} "#.repeat(len / 60 + 1);
    let mut wire = Vec::new();
    for n in 0..frames {
        let key = Some((n as u32).wrapping_mul(0x9e37_79b1).to_be_bytes());
        FrameHead::new(true, Opcode::Text, key, len as u64).encode_with(&text.as_bytes()[..len], &mut wire);
        if wire.len() > 256 * 1024 || n + 1 == frames {
            connection.record(&[Chunk { direction: Direction::ClientToServer, time: Time(n as u64), bytes: &wire }]);
            wire.clear();
        }
    }
}
