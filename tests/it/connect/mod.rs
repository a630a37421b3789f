//! `framescope connect`, and scripts: the built program against our own server, tungstenite, raw sockets and a terminal.

mod lines;
mod refused;
mod replay;
mod screen;
mod scripts;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::support::program;
use framescope::capture::live::recorder::Recorder;
use framescope::capture::live::spool::Spool;
use framescope::net::{ListenerHandle, Server, ServerConfig};
use framescope::proto::accept::accept_key;
use framescope::wire::http::{self, Head};
use serde_json::Value;

/// The longest that a peer waits for bytes.
const PATIENCE: Duration = Duration::from_secs(10);

/// Our own server, and its recorder.
fn server(change: impl FnOnce(&mut ServerConfig)) -> (ListenerHandle, Recorder) {
    let folder = tempfile::tempdir().expect("a folder");
    let recorder = Recorder::new(Spool::temporary_in(folder.path()).expect("a spool"));
    let mut config = ServerConfig { listen: "127.0.0.1:0".parse().expect("an address"), ..ServerConfig::default() };
    change(&mut config);
    let handle = Server::bind(config).expect("a port").start(recorder.clone()).expect("a thread");
    (handle, recorder)
}

/// A server that serves one connection with `serve`, and its URL.
fn peer<T: Send + 'static>(serve: impl FnOnce(TcpStream) -> T + Send + 'static) -> (String, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("ws://{}/chat", listener.local_addr().expect("an address"));
    let serve = move || {
        let (stream, _) = listener.accept().expect("a client");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        serve(stream)
    };
    (url, thread::spawn(serve))
}

/// Reads the head of the request.
fn request(stream: &mut TcpStream) -> Vec<u8> {
    let mut input = Vec::new();
    while http::head_len(&input, 0).is_none() {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("a request");
        input.push(byte[0]);
    }
    input
}

/// Accepts the handshake, with a further header line; returns the request.
fn accept(stream: &mut TcpStream, line: &str) -> Vec<u8> {
    let head = request(stream);
    let accept = accept_key(Head::read(&head).value("sec-websocket-key").expect("a key"));
    let response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n{line}\r\n"
    );
    stream.write_all(response.as_bytes()).expect("sent");
    head
}

/// Runs `connect --headless --json` with lines on stdin: the exit status, the records and stderr.
fn connect(url: &str, arguments: &[&str], lines: &str) -> (Option<i32>, Vec<Value>, String) {
    let command = [&["connect", url, "--headless", "--json"], arguments].concat();
    let (status, out, err) = program::run_with(&command, lines.as_bytes());
    let records = out.lines().map(|line| serde_json::from_str(line).expect("an object on each line")).collect();
    (status, records, err)
}

/// Direction, opcode and text of each frame.
fn frames(records: &[Value]) -> Vec<(&str, &str, &str)> {
    let frames = records.iter().filter(|record| record["type"] == "frame");
    frames.map(|record| (text(record, "dir"), text(record, "opcode_name"), text(record, "text"))).collect()
}

/// The text under a key, inflated if the message was compressed; empty if there is none.
fn text<'a>(record: &'a Value, key: &str) -> &'a str {
    let inflated = record["inflated"].as_str().filter(|_| key == "text");
    inflated.or(record[key].as_str()).unwrap_or_default()
}
