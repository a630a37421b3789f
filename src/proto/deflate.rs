//! permessage-deflate: inflates and compresses the payload of messages (RFC 7692 §7.2, RFC 1951).

mod deflater;

use std::ops::ControlFlow;

use zlib_rs::{Inflate, InflateFlush, Status};

pub use self::deflater::Deflater;
use crate::zlib::Leased;

/// The largest distance that compressed data may refer back, in bytes (RFC 1951 §2).
pub const WINDOW: usize = 32 * 1024;

/// [`WINDOW`] in bits.
pub const MAX_WINDOW_BITS: u8 = 15;

/// The last bytes of every compressed message, which the sender removes (RFC 7692 §7.2.1).
pub const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// [`TAIL`] and one more byte.
const TAIL_AND_MORE: [u8; 5] = [0x00, 0x00, 0xff, 0xff, 0x00];

/// The first size of the buffer of an inflater, in bytes. It is small, so that many idle connections need little memory.
const FIRST_BUFFER: usize = 4 * 1024;

/// Data that is not a DEFLATE stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidDeflate {
    /// The index of the first invalid byte in the bytes that were passed; their number if data is missing at the end.
    pub at: usize,
}

/// Inflates the messages of one direction. Keeps the window from message to message until it is reset.
#[derive(Default)]
pub struct Inflater {
    /// Set inside a message, and between messages if it may be kept.
    stream: Option<Leased<Inflate>>,
    /// The latest output before `end`: at least [`WINDOW`] bytes, if there were so many.
    buffer: Vec<u8>,
    end: usize,
    /// True if `stream` has received bytes since it was reset.
    used: bool,
}

impl std::fmt::Debug for Inflater {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inflater").field("window", &self.window().len()).finish_non_exhaustive()
    }
}

impl Inflater {
    /// An inflater that continues between two messages, after the output `window`.
    pub fn resumed(window: &[u8]) -> Self {
        Self { buffer: window.to_vec(), end: window.len(), ..Self::default() }
    }

    /// The bytes that later messages may refer to: the latest output, at most [`WINDOW`] bytes.
    pub fn window(&self) -> &[u8] {
        &self.buffer[self.end.saturating_sub(WINDOW)..self.end]
    }

    /// Drops the window: the next message refers to nothing before it (RFC 7692 §7.1.1).
    pub fn reset(&mut self) {
        self.end = 0;
        self.used = false;
        match &mut self.stream {
            Some(stream) => stream.reset(false),
            None => self.buffer = Vec::new(),
        }
    }

    /// Takes the next compressed bytes of a message, in pieces of any size, and passes the output to `sink` in pieces.
    /// If `sink` breaks, inflating stops; call [`Self::reset`] before the next use.
    ///
    /// # Errors
    /// If the bytes are not a DEFLATE stream. Call [`Self::reset`] before the next use.
    pub fn feed(&mut self, bytes: &[u8], sink: impl FnMut(&[u8]) -> ControlFlow<()>) -> Result<(), InvalidDeflate> {
        let mut stream = self.take_stream();
        let fed = self.feed_through(&mut stream, bytes, sink);
        self.stream = Some(stream);
        fed
    }

    fn feed_through(
        &mut self,
        stream: &mut Inflate,
        bytes: &[u8],
        mut sink: impl FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<(), InvalidDeflate> {
        let mut taken = 0;
        loop {
            self.reserve();
            let (start, before) = (self.end, (stream.total_in(), stream.total_out()));
            let status = stream.decompress(&bytes[taken..], &mut self.buffer[self.end..], InflateFlush::SyncFlush);
            let used = (stream.total_in() - before.0) as usize;
            let made = (stream.total_out() - before.1) as usize;
            taken += used;
            self.end += made;
            self.used |= used > 0;
            if made > 0 && sink(&self.buffer[start..self.end]).is_break() {
                return Ok(());
            }
            match status {
                // A last block does not end the message: further blocks may follow (RFC 7692 §7.2.3.4).
                Ok(Status::StreamEnd) => {
                    stream.reset(false);
                    self.refer_back(stream);
                }
                // If the buffer is not full, all output has been produced.
                Ok(_) if taken == bytes.len() && self.end < self.buffer.len() => return Ok(()),
                Ok(_) if used > 0 || made > 0 => {}
                Ok(_) => return Err(InvalidDeflate { at: taken }),
                Err(_) => return Err(InvalidDeflate { at: taken.saturating_sub(1) }),
            }
        }
    }

    /// Ends the message: completes its last block with the tail that the sender removed.
    ///
    /// # Errors
    /// If the message ends inside a block.
    pub fn finish(&mut self) -> Result<(), InvalidDeflate> {
        let finished = self.complete_block();
        if !self.stream.as_mut().is_some_and(Leased::may_be_kept) {
            self.park();
        }
        finished
    }

    fn complete_block(&mut self) -> Result<(), InvalidDeflate> {
        if !self.used {
            // The last byte of the message ended a last block, so there is no block for the tail to complete.
            return Ok(());
        }
        self.reserve();
        let mut stream = self.take_stream();
        let before = stream.total_in();
        // With this flush mode, inflating stops between blocks, so it does not take the byte after the tail. Inside a block
        // it does.
        let ended = stream.decompress(&TAIL_AND_MORE, &mut self.buffer[self.end..], InflateFlush::Block);
        let used = (stream.total_in() - before) as usize;
        self.stream = Some(stream);
        if ended.is_ok() && used == TAIL.len() { Ok(()) } else { Err(InvalidDeflate { at: 0 }) }
    }

    /// Keeps only the window until the next message.
    fn park(&mut self) {
        self.stream = None;
        self.used = false;
        self.buffer = self.window().to_vec();
        self.end = self.buffer.len();
    }

    /// The stream: that of the message so far, or a new one.
    fn take_stream(&mut self) -> Leased<Inflate> {
        self.stream.take().unwrap_or_else(|| {
            let mut stream = Leased::take(MAX_WINDOW_BITS);
            self.refer_back(&mut stream);
            stream
        })
    }

    /// Lets a stream that has received no bytes refer to the earlier output.
    fn refer_back(&mut self, stream: &mut Inflate) {
        self.used = false;
        if !self.window().is_empty() {
            // A raw stream accepts any dictionary at its start.
            let _ = stream.set_dictionary(self.window());
        }
    }

    /// Ensures that the buffer has free bytes after the window.
    fn reserve(&mut self) {
        if self.end < self.buffer.len() {
            return;
        }
        if self.buffer.len() < 2 * WINDOW {
            self.buffer.resize((self.buffer.len() * 2).clamp(FIRST_BUFFER, 2 * WINDOW), 0);
        } else {
            self.buffer.copy_within(self.end - WINDOW..self.end, 0);
            self.end = WINDOW;
        }
    }
}

/// Why inflating a message stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InflateError {
    /// The message is not a DEFLATE stream: see [`InvalidDeflate::at`].
    Invalid(InvalidDeflate),
    /// The message inflates to more bytes than the limit.
    TooLong,
}

