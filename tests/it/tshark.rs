//! Our pcapng as tshark reads it: frame by frame the same.

use std::process::Command;

use framescope::proto::dissected::{EndReason, Kind};
use framescope::wire::frame::FrameHead;
use framescope::wire::opcode::Opcode;

use crate::support::encapsulation::{LINK_LAYERS, LinkLayer, Tunnel, TunnelKind, tunnelled};
use crate::support::tcp::Tcp;
use crate::support::{DOWN, KEY, Recording, UP, frame, load, packets};

/// One line of tshark's fields.
fn tshark(file: &std::path::Path, filter: &str, fields: &[&str]) -> Vec<Vec<String>> {
    tshark_with("tcp.reassemble_out_of_order:TRUE", file, filter, fields)
}

fn tshark_with(option: &str, file: &std::path::Path, filter: &str, fields: &[&str]) -> Vec<Vec<String>> {
    let mut command = Command::new("tshark");
    command.args(["-o", option, "-r"]).arg(file).args([
        "-Y",
        filter,
        "-T",
        "fields",
        "-E",
        "separator=|",
        "-E",
        "aggregator= ",
    ]);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = command.output().expect("tshark runs; install the Debian package tshark");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(|line| line.split('|').map(str::to_owned).collect()).collect()
}

#[test]
#[ignore = "needs tshark (Debian package tshark)"]
fn tshark_agrees_with_our_file() {
    let mut talk = Recording::new();
    let path = talk.capture().path().to_owned();
    for (client, server) in [("127.0.0.1:50001", "127.0.0.1:6455"), ("[::1]:50002", "[::1]:6455")] {
        let c = talk.connect_from(client.parse().expect("address"), server.parse().expect("address"));
        talk.upgrade(&c, "/ticker", KEY, ["", ""]);
        for size in [0, 1, 125, 126, 127, 65_490, 65_535, 65_536, 200_000] {
            let payload = vec![b'a' + (size % 26) as u8; size];
            talk.say(&c, UP, &frame(true, Opcode::Text, Some([9, 8, 7, size as u8]), &payload));
            talk.say(&c, DOWN, &frame(true, Opcode::Binary, None, &payload));
        }
        // Several frames in one read, and a frame in several.
        let many = [
            frame(false, Opcode::Text, None, b"one"),
            frame(true, Opcode::Ping, None, b"p"),
            frame(true, Opcode::Continuation, None, b"two"),
        ];
        talk.say(&c, DOWN, &many.concat());
        for piece in frame(true, Opcode::Pong, Some([1, 2, 3, 4]), b"p").chunks(2) {
            talk.say(&c, UP, piece);
        }
        let mut odd = FrameHead::new(true, Opcode::Text, None, 3); // unmasked: a finding
        (odd.rsv1, odd.rsv3) = (true, true);
        let mut wire = Vec::new();
        odd.encode_with(b"odd", &mut wire);
        talk.say(&c, UP, &wire);
        talk.say(&c, DOWN, &frame(true, Opcode::Close, None, b"\x03\xe8bye"));
        for direction in [DOWN, UP] {
            c.end(direction, EndReason::Fin, talk.now());
            talk.wait(1);
        }
    }

    // No packet is odd to tshark: checksums, sequence numbers, lengths.
    let bad = "tcp.analysis.flags or _ws.malformed or tcp.checksum.status == 0 or ip.checksum.status == 0";
    let checks = tshark(&path, bad, &["frame.number", "_ws.expert.message"]);
    assert!(checks.is_empty(), "{checks:?}");

    let capture = load(&path);
    let fields = [
        "tcp.stream",
        "tcp.srcport",
        "websocket.fin",
        "websocket.rsv",
        "websocket.opcode",
        "websocket.mask",
        "websocket.payload_length",
        "websocket.masking_key",
    ];
    let theirs = tshark(&path, "websocket", &fields);
    let ours: Vec<_> = capture.records(1..u64::MAX).into_iter().filter(|r| r.kind == Kind::Frame).collect();
    assert_eq!(theirs.len(), ours.len());
    let as_bool = |text: &str| matches!(text, "1" | "True");
    for (their, our) in theirs.iter().zip(&ours) {
        let head = capture.frame_head(our).expect("readable").expect("a frame");
        let connection = capture.connection(our.connection).expect("a connection");
        let source = if our.direction == UP { connection.client } else { connection.server };
        assert_eq!(their[0], (our.connection - 1).to_string());
        assert_eq!(their[1], source.port().to_string());
        assert_eq!(as_bool(&their[2]), head.fin);
        let rsv = u8::from(head.rsv1) << 2 | u8::from(head.rsv2) << 1 | u8::from(head.rsv3);
        assert_eq!(u8::from_str_radix(their[3].trim_start_matches("0x"), 16).expect("a number"), rsv);
        assert_eq!(their[4], head.opcode.to_wire().to_string());
        assert_eq!(as_bool(&their[5]), head.masking_key.is_some());
        assert_eq!(their[6], head.len_code.to_string());
        assert_eq!(their[7], head.masking_key.map(hex::encode).unwrap_or_default());
    }

    let commented = tshark(&path, "frame.comment contains \"client-frame-unmasked\"", &["frame.comment"]);
    assert_eq!(commented.len(), 2, "findings can be found in Wireshark");
    let streams = tshark(&path, "tcp.flags.fin == 1", &["tcp.stream"]);
    assert_eq!(streams.len(), 4, "each side of each connection ends");
}

