//! The file that live traffic is appended to.

mod check;
mod file;
mod kept;
mod rotation;

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;

pub use self::file::{Change, SpoolError};
use self::file::{NEW_PREFIX, create, lock, named, private_file};
pub use self::kept::{KeptCapture, kept_captures};
use super::ring::Ring;
use crate::capture::format::pcapng;
use crate::capture::store::files::{Files, Part};
use crate::capture::store::output::{self, OutputError, folder_of};
use crate::capture::store::scratch;

/// First part of the names of temporary spools.
const PREFIX: &str = "live-";

/// An append-only pcapng file of mode 0600, locked while it is written; or a ring of such files.
#[derive(Debug)]
pub struct Spool {
    files: Files,
    /// The file that is written, its path, and its length in bytes.
    file: Arc<File>,
    path: PathBuf,
    len: u64,
    /// The position of its first byte among the bytes of all files, after `skipped` bytes that are not among them.
    start: u64,
    skipped: u64,
    temporary: Arc<AtomicBool>,
    /// Whether a [`SpoolGuard`] deletes temporary files.
    is_guarded: bool,
    pub(in crate::capture) ring: Option<Ring>,
    /// Sends the deleted files of a ring to the thread that closes them.
    closer: Option<SyncSender<Part>>,
}

/// Keeps or deletes the files of a spool that another thread may hold.
#[derive(Clone, Debug)]
pub struct SpoolCleanup {
    temporary: Arc<AtomicBool>,
    files: Files,
}

impl SpoolCleanup {
    /// Keeps temporary files after the run; [`kept_captures`] finds them.
    pub fn keep(&self) {
        self.temporary.store(false, Ordering::SeqCst);
    }

    /// Deletes temporary files after the run again.
    pub fn unkeep(&self) {
        self.temporary.store(true, Ordering::SeqCst);
    }

    /// Deletes temporary files now, even while another thread holds the spool.
    pub fn delete(&self) {
        if self.temporary.load(Ordering::SeqCst) {
            self.files.parts().iter().for_each(Part::delete);
        }
    }
}

/// Deletes the temporary files of a spool when it is dropped, in place of the spool: a capture is shown after nothing more is written.
#[derive(Debug)]
pub struct SpoolGuard(SpoolCleanup);

impl Drop for SpoolGuard {
    fn drop(&mut self) {
        self.0.delete();
    }
}

impl Spool {
    /// Creates a file that is kept. Replaces an existing one only with `force`.
    ///
    /// # Errors
    /// See [`SpoolError`].
    pub fn keep(path: &Path, force: bool) -> Result<Self, SpoolError> {
        let head = head();
        Ok(Self::of(create(path, force, &head)?, head.len(), path.to_owned(), false))
    }

    /// Creates a ring of numbered files, `size` bytes together. `path` is their name without the number. Deletes the files of an
    /// earlier ring of that name only with `force`.
    ///
    /// # Errors
    /// See [`SpoolError`].
    pub fn keep_ring(path: &Path, force: bool, size: u64) -> Result<Self, SpoolError> {
        Self::kept_ring(path, force, size, &head())
    }

    fn kept_ring(path: &Path, force: bool, size: u64, head: &[u8]) -> Result<Self, SpoolError> {
        if path.is_dir() {
            return Err(OutputError::NotRegular { path: path.to_owned(), kind: "a folder" }.into());
        }
        let earlier = fs::read_dir(folder_of(path)).into_iter().flatten().flatten().map(|entry| entry.path());
        let earlier: Vec<PathBuf> = earlier.filter(|found| Ring::is_path(path, found)).collect();
        if let Some(first) = earlier.iter().min().filter(|_| !force) {
            return Err(OutputError::Exists(first.clone()).into());
        }
        for path in &earlier {
            output::replaced(path)?;
        }
        for path in &earlier {
            let io = |source| OutputError::at(path, source);
            lock(&File::open(path).map_err(io)?, path)?;
            fs::remove_file(path).map_err(io)?;
        }
        let first = Ring::path(path, 1);
        let mut spool = Self::of(create(&first, force, head)?, head.len(), first, false);
        spool.ring = Some(Ring::new(size, path.to_owned(), false));
        Ok(spool)
    }

