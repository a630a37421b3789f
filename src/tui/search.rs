//! The search job: searches in the background and reports its progress.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::event::{Remote, Report};
use super::state::jobs::FIND;
use crate::capture::query::search::{self, Pattern, Toward};
use crate::capture::store::Capture;

/// Starts the search from a record on; it reports the first match, unless it is canceled.
pub fn start(capture: Capture, pattern: Pattern, from: u64, toward: Toward, cancel: Arc<AtomicBool>, remote: Remote) {
    thread::spawn(move || {
        let searched = AtomicU64::new(0);
        let total = capture.totals().kept();
        let progress = || (searched.load(Ordering::Relaxed), total);
        let hit =
            remote.report_while(FIND, progress, || search::find(&capture, &pattern, from, toward, &searched, &cancel));
        if !cancel.load(Ordering::Relaxed) {
            remote.report(Report::Found(hit));
        }
    });
}
