//! The open connections of a listener, so that it can end them all.

use std::collections::HashMap;
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::stream::Stream;

/// The open connections of a listener, and those that its service opened.
#[derive(Default)]
pub struct OpenConnections {
    open: Mutex<Streams>,
    /// Notified when a connection is removed.
    removed: Condvar,
    shutting_down: Arc<AtomicBool>,
}

#[derive(Default)]
struct Streams {
    by_id: HashMap<u64, Arc<Stream>>,
    next_id: u64,
}

/// Keeps a connection among the open ones; dropping it removes the connection.
pub struct OpenGuard {
    connections: Arc<OpenConnections>,
    id: u64,
}

impl OpenConnections {
    /// A flag that is true from the moment the listener begins to shut down.
    pub fn shutting_down(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.shutting_down)
    }

    /// Returns true if the listener is shutting down.
    pub fn is_shutting_down(&self) -> bool {
        self.shutting_down.load(Ordering::SeqCst)
    }

    /// Adds a connection. Returns `None` if the listener is shutting down.
    pub fn add(self: &Arc<Self>, stream: &Arc<Stream>) -> Option<OpenGuard> {
        let mut open = self.lock();
        if self.is_shutting_down() {
            return None;
        }
        let id = open.next_id;
        open.next_id += 1;
        open.by_id.insert(id, Arc::clone(stream));
        Some(OpenGuard { connections: Arc::clone(self), id })
    }

    /// Begins the shutdown: wakes every connection's thread from its read, upon which it ends the connection.
    pub fn shut_down(&self) {
        let open = self.lock();
        self.shutting_down.store(true, Ordering::SeqCst);
        for stream in open.by_id.values() {
            // This fails for a connection that is already lost, whose thread needs no waking.
            let _ = stream.shutdown(Shutdown::Read);
        }
    }

    /// Cuts all connections, so that threads that still write to peers that do not read end too.
    pub fn cut(&self) {
        for stream in self.lock().by_id.values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Waits until no connection is open. Returns false if some still are after `timeout`.
    pub fn wait(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let mut open = self.lock();
        while !open.by_id.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            open = self.removed.wait_timeout(open, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, Streams> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OpenGuard {
    fn drop(&mut self) {
        self.connections.lock().by_id.remove(&self.id);
        self.connections.removed.notify_all();
    }
}
