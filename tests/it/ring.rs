//! A ring of files: which records are evicted, which are kept, and that each file is a capture of its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use crate::support::program::numbers;
use crate::support::{
    DEFLATE, DOWN, Recording, Screen, UP, Wire, cases, compressed_frame, deflated, exported, frame, opened, rules,
};
use framescope::capture::live::recorder::{Chunk, ConnectionRecorder, Recorder};
use framescope::capture::live::spool::{Spool, SpoolError};
use framescope::capture::query::filter::{Filter, FilterEvaluator};
use framescope::capture::store::Capture;
use framescope::capture::store::message_reader::MessageReader;
use framescope::capture::store::output::OutputError;
use framescope::capture::store::record::Record;
use framescope::export::{ExportError, ExportOptions, ExportSelection, Format, Progress, export};
use framescope::proto::deflate::Deflater;
use framescope::proto::dissected::{Direction, EndReason, Kind};
use framescope::proto::rules::{Rule, Severity};
use framescope::proto::time::Time;
use framescope::tui::effect::Effect;
use framescope::wire::opcode::Opcode;
use proptest::collection::vec;
use proptest::prelude::*;

/// The size of most rings in this module, in bytes: its files are filled quickly.
const SIZE: u64 = 256 * 1024;

/// The bytes on disk.
fn size_of(files: &[PathBuf]) -> u64 {
    files.iter().map(|path| fs::metadata(path).expect("a file of the ring").len()).sum()
}

/// Each file of a ring, opened alone, and asserted to be undamaged.
fn opened_files(talk: &Recording) -> Vec<Capture> {
    let files = talk.files().into_iter().map(|path| opened(&fs::read(path).expect("a file")));
    files.inspect(|file| assert_eq!(file.trouble().reason(), None)).collect()
}

/// All files of a ring as one.
fn opened_together(talk: &Recording) -> Capture {
    let file = opened(&talk.files().iter().flat_map(|path| fs::read(path).expect("a file")).collect::<Vec<u8>>());
    assert_eq!(file.trouble().reason(), None);
    file
}

/// A record for comparison: kind, direction, time, offset, length, findings, bytes.
type Row = (Kind, Direction, u64, u64, u64, Vec<Rule>, Vec<u8>);

