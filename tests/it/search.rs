//! Finding text and bytes in a capture.

use std::sync::atomic::{AtomicBool, AtomicU64};

use crate::support::{DOWN, REQUEST, RESPONSE, UP, Wire, compressed_frame, frame, with_extension};
use framescope::capture::query::search::{Hit, Pattern, Toward, find};
use framescope::proto::deflate::Deflater;
use framescope::wire::opcode::Opcode;

const KEY: Option<[u8; 4]> = Some([0x37, 0xfa, 0x21, 0x3d]);

fn search(wire: &Wire, typed: &str, from: u64, toward: Toward) -> Option<Hit> {
    let pattern = Pattern::parse(typed).expect("a pattern");
    find(wire.recorder.capture(), &pattern, from, toward, &AtomicU64::new(0), &AtomicBool::new(false))
}

fn at(no: u64, byte: u64) -> Option<Hit> {
    Some(Hit { no, byte, inflated: None })
}

#[test]
fn what_is_masked_is_found_in_either_case_both_ways_and_all_around() {
    let mut wire = Wire::upgraded();
    wire.say(UP, &frame(true, Opcode::Text, KEY, b"one Needle")); // 3
    wire.say(DOWN, &frame(true, Opcode::Text, None, b"hay"));
    wire.say(DOWN, &frame(true, Opcode::Text, None, b"another NEEDLE")); // 5
    assert_eq!(search(&wire, "needle", 1, Toward::Later), at(3, 6 + 4));
    assert_eq!(search(&wire, "needle", 3, Toward::Later), at(5, 2 + 8));
    assert_eq!(search(&wire, "needle", 5, Toward::Later), at(3, 6 + 4));
    assert_eq!(search(&wire, "needle", 3, Toward::Earlier), at(5, 2 + 8));
    assert_eq!(search(&wire, "needle", 5, Toward::Earlier), at(3, 6 + 4));
    assert_eq!(search(&wire, "x 4e 65 65", 1, Toward::Later), at(3, 6 + 4), "bytes match exactly");
    assert_eq!(search(&wire, "x 83 68 61", 1, Toward::Later), None);
    assert_eq!(search(&wire, "x 81 03 68", 1, Toward::Later), at(4, 0), "bytes are found on the wire too");
    assert_eq!(search(&wire, "switching protocols", 4, Toward::Later), at(2, 13), "heads are searched");
    assert_eq!(search(&wire, "nowhere", 4, Toward::Later), None);
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
        assert_eq!(search(&wire, "x 6e 65 65 64 6c 65", 1, Toward::Later), at(3, 14 + place as u64), "at {place}");
    }
}

#[test]
fn what_a_message_inflates_to_is_searched() {
    let with = |head: &str| with_extension(head, "permessage-deflate");
    let mut wire = Wire::new();
    wire.say(UP, with(REQUEST).as_bytes());
    wire.say(DOWN, with(RESPONSE).as_bytes());
    let mut deflater = Deflater::new(15, true);
    for text in ["hay and hay and hay", "hay and Needle and hay"] {
        let mut payload = Vec::new();
        deflater.message(text.as_bytes(), &mut payload);
        wire.say(DOWN, &compressed_frame(true, Opcode::Text, None, &payload));
    }
    assert_eq!(search(&wire, "needle and", 1, Toward::Later), Some(Hit { no: 4, byte: 2, inflated: Some(8) }));
}
