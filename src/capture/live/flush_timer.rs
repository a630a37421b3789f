//! The timer that ends the waiting of batched bytes, so that connections need no timer of their own around each read.

use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::Duration;

use super::writer::lock;

/// How long a batch may wait for more bytes before it is committed.
const MAX_AGE: Duration = Duration::from_millis(5);

/// A batch that the timer commits when it gets old.
pub(in crate::capture) trait Flush: Send + Sync {
    /// Commits what was already batched at the previous call. Returns true if the timer must call again.
    fn flush_old(&self) -> bool;
}

/// Commits old batches on a thread of its own. Clones are the same timer.
#[derive(Clone, Default)]
pub(in crate::capture) struct FlushTimer(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    batches: Vec<Weak<dyn Flush>>,
    /// Whether the thread runs; it ends when no batch waits.
    running: bool,
}

impl FlushTimer {
    /// Calls a batch until it returns false. It must not be waiting already.
    pub fn watch(&self, batch: Weak<dyn Flush>) {
        let mut waiting = lock(&self.0);
        waiting.batches.push(batch);
        if !waiting.running {
            let timer = self.clone();
            // Without a thread the batch is committed with the connection's next bytes, or at its end.
            waiting.running = thread::Builder::new().name("flush".to_owned()).spawn(move || timer.run()).is_ok();
        }
    }

    fn run(&self) {
        loop {
            // A batch that exists at two calls in a row is between one half and one whole delay old.
            thread::sleep(MAX_AGE / 2);
            let mut batches = {
                let mut waiting = lock(&self.0);
                waiting.running = !waiting.batches.is_empty();
                if !waiting.running {
                    return;
                }
                std::mem::take(&mut waiting.batches)
            };
            // Without the lock, so that no connection waits for another one's commit here.
            batches.retain(|batch| batch.upgrade().is_some_and(|batch| batch.flush_old()));
            lock(&self.0).batches.append(&mut batches);
        }
    }
}
