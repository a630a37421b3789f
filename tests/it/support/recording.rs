//! Captures that a test records.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use framescope::capture::live::recorder::{Chunk, ConnectionRecorder, Recorder};
use framescope::capture::live::spool::Spool;
use framescope::capture::store::Capture;
use framescope::proto::dissected::{Direction, EndReason};
use framescope::proto::time::Time;
use framescope::wire::opcode::Opcode;

use super::{DOWN, REQUEST, RESPONSE, UP, frame, handshake, with_lines};

/// 2026-11-22T19:30:00Z in nanoseconds.
pub const START: u64 = 1_795_375_800_000_000_000;

/// A live capture in a folder of its own. All its connections share one clock.
pub struct Recording {
    pub recorder: Recorder,
    /// The time of the latest chunk, in nanoseconds.
    pub clock: u64,
    /// The time from one chunk to the next, in nanoseconds.
    pub step: u64,
    keys: u32,
    folder: tempfile::TempDir,
}

impl Recording {
    pub fn new() -> Self {
        Self::into(|path| Spool::keep(path, false).expect("a spool"))
    }

    /// Into a ring of `size` bytes.
    pub fn ring(size: u64) -> Self {
        Self::into(|path| Spool::keep_ring(path, false, size).expect("a ring"))
    }

    fn into(spool: impl FnOnce(&Path) -> Spool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let recorder = Recorder::new(spool(&folder.path().join("a.pcapng")));
        Self { recorder, clock: START, step: 1_000_003, keys: 0x9e37_79b9, folder }
    }

    pub fn capture(&self) -> &Capture {
        self.recorder.capture()
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The files, the oldest first.
    pub fn files(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder()).expect("a folder");
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
        files.sort();
        files
    }

    /// The time of the latest chunk.
    pub fn now(&self) -> Time {
        Time(self.clock)
    }

    pub fn wait(&mut self, nanos: u64) {
        self.clock += nanos;
    }

    /// A connection from a port of this machine.
    pub fn connect(&self, port: u16) -> ConnectionRecorder {
        self.connect_from(SocketAddr::from(([127, 0, 0, 1], port)), SocketAddr::from(([127, 0, 0, 1], 6455)))
    }

    pub fn connect_from(&self, client: SocketAddr, server: SocketAddr) -> ConnectionRecorder {
        self.recorder.connection(client, server)
    }

    /// A connection from `port` after its handshake; request and response both have further `lines`.
    pub fn upgraded(&mut self, port: u16, lines: &str) -> ConnectionRecorder {
        let connection = self.connect(port);
        // Another key for each connection: 16 bytes.
        let key = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, format!("sixteen by{port:06}"));
        self.upgrade(&connection, "/ticker", &key, [lines; 2]);
        connection
    }

    /// Records a handshake; request and response have further lines.
    pub fn upgrade(&mut self, connection: &ConnectionRecorder, path: &str, key: &str, lines: [&str; 2]) {
        let [request, response] = handshake(path, key, lines);
        self.say(connection, UP, request.as_bytes());
        self.say(connection, DOWN, response.as_bytes());
    }

    /// Records bytes.
    pub fn say(&mut self, connection: &ConnectionRecorder, direction: Direction, bytes: &[u8]) {
        self.say_in_pieces(connection, direction, bytes, usize::MAX);
    }

    /// Records bytes in chunks of `piece` bytes.
    pub fn say_in_pieces(&mut self, connection: &ConnectionRecorder, direction: Direction, bytes: &[u8], piece: usize) {
        self.clock += self.step;
        let chunks = bytes.chunks(piece).map(|bytes| Chunk { direction, time: Time(self.clock), bytes });
        connection.record(&chunks.collect::<Vec<_>>());
    }

    /// The masking key of the next frame in this direction: looks like a browser's, is the same in each run.
    pub fn key(&mut self, direction: Direction) -> Option<[u8; 4]> {
        if direction == DOWN {
            return None;
        }
        self.keys = self.keys.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some(self.keys.rotate_left(13).to_be_bytes())
    }

    /// Records an unfragmented frame.
    pub fn frame(&mut self, connection: &ConnectionRecorder, direction: Direction, opcode: Opcode, payload: &[u8]) {
        let wire = frame(true, opcode, self.key(direction), payload);
        self.say(connection, direction, &wire);
    }

    /// Records a text message of `len` bytes.
    pub fn text(&mut self, connection: &ConnectionRecorder, direction: Direction, len: usize) {
        let text: String = format!("{} ", self.clock).chars().cycle().take(len).collect();
        self.frame(connection, direction, Opcode::Text, text.as_bytes());
    }
}

