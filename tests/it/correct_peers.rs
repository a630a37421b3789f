//! Captures of correct peers: whatever a capture lacks or swaps, no peer is accused, and an export comes back the same.

use std::collections::BTreeSet;

use crate::roundtrip::comes_back;
use crate::support::packets::PLAIN;
use crate::support::tcp::{PSH_ACK, Segment, Tcp};
use crate::support::{DEFLATE, REQUEST, RESPONSE, compressed_frame, deflated, frame, opened, with_lines};
use framescope::proto::deflate::Deflater;
use framescope::proto::rules::{Rule, Severity};
use framescope::wire::opcode::Opcode;
use proptest::collection::btree_set;
use proptest::prelude::*;

/// Who says what: true for the client.
type Said = (bool, Vec<u8>);

fn up(text: &str) -> Said {
    (true, text.as_bytes().to_vec())
}

fn down(text: &str) -> Said {
    (false, text.as_bytes().to_vec())
}

/// Connections that begin with other HTTP: a chunked body and a refused upgrade; a tunnel that needs a password.
fn beginnings() -> [Vec<Said>; 2] {
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

/// A handshake, a text each way and Closes.
fn websocket() -> Vec<Said> {
    let first = frame(true, Opcode::Text, None, b"with the head");
    vec![
        up(REQUEST),
        (false, [RESPONSE.as_bytes(), &first].concat()),
        (true, frame(true, Opcode::Text, Some([1, 0x9a, 0x3c, 7]), b"hello")),
        (false, frame(true, Opcode::Close, None, b"\x03\xe8")),
        (true, frame(true, Opcode::Close, Some([2, 0x9a, 0x3c, 7]), b"\x03\xe8")),
    ]
}

/// Compressed messages, in fragments too, and a Ping with its Pong.
fn compressed() -> Vec<Said> {
    let mut deflaters = [Deflater::new(15, true), Deflater::new(15, true)];
    let key = |n: u8| Some([n, 0x9a, 0x3c, 7]);
    let [down_1, down_2] =
        [b"a text, a text".as_slice(), b"a text again"].map(|text| deflated(&mut deflaters[0], text));
    let [up_1, up_2] = [b"an answer".as_slice(), b"an answer again"].map(|text| deflated(&mut deflaters[1], text));
    let (start, rest) = down_2.split_at(3);
    vec![
        (true, with_lines(REQUEST, DEFLATE).into_bytes()),
        (false, with_lines(RESPONSE, DEFLATE).into_bytes()),
        (false, compressed_frame(true, Opcode::Text, None, &down_1)),
        (true, compressed_frame(true, Opcode::Text, key(1), &up_1)),
        (false, compressed_frame(false, Opcode::Text, None, start)),
        (false, frame(true, Opcode::Ping, None, b"there?")),
        (true, frame(true, Opcode::Pong, key(2), b"there?")),
        (false, frame(true, Opcode::Continuation, None, rest)),
        (true, compressed_frame(true, Opcode::Text, key(3), &up_2)),
        (true, frame(true, Opcode::Close, key(4), b"\x03\xe8")),
        (false, frame(true, Opcode::Close, None, b"\x03\xe8")),
    ]
}

/// TLS: nothing of it is read.
fn encrypted() -> Vec<Said> {
    vec![
        (true, b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03".to_vec()),
        (false, b"\x16\x03\x03\x00\x05\x02\x00\x00\x01\x03".to_vec()),
        (true, b"\x17\x03\x03\x00\x04GET ".to_vec()),
        (false, b"\x17\x03\x03\x00\x02\x81\x00".to_vec()),
    ]
}

/// A client that does not wait for the response: the only one here that is at fault.
fn early() -> Vec<Said> {
    let mut talk = websocket();
    talk.swap(1, 2);
    talk
}

/// The conversations, one packet for each thing said.
pub fn conversations() -> Vec<Vec<Segment>> {
    let [refused, tunnel] = beginnings().map(|beginning| [beginning, websocket()].concat());
    let talks = [websocket(), refused, tunnel, compressed(), encrypted(), early()];
    talks.iter().map(|talk| segments(talk)).collect()
}

/// A connection without acknowledgments alone.
fn segments(talk: &[Said]) -> Vec<Segment> {
    let mut tcp = Tcp::open(7_000, 90_000);
    talk.iter().for_each(|(up, bytes)| tcp.send(*up, PSH_ACK, bytes));
    tcp.close();
    tcp.segments
}

fn without(segments: &[Segment], lost: &BTreeSet<usize>) -> Vec<Segment> {
    let kept = segments.iter().enumerate().filter(|(at, _)| !lost.contains(at));
    kept.map(|(_, segment)| segment.clone()).collect()
}

/// The rules of findings that accuse a peer.
fn accusing(segments: &[Segment]) -> BTreeSet<&'static str> {
    let records = opened(&PLAIN.file(segments)).records(1..u64::MAX);
    let rules = records.iter().flat_map(|record| &record.findings).map(|finding| finding.rule);
    rules.filter(|rule| rule.severity() != Severity::Info).map(Rule::id).collect()
}

/// Nobody is accused of more than in the whole capture, `allowed`, and an export comes back the same.
fn judge(segments: &[Segment], allowed: &BTreeSet<&str>) -> Result<(), TestCaseError> {
    if segments.iter().all(|segment| segment.payload.is_empty()) {
        return Ok(());
    }
    let accusing = accusing(segments);
    prop_assert!(accusing.is_subset(allowed), "{:?}", accusing);
    comes_back(&opened(&PLAIN.file(segments)))
}

fn assert_judged(segments: &[Segment], allowed: &BTreeSet<&str>, what: &str) {
    judge(segments, allowed).unwrap_or_else(|error| panic!("{what}: {error}"));
}

#[test]
fn only_the_early_client_is_at_fault() {
    let found: Vec<_> = conversations().iter().map(|whole| accusing(whole).into_iter().collect::<Vec<_>>()).collect();
    assert_eq!(found, [vec![], vec![], vec![], vec![], vec![], vec![Rule::DataBeforeResponse.id()]]);
}

#[test]
fn no_lost_swapped_or_repeated_packet_accuses_a_correct_peer() {
    for (n, whole) in conversations().iter().enumerate() {
        let allowed = accusing(whole);
        for at in 0..whole.len() {
            let lost = without(whole, &[at].into());
            assert_judged(&lost, &allowed, &format!("{n} without {at}"));
            assert_judged(&whole[at..], &allowed, &format!("{n} from {at}"));
            assert_judged(&whole[..=at], &allowed, &format!("{n} until {at}"));
            let mut swapped = whole.clone();
            swapped.swap(at, (at + 1).min(whole.len() - 1));
            assert_judged(&swapped, &allowed, &format!("{n} with {at} swapped"));
            let repeated = [&whole[..=at], &whole[at..]].concat();
            assert_judged(&repeated, &allowed, &format!("{n} with {at} twice"));
        }
    }
}

#[test]
fn no_two_lost_packets_accuse_a_correct_peer() {
    for (n, whole) in conversations().iter().enumerate() {
        let allowed = accusing(whole);
        for one in 0..whole.len() {
            for two in 0..one {
                let left = without(whole, &[one, two].into());
                assert_judged(&left, &allowed, &format!("{n} without {two} and {one}"));
            }
        }
    }
}

proptest! {
    #[test]
    fn no_lost_packets_accuse_a_correct_peer(talk in 0usize..6, lost in btree_set(0usize..17, 3..8)) {
        let whole = &conversations()[talk];
        judge(&without(whole, &lost), &accusing(whole))?;
    }
}

#[test]
fn a_capture_of_one_direction_accuses_nobody() {
    for whole in conversations() {
        for up in [true, false] {
            let one: Vec<Segment> = whole.iter().filter(|segment| segment.up == up).cloned().collect();
            assert_judged(&one, &BTreeSet::new(), if up { "client" } else { "server" });
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
