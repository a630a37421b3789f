//! Generates the inputs that fuzzing starts from, and compares them with those in `fuzz/seeds`.
//!
//! `MAKE_ASSETS=1 cargo test --test it seeds` writes them again.

use std::fs;
use std::path::Path;

use crate::support::encapsulation::{self, LINK_LAYERS, Tunnel, TunnelKind};
use crate::support::forms::{BASE64, FORMS};
use crate::support::packets::{self, Form, PLAIN};
use crate::support::tcp::{Segment, Tcp, said};
use crate::support::{
    DEFLATE, REQUEST, RESPONSE, Wire, compressed_frame, deflated, exported, frame, sample, with_lines,
};
use framescope::export::Format;
use framescope::proto::deflate::Deflater;
use framescope::wire::frame::FrameHead;
use framescope::wire::opcode::Opcode;

const KEY: Option<[u8; 4]> = Some([0x37, 0xfa, 0x21, 0x3d]);

/// Name of the target, name of the seed, the seed.
fn seeds() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    [
        frames(),
        http(),
        connection(),
        extensions(),
        inflate(),
        reassembly(),
        tls(),
        captures(),
        encapsulations(),
        filter(),
        script(),
        text(),
        pasted(),
    ]
    .concat()
}

fn frames() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let long = FrameHead { len_code: 127, ..FrameHead::new(true, Opcode::Binary, KEY, 5) };
    let mut not_shortest = Vec::new();
    long.encode_with(b"Hello", &mut not_shortest);
    vec![
        ("frames", "text", frame(true, Opcode::Text, None, b"Hello")),
        ("frames", "masked", frame(true, Opcode::Text, KEY, b"Hello")),
        (
            "frames",
            "fragments",
            [frame(false, Opcode::Text, None, b"Hel"), frame(true, Opcode::Continuation, None, b"lo")].concat(),
        ),
        (
            "frames",
            "ping-and-pong",
            [frame(true, Opcode::Ping, None, b"Hello"), frame(true, Opcode::Pong, KEY, b"Hello")].concat(),
        ),
        ("frames", "length-of-16-bits", frame(true, Opcode::Binary, None, &[7; 256])),
        ("frames", "length-of-64-bits", not_shortest),
        ("frames", "close", frame(true, Opcode::Close, KEY, b"\x03\xe8bye")),
        ("frames", "utf-8", frame(true, Opcode::Text, KEY, "κόσμε 𝄞".as_bytes())),
    ]
}

/// As the target reads them: a key log, then pieces of each side.
fn tls() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let seed = |key_log: &str, segments: &[Segment]| {
        let mut seed = key_log.as_bytes().to_vec();
        seed.push(0);
        for segment in segments.iter().filter(|segment| !segment.payload.is_empty()) {
            seed.push(u8::from(!segment.up));
            seed.extend((segment.payload.len() as u16).to_be_bytes());
            seed.extend(&segment.payload);
        }
        seed
    };
    let (key_log, records) = (include_str!("../data/rfc8448.keys"), include_str!("../data/rfc8448.records"));
    let mut trace = Tcp::open(1, 2);
    for line in records.lines() {
        let (direction, record) = line.split_once(' ').expect("two words");
        trace.say(direction == "c2s", &hex::decode(record).expect("hex"));
    }
    // The same records with a suite of TLS 1.2.
    let mut other = trace.segments.clone();
    let hello = other.iter_mut().find(|segment| !segment.up && !segment.payload.is_empty()).expect("a ServerHello");
    hello.payload[44..46].copy_from_slice(&[0xc0, 0x2f]);
    let len = hello.payload.len();
    hello.payload[len - 6..len - 4].copy_from_slice(&[0xff, 0xff]);
    let master = format!("CLIENT_RANDOM {} {}\n", &key_log.split(' ').nth(8).unwrap_or_default(), "5c".repeat(48));
    vec![("tls", "rfc-8448", seed(key_log, &trace.segments)), ("tls", "tls-1-2", seed(&master, &other))]
}

fn http() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("http", "request", text(REQUEST)),
        ("http", "response", text(RESPONSE)),
        ("http", "folded", text("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n")),
        ("http", "bare-lf", text("GET / HTTP/1.1\nHost a\n\n")),
    ]
}

