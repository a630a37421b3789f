//! Generates the captures in `assets/samples`, and compares them with those in the repository.
//!
//! `MAKE_ASSETS=1 cargo test --test it samples` writes them again.

use std::fs;
use std::path::PathBuf;

use crate::support::{DEFLATE, DOWN, Recording, UP, compressed_frame, deflated, frame, rules, sample};
use framescope::capture::import::samples::Sample;
use framescope::capture::live::recorder::ConnectionRecorder;
use framescope::capture::store::message_reader::MessageReader;
use framescope::capture::store::record::Record;
use framescope::proto::deflate::Deflater;
use framescope::proto::dissected::{Direction, EndReason, Kind};
use framescope::proto::rules::Rule;
use framescope::wire::frame::FrameHead;
use framescope::wire::opcode::Opcode;

const MILLI: u64 = 1_000_000;

/// The key of RFC 6455 §5.7.
const RFC_KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

fn connect(make: &Recording, client: &str, server: &str) -> ConnectionRecorder {
    make.connect_from(client.parse().expect("an address"), server.parse().expect("an address"))
}

/// A connection from a port of this machine, after a handshake for `path` with further lines.
fn upgraded(make: &mut Recording, port: u16, path: &str, key: &str, lines: [&str; 2]) -> ConnectionRecorder {
    let connection = make.connect(port);
    make.upgrade(&connection, path, key, lines);
    connection
}

fn close(make: &mut Recording, connection: &ConnectionRecorder, first: Direction, code: u16, reason: &str) {
    let payload = [&code.to_be_bytes(), reason.as_bytes()].concat();
    for direction in [first, first.opposite()] {
        make.frame(connection, direction, Opcode::Close, &payload);
    }
    fin(make, connection);
}

fn fin(make: &mut Recording, connection: &ConnectionRecorder) {
    for direction in [DOWN, UP] {
        make.wait(80_000);
        connection.end(direction, EndReason::Fin, make.now());
    }
}

/// RFC 6455 §1.3 and §5.7, but without what a rule objects to: Origin is the server's own, and the second masked frame has another
/// key than the first.
fn hello(make: &mut Recording) {
    let connection = connect(make, "192.0.2.10:50000", "192.0.2.1:80");
    make.say(
        &connection,
        UP,
        b"GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
          Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://server.example.com\r\n\
          Sec-WebSocket-Protocol: chat, superchat\r\nSec-WebSocket-Version: 13\r\n\r\n",
    );
    make.say(
        &connection,
        DOWN,
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
          Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n",
    );
    let counting: Vec<u8> = (0..65_536u32).map(|i| i as u8).collect();
    let frames = [
        (DOWN, frame(true, Opcode::Text, None, b"Hello")),
        (UP, frame(true, Opcode::Text, Some(RFC_KEY), b"Hello")),
        (DOWN, frame(false, Opcode::Text, None, b"Hel")),
        (DOWN, frame(true, Opcode::Continuation, None, b"lo")),
        (DOWN, frame(true, Opcode::Ping, None, b"Hello")),
        (UP, frame(true, Opcode::Pong, Some([0x5c, 0x11, 0xe0, 0x7a]), b"Hello")),
        (DOWN, frame(true, Opcode::Binary, None, &counting[..256])),
        (DOWN, frame(true, Opcode::Binary, None, &counting)),
    ];
    for (direction, frame) in frames {
        make.wait(500 * MILLI);
        make.say(&connection, direction, &frame);
    }
    make.wait(500 * MILLI);
    close(make, &connection, UP, 1000, "");
}

/// A page is loaded; its script talks to the ticker.
fn ticker(make: &mut Recording) {
    let page = make.connect(50_001);
    let html = "<!doctype html><title>framescope</title><script src=app.js></script>";
    make.say(&page, UP, b"GET / HTTP/1.1\r\nHost: 127.0.0.1:6455\r\nAccept: text/html\r\nCookie: theme=dark\r\n\r\n");
    let response = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\r\n{html}",
        html.len()
    );
    make.say(&page, DOWN, response.as_bytes());
    make.wait(41 * MILLI);
    let talk = upgraded(make, 50_002, "/ticker", "ZnJhbWVzY29wZSB0aWNrcw==", ["", ""]);
    fin(make, &page);
    for n in 0..6 {
        make.wait(1000 * MILLI);
        let text = format!("echo {n}");
        make.say(&talk, DOWN, &frame(true, Opcode::Text, None, text.as_bytes()));
        make.wait(MILLI);
        make.frame(&talk, UP, Opcode::Text, format!("client: {text}").as_bytes());
        if n == 3 {
            make.wait(300 * MILLI);
            make.say(&talk, DOWN, &frame(true, Opcode::Ping, None, b"still there?"));
            make.frame(&talk, UP, Opcode::Pong, b"still there?");
        }
    }
    make.wait(700 * MILLI);
    close(make, &talk, UP, 1000, "seen enough");
}

