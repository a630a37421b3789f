//! What a capturing program writes to stderr: why it ended, and how many packets the kernel dropped.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::ChildStderr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::programs::PROGRAMS;
use crate::wire::printable;

/// The most bytes of a line that are read as one.
const MAX_LINE: u64 = 4096;

/// The most lines that are kept.
const MAX_LINES: usize = 100;

/// A thread that reads stderr to its end, and what it has read.
pub(super) struct Stderr {
    said: Arc<Mutex<Said>>,
    /// `None` if the system could not start it.
    reader: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Said {
    /// The first lines, without counts.
    lines: Vec<String>,
    /// How many packets the kernel dropped.
    dropped: u64,
}

impl Stderr {
    /// Starts to read the stderr of the program `name`.
    pub(super) fn read(stderr: ChildStderr, name: &str) -> Self {
        let said = Arc::<Mutex<Said>>::default();
        let read = Arc::clone(&said);
        let reader = thread::Builder::new().name(name.to_owned()).spawn(move || {
            let mut stderr = BufReader::new(stderr);
            let mut line = Vec::new();
            // If it cannot be read, the status of the program remains.
            while matches!(stderr.by_ref().take(MAX_LINE).read_until(b'\n', &mut line), Ok(1..)) {
                locked(&read).add(String::from_utf8_lossy(&line).trim_end());
                line.clear();
            }
        });
        Self { said, reader: reader.ok() }
    }

    /// Returns true if nothing more comes.
    pub(super) fn has_ended(&self) -> bool {
        self.reader.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// How many packets the kernel dropped, as the program last reported.
    pub(super) fn dropped(&self) -> u64 {
        locked(&self.said).dropped
    }

    /// Why the program ended; `None` if it reported no error.
    pub(super) fn reason(&self) -> Option<String> {
        reason(&locked(&self.said).lines)
    }
}

impl Said {
    fn add(&mut self, line: &str) {
        match dropped(line) {
            Some(dropped) => self.dropped = self.dropped.max(dropped),
            None if self.lines.len() < MAX_LINES => self.lines.push(line.to_owned()),
            None => {}
        }
    }
}

fn locked(said: &Mutex<Said>) -> MutexGuard<'_, Said> {
    said.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many packets the kernel dropped, if a line of tcpdump or dumpcap reports it.
fn dropped(line: &str) -> Option<u64> {
    // dumpcap: received and dropped packets after the name of the interface, which can contain anything.
    if let Some(rest) = line.strip_prefix("Packets received/dropped on interface ") {
        let counts = rest.rsplit_once("': ")?.1.split(' ').next()?;
        let (received, dropped) = counts.split_once('/')?;
        received.parse::<u64>().ok()?;
        return dropped.parse().ok();
    }
    // tcpdump: one count a line at its end, all in one line after its name when a signal asks for them.
    let count = |part: &str| {
        let number =
            part.strip_suffix(" packets dropped by kernel").or_else(|| part.strip_suffix(" packet dropped by kernel"));
        number?.parse().ok()
    };
    line.split(", ").find_map(count)
}

/// The last line that begins with a program's name, without the name, and the system's error that follows it in parentheses.
/// `None` if the program reported no error.
fn reason(lines: &[String]) -> Option<String> {
    let error = |line: &str| {
        let named = PROGRAMS.iter().find_map(|program| line.strip_prefix(program.name)?.strip_prefix(": "));
        named.filter(|words| !words.starts_with("listening on")).map(|words| words.trim_end_matches('.').to_owned())
    };
    let (at, mut reason) = lines.iter().enumerate().rev().find_map(|(at, line)| Some((at, error(line)?)))?;
    if let Some(system) = lines.get(at + 1).filter(|line| line.starts_with('(')) {
        // Some versions of libpcap have it in both lines.
        if !reason.contains(system.trim_matches(['(', ')'])) {
            reason = format!("{reason} {system}");
        }
    }
    Some(printable::text(&reason).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(stderr: &str) -> Said {
        let mut said = Said::default();
        stderr.lines().for_each(|line| said.add(line));
        said
    }

    #[test]
    fn the_reason_is_the_line_with_the_name_of_the_program() {
        let reason = |stderr: &str| reason(&said(stderr).lines);
        let tcpdump = "tcpdump: lo: You don't have permission\n(socket: Operation not permitted)\n";
        let expected = "lo: You don't have permission (socket: Operation not permitted)";
        assert_eq!(reason(tcpdump).as_deref(), Some(expected));
        let dumpcap =
            "Capturing on 'nope'\ndumpcap: There is no device named \"nope\".\n(No such device exists)\nMore.\n";
        assert_eq!(reason(dumpcap).as_deref(), Some("There is no device named \"nope\" (No such device exists)"));
        let twice = "tcpdump: nope: No such device exists\n(No such device exists)\n";
        assert_eq!(reason(twice).as_deref(), Some("nope: No such device exists"));
        let later = "tcpdump: listening on lo, link-type EN10MB\ntcpdump: pcap_loop: The interface disappeared\n3 packets captured\n";
        assert_eq!(reason(later).as_deref(), Some("pcap_loop: The interface disappeared"));
        assert_eq!(reason("tcpdump: listening on lo\n3 packets captured\n"), None);
        let counts = "tcpdump: 3 packets captured, 6 packets received by filter, 0 packets dropped by kernel\n";
        assert_eq!(reason(counts), None);
    }

    #[test]
    fn the_counts_of_dropped_packets_are_numbers_of_the_programs_own_lines() {
        // tcpdump 4.99.3 at its end, and at SIGUSR1.
        let end = "tcpdump: listening on lo, link-type EN10MB (Ethernet), snapshot length 262144 bytes\n3073 packets captured\n19200 packets received by filter\n13054 packets dropped by kernel\n";
        assert_eq!(said(end).dropped, 13_054);
        let asked = "tcpdump: 1 packet captured, 20 packets received by filter, 1 packet dropped by kernel\n";
        assert_eq!(said(asked).dropped, 1);
        let with_interface = "1 packet captured, 20 packets received by filter, 7 packets dropped by kernel, 9 packets dropped by interface";
        assert_eq!(dropped(with_interface), Some(7));
        assert_eq!(said(&format!("{asked}{end}{asked}")).dropped, 13_054);
        // dumpcap 4.0.17.
        let dumpcap = "Packets received/dropped on interface 'Loopback: lo': 16/1216 (pcap:1216/dumpcap:0/flushed:0/ps_ifdrop:0) (1.3%)";
        assert_eq!(dropped(dumpcap), Some(1216));
        let odd_name = "Packets received/dropped on interface 'a': 1/2 (': 9600/0 (pcap:0/dumpcap:0/flushed:0/ps_ifdrop:0) (100.0%)";
        assert_eq!(dropped(odd_name), Some(0));
        for other in [
            "9 packets dropped by interface",
            "many packets dropped by kernel",
            "-1 packets dropped by kernel",
            "Packets received/dropped on interface 'lo': many/3 (pcap)",
            "Packets captured: 9600",
        ] {
            assert_eq!(dropped(other), None, "{other}");
        }
    }
}
