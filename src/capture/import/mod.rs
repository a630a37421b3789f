//! Opening files that hold traffic.

mod har;
mod ndjson;
mod packets;
mod replay;
mod tcp;
mod text;
mod told;

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::spool::SpoolError;
use super::store::Capture;
use text::Conversion;

/// Why a file cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The system refused.
    #[error("cannot read {}: {source}; check its name and permissions", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no capture.
    #[error("{} is {what}; framescope opens pcapng, pcap, HAR and its own NDJSON", path.display())]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// What it looks like.
        what: &'static str,
    },
    /// There is no place for what it is converted into.
    #[error("there is no place to convert {} ({source}); set TMPDIR to a folder with room", path.display())]
    Convert {
        /// Which file.
        path: PathBuf,
        /// What is wrong with the place.
        source: SpoolError,
    },
}

/// Reads a file into its capture. Made by [`open()`]; run it here or on another thread.
pub struct Loader {
    capture: Capture,
    file: File,
    conversion: Option<Conversion>,
}

/// Opens a file. The capture is empty until the loader runs, and grows while it does.
///
/// # Errors
/// When the file cannot be read or is no capture.
pub fn open(path: &Path) -> Result<(Capture, Loader), OpenError> {
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(io)?;
    if file.metadata().map_err(io)?.is_dir() {
        return Err(OpenError::Foreign { path: path.to_owned(), what: "a folder" });
    }
    if let Some(conversion) = Conversion::begin(&file, path)? {
        let capture = conversion.capture();
        capture.set_loading(true);
        return Ok((capture.clone(), Loader { capture, file, conversion: Some(conversion) }));
    }
    let mut magic = Vec::new();
    (&mut file).take(4).read_to_end(&mut magic).map_err(io)?;
    if let Some(what) = foreign(&magic) {
        return Err(OpenError::Foreign { path: path.to_owned(), what });
    }
    file.rewind().map_err(io)?;
    let bytes = Arc::new(file.try_clone().map_err(io)?);
    let capture = Capture::over(bytes, path);
    capture.set_loading(true);
    Ok((capture.clone(), Loader { capture, file, conversion: None }))
}

impl Loader {
    /// Reads the file to its end, or until `cancel` is set. What is wrong with it goes into the capture's trouble.
    pub fn run(self, cancel: &AtomicBool) {
        match self.conversion {
            Some(conversion) => conversion.run(&self.capture, self.file, cancel),
            None => packets::read(&self.capture, self.file, cancel),
        }
        self.capture.set_loading(false);
    }
}

/// What a file is that is no pcapng and no pcap.
fn foreign(magic: &[u8]) -> Option<&'static str> {
    match magic {
        [0x0a, 0x0d, 0x0d, 0x0a] | [0xa1, 0xb2, 0xc3 | 0x3c, 0xd4 | 0x4d] | [0xd4 | 0x4d, 0xc3 | 0x3c, 0xb2, 0xa1] => {
            None
        }
        [] => Some("empty"),
        [0x1f, 0x8b, ..] => Some("compressed (gunzip it first)"),
        _ => Some("no capture"),
    }
}
