//! Opens captures. The content of a file decides its format, not its name.

mod error;
mod fragments;
mod gzip;
mod json;
pub(crate) mod link;
mod magic;
mod options;
mod packet_ring;
mod packets;
mod piece_queue;
pub mod samples;
pub mod stream;
mod tcp;
mod tls;

use std::fs::{self, File};
use std::io::{self, Read, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use self::error::OpenError;
use self::gzip::{Compression, GunzipError};
use self::json::Conversion;
use self::magic::{NOT_A_CAPTURE, is_pcap, not_packets};
pub use self::options::ImportOptions;
use self::packets::Growth;
use self::stream::PacketStream;
pub use self::tls::KeyLogError;
use self::tls::KeySource;
use super::store::{Capture, output, scratch};

/// How many bytes at the beginning of a file are examined to find its format. The keys of a JSON file can be this far from its first
/// byte.
const BEGINNING: usize = 64 * 1024;

/// The length of the header of a pcap file, in bytes.
const PCAP_HEADER: usize = 24;

/// Reads an opened file into its capture, on the thread that calls [`Loader::run`].
pub struct Loader {
    capture: Capture,
    /// The compressed file, and the one into which it is inflated first.
    compressed: Option<(Compression, File, Arc<File>)>,
    format: FileFormat,
}

/// The format of a file, inflated if it is compressed.
enum FileFormat {
    /// pcapng or pcap.
    Packets(ImportOptions, Box<KeySource>, Growth),
    /// A file with JSON, which is converted into pcapng.
    Text(Conversion, Arc<File>),
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
    open_file(regular_file(path)?, path, options)
}

/// Opens a file whose bytes can be read by position, for [`open_file`].
///
/// # Errors
/// If it cannot be read, or is not a regular file.
pub fn regular_file(path: &Path) -> Result<File, OpenError> {
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    // The bytes of others cannot be read by position: see [`stream`].
    if let Some(what) = output::irregular_kind(&fs::metadata(path).map_err(io)?) {
        return Err(OpenError::Foreign { path: path.to_owned(), what });
    }
    File::open(path).map_err(io)
}

/// Opens a packet capture that arrives through a pipe. The capture is shown as `path`. See [`open_with`].
///
/// # Errors
/// [`OpenError::KeyLog`].
pub fn open_stream(stream: PacketStream, path: &Path, options: ImportOptions) -> Result<(Capture, Loader), OpenError> {
    let keys = Box::new(KeySource::open(options.key_log.as_deref(), true)?);
    let PacketStream { files, growth } = stream;
    let capture = Capture::over_files(files, path);
    capture.set_growing(true);
    capture.set_loading(true);
    let format = FileFormat::Packets(options, keys, growth);
    Ok((capture.clone(), Loader { capture, compressed: None, format }))
}

/// Opens files that continue each other, such as those of a ring, as one capture, which is shown as `name`. They are joined in a private
/// file without a name.
///
/// # Errors
/// See [`OpenError`].
pub fn open_joined(paths: &[PathBuf], name: &Path) -> Result<(Capture, Loader), OpenError> {
    let mut joined: Box<dyn Read> = Box::new(io::empty());
    let mut header = None;
    for path in paths {
        let mut file = regular_file(path)?;
        let io = |source| OpenError::Io { path: path.clone(), source };
        let own = pcap_header(&file).map_err(io)?;
        // Within a pcap file, the header of the next one would be a damaged packet.
        if own.is_some() && own == header {
            file.seek(SeekFrom::Start(own.map_or(0, |own| own.len() as u64))).map_err(io)?;
        }
        header = header.or(own);
        joined = Box::new(joined.chain(file));
    }
    open_file(stream::spooled(joined, name)?, name, ImportOptions::default())
}

/// Opens the capture that a regular file contains. The capture is shown as `path`. See [`open_with`].
///
/// # Errors
/// See [`OpenError`].
pub fn open_file(source: File, path: &Path, options: ImportOptions) -> Result<(Capture, Loader), OpenError> {
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    let foreign = |what| OpenError::Foreign { path: path.to_owned(), what };
    let unfollowable = |what| OpenError::Unfollowable { path: path.to_owned(), what };
    let mut beginning = beginning(&source).map_err(io)?;
    let compression = compression(&source, &beginning);
    if let Some(compression) = compression {
        let inflated = compression.beginning(&source, BEGINNING);
        beginning = inflated.ok_or_else(|| foreign("compressed, and damaged at its beginning"))?;
    }
    let conversion = Conversion::begin(&beginning, path, options.deflate)?;
    if options.follow && (compression.is_some() || conversion.is_some()) {
        return Err(unfollowable(if compression.is_some() { "compressed" } else { "not a packet capture" }));
    }
    let (file, compressed) = match compression {
        Some(compression) => {
            let inflated = scratch::file().map_err(|source| OpenError::Inflate { path: path.to_owned(), source })?;
            let inflated = Arc::new(inflated);
            (Arc::clone(&inflated), Some((compression, source, inflated)))
        }
        None => (Arc::new(source), None),
    };
    let (capture, format) = match conversion {
        Some(conversion) => {
            let capture = conversion.capture();
            if options.key_log.is_some() {
                capture.add_notice("--keylog has no effect: the file has no packets");
            }
            (capture, FileFormat::Text(conversion, file))
        }
        None => {
            match not_packets(&beginning) {
                // The program that writes the file has not begun.
                Some(_) if options.follow && beginning.is_empty() => {}
                // It may be text with frames.
                Some(NOT_A_CAPTURE) if compression.is_none_or(|kind| kind == Compression::Gzip) => {
                    return Err(OpenError::Unrecognized { path: path.to_owned() });
                }
                Some(what) => return Err(foreign(what)),
                None => {}
            }
            let keys = Box::new(KeySource::open(options.key_log.as_deref(), options.follow)?);
            let capture = Capture::over(Arc::clone(&file), path);
            capture.set_growing(options.follow);
            let growth = if options.follow { Growth::Followed(Arc::clone(&file)) } else { Growth::Complete };
            (capture, FileFormat::Packets(options, keys, growth))
        }
    };
    capture.set_loading(true);
    Ok((capture.clone(), Loader { capture, compressed, format }))
}

/// Returns true if the content of a regular file begins like that of a capture.
///
/// # Errors
/// If the file cannot be read.
pub fn is_capture(path: &Path) -> io::Result<bool> {
    let source = File::open(path)?;
    let beginning = beginning(&source)?;
    Ok(match compression(&source, &beginning) {
        Some(compression) => {
            compression.beginning(&source, BEGINNING).is_some_and(|inflated| begins_capture(&inflated))
        }
        None => begins_capture(&beginning),
    })
}

/// The header of a pcap file; `None` for another file.
fn pcap_header(file: &File) -> io::Result<Option<[u8; PCAP_HEADER]>> {
    let mut header = [0; PCAP_HEADER];
    match file.read_exact_at(&mut header, 0) {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(e) => Err(e),
        Ok(()) => Ok(is_pcap(&header).then_some(header)),
    }
}

/// Returns true if a file that begins like this is a capture.
fn begins_capture(beginning: &[u8]) -> bool {
    not_packets(beginning).is_none() || json::begins_capture(beginning)
}

/// How a file with this beginning is compressed. A zlib stream is one only if it contains a capture.
fn compression(source: &File, beginning: &[u8]) -> Option<Compression> {
    Compression::of(beginning).filter(|compression| match compression {
        Compression::Gzip => true,
        Compression::Zlib => compression.beginning(source, BEGINNING).is_some_and(|inflated| begins_capture(&inflated)),
    })
}

/// The first bytes of a file.
fn beginning(file: &File) -> io::Result<Vec<u8>> {
    let mut beginning = vec![0; BEGINNING];
    let mut had = 0;
    while had < beginning.len() {
        match file.read_at(&mut beginning[had..], had as u64)? {
            0 => break,
            read => had += read,
        }
    }
    beginning.truncate(had);
    Ok(beginning)
}

impl Loader {
    /// Reads the file to its end, or until `cancel` is set. Damage is added to the capture's trouble.
    pub fn run(self, cancel: &AtomicBool) {
        let capture = self.capture.clone();
        // zlib-rs panics if the system has no memory for a stream.
        if panic::catch_unwind(AssertUnwindSafe(|| self.read(cancel))).is_err() {
            capture.add_failure("reading stopped: no memory, or a bug in framescope; records before that are shown");
        }
        capture.set_growing(false);
        capture.set_loading(false);
    }

    fn read(self, cancel: &AtomicBool) {
        let Self { capture, compressed, format } = self;
        let damage =
            compressed.and_then(|(compression, source, file)| gzip::inflate(compression, source, &file, cancel).err());
        match (&damage, format) {
            // Reading the part would report its end as damage of the file.
            (Some(GunzipError::Read { .. } | GunzipError::Write { .. }), _) => {}
            (_, FileFormat::Text(conversion, file)) => conversion.run(&capture, &file, cancel),
            (_, FileFormat::Packets(options, keys, growth)) => {
                packets::read(&capture, &options, *keys, growth, cancel);
            }
        }
        match damage {
            Some(damage @ (GunzipError::Truncated { .. } | GunzipError::Damaged { .. })) => {
                capture.add_damage(&damage.to_string());
            }
            Some(failure @ (GunzipError::Read { .. } | GunzipError::Write { .. })) => {
                capture.add_failure(&failure.to_string());
            }
            None => {}
        }
    }
}
