//! permessage-deflate: the compressed payload of messages (RFC 7692 §7.2, RFC 1951).

mod deflater;

use std::ops::ControlFlow;

use zlib_rs::{Inflate, InflateFlush, Status};

pub use self::deflater::Deflater;

/// How far back compressed bytes may refer, in bytes (RFC 1951 §2).
pub const WINDOW: usize = 32 * 1024;

/// The same in bits.
pub const MAX_WINDOW_BITS: u8 = 15;

/// The end that every compressed message lacks on the wire (RFC 7692 §7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// The same, and a byte that is no part of it.
const TAIL_AND_MORE: [u8; 5] = [0x00, 0x00, 0xff, 0xff, 0x00];

/// The first size of an inflater's buffer, in bytes: many quiet connections stay cheap.
const FIRST_BUFFER: usize = 4 * 1024;

/// The bytes are no DEFLATE stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidDeflate {
    /// Position of the first byte that makes it so in the bytes given; their number, when what is missing is at fault.
    pub at: usize,
}

/// Inflates the messages of one direction. What it remembers goes on from message to message, until it is reset.
pub struct Inflater {
    stream: Inflate,
    /// What was inflated last: at least the latest [`WINDOW`] bytes before `end`, when there were so many.
    buffer: Vec<u8>,
    end: usize,
    /// Whether nothing was given to `stream` since it was made anew.
    fresh: bool,
}

impl std::fmt::Debug for Inflater {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inflater").field("window", &self.window().len()).finish_non_exhaustive()
    }
}

impl Default for Inflater {
    fn default() -> Self {
        Self { stream: Inflate::new(false, MAX_WINDOW_BITS), buffer: vec![0; FIRST_BUFFER], end: 0, fresh: true }
    }
}

impl Inflater {
    /// An inflater that goes on where another one had `window` behind it, between two messages.
    pub fn resumed(window: &[u8]) -> Self {
        let mut inflater = Self::default();
        inflater.buffer.resize(window.len().max(FIRST_BUFFER), 0);
        inflater.buffer[..window.len()].copy_from_slice(window);
        inflater.end = window.len();
        inflater.renew();
        inflater
    }

    /// What later bytes may refer to: the latest output, at most [`WINDOW`] bytes.
    pub fn window(&self) -> &[u8] {
        &self.buffer[self.end.saturating_sub(WINDOW)..self.end]
    }

    /// Forgets everything: the next message stands alone (RFC 7692 §7.1.1).
    pub fn reset(&mut self) {
        self.end = 0;
        self.stream.reset(false);
        self.fresh = true;
    }

    /// Takes the next compressed bytes of a message, cut anywhere, and hands out what they inflate to, piece by piece.
    /// When `sink` breaks, the rest is not inflated and the inflater is spent.
    ///
    /// # Errors
    /// When the bytes are no DEFLATE stream. The inflater is then spent until it is reset.
    pub fn feed(&mut self, bytes: &[u8], mut sink: impl FnMut(&[u8]) -> ControlFlow<()>) -> Result<(), InvalidDeflate> {
        let mut taken = 0;
        loop {
            self.make_room();
            let (start, before) = (self.end, (self.stream.total_in(), self.stream.total_out()));
            let status = self.stream.decompress(&bytes[taken..], &mut self.buffer[self.end..], InflateFlush::SyncFlush);
            let used = (self.stream.total_in() - before.0) as usize;
            let made = (self.stream.total_out() - before.1) as usize;
            taken += used;
            self.end += made;
            self.fresh &= used == 0;
            if made > 0 && sink(&self.buffer[start..self.end]).is_break() {
                return Ok(());
            }
            match status {
                // A last block does not end the message: further blocks may follow (RFC 7692 §7.2.3.4).
                Ok(Status::StreamEnd) => self.renew(),
                // With room left in the buffer, everything that came is out.
                Ok(_) if taken == bytes.len() && self.end < self.buffer.len() => return Ok(()),
                Ok(_) if used > 0 || made > 0 => {}
                Ok(_) => return Err(InvalidDeflate { at: taken }),
                Err(_) => return Err(InvalidDeflate { at: taken.saturating_sub(1) }),
            }
        }
    }

    /// The message ends: its last block is completed by the end that it lacks on the wire.
    ///
    /// # Errors
    /// When the message is cut inside a block.
    pub fn finish(&mut self) -> Result<(), InvalidDeflate> {
        if self.fresh {
            // A last block ended with the message's last byte; there is nothing that the tail could complete.
            return Ok(());
        }
        self.make_room();
        let before = self.stream.total_in();
        // With this flush it stops between blocks, and so before the byte behind the tail. Inside a block it takes that too.
        let ended = self.stream.decompress(&TAIL_AND_MORE, &mut self.buffer[self.end..], InflateFlush::Block);
        let used = (self.stream.total_in() - before) as usize;
        if ended.is_ok() && used == TAIL.len() { Ok(()) } else { Err(InvalidDeflate { at: 0 }) }
    }

