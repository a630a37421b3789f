//! Connections record into a ring while other threads read it: whatever is read of a record that is still kept is what was
//! sent.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use framescope::capture::live::recorder::{Chunk, Recorder};
use framescope::capture::live::spool::Spool;
use framescope::capture::store::Capture;
use framescope::capture::store::message_reader::MessageReader;
use framescope::capture::store::record::Record;
use framescope::proto::deflate::Deflater;
use framescope::proto::dissected::{Direction, EndReason, Kind};
use framescope::proto::time::Time;
use framescope::wire::opcode::Opcode;

use crate::support::{DEFLATE, DOWN, REQUEST, RESPONSE, UP, compressed_frame, deflated, frame, with_lines};

/// The size of the ring, in bytes: less than a tenth of what is sent.
const RING: u64 = 128 * 1024;

/// The messages that each connection sends in each direction.
const MESSAGES: usize = 800;

/// The longest time for everything.
const DEADLINE: Duration = Duration::from_secs(120);

/// What one connection sends, chunk by chunk: every second message is compressed.
struct Script {
    port: u16,
    chunks: Vec<(Direction, Vec<u8>)>,
    /// The streams of both directions, to which the offsets of records refer.
    streams: [Vec<u8>; 2],
    /// The texts of compressed messages by direction and by the offset of their frame.
    texts: BTreeMap<(Direction, u64), String>,
}

impl Script {
    fn new(port: u16) -> Self {
        let mut script = Self { port, chunks: Vec::new(), streams: Default::default(), texts: BTreeMap::new() };
        for (direction, head) in [(UP, REQUEST), (DOWN, RESPONSE)] {
            let head = with_lines(head, &format!("{DEFLATE}; server_no_context_takeover"));
            script.send(direction, head.into_bytes());
        }
        // The messages of the server can be read alone; those of the client refer to earlier ones, which may be evicted.
        let mut deflaters = [Deflater::new(15, true), Deflater::new(15, false)];
        for n in 0..MESSAGES {
            for direction in [DOWN, UP] {
                let text: String = format!("{port} {n} ").chars().cycle().take(20 + n * 37 % 900).collect();
                let key = (direction == UP).then_some((u32::from(port) * 65_537 + n as u32).to_be_bytes());
                if n % 2 == 0 {
                    script.send(direction, frame(true, Opcode::Text, key, text.as_bytes()));
                    continue;
                }
                let payload = deflated(&mut deflaters[direction.index()], text.as_bytes());
                let offset = script.streams[direction.index()].len() as u64;
                script.texts.insert((direction, offset), text);
                script.send(direction, compressed_frame(true, Opcode::Text, key, &payload));
            }
        }
        script
    }

    fn send(&mut self, direction: Direction, bytes: Vec<u8>) {
        self.streams[direction.index()].extend(&bytes);
        self.chunks.push((direction, bytes));
    }

    fn record(&self, recorder: &Recorder) {
        let connection =
            recorder.connection(SocketAddr::from(([127, 0, 0, 1], self.port)), SocketAddr::from(([127, 0, 0, 1], 80)));
        for (n, (direction, bytes)) in self.chunks.iter().enumerate() {
            let chunk = Chunk { direction: *direction, time: Time(n as u64), bytes };
            // Both ways of recording: committed at once, and collected for the flush timer.
            if n % 3 == 0 { connection.record(&[chunk]) } else { connection.record_soon(&[chunk]) }
        }
        for direction in [DOWN, UP] {
            connection.end(direction, EndReason::Fin, Time(self.chunks.len() as u64));
        }
    }

    /// How many records it makes: each chunk is one, and the end of each direction.
    fn records(&self) -> usize {
        self.chunks.len() + 2
    }
}

/// Compares what a thread reads with what was sent.
struct Check<'a> {
    capture: Capture,
    scripts: &'a [Script],
    messages: MessageReader,
    /// Records and messages that were compared.
    compared: [usize; 2],
}

impl<'a> Check<'a> {
    fn new(capture: &Capture, scripts: &'a [Script]) -> Self {
        Self { capture: capture.clone(), scripts, messages: MessageReader::default(), compared: [0; 2] }
    }

