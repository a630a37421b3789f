//! TLS: how to recognize it, and the names of versions, cipher suites and alerts.

mod alerts;
mod suites;

pub use self::alerts::{CLOSE_NOTIFY, alert_name};
pub use self::suites::{Aead, CipherSuite, Hash};

/// A record of the handshake (RFC 8446 §5.1).
pub const HANDSHAKE: u8 = 22;

/// TLS 1.2 (RFC 5246).
pub const TLS_1_2: u16 = 0x0303;

/// TLS 1.3 (RFC 8446).
pub const TLS_1_3: u16 = 0x0304;

/// What both sides of a TLS connection agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TlsParams {
    /// The version: [`TLS_1_2`], [`TLS_1_3`] or another number.
    pub version: u16,
    /// The cipher suite.
    pub suite: CipherSuite,
}

impl std::fmt::Display for TlsParams {
    /// `TLS 1.3, TLS_AES_128_GCM_SHA256`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {}", version_name(self.version), self.suite)
    }
}

/// Returns true if bytes begin with a TLS record that holds a ClientHello or a ServerHello (RFC 8446 §5.1, §4).
pub const fn begins_with_hello(bytes: &[u8]) -> bool {
    matches!(bytes, [HANDSHAKE, 0x03, 0..=4, _, _, 1 | 2, ..])
}

/// Returns true if a TLS record that holds a ClientHello or a ServerHello can begin with these bytes, which may be few.
pub const fn may_begin_hello(bytes: &[u8]) -> bool {
    match bytes {
        [HANDSHAKE] | [HANDSHAKE, 0x03] | [HANDSHAKE, 0x03, 0..=4] => true,
        [HANDSHAKE, 0x03, 0..=4, _] | [HANDSHAKE, 0x03, 0..=4, _, _] => true,
        _ => begins_with_hello(bytes),
    }
}

/// Returns true if bytes begin with a record of a connection that is encrypted: its handshake came before.
pub const fn begins_encrypted(bytes: &[u8]) -> bool {
    match *bytes {
        [23, 0x03, 0x03, high, low, ..] => matches!(u16::from_be_bytes([high, low]), 17..=18_432),
        _ => false,
    }
}

/// The name of a version: `TLS 1.3`.
pub fn version_name(version: u16) -> String {
    match version {
        0x0300 => "SSL 3.0".to_owned(),
        0x0301..=0x0304 => format!("TLS 1.{}", version - 0x0301),
        _ => format!("TLS of version 0x{version:04x}"),
    }
}
