//! What the screen asks of the program around it, so that it knows nothing of servers and exporters.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::event::Remote;

/// The program around the screen. Calls return at once; what takes long answers through a [`Remote`].
pub trait Host {
    /// The address of the page, when a server runs.
    fn url(&self) -> Option<String>;

    /// The export formats. The one at [`CAPTURE_FORMAT`] keeps everything.
    fn formats(&self) -> Vec<FormatChoice>;

    /// Opens the page in a browser; returns what was done, in one line.
    fn open_browser(&mut self) -> Result<String, HostError>;

    /// Starts the demo client, or stops it; returns what was done, in one line.
    fn toggle_demo(&mut self) -> Result<String, HostError>;

    /// Exports beside the screen; reports progress and the end.
    fn export(&mut self, request: ExportRequest, remote: Remote);
}

/// Why the program cannot do what the screen asked for.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The screen shows a file.
    #[error("there is no server: the screen shows a file")]
    NoServer,
    /// The system opens no browser.
    #[error("cannot open a browser: {source}; open {url} yourself")]
    Browser {
        /// The URL of the page.
        url: String,
        /// The system's error.
        source: io::Error,
    },
    /// The system starts no thread for the demo client.
    #[error("cannot start the demo client: {0}")]
    Demo(io::Error),
}

/// The position in [`Host::formats`] of the format that keeps everything, notes too.
pub const CAPTURE_FORMAT: usize = 0;

/// An export format as the dialog offers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatChoice {
    /// Its name.
    pub name: String,
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
    /// The position of the format in [`Host::formats`].
    pub format: usize,
    /// Where to.
    pub path: PathBuf,
    /// Whether a file of that name may be replaced.
    pub force: bool,
    /// Set when the export is no longer wanted.
    pub cancel: Arc<AtomicBool>,
}