/// A message in fragments with a ping between them, and the three length forms at their edges.
fn fragments(make: &mut Recording) {
    let talk = upgraded(make, 50_003, "/echo", "ZnJhZ21lbnRzIG9mIG9uZQ==", ["", ""]);
    // The second fragment ends inside a character, which is allowed: the message is what must be UTF-8.
    let message = "one message, three frames: naïve ✓".as_bytes();
    let pieces = [&message[..12], &message[12..29], &message[29..]];
    for (i, piece) in pieces.into_iter().enumerate() {
        make.wait(200 * MILLI);
        let opcode = if i == 0 { Opcode::Text } else { Opcode::Continuation };
        let key = make.key(UP);
        make.say(&talk, UP, &frame(i == 2, opcode, key, piece));
        if i == 0 {
            make.frame(&talk, UP, Opcode::Ping, b"between fragments");
            make.frame(&talk, DOWN, Opcode::Pong, b"between fragments");
        }
    }
    make.say(&talk, DOWN, &frame(true, Opcode::Text, None, message));
    for len in [0, 125, 126, 65_536] {
        make.wait(200 * MILLI);
        let payload: Vec<u8> = (0..len).map(|i: u32| (i / 256) as u8 ^ i as u8).collect();
        // The largest is sent in one direction only, to keep the file small.
        if len < 65_536 {
            make.frame(&talk, UP, Opcode::Binary, &payload);
        }
        make.frame(&talk, DOWN, Opcode::Binary, &payload);
    }
    make.wait(200 * MILLI);
    close(make, &talk, DOWN, 1001, "the server goes away");
}

/// permessage-deflate: what is said twice costs little the second time, in one message and in the next.
fn deflate(make: &mut Recording) {
    let lines = ["client_max_window_bits", "server_max_window_bits=12"].map(|name| format!("{DEFLATE}; {name}"));
    let talk = upgraded(make, 50_006, "/echo", "c2F5IGl0IG9ubHkgb25jZQ==", [&lines[0], &lines[1]]);
    let mut deflaters = [Deflater::new(15, true), Deflater::new(12, true)];
    let mut packed = |direction: Direction, message: &[u8]| deflated(&mut deflaters[direction.index()], message);
    for text in ["Hello", "Hello", "what was said before is only pointed at: what was said before"] {
        for direction in [UP, DOWN] {
            make.wait(300 * MILLI);
            let key = make.key(direction);
            let payload = packed(direction, text.as_bytes());
            make.say(&talk, direction, &compressed_frame(true, Opcode::Text, key, &payload));
        }
    }
    // Compressed as a whole, then cut: only the first fragment has RSV1, and the ping between is never compressed.
    let verse = "Row, row, row your boat, gently down the stream. Merrily, merrily, merrily, merrily: naïve ✓";
    let payload = packed(UP, verse.as_bytes());
    let pieces: Vec<&[u8]> = payload.chunks(payload.len().div_ceil(3)).collect();
    for (i, piece) in pieces.iter().enumerate() {
        make.wait(200 * MILLI);
        let (fin, key) = (i + 1 == pieces.len(), make.key(UP));
        let wire = match i {
            0 => compressed_frame(fin, Opcode::Text, key, piece),
            _ => frame(fin, Opcode::Continuation, key, piece),
        };
        make.say(&talk, UP, &wire);
        if i == 0 {
            make.frame(&talk, UP, Opcode::Ping, b"never compressed");
            make.frame(&talk, DOWN, Opcode::Pong, b"never compressed");
        }
    }
    make.wait(MILLI);
    let answer = packed(DOWN, verse.as_bytes());
    make.say(&talk, DOWN, &compressed_frame(true, Opcode::Text, None, &answer));
    make.wait(200 * MILLI);
    let table: Vec<u8> = (0..1024u32).map(|i| (i / 64) as u8).collect();
    let payload = packed(DOWN, &table);
    make.say(&talk, DOWN, &compressed_frame(true, Opcode::Binary, None, &payload));
    make.wait(200 * MILLI);
    // A message that is too short to gain is sent uncompressed.
    make.frame(&talk, UP, Opcode::Text, b"ok");
    make.wait(500 * MILLI);
    close(make, &talk, UP, 1000, "");
}

