//! Checks one capture after another: prints their findings, and decides on their faults.

use std::fs::File;
use std::mem;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::report::Report;
use super::selected::Selected;
use super::targets::Target;
use super::verdict::Verdict;
use crate::capture::query::contents::{self, ConnectionKinds};
use crate::capture::store::Capture;
use crate::capture::store::trouble::ProblemKind;
use crate::cli::{Check, ThemeArg};
use crate::export::findings::{Fault, FaultKind};
use crate::export::{ExportError, Sink, words};
use crate::run::input::{self, InputLoader, OpenedInput};
use crate::run::input_stream::EndOfInput;
use crate::run::stdio;

/// How many records with findings are taken from the index at once.
const BATCH: usize = 1024;

/// Poll interval for new findings while the file is read.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Checks captures.
pub struct Judge<'a> {
    args: &'a Check,
    sink: Sink<'a>,
    cancel: &'a AtomicBool,
    /// Ends stdin.
    end: Option<EndOfInput>,
    report: Report,
    /// Of the capture that is being checked.
    verdict: Verdict,
    /// Of the captures before it.
    total: Verdict,
}

impl<'a> Judge<'a> {
    /// Reports to `out`, until `cancel` is set. `end` ends stdin.
    pub fn new(
        args: &'a Check,
        theme: ThemeArg,
        out: &'a mut File,
        cancel: &'a AtomicBool,
        end: Option<EndOfInput>,
    ) -> Self {
        let report = Report::new(args, theme);
        Self { args, sink: Sink::new(out), cancel, end, report, verdict: Verdict::default(), total: Verdict::default() }
    }

    /// Checks a file, or reports why an argument leads to none.
    ///
    /// # Errors
    /// [`ExportError::Output`] if stdout cannot be written, [`ExportError::Cancelled`]. A file that cannot be read is no error: it is a
    /// fault of the verdict.
    pub fn target(&mut self, target: &Target) -> Result<(), ExportError> {
        let has_frames = match target {
            Target::File(file) => {
                self.report.begin(&input::name(file).display().to_string());
                self.file(file)?
            }
            Target::Fault { folder, kind, reason } => {
                self.report.begin(&folder.display().to_string());
                self.fault(*kind, reason.clone());
                false
            }
        };
        self.report.end(has_frames, &self.verdict.faults, &mut self.sink.buffer);
        self.total.add(mem::take(&mut self.verdict));
        self.sink.flush()
    }

    /// Prints what comes after all captures.
    ///
    /// # Errors
    /// [`ExportError::Output`].
    pub fn finish(&mut self) -> Result<(), ExportError> {
        self.report.finish(&mut self.sink.buffer).map_err(ExportError::Output)?;
        self.sink.flush()
    }

    /// The verdict over all captures; of one whose check was interrupted, with its findings so far.
    pub fn into_total(mut self) -> Verdict {
        self.total.add(self.verdict);
        self.total
    }

    /// Checks a file. Returns true if it has WebSocket frames.
    fn file(&mut self, file: &Path) -> Result<bool, ExportError> {
        let mut opened = match OpenedInput::open(file, &self.args.reading, false, self.end.clone()) {
            Ok(opened) => opened,
            Err(e) => {
                self.fault(FaultKind::Unread, e.to_string());
                return Ok(false);
            }
        };
        opened.say_form();
        let loader = opened.loader();
        let OpenedInput { capture, .. } = opened;
        let mut selected = self.args.filter.as_ref().map(|filter| Selected::new(filter, &capture));
        let printed = self.print_while_read(&capture, loader, selected.as_mut());
        let totals = capture.totals();
        self.verdict.records = totals.records;
        self.verdict.findings = selected.as_ref().map_or(totals.findings, |selected| selected.findings);
        let name = capture.path().display();
        match printed {
            // The filter needs bytes that cannot be read.
            Err(e @ ExportError::Read { .. }) => self.fault(FaultKind::Unread, e.to_string()),
            Err(e) => return Err(e),
            Ok(()) if self.cancel.load(Ordering::Relaxed) => return Err(ExportError::Cancelled),
            Ok(()) if capture.trouble().has_failed() => {
                let reason = capture.trouble().reason().unwrap_or_default();
                self.fault(FaultKind::Unread, format!("{name}: {reason}"));
            }
            Ok(()) => return Ok(self.conclude(&capture, &name.to_string())),
        }
        Ok(false)
    }

