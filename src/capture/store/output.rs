//! Files that the user wants written: what may be at their path already, and why they cannot be written.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

/// Why a file cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The file exists, and replacing it was not allowed.
    #[error("{} exists; add --force to replace it, or choose another name", .0.display())]
    Exists(PathBuf),
    /// The path is a folder, a device, a FIFO or a socket.
    #[error("{} is {kind}, and framescope writes only regular files; choose another name", path.display())]
    NotRegular {
        /// The path.
        path: PathBuf,
        /// What it is, with its article.
        kind: &'static str,
    },
    /// The folder of the file does not exist.
    #[error("cannot write {}: the folder {} does not exist; create it or choose another place", path.display(), folder.display())]
    NoFolder {
        /// The file.
        path: PathBuf,
        /// Its folder.
        folder: PathBuf,
    },
    /// The operating system reported an error.
    #[error("cannot write {}: {source}; {}", path.display(), way_out(source))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The error.
        source: io::Error,
    },
}

impl OutputError {
    /// The error at the creation of the file `path`.
    pub fn at(path: &Path, error: io::Error) -> Self {
        let path = path.to_owned();
        let folder = folder_of(&path).to_owned();
        match error.kind() {
            io::ErrorKind::AlreadyExists => Self::Exists(path),
            io::ErrorKind::NotFound if !folder.exists() => Self::NoFolder { path, folder },
            _ => Self::Io { path, source: system(error) },
        }
    }
}

/// An error of the system, or of `tempfile` without the temporary name in its text.
fn system(error: io::Error) -> io::Error {
    if error.raw_os_error().is_some() { error } else { error.kind().into() }
}

/// What the user can do about a file that cannot be written.
pub fn way_out(error: &io::Error) -> &'static str {
    let space = is_full(error) || error.kind() == io::ErrorKind::FileTooLarge;
    if space { "free some space or choose another place" } else { "choose another place" }
}

/// Returns true if the disk or the user's quota is full: deleting other files helps.
pub(in crate::capture) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Returns true if the process or the system may have no more files or sockets open (EMFILE, ENFILE).
pub fn has_no_handle(error: &io::Error) -> bool {
    let errno = rustix::io::Errno::from_io_error(error);
    matches!(errno, Some(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE))
}

/// Checks that nothing but a regular file is at a path where a file will be written, and returns the metadata of that file. Opens
/// nothing: opening a FIFO waits for its reader, and opening a device can change it.
///
/// # Errors
/// [`OutputError::NotRegular`].
pub fn replaced(path: &Path) -> Result<Option<Metadata>, OutputError> {
    let Ok(metadata) = fs::metadata(path) else { return Ok(None) };
    require_regular(path, &metadata)?;
    Ok(Some(metadata))
}

/// Fails if the file at `path` is not a regular file.
///
/// # Errors
/// [`OutputError::NotRegular`].
pub fn require_regular(path: &Path, metadata: &Metadata) -> Result<(), OutputError> {
    match irregular_kind(metadata) {
        None => Ok(()),
        Some(kind) => Err(OutputError::NotRegular { path: path.to_owned(), kind }),
    }
}

/// What a file is that is not a regular file, with its article.
pub fn irregular_kind(metadata: &Metadata) -> Option<&'static str> {
    let is = metadata.file_type();
    let kinds = [(is.is_dir(), "a folder"), (is.is_fifo(), "a FIFO"), (is.is_socket(), "a socket"), (true, "a device")];
    if is.is_file() { None } else { kinds.into_iter().find_map(|(is, kind)| is.then_some(kind)) }
}

/// The folder of a file.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
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

    #[test]
    fn an_error_names_the_missing_folder_and_no_temporary_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = folder.path().join("no");
        let path = missing.join("x");
        let error = || tempfile::NamedTempFile::new_in(&missing).expect_err("no folder");
        assert!(matches!(OutputError::at(&path, error()), OutputError::NoFolder { folder, .. } if folder == missing));
        // As if another program had created the folder by now.
        let other = OutputError::at(&folder.path().join("x"), error());
        assert!(matches!(&other, OutputError::Io { .. }) && !other.to_string().contains(" at path "), "{other}");
    }

    #[test]
    fn only_a_regular_file_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let [file, fifo, socket] = ["file", "fifo", "socket"].map(|name| folder.path().join(name));
        fs::write(&file, "x").expect("written");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
        let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
        assert!(matches!(replaced(&file), Ok(Some(_))));
        assert!(matches!(replaced(&folder.path().join("new")), Ok(None)));
        for (path, is) in [(&fifo, "a FIFO"), (&socket, "a socket"), (&folder.path().to_owned(), "a folder")] {
            let refused = replaced(path);
            assert!(matches!(refused, Err(OutputError::NotRegular { kind, .. }) if kind == is), "{refused:?}");
        }
    }
}
