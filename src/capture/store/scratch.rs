//! The folder of temporary files.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use etcetera::BaseStrategy as _;

/// The folder of temporary spools: `framescope` in the user's cache folder, which is on disk where `/tmp` may be in memory.
pub fn folder() -> PathBuf {
    etcetera::choose_base_strategy().map_or_else(|_| std::env::temp_dir(), |base| base.cache_dir()).join("framescope")
}

/// A file without a name in [`folder()`], or in the system's temporary folder when that fails: for data that can be computed again.
///
/// # Errors
/// When neither folder can be written.
pub(in crate::capture) fn file() -> io::Result<File> {
    tempfile::tempfile_in(folder()).or_else(|_| tempfile::tempfile())
}
