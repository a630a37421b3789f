//! What the screen asks of the program around it, so that it knows nothing of servers and exporters.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::event::Remote;

/// The program around the screen. Calls return at once; what takes long answers through a [`Remote`].
pub trait Host {
    /// The address of the page, when a server runs.
    fn url(&self) -> Option<String>;

    /// The export formats, the first being the one that keeps most.
    fn formats(&self) -> Vec<FormatChoice>;

    /// Opens the page. What was done, or why not: one line either way.
    fn open_browser(&mut self) -> Result<String, String>;

    /// Starts the demo client, or stops it. What was done, or why not.
    fn toggle_demo(&mut self) -> Result<String, String>;

    /// Exports beside the screen; reports progress and the end.
    fn export(&mut self, request: ExportRequest, remote: Remote);
}

/// An export format as the dialog offers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatChoice {
    /// Its name.
    pub name: &'static str,
    /// The extension of its files, without the dot.
    pub extension: &'static str,
    /// What it holds, in a few words.
    pub words: &'static str,
}

/// An export that was asked for.
#[derive(Clone, Debug)]
pub struct ExportRequest {
    /// The records, in order; `None` for all.
    pub records: Option<Vec<u64>>,
    /// The name of the format.
    pub format: &'static str,
    /// Where to.
    pub path: PathBuf,
    /// Whether a file of that name may be replaced.
    pub force: bool,
    /// Set when the export is no longer wanted.
    pub cancel: Arc<AtomicBool>,
}
