//! Handshake messages (RFC 8446 §4, RFC 5246 §7.4): puts them together from records, and reads those that keys depend on.

use super::secrets::{RANDOM, Random};
use crate::wire::tls::{CipherSuite, TLS_1_2};

pub const CLIENT_HELLO: u8 = 1;
pub const SERVER_HELLO: u8 = 2;
pub const NEW_SESSION_TICKET: u8 = 4;
pub const END_OF_EARLY_DATA: u8 = 5;
pub const ENCRYPTED_EXTENSIONS: u8 = 8;

/// The length of the header of a message, in bytes.
const HEADER: usize = 4;

/// The longest message that is read, in bytes. Of a longer one, such as certificates, only the beginning is kept.
const MAX_KEPT: usize = 32 * 1024;

const SESSION_TICKET: u16 = 35;
const ALPN: u16 = 16;
const EARLY_DATA: u16 = 42;
const SUPPORTED_VERSIONS: u16 = 43;

/// The random of a ServerHello that asks for another ClientHello (RFC 8446 §4.1.3).
const HELLO_RETRY_REQUEST: Random = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// Puts messages together from the payloads of handshake records.
#[derive(Debug, Default)]
pub struct Messages {
    /// The beginning of the current message, with its header.
    kept: Vec<u8>,
    /// How many further bytes of it were left out.
    left_out: usize,
}

impl Messages {
    /// Takes the payload of the next record. Passes the type and the body of each message that ends in it.
    pub fn push(&mut self, mut payload: &[u8], mut each: impl FnMut(u8, &[u8])) {
        loop {
            let missing = self.len() - (self.kept.len() + self.left_out);
            let (taken, rest) = payload.split_at(missing.min(payload.len()));
            let kept = taken.len().min(MAX_KEPT - self.kept.len());
            self.kept.extend_from_slice(&taken[..kept]);
            self.left_out += taken.len() - kept;
            payload = rest;
            if self.kept.len() >= HEADER && self.kept.len() + self.left_out == self.len() {
                each(self.kept[0], &self.kept[HEADER..]);
                *self = Self::default();
            } else if payload.is_empty() {
                return;
            }
        }
    }

    /// The length of the current message; while its header is incomplete, that of the header.
    fn len(&self) -> usize {
        match *self.kept {
            [_, a, b, c, ..] => HEADER + u32::from_be_bytes([0, a, b, c]) as usize,
            _ => HEADER,
        }
    }

    /// The type of the message that has begun, and the part of its body so far.
    pub fn unfinished(&self) -> Option<(u8, &[u8])> {
        Some((*self.kept.first()?, self.kept.get(HEADER..)?))
    }
}

/// What the keys depend on in a ClientHello (RFC 8446 §4.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHello {
    pub random: Random,
    pub session_id: Vec<u8>,
    /// The ticket of a session of TLS 1.2 (RFC 5077 §3.2).
    pub ticket: Vec<u8>,
    /// Whether data before the end of the handshake follows (RFC 8446 §4.2.10).
    pub early_data: bool,
}

/// What the keys depend on in a ServerHello (RFC 8446 §4.1.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerHello {
    pub version: u16,
    pub random: Random,
    pub session_id: Vec<u8>,
    pub suite: CipherSuite,
    pub compression: u8,
    /// The protocol of TLS 1.2 that the server chose (RFC 7301).
    pub alpn: Vec<u8>,
}

impl ClientHello {
    /// Reads the body of a message. Of a truncated one, it must have the random.
    pub fn read(body: &[u8]) -> Option<Self> {
        let mut rest = body.get(2..)?;
        let random = *rest.first_chunk::<RANDOM>()?;
        rest = &rest[RANDOM..];
        let session_id = vector(&mut rest, 1).unwrap_or_default().to_vec();
        let (_suites, _compressions) = (vector(&mut rest, 2), vector(&mut rest, 1));
        let mut hello = Self { random, session_id, ticket: Vec::new(), early_data: false };
        for (kind, data) in extensions(vector(&mut rest, 2).unwrap_or_default()) {
            match kind {
                SESSION_TICKET => hello.ticket = data.to_vec(),
                EARLY_DATA => hello.early_data = true,
                _ => {}
            }
        }
        Some(hello)
    }
}

impl ServerHello {
    /// Reads the body of a message.
    pub fn read(body: &[u8]) -> Option<Self> {
        let (version, mut rest) = body.split_first_chunk::<2>()?;
        let random = *rest.first_chunk::<RANDOM>()?;
        rest = &rest[RANDOM..];
        let session_id = vector(&mut rest, 1)?.to_vec();
        let (suite, after) = rest.split_first_chunk::<2>()?;
        let (compression, mut rest) = after.split_first()?;
        let mut hello = Self {
            version: u16::from_be_bytes(*version),
            random,
            session_id,
            suite: CipherSuite(u16::from_be_bytes(*suite)),
            compression: *compression,
            alpn: Vec::new(),
        };
        for (kind, data) in extensions(vector(&mut rest, 2).unwrap_or_default()) {
            match (kind, data) {
                // RFC 8446 §4.2.1: in TLS 1.3 it is here.
                (SUPPORTED_VERSIONS, [a, b]) if hello.version == TLS_1_2 => {
                    hello.version = u16::from_be_bytes([*a, *b]);
                }
                (ALPN, data) => hello.alpn = chosen_protocol(data),
                _ => {}
            }
        }
        Some(hello)
    }

    /// Returns true if it is a HelloRetryRequest: another ServerHello follows.
    pub fn is_retry(&self) -> bool {
        self.random == HELLO_RETRY_REQUEST
    }
}

/// What a server of TLS 1.3 says in EncryptedExtensions (RFC 8446 §4.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptedExtensions {
    /// Whether it accepts the data that came before the end of the handshake.
    pub early_data: bool,
    pub alpn: Vec<u8>,
}

impl EncryptedExtensions {
    /// Reads the body of a message.
    pub fn read(mut body: &[u8]) -> Self {
        let mut read = Self { early_data: false, alpn: Vec::new() };
        for (kind, data) in extensions(vector(&mut body, 2).unwrap_or_default()) {
            match kind {
                EARLY_DATA => read.early_data = true,
                ALPN => read.alpn = chosen_protocol(data),
                _ => {}
            }
        }
        read
    }
}

/// The ticket in a NewSessionTicket of TLS 1.2 (RFC 5077 §3.3).
pub fn ticket(body: &[u8]) -> Option<&[u8]> {
    vector(&mut body.get(4..)?, 2)
}

/// The first protocol of a list of ALPN.
fn chosen_protocol(mut data: &[u8]) -> Vec<u8> {
    let mut list = vector(&mut data, 2).unwrap_or_default();
    vector(&mut list, 1).unwrap_or_default().to_vec()
}

/// Takes a vector whose length has `len` bytes (RFC 8446 §3.4) from the beginning of `rest`.
fn vector<'a>(rest: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (head, after) = rest.split_at_checked(len)?;
    let len = head.iter().fold(0, |len, byte| len << 8 | usize::from(*byte));
    let (content, after) = after.split_at_checked(len)?;
    *rest = after;
    Some(content)
}

/// The extensions of a message: their types and their data.
fn extensions(mut list: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (kind, after) = list.split_first_chunk::<2>()?;
        list = after;
        Some((u16::from_be_bytes(*kind), vector(&mut list, 2)?))
    })
}
