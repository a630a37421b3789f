//! Captures of other people's TLS: the decrypted bytes are those that tshark decrypts.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::packets::PLAIN;
use crate::support::tcp::{PSH_ACK, Segment, Tcp, reordered};
use crate::support::tls::{Peers, suites};
use crate::support::{DOWN, REQUEST, RESPONSE, UP, everything};
use framescope::capture::import::{self, ImportOptions};
use framescope::capture::store::Capture;
use framescope::proto::dissected::Direction;

/// How long a client may take.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A relay in front of a server, which writes down the connections through it.
pub struct Relay {
    pub port: u16,
    talks: Arc<Mutex<Vec<Tcp>>>,
    /// How many connections are open.
    open: Arc<Mutex<usize>>,
}

impl Relay {
    pub fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (talks, open) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(0)));
        let relay = Self { port, talks: Arc::clone(&talks), open: Arc::clone(&open) };
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                let n = {
                    let mut talks = talks.lock().expect("not poisoned");
                    let first = 0x1000_0000u32.wrapping_mul(talks.len() as u32 + 1);
                    talks.push(Tcp::open(first, first ^ 0x0555_5555));
                    talks.len() - 1
                };
                let sides = [(client.try_clone(), server.try_clone(), true), (Ok(server), Ok(client), false)];
                for (from, to, up) in sides {
                    let (talks, open) = (Arc::clone(&talks), Arc::clone(&open));
                    *open.lock().expect("not poisoned") += 1;
                    thread::spawn(move || {
                        pass(from.expect("a socket"), to.expect("a socket"), up, n, &talks);
                        *open.lock().expect("not poisoned") -= 1;
                    });
                }
            }
        });
        relay
    }

    /// The segments of all connections, after they have ended.
    pub fn segments(&self) -> Vec<Segment> {
        let deadline = Instant::now() + PATIENCE;
        while *self.open.lock().expect("not poisoned") > 0 && Instant::now() < deadline {
            thread::yield_now();
        }
        let mut talks = self.talks.lock().expect("not poisoned");
        talks.iter_mut().for_each(Tcp::close);
        talks.iter().flat_map(|tcp| tcp.segments.clone()).collect()
    }
}

