//! Bounds the memory that the buffers of all connections take together.
//!
//! Each connection reports the size of its buffers before it blocks. If their sum exceeds the limit, the connection that has made no
//! progress for the longest time is evicted: its thread is woken, frees the buffers and ends the connection.

use std::collections::HashMap;
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::stream::Stream;
use crate::proto::time::Time;

/// Connections whose buffers are smaller than this many bytes are not evicted: that would free too little.
const MIN_EVICTED: u64 = 64 * 1024;

/// The memory for the buffers of a server's connections.
pub struct MemoryBudget {
    /// The most bytes that all buffers may take.
    limit: u64,
    holders: Mutex<Holders>,
    /// A copy of the sum in `holders`, to read it without the lock.
    total: AtomicU64,
}

#[derive(Default)]
struct Holders {
    by_id: HashMap<u64, Holder>,
    next_id: u64,
    /// The bytes of all connections that are not evicted.
    total: u64,
}

/// A connection in the budget.
struct Holder {
    stream: Arc<Stream>,
    bytes: u64,
    /// True while its thread may be blocked in a write.
    writes: bool,
    shared: Arc<Shared>,
}

/// What a connection's thread reads and writes without the lock.
#[derive(Default)]
struct Shared {
    /// The time of its latest read or write.
    progress: AtomicU64,
    evicted: AtomicBool,
}

/// The share of one connection; dropping it returns its bytes.
pub struct MemoryShare {
    budget: Arc<MemoryBudget>,
    id: u64,
    /// The bytes that were reported last.
    bytes: u64,
    shared: Arc<Shared>,
}

impl MemoryBudget {
    /// A budget of `limit` bytes.
    pub fn new(limit: u64) -> Self {
        Self { limit, holders: Mutex::default(), total: AtomicU64::new(0) }
    }

    /// Adds a connection, without buffers yet.
    pub fn share(self: &Arc<Self>, stream: &Arc<Stream>) -> MemoryShare {
        let shared = Arc::<Shared>::default();
        let holder = Holder { stream: Arc::clone(stream), bytes: 0, writes: false, shared: Arc::clone(&shared) };
        let mut holders = self.lock();
        let id = holders.next_id;
        holders.next_id += 1;
        holders.by_id.insert(id, holder);
        MemoryShare { budget: Arc::clone(self), id, bytes: 0, shared }
    }

    fn lock(&self) -> MutexGuard<'_, Holders> {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the bytes of a connection, and evicts connections until the rest is within the limit.
    fn set(&self, id: u64, bytes: u64) {
        let mut holders = self.lock();
        holders.set(id, bytes);
        while holders.total > self.limit {
            // If its own buffers exceed the limit, evicting others would not help.
            let victim = if bytes > self.limit { Some(id) } else { holders.oldest() };
            let Some(victim) = victim.filter(|victim| holders.evict(*victim)) else { break };
            if victim == id {
                break;
            }
        }
        self.total.store(holders.total, Ordering::Relaxed);
    }
}

impl Holders {
    fn set(&mut self, id: u64, bytes: u64) {
        let Some(holder) = self.by_id.get_mut(&id) else { return };
        let before = std::mem::replace(&mut holder.bytes, bytes);
        if !holder.shared.is_evicted() {
            self.total = self.total - before + bytes;
        }
    }

    /// The connection to evict next: that whose latest progress is the oldest.
    fn oldest(&self) -> Option<u64> {
        let large = self.by_id.iter().filter(|(_, holder)| holder.bytes >= MIN_EVICTED && !holder.shared.is_evicted());
        large.min_by_key(|(id, holder)| (holder.shared.progress.load(Ordering::Relaxed), **id)).map(|(id, _)| *id)
    }

    /// Evicts a connection: wakes its thread. Returns false if it was evicted before.
    fn evict(&mut self, id: u64) -> bool {
        let Some(holder) = self.by_id.get(&id).filter(|holder| !holder.shared.is_evicted()) else { return false };
        holder.shared.evicted.store(true, Ordering::SeqCst);
        self.total -= holder.bytes;
        // A thread that waits in a read can still send a Close. The peer of one that waits in a write takes no bytes.
        let how = if holder.writes { Shutdown::Both } else { Shutdown::Read };
        // This fails for a connection that is already lost, whose thread needs no waking.
        let _ = holder.stream.shutdown(how);
        true
    }
}

impl Shared {
    fn is_evicted(&self) -> bool {
        self.evicted.load(Ordering::SeqCst)
    }
}

impl MemoryShare {
    /// Notes that the connection read or wrote bytes at this time.
    #[inline]
    pub fn progressed(&self, now: Time) {
        self.shared.progress.store(now.0, Ordering::Relaxed);
    }

    /// Reports how many bytes the buffers of the connection take. May evict connections, also this one.
    #[inline]
    pub fn set(&mut self, bytes: u64) {
        if bytes != self.bytes {
            self.bytes = bytes;
            self.budget.set(self.id, bytes);
        }
    }