/// As the target reads them: how fine to cut, then pieces of 4n + 1 bytes, each after a byte for n and the direction.
fn connection() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let talk = |said: &[(u8, &[u8])]| {
        let mut script = vec![6];
        for (direction, bytes) in said {
            for piece in bytes.chunks(1 + 4 * 127) {
                let n = (piece.len() - 1) / 4;
                script.push((n as u8) << 1 | direction);
                script.extend_from_slice(&piece[..4 * n + 1]);
                for byte in &piece[4 * n + 1..] {
                    script.extend([*direction, *byte]);
                }
            }
        }
        script
    };
    let ping = frame(true, Opcode::Ping, KEY, b"p");
    let [request, response] = [REQUEST, RESPONSE].map(|head| with_lines(head, DEFLATE));
    let payload = deflated(&mut Deflater::new(15, true), b"HelloHelloHello");
    let message = compressed_frame(true, Opcode::Text, None, &payload);
    vec![
        (
            "connection",
            "echo",
            talk(&[(0, REQUEST.as_bytes()), (1, RESPONSE.as_bytes()), (0, &ping), (1, b"\x8a\x01p")]),
        ),
        (
            "connection",
            "deflate",
            talk(&[(0, request.as_bytes()), (1, response.as_bytes()), (1, &message), (1, &message)]),
        ),
        (
            "connection",
            "page",
            talk(&[(0, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), (1, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")]),
        ),
        (
            "connection",
            "chunked",
            talk(&[
                (0, b"GET / HTTP/1.1\r\n\r\n"),
                (1, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
            ]),
        ),
        ("connection", "junk", talk(&[(0, b"\x16\x03\x01\x02\x00\x01"), (1, b"\x15\x03\x01\x00\x02\x02\x46")])),
    ]
}

fn extensions() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("extensions", "browser", text("permessage-deflate; client_max_window_bits")),
        (
            "extensions",
            "all",
            text(
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=\"12\"",
            ),
        ),
        ("extensions", "two", text("permessage-deflate; server_max_window_bits=8, permessage-deflate")),
        ("extensions", "foreign", text("x-webkit-deflate-frame, foo; a=\"\\\"\"; b")),
    ]
}

/// As the target reads them: takeover, how fine to cut, then messages of 4n bytes, each after a byte for n.
fn inflate() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let mut script = vec![1, 2];
    let mut deflater = Deflater::new(15, true);
    for text in ["client: echo 0", "client: echo 1", "client: echo 2"] {
        let mut payload = deflated(&mut deflater, text.as_bytes());
        payload.resize(payload.len().next_multiple_of(4), 0);
        script.push((payload.len() / 4) as u8);
        script.extend(payload);
    }
    vec![
        ("inflate", "takeover", script),
        ("inflate", "stored", b"\x00\x05\x03\x00\x05\x00\xfa\xffHello\x00\x00".to_vec()),
    ]
}

/// As the target reads them: flags and direction, where, how long, the payload.
fn reassembly() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let segment = |what: u8, at: usize, payload: &[u8]| [&[what, at as u8, payload.len() as u8], payload].concat();
    let request = b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n";
    let (first, second) = request.split_at(20);
    let hello = frame(true, Opcode::Text, KEY, b"Hello");
    let after = request.len();
    vec![
        ("reassembly", "in-order", [segment(0, 0, first), segment(0, 20, second), segment(0, after, &hello)].concat()),
        ("reassembly", "reordered", [segment(0, 0, first), segment(0, after, &hello), segment(0, 20, second)].concat()),
        (
            "reassembly",
            "overlapping",
            [segment(0, 0, first), segment(0, 10, &request[10..]), segment(0, after, &hello)].concat(),
        ),
        (
            "reassembly",
            "lost",
            [segment(0, 0, request), segment(0x40, after + 20, &hello), segment(1, 0, b"HTTP/1.1 101 S\r\n\r\n")]
                .concat(),
        ),
    ]
}

/// Whole files, beside the samples: IP fragments, and a ring's file with its gaps.
fn captures() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let fragments = |v6: bool| {
        let form = Form { v6, ..PLAIN };
        let talk = Tcp::conversation(1, 2).segments;
        [form.head(), packets::fragments(&form, &talk[..8], 96).concat().concat()].concat()
    };
    let mut wire = Wire::ring(8 * 1024).upgrade([""; 2]);
    wire.ticks(30);
    let paths = wire.capture().paths();
    vec![
        ("capture", "fragments-v4", fragments(false)),
        ("capture", "fragments-v6", fragments(true)),
        ("capture", "ring", fs::read(&paths[paths.len() - 2]).expect("a file of the ring")),
    ]
}

