//! Reading stdin and FIFOs, which may stay silent for long.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::{signals, stdio};

/// How long nothing arrives before a line says that framescope waits. Before it asks for a password, ssh takes longer.
const SILENCE: Duration = Duration::from_millis(100);

/// How long after SIGINT the end of the stream is awaited: in a terminal, Ctrl-C also ends the program that writes it.
const END_WITHIN: Duration = Duration::from_millis(500);

/// Set by SIGINT to end a stream as if its writer had ended.
#[derive(Clone, Default)]
pub struct EndOfInput(Arc<AtomicBool>);

/// A stream of bytes.
pub struct InputStream {
    file: File,
    name: PathBuf,
    end: Option<EndOfInput>,
    /// Whether the line that framescope waits is due no more.
    has_begun: bool,
    /// When SIGINT was first noticed.
    ending_since: Option<Instant>,
    has_ended: bool,
}

/// Catches signals, which set `cancel`. If stdin is read and is no regular file, SIGINT sets the returned end in place of it: people end
/// a pipeline with Ctrl-C, and want the result.
///
/// # Errors
/// If the signals cannot be caught.
pub fn catch_signals(reads_stdin: bool, cancel: &Arc<AtomicBool>) -> io::Result<Option<EndOfInput>> {
    let stdin = io::stdin().as_fd().try_clone_to_owned().map(File::from);
    let is_live = reads_stdin && stdin.and_then(|file| file.metadata()).is_ok_and(|metadata| !metadata.is_file());
    let end = is_live.then(EndOfInput::default);
    signals::cancel(cancel, end.as_ref().map(|EndOfInput(end)| end))?;
    Ok(end)
}

impl InputStream {
    /// Reads `file` to its end, or until `end` is set. Messages call it `name`.
    pub fn new(file: File, name: &Path, end: Option<EndOfInput>) -> Self {
        Self { file, name: name.to_owned(), end, has_begun: false, ending_since: None, has_ended: false }
    }

    /// Waits until bytes have arrived or the stream has ended, at most for [`SILENCE`]. Returns false if not.
    fn is_ready(&self) -> io::Result<bool> {
        let limit = Timespec { tv_sec: 0, tv_nsec: SILENCE.subsec_nanos().into() };
        match poll(&mut [PollFd::new(&self.file, PollFlags::IN)], Some(&limit)) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::INTR) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }

    /// Says that framescope waits, if a person can read it.
    fn say_waiting(&self) {
        if !io::stderr().is_terminal() {
            return;
        }
        match self.file.is_terminal() {
            true => stdio::say("reading from the terminal; Ctrl-D ends the input"),
            false => stdio::say(format_args!("waiting for a capture on {} …", self.name.display())),
        }
    }

    /// Returns true if SIGINT has ended the stream and its writer does not.
    fn is_over(&mut self) -> bool {
        self.end.as_ref().is_some_and(|EndOfInput(end)| end.load(Ordering::SeqCst))
            && self.ending_since.get_or_insert_with(Instant::now).elapsed() >= END_WITHIN
    }
}

impl Read for InputStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.has_ended {
            return Ok(0);
        }
        let len = loop {
            if self.has_begun && self.end.is_none() {
                break self.file.read(buffer)?;
            }
            let is_ready = self.is_ready()?;
            if self.is_over() {
                break 0;
            }
            if is_ready {
                break self.file.read(buffer)?;
            }
            if !self.has_begun {
                self.has_begun = true;
                self.say_waiting();
            }
        };
        self.has_begun = true;
        if len == 0 && self.ending_since.is_some() {
            stdio::say(format_args!(
                "{}: stopped by SIGINT; the result is that of what has arrived",
                self.name.display()
            ));
            self.has_ended = true;
        }
        Ok(len)
    }
}
