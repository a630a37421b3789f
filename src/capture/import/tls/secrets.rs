//! The secrets of TLS sessions, as key logs contain them, and the sessions of TLS 1.2 that a client can resume.

use std::collections::HashMap;
use std::fmt;

use ring::digest;

/// The length of the randoms of both hellos, in bytes (RFC 8446 §4.1.2).
pub const RANDOM: usize = 32;

/// The length of a master secret in bytes (RFC 5246 §8.1), and of the longest traffic secret.
pub const MAX_SECRET: usize = 48;

/// The most secrets that are kept.
const MAX_SECRETS: usize = 1 << 20;

/// The most sessions of TLS 1.2 that are kept for resumption.
const MAX_SESSIONS: usize = 1 << 16;

/// The random of a ClientHello, which names its session in a key log.
pub type Random = [u8; RANDOM];

/// What a secret is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// The master secret of TLS 1.2.
    Master,
    /// The client's data before the handshake of TLS 1.3 is complete.
    ClientEarly,
    ClientHandshake,
    ServerHandshake,
    /// The client's data in TLS 1.3, up to the first key update.
    ClientTraffic,
    ServerTraffic,
}

/// The bytes of a secret. Its debug form does not contain them.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    len: usize,
    bytes: [u8; MAX_SECRET],
}

impl Secret {
    /// A secret of at most [`MAX_SECRET`] bytes; further ones are left out.
    pub fn new(bytes: &[u8]) -> Self {
        let mut secret = Self { len: bytes.len().min(MAX_SECRET), bytes: [0; MAX_SECRET] };
        secret.bytes[..secret.len].copy_from_slice(&bytes[..secret.len]);
        secret
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.len)
    }
}

/// The secrets of all sessions.
#[derive(Debug, Default)]
pub struct Secrets {
    by_random: HashMap<Random, Vec<(Label, Secret)>, foldhash::fast::RandomState>,
    count: usize,
    /// Master secrets of TLS 1.2 by the digest of what resumes their session: the session id, or a ticket.
    sessions: HashMap<[u8; 32], Secret>,
}

impl Secrets {
    /// Adds a secret. A later one with the same label replaces it. Returns false if there is no space for it.
    pub fn add(&mut self, label: Label, random: Random, secret: Secret) -> bool {
        if self.count >= MAX_SECRETS {
            return false;
        }
        let of_session = self.by_random.entry(random).or_default();
        match of_session.iter_mut().find(|(known, _)| *known == label) {
            Some((_, known)) => *known = secret,
            None => {
                of_session.push((label, secret));
                self.count += 1;
            }
        }
        true
    }

    pub fn is_empty(&self) -> bool {
        self.by_random.is_empty()
    }

    /// How many secrets there are.
    pub const fn len(&self) -> usize {
        self.count
    }

    pub fn get(&self, random: &Random, label: Label) -> Option<&Secret> {
        self.by_random.get(random)?.iter().find(|(known, _)| *known == label).map(|(_, secret)| secret)
    }

    /// Keeps the master secret of a session that this session id or ticket resumes (RFC 5246 §7.4.1.2, RFC 5077 §3).
    pub fn keep_session(&mut self, resumed_by: &[u8], master: &Secret) {
        if !resumed_by.is_empty() && self.sessions.len() < MAX_SESSIONS {
            self.sessions.insert(digest_of(resumed_by), master.clone());
        }
    }

    /// The master secret of the session that this session id or ticket resumes.
    pub fn session(&self, resumed_by: &[u8]) -> Option<&Secret> {
        if resumed_by.is_empty() { None } else { self.sessions.get(&digest_of(resumed_by)) }
    }
}

fn digest_of(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}
