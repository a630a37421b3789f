//! How the connection of a client ended.

use std::time::Duration;

use super::response::Refusal;
use crate::proto::dissected::MAX_HTTP_HEAD;
use crate::proto::endpoint::Violation;
use crate::wire::close::CloseCode;
use crate::wire::printable;

/// How the connection of a client ended. Its text is one line for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientEnd {
    /// Both sides sent a Close.
    #[error("closed{}", close_words(*code, reason))]
    Closed {
        /// The code of the server's Close, if it has one.
        code: Option<CloseCode>,
        /// Its reason.
        reason: String,
    },
    /// The server did not accept the handshake, or its response breaks a rule.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No complete response arrived in time.
    #[error("no complete response to the handshake arrived within {} s", .0.as_secs_f32())]
    NoResponse(Duration),
    /// The server sent something that does not begin as a response.
    #[error("the server answered the handshake with something other than HTTP")]
    NotHttp,
    /// The head of the response is longer than a client reads.
    #[error("the head of the server's response is longer than {} KiB", MAX_HTTP_HEAD >> 10)]
    HeadTooLong,
    /// The server ended the connection before its response was complete.
    #[error("the server ended the connection before its response to the handshake was complete")]
    EndedInHandshake,
    /// The server violated the protocol.
    #[error("the server violated the protocol: {}", .0.sentence())]
    Violation(Box<Violation>),
    /// The server ended its direction without a Close.
    #[error("the server ended the connection without a close")]
    NoClose,
    /// The server reset the connection.
    #[error("the server reset the connection")]
    Reset,
    /// The server took no byte for some time.
    #[error("the server took no bytes for {} s", .0.as_secs_f32())]
    WriteTimedOut(Duration),
    /// The server did not answer the Close.
    #[error("the server did not answer the close within {} s", .0.as_secs_f32())]
    CloseTimedOut(Duration),
    /// The program ended before the connection did.
    #[error("framescope ended before the connection was closed")]
    Stopped,
}

impl ClientEnd {
    /// True if both sides sent a Close (RFC 6455 §7.1.4).
    pub const fn is_clean(&self) -> bool {
        matches!(self, Self::Closed { .. })
    }
}

fn close_words(code: Option<CloseCode>, reason: &str) -> String {
    match code {
        None => " without a code".to_owned(),
        Some(code) if reason.is_empty() => format!(" with {} {}", code.0, code.name()),
        Some(code) => format!(" with {} {}: {}", code.0, code.name(), printable::text(reason)),
    }
}
