//! Creating the files of a spool, and why that fails.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// First part of the names of temporary spools while they are being created.
pub(super) const NEW_PREFIX: &str = "new-";

/// Why a spool cannot be created or written.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The file exists, and replacing it was not allowed.
    #[error("{} exists; add --force to replace it, or choose another name", .0.display())]
    Exists(PathBuf),
    /// The path is a folder.
    #[error("{} is a folder; name a file in it", .0.display())]
    Folder(PathBuf),
    /// Another run writes the file.
    #[error("{} is being written by another framescope; choose another name", .0.display())]
    InUse(PathBuf),
    /// A ring has its size, and its next file cannot be created: why.
    #[error("the ring is full, and {0}")]
    Full(String),
    /// The operating system reported an error.
    #[error("cannot write {}: {source}; {}", path.display(), way_out(source))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The error.
        source: io::Error,
    },
}

/// Returns true if the disk or the user's quota is full: deleting other files helps.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// What the user can do about a file that cannot be written.
pub fn way_out(error: &io::Error) -> &'static str {
    let space = is_full(error) || error.kind() == io::ErrorKind::FileTooLarge;
    if space { "free some space or choose another place" } else { "choose another place" }
}

/// Creates the file that the user named, locked and empty.
pub(super) fn create(path: &Path, force: bool) -> Result<File, SpoolError> {
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
    let ours = lock(&file, path).and_then(|()| {
        file.set_permissions(fs::Permissions::from_mode(0o600)).map_err(io)?;
        file.set_len(0).map_err(io)
    });
    if ours.is_err() && !force {
        // It was created just now.
        let _ = fs::remove_file(path);
    }
    ours.map(|()| file)
}

/// Creates a private file, locked and empty, under a name that no other process looks for. [`named`] gives it its name then.
pub(super) fn private_file(folder: &Path) -> Result<NamedTempFile, SpoolError> {
    let made = tempfile::Builder::new().prefix(NEW_PREFIX).suffix(".pcapng").tempfile_in(folder);
    let made = made.map_err(|source| SpoolError::Io { path: folder.to_owned(), source })?;
    lock(made.as_file(), made.path())?;
    Ok(made)
}

/// Renames a private file to a path that does not exist yet.
pub(super) fn named(made: NamedTempFile, path: &Path) -> Result<File, SpoolError> {
    made.persist_noclobber(path).map_err(|e| match e.error.kind() {
        io::ErrorKind::AlreadyExists => SpoolError::Exists(path.to_owned()),
        _ => SpoolError::Io { path: path.to_owned(), source: e.error },
    })
}

pub(super) fn lock(file: &File, path: &Path) -> Result<(), SpoolError> {
    match file.try_lock() {
        Err(fs::TryLockError::WouldBlock) => Err(SpoolError::InUse(path.to_owned())),
        // Some file systems have no locks.
        Ok(()) | Err(fs::TryLockError::Error(_)) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_full_disk_is_helped_by_deleting_other_files() {
        let errors = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded, io::ErrorKind::FileTooLarge];
        assert_eq!(errors.map(|kind| is_full(&kind.into())), [true, true, false]);
        assert!(errors.iter().all(|kind| way_out(&(*kind).into()).starts_with("free some space")));
        assert_eq!(way_out(&io::ErrorKind::PermissionDenied.into()), "choose another place");
    }
}
