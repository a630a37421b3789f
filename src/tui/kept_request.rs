//! A kept capture as the screen requests it to be opened, and how it is read.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::event::Remote;
use super::state::jobs;
use crate::capture::import::{self, OpenError};
use crate::capture::live::spool::KeptCapture;
use crate::capture::store::Capture;

/// One kept capture to open.
#[derive(Clone, Debug)]
pub struct KeptRequest {
    /// The capture.
    pub kept: KeptCapture,
    /// Set to true when the user no longer wants it.
    pub cancel: Arc<AtomicBool>,
}

/// A kept capture that was read.
pub struct KeptRead(pub Capture);

impl KeptRequest {
    /// Reads the capture to its end, and reports the progress. The files of a ring are joined in a private file first.
    ///
    /// # Errors
    /// If a file cannot be read, or the private file cannot be written.
    pub fn read(&self, remote: &Remote) -> Result<KeptRead, OpenError> {
        let (capture, loader) = match self.kept.files.as_slice() {
            [file] => import::open(file)?,
            files => import::open_joined(files, &self.kept.path)?,
        };
        let counts = || (capture.totals().records, 0);
        remote.report_while(jobs::OPEN, counts, || loader.run(&self.cancel));
        Ok(KeptRead(capture))
    }
}

impl std::fmt::Debug for KeptRead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("KeptRead").finish_non_exhaustive()
    }
}
