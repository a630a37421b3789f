//! The capture: records by number, bytes by position. Cheap to clone and safe to read while it grows.

use std::fs::{File, Metadata};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::files::Files;
use super::index::Totals;
use super::index::{Index, IndexBatch, Window};
use super::record::Record;
use super::trouble::{ProblemKind, Stop, Trouble};
use crate::capture::format::proxied::Proxied;
use crate::proto::dissected::Direction;
use crate::proto::extensions::DeflateParams;
use crate::proto::time::Time;

/// A handle to a capture; clones are the same capture.
#[derive(Clone)]
pub struct Capture {
    shared: Arc<Shared>,
}

/// Called with each new problem.
type OnTrouble = Box<dyn Fn(&str) + Send + Sync>;

struct Shared {
    index: RwLock<Index>,
    files: Files,
    path: PathBuf,
    trouble: Mutex<Trouble>,
    reconstructed: OnceLock<Box<str>>,
    loading: AtomicBool,
    growing: AtomicBool,
    awaits_secrets: AtomicBool,
    /// Whether `wake` must be called after the next change.
    armed: AtomicBool,
    /// Its clones are the [`EvictionDelay`]s that live.
    eviction_delay: Arc<()>,
    wake: OnceLock<Box<dyn Fn() + Send + Sync>>,
    on_trouble: OnceLock<OnTrouble>,
}

/// Delays eviction while it lives: see [`Capture::delay_eviction`].
#[derive(Debug)]
pub struct EvictionDelay {
    _shared: Arc<()>,
}

impl std::fmt::Debug for Capture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Capture").finish_non_exhaustive()
    }
}

impl Capture {
    /// An empty capture over a file.
    pub(in crate::capture) fn over(file: Arc<File>, path: &Path) -> Self {
        Self::over_files(Files::one(file, path.to_owned()), path)
    }

