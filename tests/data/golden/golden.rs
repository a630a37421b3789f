//! Writes `v1.pcapng` and `v1.ndjson` with the writers of an earlier framescope. `make.sh` builds and runs this program in a checkout of
//! that version; nothing else compiles it.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use framescope::capture::import;
use framescope::capture::marks::Gap;
use framescope::capture::pcapng::{self, Segments};
use framescope::export::{Format, ExportOptions, Progress, export};
use framescope::proto::deflate::Deflater;
use framescope::proto::dissected::Direction;
use framescope::proto::time::Time;
use framescope::wire::frame::FrameHead;
use framescope::wire::opcode::Opcode;

const UP: Direction = Direction::ClientToServer;
const DOWN: Direction = Direction::ServerToClient;

/// 2026-11-22T19:30:00Z in nanoseconds.
const START: u64 = 1_795_375_800_000_000_000;

const REQUEST: &str = "GET /chat?room=1 HTTP/1.1\r\nHost: 127.0.0.1:6455\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Origin: http://example.com\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
const KEYS: [[u8; 4]; 2] = [[0x37, 0xfa, 0x21, 0x3d], [9, 8, 7, 6]];

/// A pcapng file under construction, and the connection that is written to it.
struct Golden {
    out: Vec<u8>,
    clock: u64,
    segments: Segments,
    connections: u32,
    keys: usize,
}

impl Golden {
    fn new() -> Self {
        let mut out = Vec::new();
        pcapng::file_head(&mut out, Some("from a test: these are not the bytes of the wire"));
        let mut golden = Self { out, clock: START, segments: segments(0), connections: 0, keys: 0 };
        golden.connect();
        golden
    }

    /// Begins a connection.
    fn connect(&mut self) {
        self.prepare();
        self.open();
    }

    fn prepare(&mut self) {
        self.segments = segments(self.connections);
        self.connections += 1;
    }

    fn open(&mut self) {
        let time = self.tick();
        self.segments.open(&mut self.out, time);
    }

    fn upgrade(&mut self) {
        self.send(UP, REQUEST.as_bytes());
        self.send(DOWN, RESPONSE.as_bytes());
    }

    fn tick(&mut self) -> Time {
        self.clock += 1_000_211;
        Time(self.clock)
    }

    fn send(&mut self, direction: Direction, bytes: &[u8]) {
        let time = self.tick();
        self.segments.data(&mut self.out, direction, bytes, time, &[]);
    }

    fn frame(&mut self, direction: Direction, fin: bool, opcode: Opcode, payload: &[u8]) {
        let key = (direction == UP).then(|| KEYS[self.keys % 2]);
        self.keys += 1;
        let mut wire = Vec::new();
        FrameHead::new(fin, opcode, key, payload.len() as u64).encode_with(payload, &mut wire);
        self.send(direction, &wire);
    }

    fn gap(&mut self, direction: Direction, missing: u64, to: Option<u64>, begins: Option<u64>) {
        let time = self.tick();
        self.segments.skip(&mut self.out, direction, (missing, Gap { to, begins }), time, &[]);
    }

    fn overlap(&mut self, direction: Direction, differing: u64) {
        let time = self.tick();
        self.segments.overlap(&mut self.out, direction, differing, time);
    }

    fn fin(&mut self, direction: Direction) {
        let time = self.tick();
        self.segments.fin(&mut self.out, direction, time, &[]);
    }

    fn unknown(&mut self, direction: Direction) {
        let time = self.tick();
        self.segments.unknown(&mut self.out, direction, time, &[]);
    }

    fn reset(&mut self, by: Direction) {
        let time = self.tick();
        self.segments.rst(&mut self.out, by, time, &[]);
    }
}

fn segments(serial: u32) -> Segments {
    let client = SocketAddr::from(([127, 0, 0, 1], 50_000 + serial as u16));
    Segments::new(client, ([127, 0, 0, 1], 6455).into(), serial)
}

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).expect("the folder to write to"));
    let pcapng = folder.join("v1.pcapng");
    fs::write(&pcapng, traffic()).expect("v1.pcapng is written");
    let (capture, loader) = import::open(&pcapng).expect("v1.pcapng opens");
    loader.run(&AtomicBool::new(false));
    assert_eq!(capture.trouble().reason(), None);
    write_ndjson(&capture, &folder.join("v1.ndjson"));
}

