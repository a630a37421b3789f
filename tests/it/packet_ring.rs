//! A ring of packets that another program captures: which packets are in which file, and which records are kept.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use crate::support::packet_program::Programs;
use crate::support::packets::{Form, PLAIN};
use crate::support::program::{numbers, run};
use crate::support::tcp::{Segment, Tcp, reordered, repeated};
use crate::support::{DEFLATE, START, compressed_frame, deflated, frame, handshake, opened};
use framescope::capture::import::{self, ImportOptions, stream};
use framescope::capture::live::spool::{Spool, kept_captures};
use framescope::capture::store::Capture;
use framescope::capture::store::record::Record;
use framescope::proto::deflate::Deflater;
use framescope::proto::dissected::Kind;
use framescope::proto::rules::{Rule, Severity};
use framescope::wire::opcode::Opcode;

/// The size of a ring, in bytes.
const SIZE: u64 = 256 * 1024;

/// Yields at most so many bytes at once, so that pieces end inside packets.
struct Slow(Cursor<Vec<u8>>, usize);

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(self.1);
        self.0.read(&mut buffer[..most])
    }
}

/// Reads packets into a ring at `path`, to their end.
fn captured(bytes: &[u8], path: &Path, piece: usize) -> Capture {
    let spool = Spool::for_packets(Some(path), false, Some(SIZE)).expect("a ring");
    let stream = stream::record(Slow(Cursor::new(bytes.to_vec()), piece), spool).expect("a thread");
    let options = ImportOptions { port: Some(80), ..ImportOptions::default() };
    let (capture, loader) = import::open_stream(stream, path, options).expect("a stream");
    loader.run(&AtomicBool::new(false));
    capture
}

/// A packet: its segment, and the client's port.
type Packet = (Segment, u16);

/// A file with packets, a millisecond apart, and where each packet begins.
fn written(form: &Form, packets: &[Packet]) -> Vec<u8> {
    let mut out = form.head();
    for (n, (segment, port)) in packets.iter().enumerate() {
        let mut packet = form.wrapped(segment, n);
        // The TCP header follows an IPv4 header without options.
        let at = if segment.up { 20 } else { 22 };
        packet[at..at + 2].copy_from_slice(&port.to_be_bytes());
        out.extend(form.packet(&packet, START + n as u64 * 1_000_000));
    }
    out
}

/// A connection with `rounds` texts both ways, pings, and a few violations; its handshake comes first. The end is not captured.
fn talk(seed: u8, rounds: usize, compressed: bool) -> Vec<Segment> {
    let mut tcp = Tcp::open(1000 * u32::from(seed), 77_000 * u32::from(seed));
    let lines = if compressed { [DEFLATE; 2] } else { [""; 2] };
    let key = format!("dGhlIHNhbXBsZSBub25j{}Q==", char::from(b'A' + seed));
    let [request, response] = handshake(&format!("/of/{seed}"), &key, lines);
    tcp.say(true, request.as_bytes());
    tcp.say(false, response.as_bytes());
    let mut deflater = Deflater::new(15, true);
    for n in 0..rounds {
        let text = format!("echo {n} of {seed}, {}", "and so on ".repeat(n * 7 % 150));
        if compressed {
            let payload = deflated(&mut deflater, text.as_bytes());
            tcp.say(false, &compressed_frame(true, Opcode::Text, None, &payload));
        } else {
            tcp.say(false, &frame(true, Opcode::Text, None, text.as_bytes()));
        }
        let mask = Some([seed, n as u8, 3, 9]);
        tcp.say(true, &frame(true, Opcode::Text, mask, format!("client: {text}").as_bytes()));
        match n % 40 {
            7 => tcp.say(false, &frame(true, Opcode::Ping, None, b"there?")),
            8 => tcp.say(true, &frame(true, Opcode::Pong, mask, b"there?")),
            // Not UTF-8.
            20 => tcp.say(true, &frame(true, Opcode::Text, mask, &[0xff, 0xfe])),
            _ => {}
        }
    }
    tcp.segments
}

