//! The search job: searches in the background, reports its progress, and then counts the matches.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::event::{Remote, Report};
use super::state::jobs::FIND;
use crate::capture::query::search::{self, Pattern, Start, Toward};
use crate::capture::store::Capture;

/// Starts the search; it reports the first match, unless it is canceled. After a match, it reports which records
/// after number `counted` match.
pub fn start(
    capture: Capture,
    pattern: Pattern,
    (from, toward): (Start, Toward),
    counted: u64,
    cancel: Arc<AtomicBool>,
    remote: Remote,
) {
    thread::spawn(move || {
        let searched = AtomicU64::new(0);
        let total = capture.totals().kept();
        let progress = || (searched.load(Ordering::Relaxed), total);
        let hit =
            remote.report_while(FIND, progress, || search::find(&capture, &pattern, from, toward, &searched, &cancel));
        if cancel.load(Ordering::Relaxed) {
            return;
        }
        remote.report(Report::Found(hit));
        let to = capture.len();
        if hit.is_some() && to > counted {
            let numbers = search::matching(&capture, &pattern, counted + 1..to + 1, &cancel);
            if !cancel.load(Ordering::Relaxed) {
                remote.report(Report::Counted { pattern, after: counted, numbers, to });
            }
        }
    });
}
