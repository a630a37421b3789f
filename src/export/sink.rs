//! The output of an export: a buffer that formats append to, and the writer that it is written to.

use std::io::Write;

use super::ExportError;

/// The buffer is written when it holds this many bytes.
const FULL: usize = 64 * 1024;

/// The most bytes that can be taken back: the buffer grows to this many meanwhile.
const KEPT: usize = 8 * 1024 * 1024;

/// A place in the output: see [`Sink::begin`].
#[derive(Clone, Copy, Debug)]
pub struct Mark(u64);

/// A buffered output that counts.
pub struct Sink<'a> {
    out: &'a mut dyn Write,
    /// The buffer is written when it holds this many bytes.
    full: usize,
    /// Bytes that are not written yet. Formats append here, and call [`Sink::write_if_full`] after each record or piece.
    pub buffer: Vec<u8>,
    written: u64,
}

impl<'a> Sink<'a> {
    /// A sink over `out`.
    pub fn new(out: &'a mut dyn Write) -> Self {
        Self { out, full: FULL, buffer: Vec::with_capacity(FULL * 2), written: 0 }
    }

    /// Writes the buffer if it is full.
    ///
    /// # Errors
    /// [`ExportError::Output`].
    pub fn write_if_full(&mut self) -> Result<(), ExportError> {
        if self.buffer.len() < self.full { Ok(()) } else { self.write_buffer() }
    }

    /// What comes from here on can be taken back until [`Self::end`], unless it is very much.
    pub fn begin(&mut self) -> Mark {
        self.full = KEPT;
        Mark(self.written())
    }

    /// Takes back what came since then; false when some of it is written already.
    pub fn take_back(&mut self, Mark(at): Mark) -> bool {
        self.full = FULL;
        let kept = at.checked_sub(self.written).and_then(|kept| usize::try_from(kept).ok());
        kept.map(|kept| self.buffer.truncate(kept)).is_some()
    }

    /// What came stays.
    ///
    /// # Errors
    /// [`ExportError::Output`].
    pub fn end(&mut self) -> Result<(), ExportError> {
        self.full = FULL;
        self.write_if_full()
    }

    /// Writes the buffer and flushes the output.
    ///
    /// # Errors
    /// [`ExportError::Output`].
    pub fn flush(&mut self) -> Result<(), ExportError> {
        self.write_buffer()?;
        self.out.flush().map_err(ExportError::Output)
    }

    /// The number of bytes that were appended so far.
    pub fn written(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    fn write_buffer(&mut self) -> Result<(), ExportError> {
        self.out.write_all(&self.buffer).map_err(ExportError::Output)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}
