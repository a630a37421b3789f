//! `capture`: the packets of a program that captures, which is a shell script here.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, ChildStderr, Command};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::packet_program::Programs;
use crate::support::program::run;
use crate::support::terminal::{Terminal, files};
use crate::support::{exported, load, sample_path};
use framescope::export::Format;

/// The status, stdout and stderr of a run that ends because its program ends.
fn output(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Sends SIGINT; the rest of stdout.
fn interrupted(mut child: Child, mut stdout: impl std::io::Read) -> (Option<i32>, String) {
    kill_process(Pid::from_child(&child), Signal::INT).expect("it runs");
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).expect("text");
    (child.wait().expect("ended").code(), rest)
}

#[test]
fn packets_are_printed_while_they_arrive_and_kept_as_they_were() {
    let sample = sample_path("hello");
    // Without `exec`, the shell would wait for the end of `sleep` before it obeys the signal.
    let programs = Programs::new(&[("tcpdump", &format!("cat {sample}\nexec sleep 60"))]);
    let kept = programs.path("kept.pcap");
    let arguments = ["--host", "127.0.0.1", "--headless", "--json", "--write", &kept.to_string_lossy()];
    let mut child = programs.capture(&arguments).spawn().expect("the program starts");
    let expected = exported(&load(Path::new(&sample)), Format::Ndjson);
    let expected = String::from_utf8(expected).expect("text");
    let mut stdout = BufReader::new(child.stdout.take().expect("stdout"));
    let mut printed = String::new();
    // The last lines may come at the end alone: a connection that is open has no end yet.
    for _ in 0..expected.lines().count() / 2 {
        stdout.read_line(&mut printed).expect("a line");
    }
    let (status, rest) = interrupted(child, stdout);
    assert_eq!(status, Some(0));
    assert!(printed + &rest == expected, "{} lines more at the end", rest.lines().count());
    assert_eq!(fs::read(&kept).expect("kept"), fs::read(&sample).expect("the sample"));
    assert_eq!(fs::metadata(&kept).expect("kept").permissions().mode() & 0o777, 0o600);
    assert!(programs.has_ended());
    let arguments = fs::read_to_string(programs.path("arguments")).expect("it ran");
    assert!(arguments.contains("-i lo tcp port 9000 and host 127.0.0.1"), "{arguments}");
}

#[test]
fn a_program_that_ends_ends_the_run_with_its_reason_and_the_records_so_far() {
    let sample = sample_path("hello");
    let programs =
        Programs::new(&[("tcpdump", &format!("cat {sample}\necho 'tcpdump: the interface is gone' >&2\nexit 1"))]);
    let (status, out, err) = output(&mut programs.capture(&["--headless", "--json"]));
    assert_eq!(status, Some(1), "{err}");
    assert!(err.contains("tcpdump has ended, so nothing more is captured: the interface is gone"), "{err}");
    let expected = exported(&load(Path::new(&sample)), Format::Ndjson);
    assert!(out.as_bytes() == expected, "{} lines: {err}", out.lines().count());
}

#[test]
fn dumpcap_is_used_if_tcpdump_cannot_capture() {
    let sample = sample_path("hello");
    let refused = "echo 'tcpdump: lo: no permission' >&2\nexit 1";
    let programs = Programs::new(&[("tcpdump", refused), ("dumpcap", &format!("cat {sample}\nexec sleep 60"))]);
    let mut child = programs.capture(&["--headless", "--quiet"]).spawn().expect("the program starts");
    let mut line = String::new();
    BufReader::new(child.stderr.take().expect("stderr")).read_line(&mut line).expect("a line");
    assert!(line.trim_end().ends_with("with dumpcap"), "{line}");
    let stdout = child.stdout.take().expect("stdout");
    assert_eq!(interrupted(child, stdout).0, Some(0));
    let arguments = fs::read_to_string(programs.path("arguments")).expect("it ran");
    assert!(arguments.contains("-i lo -f tcp port 9000"), "{arguments}");
}

/// Waits for the line that says that packets are captured; the rest of stderr.
fn ready(child: &mut Child) -> BufReader<ChildStderr> {
    let mut stderr = BufReader::new(child.stderr.take().expect("stderr"));
    let mut line = String::new();
    stderr.read_line(&mut line).expect("a line");
    assert!(line.starts_with("capturing on lo"), "{line}");
    stderr
}

