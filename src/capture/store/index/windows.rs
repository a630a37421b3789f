//! The windows of checkpoints, on disk: what compressed messages may refer to (RFC 7692 §7.1.1).
//!
//! They have a lock of their own, which nobody holds during a read or a write: windows are written before the index is locked
//! and read after it is unlocked.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::capture::store::scratch;

/// The space of a window in the file, in bytes: the longest window (RFC 7692 §7.1.1: 2^15 bytes).
const SLOT: u64 = 32 * 1024;

/// A window on disk. Its space is used again when the last clone is dropped, so a reader that holds one reads what was written.
#[derive(Clone, Debug, Default)]
pub struct Window(Option<Arc<Slot>>);

/// The space of a window in the file.
#[derive(Debug)]
struct Slot {
    windows: Windows,
    file: Arc<File>,
    position: u64,
    /// The length of the window in bytes, at most [`SLOT`].
    len: usize,
}

/// The file of all windows, made for the first of them. Clones are the same file.
#[derive(Clone, Debug, Default)]
pub struct Windows(Arc<Mutex<Space>>);

/// Which parts of the file are used.
#[derive(Debug, Default)]
struct Space {
    file: Option<Arc<File>>,
    /// The length of the file in bytes.
    len: u64,
    /// The most bytes that the file may have; `None` for no limit.
    limit: Option<u64>,
    /// Positions of slots that may be used again.
    free: Vec<u64>,
}

impl Windows {
    /// The length of the file in bytes.
    pub fn len(&self) -> u64 {
        self.space().len
    }

    /// Limits the length of the file, in bytes.
    pub fn limit(&self, most: u64) {
        self.space().limit = Some(most);
    }

    /// Writes a window of at most 32 KiB. An empty one takes no space.
    ///
    /// # Errors
    /// When it is too long, when there is no space for it, or when the file cannot be written.
    pub fn keep(&self, window: &[u8]) -> io::Result<Window> {
        if window.is_empty() {
            return Ok(Window::default());
        }
        if window.len() as u64 > SLOT {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let (file, position) = self.space().take()?;
        let slot = Slot { windows: self.clone(), file, position, len: window.len() };
        slot.file.write_all_at(window, position)?;
        Ok(Window(Some(Arc::new(slot))))
    }

    fn space(&self) -> MutexGuard<'_, Space> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Space {
    fn is_full(&self) -> bool {
        self.free.is_empty() && self.limit.is_some_and(|limit| self.len + SLOT > limit)
    }

    /// The file, and the position of a slot that is free.
    fn take(&mut self) -> io::Result<(Arc<File>, u64)> {
        if self.is_full() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let file = match &self.file {
            Some(file) => Arc::clone(file),
            None => Arc::clone(self.file.insert(Arc::new(scratch::file()?))),
        };
        let position = self.free.pop().unwrap_or_else(|| {
            self.len += SLOT;
            self.len - SLOT
        });
        Ok((file, position))
    }
}

impl Window {
    /// Reads the window.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self) -> io::Result<Box<[u8]>> {
        let Some(slot) = &self.0 else { return Ok(Box::default()) };
        let mut bytes = vec![0; slot.len];
        slot.file.read_exact_at(&mut bytes, slot.position)?;
        Ok(bytes.into())
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.windows.space().free.push(self.position);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_window_gives_its_space_to_one_of_any_length() {
        let windows = Windows::default();
        windows.limit(3 * SLOT);
        let mut kept: Vec<Window> =
            (1..=3u8).map(|n| windows.keep(&vec![n; usize::from(n) * 100]).expect("kept")).collect();
        assert!(windows.keep(&[4]).is_err());
        drop(kept.remove(1));
        kept.push(windows.keep(&[5; 32 * 1024]).expect("kept"));
        assert_eq!(windows.len(), 3 * SLOT);
        for (window, expected) in kept.iter().zip([vec![1; 100], vec![3; 300], vec![5; 32 * 1024]]) {
            assert_eq!(window.read().expect("read").to_vec(), expected);
        }
        assert!(windows.keep(&[]).and_then(|none| none.read()).expect("read").is_empty());
    }

    #[test]
    fn a_window_that_a_reader_holds_is_not_overwritten() {
        let windows = Windows::default();
        windows.limit(SLOT);
        let kept = windows.keep(&[1; 10]).expect("kept");
        let held = kept.clone();
        drop(kept);
        assert!(windows.keep(&[2; 10]).is_err(), "its space is still in use");
        assert_eq!(held.read().expect("read").to_vec(), [1; 10]);
        drop(held);
        assert_eq!(windows.keep(&[2; 10]).and_then(|next| next.read()).expect("kept").to_vec(), [2; 10]);
    }
}
