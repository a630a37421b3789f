//! AES in Counter Mode with CBC-MAC, as TLS uses it (RFC 6655, RFC 5116 §5.3): ring lacks it.

use aes::{Aes128, Aes256};
use ccm::Ccm;
use ccm::aead::consts::{U8, U12, U16};
use ccm::aead::{AeadInOut, Key, KeyInit, Nonce, Tag};

use super::schedule::NONCE;
use crate::wire::tls::Aead;

/// A key of AES-CCM, with its expanded form.
pub enum CcmKey {
    Aes128(Ccm<Aes128, U16, U12>),
    Aes256(Ccm<Aes256, U16, U12>),
    Aes128Short(Ccm<Aes128, U8, U12>),
    Aes256Short(Ccm<Aes256, U8, U12>),
}

impl CcmKey {
    /// `None` if the algorithm is another one, or the length of the key is wrong.
    pub fn new(aead: Aead, key: &[u8]) -> Option<Self> {
        Some(match aead {
            Aead::Aes128Ccm => Self::Aes128(expanded(key)?),
            Aead::Aes256Ccm => Self::Aes256(expanded(key)?),
            Aead::Aes128Ccm8 => Self::Aes128Short(expanded(key)?),
            Aead::Aes256Ccm8 => Self::Aes256Short(expanded(key)?),
            Aead::Aes128Gcm | Aead::Aes256Gcm | Aead::ChaCha20Poly1305 => return None,
        })
    }

    /// Decrypts `bytes`, which end with the tag, in place; `None` if the tag is wrong. The tag remains after the content.
    pub fn open(&self, nonce: &[u8; NONCE], aad: &[u8], bytes: &mut [u8]) -> Option<()> {
        match self {
            Self::Aes128(key) => open(key, nonce, aad, bytes),
            Self::Aes256(key) => open(key, nonce, aad, bytes),
            Self::Aes128Short(key) => open(key, nonce, aad, bytes),
            Self::Aes256Short(key) => open(key, nonce, aad, bytes),
        }
    }
}

fn expanded<C: KeyInit>(key: &[u8]) -> Option<C> {
    let key: &Key<C> = key.try_into().ok()?;
    Some(C::new(key))
}

fn open<C: AeadInOut>(key: &C, nonce: &[u8; NONCE], aad: &[u8], bytes: &mut [u8]) -> Option<()> {
    let nonce: &Nonce<C> = nonce[..].try_into().ok()?;
    let content = bytes.len().checked_sub(size_of::<Tag<C>>())?;
    let (content, tag) = bytes.split_at_mut(content);
    let tag: &Tag<C> = (&*tag).try_into().ok()?;
    key.decrypt_inout_detached(nonce, aad, content.into(), tag).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with OpenSSL 3.0 (Python cryptography): the key is 0, 1, 2 and so on, the content `content`.
    #[test]
    fn records_of_openssl_are_opened() {
        let key: Vec<u8> = (0..32).collect();
        let cases = [
            (Aead::Aes128Ccm, "ca434dcad73fddc3ed113b8749f819d04baa6d520ab04d"),
            (Aead::Aes256Ccm, "338848434f8e004e3dc7fd515ce35262594a5e18acd6a2"),
            (Aead::Aes128Ccm8, "ca434dcad73fdd19c51ea75db68873"),
            (Aead::Aes256Ccm8, "338848434f8e003c8bd87b0491de2c"),
        ];
        for (aead, sealed) in cases {
            let mut bytes = hex::decode(sealed).expect("hex");
            let key = CcmKey::new(aead, &key[..aead.key_len()]).expect("a key");
            let mut changed = bytes.clone();
            changed[0] ^= 1;
            assert_eq!(key.open(b"twelve bytes", b"header", &mut changed), None);
            assert_eq!(key.open(b"twelve bytes", b"other", &mut bytes.clone()), None);
            assert_eq!(key.open(b"twelve bytes", b"header", &mut [0; 7]), None);
            key.open(b"twelve bytes", b"header", &mut bytes).expect("opened");
            assert_eq!(&bytes[..bytes.len() - aead.tag_len()], b"content");
        }
        assert!(CcmKey::new(Aead::Aes128Ccm, &key).is_none());
    }
}
