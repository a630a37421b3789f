//! The server's side of TLS: which certificate a client gets.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::pki_types::UnixTime;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys, ServerConfig};

use super::authority::{self, Authority, AuthorityError};
use super::certificate::Certificate;
use super::failure;
use super::handshake::{self, HandshakeFailure};
use super::issuer::LeafIssuer;
use super::key_log::KeyLogFile;
use super::pem::{self, PemError};
use super::{ALPN, provider};
use crate::capture::live::recorder::{ConnectionRecorder, Recorder};
use crate::net::listener::Accepted;
use crate::net::stream::Stream;

/// Why a server has no certificate.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file of `--cert` or `--key` cannot be used.
    #[error("{flag}: {source}")]
    File {
        /// The flag.
        flag: &'static str,
        /// What is wrong with its file.
        source: PemError,
    },
    /// The key belongs to another certificate.
    #[error(
        "--key: {} is not the key of the first certificate in {}; use the key with which that certificate was requested",
        key.display(), certificate.display()
    )]
    OtherKey {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// The certificate is not X.509, version 3.
    #[error("--cert: the first certificate in {} cannot be used: {reason}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The key is of a kind that the provider does not have.
    #[error("--key: the key in {} cannot be used ({reason}); use an RSA, ECDSA P-256 or P-384, or Ed25519 key", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The local CA cannot be used.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
}

/// Where the certificates of a server come from.
enum Identity {
    /// The user's certificate.
    Given(Arc<CertifiedKey>),
    /// They are issued by the local CA.
    Issued(Arc<LeafIssuer>),
}

/// The settings of a server's TLS connections.
pub struct ServerTls {
    identity: Identity,
    key_log: Option<Arc<KeyLogFile>>,
    /// Configurations by the names in the default certificate, which a client without SNI gets.
    configs: Mutex<HashMap<Vec<String>, Arc<ServerConfig>>>,
    warning: Option<String>,
}

/// What the first byte of a connection shows.
enum Opening {
    /// TLS; the handshake is complete.
    Tls(Arc<Stream>),
    /// Another protocol; nothing has been read.
    Plain(Arc<Stream>),
}

/// The most configurations that are kept: one per address of this machine, or intercepted host.
const MAX_CONFIGS: usize = 256;

/// A connection whose first bytes have shown whether it speaks TLS, and its recording.
pub struct Opened {
    /// The connection, decrypted if it speaks TLS.
    pub accepted: Accepted,
    /// Whether it speaks TLS.
    pub is_tls: bool,
    /// Its recording, in which nothing is recorded yet.
    pub recording: ConnectionRecorder,
}

/// Does the TLS handshake of a connection that was accepted, if the listener has `tls` and the client speaks it, within `timeout`, and
/// begins the recording. `to_server`: whether TLS protects the way from framescope to another server. `None` after a failed handshake,
/// which is reported in the capture's trouble: nothing was decrypted, so the capture has no connection.
pub fn open(
    tls: Option<&ServerTls>,
    accepted: Accepted,
    timeout: Duration,
    to_server: bool,
    recorder: &Recorder,
) -> Option<Opened> {
    let Accepted { stream, peer, local, connections } = accepted;
    let (stream, is_tls) = match tls.map(|tls| tls.accept(Arc::clone(&stream), local.ip(), Instant::now() + timeout)) {
        None => (stream, false),
        Some(Ok(Opening::Plain(stream))) => (stream, false),
        Some(Ok(Opening::Tls(stream))) => (stream, true),
        Some(Err(error)) => {
            if let Some(line) = failure::with_client(&error) {
                recorder.capture().add_notice(&line);
            }
            return None;
        }
    };
    // The address that the client connected to: the findings about Host are about what the client did.
    let recording = recorder.connection(peer, local);
    recording.decrypted(is_tls, to_server);
    Some(Opened { accepted: Accepted { stream, peer, local, connections }, is_tls, recording })
}

