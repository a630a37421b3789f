//! tcpdump or dumpcap as a child process that captures packets. framescope itself never needs the right to capture.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Cursor, ErrorKind, Read};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::bail;
use rustix::process::{Pid, Signal, kill_process};

use super::shell;
use crate::cli::PacketSource;
use crate::wire::printable;

/// Folders of system programs, which the `PATH` of a user may lack.
const SYSTEM_FOLDERS: [&str; 3] = ["/usr/sbin", "/sbin", "/usr/local/sbin"];

/// The most bytes that are kept of what a program writes to stderr.
const MAX_STDERR: u64 = 64 * 1024;

/// The length of the magic number of a packet capture, in bytes.
const MAGIC: u64 = 4;

/// The programs, the preferred one first: tcpdump writes each packet at once, dumpcap about 0.12 s later.
const PROGRAMS: [Program; 2] = [
    Program { name: "tcpdump", arguments: &["--immediate-mode", "-U", "-n", "-p", "-w", "-"], expression: &[] },
    Program { name: "dumpcap", arguments: &["-q", "-p", "-w", "-"], expression: &["-f"] },
];

/// How to run a program.
struct Program {
    name: &'static str,
    arguments: &'static [&'static str],
    /// What precedes the filter expression.
    expression: &'static [&'static str],
}

/// Why a program does not capture.
enum Failure {
    NotInstalled,
    /// The user may not execute the program.
    NotExecutable(PathBuf),
    Ended {
        path: PathBuf,
        why: String,
    },
}

/// A program that captures packets. Dropping it ends the program.
pub struct PacketProgram {
    name: &'static str,
    process: Arc<Process>,
}

/// The packets that a program captures. Reading fails if the program ends before it was asked to.
pub struct PacketBytes {
    beginning: Cursor<Vec<u8>>,
    stdout: ChildStdout,
    name: &'static str,
    process: Arc<Process>,
}

struct Process {
    child: Mutex<Child>,
    /// Set before framescope ends the program.
    stopping: AtomicBool,
    stderr: Mutex<Option<JoinHandle<String>>>,
}

/// Starts the first program that can capture the packets.
///
/// # Errors
/// If no program can, with what the user can do.
pub fn start(source: &PacketSource) -> anyhow::Result<(PacketProgram, PacketBytes)> {
    let mut failures = Vec::new();
    for program in &PROGRAMS {
        match program.start(source) {
            Ok(started) => return Ok(started),
            Err(failure) => failures.push((program, failure)),
        }
    }
    bail!(advice(source, &failures))
}

impl Program {
    fn start(&self, source: &PacketSource) -> Result<(PacketProgram, PacketBytes), Failure> {
        let path = installed(self.name).ok_or(Failure::NotInstalled)?;
        let mut command = Command::new(&path);
        command.args(self.arguments).arg("-i").arg(&source.interface).args(self.expression).arg(source.expression());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Ctrl-C reaches framescope alone, which ends the program in order.
        command.process_group(0);
        let ended = |why: String| Failure::Ended { path: path.clone(), why };
        let mut child = command.spawn().map_err(|e| match e.kind() {
            ErrorKind::PermissionDenied => Failure::NotExecutable(path.clone()),
            _ => ended(e.to_string()),
        })?;
        let (Some(mut stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(ended("it has no output".to_owned()));
        };
        let reader = thread::Builder::new().name(self.name.to_owned()).spawn(move || said(stderr));
        let process = Arc::new(Process {
            child: Mutex::new(child),
            stopping: AtomicBool::new(false),
            stderr: Mutex::new(reader.ok()),
        });
        // The file header comes as soon as the program captures.
        let mut beginning = Vec::new();
        match stdout.by_ref().take(MAGIC).read_to_end(&mut beginning) {
            Ok(len) if len as u64 == MAGIC => {}
            Ok(_) => return Err(ended(process.wait())),
            Err(e) => return Err(ended(e.to_string())),
        }
        let stream =
            PacketBytes { beginning: Cursor::new(beginning), stdout, name: self.name, process: Arc::clone(&process) };
        Ok((PacketProgram { name: self.name, process }, stream))
    }
}

impl PacketProgram {
    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Asks the program to end. It writes its last packets, and the stream ends.
    pub fn stop(&self) {
        self.process.stop();
    }
}

impl Drop for PacketProgram {
    fn drop(&mut self) {
        self.stop();
        self.process.wait();
    }
}

impl Process {
    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        let mut child = self.child();
        // A process that has ended was waited for here: its id may belong to another.
        if matches!(child.try_wait(), Ok(None))
            && let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw)
        {
            let _ = kill_process(pid, Signal::TERM);
        }
    }

    /// Waits until the program has ended; returns why it ended, in its own words.
    fn wait(&self) -> String {
        let status = self.child().wait();
        let reader = self.stderr.lock().unwrap_or_else(PoisonError::into_inner).take();
        let said = reader.and_then(|reader| reader.join().ok()).unwrap_or_default();
        match (reason(&said), status) {
            (Some(reason), _) => reason,
            (None, Ok(status)) => status.to_string(),
            (None, Err(e)) => e.to_string(),
        }
    }
}

impl Read for PacketBytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = match self.beginning.read(buffer)? {
            0 => self.stdout.read(buffer)?,
            len => len,
        };
        if len == 0 && !buffer.is_empty() && !self.process.stopping.load(Ordering::SeqCst) {
            let why = self.process.wait();
            return Err(io::Error::other(format!("{} has ended: {why}", self.name)));
        }
        Ok(len)
    }
}

