//! A ring of files: eviction, what is kept, and that each file is a capture of its own.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use crate::support::{DOWN, REQUEST, RESPONSE, Screen, UP, Wire, compressed_frame, frame, opened};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use framescope::capture::live::recorder::{Chunk, ConnectionRecorder, Recorder};
use framescope::capture::live::spool::{Spool, SpoolError};
use framescope::capture::query::filter::{Filter, FilterEvaluator};
use framescope::capture::store::Capture;
use framescope::capture::store::message_reader::MessageReader;
use framescope::capture::store::record::Record;
use framescope::export::{ExportError, ExportOptions, ExportSelection, Format, Progress, export};
use framescope::proto::accept::accept_key;
use framescope::proto::deflate::Deflater;
use framescope::proto::dissected::{Direction, EndReason, Kind};
use framescope::proto::rules::{Rule, Severity};
use framescope::proto::time::Time;
use framescope::tui::effect::Effect;
use framescope::wire::frame::FrameHead;
use framescope::wire::opcode::Opcode;
use proptest::collection::vec;
use proptest::prelude::*;

/// How large the rings of these tests are, in bytes: files of a sixteenth of that are short work.
const SIZE: u64 = 256 * 1024;

/// Connections that record into a ring.
struct Talk {
    folder: tempfile::TempDir,
    recorder: Recorder,
    clock: u64,
    keys: u32,
}

impl Talk {
    fn new(size: u64) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let spool = Spool::keep_ring(&folder.path().join("a.pcapng"), false, size).expect("a spool");
        Self { folder, recorder: Recorder::new(spool), clock: 1_795_375_800_000_000_000, keys: 1 }
    }

    fn capture(&self) -> Capture {
        self.recorder.capture().clone()
    }

    fn files(&self) -> Vec<PathBuf> {
        files(self.folder.path())
    }

    fn connect(&self, port: u16) -> ConnectionRecorder {
        let address = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        self.recorder.connection(address(port), address(6455))
    }

    /// A connection that was upgraded.
    fn upgraded(&mut self, port: u16, extensions: &str) -> ConnectionRecorder {
        let mut connection = self.connect(port);
        let with = |head: &str| {
            if extensions.is_empty() {
                return head.to_owned();
            }
            head.replacen("\r\n\r\n", &format!("\r\nSec-WebSocket-Extensions: {extensions}\r\n\r\n"), 1)
        };
        let (mine, sample) = (BASE64_STANDARD.encode(format!("sixteen by{port:06}")), "dGhlIHNhbXBsZSBub25jZQ==");
        let accept = accept_key(mine.as_bytes());
        self.say(&mut connection, UP, with(REQUEST).replace(sample, &mine).as_bytes());
        self.say(&mut connection, DOWN, with(RESPONSE).replace("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", &accept).as_bytes());
        connection
    }

    fn say(&mut self, connection: &mut ConnectionRecorder, direction: Direction, bytes: &[u8]) {
        self.clock += 1_000_003;
        connection.record(&[Chunk { direction, time: Time(self.clock), bytes }]);
    }

    fn frame(&mut self, direction: Direction, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
        self.keys = self.keys.wrapping_mul(0x9e37_79b1).wrapping_add(1);
        frame(true, opcode, (direction == UP).then_some(self.keys.to_be_bytes()), payload)
    }

    fn text(&mut self, connection: &mut ConnectionRecorder, direction: Direction, len: usize) {
        let text: String = format!("{} ", self.clock).chars().cycle().take(len).collect();
        let wire = self.frame(direction, Opcode::Text, text.as_bytes());
        self.say(connection, direction, &wire);
    }
}

/// The files of a ring, the oldest first.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

/// A record for comparison: kind, direction, time, offset, length, findings, bytes.
type Said = (Kind, Direction, u64, u64, u64, Vec<Rule>, Vec<u8>);

/// The records of each connection by the client's port, with those that an export writes in place of evicted ones.
fn by_port(capture: &Capture) -> BTreeMap<u16, Vec<Said>> {
    let connections = (0..capture.kept_connections()).map(|rank| capture.connection_at(rank).expect("a connection"));
    let in_place = connections.flat_map(|connection| capture.in_place_of_evicted(connection));
    let mut all: BTreeMap<u16, Vec<Said>> = BTreeMap::new();
    for record in in_place.chain(capture.records(0..u64::MAX)) {
        let port = capture.connection(record.connection).expect("a connection").client.port();
        let wire = capture.wire(&record, 0..u64::MAX).expect("readable");
        let Record { kind, direction, time, offset, wire_len, .. } = record;
        assert!(kind == Kind::Gap || wire.len() as u64 == wire_len, "all bytes of {record:?}");
        // The live capture keeps deflate windows that files lack.
        let rules = record.findings.iter().map(|finding| finding.rule).filter(|rule| *rule != Rule::ContextLost);
        all.entry(port).or_default().push((kind, direction, time.0, offset, wire_len, rules.collect(), wire));
    }
    all
}

/// Asserts that the records of the live capture are those of its files, read one after the other.
fn assert_same(talk: &Talk) {
    let live = talk.capture();
    let together: Vec<u8> = talk.files().iter().flat_map(|path| fs::read(path).expect("a file")).collect();
    let file = opened(&together);
    assert_eq!(file.trouble().reason, None);
    let (mut live, file) = (by_port(&live), by_port(&file));
    // What a file says because it ends there.
    let ends = [Kind::End(EndReason::Capture), Kind::CutFrame, Kind::CutHttp, Kind::Junk];
    for (port, said) in &file {
        let live = live.entry(*port).or_default();
        live.extend(said[live.len().min(said.len())..].iter().filter(|said| ends.contains(&said.0)).cloned());
    }
    assert_eq!(live.keys().collect::<Vec<_>>(), file.keys().collect::<Vec<_>>());
    for (port, live) in &live {
        for (i, (live, file)) in live.iter().zip(&file[port]).enumerate() {
            assert_eq!(live, file, "record {i} of {port}");
        }
        assert_eq!(live.len(), file[port].len(), "of {port}");
    }
}

