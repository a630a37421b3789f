//! Meaning over time, still pure: what the bytes of a connection say, and what is wrong with them.
//!
//! [`connection::Connection`] is fed both directions of a connection, cut anywhere, and hands out what they
//! say as [`DissectedRecord`](dissected::DissectedRecord) records. [`endpoint::Endpoint`] is the same knowledge as a party: it speaks
//! the protocol.

pub mod accept;
pub mod body;

pub mod compressed_messages;
pub mod connection;
pub mod deflate;
pub mod dissected;
pub mod dissector;
pub mod distances;
pub mod endpoint;
pub mod extensions;
mod frame_reader;
pub mod handshake;
pub mod judge;
mod pings;
pub mod resync;
pub mod rules;
pub mod time;
pub mod utf8;
