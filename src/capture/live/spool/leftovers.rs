//! Spools of runs that did not end cleanly.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{PREFIX, head};
use crate::capture::live::ring::Ring;

/// A capture whose run did not end cleanly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// Its file; for a ring of several files their common name, with `*` in place of the numbers.
    pub path: PathBuf,
    /// How many files it has.
    pub files: usize,
}

/// The captures in `folder` whose runs did not end cleanly and recorded something, newest first. Deletes empty ones.
pub fn leftovers(folder: &Path) -> Vec<Leftover> {
    let head = head();
    let mut found: BTreeMap<PathBuf, Vec<(SystemTime, PathBuf)>> = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let modified = || {
            let file = entry.file_type().is_ok_and(|kind| kind.is_file()).then(|| File::open(entry.path()).ok())??;
            let metadata = file.metadata().ok()?;
            file.try_lock().ok()?;
            if metadata.len() <= head.len() as u64 {
                // Nothing was recorded.
                let _ = fs::remove_file(entry.path());
                return None;
            }
            metadata.modified().ok()
        };
        if let Some(modified) = modified() {
            let of = Ring::all_of(&entry.path()).unwrap_or_else(|| entry.path());
            found.entry(of).or_default().push((modified, entry.path()));
        }
    }
    let mut found: Vec<_> = found
        .into_iter()
        .map(|(all, files)| {
            let path = if files.len() == 1 { files[0].1.clone() } else { all };
            (files.iter().map(|(modified, _)| *modified).max(), Leftover { path, files: files.len() })
        })
        .collect();
    found.sort_by(|(one, _), (other, _)| other.cmp(one));
    found.into_iter().map(|(_, leftover)| leftover).collect()
}
