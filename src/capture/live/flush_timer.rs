//! The timer that ends the waiting of what connections hold back to write less often. It spares them a timer of their own
//! around each read.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use super::connection_recorder::Recording;

/// How long what a connection holds may wait for more of it before it is written.
const LINGER: Duration = Duration::from_millis(5);

/// A recording that both its connection and the timer reach; none when nobody records it any more.
pub(in crate::capture) type Shared = Arc<Mutex<Option<Recording>>>;

/// Writes what the connections that it watches hold, when it gets old. Clones watch for the same.
#[derive(Clone, Default)]
pub(in crate::capture) struct Linger(Arc<Mutex<Watched>>);

#[derive(Default)]
struct Watched {
    recordings: Vec<Weak<Mutex<Option<Recording>>>>,
    /// A thread looks after them; it goes when there are none.
    running: bool,
}

impl Linger {
    /// Watches a recording, which must not be watched already, until it holds nothing.
    pub fn watch(&self, recording: &Shared) {
        let mut watched = lock(&self.0);
        watched.recordings.push(Arc::downgrade(recording));
        if !watched.running {
            let linger = self.clone();
            // Without a thread it is written with the next thing said, or at the end.
            watched.running = thread::Builder::new().name("linger".to_owned()).spawn(move || linger.run()).is_ok();
        }
    }

    fn run(&self) {
        loop {
            // What is there at two looks in a row is between one and two halves old.
            thread::sleep(LINGER / 2);
            let mut recordings = {
                let mut watched = lock(&self.0);
                watched.running = !watched.recordings.is_empty();
                if !watched.running {
                    return;
                }
                std::mem::take(&mut watched.recordings)
            };
            // Outside the lock, in which connections wait for nobody.
            recordings.retain(|recording| {
                let Some(recording) = recording.upgrade() else { return false };
                lock(&recording).as_mut().is_some_and(Recording::look_after)
            });
            lock(&self.0).recordings.append(&mut recordings);
        }
    }
}

/// A thread that panicked while it held the lock has spoilt nothing that matters more than going on.
pub(in crate::capture) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
