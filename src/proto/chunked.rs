//! The chunked transfer coding (RFC 9112 §7.1).

use super::body::{BodyFault, Progress};

/// The position in a chunked body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chunked {
    /// In the digits of a size; `None` before the first one.
    Size(Option<u64>),
    /// In white space after the digits of this size.
    AfterSize(u64),
    /// In the extensions of a chunk of this size. What they contain does not matter here.
    Extension(u64),
    /// After the CR of the line with this size.
    SizeLf(u64),
    /// In the data of a chunk: the number of bytes still to come.
    Data(u64),
    /// After the data of a chunk; `true` after the CR there.
    AfterData(bool),
    /// In the trailer, which ends with an empty line.
    Trailer {
        /// Whether the current line is empty so far.
        is_empty: bool,
        /// Whether a CR began it.
        has_cr: bool,
    },
}

impl Default for Chunked {
    fn default() -> Self {
        Self::Size(None)
    }
}

impl Chunked {
    const TRAILER: Self = Self::Trailer { is_empty: true, has_cr: false };

    /// See [`super::body::Body::take`].
    pub(super) fn take(&mut self, bytes: &[u8]) -> (usize, Progress) {
        let mut at = 0;
        while at < bytes.len() {
            if let Self::Data(left) = self {
                let taken = (*left).min((bytes.len() - at) as u64);
                at += taken as usize;
                *left -= taken;
                if *left == 0 {
                    *self = Self::AfterData(false);
                }
                continue;
            }
            match self.after(bytes[at]) {
                Ok(Some(next)) => *self = next,
                Ok(None) => return (at + 1, Progress::Complete),
                Err(fault) => return (at, Progress::Malformed(fault)),
            }
            at += 1;
        }
        (at, Progress::Incomplete)
    }

    /// The position after the next byte, which is not data; `None` after the last one.
    fn after(&self, byte: u8) -> Result<Option<Self>, BodyFault> {
        let data = |size| if size == 0 { Self::TRAILER } else { Self::Data(size) };
        let digit = || (byte as char).to_digit(16).map(u64::from);
        Ok(Some(match (self, byte) {
            (Self::Size(None), _) => Self::Size(Some(digit().ok_or(BodyFault::ChunkSize)?)),
            (Self::Size(Some(size)), _) if byte.is_ascii_hexdigit() => {
                let size = size.checked_mul(16).ok_or(BodyFault::ChunkTooLarge)?;
                Self::Size(Some(size | digit().unwrap_or(0)))
            }
            (Self::Size(Some(size)) | Self::AfterSize(size), b' ' | b'\t') => Self::AfterSize(*size),
            (Self::Size(Some(size)) | Self::AfterSize(size), b';') => Self::Extension(*size),
            // Readers agree on a lone LF here, but not in extensions, where some search for CR LF.
            (Self::Size(Some(size)) | Self::AfterSize(size) | Self::SizeLf(size), b'\n') => data(*size),
            (Self::Size(Some(size)) | Self::AfterSize(size) | Self::Extension(size), b'\r') => Self::SizeLf(*size),
            (Self::Extension(size), byte) if byte != b'\n' => Self::Extension(*size),
            (Self::Size(_) | Self::AfterSize(_) | Self::Extension(_) | Self::SizeLf(_), _) => {
                return Err(BodyFault::ChunkLine);
            }
            (Self::AfterData(false), b'\r') => Self::AfterData(true),
            (Self::AfterData(true), b'\n') => Self::Size(None),
            (Self::Data(_) | Self::AfterData(_), _) => return Err(BodyFault::ChunkEnd),
            (Self::Trailer { is_empty: true, .. }, b'\n') => return Ok(None),
            (Self::Trailer { .. }, b'\n') => Self::TRAILER,
            (Self::Trailer { is_empty: true, has_cr: false }, b'\r') => Self::Trailer { is_empty: true, has_cr: true },
            (Self::Trailer { .. }, _) => Self::Trailer { is_empty: false, has_cr: false },
        }))
    }
}
