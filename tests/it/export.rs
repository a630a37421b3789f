//! Exports against the captures they are made from: round trips, the schema, redaction, selections, payloads larger than a
//! piece.

use std::fs;
use std::io::{self, Write};
use std::sync::atomic::Ordering;

use crate::support::program::numbers;
use crate::support::schema::Line;
use crate::support::{self, DOWN, KEY, Recording, UP, damage, everything, exported, sample};
use framescope::capture::format::pcapng::{Segments, file_head};

use framescope::capture::import::samples::Sample;
use framescope::capture::live::recorder::ConnectionRecorder;
use framescope::capture::store::Capture;
use framescope::capture::store::record::Record;
use framescope::export::{
    ExportError, ExportOptions, ExportSelection, Exported, Format, Progress, Redaction, export, to_file,
};
use framescope::proto::dissected::{Direction, EndReason, Kind};
use framescope::proto::time::Time;
use framescope::wire::opcode::Opcode;

fn exported_with(capture: &Capture, format: Format, options: &ExportOptions) -> (Vec<u8>, Exported) {
    let mut out = Vec::new();
    let exported = export(capture, format, options, &mut out, &Progress::default()).expect("exported");
    assert_eq!(exported.bytes, out.len() as u64);
    (out, exported)
}

fn json(capture: &Capture) -> String {
    String::from_utf8(exported(capture, Format::Ndjson)).expect("UTF-8")
}

/// A capture over a file with these bytes, which is not damaged.
fn opened(bytes: &[u8]) -> Capture {
    let capture = support::opened(bytes);
    assert_eq!(damage(&capture), None);
    capture
}

/// A connection after its handshake; the request has further lines.
fn upgraded(talk: &mut Recording, port: u16, lines: &str) -> ConnectionRecorder {
    let connection = talk.connect(port);
    talk.upgrade(&connection, "/echo", KEY, [lines, ""]);
    connection
}

fn frame(opcode: Opcode, key: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    support::frame(true, opcode, key, payload)
}

#[test]
fn a_cut_head_has_the_same_findings_live_and_reopened() {
    let mut talk = Recording::new();
    let cuts: [(&str, EndReason, &[&str]); 4] = [
        ("8f", EndReason::Fin, &["opcode-reserved"]),
        ("897e01", EndReason::Capture, &["client-frame-unmasked", "control-too-long"]),
        ("81fe007d", EndReason::Rst, &["length-not-shortest"]),
        ("81ff8000000000000001", EndReason::Fin, &["length-top-bit", "message-over-limit"]),
    ];
    for (i, (hex, how, _)) in cuts.into_iter().enumerate() {
        let connection = upgraded(&mut talk, 50001 + i as u16, "");
        talk.say(&connection, UP, &hex::decode(hex).expect("hex"));
        match how {
            EndReason::Rst => connection.reset(UP, talk.now()),
            how => connection.end(UP, how, talk.now()),
        }
        connection.end(DOWN, how, talk.now());
    }
    let cut_frames = |capture: &Capture| {
        let cut = |(record, wire): (Record, Vec<u8>)| {
            let rules: Vec<&str> = record.findings.iter().map(|finding| finding.rule.id()).collect();
            (record.kind == Kind::CutFrame).then(|| (hex::encode(wire), rules, record.known_direction()))
        };
        let mut cut: Vec<_> = everything(capture).into_iter().filter_map(cut).collect();
        cut.sort();
        cut
    };
    let mut expected: Vec<_> =
        cuts.iter().map(|(hex, _, rules)| ((*hex).to_owned(), rules.to_vec(), Some(UP))).collect();
    expected.sort();
    assert_eq!(cut_frames(talk.capture()), expected);
    assert_eq!(cut_frames(&support::load(talk.capture().path())), expected);
}

