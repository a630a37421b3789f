//! Generates the captures in `assets/samples`, and compares them with those in the repository.
//!
//! `MAKE_ASSETS=1 cargo test --test it samples` writes them again.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use crate::support::{DOWN, UP, compressed_frame, frame};
use framescope::capture::import;
use framescope::capture::import::samples::Sample;
use framescope::capture::live::recorder::{Chunk, ConnectionRecorder, Recorder};
use framescope::capture::live::spool::Spool;
use framescope::capture::store::Capture;
use framescope::capture::store::message_reader::MessageReader;
use framescope::capture::store::record::Record;
use framescope::proto::accept::accept_key;
use framescope::proto::deflate::Deflater;
use framescope::proto::dissected::{Direction, EndReason, Kind};
use framescope::proto::rules::Rule;
use framescope::proto::time::Time;
use framescope::wire::frame::FrameHead;
use framescope::wire::opcode::Opcode;

/// 2026-11-22T19:30:00Z
const START: u64 = 1_795_375_800_000_000_000;
const MILLI: u64 = 1_000_000;

/// The key of RFC 6455 §5.7.
const RFC_KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Makes one capture.
struct Maker {
    recorder: Recorder,
    now: u64,
    keys: u32,
}

impl Maker {
    fn new(path: &Path) -> Self {
        Self { recorder: Recorder::new(Spool::keep(path, true).expect("a file")), now: START, keys: 0x9e37_79b9 }
    }

    fn connection(&self, client: &str, server: &str) -> ConnectionRecorder {
        let address = |text: &str| text.parse::<SocketAddr>().expect("an address");
        self.recorder.connection(address(client), address(server))
    }

    /// Sends bytes, some microseconds after the previous ones.
    fn say(&mut self, connection: &mut ConnectionRecorder, direction: Direction, bytes: &[u8]) {
        self.now += 137_000;
        connection.record(&[Chunk { direction, time: Time(self.now), bytes }]);
    }

    fn wait(&mut self, millis: u64) {
        self.now += millis * MILLI;
    }

    /// A key that looks like a browser's and is the same each time.
    fn key(&mut self) -> Option<[u8; 4]> {
        self.keys = self.keys.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some(self.keys.rotate_left(13).to_be_bytes())
    }

    fn client(&mut self, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
        frame(true, opcode, self.key(), payload)
    }

    fn upgrade(&mut self, connection: &mut ConnectionRecorder, target: &str, key: &str) {
        self.upgrade_with(connection, target, key, ["", ""]);
    }

    /// With further lines in the request and in the response.
    fn upgrade_with(&mut self, connection: &mut ConnectionRecorder, target: &str, key: &str, more: [&str; 2]) {
        let [asked, agreed] = more;
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: 127.0.0.1:6455\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Origin: http://127.0.0.1:6455\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{asked}\r\n"
        );
        let response = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\n{agreed}\r\n",
            accept_key(key.as_bytes())
        );
        self.say(connection, UP, request.as_bytes());
        self.say(connection, DOWN, response.as_bytes());
    }

    fn close(&mut self, connection: &mut ConnectionRecorder, first: Direction, code: u16, reason: &str) {
        let payload = [&code.to_be_bytes(), reason.as_bytes()].concat();
        for direction in [first, first.opposite()] {
            let key = if direction == UP { self.key() } else { None };
            self.say(connection, direction, &frame(true, Opcode::Close, key, &payload));
        }
        self.fin(connection);
    }

    fn fin(&mut self, connection: &mut ConnectionRecorder) {
        for direction in [DOWN, UP] {
            self.now += 80_000;
            connection.end(direction, EndReason::Fin, Time(self.now));
        }
    }
}

