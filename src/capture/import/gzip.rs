//! Files compressed with gzip (RFC 1952), or as a zlib stream (RFC 1950), as mitmproxy writes `.zhar` files. They are inflated into an
//! unnamed file, which is read by position.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::bufread::{MultiGzDecoder, ZlibDecoder};

use crate::capture::store::scratch;
use crate::proto::rules::count;

/// How much is inflated between two checks of the cancel flag, in bytes.
const PIECE: usize = 256 * 1024;

/// Why only the beginning of a file was inflated.
#[derive(Debug, thiserror::Error)]
pub enum GunzipError {
    #[error("the compressed file ends early, after {}; records before its end are shown", inflated_bytes(.inflated))]
    Truncated { inflated: u64 },
    #[error("the compressed file is damaged, after {}; records before the damage are shown", inflated_bytes(.inflated))]
    Damaged { inflated: u64 },
    #[error("cannot read the compressed file after {}: {source}; copy it to another disk", inflated_bytes(.inflated))]
    Read { inflated: u64, source: io::Error },
    #[error(
        "cannot write more than {} to {}: {source}; free some space, or set XDG_CACHE_HOME to another folder",
        inflated_bytes(.inflated),
        scratch::folder().display()
    )]
    Write { inflated: u64, source: io::Error },
}

fn inflated_bytes(n: &u64) -> String {
    count(*n, "inflated byte")
}

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    Gzip,
    Zlib,
}

impl Compression {
    /// How a file that begins like this is compressed. Few other files begin like a zlib stream: only its content is certain.
    pub fn of(beginning: &[u8]) -> Option<Self> {
        match *beginning {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            // RFC 1950 §2.2: the default window, no dictionary, and a check.
            [0x78, flags, ..] if flags & 0x20 == 0 && u16::from_be_bytes([0x78, flags]).is_multiple_of(31) => {
                Some(Self::Zlib)
            }
            _ => None,
        }
    }

    fn decoder(self, source: impl Read + 'static) -> Box<dyn Read> {
        let source = BufReader::with_capacity(PIECE, source);
        match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(source)),
            Self::Zlib => Box::new(ZlibDecoder::new(source)),
        }
    }

    /// The first `len` inflated bytes of a file, or fewer if it has fewer; `None` if it is damaged before the first one. Leaves the
    /// file at its beginning.
    pub fn beginning(self, source: &File, len: usize) -> Option<Vec<u8>> {
        let mut inflated = Vec::new();
        let mut start = source.try_clone().ok()?;
        let read = self.decoder(source.try_clone().ok()?).take(len as u64).read_to_end(&mut inflated);
        start.rewind().ok()?;
        (read.is_ok() || !inflated.is_empty()).then_some(inflated)
    }
}

/// Inflates a file and appends the bytes to another file, until `cancel` is set.
///
/// # Errors
/// See [`GunzipError`]. The bytes before the error are written.
pub fn inflate(compression: Compression, source: File, mut to: &File, cancel: &AtomicBool) -> Result<(), GunzipError> {
    let mut decoder = compression.decoder(source);
    let mut piece = vec![0; PIECE];
    let mut inflated = 0;
    while !cancel.load(Ordering::Relaxed) {
        let read = match decoder.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Err(GunzipError::Truncated { inflated }),
            // The decoder reports invalid bytes with these kinds (RFC 1951, RFC 1952 §2.3.1); others are the system's.
            Err(e) if matches!(e.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => {
                return Err(GunzipError::Damaged { inflated });
            }
            Err(source) => return Err(GunzipError::Read { inflated, source }),
        };
        to.write_all(&piece[..read]).map_err(|source| GunzipError::Write { inflated, source })?;
        inflated += read as u64;
    }
    Ok(())
}
