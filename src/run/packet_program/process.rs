//! The process of a capturing program: it ends when framescope asks it to, and also when framescope is killed.

use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::stderr::Stderr;
use crate::run::signals;

/// How long the program may take to end after it was asked to. Then it is killed.
pub(super) const END_WITHIN: Duration = Duration::from_millis(1500);

/// How long a killed process may take to end.
const KILLED_WITHIN: Duration = Duration::from_millis(100);

/// Poll interval while waiting for the end.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Kills its process group when its stdin is closed: when framescope ends, for whatever reason.
const WATCH: &str = "read -r _; kill -KILL 0";

pub(super) struct Process {
    child: Mutex<Child>,
    pub(super) stderr: Stderr,
    /// The process group, which the watcher leads. `None` without a watcher, where the system cannot start a shell.
    watcher: Option<(Pid, Mutex<Child>)>,
    /// When the program was first asked to end.
    stopped: OnceLock<Instant>,
    was_killed: AtomicBool,
}

impl Process {
    /// Starts the program `name`, and returns its stdout.
    ///
    /// # Errors
    /// The system's, for example if the user may not execute it.
    pub(super) fn start(mut command: Command, name: &str) -> io::Result<(Self, ChildStdout)> {
        let watcher = watcher();
        // In another group than framescope: Ctrl-C reaches framescope alone, which ends the program in order.
        command.process_group(watcher.as_ref().map_or(0, |(group, _)| group.as_raw_nonzero().get()));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(io::Error::other("it has no output"));
        };
        let process = Self {
            child: Mutex::new(child),
            stderr: Stderr::read(stderr, name),
            watcher,
            stopped: OnceLock::new(),
            was_killed: AtomicBool::new(false),
        };
        Ok((process, stdout))
    }

    /// Asks the program to end.
    pub(super) fn stop(&self) {
        if self.stopped.set(Instant::now()).is_ok() {
            self.signal_all(Signal::TERM);
        }
    }

    /// Returns true if the program was asked to end.
    pub(super) fn was_stopped(&self) -> bool {
        self.stopped.get().is_some()
    }

    /// Returns true if the program did not end when it was asked to.
    pub(super) fn was_killed(&self) -> bool {
        self.was_killed.load(Ordering::SeqCst)
    }

    /// Waits until the program has ended, and kills it [`END_WITHIN`] after it was asked to end, or after this call. Returns why it
    /// ended, in its own words if it reported an error.
    pub(super) fn wait(&self) -> String {
        let deadline = self.stopped.get().copied().unwrap_or_else(Instant::now) + END_WITHIN;
        let ended = self.wait_until(deadline).or_else(|| {
            self.was_killed.store(true, Ordering::SeqCst);
            self.signal_all(Signal::KILL);
            self.wait_until(Instant::now() + KILLED_WITHIN)
        });
        // A process that the program started may hold stderr.
        let deadline = Instant::now() + KILLED_WITHIN;
        while !self.stderr.has_ended() && Instant::now() < deadline {
            thread::sleep(POLL_INTERVAL);
        }
        self.stderr.reason().unwrap_or_else(|| match ended {
            Some(Ok(status)) => match status.signal() {
                Some(signal) => format!("signal {signal}"),
                None => format!("exit status {}", status.code().unwrap_or_default()),
            },
            Some(Err(e)) => e.to_string(),
            None => "it does not end".to_owned(),
        })
    }

    /// Sends a signal to the program alone, if it handles this signal.
    pub(super) fn ask(&self, signal: Signal) {
        if let Some(pid) = running(&mut self.child())
            && signals::is_caught(pid, signal)
        {
            let _ = kill_process(pid, signal);
        }
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a signal to the program and what it has started.
    fn signal_all(&self, signal: Signal) {
        let mut child = self.child();
        // The group exists as long as the watcher was not waited for. The id of a program that was waited for may belong to another.
        let group = self.watcher.as_ref().map(|(group, _)| *group).or_else(|| running(&mut child));
        if let Some(group) = group {
            let _ = kill_process_group(group, signal);
        }
    }

    fn wait_until(&self, deadline: Instant) -> Option<io::Result<ExitStatus>> {
        loop {
            // Locked for an instant: another thread may want to stop the program.
            let polled = self.child().try_wait();
            match polled {
                Ok(Some(status)) => return Some(Ok(status)),
                Err(e) => return Some(Err(e)),
                Ok(None) if Instant::now() >= deadline => return None,
                Ok(None) => thread::sleep(POLL_INTERVAL),
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some((_, watcher)) = &mut self.watcher {
            let watcher = watcher.get_mut().unwrap_or_else(PoisonError::into_inner);
            let _ = watcher.kill();
            let _ = watcher.wait();
        }
    }
}

/// Starts the watcher, which leads a process group of its own.
fn watcher() -> Option<(Pid, Mutex<Child>)> {
    let mut command = Command::new("sh");
    command.args(["-c", WATCH]).process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().ok()?;
    Some((Pid::from_child(&child), Mutex::new(child)))
}

/// The id of a process that was not waited for.
fn running(child: &mut Child) -> Option<Pid> {
    matches!(child.try_wait(), Ok(None)).then(|| Pid::from_child(child))
}
