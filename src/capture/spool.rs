//! The file that live traffic is appended to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use etcetera::BaseStrategy as _;

use super::pcapng;

/// Beginning of the names of temporary spools.
const PREFIX: &str = "live-";

/// The same while they are being made.
const NEW_PREFIX: &str = "new-";

/// Why a spool could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The file is there, and may not be replaced.
    #[error("{} exists; add --force to replace it, or choose another name", .0.display())]
    Exists(PathBuf),
    /// The name is a folder's.
    #[error("{} is a folder; name a file in it", .0.display())]
    Folder(PathBuf),
    /// The file is in use by another run.
    #[error("{} is being written by another framescope; choose another name", .0.display())]
    InUse(PathBuf),
    /// The system refused.
    #[error("cannot write {}: {source}; choose another place", path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// An append-only pcapng file of mode 0600, locked while it is written.
#[derive(Debug)]
pub struct Spool {
    file: Arc<File>,
    path: PathBuf,
    len: u64,
    temporary: Arc<AtomicBool>,
}

/// Decides from elsewhere whether a spool's file stays.
#[derive(Clone, Debug)]
pub struct Fate(Arc<AtomicBool>);

impl Fate {
    /// The file stays when the spool goes, and is found by [`leftovers`] if it was temporary.
    pub fn stay(&self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl Spool {
    /// A file that the user asked for, and keeps. An existing one is replaced only with `force`.
    ///
    /// # Errors
    /// See [`SpoolError`].
    pub fn keep(path: &Path, force: bool) -> Result<Self, SpoolError> {
        let io = |source| SpoolError::Io { path: path.to_owned(), source };
        if path.is_dir() {
            return Err(SpoolError::Folder(path.to_owned()));
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).mode(0o600);
        if force {
            options.create(true).truncate(false);
        } else {
            options.create_new(true);
        }
        let file = options.open(path).map_err(|e| match e.kind() {
            io::ErrorKind::AlreadyExists => SpoolError::Exists(path.to_owned()),
            _ => io(e),
        })?;
        lock(&file, path)?;
        file.set_permissions(fs::Permissions::from_mode(0o600)).map_err(io)?;
        file.set_len(0).map_err(io)?;
        Self::begin(file, path.to_owned(), false)
    }

    /// A private file in the user's cache folder that goes when the spool is dropped.
    ///
    /// # Errors
    /// See [`SpoolError`].
    pub fn temporary() -> Result<Self, SpoolError> {
        Self::temporary_in(&folder())
    }

    /// A private file in `folder`, which is made when it is missing.
    ///
    /// # Errors
    /// See [`SpoolError`].
    pub fn temporary_in(folder: &Path) -> Result<Self, SpoolError> {
        let io = |source| SpoolError::Io { path: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(io)?;
        // It gets the name by which others look for it when it is locked.
        let made = tempfile::Builder::new().prefix(NEW_PREFIX).suffix(".pcapng").tempfile_in(folder).map_err(io)?;
        lock(made.as_file(), made.path())?;
        let name = made.path().file_name().map(|name| name.to_string_lossy().replacen(NEW_PREFIX, PREFIX, 1));
        let path = folder.join(name.unwrap_or_default());
        let file = made.persist_noclobber(&path).map_err(|e| io(e.error))?;
        Self::begin(file, path, true)
    }

    /// A private file without a name, for what was converted and can be converted again: nothing is left of it, however the
    /// run ends.
    ///
    /// # Errors
    /// See [`SpoolError`].
    pub fn unnamed() -> Result<Self, SpoolError> {
        let folder = folder();
        let file = scratch_file().map_err(|source| SpoolError::Io { path: folder.clone(), source })?;
        Self::begin(file, folder, false)
    }

    fn begin(file: File, path: PathBuf, temporary: bool) -> Result<Self, SpoolError> {
        let mut head = Vec::new();
        pcapng::file_head(&mut head, None);
        let mut spool = Self { file: Arc::new(file), path, len: 0, temporary: Arc::new(temporary.into()) };
        match spool.append(&head) {
            Ok(_) => Ok(spool),
            Err(source) => Err(SpoolError::Io { path: spool.path.clone(), source }),
        }
    }

    /// Marks the file as reconstructed, in words. Nothing may have been appended yet.
    ///
    /// # Errors
    /// What the system said.
    pub(super) fn mark(&mut self, words: &str) -> io::Result<()> {
        let mut head = Vec::new();
        pcapng::file_head(&mut head, Some(words));
        self.file.set_len(0)?;
        (&*self.file).rewind()?;
        self.len = 0;
        self.append(&head).map(|_| ())
    }

    /// Appends whole blocks; returns the file position of their first byte.
    ///
    /// # Errors
    /// What the system said. The file then ends where it ended before, so that it opens.
    pub fn append(&mut self, blocks: &[u8]) -> io::Result<u64> {
        let position = self.len;
        if let Err(e) = (&*self.file).write_all(blocks) {
            // Part of a block may have been written.
            self.file.set_len(position)?;
            return Err(e);
        }
        self.len += blocks.len() as u64;
        Ok(position)
    }

    /// The file, for reading by position.
    pub fn file(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }

    /// What decides whether the file stays.
    pub fn fate(&self) -> Fate {
        Fate(Arc::clone(&self.temporary))
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if self.temporary.load(Ordering::SeqCst) {
            // Nothing can be done about a failure here; the next start offers what is left.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Where temporary spools lie: `framescope` in the user's cache folder, which is on disk where `/tmp` may be in memory.
pub fn folder() -> PathBuf {
    etcetera::choose_base_strategy().map_or_else(|_| std::env::temp_dir(), |base| base.cache_dir()).join("framescope")
}

/// A file without a name, for what can be made again: where the spools lie, or else in the system's temporary folder.
pub(super) fn scratch_file() -> io::Result<File> {
    tempfile::tempfile_in(folder()).or_else(|_| tempfile::tempfile())
}

/// The spools in `folder` that a run left behind which did not end cleanly, with something recorded in them: newest first.
pub fn leftovers(folder: &Path) -> Vec<PathBuf> {
    let mut head = Vec::new();
    pcapng::file_head(&mut head, None);
    let mut found: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX))
        .filter_map(|entry| {
            let file = entry.file_type().is_ok_and(|kind| kind.is_file()).then(|| File::open(entry.path()).ok())??;
            let metadata = file.metadata().ok()?;
            file.try_lock().ok()?;
            if metadata.len() <= head.len() as u64 {
                // Nothing was recorded: nobody misses it.
                let _ = fs::remove_file(entry.path());
                return None;
            }
            Some((metadata.modified().ok()?, entry.path()))
        })
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_, path)| path).collect()
}

fn lock(file: &File, path: &Path) -> Result<(), SpoolError> {
    match file.try_lock() {
        Err(fs::TryLockError::WouldBlock) => Err(SpoolError::InUse(path.to_owned())),
        // A file system without locks is no reason not to record.
        Ok(()) | Err(fs::TryLockError::Error(_)) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_file_is_private_and_never_replaced_unasked() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.pcapng");
        drop(Spool::keep(&path, false).expect("a new file"));
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        assert!(matches!(Spool::keep(&path, false), Err(SpoolError::Exists(_))));
        let first = Spool::keep(&path, true).expect("forced");
        assert!(matches!(Spool::keep(&path, true), Err(SpoolError::InUse(_))));
        drop(first);
        assert!(path.exists());
        assert!(matches!(Spool::keep(&folder.path().join("no/such"), false), Err(SpoolError::Io { .. })));
    }

    #[test]
    fn a_temporary_spool_goes_and_a_crashed_one_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let spool = Spool::temporary_in(folder.path()).expect("a spool");
        assert!(spool.path().exists());
        assert_eq!(leftovers(folder.path()), Vec::<PathBuf>::new(), "in use, and empty");
        let path = spool.path().to_owned();
        drop(spool);
        assert!(!path.exists());
        let crashed = folder.path().join("live-crashed.pcapng");
        fs::write(&crashed, [0; 500]).expect("written");
        assert_eq!(leftovers(folder.path()), [crashed]);
    }
}
