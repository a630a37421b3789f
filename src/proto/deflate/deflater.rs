//! Compresses messages (RFC 7692 §7.2.1).

use flate2::{Compress, FlushCompress};

use super::TAIL;
use crate::zlib::Leased;

/// A compressed empty message: an empty stored block without its tail (RFC 7692 §7.2.3.6).
const EMPTY: u8 = 0x00;

/// Compresses the messages of one direction.
pub struct Deflater {
    /// Set between messages if it may be kept.
    stream: Option<Leased<Compress>>,
    window_bits: u8,
    takeover: bool,
    /// Without `stream`: the bytes that the next message may refer to.
    window: Vec<u8>,
}

impl Deflater {
    /// Creates a deflater with a window of 2^`window_bits` bytes; values outside 9 to 15 are clamped (RFC 7692 §7.1.2).
    /// With `takeover`, messages may refer to earlier ones (§7.1.1).
    pub fn new(window_bits: u8, takeover: bool) -> Self {
        Self { stream: None, window_bits: window_bits.clamp(9, 15), takeover, window: Vec::new() }
    }

    /// Appends the compressed message to `out` (RFC 7692 §7.2.1).
    pub fn message(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        if payload.is_empty() {
            out.push(EMPTY);
            return;
        }
        let stream = self.compress(payload, out);
        self.keep(stream, payload);
    }

    /// Appends one fragment of a message to `out`, compressed: what is inflated up to its end is the message up to there (RFC 7692 §7.2.1
    /// allows to flush between fragments).
    pub fn fragment(&mut self, payload: &[u8], is_last: bool, out: &mut Vec<u8>) {
        if is_last {
            self.message(payload, out);
        } else if !payload.is_empty() {
            self.message(payload, out);
            out.extend_from_slice(&TAIL);
        }
    }

    /// Keeps the stream after a message for the next one, or the window.
    fn keep(&mut self, mut stream: Leased<Compress>, payload: &[u8]) {
        if stream.may_be_kept() {
            self.stream = Some(stream);
            self.window = Vec::new();
        } else if self.takeover {
            self.extend_window(payload);
        }
    }

    /// Compresses a message; returns the stream.
    pub(super) fn compress(&mut self, payload: &[u8], out: &mut Vec<u8>) -> Leased<Compress> {
        let mut stream = self.take_stream();
        flush(&mut stream, payload, out);
        strip_tail(out);
        if !self.takeover {
            stream.reset();
        }
        stream
    }

    /// The stream that was kept, or a new one that may refer to the window.
    fn take_stream(&mut self) -> Leased<Compress> {
        self.stream.take().unwrap_or_else(|| {
            let mut stream = Leased::<Compress>::take(self.window_bits);
            if !self.window.is_empty() {
                // A raw stream accepts any dictionary at its start.
                let _ = stream.set_dictionary(&self.window);
            }
            stream
        })
    }

    /// Appends a message to the window, whose stream was dropped.
    pub(super) fn extend_window(&mut self, payload: &[u8]) {
        let most = 1 << self.window_bits;
        let latest = &payload[payload.len().saturating_sub(most)..];
        let excess = (self.window.len() + latest.len()).saturating_sub(most);
        self.window.drain(..excess);
        self.window.extend_from_slice(latest);
    }
}

/// Compresses bytes, and flushes the stream.
fn flush(stream: &mut Leased<Compress>, payload: &[u8], out: &mut Vec<u8>) {
    let begun = stream.total_in();
    loop {
        out.reserve((payload.len() / 4).max(256));
        let taken = (stream.total_in() - begun) as usize;
        // Compression fails only on incorrect use of the library.
        let _ = stream.compress_vec(&payload[taken..], out, FlushCompress::Sync);
        if out.len() < out.capacity() && (stream.total_in() - begun) as usize == payload.len() {
            return;
        }
    }
}

/// Removes the end that the receiver adds (RFC 7692 §7.2.1).
fn strip_tail(out: &mut Vec<u8>) {
    out.truncate(out.strip_suffix(&TAIL).map_or(out.len(), <[u8]>::len));
}
