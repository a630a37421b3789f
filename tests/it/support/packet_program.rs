//! Shell scripts in the place of the programs that capture packets.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rustix::process::{Pid, test_kill_process};
use tempfile::TempDir;

use super::program::command;

/// A folder with programs that take the place of tcpdump and dumpcap.
pub struct Programs(TempDir);

impl Programs {
    /// Programs with these names and scripts.
    pub fn new(programs: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, script) in programs {
            let path = folder.path().join(name);
            // The program's first words are in the file `arguments` afterwards, and its process in `pid`.
            let script = format!(
                "#!/bin/sh\ncd {}\necho \"$@\" > arguments\necho $$ > pid\n{script}\n",
                folder.path().display()
            );
            // If this process wrote the file, a child that another test starts meanwhile would inherit the descriptor, and the
            // system does not run a file that is open for writing (ETXTBSY).
            let mut write = Command::new("sh");
            write.args(["-c", "cat > \"$0\" && chmod 755 \"$0\""]).arg(&path).stdin(Stdio::piped());
            let mut write = write.spawn().expect("sh starts");
            write.stdin.take().expect("stdin").write_all(script.as_bytes()).expect("written");
            assert!(write.wait().expect("ended").success());
        }
        Self(folder)
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs `capture` with these programs in place of the real ones.
    pub fn capture(&self, arguments: &[&str]) -> Command {
        let mut command = command(&["capture", "-i", "lo", "--port", "9000"]);
        let path = std::env::var("PATH").unwrap_or_default();
        command.args(arguments).env("PATH", format!("{}:{path}", self.0.path().display()));
        command.env("XDG_CACHE_HOME", self.0.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Returns true if the program that ran last has ended.
    pub fn has_ended(&self) -> bool {
        let pid = fs::read_to_string(self.path("pid")).expect("it ran").trim().parse().expect("a number");
        test_kill_process(Pid::from_raw(pid).expect("a process")).is_err()
    }
}
