//! Temporary spools that earlier runs kept.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{PREFIX, head};
use crate::capture::live::ring::Ring;

/// A capture that was never saved: its run crashed, or ended before the user was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptCapture {
    /// Its file; for a ring of several files their common name, with `*` in place of the numbers.
    pub path: PathBuf,
    /// Its files, the oldest first.
    pub files: Vec<PathBuf>,
    /// Their length in bytes.
    pub bytes: u64,
    /// When the last of them was written.
    pub modified: SystemTime,
    /// The target of its first WebSocket request, or else of its first request; `None` if its beginning has none.
    pub target: Option<String>,
}

impl KeptCapture {
    /// Deletes its files.
    ///
    /// # Errors
    /// If one of them is in use by another framescope, or cannot be deleted.
    pub fn delete(&self) -> io::Result<()> {
        let locked: Vec<File> = self.files.iter().map(|path| unused(path)).collect::<io::Result<_>>()?;
        let deleted = self.files.iter().try_for_each(fs::remove_file);
        drop(locked);
        deleted
    }
}

/// Opens and locks a file that no run uses.
fn unused(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    match file.try_lock() {
        Err(fs::TryLockError::WouldBlock) => Err(io::ErrorKind::ResourceBusy.into()),
        // Some file systems have no locks.
        Ok(()) | Err(fs::TryLockError::Error(_)) => Ok(file),
    }
}

/// Bytes at the beginning of a capture that are searched for a request.
const SEARCHED: u64 = 64 * 1024;

/// The longest target that is read, in bytes.
const LONGEST_TARGET: usize = 256;

/// The target of the first request to upgrade at the beginning of a capture, or else of the first request.
fn target(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(SEARCHED).read_to_end(&mut bytes).ok()?;
    let find = |bytes: &[u8], wanted: &[u8]| bytes.windows(wanted.len()).position(|part| part == wanted);
    let mut first = None;
    let mut rest = bytes.as_slice();
    while let Some(at) = find(rest, b"GET ") {
        rest = &rest[at + 4..];
        let Some(end) = find(&rest[..rest.len().min(LONGEST_TARGET)], b" HTTP/1.") else { continue };
        let target = String::from_utf8_lossy(&rest[..end]).into_owned();
        let head = &rest[..find(rest, b"\r\n\r\n").unwrap_or(rest.len())];
        if find(&head.to_ascii_lowercase(), b"\nupgrade: websocket").is_some() {
            return Some(target);
        }
        first = first.or(Some(target));
    }
    first
}

/// The captures in `folder` that earlier runs kept, newest first. Deletes those without a record.
pub fn kept_captures(folder: &Path) -> Vec<KeptCapture> {
    let head = head();
    let mut found: BTreeMap<PathBuf, Vec<(PathBuf, u64, SystemTime)>> = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_spool = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if !is_spool || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let path = entry.path();
        let Ok(metadata) = unused(&path).and_then(|file| file.metadata()) else { continue };
        if metadata.len() <= head.len() as u64 {
            let _ = fs::remove_file(path);
        } else if let Ok(modified) = metadata.modified() {
            let all = Ring::all_of(&path).unwrap_or_else(|| path.clone());
            found.entry(all).or_default().push((path, metadata.len(), modified));
        }
    }
    let capture = |(all, mut files): (PathBuf, Vec<(PathBuf, u64, SystemTime)>)| {
        files.sort();
        KeptCapture {
            target: files.first().and_then(|(path, ..)| target(path)),
            path: if files.len() == 1 { files[0].0.clone() } else { all },
            bytes: files.iter().map(|(_, bytes, _)| bytes).sum(),
            modified: files.iter().map(|(.., modified)| *modified).max().unwrap_or(SystemTime::UNIX_EPOCH),
            files: files.into_iter().map(|(path, ..)| path).collect(),
        }
    };
    let mut found: Vec<KeptCapture> = found.into_iter().map(capture).collect();
    found.sort_by(|one, other| (other.modified, &other.path).cmp(&(one.modified, &one.path)));
    found
}
