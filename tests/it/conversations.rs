//! Whole conversations, sound and broken, cut anywhere: nothing is lost, nothing depends on the cut, and the file gives what
//! was recorded.

use crate::support::{
    DEFLATE, DOWN, REQUEST, RESPONSE, UP, any_frame, cases, compressed_frame, everything, load, with_lines,
};
use framescope::capture::live::recorder::{Chunk, Recorder};
use framescope::capture::live::spool::Spool;
use framescope::proto::connection::Connection;
use framescope::proto::dissected::{Direction, DissectedRecord, EndReason, Kind, MAX_JUNK};
use framescope::proto::endpoint::{Endpoint, Limits};
use framescope::proto::rules::Rule;
use framescope::proto::time::Time;
use framescope::wire::opcode::Opcode;
use proptest::collection::vec;
use proptest::prelude::*;

type Said = (Direction, Vec<u8>);

fn said_by_client() -> impl Strategy<Value = Vec<u8>> {
    let long_head = [b"GET / HTTP/1.1\r\n".to_vec(), b"A: b\r\n".repeat(12_000)].concat();
    prop_oneof![
        3 => Just(REQUEST.as_bytes().to_vec()),
        2 => Just(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec()),
        1 => Just(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n".to_vec()),
        1 => Just(REQUEST.replace("User-Agent", "Content-Length: 5\r\nUser-Agent").into_bytes()),
        1 => Just(b"GET / HTTP/1.1\r\nUpgrade: h2c\r\nHost: a\r\n\r\n".to_vec()),
        1 => Just(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n".to_vec()),
        1 => Just(b"0\r\n\r\n".to_vec()),
        1 => Just(b"hello".to_vec()),
        1 => Just(vec![b'z'; 70_000]),
        1 => Just(long_head),
        1 => Just(vec![0x82; 1_100_000]),
        4 => any_frame(true),
        2 => vec(any::<u8>(), 0..100),
    ]
}

fn said_by_server() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => Just(RESPONSE.as_bytes().to_vec()),
        1 => Just(b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n".to_vec()),
        1 => Just(b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno".to_vec()),
        1 => Just(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()),
        1 => Just(b"HTTP/1.1 200 OK\r\n\r\nabc".to_vec()),
        1 => Just(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".to_vec()),
        4 => any_frame(false),
        1 => vec(any::<u8>(), 0..100),
    ]
}

fn conversation() -> impl Strategy<Value = Vec<Said>> {
    let said = prop_oneof![said_by_client().prop_map(|b| (UP, b)), said_by_server().prop_map(|b| (DOWN, b))];
    vec(said, 0..10)
}

fn dissected(talk: &[Said], step: usize) -> Vec<DissectedRecord> {
    let mut connection = Connection::new(None);
    let mut out = Vec::new();
    for (direction, bytes) in talk {
        for piece in bytes.chunks(step) {
            connection.feed(*direction, piece, Time(0), &mut out);
        }
    }
    for direction in Direction::BOTH {
        connection.end(direction, EndReason::Fin, Time(1), &mut out);
    }
    out
}

#[test]
fn the_part_inflated_before_an_error_is_judged_whatever_the_cut() {
    let with = |head: &str| with_lines(head, DEFLATE);
    // A stored block with a byte that is no UTF-8 (RFC 1951 §3.2.4), then a block of a type that does not exist.
    let payload = [0x00, 0x01, 0x00, 0xfe, 0xff, 0xff, 0x07];
    let message = compressed_frame(true, Opcode::Text, None, &payload);
    let talk = [(UP, with(REQUEST).into_bytes()), (DOWN, with(RESPONSE).into_bytes()), (DOWN, message)];
    let whole = dissected(&talk, usize::MAX);
    let rules: Vec<Rule> = whole.iter().flat_map(|record| &record.findings).map(|finding| finding.rule).collect();
    assert_eq!(rules[..2], [Rule::InflatedNotUtf8, Rule::InflateFailed]);
    for step in 1..8 {
        assert_eq!(dissected(&talk, step), whole, "in pieces of {step}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 500, ..cases(60) })]

    #[test]
    fn every_byte_is_in_one_record_whatever_the_cut(talk in conversation(), step in 1usize..5000) {
        let whole = dissected(&talk, usize::MAX);
        prop_assert!(dissected(&talk, step) == whole, "the cut shows");
        for direction in Direction::BOTH {
            let said: u64 = talk.iter().filter(|said| said.0 == direction).map(|said| said.1.len() as u64).sum();
            let mut at = 0;
            for record in whole.iter().filter(|record| record.direction == direction) {
                prop_assert_eq!(record.offset, at, "{:?}", record.kind);
                at += record.wire_len;
            }
            prop_assert_eq!(at, said);
        }
        prop_assert!(whole.iter().all(|record| record.kind != Kind::Junk || record.wire_len <= MAX_JUNK));
    }

    #[test]
    fn the_file_gives_the_recorded_bytes(talk in conversation(), step in 1usize..100_000, hold: bool) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.pcapng");
        let recorder = Recorder::new(Spool::keep(&path, false).expect("a spool"));
        let address = |text: &str| text.parse().expect("an address");
        let connection = recorder.connection(address("[::ffff:127.0.0.1]:50001"), address("[::ffff:127.0.0.1]:6455"));
        let mut clock = 0;
        for (direction, bytes) in &talk {
            for piece in bytes.chunks(step) {
                clock += 1;
                let chunk = Chunk { direction: *direction, time: Time(clock), bytes: piece };
                if hold { connection.record_soon(&[chunk]); } else { connection.record(&[chunk]); }
            }
        }
        for direction in Direction::BOTH {
            connection.end(direction, EndReason::Fin, Time(clock));
        }
        drop(connection);
        let capture = load(&path);
        prop_assert_eq!(capture.trouble().reason(), None);
        let (file, live) = (everything(&capture), everything(recorder.capture()));
        for (file, live) in file.iter().zip(&live) {
            prop_assert_eq!(&file.0, &live.0);
        }
        prop_assert!(file == live, "the file differs");
    }

    #[test]
    fn an_endpoint_does_the_same_whatever_the_cut(
        frames in vec(any_frame(true), 0..8), noise in vec(any::<u8>(), 0..400), step in 1usize..50,
    ) {
        let wire = [frames.concat(), noise].concat();
        let run = |step: usize| {
            let mut endpoint = Endpoint::server(Limits { message: 500 });
            let (mut out, mut events) = (Vec::new(), Vec::new());
            for piece in wire.chunks(step) {
                endpoint.receive(piece, &mut out, |event, _| events.push(format!("{event:?}")));
            }
            (out, events, endpoint.is_over())
        };
        prop_assert_eq!(run(usize::MAX), run(step));
    }
}
