//! Captures by other programs: every form of file; segments in any order, overlapping, repeated, missing; and files that are
//! damaged anywhere.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::support::packets::{Form, Link, PLAIN, fragments, variety};
use crate::support::tcp::{ACK, MSS, RST, SYN, Segment, Tcp, reordered, repeated, said};
use crate::support::{DOWN, REQUEST, RESPONSE, Screen, UP, cases, frame};
use flate2::Compression;
use flate2::write::GzEncoder;
use framescope::capture::import::{self, ImportOptions};
use framescope::capture::store::message_reader::MessageReader;
use framescope::capture::store::record::Record;
use framescope::export::{self, Format, Progress};
use framescope::proto::dissected::{Direction, EndReason, Kind};
use framescope::proto::rules::Rule;
use framescope::wire::opcode::Opcode;
use proptest::collection::vec;
use proptest::prelude::*;

/// What a file holds.
pub struct Opened {
    /// The records with their wire bytes.
    pub records: Vec<(Record, Vec<u8>)>,
    pub trouble: String,
}

fn opened_at(path: &Path, options: ImportOptions) -> Option<Opened> {
    let (capture, loader) = import::open_with(path, options).ok()?;
    loader.run(&AtomicBool::new(false));
    let records = capture.records(1..u64::MAX).into_iter();
    let records =
        records.map(|record| (record.clone(), capture.wire(&record, 0..u64::MAX).unwrap_or_default())).collect();
    Some(Opened { records, trouble: capture.trouble().reason().unwrap_or_default() })
}

/// What a file's bytes hold; none when it is refused.
fn read(bytes: &[u8], options: ImportOptions) -> Option<Opened> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.pcap");
    std::fs::write(&path, bytes).expect("written");
    opened_at(&path, options)
}

pub fn opened(bytes: &[u8]) -> Opened {
    read(bytes, ImportOptions::default()).expect("a capture")
}

fn pcap(segments: &[Segment]) -> Vec<u8> {
    PLAIN.file(segments)
}

impl Opened {
    /// Kind, length, wire bytes and findings of a direction's records, in order.
    pub fn side(&self, direction: Direction) -> Vec<(Kind, u64, &[u8], Vec<&str>)> {
        let own = self.records.iter().filter(|(record, _)| record.direction == direction);
        own.map(|(record, wire)| {
            let rules = record.findings.iter().map(|finding| finding.rule.id()).collect();
            (record.kind, record.wire_len, wire.as_slice(), rules)
        })
        .collect()
    }

    pub fn kinds(&self, direction: Direction) -> Vec<(Kind, u64)> {
        self.side(direction).into_iter().map(|(kind, len, ..)| (kind, len)).collect()
    }

    pub fn bytes(&self, direction: Direction) -> Vec<u8> {
        self.side(direction).into_iter().flat_map(|(_, _, wire, _)| wire.to_vec()).collect()
    }

    pub fn rules(&self) -> Vec<Rule> {
        self.records.iter().flat_map(|(record, _)| record.findings.iter().map(|finding| finding.rule)).collect()
    }
}

/// The conversation's records of a direction: what is said, each fragment a record, and the end.
pub fn expected(direction: Direction) -> Vec<(Kind, u64)> {
    let mut records = Vec::new();
    for (n, (up, bytes)) in said().into_iter().enumerate() {
        let kind = [Kind::Request, Kind::Response].get(n).copied().unwrap_or(Kind::Frame);
        if up != (direction == UP) {
            continue;
        }
        // The fragments: 9 and 11 bytes with their heads of 2.
        match bytes.len() {
            20 if !up && kind == Kind::Frame => records.extend([(kind, 9), (kind, 11)]),
            len => records.push((kind, len as u64)),
        }
    }
    records.push((Kind::End(EndReason::Fin), 0));
    records
}

/// The conversation without the segments that carry what is said in those steps.
fn without(mut lost: impl FnMut(&Segment) -> bool) -> Vec<Segment> {
    Tcp::conversation(1000, 70_000).segments.into_iter().filter(|segment| !lost(segment)).collect()
}

