//! What the server does on each of its WebSocket paths.

mod echo;
mod ticker;

use std::time::Instant;

use super::server::Config;
use crate::proto::endpoint::Sender;
use crate::wire::opcode::Opcode;

/// Makes the role of a path for one connection.
type Make = fn(&Config) -> Box<dyn Role>;

/// The WebSocket paths and who speaks there.
pub const PATHS: [(&str, Make); 2] =
    [("/ticker", |config| Box::new(ticker::Ticker::new(config.interval))), ("/echo", |_| Box::new(echo::Echo))];

/// One side of a conversation after the handshake. Pings, Closes and violations are answered without it.
pub trait Role {
    /// Whether [`Self::message`] wants payloads. They need not be kept in memory for who does not.
    fn reads_messages(&self) -> bool {
        true
    }

    /// Whether its messages may be compressed. Where the bytes shall be read by people they are not.
    fn accepts_deflate(&self) -> bool {
        true
    }

    /// A whole message came.
    fn message(&mut self, opcode: Opcode, payload: &[u8], sender: &mut Sender<'_>);

    /// When the role wants to act unasked; `None` for never.
    fn due(&self) -> Option<Instant> {
        None
    }

    /// The time that [`Self::due`] named has come. Afterwards `due` must name a later one.
    fn act(&mut self, _now: Instant, _sender: &mut Sender<'_>) {}
}