/// RFC 6455 §1.3 and §5.7, literally.
fn hello(make: &mut Maker) {
    let mut connection = make.connection("192.0.2.10:50000", "192.0.2.1:80");
    make.say(
        &mut connection,
        UP,
        b"GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
          Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://example.com\r\n\
          Sec-WebSocket-Protocol: chat, superchat\r\nSec-WebSocket-Version: 13\r\n\r\n",
    );
    make.say(
        &mut connection,
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
        (UP, frame(true, Opcode::Pong, Some(RFC_KEY), b"Hello")),
        (DOWN, frame(true, Opcode::Binary, None, &counting[..256])),
        (DOWN, frame(true, Opcode::Binary, None, &counting)),
    ];
    for (direction, frame) in frames {
        make.wait(500);
        make.say(&mut connection, direction, &frame);
    }
    make.wait(500);
    make.close(&mut connection, UP, 1000, "");
}

/// A page is loaded; its script talks to the ticker.
fn ticker(make: &mut Maker) {
    let mut page = make.connection("127.0.0.1:50001", "127.0.0.1:6455");
    let html = "<!doctype html><title>framescope</title><script src=app.js></script>";
    make.say(
        &mut page,
        UP,
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1:6455\r\nAccept: text/html\r\nCookie: theme=dark\r\n\r\n",
    );
    let response = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\r\n{html}",
        html.len()
    );
    make.say(&mut page, DOWN, response.as_bytes());
    make.wait(41);
    let mut talk = make.connection("127.0.0.1:50002", "127.0.0.1:6455");
    make.upgrade(&mut talk, "/ticker", "ZnJhbWVzY29wZSB0aWNrcw==");
    make.fin(&mut page);
    for n in 0..6 {
        make.wait(1000);
        let text = format!("echo {n}");
        make.say(&mut talk, DOWN, &frame(true, Opcode::Text, None, text.as_bytes()));
        make.wait(1);
        let answer = make.client(Opcode::Text, format!("client: {text}").as_bytes());
        make.say(&mut talk, UP, &answer);
        if n == 3 {
            make.wait(300);
            make.say(&mut talk, DOWN, &frame(true, Opcode::Ping, None, b"still there?"));
            let pong = make.client(Opcode::Pong, b"still there?");
            make.say(&mut talk, UP, &pong);
        }
    }
    make.wait(700);
    make.close(&mut talk, UP, 1000, "seen enough");
}

/// A message in fragments with a ping between them, and the three length forms at their edges.
fn fragments(make: &mut Maker) {
    let mut talk = make.connection("127.0.0.1:50003", "127.0.0.1:6455");
    make.upgrade(&mut talk, "/echo", "ZnJhZ21lbnRzIG9mIG9uZQ==");
    // The second fragment ends inside a character, which is allowed: the message is what must be UTF-8.
    let message = "one message, three frames: naïve ✓".as_bytes();
    let pieces = [&message[..12], &message[12..29], &message[29..]];
    for (i, piece) in pieces.into_iter().enumerate() {
        make.wait(200);
        let opcode = if i == 0 { Opcode::Text } else { Opcode::Continuation };
        let key = make.key();
        make.say(&mut talk, UP, &frame(i == 2, opcode, key, piece));
        if i == 0 {
            let ping = make.client(Opcode::Ping, b"between fragments");
            make.say(&mut talk, UP, &ping);
            make.say(&mut talk, DOWN, &frame(true, Opcode::Pong, None, b"between fragments"));
        }
    }
    make.say(&mut talk, DOWN, &frame(true, Opcode::Text, None, message));
    for len in [0, 125, 126, 65_536] {
        make.wait(200);
        let payload: Vec<u8> = (0..len).map(|i: u32| (i / 256) as u8 ^ i as u8).collect();
        // The largest is sent in one direction only, to keep the file small.
        if len == 65_536 {
            make.say(&mut talk, DOWN, &frame(true, Opcode::Binary, None, &payload));
        } else {
            let sent = make.client(Opcode::Binary, &payload);
            make.say(&mut talk, UP, &sent);
            make.say(&mut talk, DOWN, &frame(true, Opcode::Binary, None, &payload));
        }
    }
    make.wait(200);
    make.close(&mut talk, DOWN, 1001, "the server goes away");
}

