//! A spool of bounded size: numbered files, of which the oldest go. Each is a capture by itself: it opens with the handshakes of
//! the connections that go on, and gaps in place of what is in earlier files.

mod standing;

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

pub(in crate::capture) use self::standing::{Beginning, Head, Side, Standing};
use crate::capture::format::pcapng::MAX_JUMP;
use crate::capture::store::Capture;
use crate::capture::store::index::{Extent, Leaving};
use crate::proto::time::Time;

/// As which part of a ring what compressed messages refer to may take: a quarter.
const WINDOWS_PART: u64 = 4;

/// The smallest ring, in bytes.
pub const MIN_RING: u64 = 1 << 20;

/// How many digits the number of a file has, so that names are in order. A date has more.
const DIGITS: usize = 7;

/// Of how many files a ring consists when it is full.
const FILES: u64 = 8;

/// As which part of a file's share records that are not complete when it begins may be written again into it: a half.
const CARRIED_PART: u64 = 2;

/// The files of a ring, and what the next one has to begin with.
#[derive(Debug)]
pub(in crate::capture) struct Ring {
    /// How many bytes all files may have together.
    size: u64,
    /// The first file's name without its number.
    base: PathBuf,
    /// The number of the latest file.
    number: u32,
    /// How long the latest file was when it had begun.
    begun: u64,
    /// The files before the latest, the oldest first.
    full: VecDeque<Full>,
    /// The connections that go on, by their serial numbers.
    standing: BTreeMap<u32, Standing>,
    /// Nobody else is to see a file before it is whole.
    private: bool,
    /// Why no further file could be begun.
    stuck: Option<String>,
    /// That there is no room for all handshakes was told, and that no further file could be begun.
    told_small: bool,
    told_stuck: bool,
}

/// A file that is full.
#[derive(Debug)]
struct Full {
    len: u64,
    /// What goes with it.
    leaving: Leaving,
}

impl Ring {
    pub const fn new(size: u64, base: PathBuf, private: bool) -> Self {
        Self {
            size,
            base,
            number: 1,
            begun: 0,
            full: VecDeque::new(),
            standing: BTreeMap::new(),
            private,
            stuck: None,
            told_small: false,
            told_stuck: false,
        }
    }

    /// How many bytes of what is said each of its files has room for. Handshakes may take as much again.
    pub const fn share(&self) -> u64 {
        self.size / FILES
    }

    /// How many bytes what compressed messages refer to may take.
    pub const fn windows(&self) -> u64 {
        self.size / WINDOWS_PART
    }

    /// Whether its files are to be seen by others only when they are whole.
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

    /// The name that stands for all files of the ring to which a file with that name belongs, if it belongs to one.
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

    /// How a connection stands that has just written; one that is over stands no more.
    pub fn note(&mut self, serial: u32, standing: Standing) {
        if standing.sides.iter().all(|side| side.ended.is_some()) {
            self.standing.remove(&serial);
        } else {
            self.standing.insert(serial, standing);
        }
    }

    /// Whether the latest file, of that length, has had its share.
    pub const fn is_full(&self, len: u64) -> bool {
        len - self.begun >= self.share()
    }

    /// What the next file begins with, behind its head.
    pub fn beginning(&self, capture: &Capture, head: Vec<u8>) -> Beginning {
        // Not so much that a reader of several files could not tell it from what came long before.
        let room = (self.share() / CARRIED_PART).min(MAX_JUMP);
        let mut beginning = Beginning { blocks: head, room, ..Beginning::default() };
        let since = self.since();
        for (serial, standing) in &self.standing {
            if since.is_none_or(|since| standing.latest() >= since) {
                standing.begin(*serial, capture, &mut beginning);
            } else {
                standing.leave_out(&mut beginning);
            }
        }
        beginning
    }

    /// Since when a connection must have said something for there to be room for its handshake; `None` when there is room for all.
    fn since(&self) -> Option<Time> {
        let mut room = self.share();
        let mut latest: Vec<(Time, u64)> = self.standing.values().map(|one| (one.latest(), one.weight())).collect();
        if latest.iter().map(|(_, weight)| weight).sum::<u64>() <= room {
            return None;
        }
        latest.sort_unstable_by_key(|(time, _)| std::cmp::Reverse(*time));
        let mut fits = |weight: u64| room.checked_sub(weight).map(|rest| room = rest).is_some();
        let first = latest.iter().find(|(_, weight)| !fits(*weight));
        first.map(|(time, _)| Time(time.0 + 1))
    }

    /// The next file, with that number, has begun, at that position; the one before it had `len` bytes. How many connections stand
    /// in it without their handshakes, when that is to be told.
    pub fn turned(
        &mut self,
        capture: &Capture,
        position: u64,
        len: u64,
        number: u32,
        beginning: Beginning,
    ) -> Option<u64> {
        self.number = number;
        self.begun = beginning.blocks.len() as u64;
        self.stuck = None;
        let mut index = capture.index_mut();
        let placed = |extent: &Extent| Extent { position: position + extent.position, ..*extent };
        for (connection, direction, extent) in &beginning.handshakes {
            if let Some(entry) = index.connection_mut(*connection) {
                entry.streams[direction.index()].renew_handshake(placed(extent));
            }
        }
        for (connection, direction, extents) in &beginning.ends {
            if let Some(entry) = index.connection_mut(*connection) {
                entry.streams[direction.index()].renew_end(extents.iter().map(placed));
            }
        }
        let until = index.totals.records;
        self.full.push_back(Full { len, leaving: Leaving { until, position, torn: beginning.torn } });
        (beginning.left_out > 0 && !std::mem::replace(&mut self.told_small, true)).then_some(beginning.left_out)
    }

    /// How long the latest file was when it had begun.
    pub const fn begun(&self) -> u64 {
        self.begun
    }

    /// No further file could be begun when the latest had `len` bytes: that is tried again when it has had its share once more.
    /// Whether it is to be told now: the second time in a row, once.
    pub fn stick(&mut self, len: u64, why: String) -> bool {
        self.begun = len;
        self.stuck.replace(why).is_some() && !std::mem::replace(&mut self.told_stuck, true)
    }

    /// Why the latest file may not have `latest` bytes: no other can be begun, and it would be more than the whole ring.
    pub fn has_no_room(&self, latest: u64, capture: &Capture) -> Option<&str> {
        self.stuck.as_deref().filter(|_| latest + capture.index().windows_len() > self.size)
    }

    /// Takes what must go so that the files fit, one file, when the latest has `latest` bytes. While somebody needs what is there
    /// they may be twice as large.
    pub fn take_oldest(&mut self, latest: u64, capture: &Capture) -> Option<Leaving> {
        let files = self.full.iter().map(|full| full.len).sum::<u64>() + latest;
        let all = files + capture.index().windows_len();
        let room = if capture.is_held() { self.size.saturating_mul(2) } else { self.size };
        if all > room { self.give_oldest() } else { None }
    }

    /// Takes the oldest file, if there is one besides the latest.
    pub fn give_oldest(&mut self) -> Option<Leaving> {
        self.full.pop_front().map(|full| full.leaving)
    }
}

/// Whether these are the digits of a file's number.
fn is_number(digits: &str) -> bool {
    digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
