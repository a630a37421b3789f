//! Records live connections into one capture. Connections are dissected side by side, and commit one after the other.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, Weak};

pub use super::connection_recorder::Chunk;
use super::connection_recorder::{Recording, Shared};
use super::flush_timer::FlushTimer;
use super::spool::{Spool, SpoolError};
use super::writer::{Writer, lock};
use crate::capture::format::late_note;
use crate::capture::store::{Capture, scratch};
use crate::proto::connection::Connection;
use crate::proto::dissected::{Direction, EndReason};
use crate::proto::time::Time;
use crate::wire::tls::Protection;

/// How large a batch of a connection may grow, in bytes of the spool.
const MAX_BATCH: usize = 256 * 1024;

/// Records any number of connections into one capture. Clones record into the same one.
#[derive(Clone)]
pub struct Recorder {
    shared: Arc<Shared>,
    timer: FlushTimer,
}

impl Recorder {
    /// A recorder over a fresh spool, and the capture that it fills.
    pub fn new(spool: Spool) -> Self {
        let path = spool.path().to_owned();
        Self::named(spool, &path)
    }

    /// The same, for a capture that is shown as the file `path`.
    pub fn named(spool: Spool, path: &Path) -> Self {
        let capture = Capture::over_files(spool.files(), path);
        let (mut max_batch, mut max_fed) = (MAX_BATCH, usize::MAX);
        if let Some(ring) = &spool.ring {
            capture.index_mut().limit_windows(ring.windows_size());
            // A file of a small ring must not grow far beyond its share.
            max_batch = usize::try_from(ring.share() / 4).map_or(MAX_BATCH, |quarter| quarter.min(MAX_BATCH));
            // The smallest frames take two hundred times as much in the file, with their findings.
            max_fed = usize::try_from(ring.share() / 64).unwrap_or(usize::MAX).max(1);
        }
        let writer = Mutex::new(Writer::new(capture.clone(), spool));
        let shared = Shared { capture, writer, serial: AtomicU32::default(), max_batch, max_fed };
        Self { shared: Arc::new(shared), timer: FlushTimer::default() }
    }

    /// Marks the capture and its file as reconstructed, in `words`. Must be called before anything is recorded.
    pub(in crate::capture) fn mark_reconstructed(&self, words: &str) {
        if let Err(e) = lock(&self.shared.writer).spool().mark(words) {
            self.shared.capture.note_stop(&format!("cannot write {}: {e}", scratch::folder().display()));
        }
        self.shared.capture.set_reconstructed(words);
    }

    /// The capture that is being filled.
    pub fn capture(&self) -> &Capture {
        &self.shared.capture
    }

    /// Compares the files of the capture with what was written to them, unless they are temporary.
    ///
    /// # Errors
    /// [`SpoolError::Changed`] if another program deleted, moved, truncated or extended one.
    pub fn check_files(&self) -> Result<(), SpoolError> {
        lock(&self.shared.writer).spool().check_files()
    }

    /// Writes the notes that people made into the file, which has those of the proxy already. Called when nothing more is recorded: the file has each note once.
    pub fn write_notes(&self) {
        let mut writer = lock(&self.shared.writer);
        let (len, notes) = (self.capture().len(), self.capture().set_notes());
        let mut blocks = Vec::new();
        for (record, note) in &notes {
            late_note::append(&mut blocks, len - record.no, record.time, note);
        }
        if !blocks.is_empty() {
            writer.append_comment(&blocks);
        }
    }

    /// Begins to record a connection. It becomes visible with its first bytes.
    pub fn connection(&self, client: SocketAddr, server: SocketAddr) -> ConnectionRecorder {
        // As in the file: an IPv4 address that reached an IPv6 socket is an IPv4 address.
        let canonical = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
        let (client, server) = (canonical(client), canonical(server));
        self.dissected_by(client, server, Connection::new(Some(server)))
    }

    /// Begins to record a connection that `connection` dissects, without the flush timer.
    pub(in crate::capture) fn recording(
        &self,
        client: SocketAddr,
        server: SocketAddr,
        connection: Connection,
    ) -> Recording {
        Recording::new(Arc::clone(&self.shared), client, server, connection)
    }

    /// Begins to record a connection that `connection` dissects, such as frames without a handshake.
    pub fn dissected_by(&self, client: SocketAddr, server: SocketAddr, connection: Connection) -> ConnectionRecorder {
        let recording = Arc::new(Mutex::new(Some(self.recording(client, server, connection))));
        ConnectionRecorder(Arc::new(SharedRecording { recording, timer: self.timer.clone() }))
    }
}

