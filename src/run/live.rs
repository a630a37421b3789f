//! What a source of live traffic is, so that `headless` and `screen` can run any: it is prepared, starts to record, and shuts down.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;

use crate::capture::live::recorder::Recorder;
use crate::capture::live::spool::Spool;
use crate::capture::store::{Capture, Totals, scratch};
use crate::cli::Recording;
use crate::export::words;
use crate::net::PageServer;
use crate::net::demo::DemoHandle;
use crate::proto::rules::{count, grouped};
use crate::script::InputLine;
use crate::tui::app::LiveTraffic;
use crate::tui::hold_desk::HoldDesk;

/// A source that is ready to start, and has recorded nothing: for example, it listens already. It is prepared before the file of the
/// capture, so that --force does not replace an older capture if the source cannot start.
pub trait LiveSource {
    /// The source after its start.
    type Running: RunningSource;

    /// A warning, in one line, to show first.
    fn warning(&self) -> Option<String> {
        None
    }

    /// Creates the file or files of the capture.
    ///
    /// # Errors
    /// Why they cannot be written.
    fn spool(&self, args: &Recording) -> anyhow::Result<Spool> {
        Ok(match (&args.write, args.ring) {
            (Some(path), None) => Spool::keep(path, args.force)?,
            (Some(path), Some(size)) => Spool::keep_ring(path, args.force, size)?,
            (None, None) => Spool::temporary()?,
            (None, Some(size)) => Spool::temporary_ring(&scratch::folder(), size)?,
        })
    }

    /// Starts to record the traffic in `spool`. Calls `ended` if the source ends before it is shut down; the capture's trouble or
    /// the result of [`RunningSource::shutdown`] then contains the reason.
    ///
    /// # Errors
    /// Why it cannot start.
    fn start(self, spool: Spool, ended: impl FnOnce() + Send + 'static) -> anyhow::Result<Self::Running>;
}

/// A source that runs.
pub trait RunningSource {
    /// The capture.
    fn capture(&self) -> &Capture;

    /// The recorder; `None` if another program captures the traffic.
    fn recorder(&self) -> Option<&Recorder>;

    /// The line that a headless run prints to stderr when it is ready. Scripts wait for it.
    fn ready_line(&self) -> String;

    /// What the screen shows about the source; `None` for a server with a page, whose address the screen shows.
    fn traffic(&self) -> Option<LiveTraffic> {
        None
    }

    /// The address of a server with a page.
    fn page_server(&self) -> Option<PageServer> {
        None
    }

    /// The demo client that runs, if any: the screen stops it.
    fn take_demo(&mut self) -> Option<DemoHandle> {
        None
    }

    /// What the user should know after the start, in one line.
    fn notice(&self) -> Option<String> {
        None
    }

    /// Calls `reporter` with what happens from now on. The default never calls it.
    fn on_news(&mut self, _reporter: Reporter) {}

    /// Sends the lines that the user types; `None` for a source that sends nothing. Called after [`Self::on_news`].
    fn line_sender(&self) -> Option<Box<dyn LineSender>> {
        None
    }

    /// The proxy's rules and what they hold; `None` for a source that is no proxy. `changed` is called when that changes.
    fn hold_desk(&self, _changed: Box<dyn Fn() + Send + Sync>) -> Option<Arc<dyn HoldDesk>> {
        None
    }

    /// Calls `say` with a line about each message that the proxy holds from now on. For runs without a screen, in place of
    /// [`Self::hold_desk`].
    fn report_held(&self, _say: Box<dyn Fn(&str) + Send + Sync>) {}

    /// Ends within two seconds, however mute the peers are. What ends is recorded. Returns why the run has failed, in one line, if it
    /// has.
    fn shutdown(self) -> Option<String>;
}

/// What happens to a source while it runs. Every text is one line.
pub enum News {
    /// Something failed.
    Failure(String),
    /// The source has ended on its own: in order, or not.
    Ended(Result<String, String>),
}

/// Takes the news of a source, from any thread.
pub type Reporter = Arc<dyn Fn(News) + Send + Sync>;

/// Sends lines that the user types.
pub trait LineSender {
    /// Does what a line asks for. Returns at once: a file is read and sent in the background.
    ///
    /// # Errors
    /// Why it cannot be done, in one line.
    fn send(&self, line: &InputLine) -> Result<(), String>;
}

/// Reports in the capture's trouble if another program has changed a file of the capture.
pub fn check_files(recorder: Option<&Recorder>) {
    if let Some(recorder) = recorder
        && let Err(e) = recorder.check_files()
    {
        recorder.capture().add_failure(&e.to_string());
    }
}

/// Returns an error if framescope lost records. With `reason_is_known` the reason was printed before, so the error has only the count of
/// lost bytes; without lost bytes, the result is the exit status 1.
pub fn check_captured(capture: &Capture, reason_is_known: bool) -> anyhow::Result<ExitCode> {
    let trouble = capture.trouble();
    let lost = match trouble.uncaptured {
        0 => None,
        1 => Some("1 byte was not captured".to_owned()),
        bytes => Some(format!("{} bytes were not captured", grouped(bytes))),
    };
    let reason = trouble.reason().filter(|_| !reason_is_known);
    match [reason, lost].into_iter().flatten().reduce(|reason, lost| format!("{reason}; {lost}")) {
        Some(line) if trouble.has_failed() => bail!(line),
        None if trouble.has_failed() => Ok(ExitCode::FAILURE),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// The counts of a capture in one line.
pub fn summary(totals: &Totals, uncaptured: u64) -> String {
    let findings = match totals.findings.iter().sum() {
        0 => "no findings".to_owned(),
        all => format!("{}: {}", count(all, "finding"), words::by_severity(totals.findings)),
    };
    let mut line = format!(
        "{} · {} · ▲ {} · ▼ {} · {findings}",
        count(totals.connections, "connection"),
        count(totals.records, "record"),
        count(totals.bytes[0], "byte"),
        count(totals.bytes[1], "byte"),
    );
    if totals.evicted() > 0 {
        line.push_str(&format!(" · {} evicted", count(totals.evicted(), "record")));
    }
    if uncaptured > 0 {
        line.push_str(&format!(" · {} not captured", count(uncaptured, "byte")));
    }
    line
}
