//! The notice: one line at the bottom of the screen, until the next key.

use crate::capture::query::search::Hit;

/// A line for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A fact, or a request that changes nothing.
    Info(String),
    /// A request succeeded.
    Success(String),
    /// A request failed.
    Failure(String),
    /// A record matches what the user searches for.
    Match(Hit),
    /// An earlier run left a capture that was not saved.
    Leftover {
        /// Its path, with `~` for the home directory and `*` for the numbers of a ring's files.
        path: String,
        /// Number of files.
        files: usize,
    },
}
