//! Makes a stream valid UTF-8, so that a message in another encoding does not end the reading of the file.

use std::io::{self, Read};

/// How much is read at once, in bytes.
const PIECE: usize = 64 * 1024;

/// A stream whose invalid bytes are replaced by U+FFFD.
pub struct Utf8<R> {
    stream: R,
    /// Bytes that were read. After a character that continues in the next piece, its beginning.
    raw: Vec<u8>,
    /// Valid bytes that were not handed on yet.
    valid: Vec<u8>,
    at: usize,
}

impl<R: Read> Utf8<R> {
    pub const fn new(stream: R) -> Self {
        Self { stream, raw: Vec::new(), valid: Vec::new(), at: 0 }
    }

    /// Reads the next piece. Returns false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        self.at = 0;
        self.valid.clear();
        let begun = self.raw.len();
        self.raw.resize(begun + PIECE, 0);
        let read = self.stream.read(&mut self.raw[begun..]);
        self.raw.truncate(begun + *read.as_ref().unwrap_or(&0));
        let is_end = read? == 0;
        let mut kept = 0;
        let mut chunks = self.raw.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            self.valid.extend_from_slice(chunk.valid().as_bytes());
            let invalid = chunk.invalid();
            if chunks.peek().is_none() && !is_end && continues(invalid) {
                kept = invalid.len();
            } else if !invalid.is_empty() {
                self.valid.extend_from_slice("\u{fffd}".as_bytes());
            }
        }
        self.raw.drain(..self.raw.len() - kept);
        Ok(!is_end)
    }
}

/// Returns true if these bytes, which are not valid, can become a character with more bytes.
fn continues(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

impl<R: Read> Read for Utf8<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.valid.len() && self.fill()? {}
        let left = &self.valid[self.at..];
        let len = left.len().min(buffer.len());
        buffer[..len].copy_from_slice(&left[..len]);
        self.at += len;
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A stream that gives these bytes in pieces of a size.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let len = self.1.min(buffer.len()).min(self.0.len());
            buffer[..len].copy_from_slice(&self.0[..len]);
            self.0 = &self.0[len..];
            Ok(len)
        }
    }

    proptest! {
        #[test]
        fn a_stream_in_pieces_becomes_what_its_whole_becomes(
            bytes in proptest::collection::vec(prop_oneof![any::<u8>(), 0xc0u8..=0xff, 0x80u8..0xc0], 0..40),
            size in 1usize..6,
        ) {
            let mut read = Vec::new();
            Utf8::new(Pieces(&bytes, size)).read_to_end(&mut read).expect("read");
            prop_assert_eq!(String::from_utf8(read).expect("UTF-8"), String::from_utf8_lossy(&bytes));
        }
    }
}
