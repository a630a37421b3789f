//! One connection on its way into the capture: what crossed is dissected, held, appended and entered.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, TryLockError};

use super::flush_timer::lock;
use super::recorder::{Chunk, Recorder, Writer};
use super::ring::{ConnectionSnapshot, DirectionSnapshot};
use crate::capture::format::comments::{comments, comments_of};
use crate::capture::format::file_markers::Gap;
use crate::capture::format::pcapng::{MAX_SEGMENT, MAX_STREAM, Segments};
use crate::capture::store::index::{ConnectionEntry, Extent, Handshake};
use crate::proto::connection::Connection;
use crate::proto::dissected::{Direction, DissectedRecord, EndReason, Kind};
use crate::proto::rules::{Finding, Rule, count};
use crate::proto::time::Time;

/// The recording of one connection.
pub(in crate::capture) struct Recording {
    recorder: Recorder,
    client: SocketAddr,
    server: SocketAddr,
    /// From the first bytes on.
    live: Option<Live>,
    connection: Connection,
    ended: [Option<EndReason>; 2],
    batch: Batch,
    /// What the batch holds was there already when the timer looked last.
    seen: bool,
    /// The timer looks after what is held.
    watched: bool,
}

struct Live {
    segments: Segments,
    /// When its first bytes were seen.
    first: Time,
    /// From the first commit on, so that connections are numbered in the order of the file.
    number: Option<u32>,
    /// What is different for each connection of the file.
    serial: u32,
    /// Its handshake, once it is complete; only for a ring.
    handshake: Option<Arc<Handshake>>,
    /// When the latest record of each direction was complete.
    latest: [Time; 2],
    /// In which file of a ring it last wrote.
    file: u32,
}

/// What one commit writes; kept to use its memory again.
#[derive(Default)]
struct Batch {
    records: Vec<DissectedRecord>,
    blocks: Vec<u8>,
    /// With positions relative to `blocks`.
    extents: Vec<(Direction, Extent)>,
}

impl Recording {
    pub fn new(recorder: Recorder, client: SocketAddr, server: SocketAddr, connection: Connection) -> Self {
        Self {
            recorder,
            client,
            server,
            live: None,
            connection,
            ended: [None; 2],
            batch: Batch::default(),
            seen: false,
            watched: false,
        }
    }

