//! How captures are opened.

use std::path::PathBuf;

/// How to open a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// Connections on this port whose handshake is missing are read as WebSocket frames.
    pub port: Option<u16>,
    /// Treat permessage-deflate as negotiated on connections whose handshake does not negotiate it, or is missing.
    pub deflate: bool,
    /// At the end of the file, wait until it grows.
    pub follow: bool,
    /// A file with the secrets of TLS connections, in the format of NSS.
    pub key_log: Option<PathBuf>,
}