    /// Returns true after the connection was evicted: it must free its buffers and end.
    #[inline]
    pub fn is_evicted(&self) -> bool {
        self.shared.is_evicted()
    }

    /// Returns true if the buffers of all connections take more than half of the limit. Then empty buffers must be freed before the
    /// connection waits, so that idle connections alone never exceed the limit.
    #[inline]
    pub fn is_scarce(&self) -> bool {
        self.budget.total.load(Ordering::Relaxed) > self.budget.limit / 2
    }

    /// Runs a write that may block; an eviction interrupts it. Returns `None` if the connection was evicted before.
    pub fn write<T>(&self, write: impl FnOnce() -> T) -> Option<T> {
        self.set_writes(true);
        // Evicted before `writes` was set: nothing would interrupt the write.
        let written = (!self.is_evicted()).then(write);
        self.set_writes(false);
        written
    }

    fn set_writes(&self, writes: bool) {
        if let Some(holder) = self.budget.lock().by_id.get_mut(&self.id) {
            holder.writes = writes;
        }
    }
}

impl Drop for MemoryShare {
    fn drop(&mut self) {
        let mut holders = self.budget.lock();
        holders.set(self.id, 0);
        holders.by_id.remove(&self.id);
        self.budget.total.store(holders.total, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    const MB: u64 = 1 << 20;

    /// Connections in a budget; the last progress of connection `i` was at time `i`.
    fn shares(limit: u64, count: u64) -> (Vec<MemoryShare>, Vec<TcpStream>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let budget = Arc::new(MemoryBudget::new(limit));
        let connected = |i| {
            let peer = TcpStream::connect(address).expect("a connection");
            peer.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
            let share = budget.share(&Arc::new(Stream::tcp(listener.accept().expect("the connection").0)));
            share.progressed(Time(i));
            (share, peer)
        };
        (0..count).map(connected).unzip()
    }

    fn evicted(shares: &[MemoryShare]) -> Vec<bool> {
        shares.iter().map(MemoryShare::is_evicted).collect()
    }

    #[test]
    fn the_oldest_large_connections_are_evicted_until_the_rest_fits() {
        let (mut shares, _peers) = shares(10 * MB, 4);
        shares[0].set(MIN_EVICTED - 1);
        shares[1].set(4 * MB);
        shares[2].set(4 * MB);
        assert_eq!((evicted(&shares), shares[3].is_scarce()), (vec![false; 4], true));
        shares[3].set(3 * MB);
        assert_eq!(evicted(&shares), [false, true, false, false]);
        // The bytes of an evicted connection do not count, whatever it reports.
        shares[1].set(9 * MB);
        shares[3].set(5 * MB);
        assert_eq!(evicted(&shares), [false, true, false, false]);
        shares[2].progressed(Time(9));
        shares[2].set(6 * MB);
        assert_eq!(evicted(&shares), [false, true, false, true]);
        let budget = Arc::clone(&shares[0].budget);
        drop(shares);
        let holders = budget.lock();
        assert_eq!((holders.total, holders.by_id.len(), budget.total.load(Ordering::Relaxed)), (0, 0, 0));
    }

    #[test]
    fn a_connection_over_the_limit_alone_is_evicted_itself() {
        let (mut shares, _peers) = shares(10 * MB, 2);
        shares[0].set(4 * MB);
        shares[1].set(10 * MB + 1);
        assert_eq!(evicted(&shares), [false, true]);
    }

    #[test]
    fn an_eviction_wakes_a_thread_that_reads() {
        let (mut shares, _peers) = shares(MB, 2);
        let stream = Arc::clone(&shares[0].budget.lock().by_id[&shares[0].id].stream);
        let reads = std::thread::spawn(move || stream.read(&mut [0; 8]));
        shares[0].set(MB / 2);
        shares[1].set(MB / 2 + 1);
        assert_eq!(reads.join().expect("no panic").expect("the end of the input"), 0);
    }

    #[test]
    fn an_eviction_wakes_a_thread_that_writes() {
        let (mut shares, _peers) = shares(MB, 2);
        let mut other = shares.pop().expect("two connections");
        let mut writer = shares.pop().expect("two connections");
        let stream = Arc::clone(&writer.budget.lock().by_id[&writer.id].stream);
        writer.set(MB / 2);
        let (begun, has_begun) = std::sync::mpsc::channel();
        let writes = std::thread::spawn(move || {
            let written = writer.write(|| {
                begun.send(()).expect("a receiver");
                // More than the socket and the peer buffer.
                (0..64).try_for_each(|_| stream.write(&vec![0; 1 << 20]).map(drop))
            });
            (written.map(|written| written.map_err(|e| e.kind())), writer.write(|| ()))
        });
        has_begun.recv().expect("the thread writes");
        other.set(MB / 2 + 1);
        assert_eq!(writes.join().expect("no panic"), (Some(Err(ErrorKind::BrokenPipe)), None));
    }
}