#[test]
fn the_oldest_go_and_the_rest_is_whole() {
    let mut talk = Talk::new(SIZE);
    let capture = talk.capture();
    let mut busy = talk.upgraded(50_001, "");
    let mut compressed = talk.upgraded(50_002, "permessage-deflate");
    let mut quiet = talk.upgraded(50_003, "");
    let mut http = talk.connect(50_004);
    let mut slow = talk.upgraded(50_005, "");
    let mut half = talk.upgraded(50_006, "");
    let close = talk.frame(UP, Opcode::Close, &[0x03, 0xe8]);
    talk.say(&mut half, UP, &close);
    let end = Time(talk.clock);
    half.end(UP, EndReason::Fin, end);
    let mut deflater = Deflater::new(15, true);
    let mut seen = 0;
    for n in 0..400u32 {
        talk.text(&mut busy, DOWN, 700 + (n as usize * 37) % 900);
        talk.text(&mut busy, UP, 40);
        let mut payload = Vec::new();
        deflater.message(format!("message {n} of many that are alike").repeat(3).as_bytes(), &mut payload);
        let head = FrameHead { rsv1: true, ..FrameHead::new(true, Opcode::Text, None, payload.len() as u64) };
        let mut wire = Vec::new();
        head.encode_with(&payload, &mut wire);
        talk.say(&mut compressed, DOWN, &wire);
        // A frame that comes byte by byte goes on over several files.
        let slow_frame = frame(true, Opcode::Binary, None, &[0xa5; 150]);
        talk.say(&mut slow, DOWN, &slow_frame[n as usize % slow_frame.len()..][..1]);
        if n % 50 == 7 {
            talk.say(&mut http, UP, b"GET /app.js HTTP/1.1\r\nHost: localhost\r\n\r\n");
            talk.say(&mut http, DOWN, b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes");
            // One that comes and goes.
            let mut short = talk.upgraded(50_100 + n as u16, "");
            talk.text(&mut short, UP, 10);
            short.reset(UP, Time(talk.clock));
        }
        let totals = capture.totals();
        if totals.evicted() != seen {
            assert!(totals.evicted() > seen, "more are gone");
            seen = totals.evicted();
            assert_same(&talk);
        }
        let sizes: u64 = talk.files().iter().map(|path| fs::metadata(path).expect("there").len()).sum();
        assert!(sizes <= SIZE, "{sizes} bytes");
    }
    assert!(seen > 500, "{seen} are gone");
    let totals = capture.totals();
    assert_eq!(capture.first(), totals.first);
    assert!(totals.records - totals.first < totals.records / 2);
    assert_same(&talk);
    // A connection is kept while it is open or has a record.
    let clients: Vec<u16> = by_port(&capture).into_keys().collect();
    for (port, kept) in [(50_001, true), (50_003, true), (50_006, true), (50_107, false), (50_457, true)] {
        assert_eq!(clients.contains(&port), kept, "{port}");
    }
    let mut before = 0;
    for file in talk.files() {
        let file = opened(&fs::read(file).expect("a file"));
        assert_eq!(file.trouble().reason, None);
        for (port, said) in by_port(&file) {
            let faults: Vec<_> =
                said.iter().flat_map(|said| &said.5).filter(|rule| rule.severity() > Severity::Info).collect();
            assert!(faults.is_empty() || port > 50_100 || port == 50_006, "{port}: {faults:?}");
            if [50_001, 50_002, 50_003, 50_005].contains(&port) {
                assert_eq!((said[0].0, said[1].0), (Kind::Request, Kind::Response), "{port}");
            }
        }
        let frames = file.records(0..u64::MAX).iter().filter(|record| record.kind == Kind::Frame).count();
        assert!(frames > 30);
        before += frames;
    }
    assert!(before as u64 <= totals.records);
    // What was said by those that go on can be looked at again.
    talk.say(&mut quiet, DOWN, &frame(true, Opcode::Text, None, b"still here"));
    let last = capture.record(capture.len()).expect("the latest");
    assert_eq!(capture.payload(&last, 0..99).expect("readable"), b"still here");
}

#[test]
fn compressed_messages_can_be_read_soon_after_the_evicted_ones() {
    let mut talk = Talk::new(1 << 20);
    let capture = talk.capture();
    let mut connection = talk.upgraded(50_001, "permessage-deflate; server_no_context_takeover");
    let mut deflaters = [Deflater::new(15, true), Deflater::new(15, false)];
    let mut noise = 1u64;
    for n in 0..6000 {
        let direction = if n % 2 == 0 { UP } else { DOWN };
        let mut payload = Vec::new();
        let mut text = format!("the message with the number {n} ");
        text.extend(
            std::iter::repeat_with(|| {
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(n);
                char::from(b'a' + (noise >> 60) as u8)
            })
            .take(500),
        );
        deflaters[direction.index()].message(text.as_bytes(), &mut payload);
        let key = (direction == UP).then_some([1, 2, 3, n as u8]);
        let head = FrameHead { rsv1: true, ..FrameHead::new(true, Opcode::Text, key, payload.len() as u64) };
        let mut wire = Vec::new();
        head.encode_with(&payload, &mut wire);
        talk.say(&mut connection, direction, &wire);
    }
    assert!(capture.totals().evicted() > 1000);
    let mut unread = [0, 0];
    let mut reader = MessageReader::default();
    for record in capture.records(0..u64::MAX).iter().filter(|record| record.kind == Kind::Frame) {
        let text = reader.message(&capture, record, 1000).expect("readable").and_then(|i| Some(i.text()?.to_owned()));
        match text {
            Some(text) => assert!(text.starts_with("the message with the number "), "{text}"),
            None => unread[record.direction.index()] += 1,
        }
    }
    assert!(unread[UP.index()] <= 2 && unread[DOWN.index()] == 0, "{unread:?}");
    assert_eq!(capture.tallies(), [], "the traffic is right: what was evicted is no finding");
    for file in talk.files().into_iter().skip(1) {
        let file = opened(&fs::read(file).expect("a file"));
        let lost = file.tallies().into_iter().find(|tally| tally.rule == Rule::ContextLost);
        assert_eq!(lost.map(|tally| tally.findings), Some(1), "said of the direction that has a context");
    }
}

#[test]
fn a_frame_larger_than_what_is_carried_is_a_gap_when_its_beginning_goes() {
    let mut talk = Talk::new(8 << 20);
    let capture = talk.capture();
    let mut other = talk.upgraded(50_001, "");
    let mut large = talk.upgraded(50_002, "");
    let wire = talk.frame(DOWN, Opcode::Binary, &vec![0x5a; 5 << 20]);
    for piece in wire.chunks(64 * 1024) {
        talk.say(&mut large, DOWN, piece);
        talk.text(&mut other, DOWN, 500);
    }
    talk.text(&mut large, DOWN, 20);
    let find = |capture: &Capture| {
        let records = capture.records(0..u64::MAX);
        let port = |record: &Record| capture.connection(record.connection).expect("there").client.port();
        records.into_iter().find(|record| record.wire_len == wire.len() as u64 && port(record) == 50_002)
    };
    assert_eq!(find(&capture).map(|record| record.kind), Some(Kind::Frame));
    let bytes = capture.wire(&find(&capture).expect("there"), 0..u64::MAX).expect("readable");
    assert!(bytes == wire, "over several files");
    while capture.totals().evicted() < 20 {
        talk.text(&mut other, UP, 60_000);
    }
    let torn = find(&capture).expect("there");
    assert_eq!((torn.kind, torn.wire_len), (Kind::Gap, wire.len() as u64));
    assert_eq!(capture.wire(&torn, 0..u64::MAX).expect("readable"), b"");
    let mut out = Vec::new();
    export(&capture, Format::Ndjson, &ExportOptions::default(), &mut out, &Progress::default()).expect("exported");
    assert_eq!(opened(&out).trouble().reason, None);
}

#[test]
fn messages_without_context_can_be_read_after_a_frame_whose_beginning_is_evicted() {
    let mut talk = Talk::new(1 << 20);
    let capture = talk.capture();
    let mut other = talk.upgraded(50_001, "");
    let mut large = talk.upgraded(50_002, "permessage-deflate; server_no_context_takeover");
    let mut payload = Vec::new();
    Deflater::new(15, false).message(b"a message that refers to no other", &mut payload);
    let compressed = compressed_frame(true, Opcode::Text, None, &payload);
    talk.say(&mut large, DOWN, &compressed);
    let wire = talk.frame(DOWN, Opcode::Binary, &vec![0x5a; 600 << 10]);
    for piece in wire.chunks(16 * 1024) {
        talk.say(&mut large, DOWN, piece);
    }
    let large_no = capture.len();
    talk.say(&mut large, DOWN, &compressed);
    let message = capture.record(capture.len()).expect("a record");
    while capture.record(large_no).expect("a record").kind == Kind::Frame {
        talk.text(&mut other, UP, 2000);
    }
    let read = MessageReader::default().message(&capture, &message, 1000).expect("readable");
    assert_eq!(read.expect("a message").text(), Some("a message that refers to no other"));
}

#[test]
fn a_live_capture_is_exported_as_what_is_there() {
    let mut talk = Talk::new(SIZE);
    let capture = talk.capture();
    let mut connection = talk.upgraded(50_001, "");
    while capture.totals().evicted() < 300 {
        talk.text(&mut connection, DOWN, 500);
        talk.text(&mut connection, UP, 500);
    }
    let there = by_port(&capture);
    for format in [Format::Pcapng, Format::Ndjson] {
        let mut out = Vec::new();
        export(&capture, format, &ExportOptions::default(), &mut out, &Progress::default()).expect("exported");
        let mut again = by_port(&opened(&out));
        again.values_mut().for_each(|said| said.retain(|said| said.0 != Kind::End(EndReason::Capture)));
        assert_eq!(again, there, "{format:?}");
    }
    // While somebody needs what is there, nothing goes until there is twice as much.
    let (hold, gone) = (capture.delay_eviction(), capture.totals().evicted());
    (0..300).for_each(|_| talk.text(&mut connection, DOWN, 500));
    assert_eq!(capture.totals().evicted(), gone);
    drop(hold);
    talk.text(&mut connection, DOWN, 500);
    assert!(capture.totals().evicted() > gone);
    let sizes: u64 = talk.files().iter().map(|path| fs::metadata(path).expect("there").len()).sum();
    assert!(sizes <= SIZE);
}

#[test]
fn an_export_says_where_a_frame_begins_after_evicted_records() {
    let mut talk = Talk::new(SIZE);
    let capture = talk.capture();
    let mut busy = talk.upgraded(50_001, "");
    let mut quiet = talk.upgraded(50_002, "");
    talk.text(&mut quiet, UP, 30);
    let kept = |capture: &Capture| capture.neighbour(2, 1, 0);
    while capture.first() < 20 {
        talk.text(&mut busy, DOWN, 500);
    }
    assert_eq!(kept(&capture), None);
    // The only record of its connection that is kept: a frame that is not masked, and therefore not recognized without the hint.
    talk.say(&mut quiet, UP, &frame(true, Opcode::Text, None, b"not masked"));
    let there = by_port(&capture);
    for format in [Format::Pcapng, Format::Ndjson] {
        let (mut out, progress) = (Vec::new(), Progress::default());
        export(&capture, format, &ExportOptions::default(), &mut out, &progress).expect("exported");
        let [done, total] = [progress.done, progress.total].map(|count| count.load(Ordering::Relaxed));
        assert_eq!((done, total), (capture.totals().kept(), capture.totals().kept()), "{format:?}");
        let mut again = by_port(&opened(&out));
        again.values_mut().for_each(|said| said.retain(|said| said.0 != Kind::End(EndReason::Capture)));
        assert_eq!(again, there, "{format:?}");
    }
}

#[test]
fn an_evicted_handshake_that_is_exported_does_not_count_as_evicted() {
    let mut talk = Talk::new(SIZE);
    let capture = talk.capture();
    let mut connection = talk.upgraded(50_001, "");
    while capture.first() < 20 {
        talk.text(&mut connection, DOWN, 500);
    }
    // The handshake, a frame that is evicted, and one that is kept.
    let selection = ExportSelection::Records(vec![1, 2, 3, capture.first()]);
    let options = ExportOptions { selection, ..ExportOptions::default() };
    for format in [Format::Ndjson, Format::Pcapng] {
        let done = export(&capture, format, &options, &mut Vec::new(), &Progress::default()).expect("exported");
        let note = done.note.unwrap_or_default();
        assert_eq!(done.records, 3, "{format:?}: {note}");
        assert!(note.ends_with("1 selected record evicted before the export"), "{format:?}: {note}");
    }
    // What is exported and evicted afterwards was not evicted before.
    let selection = ExportSelection::Records(vec![capture.first()]);
    let options = ExportOptions { selection, ..ExportOptions::default() };
    let mut connections = [connection];
    let mut out = Talking { talk: &mut talk, connections: &mut connections, texts: 2000, out: Vec::new() };
    let done = export(&capture, Format::Ndjson, &options, &mut out, &Progress::default()).expect("exported");
    assert_eq!((done.records, done.note), (1, None));
}

/// An output during whose first write so much is said.
struct Talking<'a> {
    talk: &'a mut Talk,
    connections: &'a mut [ConnectionRecorder],
    texts: usize,
    out: Vec<u8>,
}

