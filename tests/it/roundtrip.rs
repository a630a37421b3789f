//! Out into a format and in again: every byte, time, direction and finding is what it was.

use std::fs;
use std::sync::atomic::AtomicBool;

use crate::correct_peers;
use crate::har;
use crate::support::packets::PLAIN;
use crate::support::tcp::{ACK, FIN, PSH_ACK, RST, Segment, Tcp};
use crate::support::{DOWN, REQUEST, RESPONSE, Recording, UP, any_frame, cases, damage, everything, exported, opened};
use framescope::capture::import::samples::Sample;
use framescope::capture::import::{self, ImportOptions};
use framescope::capture::store::Capture;
use framescope::capture::store::record::Record;
use framescope::export::Format;
use framescope::proto::dissected::{Direction, EndReason, Kind};
use framescope::proto::rules::Severity;
use framescope::proto::time::Time;
use proptest::collection::vec;
use proptest::prelude::*;

/// Who says what.
type Said = (Direction, Vec<u8>);

/// The formats that carry whole captures.
const CARRIERS: [Format; 2] = [Format::Pcapng, Format::Ndjson];

fn all(capture: &Capture) -> Vec<(Record, Vec<u8>)> {
    everything(capture).into_iter().map(|(record, wire)| (renumbered(capture, &record), wire)).collect()
}

/// The record with its connection renumbered by the order of first records, where that is not the order of first bytes.
fn renumbered(capture: &Capture, record: &Record) -> Record {
    let first = |connection| capture.neighbour(connection, 0, 0);
    let own = first(record.connection);
    let earlier =
        (1..).map_while(|n| Some((n, capture.connection(n)?))).filter(|(n, _)| first(*n) < own && first(*n).is_some());
    Record { connection: earlier.count() as u32 + 1, ..record.clone() }
}

/// A record as it comes back. Unrecognized bytes are given up some bytes later, at a time that no record holds.
fn timed(record: &Record) -> Record {
    let time = if record.kind == Kind::Junk { Time(0) } else { record.time };
    Record { time, ..record.clone() }
}

/// Exports, opens, and compares; the second export is the same file.
fn check(capture: &Capture, format: Format) -> Result<(), TestCaseError> {
    let file = exported(capture, format);
    let again = opened(&file);
    prop_assert_eq!(damage(&again), None);
    for (one, other) in all(capture).iter().zip(&all(&again)) {
        prop_assert_eq!(&timed(&one.0), &timed(&other.0), "{:?}", format);
        prop_assert!(one.1 == other.1, "{:?}: the bytes of record {}", format, one.0.no);
    }
    prop_assert_eq!(again.len(), capture.len());
    // No record holds the time of a connection's first byte.
    let ordered = capture.records(1..u64::MAX).iter().all(|record| renumbered(capture, record) == *record);
    prop_assert!(
        format == Format::Pcapng
            || !ordered
            || all(capture).iter().any(|(r, _)| r.kind == Kind::Junk)
            || exported(&again, format) == file,
        "{:?}: the second export differs",
        format
    );
    Ok(())
}

#[test]
fn every_sample_comes_back_from_every_carrier() {
    for sample in Sample::ALL {
        let capture = opened(sample.bytes);
        for format in CARRIERS {
            check(&capture, format).unwrap_or_else(|e| panic!("{} {format:?}: {e}", sample.name));
        }
    }
}

#[test]
fn bytes_before_a_response_stay_before_a_request_that_did_not_wait_for_it() {
    let talk = vec![said(UP, REQUEST), said(DOWN, "\0"), said(UP, REQUEST), said(DOWN, RESPONSE)];
    let recording = recorded(&[(talk, [EndReason::Fin; 2])], 1 << 30);
    for format in CARRIERS {
        check(recording.capture(), format).unwrap_or_else(|e| panic!("{format:?}: {e}"));
    }
}

fn said(direction: Direction, text: &str) -> Said {
    (direction, text.as_bytes().to_vec())
}

const PLAIN_REQUEST: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nCookie: a=b\r\n\r\n";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
const REFUSAL: &str = "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno";

