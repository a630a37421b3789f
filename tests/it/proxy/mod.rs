//! The proxy with real sockets on both sides: what each peer sends reaches the other, and is recorded.

mod ends;
mod forward;
mod hold;
mod http;
mod relay;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use rustix::net::sockopt::{Timeout, set_socket_timeout};

use crate::support::program::Program;
use crate::support::{DOWN, RESPONSE, UP, bare_request, damage, everything, frame, load};
use framescope::capture::format::proxied::Proxied;
use framescope::capture::live::recorder::Recorder;
use framescope::capture::live::spool::Spool;
use framescope::capture::store::Capture;
use framescope::capture::store::record::Record;
use framescope::net::ListenerHandle;
use framescope::net::proxy::{Proxy, ProxyConfig, StartError};
use framescope::proto::dissected::{Direction, EndReason, Kind};
use framescope::wire::opcode::Opcode;

/// The longest that a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(10);

/// An address on which nothing listens: port 1 is reserved for the system.
const UNREACHABLE: &str = "127.0.0.1:1";

/// A proxy under test, the server that it connects to, and its capture.
struct Bench {
    handle: ListenerHandle,
    server: TcpListener,
    recorder: Recorder,
    path: PathBuf,
    changes: Mutex<Receiver<()>>,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self::to("")
    }

    /// A proxy with this base path.
    fn to(base: &str) -> Self {
        let server = TcpListener::bind("127.0.0.1:0").expect("a port");
        set_socket_timeout(&server, Timeout::Recv, Some(PATIENCE)).expect("a timeout");
        let target = format!("ws://{}{base}", server.local_addr().expect("an address"));
        Self::with(server, &target, |_| {})
    }

    fn with(server: TcpListener, target: &str, change: impl FnOnce(&mut ProxyConfig)) -> Self {
        let mut config = ProxyConfig::new("127.0.0.1:0".parse().expect("an address"), target.parse().expect("a URL"));
        change(&mut config);
        Self::relaying(server, |recorder| Proxy::bind(config).expect("a free port").start(recorder).expect("a thread"))
    }

    /// What `start` starts, and a server.
    fn relaying(server: TcpListener, start: impl FnOnce(Recorder) -> ListenerHandle) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("live.pcapng");
        let recorder = Recorder::new(Spool::keep(&path, false).expect("a spool"));
        let (changed, changes) = sync_channel(1);
        recorder.capture().on_change(move || changed.try_send(()).unwrap_or_default());
        let handle = start(recorder.clone());
        Self { handle, server, recorder, path, changes: Mutex::new(changes), _folder: folder }
    }

    /// A proxy whose server cannot be reached.
    fn unreachable() -> Self {
        let server = TcpListener::bind("127.0.0.1:0").expect("a port");
        Self::with(server, &format!("ws://{UNREACHABLE}"), |_| {})
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

    /// A client.
    fn client(&self) -> TcpStream {
        patient(TcpStream::connect(self.address()).expect("a connection"))
    }

    /// The server's end of the next connection.
    fn accept(&self) -> TcpStream {
        patient(self.server.accept().expect("a connection of the proxy").0)
    }

    /// Both ends of a WebSocket connection whose handshake is done.
    fn open(&self) -> (TcpStream, TcpStream) {
        let mut client = self.client();
        client.write_all(bare_request("/", &self.address().to_string()).as_bytes()).expect("written");
        let mut server = self.accept();
        read_head(&mut server);
        server.write_all(RESPONSE.as_bytes()).expect("written");
        assert_eq!(read_head(&mut client), RESPONSE);
        (client, server)
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
        assert!(everything(&reopened) == live, "the file gives other records than the live run");
        let notes = |capture: &Capture| live.iter().map(|(record, _)| capture.note(record.no)).collect::<Vec<_>>();
        assert_eq!(notes(&reopened), notes(self.recorder.capture()));
        assert_eq!(proxied(&reopened), proxied(self.recorder.capture()));
        live
    }
}

/// A listener whose queue is full: the system answers no further connection to its address. Keep the connections in the queue.
fn full() -> (TcpListener, SocketAddr, Vec<TcpStream>) {
    let full = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = full.local_addr().expect("an address");
    rustix::net::listen(&full, 0).expect("a short queue");
    let mut queued = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(50)) {
        queued.push(stream);
        assert!(queued.len() < 100, "the queue has a limit");
    }
    (full, address, queued)
}

/// A stream whose reads and writes end in any case.
fn patient(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.set_write_timeout(Some(PATIENCE)).expect("a timeout");
    stream.set_nodelay(true).expect("no delay");
    stream
}

/// The bytes of a direction as recorded.
fn recorded(records: &[(Record, Vec<u8>)], direction: Direction) -> Vec<u8> {
    let sent =
        records.iter().filter(|(record, _)| record.direction == direction && !matches!(record.kind, Kind::End(_)));
    sent.flat_map(|(_, wire)| wire.iter().copied()).collect()
}

/// What the proxy did with records, by their numbers.
fn proxied(capture: &Capture) -> Vec<(u64, Proxied)> {
    (1..=capture.len()).filter_map(|no| Some((no, capture.proxied(no)?))).collect()
}

/// How each direction ended.
fn ends(records: &[(Record, Vec<u8>)], direction: Direction) -> Vec<EndReason> {
    let end = |(record, _): &(Record, Vec<u8>)| match record.kind {
        Kind::End(how) if record.direction == direction => Some(how),
        _ => None,
    };
    records.iter().filter_map(end).collect()
}

fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("a head");
        head.push(byte[0]);
    }
    String::from_utf8(head).expect("ASCII")
}

fn read(stream: &mut TcpStream, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    stream.read_exact(&mut bytes).expect("bytes");
    bytes
}

fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("an orderly end");
    bytes
}
