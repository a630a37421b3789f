//! The keys of a connection, derived from the secrets of a key log (RFC 8446 §7, RFC 5246 §5, §6.3).

use ring::{hkdf, hmac};

use super::secrets::Secret;
use crate::wire::tls::{Aead, Hash};

/// The length of the nonce of every [`Aead`], in bytes.
pub const NONCE: usize = 12;

/// The length of the part of the nonce that the records of TLS 1.2 carry, with AES (RFC 5288 §3, RFC 6655 §3).
pub const EXPLICIT_NONCE: usize = 8;

/// A length of output, for [`hkdf`].
struct Len(usize);

impl hkdf::KeyType for Len {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF-Expand-Label of RFC 8446 §7.1, with an empty context. `N` is at most 255.
pub fn expand_label<const N: usize>(hash: Hash, secret: &[u8], label: &str) -> [u8; N] {
    let algorithm = match hash {
        Hash::Sha256 => hkdf::HKDF_SHA256,
        Hash::Sha384 => hkdf::HKDF_SHA384,
    };
    let label_len = u8::try_from(6 + label.len()).unwrap_or(u8::MAX);
    let len = u8::try_from(N).unwrap_or(u8::MAX);
    let info = [&[0, len, label_len][..], b"tls13 ", label.as_bytes(), &[0]];
    let mut out = [0; N];
    // Fails only for more than 255 hash lengths.
    let _ = hkdf::Prk::new_less_safe(algorithm, secret).expand(&info, Len(N)).map(|okm| okm.fill(&mut out));
    out
}

/// The key and the nonce of a traffic secret (RFC 8446 §7.3).
pub fn traffic_keys(aead: Aead, secret: &Secret) -> (Vec<u8>, [u8; NONCE]) {
    let key = match aead.key_len() {
        16 => expand_label::<16>(aead.hash(), secret.bytes(), "key").to_vec(),
        _ => expand_label::<32>(aead.hash(), secret.bytes(), "key").to_vec(),
    };
    (key, expand_label(aead.hash(), secret.bytes(), "iv"))
}

/// The traffic secret after a key update (RFC 8446 §7.2).
pub fn next_secret(hash: Hash, secret: &Secret) -> Secret {
    match hash {
        Hash::Sha256 => Secret::new(&expand_label::<32>(hash, secret.bytes(), "traffic upd")),
        Hash::Sha384 => Secret::new(&expand_label::<48>(hash, secret.bytes(), "traffic upd")),
    }
}

/// The pseudorandom function of TLS 1.2 (RFC 5246 §5): fills `out`.
pub fn prf(hash: Hash, secret: &[u8], label: &str, seed: &[u8], out: &mut [u8]) {
    let algorithm = match hash {
        Hash::Sha256 => hmac::HMAC_SHA256,
        Hash::Sha384 => hmac::HMAC_SHA384,
    };
    let key = hmac::Key::new(algorithm, secret);
    let seed = [label.as_bytes(), seed].concat();
    let mut a = hmac::sign(&key, &seed);
    for part in out.chunks_mut(hash.output_len()) {
        let block = hmac::sign(&key, &[a.as_ref(), &seed].concat());
        part.copy_from_slice(&block.as_ref()[..part.len()]);
        a = hmac::sign(&key, a.as_ref());
    }
}

/// The keys of client and server in TLS 1.2, each with the fixed part of its nonce (RFC 5246 §6.3): four bytes with AES, all twelve
/// with ChaCha20-Poly1305 (RFC 7905 §2).
pub fn key_block(aead: Aead, master: &Secret, client_random: &[u8], server_random: &[u8]) -> [(Vec<u8>, Vec<u8>); 2] {
    let key = aead.key_len();
    let fixed = if aead.has_explicit_nonce() { NONCE - EXPLICIT_NONCE } else { NONCE };
    let mut block = vec![0; 2 * (key + fixed)];
    prf(aead.hash(), master.bytes(), "key expansion", &[server_random, client_random].concat(), &mut block);
    let (keys, nonces) = block.split_at(2 * key);
    [0, 1].map(|side| (keys[side * key..][..key].to_vec(), nonces[side * fixed..][..fixed].to_vec()))
}
