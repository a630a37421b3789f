//! Exports a capture, or some of its records, to formats of other tools. Each format has a file of its own, and a row in the
//! table in `format`.
//!
//! Exports stream: a payload of gigabytes is read in pieces, and a format keeps at most one piece in memory.

pub mod findings;
mod format;
mod har;
mod hex;
mod json;
mod markdown;
pub mod ndjson;
mod output_file;
mod payload;
mod pcapng;
mod redact;
mod sink;
mod source;
mod svg;
pub mod timestamp;
mod wire;
pub mod words;

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

pub use format::{Format, FormatSpec};
pub use output_file::{text_to_file, to_file};
pub use redact::Redaction;
pub use sink::Sink;

use crate::capture::store::Capture;
use crate::capture::store::output::{OutputError, way_out};
use crate::picture::ThemeName;
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
    /// Which values to replace by asterisks; `None` for no value.
    pub redact: Option<Redaction>,
    /// Export only this direction. [`Format::Wire`] needs it if the selected records have bytes of both.
    pub direction: Option<Direction>,
    /// The colours of a picture.
    pub theme: ThemeName,
}

impl Default for ExportOptions {
    fn default() -> Self {
        Self { selection: ExportSelection::All, redact: None, direction: None, theme: ThemeName::Light }
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
    /// The file cannot be created or written.
    #[error(transparent)]
    File(#[from] OutputError),
    /// The file is the capture that is exported.
    #[error("{} is the capture itself; choose another name", .0.display())]
    Itself(PathBuf),
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
    /// The format draws each record into one picture.
    #[error("one {format} holds the figures of at most {most} records; select fewer with --filter, or use --to md")]
    TooMany {
        /// The format.
        format: &'static str,
        /// How many records it can hold.
        most: u64,
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
