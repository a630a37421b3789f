//! Creating the files of a spool, and why that fails.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::capture::store::output::{self, OutputError};

/// First part of the names of temporary spools while they are being created.
pub(super) const NEW_PREFIX: &str = "new-";

/// Why a spool cannot be created or written.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The file cannot be created or written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// Another run writes the file.
    #[error("{} is being written by another framescope; choose another name", .0.display())]
    InUse(PathBuf),
    /// Another program changed the file while it was written.
    #[error("{} was {how} by another program during the run; {}", path.display(), how.effect())]
    Changed {
        /// The file.
        path: PathBuf,
        /// What the other program did.
        how: Change,
    },
    /// A ring has its size, and its next file cannot be created: why.
    #[error("the ring is full, and {0}")]
    Full(String),
}

/// What another program did to a file of a spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It deleted the file, or renamed another one to its path.
    Deleted,
    /// It renamed the file.
    Moved,
    /// It changed the length of the file.
    Resized,
}

impl Change {
    /// What follows for the records in the file.
    const fn effect(self) -> &'static str {
        match self {
            Self::Deleted => "its records are lost",
            Self::Moved => "its records are under its new name",
            Self::Resized => "some of its records are lost",
        }
    }
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Deleted => "deleted or replaced",
            Self::Moved => "moved",
            Self::Resized => "truncated or extended",
        })
    }
}

/// Creates the file that the user named, locked, with `head` as its content. If that fails, no new file is left.
pub(super) fn create(path: &Path, force: bool, head: &[u8]) -> Result<File, SpoolError> {
    output::replaced(path)?;
    let io = |source| OutputError::at(path, source);
    let mut options = File::options();
    options.read(true).write(true).mode(0o600);
    let (mut file, is_new) = match options.clone().create_new(true).open(path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && force => {
            (options.create(true).truncate(false).open(path).map_err(io)?, false)
        }
        made => (made.map_err(io)?, true),
    };
    // What is at the path may have changed since the check.
    output::require_regular(path, &file.metadata().map_err(io)?)?;
    let filled = lock(&file, path).and_then(|()| {
        file.set_permissions(fs::Permissions::from_mode(0o600)).map_err(io)?;
        file.set_len(0).map_err(io)?;
        Ok(file.write_all(head).map_err(io)?)
    });
    if filled.is_err() && is_new {
        let _ = fs::remove_file(path);
    }
    filled.map(|()| file)
}

/// Creates a private file, locked, with `head` as its content, under a name that no other process looks for. [`named`] gives it its
/// name then.
pub(super) fn private_file(folder: &Path, head: &[u8]) -> Result<NamedTempFile, SpoolError> {
    let io = |source| OutputError::at(folder, source);
    let mut made = tempfile::Builder::new().prefix(NEW_PREFIX).suffix(".pcapng").tempfile_in(folder).map_err(io)?;
    lock(made.as_file(), made.path())?;
    made.as_file_mut().write_all(head).map_err(io)?;
    Ok(made)
}

/// Renames a private file to a path that does not exist yet.
pub(super) fn named(made: NamedTempFile, path: &Path) -> Result<File, SpoolError> {
    made.persist_noclobber(path).map_err(|e| OutputError::at(path, e.error).into())
}

pub(super) fn lock(file: &File, path: &Path) -> Result<(), SpoolError> {
    match file.try_lock() {
        Err(fs::TryLockError::WouldBlock) => Err(SpoolError::InUse(path.to_owned())),
        // Some file systems have no locks.
        Ok(()) | Err(fs::TryLockError::Error(_)) => Ok(()),
    }
}
