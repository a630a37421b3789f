//! Opening files that hold traffic. What a file is, is told by its content.

mod fragments;
mod gzip;
mod json;
mod link;
mod packets;
pub mod samples;
mod tcp;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use self::json::Conversion;
use super::live::spool::SpoolError;
use super::store::{Capture, scratch};

/// How many of a file's first bytes tell what it is.
const BEGINNING: usize = 64;

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
    /// There is no place for what a compressed file inflates to.
    #[error("cannot inflate {}: {source}; set TMPDIR to a place that can be written, or gunzip it first", path.display())]
    Inflate {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no capture.
    #[error("{} is {what}; framescope opens pcapng and pcap, also compressed with gzip, HAR and its own NDJSON", path.display())]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// What it looks like.
        what: &'static str,
    },
    /// The file cannot be followed.
    #[error("{} is {what}: it cannot be followed while it grows; open it without --follow", path.display())]
    Unfollowable {
        /// Which file.
        path: PathBuf,
        /// Why.
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

/// How a file is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// A connection on this port whose handshake is missing is read as WebSocket frames.
    pub port: Option<u16>,
    /// At the end of the file, wait until it grows.
    pub follow: bool,
}

/// Reads a file into its capture. Made by [`open()`]; run it here or on another thread.
pub struct Loader {
    capture: Capture,
    source: Source,
}

/// What a file is.
enum Source {
    /// pcapng or pcap.
    Packets {
        /// What the capture's bytes are read from.
        file: Arc<File>,
        options: ImportOptions,
        /// What is inflated into `file` first.
        compressed: Option<File>,
    },
    /// JSON, which becomes a file of packets.
    Text { file: File, conversion: Conversion },
}

/// Opens a file as [`open_with`] does, without options.
///
/// # Errors
/// When the file cannot be read or is no capture.
pub fn open(path: &Path) -> Result<(Capture, Loader), OpenError> {
    open_with(path, ImportOptions::default())
}

/// Opens a file. The capture is empty until the loader runs, and grows while it does.
///
/// # Errors
/// When the file cannot be read or is no capture.
pub fn open_with(path: &Path, options: ImportOptions) -> Result<(Capture, Loader), OpenError> {
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    let foreign = |what| OpenError::Foreign { path: path.to_owned(), what };
    let source = File::open(path).map_err(io)?;
    if source.metadata().map_err(io)?.is_dir() {
        return Err(foreign("a folder"));
    }
    let unfollowable = |what| OpenError::Unfollowable { path: path.to_owned(), what };
    if let Some(conversion) = Conversion::begin(&source, path)? {
        if options.follow {
            return Err(unfollowable("no packet capture"));
        }
        let capture = conversion.capture();
        capture.set_loading(true);
        return Ok((capture.clone(), Loader { capture, source: Source::Text { file: source, conversion } }));
    }
    let mut beginning = [0; BEGINNING];
    let read = source.read_at(&mut beginning, 0).map_err(io)?;
    let mut beginning = beginning[..read].to_vec();
    let (file, compressed) = if gzip::is_gzip(&beginning) {
        if options.follow {
            return Err(unfollowable("compressed"));
        }
        beginning = gzip::beginning(&source, BEGINNING)
            .ok_or_else(|| foreign("compressed, and damaged from its beginning on"))?;
        let inflated = scratch::file();
        (inflated.map_err(|source| OpenError::Inflate { path: path.to_owned(), source })?, Some(source))
    } else {
        (source, None)
    };
    match not_packets(&beginning) {
        // Whoever writes it has not begun.
        Some(_) if options.follow && beginning.is_empty() => {}
        Some(what) => return Err(foreign(what)),
        None => {}
    }
    let file = Arc::new(file);
    let capture = Capture::over(Arc::clone(&file), path);
    capture.set_loading(true);
    capture.set_growing(options.follow);
    Ok((capture.clone(), Loader { capture, source: Source::Packets { file, options, compressed } }))
}

impl Loader {
    /// Reads the file to its end, or until `cancel` is set. What is wrong with it goes into the capture's trouble.
    pub fn run(self, cancel: &AtomicBool) {
        let capture = &self.capture;
        match self.source {
            Source::Text { file, conversion } => conversion.run(capture, file, cancel),
            Source::Packets { file, options, compressed } => {
                let damage = compressed.and_then(|source| gzip::inflate(source, &file, cancel).err());
                packets::read(capture, &file, &options, cancel);
                if let Some(damage) = damage {
                    capture.add_trouble(&damage);
                }
            }
        }
        capture.set_growing(false);
        capture.set_loading(false);
    }
}

/// What a file with this beginning looks like when it is no pcapng and no pcap.
fn not_packets(beginning: &[u8]) -> Option<&'static str> {
    match beginning {
        [0x0a, 0x0d, 0x0d, 0x0a, ..]
        | [0xa1, 0xb2, 0xc3 | 0xcd, 0xd4 | 0x34, ..]
        | [0xa1, 0xb2, 0x3c, 0x4d, ..]
        | [0xd4 | 0x34, 0xc3 | 0xcd, 0xb2, 0xa1, ..]
        | [0x4d, 0x3c, 0xb2, 0xa1, ..] => None,
        [] => Some("empty"),
        [0x1f, 0x8b, ..] => Some("compressed more than once"),
        _ => Some("no capture"),
    }
}
