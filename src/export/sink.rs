//! Where an export goes: a buffer that formats append to, and the writer behind it.

use std::io::Write;

use super::ExportError;

/// How much is gathered before it is written, in bytes.
const FULL: usize = 64 * 1024;

/// A buffered output that counts.
pub struct Sink<'a> {
    out: &'a mut dyn Write,
    /// What was not written yet: formats append here and call [`Sink::settle`] between records or pieces.
    pub buffer: Vec<u8>,
    written: u64,
}

impl<'a> Sink<'a> {
    /// A sink over `out`.
    pub fn new(out: &'a mut dyn Write) -> Self {
        Self { out, buffer: Vec::with_capacity(FULL * 2), written: 0 }
    }

    /// Writes when enough was gathered.
    ///
    /// # Errors
    /// When the output does not take it.
    pub fn settle(&mut self) -> Result<(), ExportError> {
        if self.buffer.len() < FULL { Ok(()) } else { self.pass_on() }
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