/// The packets of connections, one packet of each in turn.
fn interleaved(talks: &[Vec<Segment>]) -> Vec<Packet> {
    let longest = talks.iter().map(Vec::len).max().unwrap_or(0);
    let at = |n: usize| (40_000..).zip(talks).filter_map(move |(port, talk)| Some((talk.get(n)?.clone(), port)));
    (0..longest).flat_map(at).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

/// Asserts that the files are numbered one after the other, fit into the ring, and are together the end of the stream: each begins
/// with its head and with copies of packets. Returns how many packets are copies.
fn assert_is_end_of(files: &[PathBuf], stream: &[u8], form: &Form) -> usize {
    let numbers: Vec<u64> = files
        .iter()
        .map(|path| path.to_string_lossy().rsplit('.').nth(1).expect("a number").parse().expect("digits"))
        .collect();
    assert!(numbers.windows(2).all(|two| two[0] + 1 == two[1]) && numbers[0] > 1, "{numbers:?}");
    let sizes: u64 = files.iter().map(|path| fs::metadata(path).expect("a file").len()).sum();
    assert!(sizes <= SIZE && sizes > SIZE / 2, "{sizes}");
    let head = form.head();
    let (mut end, mut copies) = (stream.len(), 0);
    for path in files.iter().rev() {
        let bytes = fs::read(path).expect("a file");
        let mut packets = packets(bytes.strip_prefix(&head[..]).expect("the head"), form);
        while let Some(packet) = packets.pop_if(|packet| stream[..end].ends_with(packet)) {
            end -= packet.len();
        }
        for copy in &packets {
            assert!(stream[..end].windows(copy.len()).any(|part| part == *copy), "not a packet of the stream");
        }
        copies += packets.len();
    }
    copies
}

/// The packets of a file after its head, with their headers.
fn packets<'a>(mut bytes: &'a [u8], form: &Form) -> Vec<&'a [u8]> {
    let mut packets = Vec::new();
    while !bytes.is_empty() {
        let at = if form.pcapng { 4 } else { 8 };
        let len = u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes")) as usize;
        let (packet, rest) = bytes.split_at(if form.pcapng { len } else { 16 + len });
        packets.push(packet);
        bytes = rest;
    }
    packets
}

/// A record without what its capture gives it: connection, place, time, findings.
fn key(capture: &Capture, record: &Record) -> (u16, u64, u64, Vec<Rule>) {
    let port = capture.connection(record.connection).expect("a connection").client.port();
    (port, record.offset, record.time.0, record.findings.iter().map(|finding| finding.rule).collect())
}

/// Asserts that a ring has the records of the whole stream, without the evicted ones; returns how many became gaps.
fn assert_has_records_of(capture: &Capture, whole: &Capture) -> usize {
    let (kept, all) = (capture.totals(), whole.totals());
    assert_eq!((kept.records, kept.bytes, kept.findings), (all.records, all.bytes, all.findings));
    assert!(kept.first > 1 && kept.kept() > 20, "{kept:?}");
    let mut torn = 0;
    for record in capture.records(kept.first..u64::MAX) {
        let expected = whole.record(record.no).expect("a record");
        assert_eq!(key(capture, &record), key(whole, &expected));
        if record.kind != expected.kind {
            assert_eq!(record.kind, Kind::Gap);
            assert!(capture.is_torn(&record));
            torn += 1;
            continue;
        }
        let bytes = |capture: &Capture, record: &Record| capture.wire(record, 0..u64::MAX).expect("readable");
        assert!(bytes(capture, &record) == bytes(whole, &expected), "{record:?}");
    }
    torn
}

/// Asserts that each file, opened alone, is intact and accuses nobody of what the whole stream does not show.
fn assert_open_alone(files: &[PathBuf], whole: &Capture, connections: usize) {
    let found = |capture: &Capture| -> BTreeSet<(u16, u64, Rule)> {
        let findings = capture.findings(0, usize::MAX).into_iter();
        let serious = findings.filter(|(_, finding)| finding.rule.severity() > Severity::Info);
        serious
            .map(|(no, finding)| {
                let (port, _, time, _) = key(capture, &capture.record(no).expect("a record"));
                (port, time, finding.rule)
            })
            .collect()
    };
    let expected = found(whole);
    assert!(!expected.is_empty());
    for path in &files[..files.len() - 1] {
        let file = opened(&fs::read(path).expect("a file"));
        assert_eq!(file.trouble().reason(), None, "{}", path.display());
        assert_eq!(found(&file).difference(&expected).collect::<Vec<_>>(), Vec::<&(u16, u64, Rule)>::new());
        let frames = file.records(1..u64::MAX).iter().filter(|record| record.kind == Kind::Frame).count();
        assert!(frames > 0, "{}", path.display());
        assert_eq!(file.totals().connections, connections as u64);
        for number in 1..=connections as u32 {
            let about = file.connection(number).expect("a connection").about;
            assert!(about.websocket && about.target.is_some_and(|target| target.starts_with("/of/")));
        }
    }
}

