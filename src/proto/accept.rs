//! Computes `Sec-WebSocket-Accept` with its intermediate results (RFC 6455 §1.3, §4.2.2).

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use sha1::{Digest as _, Sha1};

/// Accepts non-zero unused bits in the last character, which the example key of RFC 6455 §4.1 has.
const LENIENT: GeneralPurpose =
    GeneralPurpose::new(&base64::alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// The constant that every server appends to the client's key (RFC 6455 §1.3).
pub const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The computation of `Sec-WebSocket-Accept`, step by step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptBench {
    /// The client's `Sec-WebSocket-Key` as received, without the white space around it.
    pub key: String,
    /// The SHA-1 hash of the key followed by [`GUID`].
    pub sha1: [u8; 20],
    /// The hash in base64: the value that the server must send.
    pub expected: String,
    /// The value that the server sent, if it sent one.
    pub received: Option<String>,
}

impl AcceptBench {
    /// Computes the accept value for `key`, for comparison with the `received` value.
    pub fn new(key: &[u8], received: Option<&[u8]>) -> Self {
        let key = key.trim_ascii();
        let sha1 = sha1(key);
        Self {
            key: String::from_utf8_lossy(key).into_owned(),
            sha1,
            expected: STANDARD.encode(sha1),
            received: received.map(|r| String::from_utf8_lossy(r).into_owned()),
        }
    }

    /// True if the received value is the expected one.
    pub fn is_ok(&self) -> bool {
        self.received.as_deref() == Some(self.expected.as_str())
    }
}

fn sha1(key: &[u8]) -> [u8; 20] {
    let mut hash = Sha1::new();
    hash.update(key);
    hash.update(GUID);
    hash.finalize().into()
}

/// A mistake of a server: it hashed the wrong white space. The key is the header value without the white space around
/// it (RFC 6455 §4.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spaces {
    /// It hashed white space around the key.
    Around,
    /// It removed white space inside the key.
    Inside,
}

/// Finds out whether a wrong accept value results from wrong white space. `line` is the text after the colon of the key
/// header.
pub fn wrong_spaces(line: &[u8], received: &[u8]) -> Option<Spaces> {
    let answers = |key: &[u8]| STANDARD.encode(sha1(key)).as_bytes() == received;
    let key = line.trim_ascii();
    let around = [line, line.trim_ascii_start(), line.trim_ascii_end()];
    if around.into_iter().any(|spaced| spaced != key && answers(spaced)) {
        return Some(Spaces::Around);
    }
    let inside: Vec<u8> = key.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    (inside != key && answers(&inside)).then_some(Spaces::Inside)
}

/// The value of `Sec-WebSocket-Accept` for `key`.
pub fn accept_key(key: &[u8]) -> String {
    AcceptBench::new(key, None).expected
}

/// Returns true if a `Sec-WebSocket-Key` encodes exactly 16 bytes in base64 (RFC 6455 §4.1).
pub fn is_valid_key(key: &[u8]) -> bool {
    nonce(key).is_some()
}

/// The 16 bytes that a `Sec-WebSocket-Key` encodes; `None` if it does not encode exactly 16 bytes in base64 (RFC 6455
/// §4.1).
pub fn nonce(key: &[u8]) -> Option<[u8; 16]> {
    LENIENT.decode(key).ok()?.try_into().ok()
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
        assert_eq!(
            nonce(b"AQIDBAUGBwgJCgsMDQ4PEC=="),
            Some(std::array::from_fn(|i| i as u8 + 1)),
            "the example of section 4.1"
        );
        assert!(!is_valid_key(b"c2hvcnQ=") && !is_valid_key(b"not base64"));
    }

    #[test]
    fn a_value_for_the_key_with_wrong_white_space_is_recognized() {
        let answer = |key: &[u8]| STANDARD.encode(sha1(key)).into_bytes();
        assert_eq!(wrong_spaces(b" key\t", &answer(b" key")), Some(Spaces::Around));
        assert_eq!(wrong_spaces(b" key\t", &answer(b"key\t")), Some(Spaces::Around));
        assert_eq!(wrong_spaces(b" k ey", &answer(b"key")), Some(Spaces::Inside));
        assert_eq!(wrong_spaces(b" key", &answer(b"key")), None, "the correct value");
        assert_eq!(wrong_spaces(b" key", b"other"), None);
    }
}
