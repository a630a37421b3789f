//! Rotation and eviction on disk: the next file of a ring is created, and the oldest is deleted.

use std::fs::{self, File};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;

use super::Spool;
use super::file::{SpoolError, create, named, private_file};
use crate::capture::live::ring::{Continuation, Ring};
use crate::capture::store::files::Part;
use crate::capture::store::index::Eviction;
use crate::capture::store::output::{OutputError, folder_of, has_no_handle, is_full};
use crate::capture::store::{Capture, to_usize};
use crate::proto::rules::count;

/// How many names in a row may belong to other files.
const MAX_TAKEN: u32 = 1000;

impl Spool {
    /// Appends whole blocks as [`Self::append`] does. A ring first evicts its oldest files until the blocks fit, and more of them
    /// while the disk is full.
    ///
    /// # Errors
    /// See [`SpoolError`].
    pub(in crate::capture) fn append_evicting(
        &mut self,
        blocks: &[u8],
        capture: &Capture,
        traffic: &dyn Continuation,
    ) -> Result<u64, SpoolError> {
        self.check_length()?;
        let coming = blocks.len() as u64;
        self.evict_excess(coming, capture);
        let stuck = |spool: &Self| Some(spool.ring.as_ref()?.is_stuck(spool.len + coming, capture)?.to_owned());
        if stuck(self).is_some() {
            // A last attempt before capturing stops.
            self.begin_next(capture, traffic);
            self.evict_excess(coming, capture);
        }
        if let Some(why) = stuck(self) {
            return Err(SpoolError::Full(why));
        }
        loop {
            match self.append(blocks) {
                Ok(position) => return Ok(position),
                Err(e) if is_full(&e) && self.evict_oldest(capture) => {}
                Err(e) => return Err(OutputError::at(&self.path, e).into()),
            }
        }
    }

    /// Begins the ring's next file when the latest has its share, and evicts the oldest when all are too large together. Everything
    /// that was appended must be in the index.
    pub(in crate::capture) fn rotate(&mut self, capture: &Capture, traffic: &dyn Continuation) {
        if self.is_due(traffic.unfinished()) {
            if let Err(e) = self.check_latest() {
                capture.add_failure(&e.to_string());
            }
            self.begin_next(capture, traffic);
        }
        self.evict_excess(0, capture);
    }

    /// Whether the ring's latest file has its share, without the last `unfinished` bytes.
    pub(in crate::capture) fn is_due(&self, unfinished: u64) -> bool {
        self.ring.as_ref().is_some_and(|ring| ring.is_full(self.len - unfinished))
    }

    /// Begins the next file; evicts the oldest when there is no space or no file handle for it.
    fn begin_next(&mut self, capture: &Capture, traffic: &dyn Continuation) {
        while let Err(error) = self.try_next(capture, traffic) {
            let helps = |source: &io::Error| is_full(source) || has_no_handle(source);
            let helps = matches!(&error, SpoolError::Output(OutputError::Io { source, .. }) if helps(source));
            if helps && self.evict_oldest(capture) {
                continue;
            }
            if let Some(ring) = &mut self.ring
                && ring.note_stuck(self.len, error.to_string())
            {
                capture.add_notice(&format!(
                    "cannot start the next ring file ({error}); still writing to {}",
                    self.path.display()
                ));
            }
            return;
        }
    }

    fn try_next(&mut self, capture: &Capture, traffic: &dyn Continuation) -> Result<(), SpoolError> {
        let Some(ring) = &self.ring else { return Ok(()) };
        let preamble = traffic.preamble(capture, ring);
        let begun = preamble.blocks.len() as u64;
        let unfinished = self.read_end(traffic.unfinished())?;
        let (len, beginning) = (self.len - unfinished.len() as u64, [&preamble.blocks[..], &unfinished].concat());
        self.evict_excess(beginning.len() as u64, capture);
        let Some(ring) = &self.ring else { return Ok(()) };
        let (number, path, file) = match next_file(ring, &beginning) {
            Err(SpoolError::Output(OutputError::Io { source, .. })) if has_no_handle(&source) => {
                self.reuse_oldest(&beginning, capture)?
            }
            made => made?,
        };
        if let Err(e) = if len < self.len { self.file.set_len(len) } else { Ok(()) } {
            capture.add_failure(&OutputError::at(&self.path, e).to_string());
        }
        let Some(ring) = &mut self.ring else { return Ok(()) };
        self.start += len - self.skipped;
        self.skipped = if preamble.has_copies { begun } else { 0 };
        self.file = Arc::new(file);
        let part = Part { start: self.start, skipped: self.skipped, file: Arc::clone(&self.file), path: path.clone() };
        self.files.push(part);
        if let Some(left_out) = ring.rotated(capture, self.start, len, number, &preamble) {
            capture.add_notice(&format!(
                "the ring is too small for so many connections: {} lacks the handshakes of {}; use a larger --ring",
                path.display(),
                count(left_out, "connection")
            ));
        }
        (self.path, self.len) = (path, beginning.len() as u64);
        Ok(())
    }

