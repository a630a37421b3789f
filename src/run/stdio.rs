//! Standard output and standard error. Unlike `println!`, nothing here panics if the reader has closed them.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;

use crate::tui;
use crate::wire::printable;

/// Standard output cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to stdout: {0}; free some space or redirect stdout elsewhere")]
pub struct StdoutError(pub io::Error);

/// Prints a message to stderr: one line after the prefix `framescope: `, with unsafe characters made visible.
pub fn say(what: impl Display) {
    let line = format!("framescope: {}\n", printable::text(what.to_string().trim_end()));
    // If stderr is closed, there is no place for the message.
    let _ = io::stderr().write_all(line.as_bytes());
}

/// Prints a further line of the latest message to stderr, indented.
pub fn continue_saying(line: &str) {
    let _ = io::stderr().write_all(format!("  {}\n", printable::text(line.trim_end())).as_bytes());
}

/// Standard output as a file, without a buffer or a lock.
pub fn stdout() -> io::Result<File> {
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

/// Returns true if standard output is a terminal.
pub fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Returns true if standard output is a terminal that shows colours: neither NO_COLOR nor TERM=dumb is set.
pub fn stdout_takes_colour() -> bool {
    stdout_is_terminal() && !tui::is_without_colour()
}

/// Writes all of `bytes` to standard output.
///
/// # Errors
/// The system's error, also if the reader has closed the pipe.
pub fn print(bytes: &[u8]) -> Result<(), StdoutError> {
    stdout().and_then(|mut out| out.write_all(bytes)).map_err(StdoutError)
}
