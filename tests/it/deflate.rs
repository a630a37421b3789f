//! permessage-deflate in a capture: whatever is asked for, in whatever order, is what was said.

use crate::support::{DEFLATE, DOWN, Recording, UP, Wire, compressed_frame, deflated, frame, load, rules};
use framescope::capture::live::recorder::Chunk;
use framescope::capture::store::Capture;
use framescope::capture::store::message_reader::{Inflated, MessageReader};
use framescope::capture::store::record::Record;
use framescope::export::{ExportOptions, Format, Progress, export};
use framescope::proto::connection::Connection;
use framescope::proto::deflate::{Deflater, InflateError};
use framescope::proto::dissected::{Direction, Kind};
use framescope::proto::rules::Rule;
use framescope::wire::opcode::Opcode;

/// A connection that negotiated permessage-deflate with these parameters.
struct Compressing {
    wire: Wire,
    deflaters: [Deflater; 2],
}

impl Compressing {
    fn new(parameters: &str, takeover: [bool; 2]) -> Self {
        let lines = [format!("{DEFLATE}; client_max_window_bits"), format!("{DEFLATE}{parameters}")];
        let wire = Wire::new().upgrade([&lines[0], &lines[1]]);
        Self { wire, deflaters: takeover.map(|takeover| Deflater::new(15, takeover)) }
    }

    fn frame(&mut self, direction: Direction, fin: bool, opcode: Opcode, payload: &[u8]) {
        let key = self.wire.recording.key(direction);
        self.wire.say(direction, &frame(fin, opcode, key, payload));
    }

    fn compressed(&mut self, direction: Direction, fin: bool, payload: &[u8]) {
        let key = self.wire.recording.key(direction);
        self.wire.say(direction, &compressed_frame(fin, Opcode::Text, key, payload));
    }

    fn deflated(&mut self, direction: Direction, message: &[u8]) -> Vec<u8> {
        deflated(&mut self.deflaters[direction.index()], message)
    }

    fn message(&mut self, direction: Direction, message: &[u8]) {
        let payload = self.deflated(direction, message);
        self.compressed(direction, true, &payload);
    }
}

fn inflated(capture: &Capture, record: &Record) -> Option<Inflated> {
    MessageReader::default().message(capture, record, u64::MAX).expect("readable")
}

/// What both sides say in turn: some repeats, some is random, and all together is longer than several checkpoints.
fn said(i: usize) -> String {
    let mut state = i as u64 + 1;
    let mut noise = String::new();
    for _ in 0..(i * 37) % 300 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        noise.push(char::from(b' ' + (state >> 58) as u8));
    }
    format!("message {i}: {}{noise}{}", "the same again ".repeat(i % 700), "x".repeat(i % 31))
}

#[test]
fn any_message_is_reached_in_any_order_live_and_reopened() {
    for (parameters, takeover) in [
        ("", [true; 2]),
        ("; server_no_context_takeover", [true, false]),
        ("; client_no_context_takeover", [false, true]),
    ] {
        let mut talk = Compressing::new(parameters, takeover);
        let count = 3000;
        for i in 0..count {
            talk.message(Direction::BOTH[i % 2], said(i).as_bytes());
        }
        let Wire { recording, connection } = talk.wire;
        drop(connection);
        let live = recording.capture();
        let reopened = load(live.path());
        assert_eq!(live.records(1..u64::MAX), reopened.records(1..u64::MAX));
        assert_eq!(rules(live), []);
        for capture in [live, &reopened] {
            // One reader, as a thread of the program has: it continues where the next message follows the last.
            let mut reader = MessageReader::default();
            // Forward, backward, and there and back.
            let orders: [Box<dyn Iterator<Item = usize>>; 3] = [
                Box::new(0..count),
                Box::new((0..count).rev().step_by(331)),
                Box::new((0..50).map(|i| (i * 1009) % count)),
            ];
            for i in orders.into_iter().flatten() {
                let record = capture.record(i as u64 + 3).expect("a record");
                let message =
                    reader.message(capture, &record, u64::MAX).expect("readable").expect("a compressed message");
                assert!(message.text() == Some(said(i).as_str()), "{i}");
                assert_eq!((message.len, message.fault), (said(i).len() as u64, None));
            }
        }
    }
}