/// Frames, and other bytes in their place.
fn frames() -> impl Strategy<Value = Vec<Said>> {
    let text = prop::sample::select(&["\r\n", "an error\n", "HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n"][..]);
    let said = prop_oneof![
        3 => any_frame(true).prop_map(|bytes| (UP, bytes)),
        3 => any_frame(false).prop_map(|bytes| (DOWN, bytes)),
        1 => (direction(), vec(any::<u8>(), 0..40)),
        1 => (direction(), text).prop_map(|(direction, text)| said(direction, text)),
    ];
    vec(said, 0..10)
}

/// Conversations in which each request has its answer.
fn conversation() -> impl Strategy<Value = Vec<Said>> {
    let upgrade = vec![said(UP, REQUEST), said(DOWN, RESPONSE)];
    let until_end = vec![said(UP, PLAIN_REQUEST), said(DOWN, "HTTP/1.1 200 OK\r\n\r\nuntil the end")];
    let kept_alive = [vec![said(UP, PLAIN_REQUEST), said(DOWN, CHUNKED)], upgrade.clone()].concat();
    let refused = vec![said(UP, REQUEST), said(DOWN, REFUSAL)];
    let tls = vec![(UP, vec![0x16, 3, 1, 0, 1, 1]), (DOWN, vec![0x16, 3, 1])];
    let early = (prop_oneof![Just(""), Just("\r\n")], any_frame(true)).prop_map(|(line_break, frame)| {
        vec![said(UP, REQUEST), (UP, [line_break.as_bytes(), &frame].concat()), said(DOWN, RESPONSE)]
    });
    let upgraded = prop_oneof![3 => Just(upgrade), 1 => Just(kept_alive), 1 => early];
    prop_oneof![
        6 => (upgraded, frames()).prop_map(|(start, frames)| [start, frames].concat()),
        1 => Just(until_end),
        1 => Just(refused),
        1 => Just(tls),
        1 => Just(vec![]),
    ]
}

/// Conversations, also those in which nothing is in order. Requests have no bodies: an export does not keep which response came before
/// the end of the body of its request.
fn any_conversation() -> impl Strategy<Value = Vec<Said>> {
    let requests =
        [REQUEST, PLAIN_REQUEST, "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", "PROXY UNKNOWN\r\n", "hello"];
    let responses =
        [RESPONSE, CHUNKED, REFUSAL, "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 40"];
    let step = prop_oneof![
        3 => prop::sample::select(requests.map(|text| said(UP, text)).to_vec()),
        3 => prop::sample::select(responses.map(|text| said(DOWN, text)).to_vec()),
        1 => (direction(), vec(any::<u8>(), 1..40)),
    ];
    let disordered = (vec(step, 0..6), frames()).prop_map(|(start, frames)| [start, frames].concat());
    prop_oneof![2 => conversation(), 1 => disordered]
}

fn direction() -> impl Strategy<Value = Direction> {
    prop::sample::select(&Direction::BOTH[..])
}

/// How a conversation ends.
fn ends() -> impl Strategy<Value = [EndReason; 2]> {
    prop_oneof![
        3 => Just([EndReason::Fin, EndReason::Fin]),
        1 => Just([EndReason::Rst, EndReason::Rst]),
        1 => Just([EndReason::Fin, EndReason::Rst]),
        1 => Just([EndReason::Capture, EndReason::Capture]),
        1 => Just([EndReason::Fin, EndReason::Capture]),
    ]
}

/// A conversation cut into pieces: after the handshake both sides send at once.
fn pieces(talk: &[Said], step: usize) -> Vec<(Direction, &[u8])> {
    let cut = |(direction, bytes): &'_ Said| -> Vec<(Direction, usize)> {
        (0..bytes.len()).step_by(step).map(|at| (*direction, at)).collect()
    };
    let mut out = Vec::new();
    let (start, rest) = talk.split_at(talk.len().min(4));
    for said in start {
        out.extend(cut(said).into_iter().map(|(direction, at)| (direction, &said.1[at..said.1.len().min(at + step)])));
    }
    let mut lanes = [Vec::new(), Vec::new()];
    for said in rest {
        let own = cut(said).into_iter().map(|(direction, at)| (direction, &said.1[at..said.1.len().min(at + step)]));
        lanes[said.0.index()].extend(own);
    }
    for turn in 0..lanes[0].len().max(lanes[1].len()) {
        out.extend(lanes.iter().filter_map(|lane| lane.get(turn).copied()));
    }
    out
}

