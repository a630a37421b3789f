//! The connection, as one of its directions sees it.

use crate::net::proxy::end::End;
use crate::proto::dissected::Direction;

/// A client and its server.
pub trait Link: Send + Sync {
    /// Writes all bytes to the receiver of a direction.
    ///
    /// # Errors
    /// How the direction ends, if the receiver takes no more.
    fn write(&self, direction: Direction, bytes: &[u8]) -> Result<(), End>;

    /// Returns true if the connection is being cut.
    fn is_cut(&self) -> bool;

    /// Returns true if the side that sends in a direction has reset the connection.
    fn is_sender_lost(&self, direction: Direction) -> bool;
}
