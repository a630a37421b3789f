//! The windows of checkpoints, on disk: what compressed messages may refer to (RFC 7692 §7.1.1).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use super::spool::scratch_file;

/// Where a checkpoint's window stands among the [`Windows`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Window {
    position: u64,
    len: u32,
}

/// The windows of all checkpoints, on disk: 32 KiB each.
#[derive(Debug, Default)]
pub struct Windows {
    file: Option<File>,
    len: u64,
    /// Those that are needed no more, and may be written over.
    free: Vec<Window>,
}

impl Windows {
    /// Keeps a window.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&mut self, window: &[u8]) -> io::Result<Window> {
        let len = window.len() as u32;
        let free = self.free.iter().rposition(|free| free.len == len).map(|i| self.free.swap_remove(i));
        let kept = free.unwrap_or(Window { position: self.len, len });
        if !window.is_empty() {
            let file = match &mut self.file {
                Some(file) => file,
                none => none.insert(scratch_file()?),
            };
            file.write_all_at(window, kept.position)?;
            self.len = self.len.max(kept.position + window.len() as u64);
        }
        Ok(kept)
    }

    /// A window is needed no more.
    pub fn free(&mut self, window: Window) {
        if window.len > 0 {
            self.free.push(window);
        }
    }

    /// Reads a window back.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self, window: Window) -> io::Result<Box<[u8]>> {
        let mut bytes = vec![0; window.len as usize];
        if let Some(file) = &self.file
            && window.len > 0
        {
            file.read_exact_at(&mut bytes, window.position)?;
        }
        Ok(bytes.into())
    }
}
