//! The bytes of a capture by position: those of one file, or of all files of a ring as if they were joined.

use std::collections::VecDeque;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard};

use crate::capture::format::blocks::ReadAt;

/// The position of the first derived byte: no file is so long.
const DERIVED: u64 = 1 << 62;

/// The files that hold a capture's bytes. Clones are the same files.
#[derive(Clone, Debug)]
pub(in crate::capture) struct Files {
    parts: Arc<RwLock<VecDeque<Part>>>,
    /// A private file with bytes that were derived from the others: those that were decrypted.
    derived: Arc<OnceLock<Arc<File>>>,
}

/// One of them.
#[derive(Clone, Debug)]
pub(in crate::capture) struct Part {
    /// The position of its first byte after the bytes that are skipped.
    pub start: u64,
    /// How many bytes at its beginning have no position, because they repeat bytes of earlier files.
    pub skipped: u64,
    pub file: Arc<File>,
    pub path: PathBuf,
}

impl Files {
    /// One file, whose positions are its own.
    pub fn one(file: Arc<File>, path: PathBuf) -> Self {
        let parts = VecDeque::from([Part { start: 0, skipped: 0, file, path }]);
        Self { parts: Arc::new(RwLock::new(parts)), derived: Arc::default() }
    }

    /// Sets the file with derived bytes, once.
    pub fn set_derived(&self, file: Arc<File>) {
        let _ = self.derived.set(file);
    }

    /// The position of the derived byte at this place of their file.
    pub const fn derived(at: u64) -> u64 {
        DERIVED + at
    }

    /// Adds the file whose bytes come next; its positions are greater than all before.
    pub fn push(&self, part: Part) {
        self.parts.write().unwrap_or_else(PoisonError::into_inner).push_back(part);
    }

    /// Removes the first file, whose bytes cannot be read any more; never the last one.
    pub fn pop(&self) -> Option<Part> {
        let mut parts = self.parts.write().unwrap_or_else(PoisonError::into_inner);
        if parts.len() > 1 { parts.pop_front() } else { None }
    }

    /// The position of their first byte.
    pub fn start(&self) -> u64 {
        self.read().front().map_or(0, |first| first.start)
    }

    /// The position where the file in the middle begins: that of the first, if there are only two.
    pub fn middle(&self) -> u64 {
        let parts = self.read();
        parts.get(parts.len().saturating_sub(1) / 2).map_or(0, |part| part.start)
    }

    /// The position after their last byte; `None` if the system does not say.
    pub fn end(&self) -> Option<u64> {
        let last = self.read().back()?.clone();
        Some(last.start + last.file.metadata().ok()?.len() - last.skipped)
    }

    /// Their paths, the oldest first.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.read().iter().map(|part| part.path.clone()).collect()
    }

    /// All of them, the oldest first.
    pub fn parts(&self) -> Vec<Part> {
        self.read().iter().cloned().collect()
    }

    /// Returns true if `metadata` is of one of them.
    pub fn any_is(&self, metadata: &Metadata) -> bool {
        self.read().iter().any(|part| part.is_file(metadata))
    }

    /// Reads bytes of one file or of several that follow each other.
    ///
    /// # Errors
    /// When they cannot be read, or their file is evicted.
    pub fn read_exact_at(&self, mut buffer: &mut [u8], mut position: u64) -> io::Result<()> {
        while !buffer.is_empty() {
            let (file, at, left) = self.at(position)?;
            let len = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
            let (now, rest) = buffer.split_at_mut(len);
            file.read_exact_at(now, at)?;
            position += len as u64;
            buffer = rest;
        }
        Ok(())
    }

    /// The file that holds a position, the offset in it, and how many bytes follow there before the next file begins. The lock is
    /// not held while the file is read.
    fn at(&self, position: u64) -> io::Result<(Arc<File>, u64, u64)> {
        if let Some((at, file)) = position.checked_sub(DERIVED).zip(self.derived.get()) {
            return Ok((Arc::clone(file), at, u64::MAX));
        }
        let parts = self.read();
        let evicted = || io::Error::new(io::ErrorKind::NotFound, "evicted: the ring deleted its oldest file");
        let i = parts.partition_point(|part| part.start <= position).checked_sub(1).ok_or_else(evicted)?;
        let end = parts.get(i + 1).map_or(u64::MAX, |next| next.start);
        Ok((Arc::clone(&parts[i].file), position - parts[i].start + parts[i].skipped, end - position))
    }

    fn read(&self) -> RwLockReadGuard<'_, VecDeque<Part>> {
        self.parts.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReadAt for Files {
    /// Reads some bytes of one file; 0 at the end of the last. Fails if their file is evicted.
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let (file, at, left) = self.at(position)?;
        let len = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        file.read_at(&mut buffer[..len], at)
    }
}

impl Part {
    /// Returns true if its path still leads to it: another program may have deleted, moved or replaced it.
    pub fn is_at_its_path(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|metadata| self.is_file(&metadata))
    }

    /// Deletes it, unless its path leads to another file now.
    pub fn delete(&self) {
        if self.is_at_its_path() {
            let _ = fs::remove_file(&self.path);
        }
    }

    fn is_file(&self, metadata: &Metadata) -> bool {
        let same = |own: Metadata| (own.dev(), own.ino()) == (metadata.dev(), metadata.ino());
        self.file.metadata().is_ok_and(same)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn part(start: u64, bytes: &[u8]) -> Part {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(bytes).expect("written");
        Part { start, skipped: 0, file: Arc::new(file), path: PathBuf::from(start.to_string()) }
    }

    #[test]
    fn positions_continue_from_file_to_file_until_one_is_removed() {
        let first = part(0, b"abc");
        let files = Files::one(first.file, first.path);
        files.push(part(3, b"defg"));
        files.push(part(7, b"h"));
        let mut all = [0; 8];
        files.read_exact_at(&mut all, 0).expect("read");
        assert_eq!(&all, b"abcdefgh");
        let mut some = [0; 5];
        assert_eq!(files.read_at(&mut some, 5).expect("read"), 2);
        assert_eq!(files.read_at(&mut some, 8).expect("read"), 0);
        assert_eq!(files.pop().map(|part| part.path), Some(PathBuf::from("0")));
        assert!(files.read_exact_at(&mut all[..1], 2).is_err());
        files.read_exact_at(&mut all[..5], 3).expect("read");
        assert_eq!((&all[..5], files.paths().len()), (&b"defgh"[..], 2));
        assert!(files.pop().is_some() && files.pop().is_none(), "the last one stays");
    }
}
