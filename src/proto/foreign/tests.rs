use proptest::prelude::*;

use super::*;
use crate::wire::frame::FrameHead;
use crate::wire::opcode::Opcode;

const DOWN: Boundary = Boundary {
    direction: Direction::ServerToClient,
    after_head: false,
    continues: false,
    rsv1: false,
    extended: false,
};
const FIRST: Boundary = Boundary { after_head: true, ..DOWN };
const UP: Boundary = Boundary { direction: Direction::ClientToServer, ..DOWN };

/// The verdict once enough bytes have arrived. Checks that it is the same for each longer beginning.
fn verdict(bytes: &[u8], at: &Boundary) -> Recognition {
    let found = recognize(bytes, at, Follows::Unknown);
    let verdicts = (1..=bytes.len()).map(|len| recognize(&bytes[..len], at, Follows::Unknown));
    for (len, early) in (1..).zip(verdicts) {
        assert!(early == found || early == Recognition::NeedMore, "{early:?} after {len} bytes, then {found:?}");
    }
    found
}

#[test]
fn bytes_with_an_explanation_are_recognized() {
    let long_text =
        "Warning: mysqli::__construct(): (HY000/2002): Connection refused in /var/www/ws.php on line 7\n".repeat(3);
    let cases: [(&[u8], &Boundary, Foreign); 21] = [
        (b"HTTP/1.1 400 Bad Request\r\n", &DOWN, Foreign::HttpResponse(400)),
        (b"HTTP/1.0 500", &DOWN, Foreign::HttpResponse(500)),
        (b"HTTP/1.1 101 Switching Protocols", &UP, Foreign::HttpResponse(101)),
        (b"HTTP/1.1 426 ", &Boundary { extended: true, ..DOWN }, Foreign::HttpResponse(426)),
        (b"GET / HTTP/1.1", &UP, Foreign::HttpRequest),
        (b"POST http://a/", &UP, Foreign::HttpRequest),
        (b"CONNECT a:1", &UP, Foreign::HttpRequest),
        (b"\r\n\x81\x05Hello", &FIRST, Foreign::LineBreak),
        (b"\r\n\r\n\x89\x00", &DOWN, Foreign::LineBreak),
        (b"\n\x82\x7e", &DOWN, Foreign::LineBreak),
        (b"\r\n\x81\x85", &UP, Foreign::LineBreak),
        (
            b"<!DOCTYPE html><html><head></head><body>An error occurred here, and more</body></html>",
            &DOWN,
            Foreign::Text,
        ),
        (long_text.as_bytes(), &DOWN, Foreign::Text),
        (b"7\r\nok\x81\x05Hello", &DOWN, Foreign::Text),
        (b"Bad Request\x88\x02\x03\xe8", &DOWN, Foreign::Text),
        (&[0, 0], &DOWN, Foreign::Nul),
        (b"\0\x81\x05Hello", &FIRST, Foreign::Nul),
        (&[0x15, 3, 3, 0, 2, 2, 40], &DOWN, Foreign::Tls(0x15)),
        (&[0x16, 3, 1, 2, 0, 1], &UP, Foreign::Tls(0x16)),
        (&[0x17, 3, 3, 0x48, 0], &DOWN, Foreign::Tls(0x17)),
        (&[0x14, 3, 3, 0, 1, 1], &DOWN, Foreign::Tls(0x14)),
    ];
    for (bytes, at, what) in cases {
        assert_eq!(verdict(bytes, at), Recognition::Foreign(what), "{}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn frames_are_frames_valid_or_not() {
    let fragment = [&[0x21, 0x20][..], &[b'a'; 0x20], &[0x80, 0]].concat();
    let continued = Boundary { continues: true, ..DOWN };
    let compressed = Boundary { rsv1: true, ..DOWN };
    let cases: [(&[u8], &Boundary); 17] = [
        (b"\x01\x05Hello", &DOWN),
        // The first byte of a character outside ASCII has FIN.
        (b"\xe2\x9c\x93 is not a frame", &DOWN),
        (b"\x02\x7e\x20\x20", &DOWN),
        (&[0, 0, 0, 0], &continued),
        (&[0, 1, 0x81], &FIRST),
        (b"\0\x81\x05Hello", &DOWN),
        (b"\0\x81\x05\x01\x02\x03\x04", &Boundary { after_head: true, ..UP }),
        (b"\0\x02ab", &FIRST),
        (b"A\x05Hello and more text that goes on", &compressed),
        (b"\r\nHello is not a frame", &Boundary { extended: true, ..DOWN }),
        (b"\r\n\xff\xff", &DOWN),
        (b"\x0d\x0bsome bytes.\x81\x01a", &DOWN),
        // A fragment with RSV2 and a text of 32 bytes.
        (&fragment, &DOWN),
        (b"OK\x81\x01", &DOWN),
        (b"HTTP/2 400\x03\x01", &DOWN),
        (b"GETTING\x01\x01", &UP),
        (&[0x17, 3, 3, 0x49, 0], &DOWN),
    ];
    for (bytes, at) in cases {
        assert_eq!(verdict(bytes, at), Recognition::Frame, "{bytes:?}");
    }
}

#[test]
fn the_end_of_the_stream_decides() {
    let at_end = |bytes: &[u8], at: &Boundary| recognize(bytes, at, Follows::Nothing);
    for bytes in [&b"Unauthorized"[..], b"HTTP/1.1 40", b"GET /ind", b"<html></html>"] {
        assert_eq!(recognize(bytes, &DOWN, Follows::Unknown), Recognition::NeedMore, "{bytes:?}");
        assert_eq!(at_end(bytes, &DOWN), Recognition::Foreign(Foreign::Text), "{bytes:?}");
    }
    assert_eq!(at_end(b"\r\n", &DOWN), Recognition::Foreign(Foreign::LineBreak));
    assert_eq!(at_end(b"\n", &FIRST), Recognition::Foreign(Foreign::LineBreak));
    for bytes in [&b"\n"[..], b"OK", b"\0", b"\x16\x03", b"\r\n\x81"] {
        assert_eq!(recognize(bytes, &DOWN, Follows::Unknown), Recognition::NeedMore, "{bytes:?}");
        assert_eq!(at_end(bytes, &DOWN), Recognition::Frame, "{bytes:?}");
    }
}

#[test]
fn a_record_is_a_complete_frame_or_no_frame() {
    let record = |bytes: &[u8]| recognize(bytes, &DOWN, Follows::Record);
    assert_eq!(record(b"\n"), Recognition::Foreign(Foreign::LineBreak));
    assert_eq!(record(b"text"), Recognition::Foreign(Foreign::Text));
    assert_eq!(record(b"\0"), Recognition::Foreign(Foreign::Nul));
    let fragment = [&[0x21, 0x20][..], &[b'a'; 0x20]].concat();
    assert_eq!(record(&fragment), Recognition::Frame);
}

proptest! {
    #[test]
    fn a_verdict_does_not_depend_on_how_many_bytes_have_arrived(
        start in proptest::sample::select(vec![
            &b"HTTP/1.1 400 Bad Request\r\n"[..], b"GET / HTTP/1.1\r\n", b"\r\n", b"<html>", b"\0", b"\x16\x03\x03\x00\x20",
            b"AB", b"~~~", b"\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n", b"",
        ]),
        cut in 0usize..30, text in "[ -~\r\n\u{e9}\u{20ac}]{0,300}", rest in proptest::collection::vec(any::<u8>(), 1..20),
        after_head: bool, continues: bool, rsv1: bool, extended: bool, up: bool,
    ) {
        let direction = if up { Direction::ClientToServer } else { Direction::ServerToClient };
        let at = Boundary { direction, after_head, continues, rsv1, extended };
        let bytes = [&start[..cut.min(start.len())], text.as_bytes(), &rest].concat();
        let found = verdict(&bytes, &at);
        prop_assert!(found != Recognition::NeedMore || bytes.len() <= MUCH_TEXT + 3);
        prop_assert!(recognize(&bytes, &at, Follows::Nothing) != Recognition::NeedMore);
    }

    #[test]
    fn a_valid_frame_is_never_foreign(
        opcode in 0u8..=0xf, fin: bool, rsv1: bool, continues: bool, after_head: bool, up: bool,
        payload in proptest::collection::vec(any::<u8>(), 0..200), more in proptest::collection::vec(any::<u8>(), 0..100),
    ) {
        let opcode = Opcode::from_wire(opcode);
        prop_assume!(!matches!(opcode, Opcode::Reserved(_)) && (fin || !opcode.is_control()));
        prop_assume!(opcode != Opcode::Continuation || continues);
        let direction = if up { Direction::ClientToServer } else { Direction::ServerToClient };
        let compressed = rsv1 && opcode.opens_message();
        let key = up.then_some([0x20, 0x41, 0x0a, 0]);
        let head = FrameHead { rsv1: compressed, ..FrameHead::new(fin, opcode, key, payload.len() as u64) };
        let mut bytes = Vec::new();
        head.encode(&mut bytes);
        bytes.extend([payload, more].concat());
        let at = Boundary { direction, after_head, continues, rsv1, extended: false };
        for follows in [Follows::Unknown, Follows::Nothing, Follows::Record] {
            prop_assert_eq!(recognize(&bytes, &at, follows), Recognition::Frame);
        }
    }
}
