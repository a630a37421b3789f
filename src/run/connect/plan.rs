//! What a command line asks a client to do, and how it connects.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};

use crate::capture::live::recorder::Recorder;
use crate::cli::{Connect, Heartbeats, ServerTrust};
use crate::net::client::{Client, ClientConfig, RequestConfig};
use crate::net::dial::dial;
use crate::net::stream::Stream;
use crate::net::tls::key_log::KeyLogFile;
use crate::net::tls::{failure, handshake};
use crate::net::{HeartbeatConfig, Pongs};
use crate::run::usage_error::UsageError;
use crate::run::{script_file, stdio, tls};
use crate::wire::http;
use crate::wire::url::Url;

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// After this time, a notice says what the program waits for.
const SLOW_DIAL: Duration = Duration::from_millis(500);

/// How to connect, and what to send.
pub struct Plan {
    /// Where to connect.
    pub url: Url,
    /// The handshake and what follows.
    pub config: ClientConfig,
    /// In a headless run, how long the connection must be silent before it is closed; `None` on the screen.
    pub headless: Option<Duration>,
    unix_socket: Option<PathBuf>,
    /// TLS, if the URL asks for it.
    pub tls: Option<Arc<rustls::ClientConfig>>,
    /// Whether any certificate of the server is accepted.
    pub insecure: bool,
    /// Where the secrets of TLS go.
    pub key_log: Option<Arc<KeyLogFile>>,
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
        let headers: Vec<_> = args.headers.iter().map(|line| header(line)).collect::<Result<_, _>>()?;
        check_single("--subprotocol", !args.subprotocols.is_empty(), "Sec-WebSocket-Protocol", &headers)?;
        check_single("--origin", args.origin.is_some(), "Origin", &headers)?;
        check_single("--ws-key", args.ws_key.is_some(), "Sec-WebSocket-Key", &headers)?;
        let request = RequestConfig {
            target: url.request_target(),
            host: url.authority().to_owned(),
            headers,
            subprotocols: args.subprotocols.clone(),
            origin: args.origin.clone(),
            deflate: !args.no_deflate,
            key: args.ws_key.clone(),
        };
        let heartbeat = heartbeat(&args.heartbeats);
        let config = ClientConfig { request, heartbeat, script };
        let headless = args.recording.headless.then_some(args.linger);
        Ok(Self { headless, unix_socket: args.unix_socket.clone(), ..Self::to(url, config) })
    }

    /// A connection to `url`.
    pub const fn to(url: Url, config: ClientConfig) -> Self {
        Self { url, config, headless: None, unix_socket: None, tls: None, insecure: false, key_log: None }
    }

    /// Takes the settings of TLS from a command line.
    ///
    /// # Errors
    /// A file that cannot be used.
    pub fn trust(&mut self, args: &ServerTrust, key_log: Option<&Path>) -> anyhow::Result<()> {
        if self.url.scheme().is_tls() {
            self.key_log = tls::key_log(key_log)?;
            self.tls = Some(tls::with_servers(args, self.key_log.as_ref())?);
            self.insecure = args.insecure;
        }
        Ok(())
    }

    /// What the user should know first, in one line.
    pub fn warning(&self) -> Option<String> {
        self.insecure.then(|| tls::insecure_warning(self.url.authority()))
    }

    /// Like [`Self::dial`]; prints `connecting to …` after [`SLOW_DIAL`].
    ///
    /// # Errors
    /// Why it cannot connect.
    pub fn dial_aloud(&self) -> anyhow::Result<Dialed> {
        thread::scope(|scope| {
            let (done, waiting) = mpsc::channel::<()>();
            let notice = move || {
                if waiting.recv_timeout(SLOW_DIAL) == Err(RecvTimeoutError::Timeout) {
                    stdio::say(format_args!("connecting to {} …", self.url));
                }
            };
            // Without the thread, only the notice is missing.
            let _ = thread::Builder::new().name("slow-dial".to_owned()).spawn_scoped(scope, notice);
            let dialed = self.dial();
            drop(done);
            dialed
        })
    }

    /// Connects to the server.
    ///
    /// # Errors
    /// Why that is not possible.
    pub fn dial(&self) -> anyhow::Result<Dialed> {
        if let Some(path) = &self.unix_socket {
            let stream = UnixStream::connect(path);
            let failed =
                |e| anyhow!("cannot connect to the Unix socket {}: {e}; check its path and its server", path.display());
            let stream = stream.map_err(failed)?;
            return self.dialed(Stream::Unix(stream), self.unix_addresses());
        }
        let stream = dial(self.url.host(), self.url.port(), CONNECT_TIMEOUT)?;
        let lost = "the connection was lost at once";
        let addresses = [stream.local_addr().context(lost)?, stream.peer_addr().context(lost)?];
        self.dialed(Stream::tcp(stream), addresses)
    }

    /// The stream, after the TLS handshake if the URL asks for TLS.
    fn dialed(&self, stream: Stream, addresses: [SocketAddr; 2]) -> anyhow::Result<Dialed> {
        let Some(config) = &self.tls else { return Ok(Dialed { stream: Arc::new(stream), addresses }) };
        let stream = handshake::connect_to(self.url.host(), Arc::new(stream), config, Instant::now() + CONNECT_TIMEOUT);
        let stream = stream.map_err(|e| anyhow!(failure::with_server(self.url.authority(), &e)))?;
        Ok(Dialed { stream: Arc::new(stream), addresses })
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

/// Requires that a flag and `-H` do not set the same header.
fn check_single(flag: &str, is_set: bool, name: &str, headers: &[(String, String)]) -> Result<(), UsageError> {
    if is_set && headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
        return Err(UsageError::new(format!("{flag} and -H both set {name}; leave one of them out")));
    }
    Ok(())
}

/// Requires values that fit into a header line.
fn check_line(flag: &str, values: &[String]) -> Result<(), UsageError> {
    match values.iter().any(|value| value.chars().any(char::is_control)) {
        true => Err(UsageError::new(format!("a value of {flag} contains a control character; leave it out"))),
        false => Ok(()),
    }
}