    /// Takes what crossed, in the order given; it becomes part of the capture with the next [`Self::commit`].
    pub fn hold(&mut self, chunks: &[Chunk<'_>]) {
        let Some(first) = chunks.iter().find(|chunk| !chunk.bytes.is_empty()) else { return };
        self.open(first.time);
        let (most_fed, most_held) = (self.recorder.most_fed, self.recorder.most_held);
        for chunk in chunks {
            for bytes in chunk.bytes.chunks(most_fed) {
                self.dissect(Chunk { bytes, ..*chunk });
                if bytes.len() == most_fed && self.batch.blocks.len() > most_held {
                    self.commit();
                }
            }
        }
    }

    /// What the client says next was sent before the handshake with that ordinal in the connection was answered.
    pub const fn sent_before_answer(&mut self, handshake: u32) {
        self.connection.sent_before_answer(handshake);
    }

    /// Whether something waits for a commit.
    pub fn holds(&self) -> bool {
        !self.batch.blocks.is_empty() || !self.batch.records.is_empty()
    }

    /// Commits what is held when it is much; while others keep the spool busy, when it is very much.
    pub fn commit_when_much(&mut self) {
        let (held, most) = (self.batch.blocks.len(), self.recorder.most_held);
        if held > 4 * most {
            self.commit();
        } else if held > most {
            let writer = Arc::clone(&self.recorder.writer);
            match writer.try_lock() {
                Ok(writer) => self.commit_with(writer),
                Err(TryLockError::Poisoned(poisoned)) => self.commit_with(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => {}
            }
        }
    }

    /// Whether the timer must be asked to look after what is held; from then on it does.
    pub fn wants_watch(&mut self) -> bool {
        let unwatched = self.holds() && !self.watched;
        self.watched |= unwatched;
        unwatched
    }

    /// Commits what is held if it was already held at the last call. Whether the timer shall call again.
    pub fn look_after(&mut self) -> bool {
        if self.seen {
            self.commit();
        }
        self.seen = self.holds();
        self.watched = self.seen;
        self.watched
    }

    /// Makes the connection visible without bytes: what was said on it is told later.
    pub fn begin(&mut self, time: Time) {
        self.open(time);
    }

    /// It is known that a frame or a head begins with the next byte of a side, whatever came before it.
    pub fn begins_here(&mut self, direction: Direction, time: Time) {
        let at = self.connection.position(direction);
        if self.connection.begins(direction, at, &mut self.batch.records)
            && let Some(live) = &mut self.live
        {
            // For who reads the file.
            let gap = Gap { to: Some(at), begins: Some(at) };
            live.segments.skip(&mut self.batch.blocks, direction, (0, gap), time, &[]);
        }
    }

    /// So many bytes of a side came again with another content.
    pub fn overlapped(&mut self, direction: Direction, differing: u64, time: Time) {
        self.open(time);
        if let Some(live) = &mut self.live {
            self.connection.overlapped(direction, differing);
            live.segments.overlap(&mut self.batch.blocks, direction, differing, time);
        }
    }

    /// The next `missing` bytes of a side were not captured.
    pub fn gap(&mut self, direction: Direction, missing: u64, time: Time) {
        let to = self.connection.position(direction).saturating_add(missing);
        if missing == 0 || to > MAX_STREAM || self.ended[direction.index()].is_some() {
            return;
        }
        self.open(time);
        // The index takes bytes and gaps in the order of the stream.
        self.commit();
        let Some(live) = &mut self.live else { return };
        if let Some(number) = live.number {
            self.recorder.capture.index_mut().leave_out(number, direction, missing);
        }
        self.connection.gap(direction, missing, time, &mut self.batch.records);
        let comments = comments_of(&self.batch.records);
        let gap = Gap { to: Some(to), begins: None };
        live.segments.skip(&mut self.batch.blocks, direction, (missing, gap), time, &comments);
        self.commit();
    }

    /// A side has ended the connection in order (FIN), or what it does from here on is not known (capture).
    pub fn end(&mut self, direction: Direction, how: EndReason, time: Time) {
        let Some(live) = &mut self.live else { return };
        if self.ended[direction.index()].is_some() {
            return;
        }
        self.ended[direction.index()] = Some(how);
        let held = self.batch.records.len();
        self.connection.end(direction, how, time, &mut self.batch.records);
        let comments = comments_of(&self.batch.records[held..]);
        match how {
            EndReason::Fin => live.segments.fin(&mut self.batch.blocks, direction, time, &comments),
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
            if self.ended[direction.index()].replace(EndReason::Rst).is_none() {
                self.connection.end(direction, EndReason::Rst, time, &mut self.batch.records);
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
        self.live =
            Some(Live { segments, first: time, number: None, serial, handshake: None, latest: [time; 2], file: 1 });
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

    /// Whoever recorded is gone, without a word on how the connection ended.
    pub fn end_unknown(&mut self) {
        let time = self.live.as_ref().and_then(|live| Some(self.recorder.capture.connection(live.number?)?.last));
        for direction in Direction::BOTH {
            self.end(direction, EndReason::Capture, time.unwrap_or_default());
        }
    }

    /// Appends what is held to the spool, then enters it into the index, in one order for all connections.
    pub fn commit(&mut self) {
        let writer = Arc::clone(&self.recorder.writer);
        self.commit_with(lock(&writer));
    }

    fn commit_with(&mut self, mut writer: MutexGuard<'_, Writer>) {
        self.seen = false;
        let Self { recorder, batch, connection, client, server, live: Some(live), .. } = self else { return };
        if batch.blocks.is_empty() && batch.records.is_empty() {
            return;
        }
        let bytes: u64 = batch.extents.iter().map(|(_, extent)| u64::from(extent.len)).sum();
        let appended = if writer.stopped {
            None
        } else if recorder.capture.len() + batch.records.len() as u64 > recorder.most_records {
            Some(Err(format!("a capture has at most {}", count(recorder.most_records, "record"))))
        } else {
            Some(writer.spool.append_evicting(&batch.blocks, &recorder.capture).map_err(|error| error.to_string()))
        };
        match appended {
            Some(Ok(position)) => {
                let mut index = recorder.capture.index_mut();
                let entry = || ConnectionEntry::new(*client, *server, live.first);
                let number = *live.number.get_or_insert_with(|| index.open(entry()));
                for (direction, extent) in batch.extents.drain(..) {
                    index.extend(number, direction, Extent { position: position + extent.position, ..extent });
                }
                let handshake = batch.records.iter().any(|r| matches!(r.kind, Kind::Request | Kind::Response));
                let mut keyed = None;
                for record in batch.records.drain(..) {
                    live.latest[record.direction.index()] = record.time;
                    let request = record.key.is_some().then_some((record.direction, record.time));
                    let no = index.push(number, record);
                    keyed = request.map(|(direction, time)| (no, direction, time)).or(keyed);
                }
                // Whether its key was used before is known now: a packet behind it tells other readers.
                let reused = keyed.and_then(|(no, direction, time)| {
                    let mut findings = index.findings_of(no).iter().map(|(_, finding)| finding);
                    let finding = findings.find(|finding| finding.rule == Rule::KeyReused)?.clone();
                    Some((direction, time, comments(&[finding])))
                });
                if handshake && let Some(entry) = index.connection_mut(number) {
                    entry.about.clone_from(connection.about());
                }
                drop(index);
                if let Some((direction, time, comments)) = reused {
                    batch.blocks.clear();
                    live.segments.comment(&mut batch.blocks, direction, time, &comments);
                    // A full disk is told of by what follows, and loses no bytes here.
                    let _ = writer.spool.append_evicting(&batch.blocks, &recorder.capture);
                }
                self.rotate(number, writer, handshake);
            }
            Some(Err(why)) => {
                writer.stopped = true;
                recorder.capture.note_stop(&why);
                recorder.capture.note_uncaptured(bytes);
            }
            None => recorder.capture.note_uncaptured(bytes),
        }
        self.batch.records.clear();
        self.batch.blocks.clear();
        self.batch.extents.clear();
    }

    /// Lets a ring rotate. Everything that was appended must be in the index.
    fn rotate(&mut self, number: u32, mut writer: MutexGuard<'_, Writer>, has_heads: bool) {
        let capture = &self.recorder.capture;
        if let (Some(ring), Some(live)) = (&mut writer.spool.ring, &mut self.live) {
            if has_heads && live.handshake.is_none() {
                live.handshake = capture.keep_handshake(number);
            }
            let Self { connection, ended, .. } = self;
            let snapshot = ConnectionSnapshot {
                number,
                client: self.client,
                server: self.server,
                first: live.first,
                handshake: live.handshake.clone(),
                directions: Direction::BOTH.map(|direction| {
                    let at = direction.index();
                    DirectionSnapshot::of(connection, direction, ended[at], live.latest[at])
                }),
            };
            ring.note(live.serial, snapshot);
            if std::mem::replace(&mut live.file, ring.number()) != ring.number() {
                connection.want_checkpoints();
            }
            writer.spool.rotate(capture);
        }
        drop(writer);
        capture.changed();
    }
}