#[test]
fn fragments_control_frames_and_plain_messages_between_change_nothing() {
    let mut talk = Compressing::new("", [true; 2]);
    talk.message(DOWN, b"Hello");
    talk.frame(DOWN, true, Opcode::Text, b"not compressed");
    let compressed = talk.deflated(DOWN, "Hello, größer".repeat(50).as_bytes());
    let (start, rest) = compressed.split_at(3);
    talk.compressed(DOWN, false, start);
    talk.frame(DOWN, true, Opcode::Ping, b"in between");
    talk.frame(DOWN, false, Opcode::Continuation, b"");
    talk.frame(DOWN, true, Opcode::Continuation, rest);
    talk.message(DOWN, b"Hello");
    let capture = talk.wire.capture();
    let texts: Vec<_> = (3..=9)
        .map(|no| {
            let message = inflated(capture, &capture.record(no).expect("a record"));
            message.map(|message| (message.text().expect("text").to_owned(), message.compressed_len))
        })
        .collect();
    let (hello, long) = ("Hello".to_owned(), "Hello, größer".repeat(50));
    let expected = [Some((hello.clone(), 7)), None, None, None, None, Some((long, compressed.len() as u64))];
    assert_eq!(texts[..6], expected);
    assert_eq!(texts[6].as_ref().map(|(text, _)| text), Some(&hello));
    assert_eq!(
        capture.records(3..10).iter().map(|r| r.compressed).collect::<Vec<_>>(),
        [true, false, true, false, true, true, true]
    );
}

#[test]
fn invalid_deflate_is_reported_at_its_byte_and_nothing_after_it_is_guessed() {
    let mut talk = Compressing::new("", [true; 2]);
    talk.message(DOWN, b"Hello");
    // A reserved block type (RFC 1951 §3.2.3) in the first payload byte.
    talk.compressed(DOWN, true, &[0x06, 0, 0, 0]);
    talk.message(DOWN, b"Hello");
    // The other direction has a context of its own; its text is no UTF-8 from byte 5 on.
    talk.message(UP, b"Hello\xff");
    let capture = talk.wire.capture();
    let found = |no| capture.record(no).expect("a record").findings;
    assert_eq!(found(3), []);
    let [failed] = found(4).try_into().expect("one finding");
    assert_eq!((failed.rule, failed.span.map(|s| (s.start, s.end))), (Rule::InflateFailed, Some((16, 24))));
    assert_eq!(found(5), [], "said once");
    let [bad] = found(6).try_into().expect("one finding");
    assert_eq!((bad.rule, bad.number), (Rule::InflatedNotUtf8, Some(5)));
    let message = |no| inflated(capture, &capture.record(no).expect("a record"));
    assert!(matches!(message(4).expect("its beginning").fault, Some(InflateError::Invalid(_))));
    assert_eq!(message(5), None, "its context is lost");
    assert_eq!(message(6).expect("bytes").bytes, b"Hello\xff");
}

#[test]
fn a_bomb_is_inflated_to_its_limit_only() {
    let mut talk = Compressing::new("; client_no_context_takeover", [false, true]);
    let bomb = talk.deflated(UP, &vec![b'0'; 80 << 20]);
    assert!(bomb.len() < 100_000);
    talk.compressed(UP, true, &bomb);
    talk.message(UP, b"alone");
    talk.message(UP, &vec![b'1'; 20 << 20]);
    let capture = talk.wire.capture();
    assert_eq!(rules(capture), [Rule::InflateLimit, Rule::InflatedLong]);
    let message = |no| {
        MessageReader::default()
            .message(capture, &capture.record(no).expect("a record"), 10)
            .expect("readable")
            .expect("a message")
    };
    assert_eq!((message(3).fault, message(3).len), (Some(InflateError::TooLong), 64 << 20));
    assert_eq!((message(3).bytes.as_slice(), message(4).text()), (&b"0000000000"[..], Some("alone")));
    assert_eq!((message(5).len, message(5).fault), (20 << 20, None));
}

