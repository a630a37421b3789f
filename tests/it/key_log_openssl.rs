//! Captures of OpenSSL: its suites, resumption, renegotiation, key updates and forms of handshake, decrypted as by tshark.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::thread;
use std::time::Instant;

use crate::key_log_peers::{Folder, PATIENCE, Relay, Server, compare};
use crate::support::tcp::{Segment, reordered};

/// A line for which the server sends back the reversed one.
const LINE: &str = "first line\n";

/// The client renegotiates, updates its keys, or asks the server to update its keys too: commands of s_client.
const COMMANDS: [(&str, &str); 3] = [("R\n", "RENEGOTIATING"), ("k\n", "KEYUPDATE"), ("K\n", "KEYUPDATE")];

/// How client and server talk.
struct Case {
    name: &'static str,
    /// Options of both.
    both: Vec<&'static str>,
    server: Vec<&'static str>,
    client: Vec<&'static str>,
    /// What the client types.
    typed: Vec<&'static str>,
}

impl Case {
    fn new(name: &'static str, both: &[&'static str]) -> Self {
        Self { name, both: both.to_vec(), server: Vec::new(), client: Vec::new(), typed: vec![LINE, "second line\n"] }
    }

    /// The segments of `connections` connections, each of which resumes the one before, and the key log.
    fn talk(&self, connections: usize) -> (Vec<Segment>, Vec<u8>) {
        let folder = Folder::new();
        let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let mut command = Command::new("openssl");
        command.args(["s_server", "-rev", "-quiet", "-accept", &format!("127.0.0.1:{free}")]);
        command.args(&self.both).args(&self.server);
        command.arg("-key").arg(folder.path("key.pem")).arg("-cert").arg(folder.path("cert.pem"));
        command.arg("-keylogfile").arg(folder.path("openssl.keys"));
        let _server = Server(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("openssl runs"));
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", free)).is_err() && Instant::now() < deadline {
            thread::yield_now();
        }
        let relay = Relay::to(free);
        let session = folder.path("session.pem");
        for n in 0..connections {
            let mut command = Command::new("openssl");
            command.args(["s_client", "-connect", &format!("127.0.0.1:{}", relay.port)]);
            command.args(&self.both).args(&self.client);
            command.arg(if n == 0 { "-sess_out" } else { "-sess_in" }).arg(&session);
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut client = command.spawn().expect("openssl runs");
            let mut answers = BufReader::new(client.stdout.take().expect("piped"));
            let mut reports = BufReader::new(client.stderr.take().expect("piped"));
            let input = client.stdin.take().expect("piped");
            self.type_lines(input, &mut answers, &mut reports);
            // At the end of its input, the client ends.
            let mut rest = Vec::new();
            let _ = answers.read_to_end(&mut rest);
            let _ = client.wait();
        }
        (relay.segments(), std::fs::read(folder.path("openssl.keys")).expect("a key log"))
    }

    fn type_lines(&self, mut input: ChildStdin, answers: &mut impl BufRead, reports: &mut impl BufRead) {
        for typed in &self.typed {
            input.write_all(typed.as_bytes()).expect("written");
            match COMMANDS.iter().find(|(command, _)| command == typed) {
                Some((_, report)) => self.await_line(reports, report),
                None => self.await_line(answers, &typed.trim().chars().rev().collect::<String>()),
            }
        }
    }

    fn await_line(&self, lines: &mut impl BufRead, expected: &str) {
        let mut line = String::new();
        while !line.contains(expected) {
            line.clear();
            assert!(lines.read_line(&mut line).expect("read") > 0, "{}: no {expected:?}", self.name);
        }
    }
}

/// Compares what was said in several cases, each with so many connections, in order and reordered. Returns the segments and key logs.
fn check(what: &str, cases: &[(Case, usize)]) -> (Vec<Segment>, Vec<u8>) {
    let (mut all, mut key_logs) = (Vec::new(), Vec::new());
    for (n, (case, connections)) in cases.iter().enumerate() {
        let (mut segments, key_log) = case.talk(*connections);
        // All are between the same ports.
        let distance = 0x0123_4567 * (n as u32 + 1);
        for segment in &mut segments {
            segment.seq = segment.seq.wrapping_add(distance);
            segment.ack = if segment.ack == 0 { 0 } else { segment.ack.wrapping_add(distance) };
        }
        all.extend(segments);
        key_logs.extend(key_log);
    }
    let connections = cases.iter().map(|(_, connections)| connections).sum::<usize>();
    for segments in [all.clone(), reordered(&all)] {
        assert_eq!(compare(&format!("OpenSSL, {what}"), &segments, &key_logs).0, connections);
    }
    (all, key_logs)
}

