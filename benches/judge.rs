//! Measures what checking the rules costs: `cargo bench --bench judge`.
//!
//! Dissects the same masked text frames, in pieces as a socket returns them, with the rules and without. Prints the median of
//! the rounds' ratios. The bar is two thirds of the rate without the rules.

use std::time::Instant;

use framescope::proto::connection::Connection;
use framescope::proto::dissected::Direction;
use framescope::proto::time::Time;
use framescope::wire::frame::FrameHead;
use framescope::wire::mask;
use framescope::wire::opcode::Opcode;

const ROUNDS: usize = 15;

/// Bytes of payload to dissect in a round.
const TOTAL: usize = 64 << 20;

/// Bytes of one read from a socket.
const PIECE: usize = 64 * 1024;

fn main() {
    // `cargo test --benches` must only build it.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("{:>9}  {:<6}  frames/s checked  unchecked  ratio (median of {ROUNDS})", "payload", "text");
    for len in [14, 125, 1024, 65_536] {
        for (what, pattern) in [("ASCII", "plain text "), ("UTF-8", "größer 文字 ")] {
            let text = pattern.repeat(len / pattern.len() + 1);
            let payload = &text.as_bytes()[..text.floor_char_boundary(len)];
            let frames = (TOTAL / len).min(1_000_000);
            let mut wire = Vec::new();
            for n in 0..frames as u32 {
                let key = (n.wrapping_mul(0x9e37_79b1) | 1).to_le_bytes();
                FrameHead::new(true, Opcode::Text, Some(key), payload.len() as u64).encode_with(payload, &mut wire);
            }
            let mut rounds: Vec<[f64; 2]> =
                (0..ROUNDS).map(|_| [false, true].map(|unjudged| frames as f64 / seconds(&wire, unjudged))).collect();
            rounds.sort_by(|a, b| (a[0] / a[1]).total_cmp(&(b[0] / b[1])));
            let [judged, plain] = rounds[ROUNDS / 2];
            println!("{len:>7} B  {what:<6}  {judged:>15.0}  {plain:>10.0}  {:.2}", judged / plain);
        }
    }
}

fn seconds(wire: &[u8], unjudged: bool) -> f64 {
    let mut connection = Connection::in_frames();
    if unjudged {
        connection = connection.unjudged();
    }
    let (mut out, mut payload) = (Vec::new(), Vec::new());
    let begun = Instant::now();
    for piece in wire.chunks(PIECE) {
        connection.feed(Direction::ClientToServer, piece, Time(0), &mut out);
        payload.clear();
        mask::append(&mut payload, std::hint::black_box(piece), [1, 2, 3, 4], 0);
        std::hint::black_box(&payload);
        assert!(out.iter().all(|record| record.findings.is_empty()));
        out.clear();
    }
    begun.elapsed().as_secs_f64()
}
