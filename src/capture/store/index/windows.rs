//! The windows of checkpoints, on disk: what compressed messages may refer to (RFC 7692 §7.1.1).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use crate::capture::store::scratch;

/// What a window takes, in bytes (RFC 7692 §7.1.1: at most 2^15).
const SLOT: u64 = 32 * 1024;

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
    /// How long the file may be; `None` for as long as it gets.
    most: Option<u64>,
    /// Positions of those that are needed no more, and may be written over.
    free: Vec<u64>,
}

impl Windows {
    /// Bytes on disk.
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// From now on there may be so many bytes.
    pub const fn limit(&mut self, most: u64) {
        self.most = Some(most);
    }

    /// Whether there is no room for another one.
    pub fn is_full(&self) -> bool {
        self.free.is_empty() && self.most.is_some_and(|most| self.len + SLOT > most)
    }

    /// Keeps a window, of at most 32 KiB.
    ///
    /// # Errors
    /// When it cannot be written, or there is no room for it.
    pub fn keep(&mut self, window: &[u8]) -> io::Result<Window> {
        if window.is_empty() {
            return Ok(Window::default());
        }
        if self.is_full() || window.len() as u64 > SLOT {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(scratch::file()?),
        };
        let position = self.free.last().copied().unwrap_or(self.len);
        file.write_all_at(window, position)?;
        if self.free.pop().is_none() {
            self.len += SLOT;
        }
        Ok(Window { position, len: window.len() as u32 })
    }

    /// A window is needed no more.
    pub fn free(&mut self, window: Window) {
        if window.len > 0 {
            self.free.push(window.position);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_of_any_length_take_the_place_of_others() {
        let mut windows = Windows::default();
        windows.limit(3 * SLOT);
        let kept: Vec<Window> =
            (1..=3u8).map(|n| windows.keep(&vec![n; usize::from(n) * 100]).expect("kept")).collect();
        assert!(windows.is_full() && windows.keep(&[4]).is_err());
        windows.free(kept[1]);
        let last = windows.keep(&[5; 32 * 1024]).expect("kept");
        assert_eq!(windows.len(), 3 * SLOT);
        for (window, expected) in [(kept[0], vec![1; 100]), (last, vec![5; 32 * 1024]), (kept[2], vec![3; 300])] {
            assert_eq!(windows.read(window).expect("read").to_vec(), expected);
        }
        assert!(windows.keep(&[]).and_then(|none| windows.read(none)).expect("read").is_empty());
    }
}
