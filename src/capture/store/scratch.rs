//! The folder of temporary files.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;

/// The folder of temporary spools: `framescope` in the user's cache folder, which is on disk where `/tmp` may be in memory.
pub fn folder() -> PathBuf {
    etcetera::choose_base_strategy().map_or_else(|_| std::env::temp_dir(), |base| base.cache_dir()).join("framescope")
}

/// Creates a folder of temporary files, which only the user can read, and the folders above it.
///
/// # Errors
/// The system's. It is no error if the folder exists.
pub(in crate::capture) fn create_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// A file without a name in [`folder()`], or in the system's temporary folder when that fails: for data that can be computed again.
///
/// # Errors
/// When neither folder can be written.
pub(in crate::capture) fn file() -> io::Result<File> {
    let folder = folder();
    create_folder(&folder).and_then(|()| tempfile::tempfile_in(folder)).or_else(|_| tempfile::tempfile())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn only_the_user_can_read_the_folder() {
        let parent = tempfile::tempdir().expect("a folder");
        let folder = parent.path().join("cache/framescope");
        create_folder(&folder).expect("created");
        create_folder(&folder).expect("it may exist");
        assert_eq!(fs::metadata(folder).expect("there").permissions().mode() & 0o777, 0o700);
    }
}