/// The path of an installed program.
fn installed(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(SYSTEM_FOLDERS.iter().map(PathBuf::from));
    folders.map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// What a program writes to stderr, until it ends.
fn said(mut stderr: ChildStderr) -> String {
    let mut said = Vec::new();
    // If it cannot be read, the status of the program remains.
    let _ = stderr.by_ref().take(MAX_STDERR).read_to_end(&mut said);
    let _ = io::copy(&mut stderr, &mut io::sink());
    String::from_utf8_lossy(&said).into_owned()
}

/// The last line of stderr that begins with the program's name, without the name, and the system's error that follows it in
/// parentheses. `None` if the program reported no error.
fn reason(said: &str) -> Option<String> {
    let lines: Vec<&str> = said.lines().collect();
    let error = |line: &str| {
        let named = PROGRAMS.iter().find_map(|program| line.strip_prefix(program.name)?.strip_prefix(": "));
        named.filter(|words| !words.starts_with("listening on")).map(|words| words.trim_end_matches('.').to_owned())
    };
    let (at, mut reason) = lines.iter().enumerate().rev().find_map(|(at, line)| Some((at, error(line)?)))?;
    if let Some(system) = lines.get(at + 1).filter(|line| line.starts_with('(')) {
        reason = format!("{reason} {system}");
    }
    Some(printable::text(&reason).into_owned())
}

/// What the user can do if no program captures, in one line.
fn advice(source: &PacketSource, failures: &[(&Program, Failure)]) -> String {
    let interface = printable::text(&source.interface);
    // The reason that the user can act on: that of a program that lacks the right, or of the first that ran.
    let lacks_right = |failure: &Failure| match failure {
        Failure::NotExecutable(path) => Some((path.clone(), "this user may not execute it".to_owned())),
        Failure::Ended { path, why } if why.to_lowercase().contains("perm") => Some((path.clone(), why.clone())),
        _ => None,
    };
    let ended = failures.iter().find_map(|(_, failure)| match failure {
        Failure::Ended { path, why } => Some((path, why)),
        _ => None,
    });
    if let Some((path, why)) = failures.iter().find_map(|(_, failure)| lacks_right(failure)) {
        let mut advice = format!("cannot capture on {interface}: {}: {why}; ", path.display());
        if cfg!(target_os = "linux") {
            let path = shell::quoted(&path);
            let _ = write!(advice, "allow it once with `sudo setcap cap_net_raw,cap_net_admin=eip {path}`, or ");
        }
        let program = &PROGRAMS[0];
        let _ = write!(
            advice,
            "run `sudo {} {} -i {} {} | framescope open --port {} -`",
            program.name,
            program.arguments.join(" "),
            shell::quoted(Path::new(&source.interface)),
            shell::quoted(Path::new(&source.expression())),
            source.port,
        );
        return advice;
    }
    match ended {
        Some((path, why)) => {
            format!("cannot capture on {interface}: {}: {why}{}", path.display(), interfaces_note(&source.interface))
        }
        None => "no program that captures packets is installed; install tcpdump, or dumpcap of Wireshark".to_owned(),
    }
}

/// The network interfaces, if `wanted` is none of them; empty where the system does not list them in a folder.
fn interfaces_note(wanted: &str) -> String {
    let listed = fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
    let mut names: Vec<String> = listed.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    match names.is_empty() || wanted == "any" || names.iter().any(|name| name == wanted) {
        true => String::new(),
        false => format!("; the interfaces are {}, and any for all of them", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(interface: &str) -> PacketSource {
        PacketSource { interface: interface.to_owned(), port: 9000, host: None }
    }

    #[test]
    fn the_reason_is_the_line_with_the_name_of_the_program() {
        let tcpdump = "tcpdump: lo: You don't have permission\n(socket: Operation not permitted)\n";
        let expected = "lo: You don't have permission (socket: Operation not permitted)";
        assert_eq!(reason(tcpdump).as_deref(), Some(expected));
        let dumpcap =
            "Capturing on 'nope'\ndumpcap: There is no device named \"nope\".\n(No such device exists)\nMore.\n";
        assert_eq!(reason(dumpcap).as_deref(), Some("There is no device named \"nope\" (No such device exists)"));
        let later = "tcpdump: listening on lo, link-type EN10MB\ntcpdump: pcap_loop: The interface disappeared\n3 packets captured\n";
        assert_eq!(reason(later).as_deref(), Some("pcap_loop: The interface disappeared"));
        assert_eq!(reason("tcpdump: listening on lo\n3 packets captured\n"), None);
    }

    #[test]
    fn the_advice_depends_on_what_failed() {
        let ended = |name: &str, why: &str| Failure::Ended { path: PathBuf::from(name), why: why.to_owned() };
        let advice = |interface: &str, failures: Vec<Failure>| {
            advice(&source(interface), &PROGRAMS.iter().zip(failures).collect::<Vec<_>>())
        };
        let right = advice("lo", vec![ended("/usr/bin/tcpdump", "Operation not permitted"), Failure::NotInstalled]);
        assert!(right.contains(
            "sudo tcpdump --immediate-mode -U -n -p -w - -i lo 'tcp port 9000' | framescope open --port 9000 -"
        ));
        assert_eq!(right.contains("setcap"), cfg!(target_os = "linux"));
        let group = advice("lo", vec![Failure::NotInstalled, Failure::NotExecutable("/usr/bin/dumpcap".into())]);
        assert!(group.contains("/usr/bin/dumpcap"), "{group}");
        let missing = advice("no such", vec![ended("tcpdump", "No such device exists"), ended("dumpcap", "other")]);
        assert!(missing.contains("tcpdump: No such device exists") && !missing.contains("sudo"), "{missing}");
        let none = advice("lo", vec![Failure::NotInstalled, Failure::NotInstalled]);
        assert!(none.contains("install tcpdump"), "{none}");
    }
}