impl std::io::Write for Talking<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        for n in 0..std::mem::take(&mut self.texts) {
            let one = n % self.connections.len();
            self.talk.text(&mut self.connections[one], DOWN, 500);
        }
        self.out.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_export_under_which_records_go_fails_and_writes_nothing_else() {
    for format in [Format::Pcapng, Format::Ndjson, Format::Har] {
        for direction in [None, Some(DOWN)] {
            let mut talk = Talk::new(SIZE);
            let capture = talk.capture();
            let mut connections = [50_001, 50_002].map(|port| talk.upgraded(port, ""));
            while capture.totals().evicted() < 300 {
                talk.text(&mut connections[0], DOWN, 500);
                talk.text(&mut connections[1], DOWN, 500);
            }
            let options = ExportOptions { direction, ..ExportOptions::default() };
            let mut export_while = |texts| {
                let there = by_port(&capture);
                let mut out = Talking { talk: &mut talk, connections: &mut connections, texts, out: Vec::new() };
                let done = export(&capture, format, &options, &mut out, &Progress::default());
                (done, out.out, there)
            };
            let (done, out, there) = export_while(200);
            done.expect("what is there stays meanwhile");
            let again = opened(&out);
            if format == Format::Har {
                // A HAR has the messages alone; here each frame is one.
                let frames = there.values().flatten().filter(|said| said.0 == Kind::Frame).count();
                let messages = again.records(0..u64::MAX).iter().filter(|record| record.kind == Kind::Frame).count();
                assert!(direction.is_some() || messages == frames, "{messages} of {frames}");
            } else {
                let mut again = by_port(&again);
                again.values_mut().for_each(|said| said.retain(|said| said.0 != Kind::End(EndReason::Capture)));
                assert!(direction.is_some() || again == there, "{format:?}");
            }
            let (done, ..) = export_while(2000);
            assert!(matches!(done, Err(ExportError::Evicted { .. })), "{format:?} {direction:?} {done:?}");
        }
    }
}