/// Records one connection. Clones record into the same connection, also from several threads. When the last clone is
/// dropped, each direction that has not ended is recorded as one whose end was not captured.
#[derive(Clone)]
pub struct ConnectionRecorder(Arc<SharedRecording>);

struct SharedRecording {
    recording: Arc<Mutex<Option<Recording>>>,
    timer: FlushTimer,
}

impl ConnectionRecorder {
    /// Records bytes that crossed, in the order given. They are part of the capture when this returns.
    pub fn record(&self, chunks: &[Chunk<'_>]) {
        self.with(|recording| {
            recording.batch(chunks);
            recording.commit();
        });
    }

    /// Records bytes that crossed, in the order given. They are part of the capture at most 5 ms later, so that a busy
    /// connection appends to the spool less often.
    pub fn record_soon(&self, chunks: &[Chunk<'_>]) {
        let mut watch = false;
        self.with(|recording| {
            recording.batch(chunks);
            recording.commit_if_large();
            watch = recording.start_watch();
        });
        if watch {
            let batch: Weak<Mutex<Option<Recording>>> = Arc::downgrade(&self.0.recording);
            self.0.timer.watch(batch);
        }
    }

    /// Batches bytes that crossed, with a note on the record that contains the last of them. The next call of [`Self::record`] or
    /// [`Self::record_soon`] commits them.
    pub fn record_with_note(&self, chunk: Chunk<'_>, note: &str) {
        self.with(|recording| recording.batch_with_note(chunk, note));
    }

    /// Notes in the file that framescope was an end of TLS on the client's or the server's side, and decrypted the bytes. Must be called
    /// before anything is recorded.
    pub fn decrypted(&self, client: bool, server: bool) {
        if client || server {
            self.with(|recording| recording.begin_decrypted(Protection::Terminated { client, server }));
        }
    }

    /// The same for the bytes that are recorded next, after others.
    pub fn decrypted_from_here(&self, client: bool, server: bool, time: Time) {
        self.with(|recording| recording.decrypted(Protection::Terminated { client, server }, time));
    }

    /// Records that the next `bytes` of a direction crossed and are not kept.
    pub fn gap(&self, direction: Direction, bytes: u64, time: Time) {
        self.with(|recording| recording.gap(direction, bytes.into(), time));
    }

    /// Adds a notice to the capture, in one line for people.
    pub fn notice(&self, line: &str) {
        // Not under the lock of the recording: who watches the capture may take others.
        let capture = lock(&self.0.recording).as_ref().map(|recording| recording.capture().clone());
        if let Some(capture) = capture {
            capture.add_notice(line);
        }
    }

    /// The capture; `None` after the end of the recording.
    pub fn capture(&self) -> Option<Capture> {
        lock(&self.0.recording).as_ref().map(|recording| recording.capture().clone())
    }

    /// Begins to record what the two sides of this connection receive, where that is not what was sent: as another connection of the
    /// same capture.
    pub fn delivered(&self, client: SocketAddr, server: SocketAddr) -> Option<Self> {
        let recording = lock(&self.0.recording).as_ref()?.delivered(client, server);
        let recording = Arc::new(Mutex::new(Some(recording)));
        Some(Self(Arc::new(SharedRecording { recording, timer: self.0.timer.clone() })))
    }

    /// Records that the receiver of a direction gets something else than what is recorded, from here on.
    pub fn alter(&self, direction: Direction, time: Time) {
        self.with(|recording| recording.alter(direction, time));
    }

    /// Puts a note on a record that is part of the capture, after the note that it has, and writes it into the file.
    pub fn note(&self, no: u64, note: &str) {
        let shared = lock(&self.0.recording).as_ref().map(Recording::shared);
        if let Some(shared) = shared {
            shared.note(no, note);
        }
    }

    /// The number of the connection in the capture; `None` until bytes of it are part of the capture.
    pub fn number(&self) -> Option<u32> {
        lock(&self.0.recording).as_ref().and_then(Recording::number)
    }

    /// Records the end of a direction: in order (FIN), or at the end of the capture.
    pub fn end(&self, direction: Direction, how: EndReason, time: Time) {
        self.with(|recording| recording.end(direction, how, time));
    }

    /// Records that a side reset the connection (RST), which ends both directions.
    pub fn reset(&self, by: Direction, time: Time) {
        self.with(|recording| recording.reset(by, time));
    }

    fn with(&self, work: impl FnOnce(&mut Recording)) {
        if let Some(recording) = lock(&self.0.recording).as_mut() {
            work(recording);
        }
    }
}

impl Drop for SharedRecording {
    fn drop(&mut self) {
        // Take it out: the flush timer may hold a reference to it just now, and would keep the spool alive.
        if let Some(mut recording) = lock(&self.recording).take() {
            recording.end_unknown();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::import;
    use crate::capture::store::record::Record;
    use crate::proto::dissected::Kind;
    use crate::wire::frame::FrameHead;
    use crate::wire::opcode::Opcode;
    use std::sync::atomic::AtomicBool;

    const UP: Direction = Direction::ClientToServer;
    const DOWN: Direction = Direction::ServerToClient;

    fn handshake() -> [Vec<u8>; 2] {
        let request = "GET /echo HTTP/1.1\r\nHost: localhost:6455\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
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
        assert_eq!(capture.trouble(), crate::capture::store::Trouble::default());
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
    fn records_without_a_number_are_counted_as_not_captured() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.pcapng");
        let recorder = Recorder::new(Spool::keep(&path, false).expect("a spool"));
        lock(&recorder.shared.writer).most_records = 4;
        let address = "127.0.0.1:6455".parse().expect("address");
        let connection = recorder.connection(address, address);
        let [request, response] = handshake();
        connection.record(&[Chunk { direction: UP, time: Time(1), bytes: &request }]);
        connection.record(&[Chunk { direction: DOWN, time: Time(2), bytes: &response }]);
        for _ in 0..4 {
            connection.record(&[Chunk { direction: DOWN, time: Time(3), bytes: &frame(Opcode::Text, None, b"a") }]);
        }
        let trouble = recorder.capture().trouble();
        assert_eq!((recorder.capture().len(), trouble.uncaptured), (4, 6));
        assert_eq!(trouble.reason().as_deref(), Some("capturing stopped: a capture has at most 4 records"));
    }

    #[test]
    fn a_connection_ends_with_the_last_clone_of_its_recorder() {
        let folder = tempfile::tempdir().expect("a folder");
        let recorder = Recorder::new(Spool::temporary_in(folder.path()).expect("a spool"));
        let address = "127.0.0.1:6455".parse().expect("address");
        let client_side = recorder.connection(address, address);
        let server_side = client_side.clone();
        let [request, response] = handshake();
        client_side.record(&[Chunk { direction: UP, time: Time(1), bytes: &request }]);
        let other_thread = std::thread::spawn(move || {
            server_side.record(&[Chunk { direction: DOWN, time: Time(2), bytes: &response }]);
        });
        other_thread.join().expect("the other thread");
        let capture = recorder.capture();
        assert_eq!((capture.totals().connections, capture.totals().open, capture.len()), (1, 1, 2));
        drop(client_side);
        let ends = capture.records(3..u64::MAX);
        assert!(ends.iter().all(|record| record.kind == Kind::End(EndReason::Capture)), "{ends:?}");
        assert_eq!((capture.totals().open, ends.len()), (0, 2));
    }

    #[test]
    fn a_reset_that_two_clones_report_is_in_the_file_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.pcapng");
        let recorder = Recorder::new(Spool::keep(&path, false).expect("a spool"));
        let address = "127.0.0.1:6455".parse().expect("address");
        let connection = recorder.connection("127.0.0.1:50001".parse().expect("address"), address);
        connection.record(&[Chunk { direction: UP, time: Time(1), bytes: &handshake()[0] }]);
        let other = connection.clone();
        connection.reset(UP, Time(2));
        let len = std::fs::metadata(&path).expect("the file").len();
        other.reset(DOWN, Time(3));
        other.end(DOWN, EndReason::Fin, Time(4));
        drop((connection, other));
        assert_eq!(std::fs::metadata(&path).expect("the file").len(), len);
        assert_eq!(all(&reopened(&path)), all(recorder.capture()));
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
        first.end(UP, EndReason::Fin, Time(clock));
        first.end(DOWN, EndReason::Fin, Time(clock + 5));
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
        let comment = b"framescope: error: MASK is 0, but a client must mask every frame (client-frame-unmasked, RFC 6455 \xc2\xa75.1)";
        assert!(text.windows(comment.len()).any(|window| window == comment));
        let comment = b"(key-reused, RFC 6455 \xc2\xa74.1)";
        assert!(
            text.windows(comment.len()).any(|window| window == comment),
            "a finding that only the whole capture shows"
        );
    }

    #[test]
    fn a_file_that_is_cut_anywhere_yields_the_records_before_the_cut() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.pcapng");
        let recorder = Recorder::new(Spool::keep(&path, false).expect("a spool"));
        let connection = recorder
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
            // The format cannot be recognized from fewer than four bytes.
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
