//! What a person asks a client or a mock server to send: lines that are typed, and scripts.
//!
//! An input line sends one message or control frame ([`InputLine`]). A script ([`Script`]) is a list of statements, one a line:
//!
//! ```text
//! # a client that says hello
//! send text "hello"
//! expect text == "welcome" within 2s
//! repeat 10
//!   ping "are you there?"
//!   wait 500ms
//! end
//! close 1000 "bye"
//!
//! on text contains "time"
//!   send text "12:00"
//! end
//! ```
//!
//! A [`Player`] runs a script. It has no socket and no clock: the caller passes in the time and the peer's records, and sends what
//! the player returns.

mod custom_frame;
mod error;
mod hex_digits;
mod input_line;
mod outgoing;
mod parser;
mod player;
mod quotable;
mod scanner;
mod statement;

#[cfg(test)]
mod tests;

pub use self::custom_frame::{CustomFrame, FrameLineError};
pub use self::error::ScriptError;
pub use self::input_line::{InputLine, LineError};
pub use self::outgoing::Outgoing;
pub use self::player::{Failure, FailureReason, Peer, Player, Step};
pub use self::statement::Script;