/// Records conversations side by side: of each in turn one piece.
fn recorded(talks: &[(Vec<Said>, [EndReason; 2])], step: usize) -> Recording {
    let mut recording = Recording::new();
    let connections: Vec<_> = (50_000..).zip(talks).map(|(port, _)| recording.connect(port)).collect();
    let pieces: Vec<_> = talks.iter().map(|(talk, _)| pieces(talk, step)).collect();
    let longest = pieces.iter().map(Vec::len).max().unwrap_or(0);
    for turn in 0..longest {
        for (pieces, connection) in pieces.iter().zip(&connections) {
            let Some((direction, bytes)) = pieces.get(turn) else { continue };
            recording.say(connection, *direction, bytes);
        }
    }
    for ((_, [up, down]), connection) in talks.iter().zip(connections) {
        for (direction, how) in [(UP, *up), (DOWN, *down)] {
            recording.wait(5);
            match how {
                EndReason::Rst => connection.reset(direction, recording.now()),
                how => connection.end(direction, how, recording.now()),
            }
        }
    }
    recording
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 2000, ..cases(80) })]

    #[test]
    fn any_conversations_come_back_from_every_carrier(
        talks in vec((any_conversation(), ends()), 1..4), step in prop_oneof![Just(1usize << 30), 1usize..300],
    ) {
        let recording = recorded(&talks, step);
        prop_assume!(!recording.capture().is_empty());
        for format in CARRIERS {
            check(recording.capture(), format)?;
        }
    }

    #[test]
    fn the_messages_of_any_conversations_come_back_from_a_har(
        talks in vec((conversation(), ends()), 1..4), step in prop_oneof![Just(1usize << 30), 1usize..300],
    ) {
        let recording = recorded(&talks, step);
        let capture = recording.capture();
        let again = opened(&exported(capture, Format::Har));
        // Connections are numbered by their first events, so they are compared in an order of their own.
        let messages = |capture: &Capture| {
            let connections = har::messages(capture).into_values();
            let readable = |messages: Vec<har::Message>| messages.into_iter().filter(|m| m.opcode <= 2).collect::<Vec<_>>();
            let mut all: Vec<_> = connections.map(readable).filter(|messages| !messages.is_empty()).collect();
            all.sort();
            all
        };
        let (before, after) = (messages(capture), messages(&again));
        prop_assert_eq!(before.len(), after.len());
        for (before, after) in before.iter().zip(&after) {
            prop_assert!(har::same(before, after), "{:?} {:?}", before, after);
        }
    }

    #[test]
    fn notes_of_any_content_come_back(
        talks in vec((any_conversation(), ends()), 1..3), step in prop_oneof![Just(1usize << 30), 1usize..300],
        notes in vec((any::<prop::sample::Index>(), "[\\\\]{0,2}(framescope:)?( |gap|end|overlap bytes=3|seq first=1|error: x)?.{0,40}"), 1..6),
    ) {
        let recording = recorded(&talks, step);
        let capture = recording.capture();
        let records = capture.records(1..u64::MAX);
        prop_assume!(!records.is_empty());
        for (at, note) in &notes {
            capture.set_note(at.get(&records).no, note);
        }
        for format in [Format::Pcapng, Format::Ndjson] {
            let again = opened(&exported(capture, format));
            prop_assert_eq!(all(capture).len(), all(&again).len());
            // NDJSON has the notes on bytes.
            let has_note = |record: &&Record| format == Format::Pcapng || !matches!(record.kind, Kind::End(_) | Kind::Gap);
            for record in records.iter().filter(has_note) {
                prop_assert_eq!(capture.note(record.no), again.note(record.no), "{:?} {:?}", format, record);
            }
        }
    }
}

mod ndjson {
    use super::*;

    /// The lines of a sample.
    fn lines(name: &str) -> Vec<String> {
        let sample = opened(Sample::by_name(name).expect("a sample").bytes);
        String::from_utf8(exported(&sample, Format::Ndjson)).expect("UTF-8").lines().map(str::to_owned).collect()
    }

