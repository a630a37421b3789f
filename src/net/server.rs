//! The server: its page, and the paths that it serves with their roles.

use std::io;
use std::sync::Arc;

use super::config::ServerConfig;
use super::listener::{Accepted, BindError, Listener, ListenerHandle, Service};
use super::memory::MemoryBudget;
use super::page_connections::PageConnections;
use super::session;
use super::tls::server::{self, Opened};
use super::transport::Transport;
use super::wiretap::Wiretap;
use crate::capture::live::recorder::Recorder;

/// A server that listens but does not accept connections yet.
pub struct Server {
    listener: Listener,
    config: ServerConfig,
}

impl Server {
    /// Listens on the configured address.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn bind(config: ServerConfig) -> Result<Self, BindError> {
        Ok(Self { listener: Listener::bind(config.listen)?, config })
    }

    /// A warning, in one line, if other machines can reach the server.
    pub fn warning(&self) -> Option<String> {
        self.listener.warning()
    }

    /// Starts to accept connections, which `recorder` records. At a shutdown, WebSockets get Close 1001.
    ///
    /// # Errors
    /// When the system cannot start a thread.
    pub fn start(self, recorder: Recorder) -> io::Result<ListenerHandle> {
        let memory = Arc::new(MemoryBudget::new(self.config.max_memory));
        let site = Site { config: self.config, pages: PageConnections::default(), memory };
        self.listener.start(site, recorder)
    }
}

/// What the threads of all connections share to answer requests.
struct Site {
    config: ServerConfig,
    pages: PageConnections,
    memory: Arc<MemoryBudget>,
}

impl Service for Site {
    fn serve(&self, accepted: Accepted, recorder: &Recorder) {
        let (tls, timeout) = (self.config.tls.as_deref(), self.config.handshake_timeout);
        let Some(opened) = server::open(tls, accepted, timeout, false, recorder) else { return };
        let Opened { accepted: Accepted { stream, local, connections, .. }, is_tls, recording } = opened;
        let wiretap = Wiretap::new(recording);
        let share = self.memory.share(&stream);
        let mut transport = Transport::new(stream, wiretap, connections.shutting_down(), share);
        if is_tls || self.config.tls.is_none() {
            session::serve(&mut transport, local, &self.config, &self.pages, recorder.capture());
        } else {
            session::refuse_plain(&mut transport, local, &self.config);
        }
        if transport.memory().is_evicted() {
            // One line for all evictions: addresses would make it longer without end.
            recorder.capture().add_notice(
                "closed the connections that were idle the longest, because messages took more than --max-memory",
            );
        }
    }
}
