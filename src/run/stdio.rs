//! Standard output and standard error, without panics when nobody reads them.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;

use crate::wire::printable;

/// Standard output takes no more.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to stdout: {0}; free some space or send it elsewhere")]
pub struct StdoutError(pub io::Error);

/// Says something to the user on stderr: one line, safe for a terminal.
pub fn say(what: impl Display) {
    let line = format!("framescope: {}\n", printable::text(what.to_string().trim_end()));
    // Without a stderr there is nobody to tell.
    let _ = io::stderr().write_all(line.as_bytes());
}

/// A further line of what was just said, indented.
pub fn continue_saying(line: &str) {
    let _ = io::stderr().write_all(format!("  {}\n", printable::text(line.trim_end())).as_bytes());
}

/// Standard output without a buffer or a lock of its own.
///
/// # Errors
/// When there is none.
pub fn stdout() -> io::Result<File> {
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

/// Whether standard output is a terminal.
pub fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether standard output is a terminal that may be coloured.
pub fn stdout_takes_colour() -> bool {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
    stdout_is_terminal() && !plain
}

/// Writes all of `bytes` to standard output.
///
/// # Errors
/// What the system says; a closed pipe among it.
pub fn print(bytes: &[u8]) -> Result<(), StdoutError> {
    stdout().and_then(|mut out| out.write_all(bytes)).map_err(StdoutError)
}
