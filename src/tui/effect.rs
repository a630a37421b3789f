//! Requests of the screen's state to the main loop: everything that needs the terminal, the host or a thread.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::export_request::ExportRequest;
use super::file_message::FileMessage;
use super::kept_request::KeptRequest;
use super::paste_request::PasteRequest;
use super::picture_request::{FileRequest, PictureRequest};
use super::state::list::BackgroundFilter;
use super::state::tour::TourProgress;
use crate::capture::import::samples::Sample;
use crate::capture::live::spool::KeptCapture;
use crate::capture::query::search::{Pattern, Start, Toward};
use crate::script::InputLine;

/// A request to the main loop.
#[derive(Clone, Debug)]
pub enum Effect {
    /// End the program: nothing is unsaved, or the user has confirmed that it may be lost.
    Quit,
    /// End the program at once; the user was not asked.
    Interrupt,
    /// Put text on the clipboard.
    Copy(String),
    /// Open the page in a browser.
    Browser,
    /// Start or stop the demo client.
    Demo,
    /// Do what a line asks for, which was typed as this text.
    Send(String, InputLine),
    /// Send a file through the proxy in the background.
    SendFile(FileMessage),
    /// Start the tour.
    Tour,
    /// Repeat the lesson of the tour.
    Lesson,
    /// Keep how far the learner is in the tour.
    KeepTour(TourProgress),
    /// Export records in the background.
    Export(ExportRequest),
    /// List the captures that earlier runs kept.
    ListKept,
    /// Count their records in the background.
    CountKept(Vec<KeptCapture>),
    /// Open one of them in the background.
    OpenKept(KeptRequest),
    /// Delete one of them in the background.
    DeleteKept(KeptCapture),
    /// Draw a picture, and write it to a file in the background.
    Picture(PictureRequest),
    /// Write a file in the background.
    WriteFile(FileRequest),
    /// Read a paste in the background.
    Paste(PasteRequest),
    /// Read a sample in the background.
    Sample(Sample),
    /// Inflate, in the background, the long message whose last frame is that record.
    Inflate(u64),
    /// Run a filter in the background.
    Filter(Arc<BackgroundFilter>),
    /// Search in the background.
    Find {
        /// What to search for.
        pattern: Pattern,
        /// Where it starts.
        from: Start,
        /// Search direction.
        toward: Toward,
        /// The last record that was counted: the job counts the matches after it when it has found one.
        counted: u64,
        /// Set to true to cancel the search, and the count.
        cancel: Arc<AtomicBool>,
    },
}
