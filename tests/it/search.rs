//! Finding text and bytes in a capture.

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::support::{DEFLATE, DOWN, UP, Wire, compressed_frame, deflated, frame, opened};
use framescope::capture::query::filter::{Filter, FilterEvaluator};
use framescope::capture::query::overview::overviews;
use framescope::capture::query::search::{Hit, Pattern, Start, Toward, find};
use framescope::capture::query::selection::SelectedRecords;
use framescope::capture::query::summary;
use framescope::capture::query::timeline::Spans;
use framescope::capture::store::Capture;
use framescope::capture::store::message_reader::MessageReader;
use framescope::export::{self, ExportOptions, Format, Progress};
use framescope::proto::deflate::Deflater;
use framescope::proto::dissected::Kind;
use framescope::wire::opcode::Opcode;

const KEY: Option<[u8; 4]> = Some([0x37, 0xfa, 0x21, 0x3d]);

fn search(wire: &Wire, typed: &str, from: u64, toward: Toward) -> Option<Hit> {
    let pattern = Pattern::parse(typed).expect("a pattern");
    find(wire.capture(), &pattern, from, toward, &AtomicU64::new(0), &AtomicBool::new(false))
}

fn at(no: u64, byte: u64) -> Option<Hit> {
    Some(Hit { no, byte, inflated: None })
}

#[test]
fn masked_text_is_found_in_either_case_both_ways_and_around_the_end() {
    let mut wire = Wire::upgraded();
    wire.say(UP, &frame(true, Opcode::Text, KEY, b"one Needle")); // 3
    wire.say(DOWN, &frame(true, Opcode::Text, None, b"hay"));
    wire.say(DOWN, &frame(true, Opcode::Text, None, b"another NEEDLE")); // 5
    assert_eq!(search(&wire, "needle", 1, Toward::Later), at(3, 6 + 4));
    assert_eq!(search(&wire, "needle", 3, Toward::Later), at(5, 2 + 8));
    assert_eq!(search(&wire, "needle", 5, Toward::Later), at(3, 6 + 4));
    assert_eq!(search(&wire, "needle", 3, Toward::Earlier), at(5, 2 + 8));
    assert_eq!(search(&wire, "needle", 5, Toward::Earlier), at(3, 6 + 4));
    assert_eq!(search(&wire, "4e:65:65", 1, Toward::Later), at(3, 6 + 4), "bytes match exactly");
    assert_eq!(search(&wire, "83:68:61", 1, Toward::Later), None);
    assert_eq!(search(&wire, "81:03:68", 1, Toward::Later), at(4, 0), "bytes are found on the wire too");
    assert_eq!(search(&wire, "switching protocols", 4, Toward::Later), at(2, 13), "heads are searched");
    assert_eq!(search(&wire, "nowhere", 4, Toward::Later), None);
}

#[test]
fn every_match_in_a_record_is_found_both_ways() {
    let mut wire = Wire::upgraded();
    wire.say(UP, &frame(true, Opcode::Text, KEY, b"a~b~c")); // 3
    wire.say(DOWN, &frame(true, Opcode::Binary, None, b"\x81\x02\x81\x02")); // 4
    let walk = |typed: &str, toward| {
        let mut shown = None;
        let steps = (0..5).map(|_| {
            let from = Start { no: shown.map_or(1, |hit: Hit| hit.no), shown };
            let pattern = Pattern::parse(typed).expect("a pattern");
            shown = find(wire.capture(), &pattern, from, toward, &AtomicU64::new(0), &AtomicBool::new(false));
            shown.map(|hit| (hit.no, hit.byte))
        });
        steps.collect::<Option<Vec<(u64, u64)>>>().expect("matches")
    };
    assert_eq!(walk("~", Toward::Later), [(3, 7), (3, 9), (3, 7), (3, 9), (3, 7)]);
    assert_eq!(walk("~", Toward::Earlier), [(3, 9), (3, 7), (3, 9), (3, 7), (3, 9)]);
    assert_eq!(walk("81:02", Toward::Later), [(4, 2), (4, 4), (4, 2), (4, 4), (4, 2)]);
    // Wire bytes that are no payload.
    assert_eq!(walk("82:04:81", Toward::Later), [(4, 0); 5]);
}

