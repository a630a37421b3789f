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
}
