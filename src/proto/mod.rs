//! The protocol over time: turns the bytes of a connection into records and findings. Pure, as [`crate::wire`].
//!
//! [`connection::Connection`] is an observer: it takes the bytes of both directions, in pieces of any size, and appends a
//! [`DissectedRecord`](dissected::DissectedRecord) for each HTTP message, frame, gap and end. [`endpoint::Endpoint`] is a
//! participant: it takes the peer's bytes, joins frames to messages, and sends replies.

pub mod accept;
pub mod body;
pub mod chunked;
pub mod compressed_messages;
pub mod connection;
mod connection_state;
pub mod correction;
pub mod deflate;
pub mod direction;
pub mod dissected;
pub mod dissector;
pub mod distances;
pub mod endpoint;
pub mod extensions;
mod foreign;
mod frame_reader;
pub mod handshake;
pub mod judge;
mod pings;
pub mod resync;
pub mod rules;
pub mod stated;
pub mod time;
pub mod utf8;