#[test]
fn text_is_found_across_fragments() {
    let mut wire = Wire::upgraded();
    let fragments: [(bool, Opcode, &[u8]); 4] = [
        (false, Opcode::Text, b"a Need"),
        (false, Opcode::Continuation, b"l"),
        (false, Opcode::Continuation, b""),
        (true, Opcode::Continuation, b"e in hay"),
    ];
    for (fin, opcode, payload) in fragments {
        wire.say(UP, &frame(fin, opcode, KEY, payload)); // 3, 5, 7, 9
        wire.say(DOWN, &frame(true, Opcode::Text, None, b"le")); // 4, 6, 8, 10
    }
    assert_eq!(search(&wire, "needle in", 1, Toward::Later), at(3, 6 + 2));
    assert_eq!(search(&wire, "needle in", 9, Toward::Earlier), at(3, 6 + 2));
    assert_eq!(search(&wire, "le in", 1, Toward::Later), at(5, 6));
    assert_eq!(search(&wire, "needle is", 1, Toward::Later), None);
    // A message ends with its last fragment.
    wire.say(UP, &frame(true, Opcode::Text, KEY, b"stack"));
    assert_eq!(search(&wire, "haystack", 1, Toward::Later), None);
}

#[test]
fn a_long_payload_is_searched_across_its_pieces() {
    const LEN: usize = 1_000_000;
    for place in [0, 262_140, 262_144, 524_285, LEN - 6] {
        let mut payload = vec![b'.'; LEN];
        payload[place..place + 6].copy_from_slice(b"needle");
        let mut wire = Wire::upgraded();
        wire.say(UP, &frame(true, Opcode::Binary, KEY, &payload));
        assert_eq!(search(&wire, "Needle", 1, Toward::Later), at(3, 14 + place as u64), "at {place}");
        assert_eq!(search(&wire, "6e:65:65:64:6c:65", 1, Toward::Later), at(3, 14 + place as u64), "at {place}");
    }
}

#[test]
fn inflated_messages_are_searched() {
    let mut wire = Wire::new().upgrade([DEFLATE; 2]);
    let mut deflater = Deflater::new(15, true);
    for text in ["hay and hay and hay", "hay and Needle and hay"] {
        let payload = deflated(&mut deflater, text.as_bytes());
        wire.say(DOWN, &compressed_frame(true, Opcode::Text, None, &payload));
    }
    assert_eq!(search(&wire, "needle and", 1, Toward::Later), Some(Hit { no: 4, byte: 2, inflated: Some(8) }));
}

/// A capture of a server's frame between two gaps of 2^60 bytes.
fn with_huge_gaps() -> Capture {
    const HUGE: u64 = 1 << 60;
    let line = |second: u64, rest: &str| {
        let time = format!("2026-11-22T19:30:0{second}Z");
        format!(r#"{{"v":1,"no":{second},"time":"{time}","conn":1,"dir":"s2c",{rest},"findings":[]}}"#)
    };
    let gap = |offset: u64| format!(r#""type":"gap","offset":{offset},"missing":{HUGE}"#);
    let frame = format!(r#""type":"frame","offset":{HUGE},"wire":"81026869""#);
    let lines = [line(1, &gap(0)), line(2, &frame), line(3, &gap(HUGE + 4))];
    let capture = opened(lines.join("\n").as_bytes());
    let gaps = capture.records(1..u64::MAX).iter().filter(|r| r.kind == Kind::Gap && r.wire_len == HUGE).count();
    assert_eq!((gaps, capture.trouble().reason()), (2, None));
    capture
}

#[test]
fn a_huge_gap_costs_no_time_in_find_filters_views_and_exports() {
    let capture = with_huge_gaps();
    let (done, finished) = mpsc::channel();
    thread::spawn(move || {
        for (typed, toward) in [("zzz", Toward::Later), ("zzz", Toward::Earlier), ("7a:7a", Toward::Later)] {
            let pattern = Pattern::parse(typed).expect("a pattern");
            let hit = find(&capture, &pattern, 1, toward, &AtomicU64::new(0), &AtomicBool::new(false));
            assert_eq!(hit, None);
        }
        for filter in ["bytes contains \"zzz\"", "bytes contains 7a7a", "text contains zzz", "bytes matches zzz"] {
            let filter = Filter::parse(filter).expect("a filter");
            let mut selected = SelectedRecords::default();
            FilterEvaluator::new(&filter, &capture).extend(&mut selected, |_| true).expect("readable");
            assert!(selected.is_empty(), "{}", filter.text());
        }
        let lanes =
            capture.lanes(&[1], Spans { from: capture.origin().expect("a record"), each: 10_000_000_000, count: 3 });
        assert!(lanes[0].bins[DOWN.index()][0].bytes >= 2 << 60);
        assert_eq!(overviews(&capture, &[1], 10).len(), 1);
        for record in capture.records(1..u64::MAX) {
            summary::of(&capture, &record, &mut MessageReader::default());
        }
        for format in Format::ALL {
            let options = ExportOptions { direction: Some(DOWN), ..ExportOptions::default() };
            let exported = export::export(&capture, format, &options, &mut Vec::new(), &Progress::default());
            assert!(exported.is_ok(), "{format:?}: {exported:?}");
        }
        done.send(()).expect("the test waits");
    });
    finished.recv_timeout(Duration::from_secs(60)).expect("it ends soon and without a panic");
}
