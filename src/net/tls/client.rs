//! The client's side of TLS: which certificates of servers are accepted.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::{ClientConfig, RootCertStore};

use super::key_log::KeyLogFile;
use super::pem::{self, PemError};
use super::verifier::Verifier;
use super::{ALPN, provider};

/// Which certificates of servers are accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// A PEM file of certificates that are trusted besides the system's: of authorities, or of servers.
    pub cacert: Option<PathBuf>,
    /// Whether any certificate is accepted.
    pub insecure: bool,
}

/// Why no server could be trusted.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file of `--cacert` cannot be used.
    #[error("--cacert: {0}")]
    File(#[from] PemError),
    /// The file of `--cacert` has no valid certificate.
    #[error("--cacert: no certificate in {} is valid X.509; export it again", .0.display())]
    Invalid(PathBuf),
    /// The system has no certificates of authorities.
    #[error("this system has no CA certificates{0}; install them (Debian: ca-certificates), or use --cacert FILE")]
    NoRoots(String),
}

/// The settings of TLS connections to servers.
///
/// # Errors
/// See [`TrustError`].
pub fn config(trust: &Trust, key_log: Option<&Arc<KeyLogFile>>) -> Result<Arc<ClientConfig>, TrustError> {
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.expect("the provider has cipher suites for TLS 1.2 and 1.3").dangerous();
    let verifier = Arc::new(verifier(trust)?);
    let mut config = builder.with_custom_certificate_verifier(verifier).with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    if let Some(key_log) = key_log {
        config.key_log = Arc::clone(key_log) as _;
    }
    Ok(Arc::new(config))
}

fn verifier(trust: &Trust) -> Result<Verifier, TrustError> {
    let given = trust.cacert.as_deref().map(pem::certificates).transpose()?.unwrap_or_default();
    if trust.insecure {
        return Ok(Verifier::of_anyone(given));
    }
    let mut roots = RootCertStore::empty();
    let (valid, _) = roots.add_parsable_certificates(given.iter().cloned());
    if let Some(path) = trust.cacert.as_ref().filter(|_| valid == 0) {
        return Err(TrustError::Invalid(path.clone()));
    }
    let system = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(system.certs);
    if roots.is_empty() {
        let why = system.errors.first().map(|e| format!(" ({e})")).unwrap_or_default();
        return Err(TrustError::NoRoots(why));
    }
    let by_issuer = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
    Ok(Verifier::of_issuers(by_issuer.expect("there are roots, and no revocation lists"), given))
}
