//! Compares the files of a spool with what was written to them: another program may have deleted, moved or truncated one.

use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Spool;
use super::file::{Change, SpoolError};
use crate::capture::store::files::Part;
use crate::capture::store::output::OutputError;

impl Spool {
    /// Compares each file that is kept with what was written to it. A private file may be deleted.
    ///
    /// # Errors
    /// [`SpoolError::Changed`] for the first file that is not as it was written.
    pub fn check_files(&self) -> Result<(), SpoolError> {
        if self.temporary.load(Ordering::SeqCst) {
            return Ok(());
        }
        let parts = self.files.parts();
        let ends = parts.iter().skip(1).map(|next| next.start).chain([self.start + self.len - self.skipped]);
        parts.iter().zip(ends).try_for_each(|(part, end)| check(part, end - part.start + part.skipped))
    }

    /// As [`Self::check_files`], for the file that is written.
    pub(super) fn check_latest(&self) -> Result<(), SpoolError> {
        if self.temporary.load(Ordering::SeqCst) {
            return Ok(());
        }
        check(
            &Part { start: self.start, skipped: self.skipped, file: Arc::clone(&self.file), path: self.path.clone() },
            self.len,
        )
    }

    /// Compares the length of the file that is written with what was written to it. Appending to a truncated file would leave a hole.
    pub(super) fn check_length(&self) -> Result<(), SpoolError> {
        let metadata = self.file.metadata().map_err(|e| OutputError::at(&self.path, e))?;
        if metadata.len() == self.len {
            return Ok(());
        }
        Err(SpoolError::Changed { path: self.path.clone(), how: Change::Resized })
    }
}

fn check(part: &Part, len: u64) -> Result<(), SpoolError> {
    let own = part.file.metadata().map_err(|e| OutputError::at(&part.path, e))?;
    let how = if own.nlink() == 0 {
        Change::Deleted
    } else if !part.is_at_its_path() {
        Change::Moved
    } else if own.len() != len {
        Change::Resized
    } else {
        return Ok(());
    };
    Err(SpoolError::Changed { path: part.path.clone(), how })
}
