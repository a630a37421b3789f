//! How to recognize TLS.

/// Returns true if bytes begin with a TLS record that holds a ClientHello or a ServerHello (RFC 8446 §5.1, §4).
pub const fn begins_with_hello(bytes: &[u8]) -> bool {
    matches!(bytes, [0x16, 0x03, 0..=4, _, _, 1 | 2, ..])
}