/// permessage-deflate: what is said twice costs little the second time, in one message and in the next.
fn deflate(make: &mut Maker) {
    let mut talk = make.connection("127.0.0.1:50006", "127.0.0.1:6455");
    make.upgrade_with(
        &mut talk,
        "/echo",
        "c2F5IGl0IG9ubHkgb25jZQ==",
        [
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n",
            "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=12\r\n",
        ],
    );
    let mut deflaters = [Deflater::new(15, true), Deflater::new(12, true)];
    let mut packed = |direction: Direction, message: &[u8]| {
        let mut out = Vec::new();
        deflaters[direction.index()].message(message, &mut out);
        out
    };
    for text in ["Hello", "Hello", "what was said before is only pointed at: what was said before"] {
        for direction in [UP, DOWN] {
            make.wait(300);
            let key = if direction == UP { make.key() } else { None };
            let payload = packed(direction, text.as_bytes());
            make.say(&mut talk, direction, &compressed_frame(true, Opcode::Text, key, &payload));
        }
    }
    // Compressed as a whole, then cut: only the first fragment has RSV1, and the ping between is never compressed.
    let verse = "Row, row, row your boat, gently down the stream. Merrily, merrily, merrily, merrily: naïve ✓";
    let payload = packed(UP, verse.as_bytes());
    let pieces: Vec<&[u8]> = payload.chunks(payload.len().div_ceil(3)).collect();
    for (i, piece) in pieces.iter().enumerate() {
        make.wait(200);
        let (fin, key) = (i + 1 == pieces.len(), make.key());
        let wire = match i {
            0 => compressed_frame(fin, Opcode::Text, key, piece),
            _ => frame(fin, Opcode::Continuation, key, piece),
        };
        make.say(&mut talk, UP, &wire);
        if i == 0 {
            let ping = make.client(Opcode::Ping, b"never compressed");
            make.say(&mut talk, UP, &ping);
            make.say(&mut talk, DOWN, &frame(true, Opcode::Pong, None, b"never compressed"));
        }
    }
    make.wait(1);
    let answer = packed(DOWN, verse.as_bytes());
    make.say(&mut talk, DOWN, &compressed_frame(true, Opcode::Text, None, &answer));
    make.wait(200);
    let table: Vec<u8> = (0..1024u32).map(|i| (i / 64) as u8).collect();
    let payload = packed(DOWN, &table);
    make.say(&mut talk, DOWN, &compressed_frame(true, Opcode::Binary, None, &payload));
    make.wait(200);
    // A message that is too short to gain is sent uncompressed.
    let plain = make.client(Opcode::Text, b"ok");
    make.say(&mut talk, UP, &plain);
    make.wait(500);
    make.close(&mut talk, UP, 1000, "");
}

/// Each rule of framing broken, on four connections, as some mistakes end what can be read.
fn violations(make: &mut Maker) {
    let mut talk = make.connection("127.0.0.1:50004", "127.0.0.1:6455");
    make.upgrade(&mut talk, "/echo", "YnJlYWsgZXZlcnkgcnVsZQ==");
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
        make.wait(100);
        make.say(&mut talk, direction, &frame);
    }
    make.fin(&mut talk);
    let mut second = make.connection("127.0.0.1:50005", "127.0.0.1:6455");
    make.upgrade(&mut second, "/echo", "YSByZWFzb24gd2l0aCBiYQ==");
    make.say(&mut second, DOWN, &frame(true, Opcode::Close, None, b"\x03\xe8\xff\xfe"));
    make.wait(100);
    // The length's top bit is set, and such a payload never comes.
    make.say(&mut second, UP, &[0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 5, 6, 7, 8, b'.', b'.', b'.']);
    make.wait(100);
    make.now += MILLI;
    second.reset(UP, Time(make.now));
    let mut third = make.connection("127.0.0.1:50006", "127.0.0.1:6455");
    make.upgrade_with(
        &mut third,
        "/echo",
        "cnN2MSBhbmQgdGhlIGVuZA==",
        ["Sec-WebSocket-Extensions: permessage-deflate\r\n"; 2],
    );
    make.say(&mut third, DOWN, &with(0xc9, frame(true, Opcode::Ping, None, b"RSV1 on a ping")));
    make.wait(100);
    // One byte more than 64 MiB are announced, and do not come.
    make.say(&mut third, UP, &[0x82, 0xff, 0, 0, 0, 0, 4, 0, 0, 1, 2, 3, 4, 5, b'.', b'.', b'.']);
    make.wait(100);
    make.fin(&mut third);
}

