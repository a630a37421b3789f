//! The capture: records by number, bytes by position. Cheap to clone and safe to read while it grows.

use std::fs::{File, Metadata};
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::files::Files;
use super::index::{ConnectionEntry, Index};
pub use super::index::{Tally, Totals};
use super::inflate::{Inflated, MessageReader};
use super::overview::Overview;
use super::record::Record;
use crate::proto::connection::About;
use crate::proto::dissected::{Checkpoint, Direction, How};
use crate::proto::rules::{Finding, Rule};
use crate::proto::time::Time;
use crate::wire::frame::{FrameHead, HeadReading, MAX_HEAD_LEN};
use crate::wire::mask;

/// How far apart in the file two pieces of a stream may lie that are read at once, and how long such a piece may be, in bytes.
const NEAR: u64 = 512;
const SHORT: usize = 4096;

/// A handle to a capture; clones are the same capture.
#[derive(Clone)]
pub struct Capture {
    shared: Arc<Shared>,
}

struct Shared {
    index: RwLock<Index>,
    files: Files,
    path: PathBuf,
    trouble: Mutex<Trouble>,
    reconstructed: OnceLock<Box<str>>,
    /// For who looks here and there; who reads everything has one of their own.
    inflater: Mutex<MessageReader>,
    loading: AtomicBool,
    growing: AtomicBool,
    /// Set while somebody waits to be told of a change.
    armed: AtomicBool,
    /// Held by who needs what is there to stay.
    hold: Arc<()>,
    wake: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

/// Keeps what is there: see [`Capture::hold`].
#[derive(Debug)]
pub struct Hold {
    _hold: Arc<()>,
}

/// What went wrong with a capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    /// Bytes that crossed a socket and could not be written.
    pub uncaptured: u64,
    /// Why capturing stopped, or what is wrong with the file: one line.
    pub reason: Option<String>,
}

/// What is known of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// Its number, from 1.
    pub number: u32,
    /// The client's address.
    pub client: SocketAddr,
    /// The server's address.
    pub server: SocketAddr,
    /// When its first bytes were seen.
    pub first: Time,
    /// When its latest record was complete.
    pub last: Time,
    /// What its handshake said.
    pub about: About,
    /// Bytes from client to server and back.
    pub bytes: [u64; 2],
    /// How each direction ended, if it did.
    pub ended: [Option<How>; 2],
    /// Its records.
    pub records: u32,
}

impl ConnectionInfo {
    pub(super) fn of(entry: &ConnectionEntry, number: u32) -> Self {
        Self {
            number,
            client: entry.client,
            server: entry.server,
            first: entry.first,
            last: entry.last,
            about: entry.about.clone(),
            bytes: [entry.streams[0].len, entry.streams[1].len],
            ended: entry.ended,
            records: entry.records,
        }
    }
}

impl Capture {
    /// An empty capture over a file.
    pub(super) fn over(file: Arc<File>, path: &Path) -> Self {
        Self::over_files(Files::one(file, path.to_owned()), path)
    }

    /// An empty capture over files that people know as `path`.
    pub(super) fn over_files(files: Files, path: &Path) -> Self {
        Self {
            shared: Arc::new(Shared {
                index: RwLock::default(),
                files,
                path: path.to_owned(),
                trouble: Mutex::default(),
                reconstructed: OnceLock::new(),
                inflater: Mutex::default(),
                loading: AtomicBool::new(false),
                growing: AtomicBool::new(false),
                armed: AtomicBool::new(false),
                hold: Arc::default(),
                wake: OnceLock::new(),
            }),
        }
    }

