//! A paste as the screen requests it to be read, and how it is read.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::capture::store::Capture;
use crate::pasted::{self, CaptureError, PasteError, PasteOptions, Pasted, ReadAs};

/// The name of the capture of a paste.
pub const NAME: &str = "paste";

/// One paste to read.
#[derive(Clone, Debug, Default)]
pub struct PasteRequest {
    /// The pasted or typed text.
    pub text: String,
    /// The form that the user named.
    pub read_as: Option<ReadAs>,
    /// Whether permessage-deflate counts as negotiated.
    pub deflate: bool,
    /// Set to true when the user no longer wants the paste.
    pub cancel: Arc<AtomicBool>,
}

/// A paste that was read.
#[derive(Clone)]
pub struct PasteRead {
    /// Its bytes and their form.
    pub pasted: Arc<Pasted>,
    /// The records of its bytes.
    pub capture: Capture,
}

/// Why a paste cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum PasteRefused {
    /// It cannot be read.
    #[error(transparent)]
    Text(#[from] PasteError),
    /// Its bytes cannot be recorded.
    #[error(transparent)]
    Capture(#[from] CaptureError),
}

impl PasteRequest {
    /// Reads the text and records its bytes into a private file.
    ///
    /// # Errors
    /// See [`PasteRefused`].
    pub fn read(&self) -> Result<PasteRead, PasteRefused> {
        let pasted = pasted::read(self.text.as_bytes(), self.read_as)?;
        let options = PasteOptions { deflate: self.deflate, ..PasteOptions::default() };
        let capture = pasted::to_capture(&pasted.content, Path::new(NAME), options)?;
        Ok(PasteRead { pasted: Arc::new(pasted), capture })
    }
}

impl std::fmt::Debug for PasteRead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasteRead").field("pasted", &self.pasted).finish_non_exhaustive()
    }
}