    /// Creates an empty file for packets that another program captures, or a ring of `ring` bytes: at `path`, or without one private
    /// files as [`Self::temporary`]. Replaces existing files only with `force`.
    ///
    /// # Errors
    /// See [`SpoolError`].
    pub fn for_packets(path: Option<&Path>, force: bool, ring: Option<u64>) -> Result<Self, SpoolError> {
        match (path, ring) {
            (Some(path), None) => Ok(Self::of(create(path, force, &[])?, 0, path.to_owned(), false)),
            (Some(path), Some(size)) => Self::kept_ring(path, force, size, &[]),
            (None, ring) => Self::private(&scratch::folder(), ring, &[]),
        }
    }

    /// Creates a private file in the user's cache folder, which is deleted when the spool is dropped.
    ///
    /// # Errors
    /// See [`SpoolError`].
    pub fn temporary() -> Result<Self, SpoolError> {
        Self::temporary_in(&scratch::folder())
    }

    /// Creates a private file in `folder`, and the folder when it does not exist.
    ///
    /// # Errors
    /// See [`SpoolError`].
    pub fn temporary_in(folder: &Path) -> Result<Self, SpoolError> {
        Self::private(folder, None, &head())
    }

    /// Creates a private ring of files, `size` bytes together: see [`Self::keep_ring`].
    ///
    /// # Errors
    /// See [`SpoolError`].
    pub fn temporary_ring(folder: &Path, size: u64) -> Result<Self, SpoolError> {
        Self::private(folder, Some(size), &head())
    }

    fn private(folder: &Path, ring: Option<u64>, head: &[u8]) -> Result<Self, SpoolError> {
        scratch::create_folder(folder).map_err(|e| OutputError::at(folder, e))?;
        let made = private_file(folder, head)?;
        let name = made.path().file_name().map(|name| name.to_string_lossy().replacen(NEW_PREFIX, PREFIX, 1));
        let base = folder.join(name.unwrap_or_default());
        let path = if ring.is_some() { Ring::path(&base, 1) } else { base.clone() };
        let file = named(made, &path)?;
        let mut spool = Self::of(file, head.len(), path, true);
        spool.ring = ring.map(|size| Ring::new(size, base, true));
        Ok(spool)
    }

    /// Creates a file without a name, for a converted capture: the system deletes it however the run ends.
    ///
    /// # Errors
    /// See [`SpoolError`].
    pub fn unnamed() -> Result<Self, SpoolError> {
        let (folder, head) = (scratch::folder(), head());
        let filled = scratch::file().and_then(|mut file| file.write_all(&head).map(|()| file));
        let file = filled.map_err(|e| OutputError::at(&folder, e))?;
        Ok(Self::of(file, head.len(), folder, false))
    }

    /// A spool over a file that holds its head, of `len` bytes.
    fn of(file: File, len: usize, path: PathBuf, temporary: bool) -> Self {
        let file = Arc::new(file);
        Self {
            files: Files::one(Arc::clone(&file), path.clone()),
            file,
            path,
            len: len as u64,
            start: 0,
            skipped: 0,
            temporary: Arc::new(temporary.into()),
            is_guarded: false,
            ring: None,
            closer: None,
        }
    }

