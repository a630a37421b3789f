//! Gaps of every length: recorded, opened again, written as pcapng and as NDJSON, and read back the same.

use framescope::capture::store::Capture;
use framescope::export::Format;
use framescope::proto::dissected::{Direction, Kind};
use framescope::wire::opcode::Opcode;
use proptest::prelude::*;

use crate::support::packets::PLAIN;
use crate::support::tcp::Tcp;
use crate::support::{DOWN, REQUEST, RESPONSE, UP, Wire, cases, everything, exported, frame, opened};

/// The largest offset in a stream, in bytes.
const MAX_STREAM: u64 = 1 << 62;

/// The lengths at which some number takes another form: the lengths of frames (RFC 6455 §5.2), the largest packet, sequence
/// numbers and their halves.
const EDGES: [u64; 8] = [1, 125, 126, 65_495, 65_535, 65_536, 1 << 31, 1 << 32];

/// Every length up to 130, and every one close to an edge.
fn lengths() -> impl Iterator<Item = u64> {
    (1..=130).chain(EDGES.into_iter().flat_map(|edge| edge.saturating_sub(2).max(131)..=edge + 2))
}

/// A frame that follows a gap.
const LATER: &[u8] = b"\x01\x02ab";

/// A capture in which `missing` bytes of a direction were lost after a message, with a frame after them.
fn with_gap(direction: Direction, missing: u64) -> Capture {
    let mut wire = Wire::upgraded();
    wire.text(direction, "before the gap");
    let capture = wire.capture();
    let before = capture.record(capture.len()).expect("the message");
    let offset = before.offset + before.wire_len;
    let mut lines = String::from_utf8(exported(capture, Format::Ndjson)).expect("UTF-8");
    let later = hex::encode(LATER);
    for (no, rest) in [
        (4, format!("\"type\":\"gap\",\"offset\":{offset},\"missing\":{missing}")),
        (5, format!("\"type\":\"frame\",\"offset\":{},\"wire\":\"{later}\"", offset + missing)),
    ] {
        let dir = direction.name();
        lines.push_str(&format!(
            "{{\"v\":1,\"no\":{no},\"conn\":1,\"dir\":\"{dir}\",\"time\":\"2026-11-22T19:30:07Z\",\"findings\":[],{rest}}}\n"
        ));
    }
    opened(lines.as_bytes())
}

/// Asserts that both formats that hold whole captures give every record back, and its bytes.
fn assert_comes_back(capture: &Capture, what: &str) {
    assert_eq!(capture.trouble().reason(), None, "{what}");
    let records = everything(capture);
    for format in [Format::Pcapng, Format::Ndjson] {
        let again = opened(&exported(capture, format));
        assert_eq!(again.trouble().reason(), None, "{what}, {format:?}");
        assert_eq!(everything(&again), records, "{what}, {format:?}");
    }
}

/// The lengths of the gaps in a direction.
fn gaps(capture: &Capture, direction: Direction) -> Vec<u64> {
    let records = capture.records(1..u64::MAX).into_iter();
    records.filter(|r| r.kind == Kind::Gap && r.direction == direction).map(|r| r.wire_len).collect()
}

#[test]
fn a_gap_of_every_length_comes_back_from_ndjson_and_pcapng() {
    for direction in [UP, DOWN] {
        let before = with_gap(direction, 1)
            .records(1..4)
            .iter()
            .filter(|r| r.direction == direction)
            .map(|r| r.wire_len)
            .sum::<u64>();
        let longest = MAX_STREAM - before - LATER.len() as u64;
        for missing in lengths().chain(longest - 2..=longest) {
            let capture = with_gap(direction, missing);
            assert_eq!(gaps(&capture, direction), [missing]);
            let last = capture.records(5..6).pop().expect("the frame after the gap");
            assert_eq!((last.kind, last.offset, last.wire_len), (Kind::Frame, before + missing, 4), "{missing}");
            assert_comes_back(&capture, &format!("{missing} bytes of {}", direction.name()));
        }
    }
}

/// A packet capture that lacks the segments with `missing` bytes, which the client acknowledged.
fn without_segments(missing: u32) -> Capture {
    let mut tcp = Tcp::open(7_000, 4_294_960_000);
    tcp.say(true, REQUEST.as_bytes());
    tcp.say(false, RESPONSE.as_bytes());
    tcp.say(false, &frame(true, Opcode::Text, None, b"before the gap"));
    tcp.next[1] = tcp.next[1].wrapping_add(missing);
    for text in ["after", "the", "gap"] {
        tcp.say(false, &frame(true, Opcode::Text, None, text.as_bytes()));
    }
    tcp.close();
    opened(&PLAIN.file(&tcp.segments))
}

#[test]
fn lost_packets_of_every_length_are_a_gap_that_comes_back() {
    // Half of the sequence numbers and more look like a repetition.
    for missing in lengths().filter(|missing| *missing < (1 << 31) - 2) {
        let capture = without_segments(missing as u32);
        assert_eq!(gaps(&capture, DOWN), [missing]);
        assert_comes_back(&capture, &format!("{missing} bytes in lost packets"));
    }
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn a_gap_of_any_length_comes_back(bits in 0u32..62, rest: u64, up: bool) {
        let missing = (1 << bits) + rest % (1 << bits);
        let direction = if up { UP } else { DOWN };
        let capture = with_gap(direction, missing.min(MAX_STREAM - 1_000));
        assert_comes_back(&capture, &format!("{missing} bytes"));
    }
}