/// Passes the bytes of one direction on, and writes them down first.
fn pass(mut from: TcpStream, mut to: TcpStream, up: bool, n: usize, talks: &Mutex<Vec<Tcp>>) {
    let mut piece = [0; 1400];
    while let Ok(len @ 1..) = from.read(&mut piece) {
        talks.lock().expect("not poisoned")[n].send(up, PSH_ACK, &piece[..len]);
        if to.write_all(&piece[..len]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// A server that ends with the test.
pub struct Server(pub Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder with a certificate, its key, and what the programs write.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
        std::fs::write(folder.path().join("cert.pem"), own.cert.pem()).expect("written");
        std::fs::write(folder.path().join("key.pem"), own.signing_key.serialize_pem()).expect("written");
        Self(folder)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Starts a server of Node; returns its port.
    fn node(&self, version: &str, what: &str) -> (Server, u16) {
        let mut command = Command::new("node");
        command.arg(format!("--tls-keylog={}", self.path("node.keys").display()));
        command.arg(peer("tls_server.js")).args([self.path("key.pem"), self.path("cert.pem")]).args([version, what]);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("node runs");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        (Server(child), line.trim().parse().expect("a port"))
    }
}

fn peer(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name)
}

/// The bytes of a direction of a connection.
fn said(capture: &Capture, connection: u32, direction: Direction) -> Vec<u8> {
    let own = everything(capture).into_iter();
    let own = own.filter(|(record, _)| record.direction == direction && record.connection == connection);
    own.flat_map(|(_, wire)| wire).collect()
}

/// The decrypted bytes of each connection as tshark follows them, of the client and of the server.
fn followed(file: &Path, key_log: &Path, connections: usize) -> Vec<[Vec<u8>; 2]> {
    let mut command = Command::new("tshark");
    command.args(["-r"]).arg(file).args(["-d", "tcp.port==80,tls", "-o", "tcp.reassemble_out_of_order:TRUE", "-o"]);
    command.arg(format!("tls.keylog_file:{}", key_log.display())).arg("-q");
    for stream in 0..connections {
        command.args(["-z", &format!("follow,tls,raw,{stream}")]);
    }
    let output = command.output().expect("tshark runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut all = vec![[Vec::new(), Vec::new()]; connections];
    let (mut stream, mut is_reversed) = (0, false);
    for line in String::from_utf8(output.stdout).expect("text").lines() {
        if let Some(number) = line.strip_prefix("Filter: tcp.stream eq ") {
            stream = number.parse().expect("a number");
        } else if line.starts_with("Node 0:") {
            // Node 0 is the side whose data tshark decrypts first.
            is_reversed = line.ends_with(":80");
        } else if line.trim().bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let side = usize::from(line.starts_with('\t') != is_reversed);
            all[stream][side].extend(hex::decode(line.trim()).expect("hex"));
        }
    }
    all
}

/// Compares each connection of a capture with what tshark decrypts. Returns how many there are, and how many bytes.
pub fn compare(what: &str, segments: &[Segment], key_log: &[u8]) -> (usize, usize) {
    let folder = Folder::new();
    let (file, keys) = (folder.path("a.pcap"), folder.path("a.keys"));
    std::fs::write(&file, PLAIN.file(segments)).expect("written");
    std::fs::write(&keys, key_log).expect("written");
    let options = ImportOptions { key_log: Some(keys.clone()), ..ImportOptions::default() };
    let (capture, loader) = import::open_with(&file, options).expect("a capture");
    loader.run(&AtomicBool::new(false));
    let connections = capture.totals().connections;
    assert_eq!(capture.totals().decrypted, connections, "{what}: {:?}", capture.trouble().reason());
    let mut bytes = 0;
    for (stream, theirs) in followed(&file, &keys, connections as usize).into_iter().enumerate() {
        let ours = [UP, DOWN].map(|direction| said(&capture, stream as u32 + 1, direction));
        let lengths = [&ours, &theirs].map(|sides| [sides[0].len(), sides[1].len()]);
        assert!(ours == theirs, "{what}, connection {}: {lengths:?}", stream + 1);
        bytes += ours.concat().len();
    }
    eprintln!("{what}: {connections} connections, {bytes} bytes, the same");
    (connections as usize, bytes)
}

fn succeeds(mut command: Command) {
    let output = command.output().expect("the program runs");
    assert!(output.status.success(), "{:?} {}", output.status, String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "needs tshark and Node"]
fn node_is_decrypted_as_by_tshark() {
    for version in ["TLSv1.2", "TLSv1.3"] {
        let folder = Folder::new();
        let (_server, port) = folder.node(version, "echo");
        let relay = Relay::to(port);
        let mut client = Command::new("node");
        client.arg(peer("tls_client.js")).arg(relay.port.to_string());
        succeeds(client);
        let segments = relay.segments();
        let key_log = std::fs::read(folder.path("node.keys")).expect("a key log");
        for segments in [segments.clone(), reordered(&segments)] {
            let (connections, bytes) = compare(&format!("Node {version}"), &segments, &key_log);
            assert_eq!((connections, bytes), (2, 4 * 35_000));
        }
    }
}

#[test]
#[ignore = "needs tshark, Node and Chromium"]
fn chromium_is_decrypted_as_by_tshark() {
    for version in ["TLSv1.2", "TLSv1.3"] {
        let folder = Folder::new();
        let (_server, port) = folder.node(version, "page");
        let relay = Relay::to(port);
        let keys = folder.path("chromium.keys");
        for _ in 0..2 {
            let mut command = Command::new("chromium");
            command.args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
            ]);
            command.args(["--ignore-certificate-errors", "--timeout=5000", "--dump-dom"]);
            command.arg(format!("--ssl-key-log-file={}", keys.display()));
            command.arg(format!("--user-data-dir={}", folder.path("profile").display()));
            command.arg(format!("https://127.0.0.1:{}/", relay.port));
            succeeds(command);
        }
        let segments = relay.segments();
        let key_log = std::fs::read(&keys).expect("a key log");
        for segments in [segments.clone(), reordered(&segments)] {
            let (connections, bytes) = compare(&format!("Chromium {version}"), &segments, &key_log);
            assert!(connections >= 2 && bytes > 100_000, "{connections} connections, {bytes} bytes");
        }
    }
}

#[test]
#[ignore = "needs tshark"]
fn rustls_is_decrypted_as_by_tshark() {
    for suite in suites() {
        let peers = Peers::new(suite, None);
        let is_tls_1_3 = matches!(suite, rustls::SupportedCipherSuite::Tls13(_));
        let mut segments = Vec::new();
        for n in 0..2u32 {
            let mut talk = peers.connect(&[1400]);
            talk.shake_hands();
            talk.say(true, REQUEST.as_bytes());
            talk.say(false, RESPONSE.as_bytes());
            if is_tls_1_3 {
                talk.update_keys(true);
                talk.update_keys(false);
            }
            for up in [true, false] {
                talk.say(up, &[7; 50_000]);
            }
            talk.close();
            let moved = talk.segments().iter().cloned().map(|mut segment| {
                segment.seq = segment.seq.wrapping_add(n * 0x1234_5678);
                segment.ack = if segment.ack == 0 { 0 } else { segment.ack.wrapping_add(n * 0x1234_5678) };
                segment
            });
            segments.extend(moved);
        }
        for segments in [segments.clone(), reordered(&segments)] {
            assert_eq!(compare(&format!("rustls {:?}", suite.suite()), &segments, peers.log().as_bytes()).0, 2);
        }
    }
}