fn write_ndjson(capture: &framescope::capture::store::Capture, path: &Path) {
    let mut file = File::create(path).expect("v1.ndjson is created");
    export(capture, Format::Ndjson, &ExportOptions::default(), &mut file, &Progress::default()).expect("v1.ndjson is written");
}

fn traffic() -> Vec<u8> {
    let mut golden = Golden::new();

    // Frames of every kind, with findings; a segment that was repeated with other bytes; an end in order.
    golden.upgrade();
    golden.frame(DOWN, true, Opcode::Text, "naïve".as_bytes());
    golden.frame(UP, false, Opcode::Binary, &[0, 1, 2]);
    golden.frame(UP, true, Opcode::Ping, b"between");
    golden.frame(DOWN, true, Opcode::Pong, b"between");
    golden.overlap(UP, 1_203);
    golden.frame(UP, true, Opcode::Continuation, &[3]);
    let mut deflated = Vec::new();
    Deflater::new(15, true).message(b"compressed, compressed", &mut deflated);
    let head = FrameHead { rsv1: true, ..FrameHead::new(true, Opcode::Text, None, deflated.len() as u64) };
    let mut wire = Vec::new();
    head.encode_with(&deflated, &mut wire);
    golden.send(DOWN, &wire);
    // Unmasked, though the client sends it, and with a reserved opcode.
    golden.send(UP, b"\x83\x02ab");
    golden.frame(UP, true, Opcode::Close, b"\x03\xe8bye");
    golden.frame(DOWN, true, Opcode::Close, b"\x03\xe8");
    golden.fin(DOWN);
    golden.fin(UP);

    // Gaps: with and without the offsets of their markers. The second one is followed by a frame that its bytes alone do not prove.
    golden.connect();
    golden.upgrade();
    golden.frame(UP, true, Opcode::Text, b"before the gap");
    let (up, down) = (REQUEST.len() as u64 + 20, RESPONSE.len() as u64);
    golden.gap(UP, 5, None, None);
    golden.frame(UP, true, Opcode::Text, b"after the gap");
    golden.gap(DOWN, 5 << 30, Some(down + (5 << 30)), Some(down + (5 << 30)));
    golden.send(DOWN, b"\x01\x02ab");
    golden.gap(UP, 7, Some(up + 5 + 19 + 7), None);
    golden.frame(UP, true, Opcode::Text, b"after another gap");
    // A frame that ends inside its payload, one that ends inside its head.
    golden.send(DOWN, b"\x80\x05ab");
    golden.send(UP, b"\x82");
    golden.unknown(UP);
    golden.unknown(DOWN);

    // The server ends its direction, and then resets the connection: a finding names the server on the end of the client's direction.
    golden.connect();
    golden.upgrade();
    golden.frame(DOWN, true, Opcode::Text, b"goodbye");
    golden.fin(DOWN);
    golden.reset(DOWN);

    // So many bytes are missing that the SYN has another sequence number than the connection began with.
    golden.prepare();
    golden.segments.draw_near(DOWN, 3 << 30);
    golden.open();
    golden.gap(DOWN, 3 << 30, Some(3 << 30), Some(3 << 30));
    golden.frame(DOWN, true, Opcode::Text, b"far into the stream");
    golden.frame(UP, true, Opcode::Text, b"answer");
    golden.reset(UP);

    // A request and a response that end inside their heads.
    golden.connect();
    golden.send(UP, b"GET /page HTTP/1.1\r\nHost: 127.0.0.1:6455\r\n\r\n");
    golden.send(DOWN, b"HTTP/1.1 200 OK\r\nContent-Ty");
    golden.unknown(UP);
    golden.unknown(DOWN);
    golden.connect();
    golden.send(UP, b"POST /page HTTP/1.1\r\nHos");
    golden.fin(UP);
    golden.unknown(DOWN);

    // Bytes that are no HTTP and no frame.
    golden.connect();
    golden.send(DOWN, b"\x00\x01\x02\x03 neither HTTP nor a frame");
    golden.fin(DOWN);
    golden.unknown(UP);
    golden.out
}
