//! What the screen needs from the program around it, so that it depends on no server and no exporter.

use super::event::Remote;
pub use super::export_request::{ExportRequest, FormatChoice};
use super::picture_request::FileRequest;
use super::state::tour::{TourProgress, TourStart};
use crate::capture::store::Capture;
use crate::script::InputLine;

/// The program around the screen. Every call returns at once; a long job reports through a [`Remote`].
pub trait Host {
    /// Opens the page in a browser. Returns a line for the user.
    ///
    /// # Errors
    /// If there is no page, or the browser cannot be started.
    fn open_browser(&mut self) -> Result<String, HostError>;

    /// Starts the demo client, or stops the running one. Returns a line for the user.
    ///
    /// # Errors
    /// If there is no server, or the client cannot be started.
    fn toggle_demo(&mut self) -> Result<String, HostError>;

    /// Does what a line asks for.
    ///
    /// # Errors
    /// If nothing can be sent.
    fn send_line(&mut self, line: &InputLine) -> Result<(), HostError>;

    /// Starts the lesson of the demo client. Returns the tour, from the step where the learner was.
    ///
    /// # Errors
    /// If there is no server, or the client cannot be started.
    fn start_tour(&mut self) -> Result<TourStart, HostError>;

    /// Starts the lesson of the demo client. Returns a line for the user.
    ///
    /// # Errors
    /// If there is no server, or the client cannot be started.
    fn start_lesson(&mut self) -> Result<String, HostError>;

    /// Keeps how far the learner is, in the background.
    fn keep_tour(&mut self, progress: TourProgress);

    /// Starts an export of a capture in the background, which reports its progress and its end.
    fn export(&mut self, capture: Capture, request: ExportRequest, remote: Remote);

    /// Writes a file in the background, and reports the result.
    fn write_file(&mut self, request: FileRequest, remote: Remote);
}

/// Why a [`Host`] could not do what the user asked for.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The program does not serve a page.
    #[error("there is no server: only framescope serve has one")]
    NoServer,
    /// A line could not be sent: the reason in one line.
    #[error("{0}")]
    Line(String),
    /// No browser could be started.
    #[error("cannot open a browser ({source}); open {url} yourself")]
    Browser {
        /// Address of the page.
        url: String,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// The demo client could not be started.
    #[error("cannot start the demo client ({0})")]
    Demo(std::io::Error),
}