#[test]
fn a_har_lacks_no_connection_that_went_while_it_was_written() {
    let mut talk = Talk::new(SIZE);
    let capture = talk.capture();
    let mut long = [talk.upgraded(50_001, "")];
    for _ in 0..60 {
        talk.text(&mut long[0], DOWN, 500);
    }
    for n in 0..40 {
        let mut short = talk.upgraded(50_100 + n, "");
        talk.text(&mut short, DOWN, 100);
        short.reset(UP, Time(talk.clock));
    }
    let mut out = Talking { talk: &mut talk, connections: &mut long, texts: 2000, out: Vec::new() };
    let done = export(&capture, Format::Har, &ExportOptions::default(), &mut out, &Progress::default());
    assert!(matches!(done, Err(ExportError::Evicted { .. })), "{done:?}");
}

#[test]
fn the_smallest_frames_with_the_most_to_say_stay_within_the_ring() {
    const RING: u64 = 1 << 20;
    for head in [&[0x80, 0x80][..], &[0xf3, 0x00], &[0x82, 0x01, 0x00]] {
        let mut talk = Talk::new(RING);
        let mut connection = talk.upgraded(50_001, "");
        for _ in 0..3 {
            let bytes = head.repeat(100_000);
            talk.say(&mut connection, UP, &bytes[..256 * 1024 / head.len() * head.len() / 2]);
            let size = size_of(&talk.files());
            assert!(size <= RING, "{size} with {head:02x?}");
        }
        // Every byte is there; of so many findings a connection has only the first, live, and each file the first of its own.
        let files: Vec<u8> = talk.files().iter().flat_map(|path| fs::read(path).expect("a file")).collect();
        let (live, file) = (talk.capture(), opened(&files));
        let bytes = |capture: &Capture| -> Vec<(u64, Vec<u8>)> {
            let records = capture.records(0..u64::MAX).into_iter().filter(|record| record.kind == Kind::Frame);
            records.map(|record| (record.offset, capture.wire(&record, 0..99).expect("readable"))).collect()
        };
        assert_eq!(file.trouble().reason, None);
        assert!(bytes(&live) == bytes(&file));
    }
}

