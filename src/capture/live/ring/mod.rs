//! A spool of bounded size: numbered files, of which the oldest is evicted first. Each is a capture of its own: it begins with the
//! handshakes of open connections, and gaps in place of what earlier files hold.
//!
//! A rotation, when the latest file has its share of the ring (see `spool::rotation`, which does the work on disk):
//!
//! 1. A `Continuation` gives the beginning of the next file: `OpenConnections` from the `ConnectionSnapshot`s of open connections.
//! 2. The oldest files are evicted until that fits: first out of the index, then from disk.
//! 3. The next file is created with the preamble, and `Ring::rotated` notes where incomplete records were written again.
//!
//! All of that happens on the thread that has just committed, which holds the spool's lock; no other connection writes meanwhile.

mod open_connections;
mod snapshot;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

pub(in crate::capture) use self::open_connections::OpenConnections;
pub(in crate::capture) use self::snapshot::{ConnectionSnapshot, DirectionSnapshot, FilePreamble};
use crate::capture::store::Capture;
use crate::capture::store::index::{Eviction, Extent};

/// The part of a ring that deflate windows may take besides its files: a quarter.
const WINDOWS_PART: u64 = 4;

/// The smallest ring, in bytes.
pub const MIN_RING: u64 = 1 << 20;

/// How many digits the number of a file has, so that names sort in order. A date has more.
const DIGITS: usize = 7;

/// How many files a full ring consists of.
const FILES: u64 = 8;

/// What is known of the traffic so far, so that the next file of a ring can be read without the files before it.
pub(in crate::capture) trait Continuation {
    /// The first bytes of the next file.
    fn preamble(&self, capture: &Capture, ring: &Ring) -> FilePreamble;

    /// How many bytes at the end of the latest file belong to the next one: the beginning of a packet.
    fn unfinished(&self) -> u64 {
        0
    }
}

/// The files of a ring.
#[derive(Debug)]
pub(in crate::capture) struct Ring {
    /// How many bytes all files may have together.
    size: u64,
    /// The first file's name without its number.
    base: PathBuf,
    /// The number of the latest file.
    number: u32,
    /// Length of the latest file's preamble in bytes.
    begun: u64,
    /// The files before the latest, the oldest first.
    full: VecDeque<FullFile>,
    /// Other processes may see a file only when it is whole.
    private: bool,
    /// Why the next file could not be created.
    stuck: Option<String>,
    /// Whether these two were reported: that there is no space for all handshakes, and that the next file cannot be created.
    reported_small: bool,
    reported_stuck: bool,
}

/// A file that is full.
#[derive(Debug)]
struct FullFile {
    len: u64,
    /// What is evicted with it.
    eviction: Eviction,
}

impl Ring {
    pub const fn new(size: u64, base: PathBuf, private: bool) -> Self {
        Self {
            size,
            base,
            number: 1,
            begun: 0,
            full: VecDeque::new(),
            private,
            stuck: None,
            reported_small: false,
            reported_stuck: false,
        }
    }

    /// How many bytes of traffic each of its files holds. Handshakes may take as many again.
    pub const fn share(&self) -> u64 {
        self.size / FILES
    }

    /// How long a packet may be, in bytes, that another program has captured: half of the ring.
    pub const fn longest_packet(&self) -> u64 {
        self.size / 2
    }

    /// How many bytes the deflate windows of compressed messages may take.
    pub const fn windows_size(&self) -> u64 {
        self.size / WINDOWS_PART
    }

    /// Whether other processes may see its files only when they are whole.
    pub const fn is_private(&self) -> bool {
        self.private
    }

    /// The name of its files without their numbers.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// The name of a ring's file.
    pub fn path(base: &Path, number: u32) -> PathBuf {
        let mut name = base.file_stem().unwrap_or_default().to_owned();
        name.push(format!(".{number:0DIGITS$}"));
        if let Some(extension) = base.extension() {
            name.push(".");
            name.push(extension);
        }
        base.with_file_name(name)
    }

    /// The name with `*` in place of the number, for a file of a ring; `None` for another file.
    pub fn all_of(path: &Path) -> Option<PathBuf> {
        let (stem, extension) = path.file_name()?.to_str()?.rsplit_once('.')?;
        let (stem, digits) = stem.rsplit_once('.')?;
        is_number(digits).then(|| path.with_file_name(format!("{stem}.*.{extension}")))
    }

    /// Whether a file's name is that of one of a ring's files.
    pub fn is_path(base: &Path, path: &Path) -> bool {
        let digits = || {
            let name = path.file_name()?.to_str()?;
            let stem = base.file_stem()?.to_str()?;
            let extension = base.extension().map_or(String::new(), |e| format!(".{}", e.to_string_lossy()));
            name.strip_prefix(stem)?.strip_prefix('.')?.strip_suffix(&extension)
        };
        digits().is_some_and(is_number)
    }

    /// The number of the latest file.
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// Whether the latest file, of `len` bytes, has its share.
    pub const fn is_full(&self, len: u64) -> bool {
        len.saturating_sub(self.begun) >= self.share()
    }

    /// Notes that file `number` has begun at `position` with `preamble`, and that the file before it has `len` bytes. Returns how
    /// many connections the new file lacks, when that has to be reported.
    pub fn rotated(
        &mut self,
        capture: &Capture,
        position: u64,
        len: u64,
        number: u32,
        preamble: &FilePreamble,
    ) -> Option<u64> {
        self.number = number;
        self.begun = preamble.blocks.len() as u64;
        self.stuck = None;
        let mut index = capture.index_mut();
        for (connection, direction, extents) in &preamble.moved {
            if let Some(entry) = index.connection_mut(*connection) {
                let placed = |extent: &Extent| Extent { position: position + extent.position, ..*extent };
                entry.streams[direction.index()].replace_end(extents.iter().map(placed));
            }
        }
        self.full.push_back(FullFile { len, eviction: Eviction { last: index.totals.records, position } });
        (preamble.left_out > 0 && !std::mem::replace(&mut self.reported_small, true)).then_some(preamble.left_out)
    }

    /// Notes why the next file could not be created when the latest had `len` bytes; the next attempt is due when it has another
    /// share. Returns whether that has to be reported: the second time in a row, once.
    pub fn note_stuck(&mut self, len: u64, why: String) -> bool {
        self.begun = len;
        self.stuck.replace(why).is_some() && !std::mem::replace(&mut self.reported_stuck, true)
    }

    /// Why the latest file may not have `latest` bytes: the next one cannot be created, and the ring would exceed its size.
    pub fn is_stuck(&self, latest: u64, capture: &Capture) -> Option<&str> {
        self.stuck.as_deref().filter(|_| latest + capture.index().windows_len() > self.size)
    }

    /// Takes the oldest file out when all files are too large together, the latest having `latest` bytes. During exports they may
    /// be twice as large.
    pub fn take_excess(&mut self, latest: u64, capture: &Capture) -> Option<Eviction> {
        let files = self.full.iter().map(|full| full.len).sum::<u64>() + latest;
        let all = files + capture.index().windows_len();
        let size = if capture.is_eviction_delayed() { self.size.saturating_mul(2) } else { self.size };
        if all > size { self.take_oldest() } else { None }
    }

    /// Takes the oldest file out, if there is one besides the latest.
    pub fn take_oldest(&mut self) -> Option<Eviction> {
        self.full.pop_front().map(|full| full.eviction)
    }
}

/// Whether these are the digits of a file's number.
fn is_number(digits: &str) -> bool {
    digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