/// Each rule of framing broken, on four connections, as some mistakes end what can be read.
fn violations(make: &mut Recording) {
    let talk = upgraded(make, 50_004, "/echo", "YnJlYWsgZXZlcnkgcnVsZQ==", ["", ""]);
    let key = Some([0x11, 0x22, 0x33, 0x44]);
    let with = |first: u8, frame: Vec<u8>| [&[first], &frame[1..]].concat();
    let text = |payload: &[u8]| frame(true, Opcode::Text, None, payload);
    let mut long_form = FrameHead::new(true, Opcode::Text, None, 5);
    long_form.len_code = 126;
    let mut not_shortest = Vec::new();
    long_form.encode_with(b"short", &mut not_shortest);
    let frames = [
        (UP, text(b"not masked")),
        (DOWN, frame(true, Opcode::Text, Some([1, 2, 3, 4]), b"masked by the server")),
        (DOWN, with(0xc1, text(b"RSV1"))),
        (DOWN, with(0xa1, text(b"RSV2"))),
        (DOWN, with(0x91, text(b"RSV3"))),
        (DOWN, frame(true, Opcode::Reserved(0x3), None, b"opcode 3")),
        (DOWN, frame(true, Opcode::Reserved(0xb), None, b"opcode B")),
        (DOWN, frame(true, Opcode::Ping, None, &[b'p'; 126])),
        (DOWN, frame(false, Opcode::Ping, None, b"a fragment of a ping?")),
        (DOWN, not_shortest),
        (DOWN, frame(true, Opcode::Continuation, None, b"of what?")),
        (DOWN, frame(false, Opcode::Text, None, b"begun, and ")),
        (DOWN, text(b"interrupted")),
        (DOWN, frame(false, Opcode::Text, None, b"a message with ")),
        (DOWN, frame(false, Opcode::Continuation, None, b"")),
        (DOWN, frame(true, Opcode::Continuation, None, b"an empty fragment")),
        (UP, frame(true, Opcode::Text, Some([0; 4]), b"the key is zero")),
        (UP, frame(true, Opcode::Text, key, b"a key")),
        (UP, frame(true, Opcode::Text, key, b"the same key")),
        (DOWN, text(b"not UTF-8: \xff")),
        (DOWN, text(b"cut inside \xe2\x9c")),
        (UP, frame(true, Opcode::Pong, Some([9, 8, 7, 6]), b"a fragment of a ping?")),
        (UP, frame(true, Opcode::Pong, Some([7, 6, 9, 8]), b"unasked")),
        (DOWN, frame(true, Opcode::Ping, None, b"first")),
        (DOWN, frame(true, Opcode::Ping, None, b"second")),
        (DOWN, frame(true, Opcode::Ping, None, b"third")),
        (UP, frame(true, Opcode::Pong, Some([8, 9, 6, 7]), b"second")),
        (UP, frame(true, Opcode::Pong, Some([6, 7, 8, 9]), b"fourth")),
        (DOWN, frame(true, Opcode::Close, None, &[0x03])),
        (DOWN, text(b"after the close")),
        (DOWN, frame(true, Opcode::Close, None, b"\x03\xe8")),
        (UP, frame(true, Opcode::Close, Some([4, 3, 2, 1]), &[0x03, 0xed])),
    ];
    for (direction, frame) in frames {
        make.wait(100 * MILLI);
        make.say(&talk, direction, &frame);
    }
    fin(make, &talk);
    let second = upgraded(make, 50_005, "/echo", "YSByZWFzb24gd2l0aCBiYQ==", ["", ""]);
    make.say(&second, DOWN, &frame(true, Opcode::Close, None, b"\x03\xe8\xff\xfe"));
    make.wait(100 * MILLI);
    // The length's top bit is set, and such a payload never comes.
    make.say(&second, UP, &[0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 5, 6, 7, 8, b'.', b'.', b'.']);
    make.wait(100 * MILLI);
    make.wait(MILLI);
    second.reset(UP, make.now());
    let third = upgraded(make, 50_006, "/echo", "cnN2MSBhbmQgdGhlIGVuZA==", [DEFLATE; 2]);
    make.say(&third, DOWN, &with(0xc9, frame(true, Opcode::Ping, None, b"RSV1 on a ping")));
    make.wait(100 * MILLI);
    // One byte more than 64 MiB are announced, and do not come.
    make.say(&third, UP, &[0x82, 0xff, 0, 0, 0, 0, 4, 0, 0, 1, 2, 3, 4, 5, b'.', b'.', b'.']);
    make.wait(100 * MILLI);
    // The client first: its end makes the cut frame a record, so that the records are in the order of time.
    for direction in [UP, DOWN] {
        make.wait(80_000);
        third.end(direction, EndReason::Fin, make.now());
    }
}

