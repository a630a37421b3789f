//! An export as the screen requests it, and the formats that its dialog offers.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::pasted::Pasted;

/// An export format as the dialog shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatChoice {
    /// Name of the format.
    pub name: String,
    /// File name extension, without the dot.
    pub extension: &'static str,
    /// What a file of this format holds, in a few words.
    pub words: &'static str,
}

/// Index of the format that contains everything, also notes, in the list of formats.
pub const CAPTURE_FORMAT: usize = 0;

/// One requested export.
#[derive(Clone, Debug, Default)]
pub struct ExportRequest {
    /// Numbers of the records to export, in order; `None` exports all records.
    pub records: Option<Vec<u64>>,
    /// Index of the format in the list of formats.
    pub format: usize,
    /// What was pasted, if the capture is a paste.
    pub pasted: Option<Arc<Pasted>>,
    /// Path of the file to write.
    pub path: PathBuf,
    /// Whether an existing file may be replaced.
    pub force: bool,
    /// Set to true to cancel the export.
    pub cancel: Arc<AtomicBool>,
}