    fn reason(text: &str) -> (u64, String) {
        let capture = opened(text.as_bytes());
        (capture.len(), capture.trouble().reason().unwrap_or_default())
    }

    #[test]
    fn a_damaged_line_ends_the_reading_and_is_named() {
        let lines = lines("hello");
        let (before, damaged) = (lines[..4].join("\n"), &lines[4]);
        for (wrong, why) in [
            (damaged[..damaged.len() / 2].to_owned(), "EOF while parsing"),
            (damaged.replace("\"wire\":\"0", "\"wire\":\"x"), "wire is not hex"),
            (damaged.replace("\"wire\":\"0", "\"wire\":\""), "wire is not hex"),
            (damaged.replace("\"wire\":\"01", "\"wire\":\""), "wire_len is"),
            (damaged.replace("\"v\":1", "\"v\":2"), "version 2; this framescope reads version 1"),
            (damaged.replace("\"type\":\"frame\"", "\"type\":\"fr\\u001bame\""), "is not known"),
            (damaged.replace("\"dir\":\"s2c\"", "\"dir\":\"up\""), "dir is \"up\""),
            (damaged.replace("\"dir\":\"s2c\"", "\"dir\":null"), "without \"dir\""),
            (damaged.replace("\"time\":\"2", "\"time\":\"x"), "time is"),
            (damaged.replace("\"conn\":1", "\"conn\":-1"), "invalid value"),
            (damaged.replace("\"conn\":1", "\"conn\":99999999999999999999"), "column"),
            ("[]".to_owned(), "column"),
            ("\u{1b}[31m".to_owned(), "column"),
        ] {
            let (records, said) = reason(&format!("{before}\n\n{wrong}\n{damaged}\n"));
            assert!(said.starts_with("line 6: ") && said.contains(why), "{wrong}: {said}");
            assert!(said.ends_with("records before the damage are shown"), "{said}");
            assert!(said.chars().all(|c| !c.is_control()), "{said:?}");
            // Two ends, as the rest is not known.
            assert_eq!(records, 4 + 2, "{wrong}");
        }
    }

    #[test]
    fn a_frame_that_claims_no_direction_claims_none_again() {
        let line = |no: u32, rest: &str| {
            format!("{{\"v\":1,\"no\":{no},\"conn\":1,\"time\":\"1970-01-01T00:00:00Z\",\"findings\":[],{rest}}}\n")
        };
        let frame = line(1, "\"type\":\"frame\",\"dir\":\"c2s\",\"offset\":0,\"wire\":\"818537fa213d7f9f4d5158\"");
        let cut = line(2, "\"type\":\"cut\",\"of\":\"frame\",\"dir\":null,\"offset\":0,\"wire\":\"89\"");
        let capture = opened(format!("{frame}{cut}").as_bytes());
        assert_eq!(capture.trouble().reason(), None);
        let cut =
            capture.records(1..9).into_iter().find(|record| record.kind == Kind::CutFrame).expect("the cut frame");
        assert_eq!(cut.known_direction(), None);
    }

    #[test]
    fn a_byte_order_mark_and_empty_lines_are_no_damage() {
        let text = format!("\u{feff}\n{}\r\n\n", lines("hello").join("\r\n"));
        assert_eq!(reason(&text), (lines("hello").len() as u64, String::new()));
    }

    #[test]
    fn records_without_their_handshake_are_frames() {
        let frames: Vec<String> =
            lines("hello").into_iter().filter(|line| line.contains("\"type\":\"frame\"")).collect();
        let capture = opened(frames.join("\n").as_bytes());
        assert!(capture.trouble().reason().expect("a reason").contains("records before it are not in the file"));
        let again = String::from_utf8(exported(&capture, Format::Ndjson)).expect("UTF-8");
        let wires = |text: &str| -> Vec<String> {
            let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
            lines
                .filter(|line| line["type"] == "frame")
                .map(|line| format!("{}{}", line["time"], line["wire"]))
                .collect()
        };
        assert_eq!(wires(&again), wires(&frames.join("\n")));
        // A gap is the first record of the connection.
        assert_eq!(everything(&opened(again.as_bytes())), everything(&capture));
    }

