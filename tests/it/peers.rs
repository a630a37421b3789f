//! The ordinary traffic of other people's clients, and of our client with other people's servers, is judged without an error and without a warning.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{load, program};
use framescope::capture::live::recorder::Recorder;
use framescope::capture::live::spool::Spool;
use framescope::net::{Server, ServerConfig};
use framescope::proto::rules::{Finding, Severity};
use tungstenite::Message;

/// Where `.ci/run` installs the clients.
fn installed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers")
}

/// Lets a client talk to `/echo`; the findings, live and from the file, and how many messages were compressed.
fn judged(talk: impl FnOnce(&str)) -> (Vec<Finding>, usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.pcapng");
    let recorder = Recorder::new(Spool::keep(&path, false).expect("a spool"));
    let config = ServerConfig { listen: "127.0.0.1:0".parse().expect("an address"), ..ServerConfig::default() };
    let server = Server::bind(config).expect("a port");
    let handle = server.start(recorder.clone()).expect("a thread");
    let url = format!("ws://{}/echo", handle.address());
    talk(&url);
    assert!(handle.shutdown());
    let reopened = load(&path);
    let findings = recorder.capture().findings(0, usize::MAX);
    assert_eq!(reopened.findings(0, usize::MAX), findings);
    let compressed = reopened.records(1..u64::MAX).iter().filter(|record| record.compressed && record.fin()).count();
    (findings.into_iter().map(|(_, finding)| finding).collect(), compressed)
}

fn is_clean(mut client: Command) {
    let (findings, compressed) = judged(|url| {
        let output = client.arg(url).output().expect("the client runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    });
    assert!(findings.iter().all(|finding| finding.rule.severity() == Severity::Info), "{findings:?}");
    assert!(compressed > 20, "{compressed} messages were compressed");
}

#[test]
fn tungstenite() {
    let (findings, compressed) = judged(|url| {
        let (mut peer, _) = tungstenite::connect(url).expect("a handshake");
        for message in [Message::text("Hello"), Message::text(""), Message::binary(vec![0; 70_000])] {
            peer.send(message.clone()).expect("sent");
            assert_eq!(peer.read().expect("an echo"), message);
        }
        peer.send(Message::Ping("are you there?".into())).expect("sent");
        assert_eq!(peer.read().expect("a pong"), Message::Pong("are you there?".into()));
        peer.close(None).expect("sent");
        while peer.read().is_ok() {}
    });
    assert_eq!((findings, compressed), (Vec::new(), 0), "tungstenite offers no compression");
}

#[test]
#[ignore = "needs Python's websockets, which .ci/run installs"]
fn the_websockets_of_python() {
    let mut client = Command::new(installed().join("venv/bin/python"));
    client.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/websockets_client.py"));
    is_clean(client);
}

#[test]
#[ignore = "needs Node and npm's ws, which .ci/run installs"]
fn the_ws_of_npm() {
    let mut client = Command::new("node");
    client.env("NODE_PATH", installed().join("node_modules"));
    client.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/ws_client.js"));
    is_clean(client);
}

/// Runs `connect` against an echo server, which prints its URL first and ends after one client.
fn serves(mut server: Command) {
    let mut server = server.stdout(Stdio::piped()).spawn().expect("the server starts");
    let mut url = String::new();
    BufReader::new(server.stdout.take().expect("stdout")).read_line(&mut url).expect("a URL");
    let lines = format!("Hello\nHello\n/hex 00ff\n/fragment 3,4 gr\u{f6}\u{df}er\n/ping p\n{}\n", "x".repeat(70_000));
    let command = ["connect", url.trim(), "--headless", "--json"];
    let (status, out, err) = program::run_with(&command, lines.as_bytes());
    assert_eq!(status, Some(0), "{err}");
    assert!(server.wait().expect("the server ends").success());
    let records = out.lines().map(|line| serde_json::from_str(line).expect("an object"));
    let records: Vec<serde_json::Value> = records.collect();
    let of = |dir: &str, name: &str| {
        records.iter().filter(|record| record["dir"] == dir && record["opcode_name"] == name).count()
    };
    assert_eq!((of("s2c", "text"), of("s2c", "binary"), of("c2s", "pong"), of("s2c", "pong")), (4, 1, 1, 1));
    assert!(records.iter().filter(|record| record["rsv1"] == true).count() > 5, "compressed in both directions");
    let findings = records.iter().flat_map(|record| record["findings"].as_array().into_iter().flatten());
    assert_eq!(findings.filter(|finding| finding["severity"] != "info").count(), 0, "{out}");
}

#[test]
#[ignore = "needs Python's websockets, which .ci/run installs"]
fn a_server_with_the_websockets_of_python() {
    let mut server = Command::new(installed().join("venv/bin/python"));
    server.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/websockets_server.py"));
    serves(server);
}

#[test]
#[ignore = "needs Node and npm's ws, which .ci/run installs"]
fn a_server_with_the_ws_of_npm() {
    let mut server = Command::new("node");
    server.env("NODE_PATH", installed().join("node_modules"));
    server.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/ws_server.js"));
    serves(server);
}
