//! Compresses messages (RFC 7692 §7.2.1).

use flate2::{Compress, Compression, FlushCompress};

use super::TAIL;

/// A compressed empty message: an empty stored block without its tail (RFC 7692 §7.2.3.6).
const EMPTY: u8 = 0x00;

/// Compresses the messages of one direction.
#[derive(Debug)]
pub struct Deflater {
    stream: Compress,
    takeover: bool,
}

impl Deflater {
    /// Creates a deflater with a window of 2^`window_bits` bytes; values outside 9 to 15 are clamped (RFC 7692 §7.1.2).
    /// With `takeover`, messages may refer to earlier ones (§7.1.1).
    pub fn new(window_bits: u8, takeover: bool) -> Self {
        let stream = Compress::new_with_window_bits(Compression::default(), false, window_bits.clamp(9, 15));
        Self { stream, takeover }
    }

    /// Appends the compressed message to `out` (RFC 7692 §7.2.1).
    pub fn message(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        if payload.is_empty() {
            out.push(EMPTY);
            return;
        }
        let begun = self.stream.total_in();
        loop {
            out.reserve((payload.len() / 4).max(256));
            let taken = (self.stream.total_in() - begun) as usize;
            // Compression fails only on incorrect use of the library.
            let _ = self.stream.compress_vec(&payload[taken..], out, FlushCompress::Sync);
            if out.len() < out.capacity() && (self.stream.total_in() - begun) as usize == payload.len() {
                break;
            }
        }
        out.truncate(out.strip_suffix(&TAIL).map_or(out.len(), <[u8]>::len));
        if !self.takeover {
            self.stream.reset();
        }
    }
}
