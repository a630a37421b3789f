//! A wiretap reports to the recorder of one connection which bytes crossed, in which direction, and when.
//!
//! It knows nothing of sockets: whatever reads and writes the bytes of a connection holds a wiretap and calls it. Clones
//! report to the same connection, so that each of several threads can hold one.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::tls::failure;
use crate::capture::format::proxied::Proxied;
use crate::capture::live::recorder::{Chunk, ConnectionRecorder};
use crate::capture::store::Capture;
use crate::proto::dissected::{Direction, EndReason, Loss, Missing};
use crate::proto::time::Time;

/// What is known about the record that bytes belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The note on the record that contains the last of them.
    pub note: String,
    /// What a proxy did with the record that contains the first.
    pub proxied: Option<Proxied>,
}

impl Remark {
    /// A note alone.
    pub const fn note(note: String) -> Self {
        Self { note, proxied: None }
    }

    /// A note on what a proxy did.
    pub const fn proxied(how: Proxied, note: String) -> Self {
        Self { note, proxied: Some(how) }
    }
}

/// Reports the bytes of one connection to its recorder.
#[derive(Clone)]
pub struct Wiretap {
    recorder: ConnectionRecorder,
    /// The latest time that any clone returned, in nanoseconds since 1970.
    latest: Arc<AtomicU64>,
}

impl Wiretap {
    /// A wiretap that reports to `recorder`.
    pub fn new(recorder: ConnectionRecorder) -> Self {
        Self { recorder, latest: Arc::default() }
    }

    /// The time now. It is never earlier than a time returned before, even when the system's clock is set back.
    pub fn now(&self) -> Time {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        Time(now.max(self.latest.fetch_max(now, Ordering::Relaxed)))
    }

    /// Reports bytes, in the order in which they crossed. They are part of the capture when this returns.
    pub fn crossed(&self, chunks: &[Chunk<'_>]) {
        self.recorder.record(chunks);
    }

    /// Reports bytes, in the order in which they crossed. They are part of the capture at most 5 ms later.
    pub fn crossed_soon(&self, chunks: &[Chunk<'_>]) {
        self.recorder.record_soon(chunks);
    }

    /// Reports bytes, with a remark on their record. They are part of the capture with the next call of [`Self::crossed`], or at most
    /// 5 ms after the next of [`Self::crossed_soon`].
    pub fn crossed_with(&self, chunk: Chunk<'_>, remark: &Remark) {
        if let Some(how) = remark.proxied {
            self.recorder.proxied_next(chunk.direction, how);
        }
        self.recorder.record_with_note(chunk, &remark.note);
    }

    /// Reports what a proxy did with a record that is part of the capture.
    pub fn proxied(&self, no: u64, how: Proxied) {
        self.recorder.proxied(no, how);
    }

    /// The number of the connection in the capture; `None` until bytes of it are part of the capture.
    pub fn number(&self) -> Option<u32> {
        self.recorder.number()
    }

    /// The capture; `None` after the end of the recording.
    pub fn capture(&self) -> Option<Capture> {
        self.recorder.capture()
    }

    /// Adds a notice to the capture, in one line for people.
    pub fn notice(&self, line: &str) {
        self.recorder.notice(line);
    }

    /// Puts a note on a record that is part of the capture.
    pub fn note(&self, no: u64, note: &str) {
        self.recorder.note(no, note);
    }

    /// Reports that the receiver of a direction gets something else than what crosses, from now on.
    pub fn altered(&self, direction: Direction) {
        self.recorder.alter(direction, self.now());
    }

    /// A wiretap for what the two sides of this connection receive, where that is not what was sent.
    pub fn delivered(&self, client: SocketAddr, server: SocketAddr) -> Option<Self> {
        let recorder = self.recorder.delivered(client, server)?;
        Some(Self { recorder, latest: Arc::clone(&self.latest) })
    }

    /// Reports that a peer ended its direction of a TLS connection now, without announcing that (RFC 8446 §6.1). `error` is that of the
    /// read: see [`super::stream::is_tls_over`].
    pub fn truncated(&self, direction: Direction, error: &io::Error) {
        self.notice(&failure::unannounced_end(direction.sender(), error));
        self.ended(direction, EndReason::Fin);
    }

    /// Reports that the next `bytes` of a direction crossed until now and are not kept, and why.
    pub fn not_kept(&self, direction: Direction, bytes: u64, loss: Loss) {
        self.recorder.gap(direction, Missing { bytes, loss }, self.now());
    }

    /// Reports that the bytes from here on are decrypted: see [`ConnectionRecorder::decrypted`].
    pub fn decrypted(&self, client: bool, server: bool) {
        self.recorder.decrypted_from_here(client, server, self.now());
    }

    /// Reports that a direction ended now. The first reported end of a direction counts.
    pub fn ended(&self, direction: Direction, how: EndReason) {
        self.recorder.end(direction, how, self.now());
    }

    /// Reports that a side reset the connection now, which ends both directions.
    pub fn reset(&self, by: Direction) {
        self.recorder.reset(by, self.now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::live::recorder::Recorder;
    use crate::capture::live::spool::Spool;

    #[test]
    fn times_never_go_back_across_clones_and_threads() {
        let folder = tempfile::tempdir().expect("a folder");
        let recorder = Recorder::new(Spool::temporary_in(folder.path()).expect("a spool"));
        let address = "127.0.0.1:6455".parse().expect("an address");
        let wiretap = Wiretap::new(recorder.connection(address, address));
        let other = wiretap.clone();
        let earlier = std::thread::spawn(move || other.now()).join().expect("a time");
        assert!(wiretap.now() >= earlier);
        // As if the clock had been set back by a year since the latest time.
        let ahead = wiretap.now().0 + 365 * 86_400 * 1_000_000_000;
        wiretap.latest.store(ahead, Ordering::Relaxed);
        assert_eq!(wiretap.clone().now(), Time(ahead));
    }
}