    /// Marks the file as reconstructed, in `words`. Must be called before anything is appended.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(in crate::capture) fn mark(&mut self, words: &str) -> io::Result<()> {
        let mut head = Vec::new();
        pcapng::file_head(&mut head, Some(words));
        self.file.set_len(0)?;
        self.len = 0;
        self.append(&head).map(|_| ())
    }

    /// Appends whole blocks; returns the file position of their first byte.
    ///
    /// # Errors
    /// When the file cannot be written. It then keeps its former length, so that it opens.
    pub fn append(&mut self, blocks: &[u8]) -> io::Result<u64> {
        let position = self.len;
        if let Err(e) = self.file.write_all_at(blocks, position) {
            // Part of a block may have been written.
            self.file.set_len(position)?;
            return Err(e);
        }
        self.len += blocks.len() as u64;
        Ok(self.start + position - self.skipped)
    }

    /// The files, for reading by position.
    pub(in crate::capture) fn files(&self) -> Files {
        self.files.clone()
    }

    /// The handle that keeps or deletes the files.
    pub fn cleanup(&self) -> SpoolCleanup {
        SpoolCleanup { temporary: Arc::clone(&self.temporary), files: self.files.clone() }
    }

    /// From now on, not the end of the spool but that of the guard deletes temporary files.
    pub fn guard(&mut self) -> SpoolGuard {
        self.is_guarded = true;
        SpoolGuard(self.cleanup())
    }

    /// The path of the file; of a ring, the path of its files without their numbers.
    pub fn path(&self) -> &Path {
        self.ring.as_ref().map_or(&self.path, Ring::base)
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if !self.is_guarded {
            // After a failure the next start lists the file.
            self.cleanup().delete();
        }
    }
}

/// What a file begins with.
fn head() -> Vec<u8> {
    let mut head = Vec::new();
    pcapng::file_head(&mut head, None);
    head
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_kept_file_is_private_and_is_replaced_only_with_force() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.pcapng");
        drop(Spool::keep(&path, false).expect("a new file"));
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        assert!(matches!(Spool::keep(&path, false), Err(SpoolError::Output(OutputError::Exists(_)))));
        let first = Spool::keep(&path, true).expect("forced");
        assert!(matches!(Spool::keep(&path, true), Err(SpoolError::InUse(_))));
        drop(first);
        assert!(path.exists());
        let missing = Spool::keep(&folder.path().join("no/such"), false);
        assert!(matches!(missing, Err(SpoolError::Output(OutputError::NoFolder { .. }))), "{missing:?}");
    }

    #[test]
    fn a_temporary_spool_is_deleted_and_those_of_crashed_runs_are_found_and_deleted() {
        let folder = tempfile::tempdir().expect("a folder");
        let spool = Spool::temporary_in(folder.path()).expect("a spool");
        assert!(spool.path().exists());
        assert_eq!(kept_captures(folder.path()), [], "in use, and empty");
        let path = spool.path().to_owned();
        drop(spool);
        assert!(!path.exists());
        let crashed = folder.path().join("live-crashed.pcapng");
        fs::write(&crashed, [0; 500]).expect("written");
        let old = std::time::SystemTime::UNIX_EPOCH;
        let parts = [3, 4].map(|number| Ring::path(&folder.path().join("live-ring.pcapng"), number));
        for path in &parts {
            fs::write(path, [0; 600]).expect("written");
            File::open(path).and_then(|file| file.set_modified(old)).expect("older");
        }
        let kept = kept_captures(folder.path());
        let [one, ring] = kept.as_slice() else { panic!("{kept:?}") };
        assert_eq!((&one.path, one.files.len(), one.bytes), (&crashed, 1, 500));
        assert_eq!((&ring.files[..], ring.bytes, ring.modified), (&parts[..], 1200, old));
        assert_eq!(ring.path, folder.path().join("live-ring.*.pcapng"));
        let used = File::open(&crashed).expect("there");
        used.try_lock().expect("locked");
        assert_eq!(one.delete().map_err(|e| e.kind()), Err(io::ErrorKind::ResourceBusy));
        ring.delete().expect("deleted");
        drop(used);
        assert_eq!(kept_captures(folder.path()), std::slice::from_ref(one));
        one.delete().expect("deleted");
        assert_eq!(kept_captures(folder.path()), []);
    }
}
