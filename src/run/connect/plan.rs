//! What a command line asks a client to do, and how it connects.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use anyhow::Context as _;

use crate::capture::live::recorder::Recorder;
use crate::cli::{Connect, Heartbeats};
use crate::net::client::{Client, ClientConfig, RequestConfig};
use crate::net::dial::dial;
use crate::net::stream::Stream;
use crate::net::{HeartbeatConfig, Pongs};
use crate::run::script_file;
use crate::run::usage_error::UsageError;
use crate::wire::http;
use crate::wire::url::Url;

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What to do.
pub struct Plan {
    /// Where to connect.
    pub url: Url,
    /// The handshake and what follows.
    pub config: ClientConfig,
    /// A headless run: how long to wait for silence at its end.
    pub headless: Option<Duration>,
    unix_socket: Option<PathBuf>,
}

/// A connected stream, and its addresses: the client's, then the server's.
pub struct Dialed {
    stream: Arc<Stream>,
    addresses: [SocketAddr; 2],
}

impl Plan {
    /// What a command line asks for.
    ///
    /// # Errors
    /// [`UsageError`].
    pub fn of(args: &Connect) -> Result<Self, UsageError> {
        let url = args.url.clone();
        let script = args.script.as_deref().map(script_file::read).transpose()?;
        check_line("--subprotocol", &args.subprotocols)?;
        check_line("--origin", args.origin.as_slice())?;
        check_line("--ws-key", args.ws_key.as_slice())?;
        let target = match url.target() {
            "" => "/".to_owned(),
            query if query.starts_with('?') => format!("/{query}"),
            target => target.to_owned(),
        };
        let request = RequestConfig {
            target,
            host: url.authority().to_owned(),
            headers: args.headers.iter().map(|line| header(line)).collect::<Result<_, _>>()?,
            subprotocols: args.subprotocols.clone(),
            origin: args.origin.clone(),
            deflate: !args.no_deflate,
            key: args.ws_key.clone(),
        };
        let heartbeat = heartbeat(&args.heartbeats);
        let config = ClientConfig { request, heartbeat, script, ..ClientConfig::default() };
        let headless = args.recording.headless.then_some(args.linger);
        Ok(Self { url, config, headless, unix_socket: args.unix_socket.clone() })
    }

    /// A connection to `url`.
    pub const fn to(url: Url, config: ClientConfig) -> Self {
        Self { url, config, headless: None, unix_socket: None }
    }

    /// Connects to the server.
    ///
    /// # Errors
    /// Why that is not possible.
    pub fn dial(&self) -> anyhow::Result<Dialed> {
        if let Some(path) = &self.unix_socket {
            let stream = UnixStream::connect(path);
            let stream = stream.with_context(|| format!("cannot connect to the Unix socket {}", path.display()))?;
            return Ok(Dialed { stream: Arc::new(Stream::Unix(stream)), addresses: self.unix_addresses() });
        }
        let stream = dial(self.url.host(), self.url.port(), CONNECT_TIMEOUT)?;
        let lost = "the connection was lost at once";
        let addresses = [stream.local_addr().context(lost)?, stream.peer_addr().context(lost)?];
        Ok(Dialed { stream: Arc::new(Stream::tcp(stream)), addresses })
    }

    /// Starts the handshake. Calls `ended` when the connection has ended.
    ///
    /// # Errors
    /// When the system cannot start a thread.
    pub fn start(
        &self,
        dialed: Dialed,
        recorder: &Recorder,
        ended: impl FnOnce() + Send + 'static,
    ) -> std::io::Result<Client> {
        Client::start(dialed.stream, dialed.addresses, self.config.clone(), recorder, |_| ended())
    }

    /// Addresses for a connection through a Unix socket, which has none: the capture shows it as one over loopback.
    fn unix_addresses(&self) -> [SocketAddr; 2] {
        /// Each connection of this process has another port.
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let port = 49_152 + NEXT.fetch_add(1, Ordering::Relaxed) % 16_384;
        [port, self.url.port()].map(|port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
    }
}

/// The heartbeats that a command line asks for.
pub fn heartbeat(args: &Heartbeats) -> HeartbeatConfig {
    let pongs = match args.pong_delay {
        _ if args.no_pong => Pongs::Never,
        Some(delay) => Pongs::After(delay),
        None => Pongs::AtOnce,
    };
    HeartbeatConfig { pongs, ping_every: args.ping_every }
}

/// Splits `Name: value`. The error does not quote the line, which may be a secret.
pub fn header(line: &str) -> Result<(String, String), UsageError> {
    let wrong = |why| UsageError::new(format!("a value of -H {why}; write -H 'Name: value'"));
    let (name, value) = line.split_once(':').ok_or_else(|| wrong("has no colon"))?;
    if !http::is_token(name.as_bytes()) {
        return Err(wrong("has a name with a character that no header name has"));
    }
    if value.chars().any(char::is_control) {
        return Err(wrong("contains a control character"));
    }
    Ok((name.to_owned(), value.trim().to_owned()))
}

/// Requires values that fit into a header line.
fn check_line(flag: &str, values: &[String]) -> Result<(), UsageError> {
    match values.iter().any(|value| value.chars().any(char::is_control)) {
        true => Err(UsageError::new(format!("a value of {flag} contains a control character; leave it out"))),
        false => Ok(()),
    }
}