#[test]
fn evicted_records_take_their_findings_and_notes_along() {
    let mut talk = Talk::new(SIZE);
    let capture = talk.capture();
    let mut connection = talk.upgraded(50_001, "");
    let handshake = capture.handshake(1).expect("a handshake");
    let wire = capture.wire(&handshake[0], 0..u64::MAX).expect("readable");
    talk.text(&mut connection, DOWN, 100);
    capture.set_note(3, "a note");
    talk.say(&mut connection, UP, &frame(true, Opcode::Text, None, b"unmasked"));
    let rules = |capture: &Capture| capture.tallies().iter().map(|t| (t.rule, t.first)).collect::<Vec<_>>();
    assert_eq!(rules(&capture), [(Rule::ClientFrameUnmasked, 4)]);
    while capture.totals().evicted() == 0 {
        talk.text(&mut connection, DOWN, 900);
    }
    let first = capture.first();
    assert!(first > 4);
    assert_eq!((rules(&capture), capture.note(3), capture.record(3)), (vec![], None, None));
    assert_eq!(capture.totals().findings[2], 1, "evicted findings are still counted");
    // The handshake is no longer in the list, and can be read all the same.
    assert_eq!(capture.records(0..u64::MAX)[0].no, first);
    assert_eq!(capture.handshake(1), Some(handshake.clone()));
    assert_eq!((capture.record(1), capture.record(2)), (Some(handshake[0].clone()), Some(handshake[1].clone())));
    assert_eq!(capture.wire(&handshake[0], 0..u64::MAX).expect("readable"), wire);
    let about = capture.connection(1).expect("kept").about;
    let filter = format!("host == {:?} and path == {:?}", about.host.expect("a host"), about.target.expect("a target"));
    let mut evaluator = FilterEvaluator::new(&Filter::parse(&filter).expect("a filter"), &capture);
    assert!(evaluator.passes(&capture.record(first).expect("the first")).expect("readable"));
    talk.say(&mut connection, UP, &frame(true, Opcode::Text, None, b"unmasked"));
    assert_eq!(rules(&capture), [(Rule::ClientFrameUnmasked, capture.len())]);
}

#[test]
fn numbers_never_change_their_meaning() {
    let mut talk = Talk::new(SIZE);
    let capture = talk.capture();
    let mut connections = [talk.upgraded(50_001, ""), talk.upgraded(50_002, "")];
    let mut known: BTreeMap<u64, Record> = BTreeMap::new();
    let mut first = 1;
    for n in 0..2000 {
        talk.text(&mut connections[n % 2], if n % 3 == 0 { UP } else { DOWN }, 300);
        assert!(capture.first() >= first, "the first kept record");
        first = capture.first();
        for record in capture.records(0..u64::MAX) {
            assert!(known.entry(record.no).or_insert_with(|| record.clone()) == &record, "record {}", record.no);
        }
    }
    assert!(first > 500);
    assert_eq!(known.into_keys().collect::<Vec<_>>(), (1..=capture.len()).collect::<Vec<_>>());
}

#[test]
fn files_of_an_earlier_ring_are_replaced_only_when_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.pcapng");
    let names = || {
        files(folder.path())
            .iter()
            .map(|p| p.file_name().expect("a name").to_string_lossy().into_owned())
            .collect::<Vec<_>>()
    };
    fs::write(folder.path().join("a.0000007.pcapng"), b"old").expect("written");
    for mine in ["a.notes.pcapng", "a.20261122.pcapng"] {
        fs::write(folder.path().join(mine), b"mine").expect("written");
    }
    assert!(
        matches!(Spool::keep_ring(&path, false, SIZE), Err(SpoolError::Exists(found)) if found.ends_with("a.0000007.pcapng"))
    );
    let spool = Spool::keep_ring(&path, true, SIZE).expect("a spool");
    assert_eq!(names(), ["a.0000001.pcapng", "a.20261122.pcapng", "a.notes.pcapng"]);
    assert!(matches!(Spool::keep_ring(&path, true, SIZE), Err(SpoolError::InUse(_))));
    drop(spool);
    assert_eq!(names(), ["a.0000001.pcapng", "a.20261122.pcapng", "a.notes.pcapng"]);
}

/// Bytes on disk.
fn size_of(files: &[PathBuf]) -> u64 {
    files.iter().map(|path| fs::metadata(path).expect("there").len()).sum()
}

#[test]
fn a_name_that_is_taken_is_passed_over() {
    let mut talk = Talk::new(SIZE);
    let capture = talk.capture();
    let mut connection = talk.upgraded(50_001, "");
    let taken = [2, 3, 5].map(|n| talk.folder.path().join(format!("a.{n:07}.pcapng")));
    taken.iter().for_each(|path| fs::write(path, b"mine").expect("written"));
    while capture.totals().evicted() < 1000 {
        talk.text(&mut connection, DOWN, 500);
    }
    assert!(taken.iter().all(|path| fs::read(path).expect("there") == b"mine"));
    taken.iter().for_each(|path| fs::remove_file(path).expect("removed"));
    assert_same(&talk);
    assert!(size_of(&talk.files()) <= SIZE);
    assert_eq!(capture.trouble().reason, None);
}

