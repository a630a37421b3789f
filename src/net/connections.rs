//! The open connections, so that the server can end them all.

use std::collections::HashMap;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// All connections of a server.
#[derive(Default)]
pub struct Connections {
    open: Mutex<Open>,
    /// A connection has gone.
    gone: Condvar,
    stopping: Arc<AtomicBool>,
}

#[derive(Default)]
struct Open {
    streams: HashMap<u64, Arc<TcpStream>>,
    next: u64,
}

/// One connection's entry; it goes when this is dropped.
pub struct Entry {
    connections: Arc<Connections>,
    id: u64,
}

impl Connections {
    /// Set from the moment that the server shuts down.
    pub fn stopping(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stopping)
    }

    /// Whether the server shuts down.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Enters a connection; none while the server shuts down.
    pub fn enter(self: &Arc<Self>, stream: &Arc<TcpStream>) -> Option<Entry> {
        let mut open = self.lock();
        if self.is_stopping() {
            return None;
        }
        let id = open.next;
        open.next += 1;
        open.streams.insert(id, Arc::clone(stream));
        Some(Entry { connections: Arc::clone(self), id })
    }

    /// How many are open.
    pub fn count(&self) -> usize {
        self.lock().streams.len()
    }

    /// Wakes every connection's thread from its wait for input; each says goodbye and ends.
    pub fn stop(&self) {
        let open = self.lock();
        self.stopping.store(true, Ordering::SeqCst);
        for stream in open.streams.values() {
            // One that is gone already needs no waking.
            let _ = stream.shutdown(Shutdown::Read);
        }
    }

    /// Ends the connections whose threads are still writing to peers that do not read.
    pub fn cut(&self) {
        for stream in self.lock().streams.values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Waits until all are gone; whether they are.
    pub fn wait(&self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        let mut open = self.lock();
        while !open.streams.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            open = self.gone.wait_timeout(open, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.connections.lock().streams.remove(&self.id);
        self.connections.gone.notify_all();
    }
}