#[test]
fn the_newest_packets_are_kept_as_they_were() {
    let talks = [talk(1, 300, false), talk(2, 300, true), talk(3, 250, false)];
    for (form, piece) in [(PLAIN, 1000), (Form { pcapng: true, nanos: true, ..PLAIN }, 64 * 1024), (PLAIN, 4097)] {
        let bytes = written(&form, &interleaved(&talks));
        let folder = tempfile::tempdir().expect("a folder");
        let capture = captured(&bytes, &folder.path().join("day.pcapng"), piece);
        assert_eq!(capture.trouble().reason(), None);
        let whole = opened(&bytes);
        let torn = assert_has_records_of(&capture, &whole);
        assert!(torn <= 2 * talks.len(), "{torn}");
        let files = files(folder.path());
        assert_eq!(capture.paths(), files);
        // SYN exchange, request, response, and their acknowledgments up to the response.
        assert_eq!(assert_is_end_of(&files, &bytes, &form), files.len() * talks.len() * 6);
        assert_open_alone(&files, &whole, talks.len());
    }
}

/// Some of the segments come later than the ten after them.
fn delayed(segments: &[Segment]) -> Vec<Segment> {
    let mut order: Vec<(usize, &Segment)> = segments.iter().enumerate().collect();
    order.sort_by_key(|(n, segment)| if n % 12 == 9 && !segment.payload.is_empty() { n + 11 } else { *n });
    order.into_iter().map(|(_, segment)| segment.clone()).collect()
}

#[test]
fn records_with_bytes_in_another_order_become_gaps() {
    let mut torn = 0;
    for disordered in [reordered, repeated, delayed] {
        let talks = [talk(1, 300, false), talk(2, 300, false)].map(|talk| disordered(&talk));
        let bytes = written(&PLAIN, &interleaved(&talks));
        let whole = opened(&bytes);
        for piece in [3000, 5000, 7001] {
            let folder = tempfile::tempdir().expect("a folder");
            let capture = captured(&bytes, &folder.path().join("day"), piece);
            assert_eq!(capture.trouble().reason(), None);
            torn += assert_has_records_of(&capture, &whole);
            assert_open_alone(&files(folder.path()), &whole, 2);
        }
    }
    assert!(torn > 10, "{torn}");
}

#[test]
fn bytes_after_lost_ones_are_read_before_their_file_is_evicted() {
    // The server's first frame is lost, and the client's acknowledgments are lost from then on: it is not known that it has the frame.
    let lossy = |seed| {
        let mut segments = talk(seed, 700, false);
        segments.retain(|segment| !segment.up);
        segments.remove(4);
        segments
    };
    let bytes = written(&PLAIN, &interleaved(&[lossy(1), talk(2, 300, false), lossy(3)]));
    let folder = tempfile::tempdir().expect("a folder");
    let capture = captured(&bytes, &folder.path().join("day.pcap"), 5000);
    let whole = opened(&bytes);
    assert_eq!(capture.trouble().reason(), None);
    assert_eq!(capture.totals().bytes, whole.totals().bytes, "all captured bytes are read");
    assert_open_alone(&files(folder.path())[..1], &whole, 3);
}

#[test]
fn bytes_that_are_held_while_their_file_is_evicted_become_a_gap() {
    // It begins like TLS, and is held until it is known that there are no secrets.
    let mut undecided = Tcp::open(5, 6);
    undecided.say(true, &[&[22, 3, 1, 1, 0, 1, 0, 0, 0xfc, 3, 3][..], &[7; 100]].concat());
    let mut packets = interleaved(&[undecided.segments]);
    packets.extend(interleaved(&[talk(1, 10, false), talk(2, 500, false)]).into_iter().map(|(s, port)| (s, port + 1)));
    let form = Form { pcapng: true, ..PLAIN };
    let bytes = written(&form, &packets);
    let folder = tempfile::tempdir().expect("a folder");
    let capture = captured(&bytes, &folder.path().join("day.pcapng"), 10_000);
    assert_eq!(capture.trouble().reason(), None);
    let held = capture
        .records(1..u64::MAX)
        .into_iter()
        .find(|record| capture.connection(record.connection).expect("a connection").client.port() == 40_000);
    assert_eq!(held.map(|record| (record.kind, record.wire_len)), Some((Kind::Gap, 111)));
    assert_is_end_of(&files(folder.path()), &bytes, &form);
}

