//! The accept key, step by step (RFC 6455 §1.3, §4.2.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

/// What every server joins to the client's key (RFC 6455 §1.3).
pub const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The computation of `Sec-WebSocket-Accept`, with its intermediate results, for people to follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptBench {
    /// The client's `Sec-WebSocket-Key`, as received without white space around it.
    pub key: String,
    /// SHA-1 of key and [`GUID`] joined: 20 bytes.
    pub sha1: [u8; 20],
    /// Base64 of the hash: what the server must answer.
    pub expected: String,
    /// What it answered, if it did.
    pub received: Option<String>,
}

impl AcceptBench {
    /// Computes the accept key for `key` and sets it beside what was `received`.
    pub fn new(key: &[u8], received: Option<&[u8]>) -> Self {
        let key = key.trim_ascii();
        let mut hash = Sha1::new();
        hash.update(key);
        hash.update(GUID);
        let sha1: [u8; 20] = hash.finalize().into();
        Self {
            key: String::from_utf8_lossy(key).into_owned(),
            sha1,
            expected: STANDARD.encode(sha1),
            received: received.map(|r| String::from_utf8_lossy(r).into_owned()),
        }
    }

    /// Whether what was received is what had to come.
    pub fn is_ok(&self) -> bool {
        self.received.as_deref() == Some(self.expected.as_str())
    }
}

/// The value of `Sec-WebSocket-Accept` that answers `key`.
pub fn accept_key(key: &[u8]) -> String {
    AcceptBench::new(key, None).expected
}

/// Whether a `Sec-WebSocket-Key` is base64 of exactly 16 bytes (RFC 6455 §4.1).
pub fn is_valid_key(key: &[u8]) -> bool {
    STANDARD.decode(key).is_ok_and(|raw| raw.len() == 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_section_1_3() {
        let bench = AcceptBench::new(b" dGhlIHNhbXBsZSBub25jZQ==", Some(b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        assert_eq!(hex::encode(bench.sha1), "b37a4f2cc0624f1690f64606cf385945b2bec4ea");
        assert_eq!(bench.expected, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert!(bench.is_ok() && is_valid_key(b"dGhlIHNhbXBsZSBub25jZQ=="));
        assert!(!AcceptBench::new(b"dGhlIHNhbXBsZSBub25jZQ==", None).is_ok());
        assert!(!is_valid_key(b"c2hvcnQ=") && !is_valid_key(b"not base64"));
    }
}
