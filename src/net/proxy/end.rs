//! How a direction of a relayed connection ends.

use std::io;

/// The end of a direction.
#[derive(Debug)]
pub enum End {
    /// The sender ended it (FIN).
    Fin,
    /// TLS is over, but the sender did not announce that: see [`crate::net::stream::is_tls_over`].
    Truncated(io::Error),
    /// The sender reset the connection.
    Reset,
    /// The receiver takes no bytes any more.
    Broken,
    /// The relay itself cut the connection.
    Cut,
    /// The next request of the client is for another server.
    Left,
}
