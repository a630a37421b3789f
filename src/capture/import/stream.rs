//! Captures that arrive through a pipe. Captures are read by position, so a thread copies the stream into a private file without a name, or
//! into the file of a capture that can be kept; packets are read from that file while it grows. A ring is written elsewhere: `packet_ring`.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::error::OpenError;
use super::magic::not_packets;
use super::packet_ring::PacketRing;
use super::packets::Growth;
use crate::capture::live::spool::{Spool, SpoolError};
use crate::capture::store::files::Files;
use crate::capture::store::output::way_out;
use crate::capture::store::scratch;

/// How many bytes are copied at once.
const PIECE: usize = 64 * 1024;

/// The length of the magic number of a packet capture, in bytes.
const MAGIC: u64 = 4;

/// How often a reader that waits for the stream looks whether it is cancelled.
pub(super) const CANCEL_INTERVAL: Duration = Duration::from_millis(100);

/// A stream whose first bytes were read.
pub enum Received {
    /// A packet capture, which arrives while it is read.
    Packets(PacketStream),
    /// Something else: a file with all bytes of the stream.
    Whole(File),
}

/// A packet capture that arrives, and the files that keep it.
pub struct PacketStream {
    pub(super) files: Files,
    pub(super) growth: Growth,
}

/// The file that a stream is copied into.
enum Destination {
    /// A private file without a name.
    Unnamed(File),
    /// The file of a capture that can be kept.
    Spool(Box<Spool>),
}

/// How much of a stream was copied.
#[derive(Default)]
pub struct StreamCopy {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// How many bytes are in the file.
    len: u64,
    /// Whether copying has ended, and why if not because the stream ended.
    ended: Option<Result<(), CopyError>>,
}

/// Why a stream was not copied to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum CopyError {
    #[error("cannot read the stream: {source}; records before that are shown")]
    Read { source: io::Error },
    /// The source itself says why it has ended.
    #[error("{0}")]
    Ended(io::Error),
    #[error("cannot copy the stream to {}: {source}; {}; records before that are shown", path.display(), advice)]
    Write { path: PathBuf, source: io::Error, advice: &'static str },
    #[error("{0}; records before that are shown")]
    Ring(SpoolError),
    #[error(transparent)]
    Changed(SpoolError),
}

/// Reads the beginning of a stream, and copies the rest of it: on a thread of its own if it is a packet capture, otherwise before this
/// returns. Errors call the stream `name`.
///
/// # Errors
/// If the stream cannot be read, or the file cannot be written.
pub fn receive(mut source: impl Read + Send + 'static, name: &Path) -> Result<Received, OpenError> {
    let failed = |source| OpenError::Spool { name: name.to_owned(), source };
    let mut beginning = Vec::new();
    source.by_ref().take(MAGIC).read_to_end(&mut beginning).map_err(failed)?;
    if not_packets(&beginning).is_some() {
        return spooled(Cursor::new(beginning).chain(source), name).map(Received::Whole);
    }
    let file = scratch::file().map_err(failed)?;
    let to = Destination::Unnamed(file.try_clone().map_err(failed)?);
    let source = Cursor::new(beginning).chain(source);
    let files = Files::one(Arc::new(file), name.to_owned());
    PacketStream::copied(source, files, to).map(Received::Packets).map_err(failed)
}

/// Keeps a packet capture in `spool`. A thread copies it; if the spool is a ring, the thread that dissects the packets writes them.
///
/// # Errors
/// If the system cannot start a thread.
pub fn record(source: impl Read + Send + 'static, spool: Spool) -> io::Result<PacketStream> {
    let files = spool.files();
    if spool.ring.is_some() {
        let growth = Growth::Ring(Box::new(PacketRing::start(source, spool)?));
        return Ok(PacketStream { files, growth });
    }
    PacketStream::copied(source, files, Destination::Spool(Box::new(spool)))
}

/// Copies a stream to its end into a private file without a name. Errors call the stream `name`.
///
/// # Errors
/// If the stream cannot be read, or the file cannot be written.
pub(super) fn spooled(mut stream: impl Read, name: &Path) -> Result<File, OpenError> {
    let copy = |mut file: File| {
        io::copy(&mut stream, &mut file)?;
        file.rewind()?;
        Ok(file)
    };
    scratch::file().and_then(copy).map_err(|source| OpenError::Spool { name: name.to_owned(), source })
}

impl PacketStream {
    /// Starts the thread that copies `source` into the file.
    fn copied(source: impl Read + Send + 'static, files: Files, to: Destination) -> io::Result<Self> {
        let copy = Arc::new(StreamCopy::default());
        let progress = Arc::clone(&copy);
        // This thread is not joined: it would block on a pipe that nothing is written to.
        thread::Builder::new().name("stream".to_owned()).spawn(move || progress.run(source, to))?;
        Ok(Self { files, growth: Growth::Stream(copy) })
    }
}

impl CopyError {
    /// Why a stream cannot be read. A capturing program that has ended gives a sentence, the system a number.
    pub(super) fn reading(source: io::Error) -> Self {
        if source.get_ref().is_some() { Self::Ended(source) } else { Self::Read { source } }
    }
}

impl Destination {
    fn write(&mut self, bytes: &[u8]) -> Result<(), CopyError> {
        match self {
            Self::Unnamed(file) => file.write_all(bytes).map_err(|source| CopyError::Write {
                path: scratch::folder(),
                source,
                advice: "free some space, or set XDG_CACHE_HOME to another folder",
            }),
            Self::Spool(spool) => match spool.append(bytes) {
                Ok(_) => Ok(()),
                Err(source) => {
                    let (path, advice) = (spool.path().to_owned(), way_out(&source));
                    Err(CopyError::Write { path, source, advice })
                }
            },
        }
    }

    /// Checks that no other program changed the file.
    fn check(&self) -> Result<(), CopyError> {
        match self {
            Self::Unnamed(_) => Ok(()),
            Self::Spool(spool) => spool.check_files().map_err(CopyError::Changed),
        }
    }
}

impl StreamCopy {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Copies the stream to its end.
    fn run(&self, mut from: impl Read, mut to: Destination) {
        let mut piece = vec![0; PIECE];
        let ended = loop {
            let len = match from.read(&mut piece) {
                Ok(0) => break to.check(),
                Ok(len) => len,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => break Err(CopyError::reading(source)),
            };
            if let Err(failure) = to.write(&piece[..len]) {
                break Err(failure);
            }
            self.state().len += len as u64;
            self.changed.notify_all();
        };
        self.state().ended = Some(ended);
        self.changed.notify_all();
    }

    /// Waits until the file is longer than `known` bytes; returns false if it never will be. Returns true when `cancel` is set, too, and
    /// after `most`.
    pub(super) fn wait(&self, known: u64, most: Option<Duration>, cancel: &AtomicBool) -> bool {
        let mut state = self.state();
        while state.len <= known && state.ended.is_none() && !cancel.load(Ordering::Relaxed) {
            let waited = self.changed.wait_timeout(state, most.unwrap_or(CANCEL_INTERVAL));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if most.is_some() {
                break;
            }
        }
        state.len > known || state.ended.is_none()
    }

    /// Why the stream was not copied to its end.
    pub(super) fn failure(&self) -> Option<String> {
        match &self.state().ended {
            Some(Err(e)) => Some(e.to_string()),
            _ => None,
        }
    }
}
