//! Measures parsing and unmasking of the same frames in memory: framescope, tungstenite 0.30 and fastwebsockets 0.10.
//!
//! ```text
//! cargo run --release
//! ```
//!
//! What each candidate does with a buffer of masked binary frames:
//!
//! - *wire*: framescope's `FrameHead::read` and `mask::apply`, in place, as the dissector and the views do.
//! - *endpoint*: framescope's `Endpoint::receive`, which also checks each head, joins fragments and returns messages in a
//!   buffer of its own. The server does this; it is comparable with the other two.
//! - *tungstenite*: `WebSocket::read` in the server's role over a reader of the buffer. Its frame parser alone does not
//!   unmask, and its masking function is private, so there is no lower function to call.
//! - *fastwebsockets*: `WebSocket::read_frame` in the server's role over the same reader, which is always ready; frames are
//!   not joined. One `block_on` around all frames of a pass, so that no runtime is measured.
//! - *xor*: no framing; each payload, whose position is known beforehand, is XORed in place with one byte, in a plain loop
//!   that the compiler vectorizes well. This is the bar for large payloads.
//!
//! The other two copy from their reader into their own buffer first, as they do from a socket; the endpoint copies once
//! too. All payloads are binary, so no candidate checks UTF-8. Rounds alternate; times are medians of rounds, ratios medians of
//! the rounds' ratios.

mod peers;

use std::hint::black_box;
use std::time::Instant;

use framescope::proto::endpoint::{Endpoint, Limits};
use framescope::wire::frame::FrameHead;
use framescope::wire::mask;
use framescope::wire::opcode::Opcode;

const LENGTHS: [usize; 5] = [14, 125, 1024, 65_536, 1 << 20];
const ROUNDS: usize = 15;

/// Approximate size of a buffer, and of the frames that a round processes, in bytes.
const BUFFER: usize = 512 * 1024;
const ROUND: usize = 64 << 20;

/// Consecutive frames, and the positions of their payloads.
pub struct Frames {
    pub wire: Vec<u8>,
    pub count: usize,
    len: usize,
    payloads: Vec<(usize, u8)>,
}

impl Frames {
    fn new(len: usize) -> Self {
        let count = (BUFFER / len).max(8);
        let payload: Vec<u8> = (0..len).map(|i| (i * 31) as u8).collect();
        let (mut wire, mut payloads) = (Vec::new(), Vec::new());
        for i in 0..count {
            let key = ((i as u32).wrapping_mul(0x9e37_79b1) ^ 0x37fa_213d).to_be_bytes();
            FrameHead::new(true, Opcode::Binary, Some(key), len as u64).encode_with(&payload, &mut wire);
            payloads.push((wire.len() - len, key[0]));
        }
        Self { wire, count, len, payloads }
    }
}

fn main() {
    println!("                         nanoseconds per frame                        GB/s   times as fast as");
    println!(
        "                                             fast-                            tungstenite      fastwebsockets"
    );
    println!(
        "  payload      wire  endpoint tungstenite websockets       xor    wire    wire endpoint   wire endpoint   wire/xor"
    );
    let mut failed = false;
    for len in LENGTHS {
        let mut frames = Frames::new(len);
        let passes = (ROUND / frames.wire.len()).max(1);
        // One connection per candidate, which keeps its state between frames.
        let mut server = Endpoint::server(Limits::default());
        let mut tungstenite = peers::Tungstenite::new(&frames);
        let mut fastwebsockets = peers::FastWebSockets::new(&frames);
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            rounds.push([
                timed(passes, || wire(&mut frames)),
                timed(passes, || endpoint(&mut server, &frames)),
                timed(passes, || tungstenite.pass(frames.count)),
                timed(passes, || fastwebsockets.pass(frames.count)),
                timed(passes, || xor(&mut frames)),
            ]);
            let last = rounds.last_mut().expect("a round");
            *last = last.map(|seconds| seconds * 1e9 / (passes * frames.count) as f64);
        }
        let time = |i: usize| median(rounds.iter().map(|r| r[i]));
        let ratio = |a: usize, b: usize| median(rounds.iter().map(|r| r[b] / r[a]));
        let [tungstenite, fast] = [2, 3].map(|peer| [ratio(0, peer), ratio(1, peer)]);
        let to_xor = ratio(0, 4);
        let ahead = tungstenite.iter().chain(&fast).all(|ratio| *ratio > 1.0);
        let ok = ahead && (len < 65_536 || to_xor >= 0.8);
        failed |= !ok;
        println!(
            "{len:9} {:9.1} {:9.1} {:11.1} {:10.1} {:9.1} {:7.1} {:7.2} {:8.2} {:6.2} {:8.2} {to_xor:10.2}  {}",
            time(0),
            time(1),
            time(2),
            time(3),
            time(4),
            len as f64 / time(0),
            tungstenite[0],
            tungstenite[1],
            fast[0],
            fast[1],
            if ok { "ok" } else { "BELOW" }
        );
    }
    std::process::exit(i32::from(failed));
}

/// Seconds for this many passes.
fn timed(passes: usize, mut pass: impl FnMut()) -> f64 {
    let begun = Instant::now();
    for _ in 0..passes {
        pass();
    }
    begun.elapsed().as_secs_f64()
}

/// Unmasks in place. The next pass masks again, which is the same work.
fn wire(frames: &mut Frames) {
    let mut rest = frames.wire.as_mut_slice();
    while let Some(head) = FrameHead::read(rest) {
        let (frame, after) = rest.split_at_mut(head.wire_len() as usize);
        let payload = &mut frame[head.header_len()..];
        if let Some(key) = head.masking_key {
            mask::apply(payload, key, 0);
        }
        black_box(payload);
        rest = after;
    }
}

fn endpoint(endpoint: &mut Endpoint, frames: &Frames) {
    let mut out = Vec::new();
    let mut seen = 0;
    // In pieces, as a transport reads them.
    for piece in frames.wire.chunks(256 * 1024) {
        endpoint.receive(piece, &mut out, |event, _| {
            black_box(event);
            seen += 1;
        });
    }
    assert_eq!(seen, frames.count);
}

fn xor(frames: &mut Frames) {
    for (at, key) in &frames.payloads {
        let payload = &mut frames.wire[*at..*at + frames.len];
        for byte in payload.iter_mut() {
            *byte ^= key;
        }
        black_box(payload);
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