    /// A headless run that prints slower than a ring evicts leaves records out.
    #[test]
    fn records_that_the_lines_lack_become_a_gap_and_no_error() {
        for name in ["hello", "ticker", "fragments", "deflate"] {
            let whole = opened(lines(name).join("\n").as_bytes());
            let frames: Vec<Record> =
                whole.records(1..u64::MAX).into_iter().filter(|r| r.kind == Kind::Frame).collect();
            for lost in &frames {
                let mut left = lines(name);
                left.retain(|line| {
                    let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
                    line["no"].as_u64() != Some(lost.no)
                });
                let capture = opened(left.join("\n").as_bytes());
                let records = capture.records(1..u64::MAX);
                let place = |r: &Record| (r.connection, r.direction, r.offset, r.wire_len);
                let is_kept =
                    |frame: &Record| records.iter().any(|r| r.kind == Kind::Frame && place(r) == place(frame));
                // The last frame of a direction leaves no hole.
                for frame in frames.iter().filter(|frame| frame.no != lost.no) {
                    assert!(is_kept(frame), "{name} without {}: {frame:?}", lost.no);
                }
                let errors = records.iter().flat_map(|r| &r.findings).filter(|f| f.rule.severity() == Severity::Error);
                let errors: Vec<&str> = errors.map(|finding| finding.rule.id()).collect();
                assert!(errors.is_empty(), "{name} without {}: {errors:?}", lost.no);
            }
        }
    }

    #[test]
    fn a_gap_is_a_gap_again() {
        let mut lines = lines("hello");
        let end = lines
            .iter()
            .position(|line| line.contains("\"type\":\"end\"") && line.contains("\"dir\":\"s2c\""))
            .expect("an end");
        let at: serde_json::Value = serde_json::from_str(&lines[end]).expect("JSON");
        let offset = at["offset"].as_u64().expect("a number");
        let gap = format!(
            "{{\"v\":1,\"no\":{end},\"type\":\"gap\",\"conn\":1,\"dir\":\"s2c\",\"time\":{},\"offset\":{offset},\
             \"missing\":2920,\"findings\":[]}}",
            at["time"]
        );
        lines[end] = lines[end].replace(&format!("\"offset\":{offset}"), &format!("\"offset\":{}", offset + 2920));
        lines.insert(end, gap);
        let capture = opened(lines.join("\n").as_bytes());
        assert_eq!(capture.trouble().reason(), None);
        let records = capture.records(1..u64::MAX);
        assert_eq!(records.len(), lines.len());
        let gap = records.iter().find(|record| record.kind == Kind::Gap).expect("a gap");
        assert_eq!((gap.offset, gap.wire_len), (offset, 2920));
    }

    #[test]
    fn a_gap_of_any_length_and_the_frame_after_it_come_back() {
        // A frame that by its bytes alone could be anything.
        let frame = hex::encode(b"\x01\x02ab");
        for missing in [1u64, 1 << 31, 5 << 30, 1 << 50] {
            let mut lines = lines("hello");
            let end = lines
                .iter()
                .position(|line| line.contains("\"type\":\"end\"") && line.contains("\"dir\":\"s2c\""))
                .expect("an end");
            let at: serde_json::Value = serde_json::from_str(&lines[end]).expect("JSON");
            let (offset, time) = (at["offset"].as_u64().expect("a number"), &at["time"]);
            let behind = offset + missing;
            let line = |rest: &str| {
                format!("{{\"v\":1,\"no\":0,\"conn\":1,\"dir\":\"s2c\",\"time\":{time},\"findings\":[],{rest}}}")
            };
            lines[end] = lines[end].replace(&format!("\"offset\":{offset}"), &format!("\"offset\":{}", behind + 4));
            lines.insert(end, line(&format!("\"type\":\"frame\",\"offset\":{behind},\"wire\":\"{frame}\"")));
            lines.insert(end, line(&format!("\"type\":\"gap\",\"offset\":{offset},\"missing\":{missing}")));
            let capture = opened(lines.join("\n").as_bytes());
            assert_eq!(capture.trouble().reason(), None, "{missing}");
            let told: Vec<_> =
                capture.records(1..u64::MAX).iter().map(|r| (r.direction, r.kind, r.offset, r.wire_len)).collect();
            assert_eq!(told.len(), lines.len());
            assert!(told.contains(&(DOWN, Kind::Gap, offset, missing)), "{missing}");
            assert!(told.contains(&(DOWN, Kind::Frame, behind, 4)), "{missing}");
            for format in CARRIERS {
                check(&capture, format).expect("the same again");
            }
        }
    }