    /// Begins a stream that may refer to what was inflated before.
    fn renew(&mut self) {
        self.stream.reset(false);
        self.fresh = true;
        let window = &self.buffer[self.end.saturating_sub(WINDOW)..self.end];
        if !window.is_empty() {
            // A raw stream takes any dictionary at its beginning.
            let _ = self.stream.set_dictionary(window);
        }
    }

    /// Makes room behind the window.
    fn make_room(&mut self) {
        if self.end < self.buffer.len() {
            return;
        }
        if self.buffer.len() < 2 * WINDOW {
            self.buffer.resize((self.buffer.len() * 2).min(2 * WINDOW), 0);
        } else {
            self.buffer.copy_within(self.end - WINDOW..self.end, 0);
            self.end = WINDOW;
        }
    }
}

/// Why a message is not inflated to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InflateError {
    /// It is no DEFLATE stream: see [`InvalidDeflate::at`].
    Invalid(InvalidDeflate),
    /// It inflates to more bytes than it may.
    TooLong,
}

/// Inflates one direction's messages with what was agreed on, each up to a limit. After a fault nothing is inflated until
/// a message stands alone again.
#[derive(Debug)]
pub struct MessageInflater {
    inflater: Inflater,
    /// Whether a message may refer to earlier ones (RFC 7692 §7.1.1).
    takeover: bool,
    /// The most that a message may inflate to, in bytes.
    limit: u64,
    /// What the current message has inflated to so far, in bytes.
    len: u64,
    /// Whether the current message has not ended.
    open: bool,
    /// After a fault: what messages refer to is not known.
    lost: bool,
}

impl MessageInflater {
    /// The beginning of a direction.
    pub fn new(takeover: bool, limit: u64) -> Self {
        Self::resumed(takeover, limit, &[])
    }

    /// Goes on between two messages, with `window` behind it.
    pub fn resumed(takeover: bool, limit: u64, window: &[u8]) -> Self {
        let inflater = if window.is_empty() { Inflater::default() } else { Inflater::resumed(window) };
        Self { inflater, takeover, limit, len: 0, open: false, lost: false }
    }

    /// A message begins. An earlier one that has not ended leaves nothing that this one could refer to.
    pub fn begin(&mut self) {
        self.len = 0;
        if self.takeover {
            self.lost |= self.open;
        } else {
            self.inflater.reset();
            self.lost = false;
        }
        self.open = true;
    }

    /// Takes the next compressed bytes of the message.
    ///
    /// # Errors
    /// Once for each fault; what comes after it is ignored.
    pub fn feed(&mut self, bytes: &[u8], sink: impl FnMut(&[u8])) -> Result<(), InflateError> {
        self.run(sink, |inflater, sink| inflater.feed(bytes, sink))
    }

    /// The message ends.
    ///
    /// # Errors
    /// As [`Self::feed`]; a fault's position is 0.
    pub fn finish(&mut self) -> Result<(), InflateError> {
        self.open = false;
        self.run(|_| {}, |inflater, _| inflater.finish())
    }

    /// Something is missing: nothing is inflated until a message stands alone again.
    pub const fn lose(&mut self) {
        self.lost = true;
        self.open = false;
    }

    /// Whether a message may refer to earlier ones.
    pub const fn is_takeover(&self) -> bool {
        self.takeover
    }

    /// What the message has inflated to so far, in bytes.
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether the message has inflated to nothing so far.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether a fault came, so that nothing is inflated.
    pub const fn is_lost(&self) -> bool {
        self.lost
    }

    /// What the next message may refer to.
    pub fn window(&self) -> &[u8] {
        if self.takeover { self.inflater.window() } else { &[] }
    }

    fn run(
        &mut self,
        mut sink: impl FnMut(&[u8]),
        with: impl FnOnce(&mut Inflater, &mut dyn FnMut(&[u8]) -> ControlFlow<()>) -> Result<(), InvalidDeflate>,
    ) -> Result<(), InflateError> {
        if self.lost {
            return Ok(());
        }
        let (len, limit) = (&mut self.len, self.limit);
        let mut take = |piece: &[u8]| {
            *len += piece.len() as u64;
            if *len > limit {
                return ControlFlow::Break(());
            }
            sink(piece);
            ControlFlow::Continue(())
        };
        let fault = match with(&mut self.inflater, &mut take) {
            Err(bad) => Some(InflateError::Invalid(bad)),
            Ok(()) => (self.len > limit).then_some(InflateError::TooLong),
        };
        self.lost = fault.is_some();
        fault.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests;
