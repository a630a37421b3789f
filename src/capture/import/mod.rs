//! Opens captures. The content of a file decides its format, not its name.

mod error;
mod fragments;
mod gzip;
mod json;
mod link;
mod packets;
pub mod samples;
mod tcp;

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use self::error::OpenError;
use self::json::Conversion;
use super::store::{Capture, scratch};

/// How many bytes at the beginning of a file are examined to find its format.
const BEGINNING: usize = 64;

/// How to open a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// Connections on this port whose handshake is missing are read as WebSocket frames.
    pub port: Option<u16>,
    /// At the end of the file, wait until it grows.
    pub follow: bool,
}

/// Reads an opened file into its capture, on the thread that calls [`Loader::run`].
pub struct Loader {
    capture: Capture,
    source: Source,
}

/// The format of the file.
enum Source {
    /// pcapng or pcap.
    Packets {
        /// The file from which the capture reads bytes.
        file: Arc<File>,
        options: ImportOptions,
        /// The compressed file, which is inflated into `file` first.
        compressed: Option<File>,
    },
    /// JSON, which is converted into pcapng.
    Text { file: File, conversion: Conversion },
}

/// Opens a file with the default options. See [`open_with`].
///
/// # Errors
/// See [`OpenError`].
pub fn open(path: &Path) -> Result<(Capture, Loader), OpenError> {
    open_with(path, ImportOptions::default())
}

/// Opens a file. The capture is empty until the loader runs, and grows while it runs.
///
/// # Errors
/// See [`OpenError`].
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
            return Err(unfollowable("not a packet capture"));
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
        beginning =
            gzip::beginning(&source, BEGINNING).ok_or_else(|| foreign("compressed, and damaged at its beginning"))?;
        let inflated = scratch::file();
        (inflated.map_err(|source| OpenError::Inflate { path: path.to_owned(), source })?, Some(source))
    } else {
        (source, None)
    };
    match not_packets(&beginning) {
        // The program that writes the file has not begun.
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
    /// Reads the file to its end, or until `cancel` is set. Damage is reported in the capture's trouble.
    pub fn run(self, cancel: &AtomicBool) {
        let capture = &self.capture;
        match self.source {
            Source::Text { file, conversion } => conversion.run(capture, file, cancel),
            Source::Packets { file, options, compressed } => {
                let damage = compressed.and_then(|source| gzip::inflate(source, &file, cancel).err());
                packets::read(capture, &file, &options, cancel);
                if let Some(damage) = damage {
                    capture.add_trouble(&damage.to_string());
                }
            }
        }
        capture.set_growing(false);
        capture.set_loading(false);
    }
}

/// What a file that begins like this is, if it is neither pcapng nor pcap.
fn not_packets(beginning: &[u8]) -> Option<&'static str> {
    match beginning {
        [0x0a, 0x0d, 0x0d, 0x0a, ..]
        | [0xa1, 0xb2, 0xc3 | 0xcd, 0xd4 | 0x34, ..]
        | [0xa1, 0xb2, 0x3c, 0x4d, ..]
        | [0xd4 | 0x34, 0xc3 | 0xcd, 0xb2, 0xa1, ..]
        | [0x4d, 0x3c, 0xb2, 0xa1, ..] => None,
        [] => Some("empty"),
        [0x1f, 0x8b, ..] => Some("compressed more than once"),
        _ => Some("not a capture"),
    }
}
