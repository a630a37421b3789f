//! The only module with sockets: the server, the pages and paths it serves, and the wiretap that reports the bytes to the
//! recorder.
//!
//! A `listener` accepts connections, and one blocking thread serves each. It reads and writes through its `transport`, which reports every byte to a
//! `wiretap`. [`crate::proto::endpoint`] implements the WebSocket protocol; each WebSocket path has one of the [`roles`].

pub mod client;
mod config;
mod connections;
pub mod demo;
pub mod dial;
mod heartbeat;
mod http;
mod listener;
mod memory;
mod mock;
mod page_connections;
pub mod proxy;
mod random;
pub mod roles;
mod script_run;
pub mod server;
mod session;
mod site;
pub mod stream;
pub mod tls;
mod transport;
mod wiretap;

pub use config::{PageServer, ServedScript, ServerConfig};
pub use heartbeat::{HeartbeatConfig, Pongs};
pub use listener::{BindError, ListenerHandle};
pub use server::Server;
