//! SIGINT, SIGTERM and SIGHUP: the wish to end in order.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

/// What a signal says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT or SIGTERM: somebody wants the end.
    End,
    /// SIGHUP: the terminal is closed.
    HangUp,
}

/// Calls `act` at each signal, on a thread of its own. What needs a terminal ends with it, also under `nohup`.
///
/// # Errors
/// When the system refuses the handler or the thread.
pub fn on_end(needs_terminal: bool, act: impl Fn(Signal) + Send + 'static) -> io::Result<()> {
    let mut signals = Signals::new(caught(needs_terminal))?;
    let act = move |signal| act(if signal == SIGHUP { Signal::HangUp } else { Signal::End });
    thread::Builder::new().name("signals".to_owned()).spawn(move || signals.forever().for_each(act))?;
    Ok(())
}

/// Sets `cancel` at the first signal; a second one ends the process.
///
/// # Errors
/// When the system refuses the handler.
pub fn cancel(cancel: &Arc<AtomicBool>) -> io::Result<()> {
    for signal in caught(false) {
        flag::register_conditional_shutdown(signal, 1, Arc::clone(cancel))?;
        flag::register(signal, Arc::clone(cancel))?;
    }
    Ok(())
}

/// The signals that are caught. Who starts the program under `nohup` wants it to outlive the terminal.
fn caught(needs_terminal: bool) -> Vec<i32> {
    let mut signals = vec![SIGINT, SIGTERM];
    if needs_terminal || !is_ignored(SIGHUP) {
        signals.push(SIGHUP);
    }
    signals
}

/// Whether whoever started this process had it ignore a signal. Only Linux tells without `unsafe`.
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}
