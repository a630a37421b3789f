//! tcpdump or dumpcap as a child process that captures packets. framescope itself never needs the right to capture.

mod advice;
mod process;
mod programs;
mod stderr;

use std::env;
use std::io::{self, Cursor, ErrorKind, Read};
use std::path::PathBuf;
use std::process::{ChildStdout, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::bail;

use self::advice::Failure;
use self::process::{END_WITHIN, Process};
use self::programs::{PROGRAMS, Program};
use super::shell;
use crate::cli::{self, PacketSource};
use crate::proto::rules::count;

/// Folders of system programs, which the `PATH` of a user may lack.
const SYSTEM_FOLDERS: [&str; 3] = ["/usr/sbin", "/sbin", "/usr/local/sbin"];

/// The length of the magic number of a packet capture, in bytes.
const MAGIC: u64 = 4;

/// How often a program is asked for dropped packets.
const ASK_INTERVAL: Duration = Duration::from_secs(1);

/// A program that captures packets. Dropping it ends the program.
pub struct PacketProgram {
    program: &'static Program,
    buffer: u64,
    process: Arc<Process>,
    len: Arc<AtomicU64>,
}

/// The packets that a program captures. Reading fails if the program ends before it was asked to.
pub struct PacketBytes {
    beginning: Cursor<Vec<u8>>,
    stdout: ChildStdout,
    name: &'static str,
    process: Arc<Process>,
    /// How many bytes were read.
    len: Arc<AtomicU64>,
}

/// Starts the first program that can capture the packets.
///
/// # Errors
/// If no program can, with what the user can do.
pub fn start(args: &cli::Capture) -> anyhow::Result<(PacketProgram, PacketBytes)> {
    let mut failures = Vec::new();
    for program in &PROGRAMS {
        match program.start(&args.source) {
            Ok(started) => return Ok(started),
            Err(failure) => failures.push((program, failure)),
        }
    }
    bail!(advice::advice(args, &failures, &command_line()))
}

impl Program {
    fn start(&'static self, source: &PacketSource) -> Result<(PacketProgram, PacketBytes), Failure> {
        let path = installed(self.name).ok_or(Failure::NotInstalled)?;
        let mut command = Command::new(&path);
        command.args(self.arguments(source));
        let ended = |why: String| Failure::Ended { path: path.clone(), why };
        let (process, mut stdout) = Process::start(command, self.name).map_err(|e| match e.kind() {
            ErrorKind::PermissionDenied => Failure::not_executable(&path),
            _ => ended(e.to_string()),
        })?;
        let process = Arc::new(process);
        // The file header comes as soon as the program captures.
        let mut beginning = Vec::new();
        match stdout.by_ref().take(MAGIC).read_to_end(&mut beginning) {
            Ok(len) if len as u64 == MAGIC => {}
            Ok(_) => return Err(ended(process.wait())),
            Err(e) => return Err(ended(e.to_string())),
        }
        let len = Arc::<AtomicU64>::default();
        let packets = PacketBytes {
            beginning: Cursor::new(beginning),
            stdout,
            name: self.name,
            process: Arc::clone(&process),
            len: Arc::clone(&len),
        };
        Ok((PacketProgram { program: self, buffer: source.buffer, process, len }, packets))
    }
}

impl PacketProgram {
    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.program.name
    }

    /// Asks the program to end. It writes its last packets, and the stream ends.
    pub fn stop(&self) {
        self.process.stop();
    }

    /// Ends the program. Returns what the capture lacks because of it, in one line.
    pub fn end(self) -> Option<String> {
        self.stop();
        self.process.wait();
        let dropped = match self.process.stderr.dropped() {
            0 => None,
            dropped => Some(lost_packets(self.program.name, dropped, self.buffer)),
        };
        let killed = self.process.was_killed().then(|| {
            let (name, seconds) = (self.program.name, END_WITHIN.as_secs_f32());
            format!(
                "{name} did not end within {seconds} seconds and was killed; packets that it had not written are lost"
            )
        });
        [dropped, killed].into_iter().flatten().reduce(|dropped, killed| format!("{dropped}; {killed}"))
    }

    /// Calls `report` with a line when the kernel drops packets, and again when their number has doubled. Only tcpdump reports them
    /// before its end, and only on Linux.
    ///
    /// # Errors
    /// If the system cannot start a thread.
    pub fn on_lost_packets(&self, report: impl Fn(String) + Send + 'static) -> io::Result<()> {
        let Some(request) = self.program.request else { return Ok(()) };
        let (process, len) = (Arc::clone(&self.process), Arc::clone(&self.len));
        let (name, buffer) = (self.program.name, self.buffer);
        let ask = move || {
            let (mut reported, mut asked_at) = (0, 0);
            loop {
                thread::sleep(ASK_INTERVAL);
                if process.was_stopped() {
                    return;
                }
                // Where no packet arrives, none is dropped.
                let len = len.load(Ordering::Relaxed);
                if len != asked_at {
                    asked_at = len;
                    process.ask(request);
                }
                let dropped = process.stderr.dropped();
                if dropped > 2 * reported {
                    reported = dropped;
                    report(format!("so far, {}", lost_packets(name, dropped, buffer)));
                }
            }
        };
        thread::Builder::new().name("lost packets".to_owned()).spawn(ask)?;
        Ok(())
    }
}

impl Drop for PacketProgram {
    fn drop(&mut self) {
        self.stop();
        self.process.wait();
    }
}

impl Read for PacketBytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = match self.beginning.read(buffer)? {
            0 => self.stdout.read(buffer)?,
            len => len,
        };
        self.len.fetch_add(len as u64, Ordering::Relaxed);
        if len == 0 && !buffer.is_empty() && !self.process.was_stopped() {
            let why = self.process.wait();
            return Err(io::Error::other(format!("{} has ended, so nothing more is captured: {why}", self.name)));
        }
        Ok(len)
    }
}

/// How many packets the capture lacks, and what to do about it.
fn lost_packets(name: &str, dropped: u64, buffer: u64) -> String {
    format!(
        "the kernel dropped {} that {name} did not read in time, so the capture lacks them; use a larger --buffer than {}MiB, or narrow the capture with --host",
        count(dropped, "packet"),
        buffer >> 20
    )
}

/// The path of an installed program.
fn installed(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(SYSTEM_FOLDERS.iter().map(PathBuf::from));
    folders.map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// The command line of this process, as words of a shell.
fn command_line() -> String {
    let program = env::current_exe().unwrap_or_else(|_| PathBuf::from("framescope"));
    let words = std::iter::once(program.into_os_string()).chain(env::args_os().skip(1));
    let words: Vec<String> = words.map(|word| shell::word(&word.to_string_lossy())).collect();
    words.join(" ")
}
