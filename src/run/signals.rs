//! SIGINT, SIGTERM and SIGHUP, each of which asks the program to end in order.

use std::fs;
use std::io;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

use super::stdio;

/// How long a cancelled command may take to end.
const GRACE: Duration = Duration::from_millis(1500);

/// Whether a source is being prepared: it may be connecting, or waiting for a stream, and then nothing else handles a signal. Clones share
/// the state.
#[derive(Clone, Debug, Default)]
pub struct Preparation(Arc<AtomicBool>);

impl Preparation {
    /// Marks the beginning. From here on, a signal ends the process.
    pub fn begin(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Marks the end. Returns false if a signal is ending the process.
    pub fn end(&self) -> bool {
        self.0.swap(false, Ordering::SeqCst)
    }

    /// Ends the process with status 1 if a preparation is under way and does not end `within` this time. Called on the thread that receives
    /// signals.
    pub fn interrupt(&self, within: Duration) {
        if self.0.load(Ordering::SeqCst) {
            thread::sleep(within);
            if self.0.swap(false, Ordering::SeqCst) {
                stdio::say("stopped by a signal");
                process::exit(1);
            }
        }
    }
}

/// Calls `act` for each signal, on a thread of its own. With `needs_terminal`, SIGHUP is caught even under `nohup`.
pub fn on_end(needs_terminal: bool, act: impl Fn() + Send + 'static) -> io::Result<()> {
    let mut signals = Signals::new(caught(needs_terminal))?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || signals.forever().for_each(|_| act()))?;
    Ok(())
}

/// Sets `cancel` at the first signal. If the process has not ended [`GRACE`] later, it waits for another process, for example for the
/// reader of a pipe, and is ended with status 1. With `end`, SIGINT sets this instead. A second signal ends the process at once.
pub fn cancel(cancel: &Arc<AtomicBool>, end: Option<&Arc<AtomicBool>>) -> io::Result<()> {
    let mut cancelling = caught(false);
    if let Some(end) = end {
        cancelling.retain(|signal| *signal != SIGINT);
        set_once(SIGINT, end)?;
    }
    for signal in &cancelling {
        set_once(*signal, cancel)?;
    }
    let mut signals = Signals::new(cancelling)?;
    let end = move || {
        if signals.forever().next().is_some() {
            thread::sleep(GRACE);
            stdio::say("stopped by a signal");
            process::exit(1);
        }
    };
    thread::Builder::new().name("signals".to_owned()).spawn(end)?;
    Ok(())
}

/// Sets `flag` at a signal, and ends the process with status 1 if it is set already.
fn set_once(signal: i32, flag: &Arc<AtomicBool>) -> io::Result<()> {
    flag::register_conditional_shutdown(signal, 1, Arc::clone(flag))?;
    flag::register(signal, Arc::clone(flag))?;
    Ok(())
}

/// The signals to catch. Under `nohup`, the program must outlive the terminal.
fn caught(needs_terminal: bool) -> Vec<i32> {
    let mut signals = vec![SIGINT, SIGTERM];
    if needs_terminal || !is_ignored(SIGHUP) {
        signals.push(SIGHUP);
    }
    signals
}

/// Returns true if this process was started with a signal ignored. Without `unsafe`, only Linux shows this.
fn is_ignored(signal: i32) -> bool {
    is_in_mask("self", "SigIgn:", signal)
}

/// Returns true if a process handles a signal, which would otherwise end it. Only Linux shows this.
pub fn is_caught(process: Pid, signal: Signal) -> bool {
    is_in_mask(&process.to_string(), "SigCgt:", signal.as_raw())
}

fn is_in_mask(process: &str, mask: &str, signal: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix(mask));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}