/// The messages of a connection that begins with these bytes of the server.
fn frames_alone(bytes: &[u8]) -> (Vec<Rule>, Vec<Option<(String, bool)>>) {
    let recording = Recording::new();
    let (client, server) = (([192, 0, 2, 1], 50_000).into(), ([192, 0, 2, 2], 80).into());
    let connection = recording.recorder.dissected_by(client, server, Connection::in_frames());
    connection.record(&[Chunk { direction: DOWN, time: recording.now(), bytes }]);
    drop(connection);
    messages(recording.capture())
}

/// The rules of the findings, and of each frame the text that it ends and whether permessage-deflate is only assumed.
fn messages(capture: &Capture) -> (Vec<Rule>, Vec<Option<(String, bool)>>) {
    let frames = capture.records(1..u64::MAX).into_iter().filter(|record| record.kind == Kind::Frame);
    let text = |record: Record| {
        let message = inflated(capture, &record)?;
        Some((message.text().expect("text").to_owned(), message.assumed))
    };
    (rules(capture), frames.map(text).collect())
}

#[test]
fn the_examples_of_rfc_7692_inflate_without_a_handshake() {
    let hello = || Some(("Hello".to_owned(), true));
    let examples: [(&str, &[&[u8]]); 6] = [
        ("§7.2.3.1", &[b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00"]),
        ("§7.2.3.1, fragmented", &[b"\x41\x03\xf2\x48\xcd", b"\x80\x04\xc9\xc9\x07\x00"]),
        ("§7.2.3.2", &[b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00", b"\xc1\x05\xf2\x00\x11\x00\x00"]),
        ("§7.2.3.3", &[b"\xc1\x0b\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"]),
        ("§7.2.3.4", &[b"\xc1\x08\xf3\x48\xcd\xc9\xc9\x07\x00\x00"]),
        ("§7.2.3.5", &[b"\xc1\x0d\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"]),
    ];
    for (section, frames) in examples {
        let (rules, texts) = frames_alone(&frames.concat());
        assert_eq!((rules, texts.last()), (vec![], Some(&hello())), "{section}");
    }
}

#[test]
fn a_message_that_refers_to_bytes_before_the_capture_is_not_inflated_and_the_next_is() {
    let again: &[u8] = b"\xc1\x05\xf2\x00\x11\x00\x00";
    let hello: &[u8] = b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00";
    let (found, texts) = frames_alone(&[again, hello, again].concat());
    let text = Some(("Hello".to_owned(), true));
    assert_eq!((found, texts), (vec![], vec![None, text.clone(), text]));
}

#[test]
fn frames_without_their_handshake_are_inflated_in_each_kind_of_file() {
    let mut talk = Compressing::new("", [true; 2]);
    for i in 0..3 {
        talk.message(DOWN, format!("message {i}").as_bytes());
    }
    let capture = talk.wire.capture();
    let texts = |assumed| (0..3).map(|i| Some((format!("message {i}"), assumed))).collect::<Vec<_>>();
    assert_eq!(messages(capture), (vec![], texts(false)));
    // NDJSON from the first frame on.
    let mut lines = Vec::new();
    export(capture, Format::Ndjson, &ExportOptions::default(), &mut lines, &Progress::default()).expect("exported");
    let frames: Vec<&[u8]> = lines.split_inclusive(|byte| *byte == b'\n').skip(2).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("frames.ndjson");
    std::fs::write(&path, frames.concat()).expect("written");
    let opened = load(&path);
    assert_eq!(messages(&opened), (vec![], texts(true)));
    let mut again = Vec::new();
    export(&opened, Format::Ndjson, &ExportOptions::default(), &mut again, &Progress::default()).expect("exported");
    let again: Vec<serde_json::Value> =
        serde_json::Deserializer::from_slice(&again).into_iter().map(|line| line.expect("JSON")).collect();
    let first = again.iter().find(|line| line["type"] == "frame").expect("a frame");
    assert_eq!((&first["inflated"], &first["deflate_assumed"]), (&"message 0".into(), &true.into()));
}