impl ServerTls {
    /// A server with the certificate chain and the key of two PEM files.
    ///
    /// # Errors
    /// See [`IdentityError`].
    pub fn from_files(certificate: &Path, key: &Path, key_log: Option<Arc<KeyLogFile>>) -> Result<Self, IdentityError> {
        let chain = pem::certificates(certificate).map_err(|source| IdentityError::File { flag: "--cert", source })?;
        let private = pem::private_key(key).map_err(|source| IdentityError::File { flag: "--key", source })?;
        let warning = certificate_warning(certificate, &chain[0])?;
        let certified = CertifiedKey::from_der(chain, private, &provider()).map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                IdentityError::OtherKey { certificate: certificate.to_owned(), key: key.to_owned() }
            }
            Error::InvalidCertificate(e) => {
                IdentityError::Certificate { path: certificate.to_owned(), reason: e.to_string() }
            }
            Error::General(reason) => IdentityError::Key { path: key.to_owned(), reason },
            other => IdentityError::Key { path: key.to_owned(), reason: other.to_string() },
        })?;
        Ok(Self { warning, ..Self::new(Identity::Given(Arc::new(certified)), key_log) })
    }

    /// A server with certificates that the local CA in `folder` issues. Creates the authority, named after the machine `host`,
    /// if it does not exist.
    ///
    /// # Errors
    /// See [`IdentityError`].
    pub fn from_authority(folder: &Path, host: &str, key_log: Option<Arc<KeyLogFile>>) -> Result<Self, IdentityError> {
        let (authority, is_new) = Authority::load_or_create(folder, host)?;
        let warning = is_new.then(|| {
            format!(
                "created the local CA {}; clients do not trust it yet: `framescope ca show` says how to change that",
                authority::certificate_path(folder).display()
            )
        });
        let issuer = LeafIssuer::new(authority).map_err(AuthorityError::from)?;
        Ok(Self { warning, ..Self::new(Identity::Issued(Arc::new(issuer)), key_log) })
    }

    fn new(identity: Identity, key_log: Option<Arc<KeyLogFile>>) -> Self {
        Self { identity, key_log, configs: Mutex::default(), warning: None }
    }

    /// A server with a certificate and a key that need not match.
    #[cfg(test)]
    pub fn given(certified: CertifiedKey) -> Self {
        Self::new(Identity::Given(Arc::new(certified)), None)
    }

    /// What the user should know about the certificates, in one line.
    pub fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }

    /// Begins TLS with a client that has connected to the address `local`.
    ///
    /// # Errors
    /// See [`HandshakeFailure`].
    fn accept(&self, socket: Arc<Stream>, local: IpAddr, deadline: Instant) -> Result<Opening, HandshakeFailure> {
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        let mut first = [0];
        let peeked = socket.set_read_timeout(Some(left)).and_then(|()| socket.peek(&mut first));
        match peeked {
            Ok(0) | Err(_) => return Err(HandshakeFailure::Ended),
            // RFC 8446 §5.1: a record of type handshake.
            Ok(_) if first != [0x16] => {
                socket.set_read_timeout(None).map_err(|_| HandshakeFailure::Ended)?;
                return Ok(Opening::Plain(socket));
            }
            Ok(_) => {}
        }
        let stream = handshake::accept(socket, self.config(&local_names(local)), deadline)?;
        Ok(Opening::Tls(Arc::new(Stream::Tls(Box::new(stream)))))
    }

    /// The settings for connections whose clients get a certificate for `names`, unless they ask for another name (SNI).
    pub fn config(&self, names: &[String]) -> Arc<ServerConfig> {
        let mut configs = self.configs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = configs.get(names) {
            return Arc::clone(config);
        }
        if configs.len() >= MAX_CONFIGS {
            configs.clear();
        }
        let config = Arc::new(self.build(names));
        configs.insert(names.to_vec(), Arc::clone(&config));
        config
    }

    fn build(&self, names: &[String]) -> ServerConfig {
        let resolver: Arc<dyn ResolvesServerCert> = match &self.identity {
            Identity::Given(certified) => Arc::new(Given(Arc::clone(certified))),
            Identity::Issued(issuer) => Arc::new(Issued { issuer: Arc::clone(issuer), names: names.to_vec() }),
        };
        let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let builder = builder.expect("the provider has cipher suites for TLS 1.2 and 1.3").with_no_client_auth();
        let mut config = builder.with_cert_resolver(resolver);
        config.alpn_protocols = vec![ALPN.to_vec()];
        if let Some(key_log) = &self.key_log {
            config.key_log = Arc::clone(key_log) as _;
        }
        config
    }
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTls").finish_non_exhaustive()
    }
}

/// The names by which clients on this machine reach a server, and the address that they connected to.
pub fn local_names(address: IpAddr) -> Vec<String> {
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    let address = address.to_canonical().to_string();
    if !names.contains(&address) {
        names.push(address);
    }
    names
}

/// A warning if the user's certificate is not valid now.
fn certificate_warning(
    path: &Path,
    der: &rustls::pki_types::CertificateDer<'_>,
) -> Result<Option<String>, IdentityError> {
    let certificate = Certificate::parse(der)
        .map_err(|e| IdentityError::Certificate { path: path.to_owned(), reason: e.to_string() })?;
    let invalid = certificate.check_dates(UnixTime::now()).err();
    Ok(invalid.map(|_| format!("the certificate in {} is not valid today: clients will refuse it", path.display())))
}

/// Gives every client the same certificate.
#[derive(Debug)]
struct Given(Arc<CertifiedKey>);

impl ResolvesServerCert for Given {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// Issues the certificate for the name that a client asks for, or for `names`.
struct Issued {
    issuer: Arc<LeafIssuer>,
    names: Vec<String>,
}

impl ResolvesServerCert for Issued {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let asked = hello.server_name().map(str::to_ascii_lowercase);
        match asked.filter(|asked| !self.names.contains(asked)) {
            Some(asked) => self.issuer.certified(&[asked]),
            None => self.issuer.certified(&self.names),
        }
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").field("names", &self.names).finish_non_exhaustive()
    }
}