fn contains(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

#[test]
fn the_same_conversation_in_every_form() {
    for (name, file) in variety() {
        let opened = opened(&file);
        assert_eq!(opened.trouble, "", "{name}");
        assert_eq!(opened.rules(), [], "{name}");
        for direction in [UP, DOWN] {
            assert_eq!(opened.kinds(direction), expected(direction), "{name}");
            let all: Vec<u8> =
                said().into_iter().filter(|(up, _)| *up == (direction == UP)).flat_map(|(_, bytes)| bytes).collect();
            assert!(opened.bytes(direction) == all, "{name}");
        }
    }
}

#[test]
fn times_are_those_of_the_packets_in_every_resolution() {
    let talk = Tcp::conversation(1, 1).segments;
    for (pcapng, nanos) in [(false, false), (false, true), (true, false), (true, true)] {
        let opened = opened(&Form { pcapng, nanos, ..PLAIN }.file(&talk));
        assert_eq!(opened.records[0].0.time.0, 1_795_375_800_003_000_000, "the fourth packet");
    }
}

#[test]
fn packet_blocks_of_old_and_of_the_simple_sort_are_read() {
    let form = Form { pcapng: true, ..PLAIN };
    let mut file = form.head();
    for (n, segment) in Tcp::conversation(1, 1).segments.iter().enumerate() {
        let packet = form.wrapped(segment, n);
        let len = (packet.len() as u32).to_le_bytes();
        let block = match n % 2 {
            0 => form.block(3, &[&len[..], &packet].concat()),
            _ => form.block(2, &[&[0; 12][..], &len, &len, &packet].concat()),
        };
        file.extend(block);
    }
    assert_eq!(opened(&file).kinds(DOWN), expected(DOWN));
}

#[test]
fn what_is_compressed_is_inflated_first() {
    let compress = |file: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(file).expect("in memory");
        encoder.finish().expect("in memory")
    };
    for pcapng in [false, true] {
        let file = Form { pcapng, ..PLAIN }.file(&Tcp::conversation(1, 1).segments);
        let (plain, inflated) = (opened(&file), opened(&compress(&file)));
        assert!(plain.records == inflated.records && inflated.trouble.is_empty());
        let zipped = compress(&file);
        let cut = opened(&zipped[..zipped.len() / 2]);
        assert!(cut.trouble.contains("the compressed file ends early"), "{}", cut.trouble);
        assert!(cut.records.len() > 2);
    }
    assert!(read(&compress(b"just text"), ImportOptions::default()).is_none());
    let cannot = read(&compress(&pcap(&[])), ImportOptions { follow: true, ..ImportOptions::default() });
    assert!(cannot.is_none(), "it cannot grow");
}

#[test]
fn a_gap_inside_a_frame_ends_with_the_frame() {
    let mut pieces = 0;
    let opened = opened(&pcap(&without(|segment| {
        pieces += usize::from(contains(&segment.payload, b"a long text"));
        contains(&segment.payload, b"a long text") && pieces == 2
    })));
    let mut kinds = expected(DOWN);
    let whole = 2400 + 4;
    assert_eq!(kinds[3], (Kind::Frame, whole));
    kinds.splice(3..4, [(Kind::CutFrame, MSS as u64), (Kind::Gap, MSS as u64), (Kind::Junk, whole - 2 * MSS as u64)]);
    assert_eq!((opened.kinds(DOWN), opened.kinds(UP), opened.rules()), (kinds, expected(UP), vec![]));
}

#[test]
fn a_gap_across_frames_ends_where_a_packet_begins_with_one() {
    let opened = opened(&pcap(&without(|segment| contains(&segment.payload, b"\x81\x06echo 1"))));
    let mut kinds = expected(DOWN);
    assert_eq!(kinds[6], (Kind::Frame, 8));
    kinds[6].0 = Kind::Gap;
    assert_eq!((opened.kinds(DOWN), opened.kinds(UP), opened.rules()), (kinds, expected(UP), vec![]));
}