    /// Reports to stderr what is special about a capture that was read, its counts, and its faults. Returns true if it has frames.
    fn conclude(&mut self, capture: &Capture, name: &str) -> bool {
        let trouble = capture.trouble();
        let has_frames = contents::has_frames(capture);
        if let Some(words) = capture.reconstructed() {
            stdio::say(format_args!("{name}: reconstructed from {words}"));
        }
        if let Some(words) = words::decrypted(capture) {
            stdio::say(format_args!("{name}: {words}"));
        }
        let notices = trouble.reason_of(ProblemKind::Notice);
        if let Some(notices) = notices.as_ref().filter(|_| has_frames) {
            stdio::say(format_args!("{name}: {notices}"));
        }
        if has_frames || self.verdict.findings.iter().any(|findings| *findings > 0) {
            let only = if self.args.filter.is_some() { "; only records that match the filter" } else { "" };
            stdio::say(format_args!("{name}: {}{only}", self.verdict.findings_line()));
        }
        // A filter that matches nothing is no fault: this does not depend on it.
        if !has_frames {
            let mut instead = ConnectionKinds::of(capture).words();
            instead.extend(notices);
            if instead.is_empty() {
                instead.push("no connection has data".to_owned());
            }
            self.fault(FaultKind::NoFrames, format!("no WebSocket frames in {name} ({})", instead.join("; ")));
        }
        if let Some(damage) = trouble.reason_of(ProblemKind::Damage) {
            self.fault(FaultKind::Damaged, format!("{name}: {damage}"));
        }
        has_frames
    }

    /// Reports a fault to stderr. It fails the check unless a flag accepts it.
    fn fault(&mut self, kind: FaultKind, mut reason: String) {
        let flag = match kind {
            FaultKind::NoFrames => Some(("--allow-empty", self.args.allow_empty)),
            FaultKind::Damaged => Some(("--allow-damaged", self.args.allow_damaged)),
            FaultKind::Unread => None,
        };
        let is_accepted = flag.is_some_and(|(_, is_set)| is_set);
        if let Some((flag, false)) = flag {
            reason.push_str(&format!("; {flag} accepts this"));
        }
        stdio::say(&reason);
        if !is_accepted {
            self.verdict.faults.push(Fault { kind, reason });
        }
    }

    /// Reads the file on a second thread and prints at the same time, so that the first lines appear at once.
    fn print_while_read(
        &mut self,
        capture: &Capture,
        loader: InputLoader,
        selected: Option<&mut Selected>,
    ) -> Result<(), ExportError> {
        let cancel = self.cancel;
        let loader = Mutex::new(Some(loader));
        let load = || {
            let loader = loader.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(loader) = loader {
                loader.run(cancel);
            }
        };
        thread::scope(|scope| {
            let (over, ended) = sync_channel::<()>(0);
            let work = move || {
                // The receiver notices when this is dropped.
                let _over = over;
                load();
            };
            if thread::Builder::new().name("load".to_owned()).spawn_scoped(scope, work).is_err() {
                // Without a free thread, all lines are printed at the end.
                load();
            }
            let printed = self.print(capture, selected, &ended);
            if matches!(printed, Err(ExportError::Output(_))) {
                cancel.store(true, Ordering::Relaxed);
            }
            printed
        })
    }

    fn print(
        &mut self,
        capture: &Capture,
        mut selected: Option<&mut Selected>,
        ended: &mpsc::Receiver<()>,
    ) -> Result<(), ExportError> {
        let mut next = 1;
        loop {
            let is_over = ended.recv_timeout(POLL_INTERVAL) == Err(mpsc::RecvTimeoutError::Disconnected);
            if let Some(first) = capture.origin() {
                self.report.set_start(first);
            }
            loop {
                let records = capture.found(next, BATCH);
                for record in &records {
                    if let Some(selected) = selected.as_deref_mut()
                        && !selected.matches(record)?
                    {
                        continue;
                    }
                    self.report.add(record, &mut self.sink.buffer);
                    self.sink.write_if_full()?;
                }
                match records.last() {
                    Some(last) => next = last.no + 1,
                    None => break,
                }
            }
            self.sink.flush()?;
            if is_over {
                return Ok(());
            }
        }
    }
}
