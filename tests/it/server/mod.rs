//! The server with real sockets: tungstenite and hand-made bytes as peers, everything recorded into a real file.

mod deflate;
mod echo;
mod hostile;
mod http;
mod life;
mod memory;
mod page;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use crate::support::{self, DOWN, RESPONSE, UP, bare_request, damage, everything, load, with_lines};
use framescope::capture::live::recorder::Recorder;
use framescope::capture::live::spool::Spool;
use framescope::capture::store::Capture;
use framescope::capture::store::record::Record;
use framescope::net::{ListenerHandle, Server, ServerConfig};
use framescope::proto::dissected::{Direction, EndReason, Kind};
use framescope::proto::rules::Severity;
use framescope::wire::opcode::Opcode;
use tungstenite::WebSocket;

/// The longest that a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server under test, its capture and its file.
struct Bench {
    handle: ListenerHandle,
    recorder: Recorder,
    path: PathBuf,
    changes: Mutex<Receiver<()>>,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut ServerConfig)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("live.pcapng");
        let recorder = Recorder::new(Spool::keep(&path, false).expect("a spool"));
        let (changed, changes) = sync_channel(1);
        recorder.capture().on_change(move || changed.try_send(()).unwrap_or_default());
        let mut config = ServerConfig { listen: "127.0.0.1:0".parse().expect("an address"), ..ServerConfig::default() };
        change(&mut config);
        let server = Server::bind(config).expect("a free port");
        let handle = server.start(recorder.clone()).expect("a thread");
        Self { handle, recorder, path, changes: Mutex::new(changes), _folder: folder }
    }

    fn address(&self) -> SocketAddr {
        self.handle.address()
    }

    fn capture(&self) -> &Capture {
        self.recorder.capture()
    }

    /// Waits until the condition `what` holds for the capture.
    fn wait(&self, what: &str, is_so: impl Fn(&Capture) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let changes = self.changes.lock().expect("one test, one thread");
        loop {
            self.capture().arm();
            if is_so(self.capture()) {
                return;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "not in time: {what}; there are {:#?}", self.capture().records(1..30));
            let _ = changes.recv_timeout(left);
        }
    }

    /// A plain connection.
    fn raw(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address()).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream.set_nodelay(true).expect("no delay");
        stream
    }

    /// A plain connection on which the handshake for `path` is done.
    fn upgraded(&self, path: &str) -> TcpStream {
        let mut stream = self.raw();
        stream.write_all(self.handshake(path).as_bytes()).expect("written");
        let head = read_head(&mut stream);
        assert_eq!(head, RESPONSE);
        stream
    }

    fn handshake(&self, path: &str) -> String {
        bare_request(path, &self.address().to_string())
    }

    /// tungstenite, connected to `path`.
    fn client(&self, path: &str) -> WebSocket<TcpStream> {
        tungstenite::client(format!("ws://{}{path}", self.address()), self.raw()).expect("a handshake").0
    }

    /// Shuts down within two seconds and compares the file with the live capture; returns the records with their bytes.
    fn finish(self) -> Vec<(Record, Vec<u8>)> {
        let begun = Instant::now();
        assert!(self.handle.shutdown(), "all threads ended");
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        let live = everything(self.recorder.capture());
        assert_eq!(self.recorder.capture().totals().open, 0);
        let reopened = load(&self.path);
        assert_eq!(damage(&reopened), None);
        assert!(
            everything(&reopened) == live,
            "the file gives other records than the live run: {}",
            difference(&everything(&reopened), &live)
        );
        live
    }
}

/// The first records that differ.
fn difference(reopened: &[(Record, Vec<u8>)], live: &[(Record, Vec<u8>)]) -> String {
    let pair = live.iter().zip(reopened).find(|(live, reopened)| live != reopened);
    format!("{} live, {} reopened; live and reopened: {pair:?}", live.len(), reopened.len())
}

fn without_errors(records: &[(Record, Vec<u8>)]) -> bool {
    records.iter().all(|(record, _)| record.severity() != Some(Severity::Error))
}

/// The payloads of the frames of that kind that went that way.
fn payloads(capture: &Capture, direction: Direction, opcode: Opcode) -> Vec<Vec<u8>> {
    let wanted = |record: &Record| {
        record.kind == Kind::Frame && record.direction == direction && record.opcode() == Some(opcode)
    };
    let records = capture.records(1..u64::MAX).into_iter().filter(wanted);
    records.map(|record| capture.payload(&record, 0..u64::MAX).expect("bytes")).collect()
}

/// A masked frame.
fn frame(fin: bool, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    support::frame(fin, opcode, Some([0x37, 0xfa, 0x21, 0x3d]), payload)
}

fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("a response head");
        head.push(byte[0]);
    }
    String::from_utf8(head).expect("ASCII")
}

/// Everything until the server ends the connection.
fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("an orderly end");
    bytes
}
