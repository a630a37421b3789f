//! The file of an export. It gets its name when it is complete, so that a part of an export never has it.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

use super::{ExportError, ExportOptions, Exported, Format, Progress, export};
use crate::capture::store::Capture;
use crate::capture::store::output::{self, OutputError, folder_of};

/// First part of the names of files that are not complete.
const PREFIX: &str = ".framescope-";

/// Writes records of a capture to a file of mode 0600, which appears when it is complete. Replaces an existing file only with `force`.
///
/// # Errors
/// See [`ExportError`]. No file is left then.
pub fn to_file(
    capture: &Capture,
    format: Format,
    options: &ExportOptions,
    path: &Path,
    force: bool,
    progress: &Progress,
) -> Result<Exported, ExportError> {
    if output::replaced(path)?.is_some_and(|metadata| capture.is_file(&metadata)) {
        return Err(ExportError::Itself(path.to_owned()));
    }
    write_with(path, force, |file| {
        export(capture, format, options, file, progress).map_err(|e| match e {
            ExportError::Output(source) => OutputError::at(path, source).into(),
            other => other,
        })
    })
}

/// Writes a text, such as a picture, to a file of mode 0600, which appears when it is complete. Replaces an existing file only with
/// `force`.
///
/// # Errors
/// See [`OutputError`]. No file is left then.
pub fn text_to_file(text: &str, path: &Path, force: bool) -> Result<(), OutputError> {
    write_with(path, force, |file| file.write_all(text.as_bytes()).map_err(|e| OutputError::at(path, e)))
}

/// Creates a file with what `write` writes.
fn write_with<T, E: From<OutputError>>(
    path: &Path,
    force: bool,
    write: impl FnOnce(&mut File) -> Result<T, E>,
) -> Result<T, E> {
    let io = |source| OutputError::at(path, source);
    if output::replaced(path)?.is_some() && !force {
        return Err(OutputError::Exists(path.to_owned()).into());
    }
    if path.file_name().is_none() {
        return Err(OutputError::NotRegular { path: path.to_owned(), kind: "a folder" }.into());
    }
    let mut unfinished = Unfinished::in_folder(folder_of(path)).map_err(io)?;
    let written = write(unfinished.file())?;
    unfinished.file().sync_all().map_err(io)?;
    unfinished.name(path, force).map_err(io)?;
    Ok(written)
}

/// A file that is being written.
enum Unfinished {
    /// It has no name: if the process is killed, the system deletes it.
    #[cfg(target_os = "linux")]
    Unnamed(File),
    /// It has a temporary name, because the system or the file system cannot name a file later.
    Named(NamedTempFile),
}

impl Unfinished {
    fn in_folder(folder: &Path) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        if let Ok(file) = linux::unnamed(folder) {
            return Ok(Self::Unnamed(file));
        }
        tempfile::Builder::new().prefix(PREFIX).tempfile_in(folder).map(Self::Named)
    }

    fn file(&mut self) -> &mut File {
        match self {
            #[cfg(target_os = "linux")]
            Self::Unnamed(file) => file,
            Self::Named(file) => file.as_file_mut(),
        }
    }

    /// Names it. Only with `replace` another file may have the name; a temporary name exists for a moment then.
    fn name(self, path: &Path, replace: bool) -> io::Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Unnamed(file) if !replace => linux::name(&file, path),
            #[cfg(target_os = "linux")]
            Self::Unnamed(file) => {
                let named = tempfile::Builder::new()
                    .prefix(PREFIX)
                    .make_in(folder_of(path), |temporary| linux::name(&file, temporary));
                named?.persist(path).map(drop).map_err(|e| e.error)
            }
            Self::Named(file) if replace => file.persist(path).map(drop).map_err(|e| e.error),
            Self::Named(file) => file.persist_noclobber(path).map(drop).map_err(|e| e.error),
        }
    }
}

/// Files without a name, as Linux has them: see open(2), `O_TMPFILE`.
#[cfg(target_os = "linux")]
mod linux {
    use std::fs::File;
    use std::io;
    use std::os::fd::AsRawFd as _;
    use std::path::{Path, PathBuf};

    use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, open};

    /// Creates a file that [`name`] can name. Fails if the file system has no such files, or `/proc` is missing.
    pub fn unnamed(folder: &Path) -> io::Result<File> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let file = File::from(open(folder, flags, Mode::RUSR | Mode::WUSR)?);
        link_to(&file).metadata()?;
        Ok(file)
    }

    /// Names a file, if nothing has that name.
    pub fn name(file: &File, path: &Path) -> io::Result<()> {
        Ok(linkat(CWD, link_to(file), CWD, path, AtFlags::SYMLINK_FOLLOW)?)
    }

    /// The link to an open file.
    fn link_to(file: &File) -> PathBuf {
        format!("/proc/self/fd/{}", file.as_raw_fd()).into()
    }
}
