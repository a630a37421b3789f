//! The forward proxy: clients name the server of each request, as browsers and http_proxy make them (RFC 9110 §7.3.2, §9.3.6).
//!
//! | file | what it does |
//! | --- | --- |
//! | `route` | reads which server a request is for |
//! | `origin_form` | changes the head of a request for its server |
//! | `session` | the requests of one client, one server after the other |
//! | `tunnel` | what follows a CONNECT |
//! | `intercept` | opens the TLS of a tunnel |

mod intercept;
pub(super) mod origin_form;
pub(super) mod route;
mod session;
mod tunnel;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;

use self::session::Session;
use super::CONNECT_TIMEOUT;
use super::hold::Hold;
use crate::capture::live::recorder::Recorder;
use crate::net::listener::{Accepted, BindError, Listener, ListenerHandle, Service};
use crate::net::tls::server::{self, Opened, ServerTls};
use crate::wire::host_pattern::HostPattern;

/// The settings of a forward proxy.
#[derive(Clone, Debug)]
pub struct ForwardConfig {
    /// The address to listen on; port 0 takes a free port.
    pub listen: SocketAddr,
    /// How long a connection to a server may take.
    pub connect_timeout: Duration,
    /// TLS with clients.
    pub tls: Option<Arc<ServerTls>>,
    /// Which tunnels are opened, and how; `None` for none.
    pub interception: Option<Interception>,
    /// The rules that hold messages.
    pub hold: Arc<Hold>,
}

/// Which tunnels are opened: framescope is the end of TLS on both sides.
#[derive(Clone, Debug)]
pub struct Interception {
    /// The hosts.
    pub hosts: Vec<HostPattern>,
    /// The certificates that clients get.
    pub certificates: Arc<ServerTls>,
    /// Which servers are trusted.
    pub trust: Arc<ClientConfig>,
}

impl ForwardConfig {
    /// A proxy with the usual limits, which opens no tunnel.
    pub fn new(listen: SocketAddr) -> Self {
        Self { listen, connect_timeout: CONNECT_TIMEOUT, tls: None, interception: None, hold: Arc::default() }
    }
}

/// A forward proxy that listens but does not accept connections yet.
pub struct ForwardProxy {
    listener: Listener,
    config: ForwardConfig,
}

impl ForwardProxy {
    /// Listens on the configured address.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn bind(config: ForwardConfig) -> Result<Self, BindError> {
        Ok(Self { listener: Listener::bind(config.listen)?, config })
    }

    /// A warning, in one line, if other machines can connect.
    pub fn warning(&self) -> Option<String> {
        let listens = self.listener.warning()?;
        Some(format!(
            "{listens}; through this proxy they reach whatever this machine reaches, its own local servers too"
        ))
    }

    /// Starts to accept connections, which `recorder` records. A shutdown cuts them.
    ///
    /// # Errors
    /// When the system cannot start a thread.
    pub fn start(self, recorder: Recorder) -> io::Result<ListenerHandle> {
        self.listener.start(self.config, recorder)
    }
}

impl Service for ForwardConfig {
    fn serve(&self, accepted: Accepted, recorder: &Recorder) {
        let opened = server::open(self.tls.as_deref(), accepted, self.connect_timeout, false, recorder);
        // One connection of the client is one of the capture, whatever servers it names.
        let Some(Opened { accepted, is_tls, recording }) = opened else { return };
        Session::new(self, &accepted, is_tls, recording).run();
    }
}