/// A recording of one connection.
pub struct Wire {
    pub recording: Recording,
    pub connection: ConnectionRecorder,
}

impl Wire {
    pub fn new() -> Self {
        Self::of(Recording::new())
    }

    /// Into a ring of `size` bytes.
    pub fn ring(size: u64) -> Self {
        Self::of(Recording::ring(size))
    }

    fn of(mut recording: Recording) -> Self {
        recording.step = 212_000;
        recording.clock -= recording.step;
        Self { connection: recording.connect(50_000), recording }
    }

    /// With a handshake.
    pub fn upgraded() -> Self {
        Self::new().upgrade([""; 2])
    }

    /// Records a handshake; request and response have further lines.
    pub fn upgrade(mut self, lines: [&str; 2]) -> Self {
        for (direction, head, lines) in [(UP, REQUEST, lines[0]), (DOWN, RESPONSE, lines[1])] {
            self.say(direction, with_lines(head, lines).as_bytes());
        }
        self
    }

    pub fn capture(&self) -> &Capture {
        self.recording.capture()
    }

    pub fn say(&mut self, direction: Direction, bytes: &[u8]) {
        self.recording.say(&self.connection, direction, bytes);
    }

    pub fn wait(&mut self, nanos: u64) {
        self.recording.wait(nanos);
    }

    pub fn text(&mut self, direction: Direction, text: &str) {
        let time = self.recording.clock + self.recording.step;
        let key = (direction == UP).then_some([0x37, 0xfa, 0x21, 0x3d ^ time.to_le_bytes()[2]]);
        self.say(direction, &frame(true, Opcode::Text, key, text.as_bytes()));
    }

    /// `echo 0` and its answer, and so on.
    pub fn ticks(&mut self, n: usize) {
        for i in 0..n {
            self.wait(1_000_000_000);
            self.text(DOWN, &format!("echo {i}"));
            self.text(UP, &format!("client: echo {i}"));
        }
    }
}

/// Three connections: an open one, one that answered pings and was closed in order, and one that was reset.
pub fn several() -> (Wire, Vec<ConnectionRecorder>) {
    let mut wire = Wire::upgraded();
    wire.ticks(3);
    let recording = &mut wire.recording;
    let (closed, torn) = (recording.connect(50_001), recording.connect(50_002));
    // The others send at the same time.
    let (clock, step) = (recording.clock, recording.step);
    (recording.clock, recording.step) = (START, 250_000_000);
    let request = REQUEST.replace("dGhl", "dGhm").replace("/ticker", "/chat?room=\u{1b}[31m");
    recording.say(&closed, UP, request.as_bytes());
    recording.say(&closed, DOWN, RESPONSE.replace("s3pP", "s3qP").as_bytes());
    for n in 0..5u8 {
        recording.say(&closed, DOWN, &frame(true, Opcode::Ping, None, &[n]));
        recording.say(&closed, UP, &frame(true, Opcode::Pong, Some([9, 9, 9, n]), &[n]));
        recording.say(&torn, UP, REQUEST.replace("dGhl", &format!("dGh{n}")).as_bytes());
    }
    recording.say(&closed, UP, &frame(true, Opcode::Close, Some([9, 9, 8, 1]), &[0x03, 0xe8]));
    recording.say(&closed, DOWN, &frame(true, Opcode::Close, None, &[0x03, 0xe8]));
    for direction in [DOWN, UP] {
        closed.end(direction, EndReason::Fin, recording.now());
    }
    torn.reset(DOWN, recording.now());
    (recording.clock, recording.step) = (clock, step);
    wire.wait(3_000_000_000);
    wire.ticks(2);
    (wire, vec![closed, torn])
}