    #[test]
    fn a_gap_that_no_stream_can_have_is_refused() {
        for missing in [0, (1 << 62) + 1, u64::MAX] {
            let gap = format!(
                "{{\"v\":1,\"no\":1,\"type\":\"gap\",\"conn\":1,\"dir\":\"s2c\",\"time\":\"2026-11-22T19:30:00Z\",\
                 \"offset\":0,\"missing\":{missing},\"findings\":[]}}"
            );
            let (records, said) = reason(&gap);
            assert_eq!(records, 0);
            assert!(said.starts_with("line 1: ") && said.contains(&format!("missing is \"{missing}\"")), "{said}");
        }
    }

    #[test]
    fn addresses_are_read_from_any_record() {
        let line = |no: u32, rest: &str| {
            format!("{{\"v\":1,\"no\":{no},\"conn\":7,\"time\":\"2026-11-22T19:30:00Z\",\"findings\":[],{rest}}}\n")
        };
        let junk = line(1, "\"type\":\"junk\",\"dir\":\"s2c\",\"offset\":0,\"wire\":\"160301\"");
        let request = hex::encode("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        let request = line(
            2,
            &format!(
                "\"type\":\"request\",\"dir\":\"c2s\",\"offset\":0,\"wire\":\"{request}\",\
                 \"client\":\"[::1]:50000\",\"server\":\"[::1]:80\""
            ),
        );
        let connection = opened(format!("{junk}{request}").as_bytes()).connection(1).expect("a connection");
        assert_eq!(connection.client.to_string(), "[::1]:50000");
        let connection = opened(junk.as_bytes()).connection(1).expect("a connection");
        assert_eq!(connection.server.to_string(), "0.0.0.0:0");
    }

    proptest! {
        #[test]
        fn no_damage_makes_it_panic(changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..8), cut: prop::sample::Index) {
            let mut file = lines("violations").join("\n").into_bytes();
            for (at, byte) in changes {
                let at = at.index(file.len());
                file[at] = byte;
            }
            file.truncate(cut.index(file.len()) + 1);
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("a");
            fs::write(&path, file).expect("written");
            if let Ok((_, loader)) = import::open(&path) {
                loader.run(&AtomicBool::new(false));
            }
        }
    }
}

/// Records and findings are the same after an export to each format and back.
pub fn comes_back(capture: &Capture) -> Result<(), TestCaseError> {
    for format in CARRIERS {
        let again = opened(&exported(capture, format));
        for (one, other) in all(capture).iter().zip(&all(&again)) {
            prop_assert_eq!(&timed(&one.0), &timed(&other.0), "{:?}", format);
            prop_assert!(one.1 == other.1, "{:?}: the bytes of record {}", format, one.0.no);
        }
        prop_assert_eq!(again.len(), capture.len(), "{:?}", format);
    }
    Ok(())
}

#[test]
fn a_capture_with_a_lost_packet_comes_back() {
    let whole = Tcp::conversation(7_000, 90_000).segments;
    for lost in 0..whole.len() {
        let left: Vec<Segment> = whole.iter().enumerate().filter(|(n, _)| *n != lost).map(|(_, s)| s.clone()).collect();
        let capture = opened(&PLAIN.file(&left));
        let frames = |capture: &Capture| capture.records(0..u64::MAX).iter().filter(|r| r.kind == Kind::Frame).count();
        let sent = whole[lost].payload.len();
        assert!(frames(&capture) + 4 > frames(&opened(&PLAIN.file(&whole))), "without {lost} of {sent} bytes");
        comes_back(&capture).unwrap_or_else(|e| panic!("without {lost}: {e}"));
    }
}