#[test]
#[ignore = "needs tshark (Debian package tshark)"]
fn tshark_reads_every_file_of_a_ring() {
    let mut talk = Recording::ring(256 * 1024);
    let all = [50_000, 50_001, 50_002].map(|port| talk.upgraded(port, ""));
    for n in 0..600 {
        let c = &all[n % 3];
        let key = talk.key(UP);
        // Some frames arrive in pieces, before and after the end of a file.
        for piece in frame(true, Opcode::Text, key, &vec![b'a'; n % 900]).chunks(300) {
            talk.say(c, UP, piece);
        }
        talk.frame(c, DOWN, Opcode::Binary, &[n as u8; 100]);
    }
    assert!(talk.capture().totals().evicted() > 300);
    for path in talk.capture().paths() {
        let fields = ["tcp.dstport", "websocket.opcode", "websocket.payload_length", "websocket.masking_key"];
        let frames = tshark_with("tcp.reassemble_out_of_order:FALSE", &path, "websocket", &fields);
        let capture = load(&path);
        let ours: Vec<Vec<String>> = capture
            .records(0..u64::MAX)
            .iter()
            .filter(|record| record.kind == Kind::Frame)
            .map(|record| {
                let head = capture.frame_head(record).expect("readable").expect("a frame");
                let to = capture.connection(record.connection).expect("there");
                let port = if record.direction == UP { to.server.port() } else { to.client.port() };
                let key = head.masking_key.map(hex::encode).unwrap_or_default();
                vec![port.to_string(), head.opcode.to_wire().to_string(), head.len_code.to_string(), key]
            })
            .collect();
        assert_eq!(frames, ours, "{}", path.display());
        assert!(ours.len() > 50);
    }
}

/// What a frame is by its head: whether the client sent it, opcode, 7-bit length, masking key.
type Seen = (bool, String, String, String);

/// The frames of a file as tshark sees them, by direction. It gives the frames of a packet in one line.
fn their_frames(path: &std::path::Path) -> Vec<Seen> {
    let fields = ["tcp.dstport", "websocket.opcode", "websocket.payload_length", "websocket.masking_key"];
    let mut frames = Vec::new();
    for line in tshark(path, "websocket", &fields) {
        let up = line[0] == "80";
        let mut keys = line[3].split(' ');
        for (opcode, length) in line[1].split(' ').zip(line[2].split(' ')) {
            let key = if up { keys.next().unwrap_or_default() } else { "" };
            frames.push((up, opcode.to_owned(), length.to_owned(), key.to_owned()));
        }
    }
    frames.sort_by_key(|(up, ..)| *up);
    frames
}

fn our_frames(path: &std::path::Path) -> Vec<Seen> {
    let capture = load(path);
    let records = capture.records(1..u64::MAX).into_iter().filter(|record| record.kind == Kind::Frame);
    let mut frames: Vec<Seen> = records
        .map(|record| {
            let head = capture.frame_head(&record).expect("readable").expect("a frame");
            let key = head.masking_key.map(hex::encode).unwrap_or_default();
            (record.direction == UP, head.opcode.to_wire().to_string(), head.len_code.to_string(), key)
        })
        .collect();
    frames.sort_by_key(|(up, ..)| *up);
    frames
}

#[test]
#[ignore = "needs tshark (Debian package tshark)"]
fn tshark_agrees_with_what_we_read_in_every_form() {
    let folder = tempfile::tempdir().expect("a folder");
    for (n, (name, file)) in packets::variety().into_iter().enumerate() {
        let path = folder.path().join(format!("{n}.pcap"));
        std::fs::write(&path, file).expect("written");
        let ours = our_frames(&path);
        assert_eq!(ours.len(), 13, "{name}");
        assert_eq!(their_frames(&path), ours, "{name}");
    }
}

/// Link layers and tunnels that tshark reads in another way, or only with an option.
const GUESSED: [&str; 7] =
    ["vxlan-8472", "gtp-u-ethernet", "mpls-ethernet", "mpls-control-word", "mpls-alone", "nflog-big-endian", "pppd"];

#[test]
#[ignore = "needs tshark (Debian package tshark)"]
fn tshark_finds_the_same_frames_on_every_link_layer_and_in_every_tunnel() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.pcap");
    let talk = Tcp::conversation(1, 2).segments;
    let raw = LINK_LAYERS.last().expect("raw IP");
    let frames = |tunnels: &[Tunnel], layer: &LinkLayer| {
        std::fs::write(&path, tunnelled(&talk, false, tunnels, layer)).expect("written");
        tshark(&path, "websocket", &["tcp.len", "websocket.opcode"])
    };
    let plain = frames(&[], raw);
    assert_eq!(plain.len(), 12);
    for layer in LINK_LAYERS.iter().filter(|layer| !GUESSED.contains(&layer.0)) {
        assert_eq!(frames(&[], layer), plain, "{}", layer.0);
    }
    for (name, kind) in TunnelKind::ALL.into_iter().filter(|(name, _)| !GUESSED.contains(name)) {
        let tunnel = Tunnel { fragment: Some(64), ..Tunnel::of(kind) };
        assert_eq!(frames(&[tunnel], raw), plain, "{name}");
    }
}
