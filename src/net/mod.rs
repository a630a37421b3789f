//! The only place with sockets: the server, what it serves, and the tap that records what crosses.
//!
//! One thread per connection, all blocking. A connection's thread reads and writes through its `tap`, which hands every
//! byte that crossed to the recorder. The protocol itself is [`crate::proto::endpoint`]'s; what a WebSocket path does is
//! one of the [`roles`].

mod connections;
pub mod demo;
mod http;
pub mod roles;
pub mod server;
mod session;
mod site;
mod tap;

pub use server::{BindError, Config, Handle, Server};