    /// The file that holds the bytes; of a ring, the name of its files without their numbers.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// The files of the capture, the oldest first: one, or those of a ring.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.shared.files.paths()
    }

    /// Whether that is a file that holds the bytes.
    pub fn is_file(&self, metadata: &Metadata) -> bool {
        self.shared.files.any_is(metadata)
    }

    /// Number of records.
    pub fn len(&self) -> u64 {
        self.index().totals.records
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Counts over everything.
    pub fn totals(&self) -> Totals {
        self.index().totals
    }

    /// What went wrong, if anything.
    pub fn trouble(&self) -> Trouble {
        self.shared.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the capture was reconstructed from, when its bytes never crossed a wire: `from the messages of a HAR`.
    pub fn reconstructed(&self) -> Option<&str> {
        self.shared.reconstructed.get().map(|words| &**words)
    }

    /// Marks the capture as reconstructed; the first words stay.
    pub(super) fn set_reconstructed(&self, words: &str) {
        let _ = self.shared.reconstructed.set(words.into());
        self.changed();
    }

    /// Whether a file is still being read.
    pub fn is_loading(&self) -> bool {
        self.shared.loading.load(Ordering::Acquire)
    }

    /// Whether a file is followed while it grows.
    pub fn is_growing(&self) -> bool {
        self.shared.growing.load(Ordering::Acquire)
    }

    /// The number of the first record that is there; 1 unless others went with the ring.
    pub fn first(&self) -> u64 {
        self.index().totals.first
    }

    /// While this is held nothing goes with the ring, until that is twice as large as it was asked to be.
    pub fn hold(&self) -> Hold {
        Hold { _hold: Arc::clone(&self.shared.hold) }
    }

    /// Whether somebody needs what is there to stay.
    pub(super) fn is_held(&self) -> bool {
        Arc::strong_count(&self.shared.hold) > 1
    }

    /// When the first record of all was complete.
    pub fn origin(&self) -> Option<Time> {
        self.index().origin
    }

    /// The record with that number.
    pub fn record(&self, no: u64) -> Option<Record> {
        self.index().record(no)
    }

    /// The records with those numbers, as far as they exist, under one lock; those that went with the ring are passed over.
    pub fn records(&self, numbers: Range<u64>) -> Vec<Record> {
        let index = self.index();
        (numbers.start.max(index.totals.first)..numbers.end).map_while(|no| index.record(no)).collect()
    }

    /// The records with those numbers, those of them that exist, under one lock.
    pub fn pick(&self, numbers: impl IntoIterator<Item = u64>) -> Vec<Record> {
        let index = self.index();
        numbers.into_iter().filter_map(|no| index.record(no)).collect()
    }

    /// Numbers of the records with findings, with the findings: from `from` on, at most `limit` findings.
    pub fn findings(&self, from: u64, limit: usize) -> Vec<(u64, Finding)> {
        let index = self.index();
        let all = index.findings();
        let start = all.partition_point(|(no, _)| *no < from);
        all[start..].iter().take(limit).cloned().collect()
    }

    /// The number of the last record with a finding before record `before`.
    pub fn finding_before(&self, before: u64) -> Option<u64> {
        let index = self.index();
        let all = index.findings();
        let end = all.partition_point(|(no, _)| *no < before);
        all[..end].last().map(|(no, _)| *no)
    }

    /// The records with findings from record `from` on, at most `limit` of them.
    pub fn found(&self, from: u64, limit: usize) -> Vec<Record> {
        let index = self.index();
        index.found(from).take(limit).filter_map(|no| index.record(no)).collect()
    }

    /// The rules that are broken, with their counts, in the order of the catalogue.
    pub fn tallies(&self) -> Vec<Tally> {
        self.index().tallies.iter().filter(|tally| tally.findings > 0).copied().collect()
    }

    /// The number of the first record from `from` on that breaks `rule`.
    pub fn next_breach(&self, rule: Rule, from: u64) -> Option<u64> {
        let index = self.index();
        let tally = index.tallies[rule as usize];
        if tally.last < from || tally.findings == 0 {
            return None;
        }
        if from <= tally.first {
            return Some(tally.first);
        }
        let all = index.findings();
        let start = all.partition_point(|(no, _)| *no < from);
        all[start..].iter().find(|(_, finding)| finding.rule == rule).map(|(no, _)| *no)
    }

    /// The number of the last record before `before` that breaks `rule`.
    pub fn previous_breach(&self, rule: Rule, before: u64) -> Option<u64> {
        let index = self.index();
        let tally = index.tallies[rule as usize];
        if tally.findings == 0 || before <= tally.first {
            return None;
        }
        if tally.last < before {
            return Some(tally.last);
        }
        let all = index.findings();
        let end = all.partition_point(|(no, _)| *no < before);
        all[..end].iter().rev().find(|(_, finding)| finding.rule == rule).map(|(no, _)| *no)
    }

    /// The note on a record.
    pub fn note(&self, no: u64) -> Option<String> {
        self.index().notes.get(&no).cloned()
    }

    /// The request and the response that upgraded a connection, as long as they are there.
    pub(super) fn handshake(&self, connection: u32) -> Option<[Record; 2]> {
        let index = self.index();
        let [request, response] = index.connection(connection)?.handshake?;
        Some([index.record(request)?, index.record(response)?])
    }

    /// Puts a note on a record, or takes it away when it is empty. Line breaks become spaces.
    pub fn set_note(&self, no: u64, note: &str) {
        let note = note.split(['\r', '\n']).collect::<Vec<_>>().join(" ");
        let note = note.trim();
        let notes = &mut self.index_mut().notes;
        if note.is_empty() {
            notes.remove(&no);
        } else {
            notes.insert(no, note.to_owned());
        }
    }

    /// What is known of a connection; numbers begin at 1.
    pub fn connection(&self, number: u32) -> Option<ConnectionInfo> {
        let index = self.index();
        let entry = index.connection(number)?;
        Some(ConnectionInfo::of(entry, number))
    }

    /// How many connections are there: those of which nothing went with the ring, or not all.
    pub fn connections_there(&self) -> u32 {
        self.index().connections.count()
    }

    /// Whether something of a connection is there.
    pub fn connection_is_there(&self, number: u32) -> bool {
        self.index().connection(number).is_some()
    }

    /// The number of the connection before which so many others are there.
    pub fn connection_at(&self, rank: u32) -> Option<u32> {
        self.index().connections.number(rank)
    }

    /// How many connections with smaller numbers are there.
    pub fn rank_of(&self, connection: u32) -> u32 {
        self.index().connections.rank(connection)
    }

    /// What the connections with those numbers were like, those of them that are there: see [`Overview`]. Each with how many
    /// records it had in each of `bins` equal parts of its time.
    pub fn overviews(&self, numbers: &[u32], bins: usize) -> Vec<Overview> {
        let index = self.index();
        numbers.iter().filter_map(|number| Overview::of(&index, *number, bins)).collect()
    }

    /// The number of the record of `connection` that comes `steps` after record `no` in it (before, when negative). `no`
    /// need not be one of its own.
    pub fn neighbour(&self, connection: u32, no: u64, steps: i64) -> Option<u64> {
        let index = self.index();
        let entry = index.connection(connection)?;
        let ordinal = i64::from(entry.ordinal_from(no)) + steps;
        entry.number_of(u32::try_from(ordinal).ok()?)
    }

    /// The numbers of the records of `connection` from number `from` on, at most `limit` of them.
    pub fn numbers(&self, connection: u32, from: u64, limit: usize) -> Vec<u64> {
        let index = self.index();
        let Some(entry) = index.connection(connection) else { return Vec::new() };
        (entry.ordinal_from(from)..entry.records).map_while(|ordinal| entry.number_of(ordinal)).take(limit).collect()
    }

    /// Bytes of a record as they stood on the wire: the part of `range` that lies inside the record and was captured.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn wire(&self, record: &Record, range: Range<u64>) -> io::Result<Vec<u8>> {
        if record.kind == crate::proto::dissected::Kind::Gap {
            return Ok(Vec::new());
        }
        let end = range.end.min(record.wire_len);
        self.stream(
            record.connection,
            record.direction,
            record.offset + range.start.min(end),
            end.saturating_sub(range.start),
        )
    }

    /// What the compressed message that ends with `record` inflates to, at most the first `most` bytes of it; see
    /// [`MessageReader::message`].
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn inflated(&self, record: &Record, most: u64) -> io::Result<Option<Inflated>> {
        self.shared.inflater.lock().unwrap_or_else(PoisonError::into_inner).message(self, record, most)
    }

    /// Bytes of one direction of a connection, from `offset` on, as far as they were captured.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn stream(&self, connection: u32, direction: Direction, offset: u64, len: u64) -> io::Result<Vec<u8>> {
        let pieces = match self.index().connection(connection) {
            Some(entry) => entry.streams[direction.index()].pieces(offset, len),
            None => Vec::new(),
        };
        let total = pieces.iter().map(|(_, len)| len).sum();
        let mut bytes = Vec::with_capacity(total);
        let mut run = Vec::new();
        // Short pieces that lie close together are read at once, with the packet heads between them.
        for near in pieces.chunk_by(|(position, len), (next, next_len)| {
            let between = next.checked_sub(position + *len as u64);
            (*len).max(*next_len) <= SHORT && between.is_some_and(|between| between <= NEAR)
        }) {
            let (first, (last, last_len)) = (near[0].0, near[near.len() - 1]);
            run.resize((last - first) as usize + last_len, 0);
            self.shared.files.read_exact_at(&mut run, first)?;
            for (position, len) in near {
                let at = (position - first) as usize;
                bytes.extend_from_slice(&run[at..at + len]);
            }
        }
        Ok(bytes)
    }

    /// The nearest place at `offset` of a direction or before from which its compressed messages can be read, and whether
    /// they may refer to earlier ones.
    pub(super) fn checkpoint(
        &self,
        connection: u32,
        direction: Direction,
        offset: u64,
    ) -> io::Result<Option<(bool, Checkpoint)>> {
        let index = self.index();
        let agreed = index.connection(connection).and_then(|entry| entry.about.deflate);
        let Some(agreed) = agreed else { return Ok(None) };
        let checkpoint = index.checkpoint_before(connection, direction, offset)?;
        Ok(checkpoint.map(|checkpoint| (agreed.takeover(direction), checkpoint)))
    }

    /// The files themselves.
    pub(super) fn files(&self) -> &Files {
        &self.shared.files
    }

    /// Bytes of the files themselves.
    pub(super) fn read_file(&self, position: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        self.shared.files.read_exact_at(&mut bytes, position)?;
        Ok(bytes)
    }

    /// The head of a frame; `None` for what is no frame, or one that was cut inside its head.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn frame_head(&self, record: &Record) -> io::Result<Option<FrameHead>> {
        if record.opcode().is_none() {
            return Ok(None);
        }
        Ok(match FrameHead::read(&self.wire(record, 0..MAX_HEAD_LEN as u64)?) {
            HeadReading::Complete(head) => Some(head),
            HeadReading::NeedMore(_) => None,
        })
    }

    /// Bytes of a frame's payload, unmasked: the part of `range` (relative to the payload) that was captured. Empty for what
    /// is no frame.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn payload(&self, record: &Record, range: Range<u64>) -> io::Result<Vec<u8>> {
        let Some(head) = self.frame_head(record)? else { return Ok(Vec::new()) };
        let start = head.header_len() as u64;
        let mut bytes = self.wire(record, start + range.start..start.saturating_add(range.end))?;
        if let Some(key) = head.masking_key {
            mask::apply(&mut bytes, key, range.start);
        }
        Ok(bytes)
    }

    /// Sets what is called after a change, once, when [`Self::arm`] was called before. Only the first call has an effect.
    pub fn on_change(&self, wake: impl Fn() + Send + Sync + 'static) {
        let _ = self.shared.wake.set(Box::new(wake));
    }

    /// Asks to be told of the next change. Call it before looking at the capture, so that no change is missed.
    pub fn arm(&self) {
        self.shared.armed.store(true, Ordering::SeqCst);
    }

    /// Tells whoever waits that something changed.
    pub(super) fn changed(&self) {
        if self.shared.armed.load(Ordering::SeqCst)
            && self.shared.armed.swap(false, Ordering::SeqCst)
            && let Some(wake) = self.shared.wake.get()
        {
            wake();
        }
    }

    pub(super) fn set_loading(&self, loading: bool) {
        self.shared.loading.store(loading, Ordering::Release);
        self.changed();
    }

    pub(super) fn set_growing(&self, growing: bool) {
        self.shared.growing.store(growing, Ordering::Release);
        self.changed();
    }

    /// Notes bytes that were not captured, and why; the first reason stays.
    pub fn note_trouble(&self, uncaptured: u64, reason: impl FnOnce() -> String) {
        let mut trouble = self.shared.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.uncaptured += uncaptured;
        trouble.reason.get_or_insert_with(reason);
        drop(trouble);
        self.changed();
    }

    /// Notes something else that is wrong with a file, behind what was noted before: it stays one line.
    pub(super) fn add_trouble(&self, what: &str) {
        let mut trouble = self.shared.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut trouble.reason {
            Some(reason) => {
                reason.push_str("; ");
                reason.push_str(what);
            }
            None => trouble.reason = Some(what.to_owned()),
        }
        drop(trouble);
        self.changed();
    }

    pub(super) fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.shared.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn index_mut(&self) -> RwLockWriteGuard<'_, Index> {
        self.shared.index.write().unwrap_or_else(PoisonError::into_inner)
    }
}