    /// Compares a record. What was evicted before it was read to its end proves nothing.
    fn record(&mut self, record: &Record) {
        let wire = self.capture.wire(record, 0..u64::MAX);
        let message = self.messages.message(&self.capture, record, u64::MAX);
        let connection = self.capture.connection(record.connection);
        let is_kept = self.capture.record(record.no).as_ref() == Some(record);
        // A gap says what is missing: it has no bytes.
        if !is_kept || record.kind == Kind::Gap {
            return;
        }
        let port = connection.expect("the connection of a kept record").client.port();
        let script = self.scripts.iter().find(|script| script.port == port).expect("a port of this test");
        let (start, end) = (record.offset as usize, (record.offset + record.wire_len) as usize);
        let sent = &script.streams[record.direction.index()][start..end];
        assert!(wire.expect("the bytes of a kept record") == sent, "{record:?}");
        self.compared[0] += 1;
        // A message that refers to evicted ones may be unreadable, but never wrong.
        if let Some(inflated) = message.expect("the bytes of a kept message") {
            let text = &script.texts[&(record.direction, record.offset)];
            assert_eq!((inflated.text(), inflated.fault), (Some(text.as_str()), None), "{record:?}");
            self.compared[1] += 1;
        }
    }

    /// Compares every kept record; in each direction of a connection they are in the order of the stream.
    fn everything(&mut self) {
        let mut ends: BTreeMap<(u32, Direction), u64> = BTreeMap::new();
        for record in self.capture.records(1..u64::MAX) {
            self.record(&record);
            let end = ends.entry((record.connection, record.direction)).or_default();
            assert!(record.offset >= *end, "{record:?} begins before {end}");
            *end = record.offset + record.wire_len;
        }
    }
}

#[test]
fn kept_records_are_what_was_sent_while_others_are_committed_and_evicted() {
    // In a thread of its own, so that a deadlock fails the test instead of hanging it.
    let (done, finished) = channel();
    let work = thread::spawn(move || {
        record_and_read();
        let _ = done.send(());
    });
    if finished.recv_timeout(DEADLINE) == Err(RecvTimeoutError::Timeout) {
        panic!("not finished within {DEADLINE:?}");
    }
    if let Err(panic) = work.join() {
        std::panic::resume_unwind(panic);
    }
}

fn record_and_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let spool = Spool::keep_ring(&folder.path().join("a.pcapng"), false, RING).expect("a ring");
    let recorder = Recorder::new(spool);
    let capture = recorder.capture();
    let scripts: Vec<Script> = (50_001..=50_004).map(Script::new).collect();
    let is_recording = AtomicBool::new(true);
    thread::scope(|scope| {
        // The newest records, the oldest ones, which are evicted next, and all in order.
        let readers: [fn(&Capture, u64) -> Vec<Record>; 3] = [
            |capture, _| capture.record(capture.len()).into_iter().collect(),
            |capture, _| capture.records(capture.first()..capture.first() + 8),
            |capture, at| capture.records(at..at + 64),
        ];
        for read in readers {
            let (scripts, is_recording) = (&scripts, &is_recording);
            scope.spawn(move || {
                let mut check = Check::new(capture, scripts);
                let mut at = 1;
                while is_recording.load(Ordering::Relaxed) {
                    let records = read(capture, at);
                    records.iter().for_each(|record| check.record(record));
                    at = records.last().map_or(at, |record| record.no + 1);
                    if records.is_empty() {
                        thread::yield_now();
                    }
                }
            });
        }
        let recorders: Vec<_> = scripts.iter().map(|script| scope.spawn(|| script.record(&recorder))).collect();
        let results: Vec<_> = recorders.into_iter().map(ScopedJoinHandle::join).collect();
        // The readers end even if a recorder panicked.
        is_recording.store(false, Ordering::Relaxed);
        results.into_iter().for_each(|result| result.expect("no recorder panics"));
    });
    let totals = capture.totals();
    assert_eq!(totals.records as usize, scripts.iter().map(Script::records).sum::<usize>());
    assert!(totals.evicted() > totals.records / 2, "most records were evicted: {totals:?}");
    assert_eq!(capture.trouble().reason(), None);
    let size: u64 = fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("a file").metadata().expect("its size").len())
        .sum();
    assert!(size <= RING, "{size} bytes");
    let mut check = Check::new(capture, &scripts);
    check.everything();
    let [records, messages] = check.compared;
    assert!(records > 50 && messages > 10, "{records} records and {messages} messages were kept");
}
