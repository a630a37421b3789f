//! TLS: how to recognize it, and the names of versions, cipher suites and alerts.

mod alerts;
mod suites;

pub use self::alerts::{CLOSE_NOTIFY, USER_CANCELED, alert_name};
pub use self::suites::{Aead, CipherSuite, Hash};

/// The content types of records (RFC 8446 §5.1).
pub const CHANGE_CIPHER_SPEC: u8 = 20;
/// See [`CHANGE_CIPHER_SPEC`].
pub const ALERT: u8 = 21;
/// See [`CHANGE_CIPHER_SPEC`].
pub const HANDSHAKE: u8 = 22;
/// See [`CHANGE_CIPHER_SPEC`].
pub const APPLICATION_DATA: u8 = 23;

/// The longest payload of a record, in bytes (RFC 5246 §6.2.3).
const MAX_RECORD: u16 = (1 << 14) + 2048;

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

/// Where TLS had encrypted the bytes of a connection that are decrypted now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Between client and server, which agreed on this.
    Between(TlsParams),
    /// Up to framescope, which was an end of TLS, and decrypted the bytes itself.
    Terminated {
        /// Whether TLS protected the way between the client and framescope.
        client: bool,
        /// Whether TLS protected the way between framescope and the server.
        server: bool,
    },
}

impl std::fmt::Display for Protection {
    /// `TLS 1.3, TLS_AES_128_GCM_SHA256`, or the peers with which framescope spoke TLS: `TLS with client and server`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Between(params) => params.fmt(f),
            Self::Terminated { client: true, server: true } => f.write_str("TLS with client and server"),
            Self::Terminated { client: true, .. } => f.write_str("TLS with the client"),
            Self::Terminated { .. } => f.write_str("TLS with the server"),
        }
    }
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

/// Returns true if bytes begin with a TLS record that certainly holds a ClientHello, or its beginning (RFC 8446 §4.1.2).
pub fn begins_with_client_hello(bytes: &[u8]) -> bool {
    let [HANDSHAKE, 3, 0..=4, high, low, 1, 0, length_high, length_low, 3, 0..=3, ..] = *bytes else { return false };
    let [record, message] = [[high, low], [length_high, length_low]].map(u16::from_be_bytes);
    // The message begins the record, and has the version, a random, a suite and a compression at least.
    message >= 41 && record >= 4 && record <= message.saturating_add(4)
}

/// Returns true if bytes begin with a TLS record that holds a ServerHello.
pub const fn is_server_hello(bytes: &[u8]) -> bool {
    matches!(bytes, [HANDSHAKE, 0x03, 0..=4, _, _, 2, ..])
}

/// Returns true if a TLS record that holds a ClientHello or a ServerHello can begin with these bytes, which may be few.
pub const fn may_begin_hello(bytes: &[u8]) -> bool {
    match bytes {
        [HANDSHAKE] | [HANDSHAKE, 0x03] | [HANDSHAKE, 0x03, 0..=4] => true,
        [HANDSHAKE, 0x03, 0..=4, _] | [HANDSHAKE, 0x03, 0..=4, _, _] => true,
        _ => begins_with_hello(bytes),
    }
}

/// Returns true if bytes begin with a TLS record that cannot be the first one of a side: the capture lacks its hello.
pub const fn begins_after_hello(bytes: &[u8]) -> bool {
    let [kind, 0x03, 0..=4, high, low, first, ..] = *bytes else { return false };
    let len = u16::from_be_bytes([high, low]);
    match kind {
        CHANGE_CIPHER_SPEC => len == 1 && first == 1,
        ALERT => len == 2 && matches!(first, 1 | 2) || matches!(len, 18..=64),
        // A message that is not a hello, or one that is encrypted: a Finished.
        HANDSHAKE => matches!((len, first), (4..=MAX_RECORD, 4 | 8 | 11..=16 | 20..=22) | (32..=80, 0 | 3..)),
        APPLICATION_DATA => matches!(len, 17..=MAX_RECORD),
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
