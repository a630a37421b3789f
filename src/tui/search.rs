//! The search job: searches in the background and reports its progress.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use super::event::{Remote, Report};
use super::state::jobs::FIND;
use crate::capture::query::search::{self, Pattern, Toward};
use crate::capture::store::Capture;

/// Time between two progress reports.
const PROGRESS: Duration = Duration::from_millis(100);

/// Starts the search from a record on; it reports the first match, unless it is canceled.
pub fn start(capture: Capture, pattern: Pattern, from: u64, toward: Toward, cancel: Arc<AtomicBool>, remote: Remote) {
    thread::spawn(move || {
        let searched = Arc::new(AtomicU64::new(0));
        let total = capture.totals().kept();
        let (done, ended) = channel::<()>();
        let progress = {
            let (searched, remote) = (Arc::clone(&searched), remote.clone());
            thread::spawn(move || report_progress(&ended, &searched, total, &remote))
        };
        let hit = search::find(&capture, &pattern, from, toward, &searched, &cancel);
        drop(done);
        let _ = progress.join();
        if !cancel.load(Ordering::Relaxed) {
            remote.report(Report::Found(hit));
        }
    });
}

/// Reports the progress until the other end of `ended` is dropped.
fn report_progress(ended: &Receiver<()>, searched: &AtomicU64, total: u64, remote: &Remote) {
    while ended.recv_timeout(PROGRESS) == Err(RecvTimeoutError::Timeout) {
        remote.report(Report::Progress { job: FIND, done: searched.load(Ordering::Relaxed), total });
    }
}