    /// Reads the last bytes of the file that is written.
    fn read_end(&self, len: u64) -> Result<Vec<u8>, SpoolError> {
        let mut bytes = vec![0; to_usize(len)];
        let read = self.file.read_exact_at(&mut bytes, self.len - len);
        read.map_err(|e| OutputError::at(&self.path, e))?;
        Ok(bytes)
    }

    /// Empties the oldest file and makes it the next one, with the handle that this process already has.
    fn reuse_oldest(&mut self, preamble: &[u8], capture: &Capture) -> Result<(u32, PathBuf, File), SpoolError> {
        let Some(ring) = &mut self.ring else { return Err(SpoolError::Full(String::new())) };
        let mut number = ring.number() + 1;
        while Ring::path(ring.base(), number).exists() && number - ring.number() < MAX_TAKEN {
            number += 1;
        }
        let path = Ring::path(ring.base(), number);
        if path.exists() {
            return Err(OutputError::Exists(path).into());
        }
        let oldest = ring.take_oldest();
        let io = |source| SpoolError::Output(OutputError::Io { path: path.clone(), source });
        let none = || io(rustix::io::Errno::MFILE.into());
        let part = oldest.and_then(|oldest| self.forget(oldest, capture)).ok_or_else(none)?;
        // A thread that is reading the file holds a handle to it, too.
        let taken = Arc::try_unwrap(part.file).map_err(|_| none()).and_then(|mut file| {
            file.set_len(0).map_err(io)?;
            file.seek(SeekFrom::Start(0)).map_err(io)?;
            file.write_all(preamble).map_err(io)?;
            fs::rename(&part.path, &path).map_err(io)?;
            Ok(file)
        });
        if taken.is_err() {
            let _ = fs::remove_file(&part.path);
        }
        taken.map(|file| (number, path, file))
    }

    /// Evicts the oldest files until all fit, with so many bytes to come.
    fn evict_excess(&mut self, coming: u64, capture: &Capture) {
        while let Some(ring) = &mut self.ring
            && let Some(eviction) = ring.take_excess(self.len + coming, capture)
        {
            if let Some(part) = self.evict(eviction, capture) {
                self.close_later(part);
            }
        }
    }

    /// Evicts the oldest file to free disk space at once; returns false when there is none besides the latest.
    fn evict_oldest(&mut self, capture: &Capture) -> bool {
        let eviction = self.ring.as_mut().and_then(Ring::take_oldest);
        eviction.map(|eviction| self.evict(eviction, capture)).is_some()
    }

    fn evict(&self, eviction: Eviction, capture: &Capture) -> Option<Part> {
        let part = self.forget(eviction, capture);
        part.as_ref().inspect(|part| part.delete());
        part
    }

    /// Drops the oldest file from the index, then from the files that are read: no thread looks for bytes that are gone.
    fn forget(&self, eviction: Eviction, capture: &Capture) -> Option<Part> {
        capture.keep_handshakes_before(eviction.last);
        capture.index_mut().evict(eviction);
        self.files.pop()
    }

    /// Closes a deleted file on a thread of its own: the file system frees a large one in about 0.1 s. When that thread is busy with
    /// two others, the file is closed here.
    fn close_later(&mut self, part: Part) {
        let closer = self.closer.get_or_insert_with(|| {
            let (closer, parts) = sync_channel::<Part>(1);
            // When no thread can be created, sending fails and the files are closed here.
            let _ = thread::Builder::new().name("ring".to_owned()).spawn(move || parts.into_iter().for_each(drop));
            closer
        });
        drop(closer.try_send(part));
    }
}

/// Creates the next file of a ring with its preamble; returns its number, path and handle. Names that belong to other files are
/// skipped.
fn next_file(ring: &Ring, preamble: &[u8]) -> Result<(u32, PathBuf, File), SpoolError> {
    let mut number = ring.number() + 1;
    loop {
        let path = Ring::path(ring.base(), number);
        match create_with(&path, ring.is_private(), preamble) {
            Err(SpoolError::Output(OutputError::Exists(_) | OutputError::NotRegular { .. }))
                if number - ring.number() < MAX_TAKEN =>
            {
                number += 1;
            }
            made => return made.map(|file| (number, path, file)),
        }
    }
}

fn create_with(path: &Path, private: bool, preamble: &[u8]) -> Result<File, SpoolError> {
    if private { named(private_file(folder_of(path), preamble)?, path) } else { create(path, false, preamble) }
}
