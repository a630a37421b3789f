//! TLS (RFC 8446, RFC 5246) by rustls: the connections, which certificates are accepted, the local CA that issues certificates,
//! and key logs.

pub mod authority;
mod certificate;
pub mod client;
pub mod failure;
pub mod handshake;
mod issuer;
pub mod key_log;
pub mod pem;
pub mod server;
mod verifier;

use std::sync::{Arc, OnceLock};

use rustls::crypto::{CryptoProvider, ring};

/// The protocol that framescope speaks over TLS (RFC 7301). Without it, browsers and servers may choose HTTP/2.
const ALPN: &[u8] = b"http/1.1";

/// The cryptography of all connections.
fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(ring::default_provider())))
}

#[cfg(test)]
pub mod tests;
