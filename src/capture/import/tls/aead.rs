//! Decrypts the records of one direction under one key (RFC 8446 §5.2, §5.3; RFC 5246 §6.2.3.3; RFC 5288; RFC 6655; RFC 7905).

use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

use super::ccm::CcmKey;
use super::record::Record;
use super::schedule::{EXPLICIT_NONCE, NONCE, key_block, traffic_keys};
use super::secrets::{Random, Secret};
use crate::wire::tls::Aead;

/// How the nonce of a record is formed.
enum NonceForm {
    /// The sequence number, combined with these bytes.
    Implicit([u8; NONCE]),
    /// These bytes, then those at the beginning of the record.
    Explicit([u8; NONCE - EXPLICIT_NONCE]),
}

/// A key for the records of one direction.
pub struct RecordKey {
    key: Key,
    /// The length of the tag in bytes.
    tag: usize,
    nonce: NonceForm,
    /// In TLS 1.3 the content type is encrypted too.
    is_tls_1_3: bool,
}

enum Key {
    Ring(LessSafeKey),
    Ccm(CcmKey),
}

impl RecordKey {
    /// The key of a traffic secret of TLS 1.3.
    pub fn of_traffic(aead: Aead, secret: &Secret) -> Option<Self> {
        let (key, iv) = traffic_keys(aead, secret);
        Some(Self { key: Key::new(aead, &key)?, tag: aead.tag_len(), nonce: NonceForm::Implicit(iv), is_tls_1_3: true })
    }

    /// The keys of client and server of a master secret of TLS 1.2.
    pub fn of_master(aead: Aead, master: &Secret, client: &Random, server: &Random) -> Option<[Self; 2]> {
        let [client, server] = key_block(aead, master, client, server).map(|(key, fixed)| {
            let nonce = match <[u8; NONCE]>::try_from(&*fixed) {
                Ok(iv) => NonceForm::Implicit(iv),
                Err(_) => NonceForm::Explicit(fixed.try_into().ok()?),
            };
            Some(Self { key: Key::new(aead, &key)?, tag: aead.tag_len(), nonce, is_tls_1_3: false })
        });
        Some([client?, server?])
    }

    /// Decrypts a record into `out`, whose earlier content is lost. Returns the content type and the length of the content at the
    /// beginning of `out`; `None` if the record has another key or sequence number, or was changed.
    pub fn open(&self, record: &Record<'_>, sequence: u64, out: &mut Vec<u8>) -> Option<(u8, usize)> {
        let (nonce, sealed) = self.nonce(record.payload, sequence)?;
        let len = sealed.len().checked_sub(self.tag)?;
        out.clear();
        out.extend_from_slice(sealed);
        if self.is_tls_1_3 {
            self.key.open(nonce, &record.header, out)?;
            // Padding follows the content type (RFC 8446 §5.4).
            let end = out[..len].iter().rposition(|byte| *byte != 0)?;
            return Some((out[end], end));
        }
        let mut aad = [0; 13];
        aad[..8].copy_from_slice(&sequence.to_be_bytes());
        aad[8..11].copy_from_slice(&record.header[..3]);
        aad[11..].copy_from_slice(&u16::try_from(len).ok()?.to_be_bytes());
        self.key.open(nonce, &aad, out)?;
        Some((record.kind(), len))
    }

    /// The nonce of a record, and what the record contains after it.
    fn nonce<'a>(&self, payload: &'a [u8], sequence: u64) -> Option<([u8; NONCE], &'a [u8])> {
        let mut nonce = [0; NONCE];
        let sealed = match &self.nonce {
            NonceForm::Implicit(iv) => {
                nonce[NONCE - 8..].copy_from_slice(&sequence.to_be_bytes());
                nonce.iter_mut().zip(iv).for_each(|(byte, iv)| *byte ^= iv);
                payload
            }
            NonceForm::Explicit(fixed) => {
                let (explicit, sealed) = payload.split_at_checked(EXPLICIT_NONCE)?;
                nonce[..fixed.len()].copy_from_slice(fixed);
                nonce[fixed.len()..].copy_from_slice(explicit);
                sealed
            }
        };
        Some((nonce, sealed))
    }
}

impl Key {
    /// `None` if the length of the key is wrong.
    fn new(aead: Aead, key: &[u8]) -> Option<Self> {
        let algorithm = match aead {
            Aead::Aes128Gcm => &AES_128_GCM,
            Aead::Aes256Gcm => &AES_256_GCM,
            Aead::ChaCha20Poly1305 => &CHACHA20_POLY1305,
            _ => return CcmKey::new(aead, key).map(Self::Ccm),
        };
        UnboundKey::new(algorithm, key).ok().map(LessSafeKey::new).map(Self::Ring)
    }

    /// Decrypts `bytes`, which end with the tag, in place; `None` if the tag is wrong.
    fn open(&self, nonce: [u8; NONCE], aad: &[u8], bytes: &mut [u8]) -> Option<()> {
        match self {
            Self::Ring(key) => {
                let nonce = Nonce::assume_unique_for_key(nonce);
                key.open_in_place(nonce, Aad::from(aad), bytes).ok().map(|_| ())
            }
            Self::Ccm(key) => key.open(&nonce, aad, bytes),
        }
    }
}
