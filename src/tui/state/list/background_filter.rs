//! A filter that reads payloads or heads, and therefore runs on a thread of its own.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::super::shown_connections::FilteredConnections;
use super::rows::select;
use crate::capture::query::filter::{ConnectionSet, Filter, FilterEvaluator};
use crate::capture::query::selection::SelectedRecords;
use crate::capture::store::Capture;

/// Longest time between two batches of matches, so that the screen shows progress.
const BATCH_TIME: Duration = Duration::from_millis(60);

/// A filter that a background thread runs, and the matches that the screen has not taken yet.
#[derive(Debug)]
pub struct BackgroundFilter {
    filter: Filter,
    progress: Mutex<Progress>,
    /// Notified when the capture may have grown, and when the filter is dropped.
    wake: Condvar,
    stop: AtomicBool,
}

#[derive(Debug, Default)]
struct Progress {
    /// Numbers of matching records that the screen has not taken yet, in order.
    matches: Vec<u64>,
    looked_at: u64,
    connections: ConnectionSet,
    error: Option<io::Error>,
}

impl BackgroundFilter {
    /// Prepares the filter; [`Self::run`] runs it.
    pub fn new(filter: Filter) -> Self {
        Self { filter, progress: Mutex::default(), wake: Condvar::new(), stop: AtomicBool::new(false) }
    }

    /// Filters the capture, and new records as they arrive, until [`Self::stop`] is called or reading fails. Calls `show`
    /// when there is a batch to take.
    pub fn run(&self, capture: &Capture, show: impl Fn()) {
        let mut evaluator = FilterEvaluator::new(&self.filter, capture);
        let mut selection = SelectedRecords::default();
        let mut sent = 0;
        while !self.is_stopped() {
            let start = Instant::now();
            let whole = evaluator.extend(&mut selection, |_| !self.is_stopped() && start.elapsed() < BATCH_TIME);
            let mut progress = self.progress();
            progress.matches.extend((sent..selection.len()).filter_map(|row| selection.number(row)));
            progress.looked_at = selection.looked_at();
            if progress.connections.count() != evaluator.connections().count() {
                progress.connections = evaluator.connections().clone();
            }
            selection.evict_before(capture.first());
            sent = selection.len();
            let whole = match whole {
                Ok(whole) => whole,
                Err(e) => {
                    progress.error = Some(e);
                    drop(progress);
                    return show();
                }
            };
            show();
            while whole && capture.len() == progress.looked_at && !self.is_stopped() {
                progress = self.wake.wait(progress).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Ends [`Self::run`].
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        // The lock makes sure that the thread is not between its check of `stop` and its wait.
        let _progress = self.progress();
        self.wake.notify_all();
    }

    /// Adds the matches found since the last call, and wakes the thread to look at new records.
    ///
    /// # Errors
    /// Why the filter has stopped.
    pub fn take(
        &self,
        capture: &Capture,
        matches: &mut SelectedRecords,
        connections: &mut FilteredConnections,
    ) -> io::Result<()> {
        let mut progress = self.progress();
        for no in std::mem::take(&mut progress.matches) {
            // Records that were evicted meanwhile were passed at the eviction.
            if no > matches.looked_at() {
                select(matches, no);
            }
        }
        matches.pass(progress.looked_at);
        connections.update(&progress.connections, capture);
        self.wake.notify_all();
        progress.error.take().map_or(Ok(()), Err)
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
