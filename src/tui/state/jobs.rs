//! The background job of the screen (a find, an export, reading a paste or a kept capture), and what must be saved before the program ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::capture::store::Totals;

pub const EXPORT: &str = "export";

pub const FIND: &str = "find";

pub const PASTE: &str = "paste";

pub const OPEN: &str = "open";

/// A running background job.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its name: [`EXPORT`], [`FIND`], [`PASTE`] or [`OPEN`].
    pub name: &'static str,
    /// Records processed so far, and records to process: 0 if that is unknown.
    pub progress: (u64, u64),
    cancel: Arc<AtomicBool>,
}

/// What would be lost if the program ended now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsaved {
    Records(u64),
    /// Notes that no file contains.
    Notes,
}

/// The running job and the state of saving.
#[derive(Debug, Default)]
pub struct Jobs {
    pub running: Option<Job>,
    /// Whether the capture is deleted when the program ends.
    temporary: bool,
    /// Whether the user has made notes that no file contains.
    unsaved_notes: bool,
    /// Whether the running export writes those notes.
    export_has_notes: bool,
    /// Whether the program ends when the running export has written its file.
    pub quit_when_saved: bool,
}

impl Jobs {
    /// No job. `temporary` is true if the capture is deleted when the program ends.
    pub fn new(temporary: bool) -> Self {
        Self { temporary, ..Self::default() }
    }

    /// Whether an export runs.
    pub fn is_exporting(&self) -> bool {
        self.running.as_ref().is_some_and(|job| job.name == EXPORT)
    }

    /// Starts a job over `total` records in the place of the running one, which is canceled. Returns the flag that cancels it.
    pub fn start(&mut self, name: &'static str, total: u64) -> Arc<AtomicBool> {
        self.quit_when_saved = false;
        let cancel = Arc::new(AtomicBool::new(false));
        if let Some(before) = self.running.replace(Job { name, progress: (0, total), cancel: Arc::clone(&cancel) }) {
            before.cancel.store(true, Ordering::Relaxed);
        }
        cancel
    }

    /// Starts an export. `has_notes` is true if its file contains all notes; `quit` ends the program after it.
    pub fn start_export(&mut self, total: u64, has_notes: bool, quit: bool) -> Arc<AtomicBool> {
        let cancel = self.start(EXPORT, total);
        self.export_has_notes = has_notes;
        self.quit_when_saved = quit;
        cancel
    }

    /// Cancels the running job. Returns its name, if there is one.
    pub fn cancel(&mut self) -> Option<&'static str> {
        self.quit_when_saved = false;
        let job = self.running.take()?;
        job.cancel.store(true, Ordering::Relaxed);
        Some(job.name)
    }

    /// Takes the progress of a job; one that was canceled is ignored.
    pub fn set_progress(&mut self, name: &'static str, done: u64, total: u64) {
        if let Some(job) = self.running.as_mut().filter(|job| job.name == name) {
            job.progress = (done, total);
        }
    }

    /// The running job has ended.
    pub fn finish(&mut self) {
        self.running = None;
    }

    /// The running export has written its file. Returns true if the program must end now.
    pub fn finish_export(&mut self) -> bool {
        self.running = None;
        self.unsaved_notes &= !self.export_has_notes;
        std::mem::take(&mut self.quit_when_saved)
    }

    /// The user has made a note. A running export may have passed the record already.
    pub const fn note_made(&mut self) {
        (self.unsaved_notes, self.export_has_notes) = (true, false);
    }

    /// The program does not end after the export: it failed, or the user decided otherwise.
    pub const fn stay(&mut self) {
        self.quit_when_saved = false;
    }

    /// What would be lost if the program ended now; `totals` are the counts of the capture.
    pub const fn unsaved(&self, totals: &Totals) -> Option<Unsaved> {
        match (self.temporary && totals.records > 0, self.unsaved_notes) {
            (true, _) => Some(Unsaved::Records(totals.kept())),
            (false, true) => Some(Unsaved::Notes),
            (false, false) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_job_cancels_the_running_one() {
        let mut jobs = Jobs::new(false);
        let find = jobs.start(FIND, 10);
        jobs.set_progress(FIND, 3, 10);
        let export = jobs.start_export(10, true, false);
        assert!(find.load(Ordering::Relaxed) && !export.load(Ordering::Relaxed));
        jobs.set_progress(FIND, 9, 10);
        assert_eq!(jobs.running.as_ref().map(|job| (job.name, job.progress)), Some((EXPORT, (0, 10))));
        assert_eq!((jobs.cancel(), jobs.cancel()), (Some(EXPORT), None));
        assert!(export.load(Ordering::Relaxed));
    }

    #[test]
    fn notes_are_unsaved_until_a_whole_export_that_began_after_them_is_written() {
        let one = Totals { records: 1, ..Totals::default() };
        let mut jobs = Jobs::new(false);
        assert_eq!(jobs.unsaved(&one), None);
        jobs.note_made();
        jobs.start_export(1, true, false);
        jobs.note_made();
        assert!(!jobs.finish_export());
        assert_eq!(jobs.unsaved(&one), Some(Unsaved::Notes));
        jobs.start_export(1, true, true);
        assert!(jobs.finish_export());
        assert_eq!(
            (jobs.unsaved(&one), Jobs::new(true).unsaved(&one), Jobs::new(true).unsaved(&Totals::default())),
            (None, Some(Unsaved::Records(1)), None)
        );
    }
}
