//! The sending half: messages become compressed payloads (RFC 7692 §7.2.1).

use flate2::{Compress, Compression, FlushCompress};

use super::TAIL;

/// An empty message (RFC 7692 §7.2.3.6): one empty block of stored bytes, without its tail.
const EMPTY: u8 = 0x00;

/// Compresses the messages of one direction.
#[derive(Debug)]
pub struct Deflater {
    stream: Compress,
    takeover: bool,
}

impl Deflater {
    /// A deflater that refers back over at most 2^`window_bits` bytes, 9 to 15 (RFC 7692 §7.1.2), and with `takeover` over
    /// the ends of messages (§7.1.1).
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
            // Compressing has no errors but those of wrong use.
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
