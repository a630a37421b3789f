//! Files compressed with gzip (RFC 1952): inflated into a file without a name first, so that positions in it stay valid.

use std::fs::File;
use std::io::{self, BufReader, Read as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::read::MultiGzDecoder;

use crate::proto::rules::grouped;

/// How much is inflated between two looks at whether it is wanted any more, in bytes.
const PIECE: usize = 256 * 1024;

/// Whether a file with this beginning is compressed.
pub fn is_gzip(beginning: &[u8]) -> bool {
    beginning.starts_with(&[0x1f, 0x8b])
}

/// The first bytes of what a file inflates to, at most `len`; `None` when there are none because it is damaged.
pub fn beginning(mut source: &File, len: usize) -> Option<Vec<u8>> {
    use std::io::Seek as _;

    let mut inflated = Vec::new();
    let read = MultiGzDecoder::new(BufReader::new(source)).take(len as u64).read_to_end(&mut inflated);
    source.rewind().ok()?;
    (read.is_ok() || !inflated.is_empty()).then_some(inflated)
}

/// Inflates a file, read from where it stands, to the end of another one, until `cancel` is set.
///
/// # Errors
/// Why that ended early, in one line; everything before that was written.
pub fn inflate(source: File, mut to: &File, cancel: &AtomicBool) -> Result<(), String> {
    let mut decoder = MultiGzDecoder::new(BufReader::with_capacity(PIECE, source));
    let mut piece = vec![0; PIECE];
    let mut written = 0;
    while !cancel.load(Ordering::Relaxed) {
        let read = match decoder.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => {
                let what = match e.kind() {
                    io::ErrorKind::UnexpectedEof => "the compressed file ends early",
                    _ => "the compressed file is damaged",
                };
                return Err(format!("{what}, after {} inflated bytes; what stands before is shown", grouped(written)));
            }
        };
        if let Err(e) = to.write_all(&piece[..read]) {
            return Err(format!(
                "only the first {} bytes could be inflated: {e}; set TMPDIR to a place with more room",
                grouped(written)
            ));
        }
        written += read as u64;
    }
    Ok(())
}
