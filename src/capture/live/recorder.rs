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
use crate::capture::format::late;
use crate::capture::format::proxied::Proxied;
use crate::capture::store::{Capture, scratch};
use crate::proto::connection::Connection;
use crate::proto::dissected::{Direction, EndReason, Missing};
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
            late::note(&mut blocks, len - record.no, record.time, note);
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

    /// What `proxy` did with the record that the next bytes of a direction begin, or are part of; not [`Proxied::ReplacedBy`], because
    /// the record in its place has no number yet.
    pub fn proxied_next(&self, direction: Direction, how: Proxied) {
        self.with(|recording| recording.proxied_next(direction, how));
    }

    /// What `proxy` did with a record that is part of the capture.
    pub fn proxied(&self, no: u64, how: Proxied) {
        let shared = lock(&self.0.recording).as_ref().map(Recording::shared);
        if let Some(shared) = shared {
            shared.set_proxied(no, how);
        }
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
    pub fn gap(&self, direction: Direction, missing: impl Into<Missing>, time: Time) {
        self.with(|recording| recording.gap(direction, missing.into(), time));
    }

    /// Adds a notice to the capture, in one line for people.
    pub fn notice(&self, line: &str) {
        // Not under the lock of the recording: the watchers of the capture may take others.
        if let Some(capture) = self.capture() {
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
mod tests;
