//! The files of a ring: when the next one begins, and when the oldest goes.

use std::fs::{self, File};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;

use super::{Spool, SpoolError, create, is_full, named, private_file};
use crate::capture::format::pcapng;
use crate::capture::live::ring::Ring;
use crate::capture::store::Capture;
use crate::capture::store::files::Part;
use crate::capture::store::index::Leaving;
use crate::proto::rules::count;

/// How many names in a row may be taken by others.
const MAX_TAKEN: u32 = 1000;

impl Spool {
    /// Appends whole blocks as [`Self::append`] does; of a ring the oldest files go before, so that there is room, on a full disk
    /// too.
    ///
    /// # Errors
    /// See [`SpoolError`].
    pub(in crate::capture) fn record(&mut self, blocks: &[u8], capture: &Capture) -> Result<u64, SpoolError> {
        let coming = blocks.len() as u64;
        self.make_room(coming, capture);
        let has_no_room = |spool: &Self| {
            let ring = spool.ring.as_ref()?;
            ring.has_no_room(spool.len + coming, capture).map(str::to_owned)
        };
        if has_no_room(self).is_some() {
            // Once more, before nothing is captured any more.
            self.begin_next(capture);
            self.make_room(coming, capture);
        }
        if let Some(why) = has_no_room(self) {
            return Err(SpoolError::Full(why));
        }
        loop {
            match self.append(blocks) {
                Ok(position) => return Ok(position),
                Err(e) if is_full(&e) && self.give_oldest(capture) => {}
                Err(source) => return Err(SpoolError::Io { path: self.path.clone(), source }),
            }
        }
    }

    /// Begins the ring's next file when the latest has had its share, and lets the oldest go when all are too much. Of the
    /// connections that the ring knows everything that was appended must be in the index.
    pub(in crate::capture) fn turn(&mut self, capture: &Capture) {
        if self.ring.as_ref().is_some_and(|ring| ring.is_full(self.len)) {
            self.begin_next(capture);
        }
        self.make_room(0, capture);
    }

    /// Begins the next file, as soon as it can be begun.
    fn begin_next(&mut self, capture: &Capture) {
        while let Err(error) = self.try_next(capture) {
            let helps = matches!(&error, SpoolError::Io { source, .. } if is_full(source) || has_no_handle(source));
            if helps && self.give_oldest(capture) {
                continue;
            }
            if let Some(ring) = &mut self.ring
                && ring.stick(self.len, error.to_string())
            {
                capture.add_trouble(&format!("writing goes on in {}: {error}", self.path.display()));
            }
            return;
        }
    }

    fn try_next(&mut self, capture: &Capture) -> Result<(), SpoolError> {
        let Some(ring) = &self.ring else { return Ok(()) };
        let mut head = Vec::new();
        pcapng::file_head(&mut head, None);
        let beginning = ring.beginning(capture, head);
        self.make_room(beginning.blocks.len() as u64, capture);
        let Some(ring) = &self.ring else { return Ok(()) };
        let (number, path, file) = match next_file(ring, &beginning.blocks) {
            Err(SpoolError::Io { source, .. }) if has_no_handle(&source) => {
                self.take_over(&beginning.blocks, capture)?
            }
            made => made?,
        };
        let Some(ring) = &mut self.ring else { return Ok(()) };
        self.start += self.len;
        self.file = Arc::new(file);
        self.files.push(Part { start: self.start, file: Arc::clone(&self.file), path: path.clone() });
        if let Some(left_out) = ring.turned(capture, self.start, self.len, number, beginning) {
            let connections = count(left_out, "connection");
            capture.add_trouble(&format!(
                "the ring is too small for so many connections: {connections} stand in {} without their handshakes; take a larger \
                 --ring",
                path.display()
            ));
        }
        (self.path, self.len) = (path, ring.begun());
        Ok(())
    }

