//! What is known of a payload besides its bytes.

use crate::proto::connection::HandshakeSummary;

/// What is known of a payload besides its bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct PayloadContext<'c> {
    /// Whether the message is text.
    pub is_text: bool,
    /// The handshake of the connection, if it was captured.
    pub handshake: Option<&'c HandshakeSummary>,
}

impl PayloadContext<'_> {
    /// The subprotocol that the server chose; empty if there is none.
    pub(super) fn subprotocol(&self) -> &str {
        self.handshake.and_then(|about| about.subprotocol.as_deref()).unwrap_or_default()
    }

    /// The version of Engine.IO, from the parameter `EIO` of the request target.
    pub(super) fn engine_io(&self) -> Option<u8> {
        let target = self.handshake?.target.as_deref()?;
        let query = target.split_once('?')?.1;
        query.split('&').find_map(|parameter| parameter.strip_prefix("EIO=")).and_then(|version| version.parse().ok())
    }
}