/// One record of each type, with text that needs escaping.
fn motley() -> Recording {
    let mut talk = Recording::new();
    let first = upgraded(&mut talk, 50001, "X-Odd: \"quoted\" \\ \u{202e} ü\r\nno colon");
    talk.say(&first, DOWN, &frame(Opcode::Text, None, "say \"hi\"\n\u{1b}[31m ✓ \u{1f600}".as_bytes()));
    talk.say(&first, UP, &frame(Opcode::Binary, Some([1, 2, 3, 4]), &[0, 255, 7]));
    talk.say(&first, UP, &frame(Opcode::Close, Some([5, 6, 7, 8]), b"\x03\xe8bye"));
    talk.say(&first, DOWN, &[0x81, 0x7e, 0x01]);
    first.end(UP, EndReason::Fin, talk.now());
    first.end(DOWN, EndReason::Fin, talk.now());
    let tls = talk.connect(50002);
    talk.say(&tls, UP, &[0x16, 3, 1, 0, 1, 1]);
    tls.reset(DOWN, talk.now());
    let cut = talk.connect(50003);
    talk.say(&cut, UP, b"GET /echo HTTP/1.1\r\nHost: x\r\nUpgr");
    talk.say(&cut, DOWN, b"HTTP/1.1 40");
    for direction in Direction::BOTH {
        cut.end(direction, EndReason::Fin, talk.now());
    }
    let plain = talk.connect(50004);
    talk.say(&plain, UP, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    talk.say(&plain, DOWN, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    plain.end(DOWN, EndReason::Fin, talk.now());
    plain.end(UP, EndReason::Fin, talk.now());
    let mute = upgraded(&mut talk, 50005, "");
    talk.say(&mute, UP, &[0x81, 0x85, 1, 2, 3, 4, 5]);
    mute.end(UP, EndReason::Capture, talk.now());
    talk.say(&mute, DOWN, &frame(Opcode::Text, None, b"who is there?"));
    mute.end(DOWN, EndReason::Fin, talk.now());
    talk
}

mod pcapng {
    use super::*;

    #[test]
    fn a_sample_exported_again_is_the_same_file() {
        for sample in Sample::ALL {
            let capture = opened(sample.bytes);
            let (bytes, exported) = exported_with(&capture, Format::Pcapng, &ExportOptions::default());
            // The finding of a frame that a reset cut is on the frame's packet here, and on the reset's packet in the spool.
            assert!(bytes == sample.bytes || sample.name == "violations", "{}", sample.name);
            assert_eq!(everything(&opened(&bytes)), everything(&capture), "{}", sample.name);
            assert_eq!(exported.note, None);
        }
    }

    #[test]
    fn every_type_of_record_comes_back() {
        let talk = motley();
        let capture = talk.capture();
        let again = opened(&exported(capture, Format::Pcapng));
        assert_eq!(everything(&again), everything(capture));
        assert_eq!(json(&again), json(capture));
    }

    #[test]
    fn notes_are_kept() {
        let capture = sample("ticker");
        capture.set_note(7, "look here: the first message");
        let again = opened(&exported(&capture, Format::Pcapng));
        assert_eq!(again.note(7).as_deref(), Some("look here: the first message"));
        assert_eq!(exported(&again, Format::Pcapng), exported(&capture, Format::Pcapng));
    }

    /// Wireshark puts comments on any packet: also on a reset of a connection that has ended.
    #[test]
    fn a_note_on_a_late_reset_is_kept() {
        let mut segments = Segments::new(([127, 0, 0, 1], 50001).into(), ([127, 0, 0, 1], 6455).into(), 1);
        let mut file = Vec::new();
        file_head(&mut file, None);
        segments.open(&mut file, Time(1));
        segments.data(&mut file, UP, b"GET / HTTP/1.1\r\n\r\n", Time(2), &[]);
        for direction in Direction::BOTH {
            segments.fin(&mut file, direction, Time(3), &[]);
        }
        segments.rst(&mut file, UP, Time(4), &["why a reset?".to_owned()]);
        let capture = opened(&file);
        assert_eq!(capture.note(capture.len()).as_deref(), Some("why a reset?"));
    }

    #[test]
    fn a_selection_contains_the_handshakes_of_its_connections() {
        let capture = sample("ticker");
        let frames: Vec<u64> =
            capture.records(1..99).iter().filter(|r| r.kind == Kind::Frame).map(|r| r.no).skip(2).take(2).collect();
        let options = ExportOptions { selection: ExportSelection::Records(frames.clone()), ..ExportOptions::default() };
        let (bytes, exported) = exported_with(&capture, Format::Pcapng, &options);
        assert_eq!(exported.records, 4);
        assert_eq!(exported.note.map(|note| numbers(&note)), Some(vec![2, 2]), "selected and handshake records");
        let again = opened(&bytes);
        let wires: Vec<Vec<u8>> =
            everything(&again).into_iter().map(|(_, wire)| wire).filter(|w| !w.is_empty()).collect();
        let expected = |no: u64| capture.wire(&capture.record(no).expect("there"), 0..u64::MAX).expect("bytes");
        assert_eq!(wires[2..], [expected(frames[0]), expected(frames[1])]);
        assert!(wires[0].starts_with(b"GET /ticker") && wires[1].starts_with(b"HTTP/1.1 101"));
    }
}

mod ndjson {
    use super::*;

    /// Each line, read as the schema's types and written again, is the same bytes: the order of the keys too.
    fn check(text: &str, byte_equal: bool) -> Vec<Line> {
        text.lines()
            .map(|line| {
                let read = Line::read(line).unwrap_or_else(|e| panic!("{e}: {line}"));
                if byte_equal {
                    assert_eq!(serde_json::to_string(&read).expect("JSON"), line);
                }
                read
            })
            .collect()
    }

    #[test]
    fn every_line_matches_the_schema() {
        for name in ["hello", "ticker", "fragments", "violations"] {
            let capture = sample(name);
            let lines = check(&json(&capture), true);
            assert_eq!(lines.len() as u64, capture.len(), "{name}");
        }
    }

    #[test]
    fn every_type_of_record_has_its_line() {
        let text = json(motley().capture());
        let lines = check(&text, false);
        assert!(text.chars().all(|c| c == '\n' || framescope::wire::printable::is_plain(c)), "safe for a terminal");
        let Some(Line::Request(request)) = lines.first() else { panic!("{text}") };
        assert_eq!(request.headers[6], ["X-Odd".to_owned(), "\"quoted\" \\ \u{202e} ü".to_owned()]);
        assert_eq!(request.headers[7], [String::new(), "no colon".to_owned()]);
        assert_eq!(request.client.as_deref(), Some("127.0.0.1:50001"));
        assert_eq!(request.findings[0].rule, "header-malformed");
        let Line::Response(response) = &lines[1] else { panic!("{text}") };
        let accept = response.accept.as_ref().expect("an accept key");
        assert!(accept.ok && accept.received.as_ref() == Some(&accept.expected) && accept.key == KEY);
        let Line::Frame(frame) = &lines[2] else { panic!("{text}") };
        assert_eq!(frame.text.as_deref(), Some("say \"hi\"\n\u{1b}[31m ✓ \u{1f600}"));
        assert_eq!((frame.data.as_ref(), frame.message), (None, Some(1)));
        let Line::Frame(frame) = &lines[3] else { panic!("{text}") };
        assert_eq!((frame.text.as_ref(), frame.data.as_deref()), (None, Some("AP8H")));
        let Line::Frame(close) = &lines[4] else { panic!("{text}") };
        assert_eq!((close.close_code, close.close_reason.as_deref()), (Some(1000), Some("bye")));
        assert_eq!((close.message, close.masking_key.as_deref()), (None, Some("05060708")));
        let cut = lines.iter().find_map(|line| if let Line::CutFrame(cut) = line { Some(cut) } else { None });
        let cut = cut.expect("a cut frame");
        assert_eq!((cut.len_code, cut.payload_len, cut.data.as_ref()), (Some(126), None, None));
        assert!(lines.iter().any(|line| matches!(line, Line::Junk(junk) if junk.wire == "160301000101")));
        assert!(lines.iter().any(|line| matches!(line, Line::CutRequest(cut) if cut.headers.len() == 2)));
        assert!(lines.iter().any(|line| matches!(line, Line::CutResponse(cut) if cut.status == Some(40))));
        assert!(lines.iter().any(|line| matches!(line, Line::End(end) if end.how == "rst")));
        assert!(
            lines.iter().any(|line| matches!(line, Line::Response(r) if r.accept.is_none() && r.status == Some(200)))
        );
    }

    #[test]
    fn a_payload_larger_than_a_piece_is_whole() {
        let text = "naïve ✓ \u{1f600} \"x\" ".repeat(33_000);
        let mut broken = text.clone().into_bytes();
        broken.push(0xff);
        let mut talk = Recording::new();
        let connection = upgraded(&mut talk, 50001, "");
        let frames = [
            frame(Opcode::Text, Some([9, 8, 7, 6]), text.as_bytes()),
            frame(Opcode::Text, Some([1, 8, 7, 6]), &broken),
            frame(Opcode::Binary, None, text.as_bytes()),
        ];
        for frame in &frames {
            talk.say(&connection, UP, frame);
        }
        let capture = talk.capture();
        let lines = check(&json(capture), false);
        let read: Vec<_> =
            lines.iter().filter_map(|line| if let Line::Frame(frame) = line { Some(frame) } else { None }).collect();
        assert_eq!(read[0].text.as_deref(), Some(text.as_str()));
        let base64 = |bytes: &[u8]| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
        assert_eq!(read[1].data, Some(base64(&broken)));
        assert_eq!(read[2].data, Some(base64(text.as_bytes())));
        for (line, frame) in read.iter().zip(&frames) {
            assert_eq!(line.wire, hex::encode(frame));
        }
        let again = opened(&exported(capture, Format::Pcapng));
        assert_eq!(everything(&again)[..5], everything(capture)[..5]);
        let payloads = exported(capture, Format::Payload);
        assert!(payloads == [text.as_bytes(), &broken, text.as_bytes()].concat());
        let hex = String::from_utf8(exported(capture, Format::Hex)).expect("text");
        assert!(hex.lines().count() > text.len() / 16 * 5);
    }
}

mod hex_dump {
    use super::*;

    /// The bytes in the hex columns.
    fn bytes(dump: &str) -> Vec<u8> {
        let rows = dump.lines().filter(|line| line.len() > 10 && line[..8].bytes().all(|b| b.is_ascii_hexdigit()));
        let digits: String =
            rows.flat_map(|row| row.chars().skip(10).take(48)).filter(|c| !c.is_whitespace()).collect();
        hex::decode(digits).expect("hex digits")
    }

    #[test]
    fn a_hex_dump_holds_every_byte_of_a_head_in_order() {
        let mut talk = Recording::new();
        let connection = talk.connect(50001);
        let request = b"GET /a?b=%20 HTTP/1.1\r\nHost: localhost\r\nUser-Agent: longer than a row of sixteen\r\n\r\n";
        let response = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n0123456789abcdefghij";
        talk.say(&connection, UP, request);
        talk.say(&connection, DOWN, response);
        drop(connection);
        let capture = talk.capture();
        for (direction, wire) in [(UP, request.as_slice()), (DOWN, response)] {
            let options = ExportOptions { direction: Some(direction), ..ExportOptions::default() };
            let dump = String::from_utf8(exported_with(capture, Format::Hex, &options).0).expect("text");
            assert_eq!(bytes(&dump), wire, "{dump}");
        }
        let dump = String::from_utf8(exported(capture, Format::Hex)).expect("text");
        for row in [
            "00000000  47 45 54 20                                       method                   GET",
            "00000017  48 6f 73 74 3a 20 6c 6f  63 61 6c 68 6f 73 74 0d  Host                     localhost",
            "00000027  0a",
        ] {
            assert!(dump.lines().any(|line| line == row), "{row}\n{dump}");
        }
    }
}

mod redaction {
    use super::*;

    #[test]
    fn no_format_reveals_a_secret() {
        let secret = "Cookie: s3cr3t=1\r\nAuthorization: Basic s3cr3t\r\nproxy-authorization: s3cr3t\r\n\
            Sec-WebSocket-Protocol: chat, bearer, s3cr3t\r\nReferer: http://h/?token=s3cr3t\r\n\
            Cookie: a;\r\n b=s3cr3t\r\nX: y\rCookie: s3cr3t\r\nCookie s3cr3t=1";
        let mut talk = Recording::new();
        let connection = upgraded(&mut talk, 50001, secret);
        talk.say(&connection, DOWN, &frame(Opcode::Text, None, b"hello"));
        let plain = talk.connect(50002);
        talk.say(&plain, UP, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        talk.say(&plain, DOWN, b"HTTP/1.1 200 OK\r\nSet-Cookie: s3cr3t\r\nContent-Length: 2\r\n\r\nok");
        // Trailers; the last one begins in the first piece that is read and ends in the second.
        const PIECE: usize = 12 * framescope::capture::format::pcapng::MAX_SEGMENT;
        for (port, target, len) in [(50005, "/?token=s3cr3t", 2), (50006, "/", PIECE), (50007, "/", PIECE - 110)] {
            let chunked = talk.connect(port);
            let head = format!("POST {target} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{len:06x}\r\n");
            let value = "s3cr3t ".repeat(10);
            let trailer = format!("\r\n0\r\nX: y\r\nAuthorization: {value}\r\n s3cr3t\r\n\r\n");
            talk.say(&chunked, UP, format!("{head}{}{trailer}", "b".repeat(len)).as_bytes());
        }
        // Too long to be read as a head: unrecognized bytes, which are redacted too.
        let long = talk.connect(50003);
        let pad = "X: y\r\n".repeat(10_920);
        talk.say(
            &long,
            UP,
            format!("GET / HTTP/1.1\r\n{pad}Cookie: s3cr3ts3cr3ts3cr3ts3cr3ts3cr3t\r\n\r\n").as_bytes(),
        );
        drop(long);
        // One line over several records.
        let longer = talk.connect(50004);
        let cookie = "s3cr3t".repeat(35_000);
        talk.say(&longer, UP, format!("GET / HTTP/1.1\r\nCookie: {cookie}\r\nHost: x\r\n\r\n").as_bytes());
        drop(longer);
        let capture = talk.capture();
        let redaction = Redaction { names: vec!["token".to_owned(), "bearer".to_owned()] };
        for format in Format::ALL {
            for direction in Direction::BOTH {
                let direction = Some(direction).filter(|_| format == Format::Wire);
                for redact in [false, true] {
                    let options = ExportOptions {
                        redact: redact.then_some(redaction.clone()),
                        direction,
                        ..ExportOptions::default()
                    };
                    let bytes = exported_with(capture, format, &options).0;
                    let has = |needle: &[u8]| memchr::memmem::find(&bytes, needle).is_some();
                    let is_revealed =
                        has(b"s3cr3t") || has(hex::encode("s3cr3t").as_bytes()) || has(b"73 33 63 72 33 74");
                    assert_eq!(is_revealed, !redact && format != Format::Payload, "{format:?} {redact}");
                    if format == Format::Pcapng {
                        // A record that the end of the capture cut off is the last one when the file is opened.
                        let lens = |c: &Capture| {
                            let mut lens: Vec<_> = c
                                .records(1..99)
                                .iter()
                                .map(|r| (r.connection, r.wire_len))
                                .filter(|(_, len)| *len > 0)
                                .collect();
                            lens.sort_unstable();
                            lens
                        };
                        assert_eq!(lens(&opened(&bytes)), lens(capture));
                    }
                }
            }
        }
    }
}

mod files {
    use super::*;

    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_output_is_an_error_and_not_a_panic() {
        let result = export(&sample("hello"), Format::Hex, &ExportOptions::default(), &mut Full, &Progress::default());
        assert!(matches!(result, Err(ExportError::Output(_))), "{result:?}");
    }

    #[test]
    fn a_cancelled_export_leaves_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out");
        let progress = Progress::default();
        progress.cancel.store(true, Ordering::Relaxed);
        let result = to_file(&sample("hello"), Format::Hex, &ExportOptions::default(), &path, false, &progress);
        assert!(matches!(result, Err(ExportError::Cancelled)), "{result:?}");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }

    #[test]
    fn progress_counts_to_its_total() {
        let capture = sample("hello");
        let progress = Progress::default();
        export(&capture, Format::Ndjson, &ExportOptions::default(), &mut io::sink(), &progress).expect("exported");
        assert_eq!(progress.done.load(Ordering::Relaxed), capture.len());
        assert_eq!(progress.total.load(Ordering::Relaxed), capture.len());
    }

    #[test]
    fn a_missing_record_is_named() {
        let options = ExportOptions { selection: ExportSelection::Records(vec![1, 999]), ..ExportOptions::default() };
        for format in Format::ALL {
            let options = ExportOptions { direction: Some(UP), ..options.clone() };
            let result = export(&sample("hello"), format, &options, &mut Vec::new(), &Progress::default());
            assert!(matches!(result, Err(ExportError::NoRecord { no: 999, .. })), "{format:?}: {result:?}");
        }
    }
}
