//! SIGINT, SIGTERM and SIGHUP, each of which asks the program to end in order.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT or SIGTERM: end.
    End,
    /// SIGHUP: the terminal has been closed.
    HangUp,
}

/// Calls `act` for each signal, on a thread of its own. With `needs_terminal`, SIGHUP is caught even under `nohup`.
pub fn on_end(needs_terminal: bool, act: impl Fn(Signal) + Send + 'static) -> io::Result<()> {
    let mut signals = Signals::new(caught(needs_terminal))?;
    let act = move |signal| act(if signal == SIGHUP { Signal::HangUp } else { Signal::End });
    thread::Builder::new().name("signals".to_owned()).spawn(move || signals.forever().for_each(act))?;
    Ok(())
}

/// Sets `cancel` at the first signal; a second signal ends the process with status 1.
pub fn cancel(cancel: &Arc<AtomicBool>) -> io::Result<()> {
    for signal in caught(false) {
        flag::register_conditional_shutdown(signal, 1, Arc::clone(cancel))?;
        flag::register(signal, Arc::clone(cancel))?;
    }
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
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}