/// Whole files: the beginning of a conversation on each link layer and in each tunnel, and as exported PDUs.
fn encapsulations() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let talk = &Tcp::conversation(1, 2).segments[..8];
    let pdus: Vec<Vec<u8>> = said()[..4].iter().map(|(up, bytes)| encapsulation::pdu(false, *up, &[], bytes)).collect();
    let layers =
        LINK_LAYERS.iter().map(|layer| ("capture", layer.0, encapsulation::tunnelled(talk, false, &[], layer)));
    let tunnels = TunnelKind::ALL.into_iter().map(|(name, kind)| {
        let tunnel = Tunnel { fragment: Some(256), ..Tunnel::of(kind) };
        ("capture", name, encapsulation::tunnelled(talk, false, &[tunnel], &LINK_LAYERS[0]))
    });
    layers.chain(tunnels).chain([("capture", "exported-pdus", encapsulation::file(252, &pdus))]).collect()
}

fn filter() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("filter", "frames", text("op in {ping pong} and len > 64KiB or not fin")),
        ("filter", "payloads", text("text contains \"echo\" && !(bytes contains 81:05)")),
        ("filter", "regex", text("path matches \"^/t.c\" or close.code == 1000..1003")),
        (
            "filter",
            "wireshark",
            text("websocket.opcode == 9 && websocket.masking_key == 37:fa:21:3d && tcp.stream == 0"),
        ),
    ]
}

fn script() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let text = |text: &str| text.as_bytes().to_vec();
    let client = "send text \"a # b\" # comment\nexpect text == \"a\" and not fin within 1.5s\nrepeat 3\n  ping \"p\"\n  \
                  wait 500ms\nend\nsend file \"a b\"\nclose 1000 \"bye\"\n";
    let mock = "on open\n  send text \"hello\"\nend\non op == binary\n  send hex \"00 ff\"\n  pong\nend\n";
    let lines = "hello\n/hex 00ff\n/file a\n/ping p\n/pong\n/close 1000 bye\n/fragment 3,4 Hello, world\n//text\n";
    vec![("script", "client", text(client)), ("script", "mock", text(mock)), ("script", "lines", text(lines))]
}

/// A sample as NDJSON and as HAR, and a HAR by others.
fn text() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let capture = sample("hello");
    let foreign = r#"{"log":{"version":"1.2","creator":{"name":"a"},"entries":[{"startedDateTime":"2026-11-22T19:30:01Z","request":{"method":"GET","url":"ws://a/b","headers":[]},"response":{"status":101,"headers":[]},"_webSocketMessages":[{"type":"send","time":1795375801.5,"opcode":1,"data":"hello"},{"type":"receive","time":1795375802.5,"opcode":2,"data":"aGVsbG8="}]}]}}"#;
    vec![
        ("ndjson", "hello", exported(&capture, Format::Ndjson)),
        ("har", "hello", exported(&capture, Format::Har)),
        ("har", "foreign", foreign.as_bytes().to_vec()),
    ]
}

/// One frame in every form, under the number of the form.
fn pasted() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let follow = "Follow: tcp,raw\nFilter: tcp.stream eq 0\nNode 0: 127.0.0.1:80\nNode 1: :0\n\t8900\n8a00\n";
    let forms = FORMS.iter().chain(BASE64).map(|(name, write)| ("pasted", *name, write(b"\x81\x05Hello").into_bytes()));
    forms.chain([("pasted", "tshark follow", follow.into())]).collect()
}

#[test]
fn the_seeds_are_what_is_made_here() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    let made = seeds();
    for (target, name, bytes) in &made {
        let path = folder.join(target).join(name);
        if std::env::var_os("MAKE_ASSETS").is_some() {
            fs::create_dir_all(folder.join(target)).expect("a folder");
            fs::write(&path, bytes).expect("written");
        }
        let there = fs::read(&path).unwrap_or_default();
        assert_eq!(&there, bytes, "{}: MAKE_ASSETS=1 cargo test --test it seeds writes it", path.display());
    }
    let targets = fs::read_dir(folder.join("../fuzz_targets")).expect("the targets");
    for target in targets {
        let target = target.expect("a target").path();
        let name = target.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
        assert!(name == "capture" || made.iter().any(|seed| seed.0 == name), "{name} has no seed");
    }
}