#[test]
fn a_ring_that_can_begin_no_file_stops_at_its_size() {
    let mut talk = Talk::new(SIZE);
    let capture = talk.capture();
    let mut connection = talk.upgraded(50_001, "");
    talk.text(&mut connection, DOWN, 500);
    // Where the next files would stand.
    let elsewhere = talk.folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).expect("a folder");
    let first = talk.files()[0].clone();
    let moved = talk.folder.path().with_extension("moved");
    fs::rename(talk.folder.path(), &moved).expect("moved");
    for _ in 0..1500 {
        talk.text(&mut connection, DOWN, 500);
    }
    let trouble = capture.trouble();
    let reason = trouble.reason.expect("a reason");
    let file = moved.join(first.file_name().expect("a name"));
    let len = fs::metadata(&file).expect("there").len();
    assert!(len > SIZE / 2 && len <= SIZE, "{len}");
    assert!(trouble.uncaptured > SIZE, "{}", trouble.uncaptured);
    for words in ["cannot start the next ring file ", "capturing stopped: the ring is full, and cannot write "] {
        assert_eq!(reason.matches(words).count(), 1, "{reason}");
    }
    // What is there is whole.
    let there = capture.records(0..u64::MAX);
    assert_eq!(opened(&fs::read(&file).expect("a file")).len(), there.len() as u64 + 2, "and how it ends");
    fs::rename(&moved, talk.folder.path()).expect("back");
}

#[test]
fn connections_without_number_leave_room_for_what_is_said() {
    let mut talk = Talk::new(1 << 20);
    let capture = talk.capture();
    let mut connections: Vec<ConnectionRecorder> = (0..600).map(|n| talk.upgraded(1000 + n, "")).collect();
    for n in 0..20_000 {
        talk.text(&mut connections[n % 50], DOWN, 100);
        assert!(n % 100 > 0 || size_of(&talk.files()) <= 1 << 20);
    }
    assert!(talk.files().len() > 4, "{:?}", talk.files());
    let reason = capture.trouble().reason.expect("a reason");
    assert!(reason.starts_with("the ring is too small for so many connections: "), "{reason}");
    assert_eq!(reason.matches("too small").count(), 1);
    let last = opened(&fs::read(talk.files().last().expect("a file")).expect("a file"));
    assert_eq!(last.trouble().reason, None);
    let requests = |capture: &Capture| -> Vec<u16> {
        let records = capture.records(0..u64::MAX);
        let asks = records.iter().filter(|record| record.kind == Kind::Request);
        asks.map(|record| capture.connection(record.connection).expect("there").client.port()).collect()
    };
    // Those that speak come first.
    assert!((1000..1050).all(|port| requests(&last).contains(&port)), "{:?}", requests(&last));
    assert!((50..400).contains(&requests(&last).len()));
    // One that was silent goes on.
    talk.text(&mut connections[599], UP, 100);
    let latest = capture.record(capture.len()).expect("a record");
    assert_eq!((latest.kind, capture.wire(&latest, 0..999).expect("readable").len()), (Kind::Frame, 106));
}

#[test]
fn a_temporary_ring_goes_with_the_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let recorder = Recorder::new(Spool::temporary_ring(folder.path(), SIZE).expect("a spool"));
    let connection = recorder.connection(([127, 0, 0, 1], 50_001).into(), ([127, 0, 0, 1], 6455).into());
    for n in 0..2000u64 {
        connection.record(&[Chunk { direction: UP, time: Time(n), bytes: &[0x16; 300] }]);
    }
    assert!(files(folder.path()).len() > 1);
    drop((connection, recorder));
    assert_eq!(files(folder.path()), Vec::<PathBuf>::new());
}

/// A screen over a ring in which so many ticks were said that a part is gone.
fn screen(ticks: usize) -> (Wire, Screen) {
    let mut wire = Wire::ring(64 * 1024).upgrade();
    wire.ticks(20);
    let screen = Screen::live(&wire, (120, 36));
    wire.ticks(ticks);
    assert!(wire.recorder.capture().totals().evicted() > 40);
    (wire, screen)
}

#[test]
fn an_evicted_handshake_is_shown_below_the_list() {
    let (_wire, mut screen) = screen(400);
    screen.app.refresh();
    let cursor = screen.app.list.cursor;
    let text = screen.press(&["p"]).text();
    assert!(text.contains("Handshake, evicted from the list ─ record 1 · request"), "{text}");
    assert!(text.contains("✓ Upgrade: websocket") && text.contains("Esc returns to record"), "{text}");
    let text = screen.press(&["p"]).text();
    assert!(text.contains("Handshake, evicted from the list ─ record 2 · 101"), "{text}");
    assert!(screen.press(&["p"]).text().contains("record 1 · request"), "{}", screen.text());
    assert_eq!((screen.app.list.cursor, screen.app.list.following), (cursor, false));
    screen.press(&["esc"]);
    assert!(screen.text().contains(&format!("record {cursor} · text")), "{}", screen.text());
    assert!(!screen.text().contains("evicted from the list"), "{}", screen.text());
}

#[test]
fn a_note_made_below_an_evicted_handshake_returns_to_the_record_under_the_cursor() {
    let (wire, mut screen) = screen(400);
    screen.app.refresh();
    let cursor = screen.app.list.cursor;
    screen.press(&["p", "tab", "tab", "end", "a"]).type_text("remember").press(&["enter"]);
    assert_eq!(wire.recorder.capture().note(cursor).as_deref(), Some("remember"));
    let record = wire.recorder.capture().record(cursor).expect("a record");
    let bytes = wire.recorder.capture().wire(&record, 0..u64::MAX).expect("readable");
    assert_eq!(screen.app.detail.current().map(|detail| detail.record.no), Some(cursor));
    assert_eq!(screen.app.detail.wire.bytes(), Some((0, bytes.as_slice())), "{}", screen.text());
    assert!(screen.app.detail.byte < record.wire_len, "{}", screen.app.detail.byte);
}