#[test]
fn a_long_connection_resumes_soon_after_a_gap() {
    let mut tcp = Tcp::open(5, 6);
    tcp.say(true, REQUEST.as_bytes());
    tcp.say(false, RESPONSE.as_bytes());
    (0..600).for_each(|n| tcp.say(false, &frame(true, Opcode::Text, None, format!("message {n}").as_bytes())));
    tcp.segments.retain(|segment| !contains(&segment.payload, b"message 7") || segment.payload.len() > 11);
    let opened = opened(&pcap(&tcp.segments));
    let kinds: Vec<Kind> = opened.records.iter().map(|(record, _)| record.kind).collect();
    assert_eq!(kinds.iter().position(|kind| *kind == Kind::Gap), Some(9));
    assert_eq!(kinds.iter().filter(|kind| **kind == Kind::Frame).count(), 599);
}

#[test]
fn a_frame_that_acknowledges_a_response_further_on_is_not_early() {
    let mut talk = Tcp::open(1, 2);
    talk.say(true, REQUEST.as_bytes());
    talk.say(false, RESPONSE.as_bytes());
    talk.say(true, &frame(true, Opcode::Text, Some([1, 2, 3, 4]), b"hello"));
    let at = |what: &[u8]| talk.segments.iter().position(|segment| contains(&segment.payload, what)).expect("there");
    let (response, text) = (at(b"HTTP/1.1 101"), at(b"\x81\x85"));
    talk.segments.swap(response, text);
    let swapped = opened(&pcap(&talk.segments));
    let kinds: Vec<Kind> = swapped.records.iter().map(|(record, _)| record.kind).collect();
    assert_eq!((&kinds[..3], swapped.rules()), (&[Kind::Request, Kind::Response, Kind::Frame][..], vec![]));
}

#[test]
fn without_the_response_frames_prove_that_the_server_agreed() {
    let opened = opened(&pcap(&without(|segment| contains(&segment.payload, b"HTTP/1.1 101"))));
    let mut kinds = expected(DOWN);
    kinds[0].0 = Kind::Gap;
    assert_eq!((opened.kinds(DOWN), opened.kinds(UP), opened.rules()), (kinds, expected(UP), vec![]));
}

#[test]
fn without_the_request_the_response_is_enough() {
    let opened = opened(&pcap(&without(|segment| contains(&segment.payload, b"GET /ticker"))));
    let mut kinds = expected(UP);
    kinds[0].0 = Kind::Gap;
    assert_eq!((opened.kinds(UP), opened.kinds(DOWN), opened.rules()), (kinds, expected(DOWN), vec![]));
}

#[test]
fn what_the_snap_length_cut_off_is_missing() {
    let talk = Tcp::conversation(9, 9).segments;
    for pcapng in [false, true] {
        let opened = opened(&Form { snap: 300, pcapng, ..PLAIN }.file(&talk));
        for direction in [UP, DOWN] {
            let len = |kinds: &[(Kind, u64)]| kinds.iter().map(|(_, len)| len).sum::<u64>();
            assert_eq!(len(&opened.kinds(direction)), len(&expected(direction)));
        }
        let small = opened.kinds(DOWN).into_iter().filter(|(kind, _)| *kind == Kind::Frame).count();
        assert_eq!(small, 7, "all but the long text: {:?}", opened.kinds(DOWN));
        assert_eq!(opened.rules(), []);
    }
}