#[test]
fn a_capture_that_begins_after_its_handshake_comes_back() {
    let segments = Tcp::conversation(7_000, 90_000).segments;
    for first in 7..segments.len() - 6 {
        let file = PLAIN.file(&segments[first..]);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        fs::write(&path, &file).expect("written");
        let options = ImportOptions { port: Some(80), ..ImportOptions::default() };
        let (capture, loader) = import::open_with(&path, options).expect("a capture");
        loader.run(&AtomicBool::new(false));
        assert!(capture.records(0..u64::MAX).iter().any(|record| record.kind == Kind::Frame), "from {first}");
        comes_back(&capture).unwrap_or_else(|e| panic!("from {first}: {e}"));
    }
}

/// Something that a network, a capture, or an attacker does to the segments of a connection.
#[derive(Clone, Debug)]
enum Mutation {
    Lost(prop::sample::Index),
    Repeated(prop::sample::Index, prop::sample::Index),
    Moved(prop::sample::Index, prop::sample::Index),
    Cut(prop::sample::Index, usize),
    Byte(prop::sample::Index, prop::sample::Index, u8),
    Flags(prop::sample::Index, u8),
    Seq(prop::sample::Index, i32),
    Ack(prop::sample::Index, i32),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<prop::sample::Index>;
    let near = prop_oneof![3 => -3i32..4, 1 => -600i32..600, 1 => any::<i32>()].boxed();
    prop_oneof![
        4 => at().prop_map(Mutation::Lost),
        1 => (at(), at()).prop_map(|(from, to)| Mutation::Repeated(from, to)),
        2 => (at(), at()).prop_map(|(from, to)| Mutation::Moved(from, to)),
        1 => (at(), 0usize..40).prop_map(|(at, len)| Mutation::Cut(at, len)),
        1 => (at(), at(), any::<u8>()).prop_map(|(at, byte, value)| Mutation::Byte(at, byte, value)),
        1 => (at(), prop::sample::select(vec![FIN | ACK, RST, RST | ACK, ACK, PSH_ACK])).prop_map(|(at, flags)| Mutation::Flags(at, flags)),
        1 => (at(), near.clone()).prop_map(|(at, by)| Mutation::Seq(at, by)),
        1 => (at(), near).prop_map(|(at, by)| Mutation::Ack(at, by)),
    ]
}

fn mutate(segments: &mut Vec<Segment>, mutation: &Mutation) {
    let len = segments.len();
    if len == 0 {
        return;
    }
    match mutation {
        Mutation::Lost(at) => drop(segments.remove(at.index(len))),
        Mutation::Repeated(from, to) => segments.insert(to.index(len), segments[from.index(len)].clone()),
        Mutation::Moved(from, to) => {
            let moved = segments.remove(from.index(len));
            segments.insert(to.index(len), moved);
        }
        Mutation::Cut(at, keep) => segments[at.index(len)].payload.truncate(*keep),
        Mutation::Byte(at, byte, value) => {
            let payload = &mut segments[at.index(len)].payload;
            if !payload.is_empty() {
                let at = byte.index(payload.len());
                payload[at] = *value;
            }
        }
        Mutation::Flags(at, flags) => segments[at.index(len)].flags = *flags,
        Mutation::Seq(at, by) => {
            let segment = &mut segments[at.index(len)];
            segment.seq = segment.seq.wrapping_add_signed(*by);
        }
        Mutation::Ack(at, by) => {
            let segment = &mut segments[at.index(len)];
            segment.ack = segment.ack.wrapping_add_signed(*by);
        }
    }
}

proptest! {
    #[test]
    fn a_mutated_capture_comes_back(mutations in vec(mutation(), 1..6), handshake: bool, other: Option<prop::sample::Index>) {
        let mut segments = match other {
            None => Tcp::conversation(7_000, 90_000).segments,
            Some(other) => other.get(&correct_peers::conversations()).clone(),
        };
        // Half of the captures have a whole handshake: the SYN exchange, the request, the response, and their acknowledgments.
        let mut mutated = segments.split_off(if handshake { 7 } else { 0 });
        for mutation in &mutations {
            mutate(&mut mutated, mutation);
        }
        segments.append(&mut mutated);
        comes_back(&opened(&PLAIN.file(&segments)))?;
    }
}
