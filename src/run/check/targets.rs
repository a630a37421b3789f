//! Which captures the arguments of `check` name: files, and the captures in folders.

use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use crate::capture::import;
use crate::export::findings::FaultKind;

/// What an argument, or a part of it, leads to.
pub enum Target {
    /// A file to check.
    File(PathBuf),
    /// A folder without a capture, or an entry that cannot be read.
    Fault {
        /// The folder or entry.
        folder: PathBuf,
        /// Its kind.
        kind: FaultKind,
        /// One line for people.
        reason: String,
    },
}

/// The captures that the arguments name, in their order; those of a folder sorted by path.
pub fn expand(arguments: &[PathBuf]) -> Vec<Target> {
    let mut targets = Vec::new();
    for path in arguments {
        match path.is_dir() {
            true => expand_folder(path, &mut targets),
            false => targets.push(Target::File(path.clone())),
        }
    }
    targets
}

fn expand_folder(folder: &Path, targets: &mut Vec<Target>) {
    let (mut files, mut faults) = (Vec::new(), Vec::new());
    collect(folder, &mut files, &mut faults);
    if files.is_empty() && faults.is_empty() {
        let reason = format!("no captures in {}", folder.display());
        faults.push(Target::Fault { folder: folder.to_owned(), kind: FaultKind::NoFrames, reason });
    }
    files.sort();
    targets.extend(files.into_iter().map(Target::File));
    targets.append(&mut faults);
}

/// Adds the captures in a folder and in the folders below it. Hidden entries are left out, and links to folders are not followed: they
/// can lead in circles.
fn collect(folder: &Path, files: &mut Vec<PathBuf>, faults: &mut Vec<Target>) {
    let unread = |path: &Path, e: io::Error| {
        let reason = format!("cannot read {}: {e}; check its permissions", path.display());
        Target::Fault { folder: path.to_owned(), kind: FaultKind::Unread, reason }
    };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) => return faults.push(unread(folder, e)),
    };
    for entry in entries {
        match entry.and_then(|entry| Ok((entry.file_type()?, entry))) {
            Err(e) => return faults.push(unread(folder, e)),
            Ok((_, entry)) if entry.file_name().as_encoded_bytes().starts_with(b".") => {}
            Ok((kind, entry)) if kind.is_dir() => collect(&entry.path(), files, faults),
            // Opening it would wait for the program that writes to it.
            Ok((kind, entry)) if kind.is_fifo() => {
                if has_name_of_capture(&entry.path()) {
                    let reason = format!("{} is a FIFO; name it as an argument to read it", entry.path().display());
                    faults.push(Target::Fault { folder: entry.path(), kind: FaultKind::Unread, reason });
                }
            }
            Ok((_, entry)) => files.extend(Some(entry.path()).filter(|path| is_capture(path))),
        }
    }
}

/// Returns true if an entry of a folder is to be checked: a file whose content is that of a capture or that cannot be read, and anything
/// but a folder with the name of a capture, such as a link that leads nowhere.
fn is_capture(path: &Path) -> bool {
    !path.is_dir() && (has_name_of_capture(path) || path.is_file() && import::is_capture(path).unwrap_or(true))
}

fn has_name_of_capture(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    [".pcapng", ".pcap", ".har", ".ndjson"].iter().any(|extension| name.ends_with(extension))
}