    /// Makes the next file of the oldest, whose handle this process has: somebody else would take a new one first.
    fn take_over(&mut self, beginning: &[u8], capture: &Capture) -> Result<(u32, PathBuf, File), SpoolError> {
        let Some(ring) = &mut self.ring else { return Err(SpoolError::Full(String::new())) };
        let mut number = ring.number() + 1;
        while Ring::path(ring.base(), number).exists() && number - ring.number() < MAX_TAKEN {
            number += 1;
        }
        let path = Ring::path(ring.base(), number);
        if path.exists() {
            return Err(SpoolError::Exists(path));
        }
        let leaving = ring.give_oldest();
        let io = |source| SpoolError::Io { path: path.clone(), source };
        let none = || io(io::Error::from_raw_os_error(rustix::io::Errno::MFILE.raw_os_error()));
        let part = leaving.and_then(|leaving| self.leave(&leaving, capture)).ok_or_else(none)?;
        // Whoever reads of it just now keeps it.
        let taken = Arc::try_unwrap(part.file).map_err(|_| none()).and_then(|mut file| {
            file.set_len(0).map_err(io)?;
            file.seek(SeekFrom::Start(0)).map_err(io)?;
            file.write_all(beginning).map_err(io)?;
            fs::rename(&part.path, &path).map_err(io)?;
            Ok(file)
        });
        if taken.is_err() {
            let _ = fs::remove_file(&part.path);
        }
        taken.map(|file| (number, path, file))
    }

    /// Lets the oldest files go, as far as needed for so many bytes to come.
    fn make_room(&mut self, coming: u64, capture: &Capture) {
        while let Some(ring) = &mut self.ring
            && let Some(leaving) = ring.take_oldest(self.len + coming, capture)
        {
            if let Some(part) = self.let_go(&leaving, capture) {
                self.give_back(part);
            }
        }
    }

    /// Gives a full disk the oldest file back; whether there was one besides the latest.
    fn give_oldest(&mut self, capture: &Capture) -> bool {
        let leaving = self.ring.as_mut().and_then(Ring::give_oldest);
        leaving.map(|leaving| self.let_go(&leaving, capture)).is_some()
    }

    fn let_go(&self, leaving: &Leaving, capture: &Capture) -> Option<Part> {
        let part = self.leave(leaving, capture);
        if let Some(part) = &part {
            // The file may have been removed by somebody else.
            let _ = fs::remove_file(&part.path);
        }
        part
    }

    fn leave(&self, leaving: &Leaving, capture: &Capture) -> Option<Part> {
        // Out of the index first: nobody looks for what is gone.
        capture.index_mut().evict(leaving);
        self.files.pop()
    }

    /// The blocks of a removed file are given back with its last handle, which takes a large one a tenth of a second: nobody waits
    /// for that, unless the disk does not keep up.
    fn give_back(&mut self, part: Part) {
        let reaper = self.reaper.get_or_insert_with(|| {
            let (reaper, parts) = sync_channel::<Part>(1);
            // Without a thread nobody takes them, and they go here.
            let _ = thread::Builder::new().name("ring".to_owned()).spawn(move || parts.into_iter().for_each(drop));
            reaper
        });
        drop(reaper.try_send(part));
    }
}

/// Whether the process or the system may have no more files open (EMFILE, ENFILE).
fn has_no_handle(error: &io::Error) -> bool {
    let errno = rustix::io::Errno::from_io_error(error);
    matches!(errno, Some(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE))
}

/// Makes the next file of a ring with what it begins with: its number, where it lies, the file. Names that others have taken are
/// passed over.
fn next_file(ring: &Ring, beginning: &[u8]) -> Result<(u32, PathBuf, File), SpoolError> {
    let mut number = ring.number() + 1;
    loop {
        let path = Ring::path(ring.base(), number);
        match begun(&path, ring.is_private(), beginning) {
            Err(SpoolError::Exists(_)) if number - ring.number() < MAX_TAKEN => number += 1,
            made => return made.map(|file| (number, path, file)),
        }
    }
}

fn begun(path: &Path, private: bool, beginning: &[u8]) -> Result<File, SpoolError> {
    let io = |source| SpoolError::Io { path: path.to_owned(), source };
    if private {
        let mut made = private_file(path.parent().unwrap_or(Path::new(".")))?;
        made.write_all(beginning).map_err(io)?;
        return named(made, path);
    }
    let mut file = create(path, false)?;
    file.write_all(beginning).map_err(|source| {
        let _ = fs::remove_file(path);
        io(source)
    })?;
    Ok(file)
}