fn made(name: &str) -> Vec<u8> {
    let mut make = Recording::new();
    make.step = 137_000;
    match name {
        "hello" => hello(&mut make),
        "ticker" => ticker(&mut make),
        "fragments" => fragments(&mut make),
        "deflate" => deflate(&mut make),
        "violations" => violations(&mut make),
        other => panic!("no function makes {other}"),
    }
    fs::read(make.capture().path()).expect("the file")
}

#[test]
fn the_samples_are_what_the_generator_makes() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("assets/samples");
    let making = std::env::var_os("MAKE_ASSETS").is_some();
    for sample in Sample::ALL {
        let made = made(sample.name);
        if making {
            fs::write(folder.join(format!("{}.pcapng", sample.name)), made).expect("written");
            continue;
        }
        assert!(made == sample.bytes, "{} is old: MAKE_ASSETS=1 cargo test --test it samples", sample.name);
        assert!(sample.bytes.len() < 100_000, "{} is too large", sample.name);
    }
}

#[test]
fn hello_holds_every_example_of_section_5_7() {
    let capture = sample("hello");
    let frames: Vec<_> = capture.records(1..99).into_iter().filter(|r| r.kind == Kind::Frame).collect();
    assert_eq!(frames.len(), 10);
    assert_eq!(frames.iter().map(Record::payload_len).max(), Some(Some(65_536)));
}

#[test]
fn the_samples_for_beginners_break_no_rule() {
    for name in ["hello", "ticker", "fragments", "deflate"] {
        assert_eq!(rules(&sample(name)), [], "{name}");
    }
}

#[test]
fn deflate_is_inflated_and_a_repeated_message_shrinks() {
    let capture = sample("deflate");
    let records = capture.records(1..99);
    let mut reader = MessageReader::default();
    let inflated: Vec<_> =
        records.iter().filter_map(|record| reader.message(&capture, record, u64::MAX).expect("readable")).collect();
    assert_eq!(inflated.len(), 9);
    assert_eq!(inflated[0].text(), Some("Hello"));
    assert_eq!((inflated[2].text(), inflated[2].fault), (Some("Hello"), None));
    assert!(inflated[2].compressed_len < inflated[0].compressed_len, "the second one refers to the first one");
    assert!(inflated[6].text().is_some_and(|text| text.starts_with("Row") && text.ends_with('✓')));
    assert_eq!((inflated[8].opcode, inflated[8].len), (Opcode::Binary, 1024));
}

#[test]
fn violations_breaks_every_rule_for_frames() {
    let broken = rules(&sample("violations"));
    let first = Rule::ALL.iter().position(|rule| *rule == Rule::ClientFrameUnmasked).expect("in the catalogue");
    let last = Rule::ALL.iter().position(|rule| *rule == Rule::PongUnsolicited).expect("in the catalogue");
    // No extension is negotiated in this sample.
    let compressed = |rule: &Rule| {
        let inflated = [Rule::InflatedNotUtf8, Rule::InflateLimit, Rule::InflatedLong];
        rule.section().starts_with("RFC 7692") || inflated.contains(rule) || *rule == Rule::ExtensionBits
    };
    for rule in Rule::ALL[first..=last].iter().filter(|rule| !compressed(rule)) {
        assert!(broken.contains(rule), "{} is missing", rule.id());
    }
}
