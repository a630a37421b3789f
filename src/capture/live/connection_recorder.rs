//! The recording of one connection: bytes become records and packets, which are batched and committed.
//!
//! One commit, in the order of the calls:
//!
//! 1. bytes → records: [`Recording::feed`] gives each chunk to the dissector, which yields the records that it completes.
//! 2. records → packets: [`Recording::feed`] appends the chunk to the batch as pcapng packets; each record begins in a packet of
//!    its own, and findings become packet comments. The batch also collects index entries.
//! 3. packets → spool: [`Recording::commit`] locks the [`Writer`], which all connections share, and appends the batch to the file.
//!    A ring evicts its oldest file first when it would exceed its size.
//! 4. spool → index: the writer applies the index entries under one write lock; from then on readers see the records.
//! 5. Only in a ring: the connection stores a snapshot of its state in the ring, which begins its next file when the latest is full.
//!
//! A batch is committed at once, when it is large, or by the flush timer when it is old.

mod events;
mod proxied;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

use self::proxied::ProxiedNext;
use super::flush_timer::Flush;
use super::ring::{ConnectionSnapshot, DirectionSnapshot};
use super::writer::{Batch, Writer, lock};
use crate::capture::format::comments::{self, comments};
use crate::capture::format::file_markers::Marker;
use crate::capture::format::late;
use crate::capture::format::pcapng::{MAX_SEGMENT, Segments};
use crate::capture::store::Capture;
use crate::capture::store::index::{ConnectionEntry, Extent, Handshake, NEW};
use crate::proto::connection::Connection;
use crate::proto::dissected::{Direction, DissectedRecord, EndReason, Kind};
use crate::proto::rules::{Finding, Rule};
use crate::proto::time::Time;
use crate::wire::tls::Protection;

/// Bytes that crossed a socket.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// The direction in which they crossed.
    pub direction: Direction,
    /// The time of the read or write.
    pub time: Time,
    /// The bytes, unchanged.
    pub bytes: &'a [u8],
}

/// What all connections of a capture share.
pub(in crate::capture) struct Shared {
    pub capture: Capture,
    pub writer: Mutex<Writer>,
    /// The number of connections that began, including those that sent no byte.
    pub serial: AtomicU32,
    /// How large a batch may grow, in bytes of the spool, before its connection commits it; four times as large while other
    /// connections keep the writer busy.
    pub max_batch: usize,
    /// How many bytes of a connection are dissected before the size of the batch is checked.
    pub max_fed: usize,
}

impl Shared {
    /// Puts a note on a record, after the note that it has, and writes it into the file.
    pub fn note(&self, no: u64, note: &str) {
        // No record is added meanwhile: the note says how many come between.
        let mut writer = lock(&self.writer);
        let Some(record) = self.capture.record(no) else { return };
        let note = self.capture.add_note(no, note);
        let mut blocks = Vec::new();
        late::note(&mut blocks, self.capture.len() - no, record.time, &note);
        writer.append_comment(&blocks);
        drop(writer);
        self.capture.changed();
    }
}

/// The recording of one connection.
pub(in crate::capture) struct Recording {
    shared: Arc<Shared>,
    client: SocketAddr,
    server: SocketAddr,
    /// From the first bytes on.
    live: Option<Live>,
    connection: Connection,
    ended: [Option<EndReason>; 2],
    /// The directions that ended before the connection had a byte.
    early_ends: [Option<EndReason>; 2],
    /// The records of the latest call of the dissector, on their way into the batch.
    records: Vec<DissectedRecord>,
    batch: Batch,
    /// The record in the batch that has the latest Sec-WebSocket-Key: how many come before it, its direction and time.
    key: Option<(u64, Direction, Time)>,
    /// Notes on the records that contain the byte before an offset of a direction.
    notes: VecDeque<(Direction, u64, String)>,
    /// What `proxy` did with the next records.
    proxied: ProxiedNext,
    /// Where TLS had encrypted its bytes, if they are decrypted: a marker says so.
    tls: Option<Protection>,
    /// Whether a handshake record is in the batch.
    has_heads: bool,
    /// Whether the batch was already there when the flush timer called last.
    old: bool,
    /// Whether the flush timer watches the batch.
    watched: bool,
}

/// A connection in the spool.
struct Live {
    segments: Segments,
    /// When its first bytes were seen.
    first: Time,
    /// [`NEW`] until the first commit, so that connections are numbered in the order of the file.
    number: u32,
    /// Serial number that makes each connection's initial sequence number unique.
    serial: u32,
    /// Its handshake, once it is complete; only in a ring.
    handshake: Option<Arc<Handshake>>,
    /// When the latest record of each direction was complete.
    latest: [Time; 2],
    /// The number of the ring file that it last wrote to.
    file: u32,
}

impl Recording {
    pub fn new(shared: Arc<Shared>, client: SocketAddr, server: SocketAddr, connection: Connection) -> Self {
        let batch = Batch::new(&shared.capture);
        Self {
            shared,
            client,
            server,
            live: None,
            connection,
            ended: [None; 2],
            early_ends: [None; 2],
            records: Vec::new(),
            batch,
            key: None,
            notes: VecDeque::new(),
            proxied: ProxiedNext::default(),
            tls: None,
            has_heads: false,
            old: false,
            watched: false,
        }
    }

