//! Records pasted bytes into a temporary capture, so that all commands show them as they show any other.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use super::Content;
use super::conversation;
use crate::capture::live::recorder::{Chunk, Recorder};
use crate::capture::live::spool::{Spool, SpoolError};
use crate::capture::store::Capture;
use crate::proto::accept::accept_key;
use crate::proto::connection::Connection;
use crate::proto::dissected::{Direction, EndReason};
use crate::proto::time::Time;

/// The Sec-WebSocket-Key of RFC 6455 §1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// The addresses of the invented client and server: addresses for documentation (RFC 5737).
const ADDRESSES: [SocketAddr; 2] = [
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 49152),
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)), 80),
];

/// Why pasted bytes cannot be recorded.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The temporary file cannot be created.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The temporary file cannot be written.
    #[error("{0}; set XDG_CACHE_HOME to a folder with free space")]
    Write(String),
}

/// How to record pasted bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct PasteOptions {
    /// Record a handshake before frames that have none.
    pub invent_handshake: bool,
    /// Treat permessage-deflate as negotiated.
    pub deflate: bool,
}

/// Records the bytes into a private capture without a file name, which is shown as `name`. Frames without a known direction go in the
/// direction that their MASK shows. Every time is 1970-01-01, because a paste has none, and there are no end records, because it shows
/// no TCP connection.
///
/// # Errors
/// If the temporary file cannot be created or written.
pub fn to_capture(content: &Content, name: &Path, options: PasteOptions) -> Result<Capture, CaptureError> {
    let recorder = Recorder::named(Spool::unnamed()?, name);
    let capture = recorder.capture().clone();
    let (has_handshake, pieces): (bool, Vec<(Direction, &[u8])>) = match content {
        Content::Bytes(bytes) => (false, conversation::frames(bytes).collect()),
        Content::Conversation(conversation) => {
            let pieces = conversation.pieces.iter().map(|piece| (piece.direction, piece.bytes.as_slice()));
            (conversation.has_handshake, pieces.collect())
        }
    };
    let PasteOptions { invent_handshake, deflate } = options;
    let invented = (invent_handshake && !has_handshake).then(|| invented_handshake(deflate));
    let [client, server] = ADDRESSES;
    let connection = match has_handshake || invent_handshake {
        true => Connection::new(Some(server)),
        false => Connection::in_frames(),
    };
    let connection = connection.assume_deflate(deflate).without_end_records();
    let connection = recorder.dissected_by(client, server, connection);
    let heads = invented.iter().flatten().map(String::as_bytes);
    let all = Direction::BOTH.into_iter().zip(heads).chain(pieces);
    let chunks: Vec<Chunk<'_>> = all.map(|(direction, bytes)| Chunk { direction, time: Time(0), bytes }).collect();
    connection.record(&chunks);
    if let Some(last) = chunks.last() {
        // This records a truncated frame.
        connection.end(last.direction, EndReason::Capture, Time(0));
    }
    drop(connection);
    match capture.trouble().reason() {
        Some(reason) => Err(CaptureError::Write(reason)),
        None => Ok(capture),
    }
}

/// A handshake, for programs that recognize frames only after one; with `deflate`, it negotiates permessage-deflate.
fn invented_handshake(deflate: bool) -> [String; 2] {
    let extensions = if deflate { "Sec-WebSocket-Extensions: permessage-deflate\r\n" } else { "" };
    let accept = accept_key(KEY.as_bytes());
    [
        format!(
            "GET / HTTP/1.1\r\nHost: 192.0.2.2\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{extensions}\r\n"
        ),
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n{extensions}\r\n"
        ),
    ]
}
