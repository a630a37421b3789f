//! From sockets to the spool and the index: what crossed is dissected, appended and entered, once per read.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use super::index::{ConnectionEntry, Extent};
use super::pcapng::{MAX_SEGMENT, Segments};
use super::spool::Spool;
use super::store::Capture;
use super::summary;
use crate::proto::connection::Connection;
use crate::proto::dissected::{Direction, Dissected, How, Kind};
use crate::proto::rules::Finding;
use crate::proto::time::Time;

/// Bytes that crossed a socket.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// Which way.
    pub direction: Direction,
    /// When.
    pub time: Time,
    /// Exactly as they crossed.
    pub bytes: &'a [u8],
}

/// Records any number of connections into one capture. Clones record into the same.
#[derive(Clone)]
pub struct Recorder {
    capture: Capture,
    writer: Arc<Mutex<Writer>>,
    /// Connections so far, silent ones too.
    serial: Arc<AtomicU32>,
}

struct Writer {
    spool: Spool,
    /// Writing has failed. Nothing is appended from here on: it would stand behind a hole.
    stopped: bool,
}

impl Recorder {
    /// A recorder over a fresh spool, and the capture that it fills.
    pub fn new(spool: Spool) -> Self {
        let capture = Capture::over(spool.file(), spool.path());
        Self { capture, writer: Arc::new(Mutex::new(Writer { spool, stopped: false })), serial: Arc::default() }
    }

    /// The capture that is being filled.
    pub const fn capture(&self) -> &Capture {
        &self.capture
    }

    /// Begins to record a connection. It becomes visible with its first bytes.
    pub fn connection(&self, client: SocketAddr, server: SocketAddr) -> ConnectionRecorder {
        // As they stand in the file: an IPv4 address that reached an IPv6 socket is an IPv4 address.
        let canonical = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
        let (client, server) = (canonical(client), canonical(server));
        self.connection_of(client, server, Connection::new(Some(server)))
    }

    /// Begins to record frames without the handshake before them.
    pub fn frames(&self, client: SocketAddr, server: SocketAddr) -> ConnectionRecorder {
        self.connection_of(client, server, Connection::in_frames())
    }

    fn connection_of(&self, client: SocketAddr, server: SocketAddr, connection: Connection) -> ConnectionRecorder {
        ConnectionRecorder {
            recorder: self.clone(),
            client,
            server,
            live: None,
            connection,
            ended: [false; 2],
            batch: Batch::default(),
        }
    }
}

/// Records one connection.
pub struct ConnectionRecorder {
    recorder: Recorder,
    client: SocketAddr,
    server: SocketAddr,
    /// From the first bytes on.
    live: Option<Live>,
    connection: Connection,
    ended: [bool; 2],
    batch: Batch,
}

struct Live {
    segments: Segments,
    /// When its first bytes were seen.
    first: Time,
    /// From the first commit on, so that connections are numbered in the order of the file.
    number: Option<u32>,
}

/// What one commit writes; kept to use its memory again.
#[derive(Default)]
struct Batch {
    records: Vec<Dissected>,
    blocks: Vec<u8>,
    /// With positions relative to `blocks`.
    extents: Vec<(Direction, Extent)>,
}

