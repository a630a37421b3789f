//! Measures how long it takes to read any message of a long compressed connection: `cargo bench --bench inflate`.
//!
//! The connection uses context takeover (RFC 7692 §7.1.1), so that a message may refer to all messages before it. Reads messages
//! of several sizes all over the connection, each with a new reader that has no inflater near the message.

use std::time::Instant;

use framescope::capture::live::recorder::{Chunk, Recorder};
use framescope::capture::live::spool::Spool;
use framescope::capture::store::message_reader::MessageReader;
use framescope::proto::deflate::Deflater;
use framescope::proto::dissected::Direction;
use framescope::proto::time::Time;
use framescope::wire::frame::FrameHead;
use framescope::wire::opcode::Opcode;

const STEPS: u64 = 101;

/// Inflated bytes of all messages.
const TOTAL: usize = 100 << 20;

fn main() {
    // `cargo test --benches` must only build it.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("{:>9}  {:>9}  {STEPS} steps: median, longest", "message", "messages");
    for len in [20, 100, 1_000, 100_000] {
        let folder = tempfile::tempdir().expect("a folder");
        let recorder = Recorder::new(Spool::temporary_in(folder.path()).expect("a spool"));
        let messages = (TOTAL / len).min(2_000_000) as u64;
        record(&recorder, len, messages);
        let capture = recorder.capture();
        let mut times: Vec<f64> = (0..STEPS)
            .map(|i| {
                let no = 3 + (i * 7_919 * 7_919) % messages;
                let record = capture.record(no).expect("a record");
                let mut inflater = MessageReader::default();
                let begun = Instant::now();
                let message = inflater.message(capture, &record, 4096).expect("readable").expect("a message");
                assert_eq!(message.len, len as u64);
                begun.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        times.sort_by(f64::total_cmp);
        println!("{len:>7} B  {messages:>9}  {:.2} ms, {:.2} ms", times[times.len() / 2], times[times.len() - 1]);
    }
}

fn record(recorder: &Recorder, len: usize, messages: u64) {
    let address = "127.0.0.1:6455".parse().expect("an address");
    let connection = recorder.connection(address, address);
    let heads: [&[u8]; 2] = [
        b"GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
          Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
          Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
          Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
    ];
    for (direction, bytes) in Direction::BOTH.into_iter().zip(heads) {
        connection.record(&[Chunk { direction, time: Time(0), bytes }]);
    }
    let mut deflater = Deflater::new(15, true);
    let mut wire = Vec::new();
    for n in 0..messages {
        let mut text = format!("{n}: ");
        let mut state = n + 1;
        while text.len() < len {
            // One half repeats, the other half is noise.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str("level=info ");
            text.push_str(&state.to_string());
        }
        let mut payload = Vec::new();
        deflater.message(&text.as_bytes()[..len], &mut payload);
        let head = FrameHead { rsv1: true, ..FrameHead::new(true, Opcode::Text, None, payload.len() as u64) };
        head.encode_with(&payload, &mut wire);
        if wire.len() > 32 * 1024 || n + 1 == messages {
            connection.record(&[Chunk { direction: Direction::ServerToClient, time: Time(n), bytes: &wire }]);
            wire.clear();
        }
    }
}
