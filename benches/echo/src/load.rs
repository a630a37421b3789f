//! The load client, with a framing of its own that costs as little as possible.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use framescope::wire::frame::FrameHead;
use framescope::wire::opcode::Opcode;

/// Approximate size of one write of a pipelining client in bytes.
const PIECE: usize = 64 * 1024;

/// A server that does not reply for this long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// One measurement.
pub struct Case {
    pub pipelined: bool,
    /// Length of a message in bytes.
    pub len: usize,
    pub connections: usize,
    /// Messages of all connections together.
    pub total: usize,
    /// The least ratio to pass.
    pub bar: f64,
}

impl Case {
    /// The name of the case, such as `inflight-1024-4`.
    pub fn name(&self) -> String {
        let mode = if self.pipelined { "pipelined" } else { "inflight" };
        format!("{mode}-{}-{}", self.len, self.connections)
    }
}

/// Sends `1 / fraction` of the case's messages and waits for their echoes; returns messages per second.
pub fn run(case: &Case, server: SocketAddr, fraction: usize) -> f64 {
    let each = case.total / case.connections / fraction;
    let start = Barrier::new(case.connections);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..case.connections)
            .map(|_| {
                scope.spawn(|| {
                    let mut stream = connect(server);
                    start.wait();
                    let begun = Instant::now();
                    if case.pipelined {
                        pipelined(&stream, case.len, each)
                    } else {
                        in_flight(&mut stream, case.len, each)
                    }
                    let ended = Instant::now();
                    close(&mut stream);
                    (begun, ended)
                })
            })
            .collect();
        let times: Vec<_> = clients.into_iter().map(|client| client.join().expect("a client")).collect();
        let begun = times.iter().map(|t| t.0).min().expect("a client");
        let ended = times.iter().map(|t| t.1).max().expect("a client");
        (each * case.connections) as f64 / (ended - begun).as_secs_f64()
    })
}

fn connect(server: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(server).expect("a connection");
    stream.set_nodelay(true).expect("no delay");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let request = format!(
        "GET /echo HTTP/1.1\r\nHost: {server}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("written");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("a response");
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    stream
}

/// Performs the closing handshake, so that the server is idle when the next case begins.
fn close(stream: &mut TcpStream) {
    stream.write_all(&frame(Opcode::Close, Some(1), &1000u16.to_be_bytes())).expect("written");
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
}

fn pipelined(stream: &TcpStream, len: usize, count: usize) {
    let (mut sender, mut receiver) = (stream, stream);
    let payload = payload(len);
    let in_piece = (PIECE / (len + 14)).max(1);
    let piece: Vec<u8> =
        (0..in_piece).flat_map(|i| frame(Opcode::Text, Some(key(i)), &payload)).collect();
    let in_frame = piece.len() / in_piece;
    let echo = frame(Opcode::Text, None, &payload);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut left = count * in_frame;
            while left > 0 {
                let n = left.min(piece.len());
                sender.write_all(&piece[..n]).expect("written");
                left -= n;
            }
        });
        let mut buffer = vec![0; 256 * 1024];
        let (mut got, wanted) = (0, count * echo.len());
        while got < wanted {
            let n = receiver.read(&mut buffer).expect("echoes");
            assert!(n > 0, "the server ended the connection");
            // Compare only the first complete frame: this is a benchmark, not a test.
            let skip = (echo.len() - got % echo.len()) % echo.len();
            assert!(skip + echo.len() > n || buffer[skip..skip + echo.len()] == echo[..], "a wrong echo");
            got += n;
        }
        assert_eq!(got, wanted);
    });
}

fn in_flight(stream: &mut TcpStream, len: usize, count: usize) {
    let payload = payload(len);
    // Each frame has a masking key of its own (RFC 6455 §5.3), so that framescope has no findings.
    let messages: Vec<_> = (0..256).map(|i| frame(Opcode::Text, Some(key(i)), &payload)).collect();
    let echo = frame(Opcode::Text, None, &payload);
    let mut buffer = vec![0; echo.len()];
    for message in messages.iter().cycle().take(count) {
        stream.write_all(message).expect("written");
        stream.read_exact(&mut buffer).expect("an echo");
        assert!(buffer == echo, "a wrong echo");
    }
}

fn payload(len: usize) -> Vec<u8> {
    (0..len).map(|i| b'a' + (i % 26) as u8).collect()
}

/// A masking key. The keys of 2^32 frames differ.
fn key(i: usize) -> u32 {
    (i as u32).wrapping_mul(0x9e37_79b1) ^ 0x37fa_213d
}

fn frame(opcode: Opcode, key: Option<u32>, payload: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    FrameHead::new(true, opcode, key.map(u32::to_be_bytes), payload.len() as u64).encode_with(payload, &mut wire);
    wire
}