#[test]
#[ignore = "needs tshark and OpenSSL"]
fn each_suite_and_resumption_of_openssl_are_decrypted_as_by_tshark() {
    let of_1_2 = [
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-ECDSA-AES128-CCM",
        "ECDHE-ECDSA-AES256-CCM",
        "ECDHE-ECDSA-AES128-CCM8",
        "ECDHE-ECDSA-AES256-CCM8",
    ];
    let of_1_3 = [
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_AES_128_CCM_SHA256",
        "TLS_AES_128_CCM_8_SHA256",
    ];
    let with_key = ["PSK-AES128-GCM-SHA256", "PSK-AES256-CCM8", "DHE-PSK-CHACHA20-POLY1305"];
    let of_1_2 = of_1_2.map(|suite| (Case::new(suite, &["-tls1_2", "-cipher", suite]), 2));
    let of_1_3 = of_1_3.map(|suite| (Case::new(suite, &["-tls1_3", "-ciphersuites", suite]), 2));
    let with_key = with_key.map(|suite| (Case::new(suite, &["-tls1_2", "-psk", "1a2b", "-cipher", suite]), 1));
    let cases: Vec<_> = of_1_2.into_iter().chain(of_1_3).chain(with_key).collect();
    check("suites", &cases);
}

#[test]
#[ignore = "needs tshark and OpenSSL"]
fn each_form_of_a_session_of_openssl_is_decrypted_as_by_tshark() {
    let mut updated = Case::new("key updates", &["-tls1_3"]);
    updated.typed = vec![LINE, "K\n", LINE, "k\n", "k\n", "K\n", LINE, LINE];
    let mut retried = Case::new("HelloRetryRequest", &["-tls1_3"]);
    retried.server = vec!["-groups", "P-384"];
    retried.client = vec!["-groups", "X25519:P-384"];
    let mut small = Case::new("small records", &["-tls1_3", "-max_send_frag", "512"]);
    small.server = vec!["-record_padding", "300"];
    let cases = [
        (updated, 2),
        (retried, 2),
        (small, 2),
        (Case::new("PSK", &["-tls1_3", "-psk", "1a2b3c4d"]), 1),
        (Case::new("padding", &["-tls1_3", "-record_padding", "1000"]), 2),
        (Case::new("no middlebox", &["-tls1_3", "-no_middlebox"]), 2),
        (Case::new("session ids", &["-tls1_2", "-no_ticket"]), 2),
        (Case::new("small records of TLS 1.2", &["-tls1_2", "-max_send_frag", "512"]), 2),
    ];
    check("forms", &cases);
}

/// With `MAKE_ASSETS=1` it writes `tests/data/renegotiated.records` and its key log.
#[test]
#[ignore = "needs tshark and OpenSSL"]
fn renegotiation_of_openssl_is_decrypted_as_by_tshark() {
    let case = |suite, ticket: &[&'static str]| {
        let mut case = Case::new("renegotiation", &[&["-tls1_2", "-cipher", suite], ticket].concat());
        case.server = vec!["-client_renegotiation"];
        case.typed = vec![LINE, "R\n", "second line\n", "R\n", "third line\n"];
        (case, 1)
    };
    let [gcm, chacha] = ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"];
    let cases = [case(gcm, &[]), case(gcm, &["-no_ticket"]), case(chacha, &[]), case(chacha, &["-no_ticket"])];
    check("renegotiation", &cases);
    if std::env::var_os("MAKE_ASSETS").is_some() {
        let (segments, key_log) = check("renegotiation", &cases[..1]);
        let line = |segment: &Segment| {
            let direction = if segment.up { "c2s" } else { "s2c" };
            format!("{direction} {}\n", hex::encode(&segment.payload))
        };
        let said = segments.iter().filter(|segment| !segment.payload.is_empty());
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
        std::fs::write(data.join("renegotiated.records"), said.map(line).collect::<String>()).expect("written");
        std::fs::write(data.join("renegotiated.keys"), key_log).expect("written");
    }
}
