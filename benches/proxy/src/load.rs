//! The load client, with a framing of its own that costs as little as possible.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// A server that does not reply for this long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is sent.
#[derive(Clone, Copy)]
pub struct Shape {
    pub connections: usize,
    /// The length of a message in bytes.
    pub len: usize,
    /// The most messages of a connection without an echo.
    pub in_flight: usize,
    /// Messages of all connections together.
    pub total: usize,
}

/// Sends the messages of a shape and waits for their echoes; returns messages per second.
pub fn run(shape: &Shape, server: SocketAddr) -> f64 {
    let each = shape.total / shape.connections;
    let start = Barrier::new(shape.connections);
    let times: Vec<_> = thread::scope(|scope| {
        let client = || {
            let mut stream = connect(server);
            start.wait();
            let begun = Instant::now();
            echoes(&mut stream, shape, each);
            let ended = Instant::now();
            close(&mut stream);
            (begun, ended)
        };
        let clients: Vec<_> = (0..shape.connections).map(|_| scope.spawn(client)).collect();
        clients.into_iter().map(|client| client.join().expect("a client")).collect()
    });
    let begun = times.iter().map(|t| t.0).min().expect("a client");
    let ended = times.iter().map(|t| t.1).max().expect("a client");
    (each * shape.connections) as f64 / (ended - begun).as_secs_f64()
}

/// The median time of an echo of 14 bytes, one in flight, in microseconds.
pub fn median_time(server: SocketAddr, count: usize) -> f64 {
    let mut stream = connect(server);
    let (messages, echo) = messages(14);
    let mut buffer = vec![0; echo.len()];
    let mut times: Vec<Duration> = (0..count)
        .map(|i| {
            let begun = Instant::now();
            let at = i % 256 * (messages.len() / 256);
            stream.write_all(&messages[at..at + messages.len() / 256]).expect("written");
            stream.read_exact(&mut buffer).expect("an echo");
            begun.elapsed()
        })
        .collect();
    close(&mut stream);
    times.sort_unstable();
    times[count / 2].as_secs_f64() * 1e6
}

fn connect(server: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(server).expect("a connection");
    stream.set_nodelay(true).expect("no delay");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {server}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
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

/// Performs the closing handshake, so that the server is idle when the next round begins.
fn close(stream: &mut TcpStream) {
    stream.write_all(&frame(0x88, 1, &1000u16.to_be_bytes())).expect("written");
    let _ = stream.read_to_end(&mut Vec::new());
}

/// Sends `count` messages, and a further one for each echo.
fn echoes(stream: &mut TcpStream, shape: &Shape, count: usize) {
    let (messages, echo) = messages(shape.len);
    let one = messages.len() / 256;
    let mut buffer = vec![0; 256 << 10];
    let (mut sent, mut got) = (0, 0);
    while got < count * echo.len() {
        let mut due = count.min(got / echo.len() + shape.in_flight) - sent;
        while due > 0 {
            let at = sent % 256;
            let n = due.min(256 - at);
            stream.write_all(&messages[at * one..(at + n) * one]).expect("written");
            (sent, due) = (sent + n, due - n);
        }
        let n = stream.read(&mut buffer).expect("echoes");
        assert!(n > 0, "the server ended the connection");
        // Compare only the first complete frame: this is a benchmark, not a test.
        let skip = (echo.len() - got % echo.len()) % echo.len();
        assert!(skip + echo.len() > n || buffer[skip..skip + echo.len()] == echo[..], "a wrong echo");
        got += n;
    }
}

/// 256 frames with different masking keys (RFC 6455 §5.3), one after the other, and the echo of each.
fn messages(len: usize) -> (Vec<u8>, Vec<u8>) {
    let payload: Vec<u8> = (0..len).map(|i| b'a' + (i % 26) as u8).collect();
    let all = (0..256u32).flat_map(|i| frame(0x81, i.wrapping_mul(0x9e37_79b1) ^ 0x37fa_213d, &payload)).collect();
    let mut echo = vec![0x81];
    length(0, len, &mut echo);
    echo.extend_from_slice(&payload);
    (all, echo)
}

fn frame(first: u8, key: u32, payload: &[u8]) -> Vec<u8> {
    let (mut wire, key) = (vec![first], key.to_be_bytes());
    length(0x80, payload.len(), &mut wire);
    wire.extend_from_slice(&key);
    wire.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    wire
}

fn length(mask: u8, len: usize, wire: &mut Vec<u8>) {
    match u16::try_from(len).expect("a short message") {
        len @ ..126 => wire.push(mask | len as u8),
        len => wire.extend([&[mask | 126][..], &len.to_be_bytes()].concat()),
    }
}