#[test]
fn packets_that_the_kernel_dropped_are_reported_and_fail_the_run() {
    let sample = sample_path("hello");
    let tcpdump = "echo '5 packets captured\n1228 packets received by filter\n1216 packets dropped by kernel' >&2";
    let dumpcap = "echo \"Packets captured: 5\nPackets received/dropped on interface 'Loopback: lo': 5/1216 (pcap:1216/dumpcap:0/flushed:0/ps_ifdrop:0) (0.4%)\" >&2";
    for (name, counts) in [("tcpdump", tcpdump), ("dumpcap", dumpcap)] {
        let script = format!(
            "report() {{ {counts}; exit 0; }}\ntrap report TERM\ncat {sample}\nsleep 60 >/dev/null 2>&1 &\nwait"
        );
        // A tcpdump that cannot capture keeps the installed one from being used.
        let programs = Programs::new(&[("tcpdump", "exit 1"), (name, &script)]);
        let mut child = programs.capture(&["--headless", "--quiet"]).spawn().expect("the program starts");
        let mut stderr = ready(&mut child);
        let stdout = child.stdout.take().expect("stdout");
        assert_eq!(interrupted(child, stdout).0, Some(1), "{name}");
        let mut said = String::new();
        stderr.read_to_string(&mut said).expect("text");
        assert!(said.contains("1,216 packets") && said.contains("--buffer"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn a_program_that_does_not_end_is_killed() {
    let sample = sample_path("hello");
    let programs = Programs::new(&[("tcpdump", &format!("trap '' TERM\ncat {sample}\nexec sleep 60"))]);
    let mut child = programs.capture(&["--headless", "--quiet"]).spawn().expect("the program starts");
    let mut stderr = ready(&mut child);
    let stdout = child.stdout.take().expect("stdout");
    assert_eq!(interrupted(child, stdout).0, Some(1));
    assert!(programs.has_ended());
    let mut said = String::new();
    stderr.read_to_string(&mut said).expect("text");
    assert!(said.contains("tcpdump did not end within 1.5 seconds"), "{said}");
}

#[test]
fn a_program_ends_when_framescope_is_killed() {
    let sample = sample_path("hello");
    // Whether a process has ended is visible in a FIFO that it alone writes to, even if nobody waits for the process.
    let script = format!("mkfifo fifo\ncat {sample}\nexec 9> fifo\nexec sleep 60");
    let programs = Programs::new(&[("tcpdump", &script)]);
    let mut child = programs.capture(&["--headless", "--quiet"]).spawn().expect("the program starts");
    let _stderr = ready(&mut child);
    let mut fifo = fs::File::open(programs.path("fifo")).expect("a FIFO");
    let since = Instant::now();
    child.kill().expect("it runs");
    child.wait().expect("ended");
    assert_eq!(fifo.read_to_end(&mut Vec::new()).expect("the end of the FIFO"), 0);
    assert!(since.elapsed() < Duration::from_secs(30), "it ended on its own");
}

#[test]
fn an_unsaved_capture_outlives_its_program() {
    let sample = sample_path("hello");
    for ring in [&[][..], &["--ring", "1MiB"]] {
        let programs = Programs::new(&[("tcpdump", &format!("cat {sample}\nexit 0"))]);
        let folder = programs.path("");
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
        let arguments = [&["capture", "-i", "lo", "--port", "9000"][..], ring].concat();
        for confirms in [false, true] {
            let mut terminal = Terminal::with_env(&arguments, &folder, &[("PATH", &path)]);
            terminal.expect("tcpdump has ended");
            if confirms {
                terminal.press("q");
                terminal.expect("Quitting deletes the capture");
                terminal.press("y");
            } else {
                terminal.signal(Signal::TERM);
            }
            terminal.end();
            let kept = files(&folder, "live-");
            assert_eq!(kept.is_empty(), confirms, "{ring:?}");
            for path in &kept {
                assert_eq!(load(path).len(), load(Path::new(&sample)).len());
                fs::remove_file(path).expect("removed");
            }
        }
    }
}

#[test]
fn without_a_program_that_can_capture_the_error_says_what_to_do() {
    let refused = |name: &str| format!("echo '{name}: lo: Operation not permitted' >&2\nexit 1");
    let programs = Programs::new(&[("tcpdump", &refused("tcpdump")), ("dumpcap", &refused("dumpcap"))]);
    let kept = programs.path("kept.pcap");
    let (status, out, err) = output(&mut programs.capture(&["--headless", "--write", &kept.to_string_lossy()]));
    assert_eq!((status, out.as_str(), err.lines().count()), (Some(1), "", 1), "{err}");
    assert!(err.contains("capture -i lo --port 9000 --headless --write") && err.contains("`sudo "), "{err}");
    assert!(!kept.exists());
}

#[test]
fn wrong_hosts_and_a_ring_with_a_key_log_are_wrong_usage() {
    let right = ["capture", "-i", "lo", "--port", "9000", "--headless"];
    let no_interface = ["capture", "-i", "", "--port", "9000", "--headless"];
    let no_port = ["capture", "-i", "lo", "--port", "0", "--headless"];
    let with = |wrong: &[&'static str]| [&right[..], wrong].concat();
    for wrong in [
        with(&["--host", "a or tcp"]),
        with(&["--host", "127.0.0.1:9000"]),
        with(&["--buffer", "8GiB"]),
        with(&["--ring", "1GiB", "--keylog", "keys.log"]),
        no_interface.to_vec(),
        no_port.to_vec(),
    ] {
        assert_eq!(run(&wrong).0, Some(2), "{wrong:?}");
    }
}