impl ConnectionRecorder {
    /// Records what crossed, in the order given.
    pub fn record(&mut self, chunks: &[Chunk<'_>]) {
        self.hold(chunks);
        self.commit();
    }

    /// Takes what crossed, in the order given, without making it part of the capture yet: [`Self::commit`] must follow
    /// soon. A connection that says much in little time writes less often so. Returns how many bytes are held, the packets
    /// around them included.
    pub fn hold(&mut self, chunks: &[Chunk<'_>]) -> usize {
        if let Some(first) = chunks.iter().find(|chunk| !chunk.bytes.is_empty()) {
            self.open(first.time);
            for chunk in chunks {
                self.dissect(*chunk);
            }
        }
        self.batch.blocks.len()
    }

    /// A side has ended the connection in order (FIN), or what it does from here on is not known (capture).
    pub fn end(&mut self, direction: Direction, how: How, time: Time) {
        let Some(live) = &mut self.live else { return };
        if std::mem::replace(&mut self.ended[direction.index()], true) {
            return;
        }
        let held = self.batch.records.len();
        self.connection.end(direction, how, time, &mut self.batch.records);
        let comments = comments_of(&self.batch.records[held..]);
        match how {
            How::Fin => live.segments.fin(&mut self.batch.blocks, direction, time, &comments),
            _ => live.segments.unknown(&mut self.batch.blocks, direction, time, &comments),
        }
        self.commit();
    }

    /// A side has torn the connection down (RST): that ends both directions.
    pub fn reset(&mut self, by: Direction, time: Time) {
        let Some(live) = &mut self.live else { return };
        let held = self.batch.records.len();
        self.connection.reset_by(by);
        for direction in [by, by.opposite()] {
            if !std::mem::replace(&mut self.ended[direction.index()], true) {
                self.connection.end(direction, How::Rst, time, &mut self.batch.records);
            }
        }
        let comments = comments_of(&self.batch.records[held..]);
        live.segments.rst(&mut self.batch.blocks, by, time, &comments);
        self.commit();
    }

    fn open(&mut self, time: Time) {
        if self.live.is_some() {
            return;
        }
        let serial = self.recorder.serial.fetch_add(1, Ordering::Relaxed);
        let mut segments = Segments::new(self.client, self.server, serial);
        segments.open(&mut self.batch.blocks, time);
        self.live = Some(Live { segments, first: time, number: None });
    }

    /// Reads a chunk and writes its packets into the batch.
    fn dissect(&mut self, chunk: Chunk<'_>) {
        let Chunk { direction, time, bytes } = chunk;
        let Some(live) = &mut self.live else { return };
        let base = self.connection.position(direction);
        let known = self.batch.records.len();
        self.connection.feed(direction, bytes, time, &mut self.batch.records);
        let mut written = 0;
        let mut packet = |until: u64, findings: &[Finding]| {
            // What was kept until its meaning was known lies before this chunk, and is written.
            let until = until.saturating_sub(base) as usize;
            while written < until {
                let end = until.min(written + MAX_SEGMENT);
                // A finding is certain with the last byte of its record: it stands on the packet that holds that.
                let comments = if end == until { comments(findings) } else { Vec::new() };
                let at = live.segments.data(&mut self.batch.blocks, direction, &bytes[written..end], time, &comments);
                let len = (end - written) as u32;
                self.batch
                    .extents
                    .push((direction, Extent { offset: base + written as u64, position: at as u64, len }));
                written = end;
            }
        };
        for record in self.batch.records[known..].iter().filter(|r| r.direction == direction) {
            // Each record begins in a packet of its own.
            packet(record.offset.max(base), &[]);
            packet(record.offset + record.wire_len, &record.findings);
        }
        packet(self.connection.record_start(direction).max(base), &[]);
        packet(base + bytes.len() as u64, &[]);
    }

    /// Appends what is held to the spool, then enters it into the index, in one order for all connections.
    pub fn commit(&mut self) {
        let writer = Arc::clone(&self.recorder.writer);
        self.commit_with(writer.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The same, unless another connection is just doing it; whether it was done.
    pub fn try_commit(&mut self) -> bool {
        let writer = Arc::clone(&self.recorder.writer);
        match writer.try_lock() {
            Ok(writer) => self.commit_with(writer),
            Err(TryLockError::Poisoned(poisoned)) => self.commit_with(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => return false,
        }
        true
    }

    fn commit_with(&mut self, mut writer: MutexGuard<'_, Writer>) {
        let Self { recorder, batch, connection, client, server, live: Some(live), .. } = self else { return };
        if batch.blocks.is_empty() && batch.records.is_empty() {
            return;
        }
        let bytes: u64 = batch.extents.iter().map(|(_, extent)| u64::from(extent.len)).sum();
        let appended = if writer.stopped { None } else { Some(writer.spool.append(&batch.blocks)) };
        match appended {
            Some(Ok(position)) => {
                let mut index = recorder.capture.index_mut();
                let entry = || ConnectionEntry::new(*client, *server, live.first);
                let number = *live.number.get_or_insert_with(|| index.open(entry()));
                for (direction, extent) in batch.extents.drain(..) {
                    index.extend(number, direction, Extent { position: position + extent.position, ..extent });
                }
                let handshake = batch.records.iter().any(|r| matches!(r.kind, Kind::Request | Kind::Response));
                for record in batch.records.drain(..) {
                    index.push(number, record);
                }
                if handshake && let Some(entry) = index.connection_mut(number) {
                    entry.about.clone_from(connection.about());
                }
                drop(index);
                drop(writer);
                recorder.capture.changed();
            }
            Some(Err(error)) => {
                writer.stopped = true;
                let path = recorder.capture.path().display().to_string();
                recorder.capture.note_trouble(bytes, || format!("capturing stopped: cannot write {path}: {error}"));
            }
            None => recorder.capture.note_trouble(bytes, String::new),
        }
        batch.records.clear();
        batch.blocks.clear();
        batch.extents.clear();
    }
}

impl Drop for ConnectionRecorder {
    fn drop(&mut self) {
        // Whoever recorded is gone, without a word on how the connection ended.
        let time = self.live.as_ref().and_then(|live| Some(self.recorder.capture.connection(live.number?)?.last));
        for direction in Direction::BOTH {
            self.end(direction, How::Capture, time.unwrap_or_default());
        }
    }
}

/// How our packet comments begin; what begins otherwise was written by a person.
pub const COMMENT_PREFIX: &str = "framescope: ";

/// The most findings that one packet tells of; the rest are counted.
const MAX_COMMENTS: usize = 32;

/// Findings as packet comments, so that Wireshark's `frame.comment` finds them.
pub fn comments(findings: &[Finding]) -> Vec<String> {
    if findings.is_empty() {
        return Vec::new();
    }
    let mut comments: Vec<String> = findings.iter().take(MAX_COMMENTS).map(comment).collect();
    if findings.len() > MAX_COMMENTS {
        comments.push(format!("{COMMENT_PREFIX}and {} findings more", findings.len() - MAX_COMMENTS));
    }
    comments
}

fn comment(finding: &Finding) -> String {
    format!("{COMMENT_PREFIX}{}", summary::finding(finding))
}

fn comments_of(records: &[Dissected]) -> Vec<String> {
    records.iter().flat_map(|record| comments(&record.findings)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::import;
    use crate::capture::record::Record;
    use crate::wire::frame::FrameHead;
    use crate::wire::opcode::Opcode;
    use std::path::Path;
    use std::sync::atomic::AtomicBool;

    const UP: Direction = Direction::ClientToServer;
    const DOWN: Direction = Direction::ServerToClient;

    fn handshake() -> [Vec<u8>; 2] {
        let request = "GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
        let response = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        [request.into(), response.into()]
    }

    fn frame(opcode: Opcode, key: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
        let mut wire = Vec::new();
        FrameHead::new(true, opcode, key, payload.len() as u64).encode_with(payload, &mut wire);
        wire
    }

    fn reopened(path: &Path) -> Capture {
        let (capture, loader) = import::open(path).expect("our own file");
        loader.run(&AtomicBool::new(false));
        assert_eq!(capture.trouble(), super::super::store::Trouble::default());
        capture
    }

    fn all(capture: &Capture) -> Vec<(Record, Vec<u8>)> {
        capture
            .records(1..u64::MAX)
            .into_iter()
            .map(|record| {
                let wire = capture.wire(&record, 0..u64::MAX).expect("bytes");
                (record, wire)
            })
            .collect()
    }

    #[test]
    fn two_connections_at_once_come_back_from_the_file_as_they_were() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.pcapng");
        let recorder = Recorder::new(Spool::keep(&path, false).expect("a spool"));
        let server = "127.0.0.1:6455".parse().expect("address");
        let mut first = recorder.connection("127.0.0.1:50001".parse().expect("address"), server);
        let mut second =
            recorder.connection("[::1]:50002".parse().expect("address"), "[::1]:6455".parse().expect("address"));
        let silent = recorder.connection("127.0.0.1:50003".parse().expect("address"), server);
        drop(silent);
        let mut clock = 1_700_000_000_000_000_000;
        let mut say = |connection: &mut ConnectionRecorder, direction, bytes: &[u8]| {
            clock += 1_000_001;
            connection.record(&[Chunk { direction, time: Time(clock), bytes }]);
        };
        let [request, response] = handshake();
        for connection in [&mut first, &mut second] {
            say(connection, UP, &request);
            say(connection, DOWN, &response);
        }
        let large = frame(Opcode::Binary, Some([1, 2, 3, 4]), &vec![0xa5; 200_000]);
        let (start, rest) = large.split_at(70_000);
        say(&mut first, UP, start);
        say(&mut second, UP, &frame(Opcode::Text, None, b"unmasked")); // a finding
        say(&mut first, UP, rest);
        say(
            &mut second,
            DOWN,
            &[frame(Opcode::Ping, None, b"a"), frame(Opcode::Text, None, b"two in one read")].concat(),
        );
        say(&mut first, DOWN, &[0x81, 0x7e, 0x01]); // cut
        first.end(UP, How::Fin, Time(clock));
        first.end(DOWN, How::Fin, Time(clock + 5));
        second.reset(UP, Time(clock + 9));
        drop((first, second));
        let live = recorder.capture().clone();
        let records = all(&live);
        assert_eq!(live.totals().open, 0);
        assert_eq!(live.totals().connections, 2);
        assert_eq!(records.iter().filter(|(r, _)| r.kind == Kind::Frame).count(), 4);
        assert_eq!(records.iter().find(|(r, _)| r.wire_len > 200_000).map(|(_, wire)| wire == &large), Some(true));
        // A key used twice, three ends without a Close, a ping without a pong, a reset; a frame that is not masked.
        assert_eq!(live.totals().findings, [6, 0, 1]);
        assert_eq!(all(&reopened(&path)), records);
        let text = std::fs::read(&path).expect("the file");
        let comment = b"framescope: error: a client must mask every frame; MASK is 0 (client-frame-unmasked, RFC 6455 \xc2\xa75.1)";
        assert!(text.windows(comment.len()).any(|window| window == comment));
    }

    #[test]
    fn a_file_that_ends_anywhere_gives_what_stands_before() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.pcapng");
        let recorder = Recorder::new(Spool::keep(&path, false).expect("a spool"));
        let mut connection = recorder
            .connection("127.0.0.1:50001".parse().expect("address"), "127.0.0.1:6455".parse().expect("address"));
        let [request, response] = handshake();
        connection.record(&[
            Chunk { direction: UP, time: Time(1), bytes: &request },
            Chunk { direction: DOWN, time: Time(2), bytes: &response },
        ]);
        let whole = std::fs::read(&path).expect("the file");
        let said = |capture: &Capture| {
            let mut all = all(capture);
            all.retain(|(record, _)| matches!(record.kind, Kind::Request | Kind::Response));
            all
        };
        let expected = said(recorder.capture());
        assert_eq!(expected.len(), 2);
        let mut counts = Vec::new();
        for cut in 0..=whole.len() {
            std::fs::write(&path, &whole[..cut]).expect("written");
            // Of less than the first four bytes it cannot be told what they are.
            let Ok((capture, loader)) = import::open(&path) else {
                assert!(cut < 4, "refused at {cut}");
                continue;
            };
            loader.run(&AtomicBool::new(false));
            let seen = said(&capture);
            assert_eq!(seen, expected[..seen.len()], "the beginning, at {cut}");
            counts.push(seen.len());
        }
        assert!(counts.is_sorted() && counts.contains(&1), "more of the file gives more");
        assert_eq!(counts.last(), Some(&2), "the whole file gives all");
    }
}
