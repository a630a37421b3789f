//! Why a file cannot be opened.

use std::io;
use std::path::PathBuf;

use super::tls::KeyLogError;
use crate::capture::live::spool::SpoolError;

/// Why a file cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}; check its name and permissions", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The file for the inflated bytes cannot be created.
    #[error("cannot inflate {}: {source}; set TMPDIR to a writable folder, or decompress the file with gunzip first", path.display())]
    Inflate {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The file is not a capture.
    #[error("{} is {what}; framescope opens pcapng, pcap, HAR and its own NDJSON, also compressed with gzip", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        what: &'static str,
    },
    /// The file has none of the known formats.
    #[error(
        "{} is not a capture; framescope opens pcapng, pcap, HAR and its own NDJSON, also compressed with gzip, and frames as \
         text; add --as raw if the file consists of the bytes of frames",
        path.display()
    )]
    Unrecognized {
        /// The file.
        path: PathBuf,
    },
    /// A stream cannot be copied into a file.
    #[error("cannot copy {} to a temporary file: {source}; free some space, or set XDG_CACHE_HOME to another folder", name.display())]
    Spool {
        /// The name of the stream.
        name: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The key log cannot be used.
    #[error(transparent)]
    KeyLog(#[from] KeyLogError),
    /// The file cannot be followed.
    #[error("cannot follow {} while it grows: it is {what}; open it without --follow", path.display())]
    Unfollowable {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The private file for the conversion cannot be created.
    #[error("cannot convert {}: {source}; set TMPDIR to a folder with free space", path.display())]
    Convert {
        /// The file.
        path: PathBuf,
        /// Why it cannot be created.
        source: SpoolError,
    },
}
