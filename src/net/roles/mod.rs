//! The behaviour of the server on each of its WebSocket paths.

mod echo;
mod silent;
mod ticker;

use std::time::Instant;

use super::config::ServerConfig;
use crate::proto::endpoint::Sender;
use crate::wire::opcode::Opcode;

/// Makes the role of a path for one connection.
type MakeRole = fn(&ServerConfig) -> Box<dyn Role>;

/// The WebSocket paths and their roles.
pub const PATHS: [(&str, MakeRole); 2] =
    [("/ticker", |config| Box::new(ticker::Ticker::new(config.interval))), ("/echo", |_| Box::new(echo::Echo))];

/// The role of a connection on which a script plays.
pub fn silent() -> Box<dyn Role> {
    Box::new(silent::Silent)
}

/// The behaviour of the server on one connection after the handshake. The endpoint replies to pings, Closes and violations
/// itself.
pub trait Role {
    /// Returns true if [`Self::message`] must be called. If not, messages are not kept in memory.
    fn reads_messages(&self) -> bool {
        true
    }

    /// Returns true if messages may be compressed. A role whose bytes people read returns false.
    fn accepts_deflate(&self) -> bool {
        true
    }

    /// Handles a complete message from the client.
    fn message(&mut self, opcode: Opcode, payload: &[u8], sender: &mut Sender<'_>);

    /// The time at which [`Self::act`] is to be called; `None` for never.
    fn due(&self) -> Option<Instant> {
        None
    }

    /// Sends what is due. Called at the time that [`Self::due`] returned; afterwards `due` must return a later one.
    fn act(&mut self, _now: Instant, _sender: &mut Sender<'_>) {}
}