    /// An empty capture over files that are shown as `path`.
    pub(in crate::capture) fn over_files(files: Files, path: &Path) -> Self {
        Self {
            shared: Arc::new(Shared {
                index: RwLock::default(),
                files,
                path: path.to_owned(),
                trouble: Mutex::default(),
                reconstructed: OnceLock::new(),
                loading: AtomicBool::new(false),
                growing: AtomicBool::new(false),
                awaits_secrets: AtomicBool::new(false),
                armed: AtomicBool::new(false),
                eviction_delay: Arc::default(),
                wake: OnceLock::new(),
                on_trouble: OnceLock::new(),
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

    /// Returns true if `metadata` is of a file that holds the bytes.
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

    /// The problems so far.
    pub fn trouble(&self) -> Trouble {
        self.shared.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the capture was reconstructed from, when its bytes never crossed a wire: `the messages of a HAR`.
    pub fn reconstructed(&self) -> Option<&str> {
        self.shared.reconstructed.get().map(|words| &**words)
    }

    /// Marks the capture as reconstructed; the first words stay.
    pub(in crate::capture) fn set_reconstructed(&self, words: &str) {
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

    /// Whether TLS connections wait for their secrets in a key log.
    pub fn awaits_secrets(&self) -> bool {
        self.shared.awaits_secrets.load(Ordering::Acquire)
    }

    /// The number of the first record that is not evicted; 1 unless a ring deleted older ones.
    pub fn first(&self) -> u64 {
        self.index().totals.first
    }

    /// Whether a record, or the beginning of its bytes, was evicted after it was looked up.
    pub fn is_evicted(&self, record: &Record) -> bool {
        self.record(record.no).is_none_or(|now| now.kind != record.kind)
    }

    /// Whether bytes of a record are evicted while it is kept itself: it is a gap then.
    pub fn is_torn(&self, record: &Record) -> bool {
        let index = self.index();
        let stream = index.connection(record.connection).map(|entry| &entry.streams[record.direction.index()]);
        record.no >= index.totals.first && stream.is_some_and(|stream| stream.is_torn(record.offset, record.wire_len))
    }

    /// While the result lives, a ring evicts nothing before it is twice as large as it was asked to be.
    pub fn delay_eviction(&self) -> EvictionDelay {
        EvictionDelay { _shared: Arc::clone(&self.shared.eviction_delay) }
    }

    /// Returns true while an [`EvictionDelay`] lives.
    pub(in crate::capture) fn is_eviction_delayed(&self) -> bool {
        Arc::strong_count(&self.shared.eviction_delay) > 1
    }

    /// When the first record of all was complete.
    pub fn origin(&self) -> Option<Time> {
        self.index().origin
    }

    /// The record with that number: one that is not evicted, or one of an evicted handshake whose connection is kept.
    pub fn record(&self, no: u64) -> Option<Record> {
        self.index().record(no)
    }

    /// The records with those numbers, as far as they exist, under one lock; evicted ones are skipped.
    pub fn records(&self, numbers: Range<u64>) -> Vec<Record> {
        let index = self.index();
        (numbers.start.max(index.totals.first)..numbers.end).map_while(|no| index.record(no)).collect()
    }

    /// The records with those numbers, those of them that exist, under one lock.
    pub fn pick(&self, numbers: impl IntoIterator<Item = u64>) -> Vec<Record> {
        let index = self.index();
        numbers.into_iter().filter_map(|no| index.record(no)).collect()
    }

    /// The note on a record.
    pub fn note(&self, no: u64) -> Option<String> {
        self.index().notes.get(&no).cloned()
    }

    /// What `proxy` did with a record, if it did not forward it unchanged.
    pub fn proxied(&self, no: u64) -> Option<Proxied> {
        self.index().proxied.get(&no).copied()
    }

    /// The records with a note that the file does not have, in order.
    pub fn set_notes(&self) -> Vec<(Record, String)> {
        let index = self.index();
        let with_record = |(no, note): (&u64, &String)| Some((index.record(*no)?, note.clone()));
        index.notes.iter().filter(|(no, _)| index.set_notes.contains(no)).filter_map(with_record).collect()
    }

    /// Adds to the note on a record, which the caller writes into the file; returns the whole note.
    pub(in crate::capture) fn add_note(&self, no: u64, note: &str) -> String {
        let mut index = self.index_mut();
        let whole = index.notes.get(&no).map_or_else(|| note.to_owned(), |before| format!("{before} · {note}"));
        index.notes.insert(no, whole.clone());
        whole
    }

    /// Sets the note on a record; an empty one removes it. Line breaks become spaces.
    pub fn set_note(&self, no: u64, note: &str) {
        let note = note.split(['\r', '\n']).collect::<Vec<_>>().join(" ");
        let note = note.trim();
        let mut index = self.index_mut();
        index.set_notes.insert(no);
        if note.is_empty() {
            index.notes.remove(&no);
        } else {
            index.notes.insert(no, note.to_owned());
        }
    }

    /// The nearest checkpoint of a direction at stream offset `offset` or before, with the negotiated parameters of
    /// permessage-deflate. `None` where nothing is compressed, or where no checkpoint was kept.
    pub(in crate::capture) fn checkpoint(
        &self,
        connection: u32,
        direction: Direction,
        offset: u64,
    ) -> Option<(Option<DeflateParams>, u64, Window)> {
        let index = self.index();
        let (at, window) = index.checkpoint_before(connection, direction, offset)?;
        Some((index.connection(connection)?.about.deflate, at, window))
    }

    /// The files themselves.
    pub(in crate::capture) fn files(&self) -> &Files {
        &self.shared.files
    }

    /// Sets what is called after a change, once, when [`Self::arm`] was called before. Only the first call has an effect.
    pub fn on_change(&self, wake: impl Fn() + Send + Sync + 'static) {
        let _ = self.shared.wake.set(Box::new(wake));
    }

    /// Asks for a call of [`Self::on_change`] after the next change. Call it before reading the capture, so that no change is
    /// missed.
    pub fn arm(&self) {
        self.shared.armed.store(true, Ordering::SeqCst);
    }

    /// Calls [`Self::on_change`] if [`Self::arm`] asked for it.
    pub(in crate::capture) fn changed(&self) {
        if self.shared.armed.load(Ordering::SeqCst)
            && self.shared.armed.swap(false, Ordering::SeqCst)
            && let Some(wake) = self.shared.wake.get()
        {
            wake();
        }
    }

    pub(in crate::capture) fn set_loading(&self, loading: bool) {
        self.shared.loading.store(loading, Ordering::Release);
        self.changed();
    }

    /// Notes whether TLS connections wait for their secrets.
    pub(in crate::capture) fn set_awaiting_secrets(&self, awaits: bool) {
        if self.shared.awaits_secrets.swap(awaits, Ordering::AcqRel) != awaits {
            self.changed();
        }
    }

    pub(in crate::capture) fn set_growing(&self, growing: bool) {
        self.shared.growing.store(growing, Ordering::Release);
        self.changed();
    }

    /// Counts bytes that were not captured; [`Self::note_stop`] says why.
    pub(in crate::capture) fn note_uncaptured(&self, bytes: u64) {
        self.shared.trouble.lock().unwrap_or_else(PoisonError::into_inner).uncaptured += bytes;
        self.changed();
    }

    /// Adds a notice: see [`ProblemKind::Notice`]. The same problem is added once.
    pub fn add_notice(&self, what: &str) {
        self.add_problem(ProblemKind::Notice, what);
    }

    /// Adds damage of the file: see [`ProblemKind::Damage`].
    pub(in crate::capture) fn add_damage(&self, what: &str) {
        self.add_problem(ProblemKind::Damage, what);
    }

    /// Adds a failure of framescope itself: see [`ProblemKind::Failure`].
    pub fn add_failure(&self, what: &str) {
        self.add_problem(ProblemKind::Failure, what);
    }

    fn add_problem(&self, kind: ProblemKind, what: &str) {
        if self.shared.trouble.lock().unwrap_or_else(PoisonError::into_inner).add(kind, what) {
            self.report(what);
        }
    }

    /// Sets why the capture does not grow any more; the first reason stays. The capture lacks records.
    pub(in crate::capture) fn note_stop(&self, why: &str) {
        let stop = Stop { was_reading: self.is_loading(), why: why.to_owned() };
        let mut trouble = self.shared.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trouble.stop.is_none() {
            trouble.stop = Some(stop.clone());
            drop(trouble);
            self.report(&stop.to_string());
        }
    }

    /// Reports a new problem. No lock is held.
    fn report(&self, what: &str) {
        if let Some(on_trouble) = self.shared.on_trouble.get() {
            on_trouble(what);
        }
        self.changed();
    }

    /// Sets what is called with each new problem. Only the first call has an effect.
    pub fn on_trouble(&self, report: impl Fn(&str) + Send + Sync + 'static) {
        let _ = self.shared.on_trouble.set(Box::new(report));
    }

    pub(in crate::capture) fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.shared.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// An empty batch of changes to the index.
    pub(in crate::capture) fn batch(&self) -> IndexBatch {
        IndexBatch::new(self.index().windows())
    }

    pub(in crate::capture) fn index_mut(&self) -> RwLockWriteGuard<'_, Index> {
        self.shared.index.write().unwrap_or_else(PoisonError::into_inner)
    }
}
