//! The event queue of the main loop: every thread that wants the screen to change sends into it.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use super::export_request::ExportRequest;
use super::kept_request::{KeptRead, KeptRequest};
use super::paste_request::{PasteRead, PasteRefused, PasteRequest};
use super::picture_request::FileRequest;
use super::theme::ThemeName;
use crate::capture::import::OpenError;
use crate::capture::import::samples::Sample;
use crate::capture::live::spool::KeptCapture;
use crate::capture::query::search::{Hit, Pattern};
use crate::capture::store::Capture;
use crate::capture::store::message_reader::Inflated;

/// Time between two progress reports.
const PROGRESS: Duration = Duration::from_millis(100);

/// One entry of the main loop's queue.
#[derive(Debug)]
pub enum Event {
    /// A key, a mouse event, a paste or a resize of the terminal.
    Terminal(crossterm::event::Event),
    /// The terminal has reported its background colour: the theme that fits it.
    Background(ThemeName),
    /// The capture has changed.
    Changed,
    /// A background job reports something to the screen with this number.
    Report(u32, Report),
    /// A signal asks the program to end, or the terminal has closed.
    Interrupt,
}

/// A report of a background job. Every text is one line.
#[derive(Debug)]
pub enum Report {
    /// A request succeeded.
    Succeeded(String),
    /// An export wrote its file.
    Wrote(String),
    /// A request failed that is no job, such as opening a browser; a running job goes on.
    Refused(String),
    /// The running job failed: the reason, and what to do about it.
    Failed(String),
    /// Progress of the running job.
    Progress {
        /// Name of the job, such as `export`.
        job: &'static str,
        /// Records processed so far.
        done: u64,
        /// Records to process.
        total: u64,
    },
    /// The file of an export exists already: the user decides whether to repeat the request with `force`.
    Exists(ExportRequest),
    /// The captures that earlier runs kept.
    Kept(Vec<KeptCapture>),
    /// The records of the kept capture with that path were counted; `None` if it is too long for that, or cannot be read.
    KeptCounted(PathBuf, Option<u64>),
    /// A kept capture was read, or cannot be.
    KeptOpened(KeptRequest, Result<KeptRead, OpenError>),
    /// A kept capture was deleted, or cannot be.
    KeptDeleted {
        /// The capture.
        kept: KeptCapture,
        /// The result.
        deleted: io::Result<()>,
        /// The captures that are left.
        left: Vec<KeptCapture>,
    },
    /// The file that was to be written exists already: the user decides whether to repeat the request with `force`.
    FileExists(FileRequest),
    /// A paste was read, or refused.
    Pasted(PasteRequest, Result<PasteRead, PasteRefused>),
    /// A sample was read, or could not be read.
    Sample(Sample, Result<Capture, OpenError>),
    /// The long message whose last frame is that record has been inflated; `None` if its context is lost.
    Inflated(u64, Option<Inflated>),
    /// A search has ended; `None` if it found nothing.
    Found(Option<Hit>),
    /// The matches of a pattern in a range of records were counted.
    Counted {
        /// What was searched for.
        pattern: Pattern,
        /// The record before the first that was counted.
        after: u64,
        /// The numbers of the records that match.
        numbers: Vec<u64>,
        /// The last record that was counted.
        to: u64,
    },
}

/// Sends events to the main loop from any thread.
#[derive(Clone, Debug)]
pub struct Remote {
    sender: Sender<Event>,
    /// The number of the screen that its reports are for.
    screen: u32,
}

impl Remote {
    /// The same for the reports of another screen.
    pub fn for_screen(&self, screen: u32) -> Self {
        Self { sender: self.sender.clone(), screen }
    }

    /// Sends an event. After the end of the main loop this does nothing.
    pub fn send(&self, event: Event) {
        let _ = self.sender.send(event);
    }

    /// Sends a report.
    pub fn report(&self, report: Report) {
        self.send(Event::Report(self.screen, report));
    }

    /// Does the work of a job, and reports its progress every 100 ms: records processed, and records to process.
    pub fn report_while<T>(
        &self,
        job: &'static str,
        progress: impl Fn() -> (u64, u64) + Send,
        work: impl FnOnce() -> T,
    ) -> T {
        thread::scope(|scope| {
            // The receiver notices when `over` is dropped.
            let (over, ended) = channel::<()>();
            scope.spawn(move || {
                while ended.recv_timeout(PROGRESS) == Err(RecvTimeoutError::Timeout) {
                    let (done, total) = progress();
                    self.report(Report::Progress { job, done, total });
                }
            });
            let result = work();
            drop(over);
            result
        })
    }
}

/// Creates the queue of the main loop: a sender for other threads, and the receiver.
pub fn queue() -> (Remote, Receiver<Event>) {
    let (sender, receiver) = channel();
    (Remote { sender, screen: 0 }, receiver)
}
