//! Captures of correct peers: whatever a capture lacks or swaps, no peer is accused, and an export comes back the same.

use crate::roundtrip::comes_back;
use crate::support::packets::PLAIN;
use crate::support::tcp::{PSH_ACK, Segment, Tcp};
use crate::support::{REQUEST, RESPONSE, frame, opened};
use framescope::proto::rules::{Rule, Severity};
use framescope::wire::opcode::Opcode;

/// Connections that begin with other HTTP: a chunked body and a refused upgrade; a tunnel that needs a password.
fn beginnings() -> [Vec<(bool, String)>; 2] {
    let up = |text: &str| (true, text.to_owned());
    let down = |text: &str| (false, text.to_owned());
    let chunked = "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let connect = "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n";
    [
        vec![
            up(&format!("POST / HTTP/1.1\r\nHost: localhost\r\n{chunked}")),
            down(&format!("HTTP/1.1 200 OK\r\n{chunked}")),
            up(REQUEST),
            down("HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 2\r\n\r\nno"),
        ],
        vec![
            up(&format!("PROXY UNKNOWN\r\n{connect}")),
            down("HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno"),
            up(connect),
            down("HTTP/1.1 200 OK\r\n\r\n"),
        ],
    ]
}

/// A connection that ends with a handshake, a text each way and Closes. No segment is an acknowledgment alone.
fn segments(beginning: &[(bool, String)]) -> Vec<Segment> {
    let mut tcp = Tcp::open(7_000, 90_000);
    for (up, text) in beginning {
        tcp.send(*up, PSH_ACK, text.as_bytes());
    }
    let first = frame(true, Opcode::Text, None, b"with the head");
    tcp.send(true, PSH_ACK, REQUEST.as_bytes());
    tcp.send(false, PSH_ACK, &[RESPONSE.as_bytes(), &first].concat());
    tcp.send(true, PSH_ACK, &frame(true, Opcode::Text, Some([1, 0x9a, 0x3c, 7]), b"hello"));
    tcp.send(false, PSH_ACK, &frame(true, Opcode::Close, None, b"\x03\xe8"));
    tcp.send(true, PSH_ACK, &frame(true, Opcode::Close, Some([2, 0x9a, 0x3c, 7]), b"\x03\xe8"));
    tcp.close();
    tcp.segments
}

fn assert_accuses_nobody(segments: &[Segment], what: &str) {
    if segments.iter().all(|segment| segment.payload.is_empty()) {
        return;
    }
    let capture = opened(&PLAIN.file(segments));
    let records = capture.records(1..u64::MAX);
    let findings = records.iter().flat_map(|record| &record.findings).map(|finding| finding.rule);
    let accusing: Vec<&str> = findings.filter(|rule| rule.severity() != Severity::Info).map(Rule::id).collect();
    assert!(accusing.is_empty(), "{what}: {accusing:?}");
    comes_back(&capture).unwrap_or_else(|error| panic!("{what}: {error}"));
}

#[test]
fn no_lost_swapped_or_repeated_packet_accuses_a_correct_peer() {
    for (n, beginning) in beginnings().iter().enumerate() {
        let whole = segments(beginning);
        assert_accuses_nobody(&whole, &format!("{n}"));
        for at in 0..whole.len() {
            let lost = [&whole[..at], &whole[at + 1..]].concat();
            assert_accuses_nobody(&lost, &format!("{n} without {at}"));
            assert_accuses_nobody(&whole[at..], &format!("{n} from {at}"));
            assert_accuses_nobody(&whole[..=at], &format!("{n} until {at}"));
            let mut swapped = whole.clone();
            swapped.swap(at, (at + 1).min(whole.len() - 1));
            assert_accuses_nobody(&swapped, &format!("{n} with {at} swapped"));
            let repeated = [&whole[..=at], &whole[at..]].concat();
            assert_accuses_nobody(&repeated, &format!("{n} with {at} twice"));
        }
    }
}

#[test]
fn a_capture_of_one_direction_accuses_nobody() {
    for beginning in [vec![], beginnings()[0].clone()] {
        for up in [true, false] {
            let one: Vec<Segment> = segments(&beginning).into_iter().filter(|segment| segment.up == up).collect();
            assert_accuses_nobody(&one, if up { "client" } else { "server" });
        }
    }
}

#[test]
fn a_pong_that_was_captured_before_its_ping_answers_it() {
    let mut tcp = Tcp::open(7_000, 90_000);
    tcp.send(true, PSH_ACK, REQUEST.as_bytes());
    tcp.send(false, PSH_ACK, RESPONSE.as_bytes());
    let pings = tcp.segments.len();
    let pong = |n: u8, payload: &[u8]| frame(true, Opcode::Pong, Some([n, 0x9a, 0x3c, 7]), payload);
    for (n, payload) in (10..).zip([&b"one"[..], b"", b"two"]) {
        tcp.send(false, PSH_ACK, &frame(true, Opcode::Ping, None, payload));
        tcp.send(true, PSH_ACK, &pong(n, payload));
    }
    tcp.send(false, PSH_ACK, &frame(true, Opcode::Close, None, b"\x03\xe8"));
    tcp.send(true, PSH_ACK, &frame(true, Opcode::Close, Some([2, 0x9a, 0x3c, 7]), b"\x03\xe8"));
    tcp.close();
    for swapped in [&[0][..], &[2], &[4], &[0, 2, 4]] {
        let mut segments = tcp.segments.clone();
        swapped.iter().for_each(|at| segments.swap(pings + at, pings + at + 1));
        let capture = opened(&PLAIN.file(&segments));
        assert_eq!(capture.findings(0, 9), [], "{swapped:?}");
        comes_back(&capture).unwrap_or_else(|error| panic!("{swapped:?}: {error}"));
    }
    // One that nobody answers is still reported.
    let mut segments = tcp.segments.clone();
    segments.swap(pings, pings + 1);
    segments.retain(|segment| segment.payload != pong(12, b"two"));
    for segment in segments.iter_mut().skip(pings + 4).filter(|segment| segment.up) {
        segment.seq -= 9;
    }
    let findings = opened(&PLAIN.file(&segments)).findings(0, 9);
    let found: Vec<_> = findings.iter().map(|(_, finding)| (finding.rule, finding.number)).collect();
    assert_eq!(found, [(Rule::PingUnanswered, Some(1))]);
}
