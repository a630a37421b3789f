//! Exports a capture, or some of its records, to formats of other tools. Each format has a file of its own, and a row in the
//! table in `format`.
//!
//! Exports stream: a payload of gigabytes is read in pieces, and a format keeps at most one piece in memory.

pub mod findings;
mod format;
pub mod grid;
mod har;
mod hex;
mod json;
pub mod ndjson;
mod payload;
mod pcapng;
mod redact;
mod sink;
mod source;
pub mod timestamp;
mod wire;
pub mod words;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

pub use format::{Format, FormatSpec};
pub use sink::Sink;

use crate::capture::live::spool::way_out;
use crate::capture::store::Capture;
use crate::proto::dissected::Direction;
use crate::proto::rules::count;
use source::Source;

/// Which records to export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportSelection {
    /// All records that exist when the export begins.
    All,
    /// The records with these numbers, in ascending order.
    Records(Vec<u64>),
}

/// What to export, and how.
#[derive(Clone, Debug)]
pub struct ExportOptions {
    /// Which records to export.
    pub selection: ExportSelection,
    /// Whether to replace the values of Cookie, Set-Cookie, Authorization and Proxy-Authorization by asterisks.
    pub redact: bool,
    /// Export only this direction. [`Format::Wire`] needs it if the selected records have bytes of both.
    pub direction: Option<Direction>,
}

impl Default for ExportOptions {
    fn default() -> Self {
        Self { selection: ExportSelection::All, redact: false, direction: None }
    }
}

/// The progress of an export, shared with the thread that shows or cancels it.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Records done.
    pub done: Arc<AtomicU64>,
    /// Records in all; 0 until the number is known.
    pub total: Arc<AtomicU64>,
    /// Set to cancel the export.
    pub cancel: Arc<AtomicBool>,
}

impl Progress {
    fn check(&self) -> Result<(), ExportError> {
        if self.cancel.load(Ordering::Relaxed) { Err(ExportError::Cancelled) } else { Ok(()) }
    }
}

/// The result of an export.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Records that were written.
    pub records: u64,
    /// Bytes that were written.
    pub bytes: u64,
    /// A note about the result, in one line.
    pub note: Option<String>,
}

/// Why an export failed.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The capture's file cannot be read.
    #[error("cannot read {} at record {no}: {source}; check that the file still exists and is complete", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The record.
        no: u64,
        /// The system's error.
        source: io::Error,
    },
    /// The output cannot be written.
    #[error("cannot write the export: {0}; {way}", way = way_out(.0))]
    Output(io::Error),
    /// The file cannot be written.
    #[error("cannot write {}: {source}; {way}", path.display(), way = way_out(source))]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file exists, and must not be replaced.
    #[error("{} exists; add --force to replace it, or choose another name", .0.display())]
    Exists(PathBuf),
    /// The file is the capture that is exported.
    #[error("{} is the capture itself; choose another name", .0.display())]
    Itself(PathBuf),
    /// The path is a folder.
    #[error("{} is a folder; name a file in it", .0.display())]
    Folder(PathBuf),
    /// The format holds one direction, and the records have bytes of both.
    #[error("the records have bytes of both directions; choose one with --direction c2s or --direction s2c")]
    BothDirections,
    /// A selected record does not exist.
    #[error("there is no record {no}; the capture has {len} records")]
    NoRecord {
        /// Its number.
        no: u64,
        /// How many records the capture has.
        len: u64,
    },
    /// A record was evicted during the export.
    #[error("record {no} was evicted during the export; use a larger --ring")]
    Evicted {
        /// Which.
        no: u64,
    },
    /// The export was cancelled.
    #[error("the export was cancelled; no file was written")]
    Cancelled,
}

/// Writes records of a capture to `out`.
///
/// # Errors
/// See [`ExportError`]. Part of the export may then have been written.
pub fn export(
    capture: &Capture,
    format: Format,
    options: &ExportOptions,
    out: &mut dyn Write,
    progress: &Progress,
) -> Result<Exported, ExportError> {
    let _delay = capture.delay_eviction();
    let mut source = Source::new(capture, options, progress);
    let mut sink = Sink::new(out);
    let evicted = source.evicted() as u64;
    let note = (format.spec().write)(&mut source, &mut sink)?;
    sink.flush()?;
    let evicted = (evicted > 0).then(|| format!("{} evicted before the export", count(evicted, "selected record")));
    let unmarked = capture.reconstructed().is_some() && !format.spec().states_reconstruction;
    let unmarked = unmarked.then(|| "the bytes are reconstructed, which this format cannot state".to_owned());
    Ok(Exported { records: source.written, bytes: sink.written(), note: joined([note, evicted, unmarked]) })
}

/// Joins notes to one line.
fn joined(notes: impl IntoIterator<Item = Option<String>>) -> Option<String> {
    notes.into_iter().flatten().reduce(|note, more| format!("{note}; {more}"))
}

/// Writes records of a capture to a file of mode 0600: first under a temporary name in the same folder, then renamed. Replaces
/// an existing file only with `force`.
///
/// # Errors
/// See [`ExportError`]. No file is left then.
pub fn to_file(
    capture: &Capture,
    format: Format,
    options: &ExportOptions,
    path: &Path,
    force: bool,
    progress: &Progress,
) -> Result<Exported, ExportError> {
    let io = |source| ExportError::File { path: path.to_owned(), source };
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => return Err(ExportError::Folder(path.to_owned())),
        Ok(metadata) if capture.is_file(&metadata) => return Err(ExportError::Itself(path.to_owned())),
        Ok(_) if !force => return Err(ExportError::Exists(path.to_owned())),
        // Write to a device or a pipe; do not replace it.
        Ok(metadata) if !metadata.is_file() => {
            let mut out = File::options().write(true).open(path).map_err(io)?;
            return export(capture, format, options, &mut out, progress).map_err(|e| at_path(e, path));
        }
        _ => {}
    }
    if path.file_name().is_none() {
        return Err(ExportError::Folder(path.to_owned()));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".framescope-").tempfile_in(folder).map_err(|e| io(system(e)))?;
    let exported = export(capture, format, options, file.as_file_mut(), progress).map_err(|e| at_path(e, path))?;
    file.as_file().sync_all().map_err(io)?;
    let persisted = if force { file.persist(path) } else { file.persist_noclobber(path) };
    persisted.map_err(|e| match e.error.kind() {
        io::ErrorKind::AlreadyExists => ExportError::Exists(path.to_owned()),
        _ => io(e.error),
    })?;
    Ok(exported)
}

/// The system's error without the name of the temporary file.
fn system(error: io::Error) -> io::Error {
    if error.raw_os_error().is_some() { error } else { error.kind().into() }
}

fn at_path(error: ExportError, path: &Path) -> ExportError {
    match error {
        ExportError::Output(source) => ExportError::File { path: path.to_owned(), source },
        other => other,
    }
}
