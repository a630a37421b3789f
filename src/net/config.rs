//! The settings of the server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::heartbeat::HeartbeatConfig;
use super::tls::server::ServerTls;
use crate::proto::endpoint::Limits;
use crate::script::Script;

/// Where a server with a page listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageServer {
    /// The address.
    pub address: SocketAddr,
    /// Whether it speaks TLS.
    pub is_tls: bool,
}

impl From<SocketAddr> for PageServer {
    fn from(address: SocketAddr) -> Self {
        Self { address, is_tls: false }
    }
}

impl PageServer {
    /// The URL of the page.
    pub fn url(self) -> String {
        format!("{}://{}/", if self.is_tls { "https" } else { "http" }, self.address)
    }
}

/// The settings of a server.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// The address to listen on; port 0 takes a free port.
    pub listen: SocketAddr,
    /// Interval of the messages that `/ticker` sends.
    pub interval: Duration,
    /// Origins that may connect besides the page's own, such as `http://localhost:3000`.
    pub allow_origins: Vec<String>,
    /// How long a client may take to send the head of a request.
    pub handshake_timeout: Duration,
    /// How long a write may wait for a client that takes no bytes.
    pub write_timeout: Duration,
    /// How long a client may take to answer the Close of a script.
    pub close_timeout: Duration,
    /// The most bytes that the buffers of all connections together may take.
    pub max_memory: u64,
    /// Limits of each WebSocket connection.
    pub limits: Limits,
    /// Whether `/echo` and a script accept permessage-deflate (RFC 7692).
    pub deflate: bool,
    /// The heartbeats of each WebSocket connection.
    pub heartbeat: HeartbeatConfig,
    /// The script that plays on every WebSocket path without a role.
    pub script: Option<ServedScript>,
    /// TLS, unless the server speaks plain HTTP.
    pub tls: Option<Arc<ServerTls>>,
}

/// A script that the server plays on each of its connections.
#[derive(Clone, Debug)]
pub struct ServedScript {
    /// The script.
    pub script: Arc<Script>,
    /// Set when an expectation of it failed.
    pub has_failed: Arc<AtomicBool>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 6455)),
            interval: Duration::from_secs(1),
            allow_origins: Vec::new(),
            handshake_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
            close_timeout: Duration::from_secs(5),
            max_memory: 1 << 30,
            limits: Limits::default(),
            deflate: true,
            heartbeat: HeartbeatConfig::default(),
            script: None,
            tls: None,
        }
    }
}