fn made(name: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sample.pcapng");
    let mut make = Maker::new(&path);
    match name {
        "hello" => hello(&mut make),
        "ticker" => ticker(&mut make),
        "fragments" => fragments(&mut make),
        "deflate" => deflate(&mut make),
        "violations" => violations(&mut make),
        other => panic!("nobody makes {other}"),
    }
    fs::read(&path).expect("the file")
}

fn opened(sample: &Sample) -> Capture {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sample.pcapng");
    sample.unpack(&path).expect("unpacked");
    let (capture, loader) = import::open(&path).expect("a capture");
    loader.run(&AtomicBool::new(false));
    assert_eq!(capture.trouble().reason, None);
    capture
}

fn rules(capture: &Capture) -> Vec<Rule> {
    capture.findings(0, usize::MAX).into_iter().map(|(_, finding)| finding.rule).collect()
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
    let capture = opened(&Sample::by_name("hello").expect("a sample"));
    let frames: Vec<_> = capture.records(1..99).into_iter().filter(|r| r.kind == Kind::Frame).collect();
    assert_eq!(frames.len(), 10);
    assert_eq!(frames.iter().map(Record::payload_len).max(), Some(Some(65_536)));
    // The RFC's example uses one masking key twice, and its origin is another host.
    assert_eq!(rules(&capture), [Rule::OriginForeign, Rule::MaskingKeyReused]);
}

#[test]
fn ticker_fragments_and_deflate_break_no_rule() {
    for name in ["ticker", "fragments", "deflate"] {
        assert_eq!(rules(&opened(&Sample::by_name(name).expect("a sample"))), [], "{name}");
    }
}

#[test]
fn deflate_is_inflated_and_a_repeated_message_shrinks() {
    let capture = opened(&Sample::by_name("deflate").expect("a sample"));
    let records = capture.records(1..99);
    let mut reader = MessageReader::default();
    let inflated: Vec<_> =
        records.iter().filter_map(|record| reader.message(&capture, record, u64::MAX).expect("readable")).collect();
    assert_eq!(inflated.len(), 9);
    assert_eq!(inflated[0].text(), Some("Hello"));
    assert_eq!((inflated[2].text(), inflated[2].fault), (Some("Hello"), None));
    assert!(inflated[2].compressed_len < inflated[0].compressed_len, "the second time it is pointed at");
    assert!(inflated[6].text().is_some_and(|text| text.starts_with("Row") && text.ends_with('✓')));
    assert_eq!((inflated[8].opcode, inflated[8].len), (Opcode::Binary, 1024));
}

#[test]
fn violations_breaks_every_rule_of_framing() {
    let broken = rules(&opened(&Sample::by_name("violations").expect("a sample")));
    let first = Rule::ALL.iter().position(|rule| *rule == Rule::ClientFrameUnmasked).expect("in the catalogue");
    let last = Rule::ALL.iter().position(|rule| *rule == Rule::PongUnsolicited).expect("in the catalogue");
    // No extension is agreed on there.
    let compressed = |rule: &Rule| {
        let inflated = [Rule::InflatedNotUtf8, Rule::InflateLimit, Rule::InflatedLong];
        rule.section().starts_with("RFC 7692") || inflated.contains(rule) || *rule == Rule::ExtensionBits
    };
    for rule in Rule::ALL[first..=last].iter().filter(|rule| !compressed(rule)) {
        assert!(broken.contains(rule), "{} is missing", rule.id());
    }
}
