//! Where an export goes: a buffer that formats append to, and the writer behind it.

use std::io::Write;

use super::ExportError;

/// How much is gathered before it is written, in bytes.
const FULL: usize = 64 * 1024;

/// How much can be taken back, in bytes: so much is gathered meanwhile.
const KEPT: usize = 8 * 1024 * 1024;

/// A place in the output: see [`Sink::begin`].
#[derive(Clone, Copy, Debug)]
pub struct Mark(u64);

/// A buffered output that counts.
pub struct Sink<'a> {
    out: &'a mut dyn Write,
    /// How much is gathered before it is written, in bytes.
    full: usize,
    /// What was not written yet: formats append here and call [`Sink::settle`] between records or pieces.
    pub buffer: Vec<u8>,
    written: u64,
}

impl<'a> Sink<'a> {
    /// A sink over `out`.
    pub fn new(out: &'a mut dyn Write) -> Self {
        Self { out, full: FULL, buffer: Vec::with_capacity(FULL * 2), written: 0 }
    }

    /// Writes when enough was gathered.
    ///
    /// # Errors
    /// When the output does not take it.
    pub fn settle(&mut self) -> Result<(), ExportError> {
        if self.buffer.len() < self.full { Ok(()) } else { self.pass_on() }
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
    /// When the output does not take it.
    pub fn end(&mut self) -> Result<(), ExportError> {
        self.full = FULL;
        self.settle()
    }

    /// Writes all that was gathered, and flushes the output.
    ///
    /// # Errors
    /// When the output does not take it.
    pub fn flush(&mut self) -> Result<(), ExportError> {
        self.pass_on()?;
        self.out.flush().map_err(ExportError::Output)
    }

    /// Bytes so far.
    pub fn written(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    fn pass_on(&mut self) -> Result<(), ExportError> {
        self.out.write_all(&self.buffer).map_err(ExportError::Output)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}