/// The records of each connection by the client's port, with those that an export writes in place of evicted ones.
fn by_port(capture: &Capture) -> BTreeMap<u16, Vec<Row>> {
    let connections = (0..capture.kept_connections()).map(|rank| capture.connection_at(rank).expect("a connection"));
    let in_place = connections.flat_map(|connection| capture.in_place_of_evicted(connection));
    let mut all: BTreeMap<u16, Vec<Row>> = BTreeMap::new();
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

/// The records of an exported file, without those that it has only because it ends.
fn without_ends(file: &Capture) -> BTreeMap<u16, Vec<Row>> {
    let mut all = by_port(file);
    all.values_mut().for_each(|rows| rows.retain(|row| row.0 != Kind::End(EndReason::Capture)));
    all
}

/// Asserts that the records of the live capture are those of its files, read one after the other.
fn assert_same(talk: &Recording) {
    let (mut live, file) = (by_port(talk.capture()), by_port(&opened_together(talk)));
    // The records that a file has only because it ends.
    let ends = [Kind::End(EndReason::Capture), Kind::CutFrame, Kind::CutHttp, Kind::Junk];
    for (port, rows) in &file {
        let live = live.entry(*port).or_default();
        live.extend(rows[live.len().min(rows.len())..].iter().filter(|row| ends.contains(&row.0)).cloned());
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
fn the_oldest_records_are_evicted_and_the_others_are_complete() {
    let mut talk = Recording::ring(SIZE);
    let capture = talk.capture().clone();
    let busy = talk.upgraded(50_001, "");
    let compressed = talk.upgraded(50_002, DEFLATE);
    let quiet = talk.upgraded(50_003, "");
    let http = talk.connect(50_004);
    let slow = talk.upgraded(50_005, "");
    let half = talk.upgraded(50_006, "");
    talk.frame(&half, UP, Opcode::Close, &[0x03, 0xe8]);
    half.end(UP, EndReason::Fin, talk.now());
    let mut deflater = Deflater::new(15, true);
    let mut evicted = 0;
    for n in 0..400u32 {
        talk.text(&busy, DOWN, 700 + (n as usize * 37) % 900);
        talk.text(&busy, UP, 40);
        let payload = deflated(&mut deflater, format!("message {n} of many that are alike").repeat(3).as_bytes());
        talk.say(&compressed, DOWN, &compressed_frame(true, Opcode::Text, None, &payload));
        // A frame that arrives byte by byte is spread over several files.
        let slow_frame = frame(true, Opcode::Binary, None, &[0xa5; 150]);
        talk.say(&slow, DOWN, &slow_frame[n as usize % slow_frame.len()..][..1]);
        if n % 50 == 7 {
            talk.say(&http, UP, b"GET /app.js HTTP/1.1\r\nHost: localhost\r\n\r\n");
            talk.say(&http, DOWN, b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes");
            // A short connection.
            let short = talk.upgraded(50_100 + n as u16, "");
            talk.text(&short, UP, 10);
            short.reset(UP, talk.now());
        }
        let totals = capture.totals();
        if totals.evicted() != evicted {
            assert!(totals.evicted() > evicted, "an evicted record stays evicted");
            evicted = totals.evicted();
            assert_same(&talk);
        }
        let size = size_of(&talk.files());
        assert!(size <= SIZE, "{size} bytes");
    }
    assert!(evicted > 500, "{evicted} are evicted");
    let totals = capture.totals();
    assert_eq!(capture.first(), totals.first);
    assert!(totals.records - totals.first < totals.records / 2);
    assert_same(&talk);
    // A connection is kept while it is open or has a record.
    let clients: Vec<u16> = by_port(&capture).into_keys().collect();
    for (port, kept) in [(50_001, true), (50_003, true), (50_006, true), (50_107, false), (50_457, true)] {
        assert_eq!(clients.contains(&port), kept, "{port}");
    }
    let mut all = 0;
    for file in opened_files(&talk) {
        for (port, rows) in by_port(&file) {
            let faults: Vec<_> =
                rows.iter().flat_map(|row| &row.5).filter(|rule| rule.severity() > Severity::Info).collect();
            assert!(faults.is_empty() || port > 50_100 || port == 50_006, "{port}: {faults:?}");
            if [50_001, 50_002, 50_003, 50_005].contains(&port) {
                assert_eq!((rows[0].0, rows[1].0), (Kind::Request, Kind::Response), "{port}");
            }
        }
        let frames = file.records(0..u64::MAX).iter().filter(|record| record.kind == Kind::Frame).count();
        assert!(frames > 30);
        all += frames;
    }
    assert!(all as u64 <= totals.records);
    // A connection that was silent can still be recorded and read.
    talk.say(&quiet, DOWN, &frame(true, Opcode::Text, None, b"still here"));
    let last = capture.record(capture.len()).expect("the latest");
    assert_eq!(capture.payload(&last, 0..99).expect("readable"), b"still here");
}

#[test]
fn compressed_messages_can_be_read_soon_after_the_evicted_ones() {
    let mut talk = Recording::ring(1 << 20);
    let capture = talk.capture().clone();
    let connection = talk.upgraded(50_001, &format!("{DEFLATE}; server_no_context_takeover"));
    let mut deflaters = [Deflater::new(15, true), Deflater::new(15, false)];
    let mut noise = 1u64;
    for n in 0..6000 {
        let direction = if n % 2 == 0 { UP } else { DOWN };
        let mut text = format!("the message with the number {n} ");
        text.extend(
            std::iter::repeat_with(|| {
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(n);
                char::from(b'a' + (noise >> 60) as u8)
            })
            .take(500),
        );
        let payload = deflated(&mut deflaters[direction.index()], text.as_bytes());
        let key = talk.key(direction);
        talk.say(&connection, direction, &compressed_frame(true, Opcode::Text, key, &payload));
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
    assert_eq!(rules(&capture), [], "an eviction is not a finding");
    let files = opened_files(&talk);
    assert!(files.len() > 2);
    for file in &files[1..] {
        let lost = file.tallies().into_iter().find(|tally| tally.rule == Rule::ContextLost);
        assert_eq!(lost.map(|tally| tally.findings), Some(1), "one direction has a context");
    }
}

#[test]
fn a_frame_too_large_for_the_next_file_is_a_gap_when_its_beginning_is_evicted() {
    let mut talk = Recording::ring(8 << 20);
    let capture = talk.capture().clone();
    let other = talk.upgraded(50_001, "");
    let large = talk.upgraded(50_002, "");
    let wire = frame(true, Opcode::Binary, None, &vec![0x5a; 5 << 20]);
    for piece in wire.chunks(64 * 1024) {
        talk.say(&large, DOWN, piece);
        talk.text(&other, DOWN, 500);
    }
    talk.text(&large, DOWN, 20);
    let find = |capture: &Capture| {
        let records = capture.records(0..u64::MAX);
        let port = |record: &Record| capture.connection(record.connection).expect("there").client.port();
        records.into_iter().find(|record| record.wire_len == wire.len() as u64 && port(record) == 50_002)
    };
    assert_eq!(find(&capture).map(|record| record.kind), Some(Kind::Frame));
    let bytes = capture.wire(&find(&capture).expect("there"), 0..u64::MAX).expect("readable");
    assert!(bytes == wire, "over several files");
    while capture.totals().evicted() < 20 {
        talk.text(&other, UP, 60_000);
    }
    let torn = find(&capture).expect("there");
    assert_eq!((torn.kind, torn.wire_len), (Kind::Gap, wire.len() as u64));
    assert_eq!(capture.wire(&torn, 0..u64::MAX).expect("readable"), b"");
    assert_eq!(opened(&exported(&capture, Format::Ndjson)).trouble().reason(), None);
}

#[test]
fn messages_without_context_can_be_read_after_a_frame_whose_beginning_is_evicted() {
    let mut talk = Recording::ring(1 << 20);
    let capture = talk.capture().clone();
    let other = talk.upgraded(50_001, "");
    let large = talk.upgraded(50_002, &format!("{DEFLATE}; server_no_context_takeover"));
    let payload = deflated(&mut Deflater::new(15, false), b"a message that refers to no other");
    let compressed = compressed_frame(true, Opcode::Text, None, &payload);
    talk.say(&large, DOWN, &compressed);
    let wire = frame(true, Opcode::Binary, None, &vec![0x5a; 600 << 10]);
    for piece in wire.chunks(16 * 1024) {
        talk.say(&large, DOWN, piece);
    }
    let large_no = capture.len();
    talk.say(&large, DOWN, &compressed);
    let message = capture.record(capture.len()).expect("a record");
    while capture.record(large_no).expect("a record").kind == Kind::Frame {
        talk.text(&other, UP, 2000);
    }
    let read = MessageReader::default().message(&capture, &message, 1000).expect("readable");
    assert_eq!(read.expect("a message").text(), Some("a message that refers to no other"));
}

#[test]
fn a_live_capture_is_exported_without_its_evicted_records() {
    let mut talk = Recording::ring(SIZE);
    let capture = talk.capture().clone();
    let connection = talk.upgraded(50_001, "");
    while capture.totals().evicted() < 300 {
        talk.text(&connection, DOWN, 500);
        talk.text(&connection, UP, 500);
    }
    let kept = by_port(&capture);
    for format in [Format::Pcapng, Format::Ndjson] {
        assert_eq!(without_ends(&opened(&exported(&capture, format))), kept, "{format:?}");
    }
    // A delay keeps every record until the ring has twice its size.
    let (delay, evicted) = (capture.delay_eviction(), capture.totals().evicted());
    (0..300).for_each(|_| talk.text(&connection, DOWN, 500));
    assert_eq!(capture.totals().evicted(), evicted);
    drop(delay);
    talk.text(&connection, DOWN, 500);
    assert!(capture.totals().evicted() > evicted);
    assert!(size_of(&talk.files()) <= SIZE);
}

#[test]
fn an_export_marks_where_a_frame_begins_after_evicted_records() {
    let mut talk = Recording::ring(SIZE);
    let capture = talk.capture().clone();
    let busy = talk.upgraded(50_001, "");
    let quiet = talk.upgraded(50_002, "");
    talk.text(&quiet, UP, 30);
    while capture.first() < 20 {
        talk.text(&busy, DOWN, 500);
    }
    assert_eq!(capture.neighbour(2, 1, 0), None);
    // The only record of its connection that is kept: a frame that is not masked, and therefore not recognized without the hint.
    talk.say(&quiet, UP, &frame(true, Opcode::Text, None, b"not masked"));
    let kept = by_port(&capture);
    for format in [Format::Pcapng, Format::Ndjson] {
        let (mut out, progress) = (Vec::new(), Progress::default());
        export(&capture, format, &ExportOptions::default(), &mut out, &progress).expect("exported");
        let [done, total] = [progress.done, progress.total].map(|count| count.load(Ordering::Relaxed));
        assert_eq!((done, total), (capture.totals().kept(), capture.totals().kept()), "{format:?}");
        assert_eq!(without_ends(&opened(&out)), kept, "{format:?}");
    }
}

#[test]
fn an_evicted_handshake_that_is_exported_does_not_count_as_evicted() {
    let mut talk = Recording::ring(SIZE);
    let capture = talk.capture().clone();
    let connection = talk.upgraded(50_001, "");
    while capture.first() < 20 {
        talk.text(&connection, DOWN, 500);
    }
    // The handshake, a frame that is evicted, and one that is kept.
    let selection = ExportSelection::Records(vec![1, 2, 3, capture.first()]);
    let options = ExportOptions { selection, ..ExportOptions::default() };
    for format in [Format::Ndjson, Format::Pcapng] {
        let done = export(&capture, format, &options, &mut Vec::new(), &Progress::default()).expect("exported");
        let note = done.note.expect("a note on the evicted record");
        assert_eq!(done.records, 3, "{format:?}: {note}");
        assert_eq!(numbers(&note).last(), Some(&1), "{format:?}: {note}");
    }
    // A record that is evicted after it was exported is not missing.
    let selection = ExportSelection::Records(vec![capture.first()]);
    let options = ExportOptions { selection, ..ExportOptions::default() };
    let connections = [connection];
    let mut out = RecordingOutput { talk: &mut talk, connections: &connections, texts: 2000, out: Vec::new() };
    let done = export(&capture, Format::Ndjson, &options, &mut out, &Progress::default()).expect("exported");
    assert_eq!((done.records, done.note), (1, None));
}

/// An output that records `texts` messages during its first write.
struct RecordingOutput<'a> {
    talk: &'a mut Recording,
    connections: &'a [ConnectionRecorder],
    texts: usize,
    out: Vec<u8>,
}

impl std::io::Write for RecordingOutput<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        for n in 0..std::mem::take(&mut self.texts) {
            let one = n % self.connections.len();
            self.talk.text(&self.connections[one], DOWN, 500);
        }
        self.out.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_export_whose_records_are_evicted_fails_and_writes_nothing_else() {
    for format in [Format::Pcapng, Format::Ndjson, Format::Har] {
        for direction in [None, Some(DOWN)] {
            let mut talk = Recording::ring(SIZE);
            let capture = talk.capture().clone();
            let connections = [50_001, 50_002].map(|port| talk.upgraded(port, ""));
            while capture.totals().evicted() < 300 {
                talk.text(&connections[0], DOWN, 500);
                talk.text(&connections[1], DOWN, 500);
            }
            let options = ExportOptions { direction, ..ExportOptions::default() };
            let mut export_while = |texts| {
                let kept = by_port(&capture);
                let mut out = RecordingOutput { talk: &mut talk, connections: &connections, texts, out: Vec::new() };
                let done = export(&capture, format, &options, &mut out, &Progress::default());
                (done, out.out, kept)
            };
            let (done, out, kept) = export_while(200);
            done.expect("the export delays the eviction");
            let again = opened(&out);
            if format == Format::Har {
                // A HAR has messages only; here each frame is one.
                let frames = kept.values().flatten().filter(|row| row.0 == Kind::Frame).count();
                let messages = again.records(0..u64::MAX).iter().filter(|record| record.kind == Kind::Frame).count();
                assert!(direction.is_some() || messages == frames, "{messages} of {frames}");
            } else {
                assert!(direction.is_some() || without_ends(&again) == kept, "{format:?}");
            }
            let (done, ..) = export_while(2000);
            assert!(matches!(done, Err(ExportError::Evicted { .. })), "{format:?} {direction:?} {done:?}");
        }
    }
}

#[test]
fn a_har_export_fails_if_a_connection_is_evicted_meanwhile() {
    let mut talk = Recording::ring(SIZE);
    let capture = talk.capture().clone();
    let long = [talk.upgraded(50_001, "")];
    for _ in 0..60 {
        talk.text(&long[0], DOWN, 500);
    }
    for n in 0..40 {
        let short = talk.upgraded(50_100 + n, "");
        talk.text(&short, DOWN, 100);
        short.reset(UP, talk.now());
    }
    let mut out = RecordingOutput { talk: &mut talk, connections: &long, texts: 2000, out: Vec::new() };
    let done = export(&capture, Format::Har, &ExportOptions::default(), &mut out, &Progress::default());
    assert!(matches!(done, Err(ExportError::Evicted { .. })), "{done:?}");
}

#[test]
fn the_smallest_frames_with_the_most_findings_do_not_exceed_the_ring() {
    const RING: u64 = 1 << 20;
    for head in [&[0x80, 0x80][..], &[0xf3, 0x00], &[0x82, 0x01, 0x00]] {
        let mut talk = Recording::ring(RING);
        let connection = talk.upgraded(50_001, "");
        for _ in 0..3 {
            let bytes = head.repeat(100_000);
            talk.say(&connection, UP, &bytes[..256 * 1024 / head.len() * head.len() / 2]);
            let size = size_of(&talk.files());
            assert!(size <= RING, "{size} with {head:02x?}");
        }
        // Every byte is kept. The live capture keeps the first findings of the connection, each file its own first ones.
        let bytes = |capture: &Capture| -> Vec<(u64, Vec<u8>)> {
            let records = capture.records(0..u64::MAX).into_iter().filter(|record| record.kind == Kind::Frame);
            records.map(|record| (record.offset, capture.wire(&record, 0..99).expect("readable"))).collect()
        };
        assert!(bytes(talk.capture()) == bytes(&opened_together(&talk)));
    }
}

#[test]
fn findings_and_notes_are_evicted_with_their_records() {
    let mut talk = Recording::ring(SIZE);
    let capture = talk.capture().clone();
    let connection = talk.upgraded(50_001, "");
    let handshake = capture.handshake(1).expect("a handshake");
    let wire = capture.wire(&handshake[0], 0..u64::MAX).expect("readable");
    talk.text(&connection, DOWN, 100);
    capture.set_note(3, "a note");
    talk.say(&connection, UP, &frame(true, Opcode::Text, None, b"unmasked"));
    let rules = |capture: &Capture| capture.tallies().iter().map(|t| (t.rule, t.first)).collect::<Vec<_>>();
    assert_eq!(rules(&capture), [(Rule::ClientFrameUnmasked, 4)]);
    while capture.totals().evicted() == 0 {
        talk.text(&connection, DOWN, 900);
    }
    let first = capture.first();
    assert!(first > 4);
    assert_eq!((rules(&capture), capture.note(3), capture.record(3)), (vec![], None, None));
    assert_eq!(capture.totals().findings[2], 1, "evicted findings are still counted");
    // The handshake is not in the list, but can still be read.
    assert_eq!(capture.records(0..u64::MAX)[0].no, first);
    assert_eq!(capture.handshake(1), Some(handshake.clone()));
    assert_eq!((capture.record(1), capture.record(2)), (Some(handshake[0].clone()), Some(handshake[1].clone())));
    assert_eq!(capture.wire(&handshake[0], 0..u64::MAX).expect("readable"), wire);
    let about = capture.connection(1).expect("kept").about;
    let filter = format!("host == {:?} and path == {:?}", about.host.expect("a host"), about.target.expect("a target"));
    let mut evaluator = FilterEvaluator::new(&Filter::parse(&filter).expect("a filter"), &capture);
    assert!(evaluator.passes(&capture.record(first).expect("the first")).expect("readable"));
    talk.say(&connection, UP, &frame(true, Opcode::Text, None, b"unmasked"));
    assert_eq!(rules(&capture), [(Rule::ClientFrameUnmasked, capture.len())]);
}

#[test]
fn an_evicted_handshake_is_found_by_number_while_its_connection_is_kept() {
    let mut talk = Recording::ring(SIZE);
    let capture = talk.capture().clone();
    let connections: Vec<_> = (0..20).map(|n| talk.upgraded(50_000 + n, "")).collect();
    let handshakes: Vec<_> = (1..=20).map(|number| capture.handshake(number).expect("a handshake")).collect();
    connections[19].reset(UP, Time(talk.clock));
    let ended = capture.len();
    while capture.first() <= ended {
        talk.text(&connections[0], DOWN, 900);
    }
    let found = |heads: &[Record; 2]| capture.pick(heads.iter().map(|head| head.no));
    for heads in &handshakes[..19] {
        assert_eq!(found(heads), heads);
    }
    assert_eq!(found(&handshakes[19]), []);
    assert_eq!(capture.record(ended), None, "its end");
}

#[test]
fn record_numbers_never_change() {
    let mut talk = Recording::ring(SIZE);
    let capture = talk.capture().clone();
    let connections = [talk.upgraded(50_001, ""), talk.upgraded(50_002, "")];
    let mut known: BTreeMap<u64, Record> = BTreeMap::new();
    let mut first = 1;
    for n in 0..2000 {
        talk.text(&connections[n % 2], if n % 3 == 0 { UP } else { DOWN }, 300);
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
        let entries = fs::read_dir(folder.path()).expect("a folder");
        let mut names: Vec<_> = entries.map(|entry| entry.expect("an entry").file_name()).collect();
        names.sort();
        names
    };
    fs::write(folder.path().join("a.0000007.pcapng"), b"old").expect("written");
    for mine in ["a.notes.pcapng", "a.20261122.pcapng"] {
        fs::write(folder.path().join(mine), b"mine").expect("written");
    }
    assert!(
        matches!(Spool::keep_ring(&path, false, SIZE), Err(SpoolError::Output(OutputError::Exists(found))) if found.ends_with("a.0000007.pcapng"))
    );
    let spool = Spool::keep_ring(&path, true, SIZE).expect("a spool");
    assert_eq!(names(), ["a.0000001.pcapng", "a.20261122.pcapng", "a.notes.pcapng"]);
    assert!(matches!(Spool::keep_ring(&path, true, SIZE), Err(SpoolError::InUse(_))));
    drop(spool);
    assert_eq!(names(), ["a.0000001.pcapng", "a.20261122.pcapng", "a.notes.pcapng"]);
}

#[test]
fn an_existing_file_is_not_overwritten_by_the_next_ring_file() {
    let mut talk = Recording::ring(SIZE);
    let capture = talk.capture().clone();
    let connection = talk.upgraded(50_001, "");
    let taken = [2, 3, 5].map(|n| talk.folder().join(format!("a.{n:07}.pcapng")));
    taken.iter().for_each(|path| fs::write(path, b"mine").expect("written"));
    while capture.totals().evicted() < 1000 {
        talk.text(&connection, DOWN, 500);
    }
    assert!(taken.iter().all(|path| fs::read(path).expect("there") == b"mine"));
    taken.iter().for_each(|path| fs::remove_file(path).expect("removed"));
    assert_same(&talk);
    assert!(size_of(&talk.files()) <= SIZE);
    assert_eq!(capture.trouble().reason(), None);
}

#[test]
fn a_ring_that_cannot_start_a_file_stops_at_its_size() {
    let mut talk = Recording::ring(SIZE);
    let capture = talk.capture().clone();
    let connection = talk.upgraded(50_001, "");
    talk.text(&connection, DOWN, 500);
    // Without the folder, no file can be created.
    let first = talk.files()[0].clone();
    let moved = talk.folder().with_extension("moved");
    fs::rename(talk.folder(), &moved).expect("moved");
    for _ in 0..1500 {
        talk.text(&connection, DOWN, 500);
    }
    let trouble = capture.trouble();
    let reason = trouble.reason().expect("a reason");
    let file = moved.join(first.file_name().expect("a name"));
    let len = fs::metadata(&file).expect("there").len();
    assert!(len > SIZE / 2 && len <= SIZE, "{len}");
    assert!(trouble.uncaptured > SIZE, "{}", trouble.uncaptured);
    assert!(reason.contains("a.0000002.pcapng"), "{reason}");
    assert_eq!(reason.matches("does not exist").count(), 2, "each failure once: {reason}");
    let kept = capture.records(0..u64::MAX);
    assert_eq!(opened(&fs::read(&file).expect("a file")).len(), kept.len() as u64 + 2, "with both ends");
    fs::rename(&moved, talk.folder()).expect("back");
}

#[test]
fn hundreds_of_connections_leave_space_for_records() {
    let mut talk = Recording::ring(1 << 20);
    let capture = talk.capture().clone();
    let connections: Vec<ConnectionRecorder> = (0..600).map(|n| talk.upgraded(1000 + n, "")).collect();
    for n in 0..20_000 {
        talk.text(&connections[n % 50], DOWN, 100);
        assert!(n % 100 > 0 || size_of(&talk.files()) <= 1 << 20);
    }
    assert!(talk.files().len() > 4, "{:?}", talk.files());
    let reason = capture.trouble().reason().expect("a warning");
    assert_eq!(reason.lines().count(), 1, "{reason}");
    let last = opened_files(&talk).pop().expect("a file");
    let requests = |capture: &Capture| -> Vec<u16> {
        let records = capture.records(0..u64::MAX);
        let requests = records.iter().filter(|record| record.kind == Kind::Request);
        requests.map(|record| capture.connection(record.connection).expect("there").client.port()).collect()
    };
    // The active connections have precedence.
    assert!((1000..1050).all(|port| requests(&last).contains(&port)), "{:?}", requests(&last));
    assert!((50..400).contains(&requests(&last).len()));
    // A connection that was silent is still recorded.
    talk.text(&connections[599], UP, 100);
    let latest = capture.record(capture.len()).expect("a record");
    assert_eq!((latest.kind, capture.wire(&latest, 0..999).expect("readable").len()), (Kind::Frame, 106));
}

#[test]
fn a_temporary_ring_is_deleted_at_the_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = || fs::read_dir(folder.path()).expect("a folder").count();
    let recorder = Recorder::new(Spool::temporary_ring(folder.path(), SIZE).expect("a spool"));
    let connection = recorder.connection(([127, 0, 0, 1], 50_001).into(), ([127, 0, 0, 1], 6455).into());
    for n in 0..2000u64 {
        connection.record(&[Chunk { direction: UP, time: Time(n), bytes: &[0x16; 300] }]);
    }
    assert!(files() > 1);
    drop((connection, recorder));
    assert_eq!(files(), 0);
}

/// A screen over a ring that has evicted a part of `ticks` ticks.
fn screen(ticks: usize) -> (Wire, Screen) {
    let mut wire = Wire::ring(64 * 1024).upgrade([""; 2]);
    wire.ticks(20);
    let screen = Screen::live(&wire, (120, 36));
    wire.ticks(ticks);
    assert!(wire.capture().totals().evicted() > 40);
    (wire, screen)
}

/// The number of the record in the detail panels.
fn shown(screen: &Screen) -> Option<u64> {
    screen.app.detail.current().map(|detail| detail.record.no)
}

#[test]
fn an_evicted_handshake_is_shown_below_the_list() {
    let (_wire, mut screen) = screen(400);
    screen.app.refresh();
    let cursor = screen.app.list.cursor;
    for no in [1, 2, 1] {
        screen.press(&["p"]);
        assert_eq!(shown(&screen), Some(no));
        assert!(!screen.lines_with(&format!("record {no} · ")).is_empty(), "{}", screen.text());
    }
    assert!(screen.text().contains("✓ Upgrade: websocket"), "{}", screen.text());
    assert_eq!((screen.app.list.cursor, screen.app.list.following), (cursor, false));
    screen.press(&["esc"]);
    assert_eq!(shown(&screen), Some(cursor));
}

#[test]
fn a_note_made_below_an_evicted_handshake_returns_to_the_record_under_the_cursor() {
    let (wire, mut screen) = screen(400);
    screen.app.refresh();
    let cursor = screen.app.list.cursor;
    screen.press(&["p", "tab", "tab", "end", "a"]).type_text("remember").press(&["enter"]);
    assert_eq!(wire.capture().note(cursor).as_deref(), Some("remember"));
    let record = wire.capture().record(cursor).expect("a record");
    let bytes = wire.capture().wire(&record, 0..u64::MAX).expect("readable");
    assert_eq!(shown(&screen), Some(cursor));
    assert_eq!(screen.app.detail.wire.bytes(), Some((0, bytes.as_slice())), "{}", screen.text());
    assert!(screen.app.detail.byte < record.wire_len, "{}", screen.app.detail.byte);
}

#[test]
fn the_record_under_the_cursor_becomes_a_gap_when_its_beginning_is_evicted() {
    let mut wire = Wire::ring(8 << 20).upgrade([""; 2]);
    let mut screen = Screen::live(&wire, (120, 36));
    wire.say(DOWN, &frame(true, Opcode::Binary, None, &vec![0x5a; 5 << 20]));
    screen.app.refresh();
    screen.press(&["space"]);
    let cursor = screen.app.list.cursor;
    let kind = |screen: &Screen| screen.app.detail.current().map(|detail| (detail.record.no, detail.record.kind));
    assert_eq!(kind(&screen), Some((cursor, Kind::Frame)));
    let now = |wire: &Wire| wire.capture().record(cursor).map(|record| record.kind);
    while now(&wire) == Some(Kind::Frame) {
        wire.say(UP, &frame(true, Opcode::Binary, Some([1, 2, 3, 4]), &[0; 60_000]));
        screen.app.refresh();
    }
    assert_eq!(now(&wire), Some(Kind::Gap));
    assert_eq!(kind(&screen), Some((cursor, Kind::Gap)), "{}", screen.text());
}

#[test]
fn the_cursor_keeps_a_row_when_the_row_that_contains_it_is_evicted() {
    let mut wire = Wire::ring(64 * 1024).upgrade([""; 2]);
    let mut screen = Screen::live(&wire, (120, 36));
    let filler = frame(true, Opcode::Binary, Some([1, 2, 3, 4]), &[0; 2000]);
    wire.say(DOWN, &frame(false, Opcode::Text, None, b"first, "));
    (0..9).for_each(|_| wire.say(UP, &filler));
    wire.say(DOWN, &frame(true, Opcode::Continuation, None, b"last"));
    screen.app.refresh();
    screen.press(&["2", "g", "down", "down", "enter", "down", "down"]);
    assert_eq!((screen.app.list.cursor, screen.app.list.in_child), (13, true), "{}", screen.text());
    while wire.capture().first() <= 3 {
        wire.say(UP, &filler);
    }
    assert!(wire.capture().first() <= 13);
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
    let evicted = app.counts.totals.evicted();
    assert!(!screen.lines_with(&format!("{evicted} evicted")).is_empty(), "{}", screen.text());
    screen.press(&["home"]);
    assert_eq!(screen.app.list.cursor, first);
    screen.press(&["down", "down", "down", "down", "m"]);
    let marked = screen.app.list.cursor;
    assert_eq!(marked, first + 4);
    while wire.capture().first() <= marked {
        wire.ticks(1);
    }
    screen.app.refresh();
    let first = screen.app.counts.totals.first;
    assert!(first > marked);
    assert_eq!((screen.app.list.cursor, screen.app.list.marks.len(), screen.app.list.following), (first, 0, false));
    assert!(screen.app.notice.is_some(), "it says why the cursor has moved");
    screen.press(&["G"]);
    assert_eq!(screen.app.list.cursor, wire.capture().len());
    // With a filter, the cursor moves to the oldest record that matches it.
    screen.press(&["&"]).type_text("dir == s2c").press(&["enter", "home", "down", "down"]);
    let held = screen.app.list.cursor;
    while wire.capture().first() <= held {
        wire.ticks(1);
        screen.app.refresh();
    }
    assert!(screen.app.list.cursor_row().is_some(), "{}", screen.text());
}

#[test]
fn filters_and_views_drop_evicted_records() {
    let (mut wire, mut screen) = screen(400);
    screen.app.refresh();
    for keys in [&["1"][..], &["2"], &["z"], &["3"], &["4"], &["1"]] {
        screen.press(keys);
        for _ in 0..60 {
            wire.ticks(10);
            screen.app.refresh();
            screen.app.extend_rows();
            let rows = &screen.app.list.rows;
            let numbers = (0..rows.len()).map(|row| rows.number(row).expect("a row"));
            assert!(numbers.clone().is_sorted() && numbers.clone().all(|no| screen.app.capture.record(no).is_some()));
            assert!(!screen.text().is_empty());
        }
    }
    screen.press(&["z"]);
    for (filter, all) in [("op == text and dir == s2c or type == request", false), ("text contains \"e\"", true)] {
        screen.press(&["&", "ctrl-u"]).type_text(filter).press(&["enter"]);
        let background = screen.app.effects.iter().find_map(|effect| match effect {
            Effect::Filter(background) => Some(std::sync::Arc::clone(background)),
            _ => None,
        });
        assert_eq!(background.is_some(), all);
        let capture = screen.app.capture.clone();
        std::thread::scope(|scope| {
            if let Some(background) = &background {
                scope.spawn(|| background.run(&capture, || {}));
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
fn a_slow_filter_shows_only_records_that_match() {
    let (mut wire, mut screen) = screen(400);
    screen.app.refresh();
    let filter = "text contains \"5\" or type == request";
    screen.press(&["&", "ctrl-u"]).type_text(filter).press(&["enter"]);
    let background = screen.app.effects.iter().find_map(|effect| match effect {
        Effect::Filter(background) => Some(std::sync::Arc::clone(background)),
        _ => None,
    });
    let (background, capture) = (background.expect("a background filter"), screen.app.capture.clone());
    let parsed = Filter::parse(filter).expect("a filter");
    // The ring may evict records between the filter's reading and the screen's; the screen waits for neither.
    let wrong = std::thread::scope(|scope| {
        scope.spawn(|| background.run(&capture, || {}));
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
        // Also ends the background filter.
        screen.app.set_filter(None);
        wrong
    });
    assert_eq!(wrong, None);
}

/// The traffic of a connection in the property test.
#[derive(Clone, Copy, Debug)]
enum Traffic {
    WebSocket,
    Compressed,
    Http,
    Opaque,
}

fn sent(traffic: Traffic, direction: Direction, n: usize, size: usize) -> Vec<u8> {
    let key = (direction == UP).then_some([n as u8, 1, (n >> 8) as u8, 3]);
    let payload: Vec<u8> = (0..size).map(|i| b'a' + ((i * n) % 26) as u8).collect();
    match (traffic, direction) {
        (Traffic::WebSocket, _) => match n % 7 {
            0 => frame(true, Opcode::Ping, key, &payload[..size.min(125)]),
            1 => [
                frame(false, Opcode::Text, key, &payload),
                frame(true, Opcode::Continuation, key.map(|k| k.map(|b| b ^ 1)), &payload),
            ]
            .concat(),
            _ => frame(true, Opcode::Binary, key, &payload),
        },
        (Traffic::Compressed, _) => {
            compressed_frame(true, Opcode::Text, key, &deflated(&mut Deflater::new(15, false), &payload))
        }
        (Traffic::Http, Direction::ClientToServer) => {
            [format!("POST /{n} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n").into_bytes(), payload]
                .concat()
        }
        (Traffic::Http, Direction::ServerToClient) => {
            [format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n").into_bytes(), payload].concat()
        }
        // Unrecognized bytes: one record of at most 64 KiB, then the next.
        (Traffic::Opaque, _) => [&[0x00, 3, 1][..], &payload[..size / 50]].concat(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 300, ..cases(24) })]

    #[test]
    fn any_traffic_gives_the_same_records_live_and_in_the_files(
        traffic in vec(prop_oneof![3 => Just(Traffic::WebSocket), 2 => Just(Traffic::Compressed), 1 => Just(Traffic::Http), 1 => Just(Traffic::Opaque)], 1..6),
        turns in vec((0usize..6, 1usize..1200, 1usize..2400, any::<bool>()), 150..500),
    ) {
        // Files of 20 KiB; the preamble has at most 10 KiB of incomplete records.
        let mut talk = Recording::ring(160 * 1024);
        let capture = talk.capture().clone();
        let mut connections = Vec::new();
        for (port, traffic) in (50_001..).zip(&traffic) {
            connections.push(match traffic {
                Traffic::WebSocket => talk.upgraded(port, ""),
                Traffic::Compressed => talk.upgraded(port, &format!("{DEFLATE}; server_no_context_takeover; client_no_context_takeover")),
                Traffic::Http | Traffic::Opaque => talk.connect(port),
            });
        }
        // The bytes that each direction still has to send, piece by piece.
        let mut waiting: Vec<[Vec<u8>; 2]> = traffic.iter().map(|_| Default::default()).collect();
        let mut evicted = 0;
        for (n, (which, size, piece, up)) in turns.into_iter().enumerate() {
            let which = which % traffic.len();
            let is_http = matches!(traffic[which], Traffic::Http);
            // An HTTP client waits for the response before its next request.
            let directions = match (is_http, up) {
                (true, _) => vec![UP, DOWN],
                (false, true) => vec![UP],
                (false, false) => vec![DOWN],
            };
            for direction in directions {
                let queue = &mut waiting[which][direction.index()];
                queue.extend(sent(traffic[which], direction, n, size));
                let len = if is_http { queue.len() } else { piece.min(queue.len()) };
                // Incomplete records have to fit into the preamble, or they become gaps.
                let len = len.max(queue.len().saturating_sub(500));
                let bytes: Vec<u8> = queue.drain(..len).collect();
                talk.say(&connections[which], direction, &bytes);
            }
            if capture.totals().evicted() != evicted {
                evicted = capture.totals().evicted();
                assert_same(&talk);
            }
        }
        assert_same(&talk);
        for file in opened_files(&talk) {
            let faults: Vec<_> = file.tallies().into_iter().filter(|tally| tally.rule.severity() > Severity::Info).collect();
            prop_assert_eq!(faults, vec![]);
        }
    }
}