#[test]
fn the_record_under_the_cursor_becomes_a_gap_when_its_beginning_is_evicted() {
    let mut wire = Wire::ring(8 << 20).upgrade();
    let mut screen = Screen::live(&wire, (120, 36));
    wire.say(DOWN, &frame(true, Opcode::Binary, None, &vec![0x5a; 5 << 20]));
    screen.app.refresh();
    screen.press(&["space"]);
    let cursor = screen.app.list.cursor;
    let kind = |screen: &Screen| screen.app.detail.current().map(|detail| (detail.record.no, detail.record.kind));
    assert_eq!(kind(&screen), Some((cursor, Kind::Frame)));
    let now = |wire: &Wire| wire.recorder.capture().record(cursor).map(|record| record.kind);
    while now(&wire) == Some(Kind::Frame) {
        wire.say(UP, &frame(true, Opcode::Binary, Some([1, 2, 3, 4]), &[0; 60_000]));
        screen.app.refresh();
    }
    assert_eq!(now(&wire), Some(Kind::Gap));
    assert_eq!(kind(&screen), Some((cursor, Kind::Gap)), "{}", screen.text());
}

#[test]
fn the_cursor_keeps_a_row_when_the_row_that_contains_it_is_evicted() {
    let mut wire = Wire::ring(64 * 1024).upgrade();
    let mut screen = Screen::live(&wire, (120, 36));
    let filler = frame(true, Opcode::Binary, Some([1, 2, 3, 4]), &[0; 2000]);
    wire.say(DOWN, &frame(false, Opcode::Text, None, b"first, "));
    (0..9).for_each(|_| wire.say(UP, &filler));
    wire.say(DOWN, &frame(true, Opcode::Continuation, None, b"last"));
    screen.app.refresh();
    screen.press(&["2", "g", "down", "down", "enter", "down", "down"]);
    assert_eq!((screen.app.list.cursor, screen.app.list.in_child), (13, true), "{}", screen.text());
    while wire.recorder.capture().first() <= 3 {
        wire.say(UP, &filler);
    }
    assert!(wire.recorder.capture().first() <= 13);
    screen.app.refresh();
    assert!(screen.app.list.cursor_row().is_some(), "{}", screen.text());
}

#[test]
fn the_screen_drops_evicted_records() {
    let (mut wire, mut screen) = screen(400);
    let app = &mut screen.app;
    app.refresh();
    let (first, last) = (app.counts.totals.first, app.counts.totals.records);
    assert_eq!(app.list.rows.len(), last + 1 - first);
    assert_eq!(app.list.cursor, last, "it follows");
    assert!(screen.lines_with(" evicted ")[0].contains(" records · "), "{}", screen.text());
    screen.press(&["home"]);
    assert_eq!(screen.app.list.cursor, first);
    screen.press(&["down", "down", "down", "down", "m"]);
    let marked = screen.app.list.cursor;
    assert_eq!(marked, first + 4);
    while wire.recorder.capture().first() <= marked {
        wire.ticks(1);
    }
    screen.app.refresh();
    let first = screen.app.counts.totals.first;
    assert!(first > marked);
    assert_eq!((screen.app.list.cursor, screen.app.list.marks.len(), screen.app.list.following), (first, 0, false));
    assert!(screen.text().contains("the cursor is on the oldest record that is kept"), "{}", screen.text());
    screen.press(&["G"]);
    assert_eq!(screen.app.list.cursor, wire.recorder.capture().len());
    // With a filter, the cursor moves to the oldest record that matches it.
    screen.press(&["&"]).type_text("dir == s2c").press(&["enter", "home", "down", "down"]);
    let held = screen.app.list.cursor;
    while wire.recorder.capture().first() <= held {
        wire.ticks(1);
        screen.app.refresh();
    }
    assert!(screen.app.list.cursor_row().is_some(), "{}", screen.text());
}

#[test]
fn filters_and_views_follow_what_goes() {
    let (mut wire, mut screen) = screen(400);
    screen.app.refresh();
    for keys in [&["1"][..], &["2"], &["z"], &["3"], &["4"], &["1"]] {
        screen.press(keys);
        for _ in 0..60 {
            wire.ticks(10);
            screen.app.refresh();
            screen.app.extend_rows();
            let rows = &screen.app.list.rows;
            let there = (0..rows.len()).map(|row| rows.number(row).expect("a row"));
            assert!(there.clone().is_sorted() && there.clone().all(|no| screen.app.capture.record(no).is_some()));
            assert!(!screen.text().is_empty());
        }
    }
    screen.press(&["z"]);
    for (filter, all) in [("op == text and dir == s2c or type == request", false), ("text contains \"e\"", true)] {
        screen.press(&["&", "ctrl-u"]).type_text(filter).press(&["enter"]);
        let sifting = screen.app.effects.iter().find_map(|effect| match effect {
            Effect::Filter(sifting) => Some(std::sync::Arc::clone(sifting)),
            _ => None,
        });
        assert_eq!(sifting.is_some(), all);
        let capture = screen.app.capture.clone();
        std::thread::scope(|scope| {
            if let Some(sifting) = &sifting {
                scope.spawn(|| sifting.run(&capture, || {}));
            }
            for _ in 0..60 {
                wire.ticks(10);
                let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
                loop {
                    screen.app.refresh();
                    if !screen.app.list.is_filtering(&screen.app.counts.totals) && !screen.app.list.incomplete {
                        break;
                    }
                    assert!(std::time::Instant::now() < deadline, "{:?}", screen.app.list.matches());
                    std::thread::yield_now();
                }
                let parsed = Filter::parse(filter).expect("a filter");
                let mut evaluator = FilterEvaluator::new(&parsed, &capture);
                let records = capture.records(0..u64::MAX).into_iter();
                let expected: Vec<u64> =
                    records.filter(|r| evaluator.passes(r).expect("readable")).map(|r| r.no).collect();
                let rows = &screen.app.list.rows;
                let shown: Vec<u64> = (0..rows.len()).map(|row| rows.number(row).expect("a row")).collect();
                assert_eq!(shown, expected);
            }
            screen.app.set_filter(None);
        });
    }
}

