//! What `open`, `check` and `export` read: a capture in a file or on stdin, or pasted bytes. The content decides which.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::bail;

use super::input_stream::{EndOfInput, InputStream};
use super::stdio;
use super::usage_error::UsageError;
use crate::capture::import::stream::{self, Received};
use crate::capture::import::{self, Loader, OpenError};
use crate::capture::store::Capture;
use crate::cli::Reading;
use crate::pasted::{self, Form, PasteOptions, Pasted};

/// The most bytes of a paste, which is read into memory.
pub const MAX_PASTE: u64 = 64 << 20;

/// The name of stdin in messages and as the name of the capture.
const STDIN: &str = "stdin";

/// An opened input.
pub struct OpenedInput {
    /// The capture; it may be empty until the part that fills it has run.
    pub capture: Capture,
    /// What was pasted, if the input is no capture.
    pub pasted: Option<Arc<Pasted>>,
    /// Fills the capture; `None` if it is complete.
    loader: Option<Loader>,
}

impl From<(Capture, Loader)> for OpenedInput {
    fn from((capture, loader): (Capture, Loader)) -> Self {
        Self { capture, pasted: None, loader: Some(loader) }
    }
}

impl OpenedInput {
    /// Opens a file, or stdin if the path is `-`. A packet capture on stdin or in a FIFO is loaded while it arrives; other streams are
    /// read to their end first. With `follow`, loading waits at the end of the file until it grows. `end` ends a stream.
    ///
    /// A file with the magic number of a capture, and one that begins as JSON of a known format, is a capture. Anything else is a
    /// paste; only stdin, or a file with `--as raw`, may consist of the bytes of frames.
    pub fn open(path: &Path, reading: &Reading, follow: bool, end: Option<EndOfInput>) -> anyhow::Result<Self> {
        check_key_log(reading.key_log.as_deref())?;
        let (name, is_stdin) = (name(path), is_stdin(path));
        let file = match stream(path)? {
            None => import::regular_file(path)?,
            Some(source) => match stream::receive(InputStream::new(source, name, end), name)? {
                Received::Packets(stream) if reading.read_as.is_none() => {
                    return Ok(import::open_stream(stream, name, reading.options(follow))?.into());
                }
                Received::Packets(_) => bail!("{} is a packet capture; leave out --as", name.display()),
                Received::Whole(file) => file,
            },
        };
        if reading.read_as.is_none() {
            match import::open_file(
                file.try_clone().map_err(|source| unreadable(name, source))?,
                name,
                reading.options(follow),
            ) {
                Err(OpenError::Unrecognized { .. }) => {}
                opened => return Ok(opened?.into()),
            }
        }
        let bytes = contents(&file, name)?;
        let pasted = match (pasted::read(&bytes, reading.read_as), reading.read_as) {
            (Ok(pasted), None) if pasted.form == Form::Raw && !is_stdin => {
                return Err(OpenError::Unrecognized { path: name.to_owned() }.into());
            }
            (Ok(pasted), _) => pasted,
            (Err(e), Some(_)) => bail!("{}: {e}", name.display()),
            (Err(e), None) => {
                bail!("{} is not a capture (pcapng, pcap, HAR, NDJSON); read as pasted bytes: {e}", name.display())
            }
        };
        let options = PasteOptions { deflate: reading.deflate, ..PasteOptions::default() };
        let capture = pasted::to_capture(&pasted.content, name, options)?;
        Ok(Self { capture, pasted: Some(Arc::new(pasted)), loader: None })
    }

    /// Says on stderr in which form a paste was read.
    pub fn say_form(&self) {
        if let Some(pasted) = &self.pasted {
            stdio::say(format_args!("{}: {}", self.capture.path().display(), pasted.recognized()));
        }
    }

    /// The part that fills the capture, for another thread.
    pub fn loader(&mut self) -> InputLoader {
        InputLoader(self.loader.take())
    }
}

/// Fails if the key log should come from stdin.
pub fn check_key_log(path: Option<&Path>) -> Result<(), UsageError> {
    match path {
        Some(path) if is_stdin(path) => {
            Err(UsageError::new("--keylog takes the name of a file; it cannot be read from stdin (-)"))
        }
        _ => Ok(()),
    }
}

/// Whether a path names stdin.
pub fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// Stdin, or an opened FIFO; `None` for any other file. Opening a FIFO waits until a program opens it to write.
fn stream(path: &Path) -> Result<Option<File>, OpenError> {
    let opened = if is_stdin(path) {
        io::stdin().as_fd().try_clone_to_owned().map(File::from)
    } else if fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo()) {
        File::open(path)
    } else {
        return Ok(None);
    };
    opened.map(Some).map_err(|source| unreadable(name(path), source))
}

/// The name of an input in messages.
pub fn name(path: &Path) -> &Path {
    if is_stdin(path) { Path::new(STDIN) } else { path }
}

/// Fills the capture of an input.
pub struct InputLoader(Option<Loader>);

impl InputLoader {
    /// Reads the input to its end, or until `cancel` is set. Damage is reported in the capture's trouble.
    pub fn run(self, cancel: &AtomicBool) {
        if let Some(loader) = self.0 {
            loader.run(cancel);
        }
    }
}

/// All bytes of a file that is no capture.
fn contents(mut file: &File, name: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = file.rewind().and_then(|()| file.take(MAX_PASTE + 1).read_to_end(&mut bytes));
    read.map_err(|source| unreadable(name, source))?;
    if bytes.len() as u64 > MAX_PASTE {
        bail!(
            "{} is no capture, and longer than a paste may be ({} MiB); use a part of it",
            name.display(),
            MAX_PASTE >> 20
        );
    }
    Ok(bytes)
}

fn unreadable(path: &Path, source: io::Error) -> OpenError {
    OpenError::Io { path: path.to_owned(), source }
}
