//! A kept capture as the screen requests it to be opened, and how it is read.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::event::{Remote, Report};
use super::state::jobs;
use crate::capture::import::{self, Loader, OpenError};
use crate::capture::live::spool::KeptCapture;
use crate::capture::store::Capture;

/// Bytes of the captures whose records are counted, so that it takes a second or two at most.
const MAX_COUNTED: u64 = 256 << 20;

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
        let (capture, loader) = open(&self.kept)?;
        let counts = || (capture.totals().records, 0);
        remote.report_while(jobs::OPEN, counts, || loader.run(&self.cancel));
        Ok(KeptRead(capture))
    }
}

fn open(kept: &KeptCapture) -> Result<(Capture, Loader), OpenError> {
    match kept.files.as_slice() {
        [file] => import::open(file),
        files => import::open_joined(files, &kept.path),
    }
}

/// Counts the records of captures and reports each number; the newest come first. Those that are too long are not counted.
pub fn count(captures: &[KeptCapture], remote: &Remote) {
    let mut budget = MAX_COUNTED;
    for kept in captures {
        let left = budget.checked_sub(kept.bytes);
        budget = left.unwrap_or(budget);
        let opened = left.and_then(|_| open(kept).ok());
        let records = opened.map(|(capture, loader)| {
            loader.run(&AtomicBool::new(false));
            capture.totals().records
        });
        remote.report(Report::KeptCounted(kept.path.clone(), records));
    }
}

impl std::fmt::Debug for KeptRead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("KeptRead").finish_non_exhaustive()
    }
}
