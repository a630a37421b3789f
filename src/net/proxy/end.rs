//! How a direction of a relayed connection ends.

/// The end of a direction.
#[derive(Debug)]
pub enum End {
    /// The sender ended it (FIN).
    Fin,
    /// The sender ended its TCP connection, but not TLS (RFC 8446 §6.1).
    Truncated,
    /// The sender reset the connection.
    Reset,
    /// The receiver takes no bytes any more.
    Broken,
    /// The relay itself cut the connection.
    Cut,
    /// The client goes on with another server.
    Left,
}