/// A program that captures more than 1 MiB of packets and then does what `then` says, and the packets.
fn tcpdump(then: &str) -> (Programs, Vec<u8>) {
    let bytes = written(&PLAIN, &interleaved(&[talk(1, 900, false), talk(2, 900, true)]));
    assert!(bytes.len() > 2 << 20);
    let programs = Programs::new(&[("tcpdump", &format!("cat packets\n{then}"))]);
    fs::write(programs.path("packets"), &bytes).expect("written");
    (programs, bytes)
}

#[test]
fn capture_keeps_a_ring_and_replaces_it_only_with_force() {
    let (programs, bytes) = tcpdump("exit 0");
    let folder = tempfile::tempdir().expect("a folder");
    let day = folder.path().join("day.pcap").to_string_lossy().into_owned();
    let arguments = ["--headless", "--quiet", "--ring", "1MiB", "--write", &day];
    let output = programs.capture(&arguments).output().expect("the program starts");
    let text = String::from_utf8([output.stdout, output.stderr].concat()).expect("text");
    // The program ended before it was asked to.
    assert_eq!(output.status.code(), Some(1), "{text}");
    let whole = opened(&bytes);
    let records = numbers(&text);
    assert!(records.contains(&whole.len()) && text.contains("evicted"), "{text}");
    let files = files(folder.path());
    let size: u64 = files.iter().map(|path| fs::metadata(path).expect("a file").len()).sum();
    assert!(size <= 1 << 20 && size > 1 << 19, "{size}");
    for path in &files {
        assert!(path.to_string_lossy().contains("day.00000") && path.extension().is_some_and(|e| e == "pcap"));
        assert_eq!(run(&["export", "--to", "ndjson", &path.to_string_lossy()]).0, Some(0));
    }
    let again = programs.capture(&arguments).output().expect("the program starts");
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8(again.stderr).expect("text").contains("--force"));
    let forced = [&arguments[..], &["--force"]].concat();
    let forced = programs.capture(&forced).output().expect("the program starts");
    assert!(String::from_utf8(forced.stderr).expect("text").contains("tcpdump has ended"));
}

#[test]
fn a_private_ring_is_kept_after_a_crash_and_opens_as_one() {
    let (programs, bytes) = tcpdump("exec sleep 60");
    let mut child = programs.capture(&["--headless", "--json", "--ring", "1MiB"]).spawn().expect("the program starts");
    let whole = opened(&bytes);
    let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
    // The end of a connection that is open is not a record yet.
    let last = whole.len() - 4;
    let number =
        |line: io::Result<String>| numbers(line.expect("a line").split("\"no\":").nth(1).expect("a number"))[0];
    assert!(lines.any(|line| number(line) >= last));
    child.kill().expect("it runs");
    child.wait().expect("ended");
    let kept = kept_captures(&programs.path("framescope"));
    let [ring] = kept.as_slice() else { panic!("{kept:?}") };
    assert!(ring.files.len() > 3 && ring.target.as_deref().is_some_and(|target| target.starts_with("/of/")));
    let (capture, loader) = import::open_joined(&ring.files, &ring.path).expect("a capture");
    loader.run(&AtomicBool::new(false));
    assert_eq!(capture.trouble().reason(), None);
    let times = |capture: &Capture| -> BTreeSet<(u64, u64)> {
        let records = capture.records(1..u64::MAX).into_iter().filter(|record| record.kind == Kind::Frame);
        records.map(|record| (record.time.0, record.wire_len)).collect()
    };
    let (joined, whole) = (times(&capture), times(&whole));
    assert!(joined.is_subset(&whole) && joined.len() > 200, "{} of {}", joined.len(), whole.len());
    assert_eq!(joined.last(), whole.last());
}