#[test]
fn compressed_messages_after_a_gap_are_not_inflated_and_a_finding_says_so() {
    let with = |text: &str| {
        text.replacen("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n", 1).into_bytes()
    };
    // RFC 7692 §7.2.3.2: the second Hello refers to the first.
    let [first, second] = [&b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00"[..], b"\xc1\x05\xf2\x00\x11\x00\x00"];
    let mut tcp = Tcp::open(5, 6);
    tcp.say(true, &with(REQUEST));
    tcp.say(false, &with(RESPONSE));
    tcp.say(false, first);
    tcp.say(false, second);
    tcp.segments.retain(|segment| segment.payload != first);
    let opened = opened(&pcap(&tcp.segments));
    let side = opened.side(DOWN);
    assert_eq!((side[1].0, &side[1].3), (Kind::Gap, &vec!["context-lost"]));
    assert_eq!((side[2].0, side[2].2, &side[2].3), (Kind::Frame, second, &vec![]));
}

#[test]
fn messages_without_context_are_inflated_after_a_gap_too() {
    let with = |text: &str| {
        let line = "\r\nSec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n\r\n";
        text.replacen("\r\n\r\n", line, 1).into_bytes()
    };
    let hello = b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00";
    let mut tcp = Tcp::open(5, 6);
    tcp.say(true, &with(REQUEST));
    tcp.say(false, &with(RESPONSE));
    (0..4).for_each(|_| tcp.say(false, hello));
    let second = tcp.segments.iter().enumerate().filter(|(_, s)| s.payload == hello).nth(1).expect("there").0;
    tcp.segments.remove(second);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.pcap");
    std::fs::write(&path, pcap(&tcp.segments)).expect("written");
    let (capture, loader) = import::open(&path).expect("a capture");
    loader.run(&AtomicBool::new(false));
    let frames = capture.records(1..u64::MAX).into_iter().filter(|record| record.kind == Kind::Frame);
    let texts: Vec<_> = frames
        .map(|frame| {
            MessageReader::default()
                .message(&capture, &frame, 100)
                .expect("readable")
                .and_then(|i| Some(i.text()?.to_owned()))
        })
        .collect();
    assert_eq!(texts, vec![Some("Hello".to_owned()); 3]);
    assert!(capture.tallies().is_empty());
}

/// The same segment with another content.
fn forged(segment: &Segment) -> Segment {
    Segment { payload: vec![b'!'; segment.payload.len()], ..segment.clone() }
}

#[test]
fn the_first_bytes_win_and_others_are_reported() {
    let talk = Tcp::conversation(1, 2).segments;
    let mut file = Vec::new();
    for segment in &talk {
        file.push(segment.clone());
        if contains(&segment.payload, b"echo 1") && !segment.up {
            file.push(forged(segment));
        }
    }
    let behind = opened(&pcap(&file));
    let side = behind.side(DOWN);
    assert_eq!(side[7].3, ["segment-overlap"], "on the next one");
    assert_eq!(behind.kinds(DOWN), expected(DOWN));
    assert_eq!(behind.records.iter().flat_map(|(r, _)| &r.findings).map(|f| f.number).collect::<Vec<_>>(), [Some(8)]);

    // Among those that wait for an earlier one too.
    let at = talk.iter().position(|s| contains(&s.payload, b"a long text")).expect("there");
    let mut file = talk.clone();
    let first = file.remove(at);
    file.insert(at + 1, forged(&talk[at + 1]));
    file.insert(at + 3, first);
    let waiting = opened(&pcap(&file));
    assert_eq!((waiting.rules(), waiting.kinds(DOWN)), (vec![Rule::SegmentOverlap], expected(DOWN)));
}

#[test]
fn one_pair_of_ports_holds_several_connections() {
    let talks = [Tcp::conversation(1, 2), Tcp::conversation(900_000, 5), Tcp::conversation(77, 3_000_000_000)];
    let opened = opened(&pcap(&talks.map(|talk| talk.segments).concat()));
    let per_connection = |n: u32| opened.records.iter().filter(|(record, _)| record.connection == n).count();
    let whole = expected(UP).len() + expected(DOWN).len();
    assert_eq!([1, 2, 3, 4].map(per_connection), [whole, whole, whole, 0]);
}

#[test]
fn bytes_after_the_end_are_counted() {
    let mut tcp = Tcp::conversation(1, 2);
    tcp.say(true, b"too late");
    assert_eq!(opened(&pcap(&tcp.segments)).trouble, "8 bytes after the end of their connection are not shown");
    let mut tcp = Tcp::open(1, 2);
    tcp.say(true, REQUEST.as_bytes());
    tcp.send(false, RST | ACK, &[]);
    tcp.say(true, b"too late");
    let reset = opened(&pcap(&tcp.segments));
    assert!(reset.trouble.starts_with("8 bytes"), "{}", reset.trouble);
    assert_eq!(reset.kinds(UP)[1], (Kind::End(EndReason::Rst), 0));
}

#[test]
fn a_capture_that_begins_in_the_middle_is_read_with_its_port() {
    let talk = Tcp::conversation(1, 2).segments;
    let from = talk.iter().position(|s| contains(&s.payload, b"echo 0")).expect("there");
    let file = pcap(&talk[from..]);
    let without = opened(&file);
    assert_eq!(without.trouble, "connection 1 begins without its handshake; --port 80 reads it as WebSocket frames");
    assert!(without.records.iter().all(|(record, _)| matches!(record.kind, Kind::Junk | Kind::End(_))));
    let with = read(&file, ImportOptions { port: Some(80), ..ImportOptions::default() }).expect("a capture");
    assert_eq!((with.kinds(UP), with.kinds(DOWN)), (expected(UP)[1..].to_vec(), expected(DOWN)[1..].to_vec()));
    assert_eq!((with.rules(), with.trouble.as_str()), (vec![], ""));
    let other = read(&file, ImportOptions { port: Some(81), ..ImportOptions::default() }).expect("a capture");
    assert!(other.records.iter().all(|(record, _)| record.kind != Kind::Frame));
}

#[test]
fn tls_is_said_once() {
    let mut tcp = Tcp::open(1, 2);
    tcp.say(true, b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00");
    tcp.say(false, b"\x16\x03\x03\x00\x05\x02\x00\x00\x01\x00");
    tcp.close();
    let tls = opened(&pcap(&tcp.segments));
    assert_eq!(tls.trouble, "connection 1 is encrypted with TLS: give its key log with --keylog FILE");
    assert_eq!(tls.records[0].0.kind, Kind::Junk);
}

#[test]
fn what_is_not_read_is_said() {
    let form = Form { link: Link::Raw(189), ..PLAIN };
    assert_eq!(opened(&form.file(&[])).trouble, "");
    let usb = opened(&form.file(&Tcp::open(1, 2).segments));
    assert_eq!(usb.trouble, "3 packets of link type 189 (Linux USB), which framescope does not read");
    let unnamed = opened(&Form { link: Link::Raw(299), ..PLAIN }.file(&Tcp::open(1, 2).segments));
    assert_eq!(unnamed.trouble, "3 packets of link type 299, which framescope does not read");
    let mut file = PLAIN.file(&Tcp::conversation(1, 2).segments);
    file[24 + 16 + 6] |= 0x20; // more fragments
    assert_eq!(opened(&file).trouble, "1 IP fragment dropped: other fragments of the same packet are missing");
}

#[test]
fn fragments_in_any_order_and_overlap_are_reassembled_when_complete() {
    let talk = Tcp::conversation(1, 2).segments;
    let file = |fragments: &[Vec<Vec<u8>>]| [PLAIN.head(), fragments.concat().concat()].concat();
    let whole = |opened: &Opened| {
        assert_eq!(opened.trouble, "");
        assert_eq!((opened.kinds(UP), opened.kinds(DOWN)), (expected(UP), expected(DOWN)));
        assert_eq!(opened.bytes(DOWN), stream(DOWN));
    };
    let cut = fragments(&PLAIN, &talk, 64);
    // Those of two packets in turn.
    let in_turn = |two: &[Vec<Vec<u8>>]| -> Vec<Vec<u8>> {
        let longest = two.iter().map(Vec::len).max().unwrap_or(0);
        (0..longest).flat_map(|i| two.iter().filter_map(move |of_one| of_one.get(i).cloned())).collect()
    };
    let mixed: Vec<Vec<Vec<u8>>> = cut.chunks(2).map(in_turn).collect();
    whole(&opened(&file(&mixed)));
    // Each twice, the second time with other bytes: the first win.
    let twice = |of_one: &Vec<Vec<u8>>| -> Vec<Vec<u8>> {
        let (last, before) = of_one.split_last().expect("fragments");
        let forged = before.iter().flat_map(|fragment| {
            let mut forged = fragment.clone();
            forged[16 + 20..].fill(b'!');
            [fragment.clone(), forged]
        });
        forged.chain([last.clone()]).collect()
    };
    whole(&opened(&file(&cut.iter().map(twice).collect::<Vec<_>>())));
    // One is missing: its whole packet is, and that is said.
    let at = cut.iter().position(|of_one| of_one.len() > 5).expect("a long one");
    let mut lossy = cut.clone();
    let lost = lossy[at].remove(2);
    let told = opened(&file(&lossy));
    let left = lossy[at].len();
    assert_eq!(told.trouble, format!("{left} IP fragments dropped: other fragments of the same packet are missing"));
    assert!(told.records.iter().any(|(record, _)| record.kind == Kind::Gap));
    // It comes more than a minute later: by then it is another packet's.
    let mut late = lost;
    let seconds = u32::from_le_bytes(late[..4].try_into().expect("4 bytes")) + 61;
    late[..4].copy_from_slice(&seconds.to_le_bytes());
    lossy.push(vec![late]);
    assert!(opened(&file(&lossy)).trouble.starts_with(&format!("{} IP fragments", left + 1)));
}

proptest! {
    #[test]
    fn no_fragments_make_it_panic(
        places in vec((0u16..40, 0usize..60, any::<bool>(), 0u16..3), 1..60), v6: bool, snap in 30usize..100,
    ) {
        let form = Form { v6, snap, ..PLAIN };
        let talk = &Tcp::open(1, 2).segments;
        let sample = fragments(&PLAIN, talk, 64).concat()[0][16..36].to_vec();
        let mut file = form.head();
        for (n, (place, len, more, id)) in places.into_iter().enumerate() {
            let mut packet = sample.clone();
            packet.resize(20 + len, n as u8);
            packet[2..4].copy_from_slice(&(20 + len as u16).to_be_bytes());
            packet[4..6].copy_from_slice(&id.to_be_bytes());
            packet[6..8].copy_from_slice(&(place | (u16::from(more) << 13)).to_be_bytes());
            if v6 {
                packet = [&[0x60, 0, 0, 0][..], &(8 + len as u16).to_be_bytes(), &[44, 64], &[1; 32], &[6, 0],
                    &((place * 8) | u16::from(more)).to_be_bytes(), &u32::from(id).to_be_bytes(), &packet[20..]].concat();
            }
            file.extend(form.packet(&packet, n as u64));
        }
        let _ = opened(&file);
    }
}

#[test]
fn a_capture_with_gaps_and_overlaps_is_the_same_exported_again() {
    let lost = |segment: &Segment| contains(&segment.payload, b"\x81\x06echo 1") || contains(&segment.payload, b"\xa5");
    let folder = tempfile::tempdir().expect("a folder");
    let [first, second] = ["a.pcap", "b"].map(|name| folder.path().join(name));
    let again = |segment: Segment| {
        let again = contains(&segment.payload, b"echo 2").then(|| forged(&segment));
        std::iter::once(segment).chain(again)
    };
    let segments: Vec<Segment> = without(lost).into_iter().flat_map(again).collect();
    std::fs::write(&first, pcap(&segments)).expect("written");
    let (capture, loader) = import::open(&first).expect("a capture");
    loader.run(&AtomicBool::new(false));
    for format in [Format::Pcapng, Format::Ndjson] {
        let options = export::ExportOptions::default();
        export::to_file(&capture, format, &options, &second, true, &Progress::default()).expect("written");
        let [before, after] =
            [&first, &second].map(|path| opened_at(path, ImportOptions::default()).expect("a capture"));
        assert!(before.records.iter().any(|(record, _)| record.kind == Kind::Gap));
        assert!(before.rules().contains(&Rule::SegmentOverlap));
        assert_eq!(after.trouble, "", "{format:?}");
        for ((before, was), (after, is)) in before.records.iter().zip(&after.records) {
            assert_eq!((before, was), (after, is), "{format:?}");
        }
        assert_eq!(before.records.len(), after.records.len(), "{format:?}");
    }
}

#[test]
fn every_record_of_a_capture_with_gaps_can_be_looked_at() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.pcap");
    let compressed = Tcp { next: [1, 1], segments: Vec::new() };
    let middle = |mut tcp: Tcp| {
        tcp.say(false, b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00");
        tcp.say(false, b"\x41\x02\xf2\x48");
        tcp.segments
    };
    let files = [
        Form { snap: 130, ..PLAIN }.file(&Tcp::conversation(9, 9).segments),
        pcap(&without(|segment| contains(&segment.payload, b"a long text") || contains(&segment.payload, b"echo 1"))),
        pcap(&middle(compressed)),
    ];
    for file in files {
        std::fs::write(&path, file).expect("written");
        let mut screen = Screen::file(&path, ImportOptions { port: Some(80), ..ImportOptions::default() }, (120, 36));
        let records = opened_at(&path, ImportOptions { port: Some(80), ..ImportOptions::default() })
            .expect("a capture")
            .records
            .len();
        assert!(records > 2);
        for _ in 0..records {
            assert!(!screen.press(&["down"]).text().is_empty());
        }
        for format in Format::ALL {
            let (capture, loader) = import::open(&path).expect("a capture");
            loader.run(&AtomicBool::new(false));
            let options = export::ExportOptions {
                direction: Some(UP),
                redact: Some(export::Redaction::default()),
                ..export::ExportOptions::default()
            };
            let to = folder.path().join(format.spec().id);
            export::to_file(&capture, format, &options, &to, true, &Progress::default()).expect("written");
        }
    }
}

#[test]
fn a_file_is_followed_while_it_grows() {
    let folder = tempfile::tempdir().expect("a folder");
    for pcapng in [false, true] {
        let path = folder.path().join(format!("{pcapng}.pcap"));
        let whole = Form { pcapng, ..PLAIN }.file(&Tcp::conversation(1, 2).segments);
        let mut file = std::fs::File::create(&path).expect("a file");
        let (capture, loader) = import::open_with(&path, ImportOptions { follow: true, ..ImportOptions::default() })
            .expect("it may be empty");
        let cancel = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&cancel);
        let loading = std::thread::spawn(move || loader.run(&stop));
        let wait = |records: u64| {
            let deadline = Instant::now() + Duration::from_secs(10);
            while capture.len() < records {
                assert!(Instant::now() < deadline, "{} of {records} records", capture.len());
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        let middle = whole.len() / 2 - 3;
        for (piece, records) in [(&whole[..10], 0), (&whole[10..middle], 5), (&whole[middle..], 16)] {
            file.write_all(piece).expect("written");
            wait(records);
        }
        assert!(capture.is_growing() && !capture.is_loading());
        assert_eq!(capture.trouble().reason(), None, "a block that is half written is no damage");
        cancel.store(true, Ordering::Relaxed);
        loading.join().expect("it ends");
        assert!(!capture.is_growing());
    }
}

#[test]
fn a_longer_repetition_of_what_waits_is_not_lost() {
    let request = REQUEST.as_bytes();
    let segment = |from: usize, to: usize| Segment {
        up: true,
        seq: 1 + from as u32,
        ack: 0,
        flags: 0,
        payload: request[from..to].to_vec(),
    };
    let syn = Segment { up: true, seq: 0, ack: 0, flags: SYN, payload: vec![] };
    let file = [syn, segment(100, 110), segment(100, request.len()), segment(0, 100)];
    assert_eq!(opened(&pcap(&file)).bytes(UP), request);
}

#[test]
fn unknown_blocks_of_any_size_are_skipped() {
    let sample = include_bytes!("../../assets/samples/hello.pcapng");
    let expected = opened(sample).records.len();
    let header = u32::from_le_bytes(sample[4..8].try_into().expect("four bytes")) as usize;
    let mut unknown = Vec::new();
    let len: u32 = 12 + 3_000_000;
    unknown.extend(0x0bad_u32.to_le_bytes());
    unknown.extend(len.to_le_bytes());
    unknown.resize(unknown.len() + 3_000_000, b'x');
    unknown.extend(len.to_le_bytes());
    let file = [&sample[..header], &unknown, &sample[header..]].concat();
    assert_eq!(opened(&file).records.len(), expected);
}

/// The conversation's stream of a direction.
pub fn stream(direction: Direction) -> Vec<u8> {
    said().into_iter().filter(|(up, _)| *up == (direction == UP)).flat_map(|(_, bytes)| bytes).collect()
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn segments_in_any_order_make_the_stream(
        isn: [u32; 2],
        repetitions in vec((any::<prop::sample::Index>(), 0usize..400, 1usize..900), 0..12),
        order in vec(any::<u16>(), 80),
    ) {
        // Without acknowledgments, so that nothing counts as lost, and after both SYNs.
        let mut talk = Tcp::conversation(isn[0], isn[1]).segments;
        talk.iter_mut().for_each(|segment| segment.flags &= !ACK);
        talk.retain(|segment| segment.flags != 0 || !segment.payload.is_empty());
        let mut rest = talk.split_off(2);
        for (of, from, len) in repetitions {
            let up = of.index(2) == 0;
            let all = stream(if up { UP } else { DOWN });
            let from = from.min(all.len() - 1);
            let payload = all[from..all.len().min(from + len)].to_vec();
            let seq = isn[usize::from(!up)].wrapping_add(1).wrapping_add(from as u32);
            rest.push(Segment { up, seq, ack: 0, flags: 0, payload });
        }
        let mut shuffled: Vec<_> = rest.into_iter().enumerate().map(|(n, s)| (order[n % order.len()], s)).collect();
        shuffled.sort_by_key(|(key, _)| *key);
        talk.extend(shuffled.into_iter().map(|(_, segment)| segment));
        let opened = opened(&pcap(&talk));
        for direction in [UP, DOWN] {
            prop_assert!(opened.bytes(direction) == stream(direction));
        }
    }

    #[test]
    fn neighbours_swapped_and_segments_repeated_change_nothing(isn: [u32; 2], swaps in vec(any::<bool>(), 60), twice: bool) {
        let mut talk = Tcp::conversation(isn[0], isn[1]).segments;
        if twice {
            talk = repeated(&talk);
        }
        // The SYNs and the request stay first: otherwise nothing shows which side is the client.
        let mut i = 4;
        while i + 1 < talk.len() {
            let swap = swaps[i % swaps.len()] && talk[i].flags & talk[i + 1].flags & 1 == 0;
            if swap {
                talk.swap(i, i + 1);
            }
            i += 1 + usize::from(swap);
        }
        let opened = opened(&pcap(&talk));
        for direction in [UP, DOWN] {
            prop_assert_eq!(opened.kinds(direction), expected(direction));
        }
    }

    #[test]
    fn after_missing_segments_the_rest_keeps_its_offsets(lost in vec(any::<bool>(), 60), order: bool) {
        let mut n = 0;
        let mut talk = without(|segment| {
            n += 1;
            !segment.payload.is_empty() && n % 3 == 0 && lost[n % lost.len()]
        });
        if order {
            talk = reordered(&talk);
        }
        let opened = opened(&pcap(&talk));
        for direction in [UP, DOWN] {
            let whole = stream(direction);
            let mut at = 0;
            for (record, wire) in opened.records.iter().filter(|(record, _)| record.direction == direction) {
                prop_assert_eq!(record.offset, at);
                at += record.wire_len;
                let there = record.kind == Kind::Gap || wire.len() as u64 == record.wire_len;
                prop_assert!(there && whole[record.offset as usize..].starts_with(wire));
            }
            prop_assert_eq!(at, whole.len() as u64);
        }
        prop_assert_eq!(opened.rules(), vec![]);
    }

    #[test]
    fn no_segments_make_it_panic(
        segments in vec(
            (any::<bool>(), prop_oneof![0u32..400, any::<u32>()], prop_oneof![0u32..400, any::<u32>()], 0u8..0x20, vec(any::<u8>(), 0..60)),
            0..40,
        ),
        snap in 40usize..200,
        port in proptest::option::of(Just(80u16)),
    ) {
        let segments: Vec<Segment> =
            segments.into_iter().map(|(up, seq, ack, flags, payload)| Segment { up, seq, ack, flags, payload }).collect();
        let file = Form { snap, ..PLAIN }.file(&segments);
        let options = ImportOptions { port, ..ImportOptions::default() };
        prop_assert!(read(&file, options).is_some());
    }

    #[test]
    fn no_damage_makes_it_panic(
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        cut: prop::sample::Index,
        form in 0usize..3,
    ) {
        let talk = Tcp::conversation(1, 2).segments;
        let mut file = match form {
            0 => include_bytes!("../../assets/samples/ticker.pcapng").to_vec(),
            1 => PLAIN.file(&talk),
            _ => Form { pcapng: true, big: true, link: Link::Qinq, v6: true, ..PLAIN }.file(&talk),
        };
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        file.truncate(cut.index(file.len()) + 1);
        let _ = read(&file, ImportOptions::default());
    }

    #[test]
    fn any_bytes_after_a_magic_number_are_read(pcapng: bool, big: bool, bytes in vec(any::<u8>(), 0..400)) {
        let file = [Form { pcapng, big, ..PLAIN }.head(), bytes].concat();
        prop_assert!(read(&file, ImportOptions::default()).is_some());
    }
}