#[test]
fn a_filter_that_stays_behind_shows_what_it_lets_through() {
    let (mut wire, mut screen) = screen(400);
    screen.app.refresh();
    let filter = "text contains \"5\" or type == request";
    screen.press(&["&", "ctrl-u"]).type_text(filter).press(&["enter"]);
    let sifting = screen.app.effects.iter().find_map(|effect| match effect {
        Effect::Filter(sifting) => Some(std::sync::Arc::clone(sifting)),
        _ => None,
    });
    let (sifting, capture) = (sifting.expect("work beside the screen"), screen.app.capture.clone());
    let parsed = Filter::parse(filter).expect("a filter");
    // The ring turns between what the filter looks at and what the screen takes of it, or not: the screen waits for neither.
    let wrong = std::thread::scope(|scope| {
        scope.spawn(|| sifting.run(&capture, || {}));
        let mut wrong = None;
        for turn in 0..200 {
            wire.ticks(if turn % 8 == 0 { 700 } else { turn % 30 });
            screen.app.refresh();
            let mut evaluator = FilterEvaluator::new(&parsed, &capture);
            let mut before = 0;
            for row in 0..screen.app.list.rows.len() {
                let no = screen.app.list.rows.number(row).unwrap_or_default();
                let passes = capture.record(no).is_some_and(|record| evaluator.passes(&record).unwrap_or(false));
                if !passes || no <= before {
                    wrong = Some((turn, row, no, before, passes));
                }
                before = no;
            }
        }
        // Also ends the work beside the screen.
        screen.app.set_filter(None);
        wrong
    });
    assert_eq!(wrong, None);
}

/// What a connection of a property test is, and how large what it says is.
#[derive(Clone, Copy, Debug)]
enum Sort {
    WebSocket,
    Compressed,
    Http,
    Opaque,
}

fn said(sort: Sort, direction: Direction, n: usize, size: usize) -> Vec<u8> {
    let key = (direction == UP).then_some([n as u8, 1, (n >> 8) as u8, 3]);
    let payload: Vec<u8> = (0..size).map(|i| b'a' + ((i * n) % 26) as u8).collect();
    match (sort, direction) {
        (Sort::WebSocket, _) => match n % 7 {
            0 => frame(true, Opcode::Ping, key, &payload[..size.min(125)]),
            1 => [
                frame(false, Opcode::Text, key, &payload),
                frame(true, Opcode::Continuation, key.map(|k| k.map(|b| b ^ 1)), &payload),
            ]
            .concat(),
            _ => frame(true, Opcode::Binary, key, &payload),
        },
        (Sort::Compressed, _) => {
            let mut compressed = Vec::new();
            Deflater::new(15, false).message(&payload, &mut compressed);
            let head = FrameHead { rsv1: true, ..FrameHead::new(true, Opcode::Text, key, compressed.len() as u64) };
            let mut wire = Vec::new();
            head.encode_with(&compressed, &mut wire);
            wire
        }
        (Sort::Http, Direction::ClientToServer) => {
            [format!("POST /{n} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n").into_bytes(), payload]
                .concat()
        }
        (Sort::Http, Direction::ServerToClient) => {
            [format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n").into_bytes(), payload].concat()
        }
        // One record of at most 64 KiB, which goes on and on.
        (Sort::Opaque, _) => [&[0x00, 3, 1][..], &payload[..size / 50]].concat(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, max_shrink_iters: 300, ..Default::default() })]

    #[test]
    fn whatever_is_said_the_files_say_what_is_there(
        sorts in vec(prop_oneof![3 => Just(Sort::WebSocket), 2 => Just(Sort::Compressed), 1 => Just(Sort::Http), 1 => Just(Sort::Opaque)], 1..6),
        turns in vec((0usize..6, 1usize..1200, 1usize..2400, any::<bool>()), 150..500),
    ) {
        // Files of 20 KiB, with room for 10 KiB of what is not complete.
        let mut talk = Talk::new(160 * 1024);
        let capture = talk.capture();
        let mut connections = Vec::new();
        for (n, sort) in sorts.iter().enumerate() {
            let port = 50_001 + n as u16;
            connections.push(match sort {
                Sort::WebSocket => talk.upgraded(port, ""),
                Sort::Compressed => talk.upgraded(port, "permessage-deflate; server_no_context_takeover; client_no_context_takeover"),
                Sort::Http | Sort::Opaque => talk.connect(port),
            });
        }
        // What is still to be said in each direction, piece by piece.
        let mut waiting: Vec<[Vec<u8>; 2]> = sorts.iter().map(|_| Default::default()).collect();
        let mut gone = 0;
        for (n, (which, size, piece, up)) in turns.into_iter().enumerate() {
            let which = which % sorts.len();
            let direction = if up { UP } else { DOWN };
            // A client waits for the answer before it asks again, and nobody answers what was not asked.
            let both = if matches!(sorts[which], Sort::Http) { vec![UP, DOWN] } else { vec![direction] };
            for direction in both {
                let queue = &mut waiting[which][direction.index()];
                queue.extend(said(sorts[which], direction, n, size));
                let len = if matches!(sorts[which], Sort::Http) { queue.len() } else { piece.min(queue.len()) };
                // Not more than there is room for waits, so that nothing is torn.
                let len = len.max(queue.len().saturating_sub(500));
                let bytes: Vec<u8> = queue.drain(..len).collect();
                talk.say(&mut connections[which], direction, &bytes);
            }
            if capture.totals().evicted() != gone {
                gone = capture.totals().evicted();
                assert_same(&talk);
            }
        }
        assert_same(&talk);
        for file in talk.files() {
            let file = opened(&fs::read(file).expect("a file"));
            prop_assert_eq!(file.trouble().reason, None);
            let faults: Vec<_> = file.tallies().into_iter().filter(|tally| tally.rule.severity() > Severity::Info).collect();
            prop_assert_eq!(faults, vec![]);
        }
    }
}