/// Inflates the messages of one direction, each up to a limit. After an error it inflates nothing until a message that
/// refers to nothing before it. With negotiated parameters these are known beforehand; on trial it tries each message.
#[derive(Debug)]
pub struct MessageInflater {
    inflater: Inflater,
    /// True if a message may refer to earlier ones (RFC 7692 §7.1.1).
    takeover: bool,
    /// The largest number of bytes that a message may inflate to.
    limit: u64,
    /// The number of inflated bytes of the current message so far.
    len: u64,
    /// True while the current message is unfinished.
    open: bool,
    /// True after an error: the bytes that messages refer to are unknown.
    lost: bool,
    /// True if it tries to inflate a message also when the bytes before it are unknown.
    on_trial: bool,
}

impl MessageInflater {
    /// Starts at the beginning of a direction.
    pub fn new(takeover: bool, limit: u64) -> Self {
        Self::resumed(takeover, limit, &[])
    }

    /// Continues between two messages, after the output `window`.
    pub fn resumed(takeover: bool, limit: u64, window: &[u8]) -> Self {
        let inflater = if window.is_empty() { Inflater::default() } else { Inflater::resumed(window) };
        Self { inflater, takeover, limit, len: 0, open: false, lost: false, on_trial: false }
    }

    /// Tries each message also after an error or missing bytes: a message that refers to unknown bytes fails, any other
    /// inflates. For connections whose parameters are unknown.
    #[must_use]
    pub const fn on_trial(mut self) -> Self {
        self.on_trial = true;
        self
    }

    /// Starts a message. After an unfinished message, a message that may refer to it cannot be inflated.
    pub fn begin(&mut self) {
        self.len = 0;
        self.lost |= self.open && self.takeover;
        if !self.takeover || self.lost && self.on_trial {
            self.inflater.reset();
            self.lost = false;
        }
        self.open = true;
    }

    /// Takes the next compressed bytes of the message.
    ///
    /// # Errors
    /// Returned once per error; later bytes are ignored.
    pub fn feed(&mut self, bytes: &[u8], sink: impl FnMut(&[u8])) -> Result<(), InflateError> {
        self.run(sink, |inflater, sink| inflater.feed(bytes, sink))
    }

    /// Ends the message.
    ///
    /// # Errors
    /// As [`Self::feed`]; the position is 0.
    pub fn finish(&mut self) -> Result<(), InflateError> {
        self.open = false;
        let finished = self.run(|_| {}, |inflater, _| inflater.finish());
        if !self.takeover {
            self.inflater.reset();
        }
        finished
    }

    /// Notes missing bytes: inflates nothing until a message that refers to nothing before it.
    pub fn lose(&mut self) {
        self.lose_context();
        self.open = false;
    }

    /// Frees the window: no message can refer to it any more.
    fn lose_context(&mut self) {
        self.lost = true;
        self.inflater = Inflater::default();
    }

    /// True if a message may refer to earlier ones.
    pub const fn is_takeover(&self) -> bool {
        self.takeover
    }

    /// The number of inflated bytes of the message so far.
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// True if the message has no inflated bytes so far.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// True after an error, when nothing is inflated.
    pub const fn is_lost(&self) -> bool {
        self.lost
    }

    /// True if it tries messages whose context is unknown.
    pub const fn is_on_trial(&self) -> bool {
        self.on_trial
    }

    /// The bytes that the next message may refer to.
    pub fn window(&self) -> &[u8] {
        if self.takeover && !self.lost { self.inflater.window() } else { &[] }
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
        let Some(fault) = fault else { return Ok(()) };
        self.lose_context();
        Err(fault)
    }
}

#[cfg(test)]
mod tests;