    /// The bytes are decrypted: a marker at the beginning says so. Nothing must be recorded yet.
    pub fn begin_decrypted(&mut self, tls: Protection) {
        self.tls = Some(tls);
    }

    /// A recording of what the two sides of this connection receive.
    pub fn delivered(&self, client: SocketAddr, server: SocketAddr) -> Self {
        let canonical = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
        let (client, server) = (canonical(client), canonical(server));
        let mut recording = Self::new(Arc::clone(&self.shared), client, server, Connection::new(Some(server)));
        recording.deliver();
        recording.tls = self.tls;
        recording
    }

    /// The bytes are those that the sides of an earlier connection received. Nothing must be recorded yet.
    pub fn deliver(&mut self) {
        self.connection.deliver();
    }

    /// What all connections share.
    pub fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// The capture that it records into.
    pub fn capture(&self) -> &Capture {
        &self.shared.capture
    }

    /// Dissects bytes, in the order given, and batches them; [`Self::commit`] makes them part of the capture. Commits large batches
    /// in between.
    pub fn batch(&mut self, chunks: &[Chunk<'_>]) {
        let Some(first) = chunks.iter().find(|chunk| !chunk.bytes.is_empty()) else { return };
        let time = first.time;
        self.begin(time);
        let (max_fed, max_batch) = (self.shared.max_fed, self.shared.max_batch);
        for chunk in chunks {
            for bytes in chunk.bytes.chunks(max_fed) {
                self.feed(Chunk { bytes, ..*chunk });
                if bytes.len() == max_fed && self.batch.blocks.len() > max_batch {
                    self.commit();
                }
            }
        }
        self.end_early(time);
    }

    /// As [`Self::batch`], with a note on the record that contains the last byte.
    pub fn batch_with_note(&mut self, chunk: Chunk<'_>, note: &str) {
        self.begin(chunk.time);
        let end = self.connection.position(chunk.direction) + chunk.bytes.len() as u64;
        self.notes.push_back((chunk.direction, end, note.to_owned()));
        self.feed(chunk);
        self.end_early(chunk.time);
    }

    /// Dissects a chunk and appends its packets to the batch.
    fn feed(&mut self, chunk: Chunk<'_>) {
        let Chunk { direction, time, bytes } = chunk;
        let Some(live) = &mut self.live else { return };
        let base = self.connection.position(direction);
        self.connection.feed(direction, bytes, time, &mut self.records);
        let noted = |note: &&(Direction, u64, String)| (note.0, note.1) == (direction, base + bytes.len() as u64);
        let note = self.notes.back().filter(noted).map(|(.., note)| comments::note(note).into_owned());
        let mut written = 0;
        let mut write_until = |offset: u64, findings: &[Finding]| {
            // Bytes before this chunk, which waited for their meaning, are written already.
            let until =
                usize::try_from(offset.saturating_sub(base)).map_or(bytes.len(), |until| until.min(bytes.len()));
            while written < until {
                let end = until.min(written + MAX_SEGMENT);
                // A finding is certain with the last byte of its record: it is on the packet with that byte.
                let mut comments = if end == until { comments(findings) } else { Vec::new() };
                if end == bytes.len() {
                    comments.extend(note.clone());
                }
                let piece = &bytes[written..end];
                let position = live.segments.data(&mut self.batch.blocks, direction, piece, time, &comments);
                let extent = Extent::new(base + written as u64, position as u64, piece.len());
                self.batch.index.extend(live.number, direction, extent);
                written = end;
            }
        };
        for record in self.records.iter().filter(|r| r.direction == direction) {
            // Each record begins in a packet of its own.
            write_until(record.offset.max(base), &[]);
            write_until(record.offset + record.wire_len, &record.findings);
        }
        write_until(self.connection.record_start(direction).max(base), &[]);
        write_until(base + bytes.len() as u64, &[]);
        self.batch_records();
    }

    /// Moves records of the dissector into the batch.
    fn batch_records(&mut self) {
        let Some(live) = &mut self.live else { return };
        let before = self.batch.index.records();
        let mut has_heads = false;
        for (at, record) in (before..).zip(&self.records) {
            has_heads |= matches!(record.kind, Kind::Request | Kind::Response);
            live.latest[record.direction.index()] = record.time;
            if record.key.is_some() {
                self.key = Some((at, record.direction, record.time));
            }
        }
        while let Some((direction, end, _)) = self.notes.front()
            && let Some(at) =
                self.records.iter().position(|r| r.direction == *direction && r.offset + r.wire_len >= *end)
            && let Some((.., note)) = self.notes.pop_front()
        {
            self.batch.index.note_next(at, note);
        }
        self.proxied.find(before, &self.records);
        self.batch.index.append(live.number, &mut self.records);
        if has_heads {
            self.has_heads = true;
            self.batch.index.set_handshake(live.number, self.connection.about().clone());
        }
    }

    /// Commits the batch: appends it to the spool, then applies it to the index, in one order for all connections.
    pub fn commit(&mut self) {
        let shared = Arc::clone(&self.shared);
        self.commit_with(lock(&shared.writer));
    }

    fn commit_with(&mut self, mut writer: MutexGuard<'_, Writer>) {
        self.old = false;
        let (key, has_heads) = (self.key.take(), std::mem::take(&mut self.has_heads));
        let proxied = self.proxied.take_batched();
        let Some(live) = self.live.as_mut().filter(|_| !self.batch.is_empty()) else { return };
        let Some(applied) = writer.commit(&mut self.batch) else { return };
        if live.number == NEW {
            live.number = applied.opened;
        }
        if let Some((at, direction, time)) = key {
            self.comment_reused_key(&mut writer, applied.first_record + at, direction, time);
        }
        self.write_batched_proxied(&mut writer, applied.first_record, proxied);
        self.rotate(&mut writer, has_heads);
        drop(writer);
        self.shared.capture.changed();
    }

    /// Appends a packet with the finding if the key was used before: only the index knows that, after the commit.
    fn comment_reused_key(&mut self, writer: &mut Writer, no: u64, direction: Direction, time: Time) {
        let findings = self.shared.capture.record(no).map(|record| record.findings).unwrap_or_default();
        let reused = findings.into_iter().find(|finding| finding.rule == Rule::KeyReused);
        if let (Some(finding), Some(live)) = (reused, &mut self.live) {
            let mut blocks = Vec::new();
            live.segments.comment(&mut blocks, direction, time, &comments(&[finding]));
            writer.append_comment(&blocks);
        }
    }

    /// Stores a snapshot of the connection in the ring, if there is one, and lets the ring rotate.
    fn rotate(&mut self, writer: &mut Writer, has_heads: bool) {
        let (Some(file), Some(live)) = (writer.ring_file(), &mut self.live) else { return };
        let is_open = self.ended.iter().any(Option::is_none);
        if has_heads && is_open && live.handshake.is_none() {
            live.handshake = self.shared.capture.keep_handshake(live.number);
        }
        let direction = |direction: Direction| {
            let at = direction.index();
            DirectionSnapshot::of(&self.connection, direction, self.ended[at], live.latest[at])
        };
        let snapshot = ConnectionSnapshot {
            number: live.number,
            client: self.client,
            server: self.server,
            first: live.first,
            tls: self.tls,
            handshake: live.handshake.clone(),
            directions: Direction::BOTH.map(direction),
        };
        if std::mem::replace(&mut live.file, file) != file {
            self.connection.want_checkpoints();
        }
        writer.rotate(live.serial, snapshot);
    }

    /// Commits a large batch; while other connections keep the writer busy, only a very large one.
    pub fn commit_if_large(&mut self) {
        let (held, most) = (self.batch.blocks.len(), self.shared.max_batch);
        if held > 4 * most {
            self.commit();
        } else if held > most {
            let shared = Arc::clone(&self.shared);
            match shared.writer.try_lock() {
                Ok(writer) => self.commit_with(writer),
                Err(TryLockError::Poisoned(poisoned)) => self.commit_with(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => {}
            }
        }
    }

    /// Returns true if the flush timer must be asked to watch the batch; from then on it does.
    pub fn start_watch(&mut self) -> bool {
        let unwatched = !self.batch.is_empty() && !self.watched;
        self.watched |= unwatched;
        unwatched
    }

    fn flush_old(&mut self) -> bool {
        if self.old {
            self.commit();
        }
        self.old = !self.batch.is_empty();
        self.watched = self.old;
        self.watched
    }

    /// The number of the connection in the capture, once it is committed.
    pub fn number(&self) -> Option<u32> {
        self.live.as_ref().map(|live| live.number).filter(|number| *number != NEW)
    }

    /// Begins the connection in the spool, if it has not begun.
    pub fn begin(&mut self, time: Time) {
        if self.live.is_some() {
            return;
        }
        let serial = self.shared.serial.fetch_add(1, Ordering::Relaxed);
        let mut segments = Segments::new(self.client, self.server, serial);
        if self.connection.about().delivered {
            segments.mark_opening(&Marker::Delivered);
        }
        segments.decrypted(self.tls);
        if lock(&self.shared.writer).ring_file().is_some() {
            segments.skip_unchanged();
        }
        segments.open(&mut self.batch.blocks, time);
        let mut entry = ConnectionEntry::new(self.client, self.server, time);
        entry.about.clone_from(self.connection.about());
        entry.tls = self.tls;
        self.batch.index.open(entry);
        let (number, latest) = (NEW, [time; 2]);
        self.live = Some(Live { segments, first: time, number, serial, handshake: None, latest, file: 1 });
    }
}

impl Flush for Mutex<Option<Recording>> {
    fn flush_old(&self) -> bool {
        lock(self).as_mut().is_some_and(Recording::flush_old)
    }
}
