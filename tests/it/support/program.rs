//! The built program as a child process.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The program with these arguments.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_framescope"));
    command.args(arguments);
    command
}

/// Runs the program to its end: its exit status, stdout and stderr.
pub fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    run_with(arguments, b"")
}

/// The same with bytes on stdin.
pub fn run_with(arguments: &[&str], stdin: &[u8]) -> (Option<i32>, String, String) {
    let piped = command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = piped.expect("the program starts");
    // A program that ends without reading closes the pipe.
    let _ = child.stdin.take().expect("stdin").write_all(stdin);
    let output = child.wait_with_output().expect("the program ends");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The numbers in a text; 1,204 is one number.
pub fn numbers(text: &str) -> Vec<u64> {
    let digits = text.split(|c: char| !c.is_ascii_digit() && c != ',').map(|number| number.replace(',', ""));
    digits.filter_map(|digits| digits.parse().ok()).collect()
}

/// The longest time that anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A command with `--headless --json`, such as `framescope serve`, and what it printed.
pub struct Program {
    child: Child,
    lines: Receiver<String>,
    /// The address that it listens on, `http://…/`.
    pub url: String,
    /// The records so far.
    pub records: Vec<Value>,
    _cache: tempfile::TempDir,
}

impl Program {
    /// Starts it on a free port, with further arguments.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_on("127.0.0.1:0", arguments)
    }

    /// Starts it on an address.
    pub fn start_on(address: &str, arguments: &[&str]) -> Self {
        Self::run(&[&["serve", "--listen", address], arguments].concat())
    }

    /// Starts a command that listens.
    pub fn run(arguments: &[&str]) -> Self {
        let data = tempfile::tempdir().expect("a folder");
        Self::run_in(&data.path().display().to_string(), arguments)
    }

    /// Starts a command that listens, with this folder for the user's data.
    pub fn run_in(data: &str, arguments: &[&str]) -> Self {
        let cache = tempfile::tempdir().expect("a folder");
        let mut child = command(arguments)
            .args(["--headless", "--json"])
            .env("XDG_CACHE_HOME", cache.path())
            .env("XDG_DATA_HOME", data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stderr = BufReader::new(child.stderr.take().expect("stderr"));
        let mut line = String::new();
        stderr.read_line(&mut line).expect("a line on stderr");
        let url = line.trim().strip_prefix("listening on ").expect(&line).to_owned();
        let stdout = BufReader::new(child.stdout.take().expect("stdout"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        // A full pipe would block the program's writes to stderr.
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        Self { child, lines, url, records: Vec::new(), _cache: cache }
    }

    /// Waits for a record that fits, from the `from`th printed one on; returns its position.
    pub fn wait_for(&mut self, what: &str, from: usize, fits: impl Fn(&Value) -> bool) -> usize {
        let deadline = Instant::now() + PATIENCE;
        let mut at = from;
        loop {
            while at < self.records.len() {
                if fits(&self.records[at]) {
                    return at;
                }
                at += 1;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).unwrap_or_else(|e| panic!("{what} is not recorded: {e}"));
            self.records.push(serde_json::from_str(&line).expect("a JSON object on each line"));
        }
    }

    /// Asks it to end and waits until it has; returns every record.
    pub fn stop(mut self) -> Vec<Value> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
        let deadline = Instant::now() + Duration::from_secs(5);
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                break status;
            }
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        };
        assert!(status.success(), "{status}");
        for line in self.lines.iter().filter(|line| line.starts_with('{')) {
            self.records.push(serde_json::from_str(&line).expect("a JSON object on each line"));
        }
        std::mem::take(&mut self.records)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
