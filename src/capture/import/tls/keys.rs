//! The keys of one direction, one after another, and their sequence numbers (RFC 8446 §5.3, §7.2; RFC 5246 §6.1).
//!
//! Which key a record has is found by trying: only the right key and sequence number open it. So no message has to be read to know
//! when keys change, and lost records are skipped.

use std::collections::VecDeque;

use super::aead::RecordKey;
use super::effort::{Budget, Effort};
use super::record::Record;
use super::schedule::next_secret;
use super::secrets::Secret;
use crate::wire::tls::Aead;

/// The most records that can be skipped at once.
const MAX_SKIPPED: u64 = 4096;

/// What records under one key contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The client's data before the end of the handshake of TLS 1.3.
    Early,
    Handshake,
    /// Application data; in TLS 1.2 also the end of the handshake.
    Application,
}

/// A key and the next sequence number.
struct Epoch {
    phase: Phase,
    key: RecordKey,
    sequence: u64,
    /// The traffic secret of TLS 1.3.
    secret: Option<Secret>,
}

/// What limits attempts.
struct Budgets<'a> {
    direction: &'a mut Budget,
    file: &'a mut Effort,
}

/// A record that was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    pub phase: Phase,
    /// The content type.
    pub kind: u8,
    /// The length of the content.
    pub len: usize,
    /// How many records of the same key were skipped, without the Finished of TLS 1.2.
    pub skipped: u64,
}

/// The keys of one direction.
pub struct Keys {
    aead: Aead,
    current: Option<Epoch>,
    later: VecDeque<Epoch>,
    budget: Budget,
}

impl Keys {
    /// Those of traffic secrets of TLS 1.3, in the order of their use.
    pub fn of_traffic<'a>(aead: Aead, secrets: impl IntoIterator<Item = (Phase, &'a Secret)>) -> Option<Self> {
        let epoch = |(phase, secret): (Phase, &Secret)| {
            let key = RecordKey::of_traffic(aead, secret)?;
            Some(Epoch { phase, key, sequence: 0, secret: Some(secret.clone()) })
        };
        let later = secrets.into_iter().map(epoch).collect::<Option<_>>()?;
        Some(Self { aead, current: None, later, budget: Budget::default() })
    }

    /// The key of one direction of TLS 1.2.
    pub fn of_tls_1_2(aead: Aead, key: RecordKey) -> Self {
        Self { aead, current: None, later: VecDeque::from([Epoch::of_tls_1_2(key)]), budget: Budget::default() }
    }

    /// Records of TLS 1.2 have this key soon: the session is renegotiated.
    pub fn change(&mut self, key: RecordKey) {
        self.later = VecDeque::from([Epoch::of_tls_1_2(key)]);
    }

    /// What the latest record contained; `None` before the first one.
    pub fn phase(&self) -> Option<Phase> {
        self.current.as_ref().map(|epoch| epoch.phase)
    }

    /// Returns true if one of the keys is that of application data.
    pub fn may_read_data(&self) -> bool {
        self.current.iter().chain(&self.later).any(|epoch| epoch.phase == Phase::Application)
    }

    /// Returns true if nothing is tried any more, because nothing opened for long.
    pub const fn is_exhausted(&self) -> bool {
        self.budget.is_spent()
    }

    /// Opens the next record into `out`. Up to `lost` records before it may be missing.
    pub fn open(&mut self, record: &Record<'_>, lost: u64, effort: &mut Effort, out: &mut Vec<u8>) -> Option<Opened> {
        let mut budget = Budgets { direction: &mut self.budget, file: effort };
        let budget = &mut budget;
        let opened = 'opened: {
            if let Some(opened) = self.current.as_mut().and_then(|epoch| epoch.open(record, lost, budget, out)) {
                break 'opened opened;
            }
            for i in 0..self.later.len() {
                if let Some(opened) = self.later[i].open(record, lost, budget, out) {
                    self.current = self.later.drain(..=i).next_back();
                    break 'opened opened;
                }
            }
            let mut updated = self.current.as_ref()?.updated(self.aead)?;
            let opened = updated.open(record, lost, budget, out)?;
            self.current = Some(updated);
            opened
        };
        self.budget = Budget::default();
        Some(opened)
    }
}

impl Epoch {
    const fn of_tls_1_2(key: RecordKey) -> Self {
        Self { phase: Phase::Application, key, sequence: 0, secret: None }
    }

    fn open(&mut self, record: &Record<'_>, lost: u64, budget: &mut Budgets<'_>, out: &mut Vec<u8>) -> Option<Opened> {
        for skipped in 0..=lost.min(MAX_SKIPPED) {
            if budget.direction.is_spent() || skipped > 0 && budget.file.is_spent() {
                return None;
            }
            let sequence = self.sequence.checked_add(skipped)?;
            if let Some((kind, len)) = self.key.open(record, sequence, out) {
                let is_before_finished = self.secret.is_none() && self.sequence == 0;
                let skipped = skipped.saturating_sub(u64::from(is_before_finished));
                self.sequence = sequence.checked_add(1)?;
                return Some(Opened { phase: self.phase, kind, len, skipped });
            }
            budget.direction.spend(record.payload.len());
            budget.file.spend(record.payload.len());
        }
        None
    }

    /// The epoch after a key update (RFC 8446 §7.2).
    fn updated(&self, aead: Aead) -> Option<Self> {
        let secret = next_secret(aead.hash(), self.secret.as_ref().filter(|_| self.phase == Phase::Application)?);
        Some(Self { phase: self.phase, key: RecordKey::of_traffic(aead, &secret)?, sequence: 0, secret: Some(secret) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::import::tls::schedule::traffic_keys;
    use crate::wire::tls::APPLICATION_DATA;
    use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

    /// The payload of the record with this sequence number, and its header.
    fn sealed(secret: &Secret, sequence: u64) -> ([u8; 5], Vec<u8>) {
        let (key, mut nonce) = traffic_keys(Aead::Aes128Gcm, secret);
        let number = sequence.to_be_bytes();
        nonce[4..].iter_mut().zip(number).for_each(|(byte, number)| *byte ^= number);
        let header = [APPLICATION_DATA, 3, 3, 0, 22];
        let mut payload = b"hello\x17".to_vec();
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).expect("a key"));
        let nonce = Nonce::assume_unique_for_key(nonce);
        key.seal_in_place_append_tag(nonce, Aad::from(header), &mut payload).expect("sealed");
        (header, payload)
    }

    #[test]
    fn without_effort_only_the_next_record_is_tried() {
        let secret = Secret::new(&[7; 32]);
        let mut keys = Keys::of_traffic(Aead::Aes128Gcm, [(Phase::Application, &secret)]).expect("keys");
        let mut open = |sequence: u64, effort: &mut Effort| {
            let (header, payload) = sealed(&secret, sequence);
            let opened = keys.open(&Record { header, payload: &payload }, 10, effort, &mut Vec::new());
            opened.map(|opened| opened.skipped)
        };
        let (mut effort, mut spent) = (Effort::default(), Effort::default());
        while !spent.is_spent() {
            spent.spend(1 << 14);
        }
        assert_eq!(open(0, &mut spent), Some(0));
        assert_eq!(open(3, &mut spent), None);
        assert_eq!(open(3, &mut effort), Some(2));
        assert_eq!(open(4, &mut spent), Some(0));
        // What is captured restores it.
        spent.add(1 << 14);
        assert_eq!(open(7, &mut spent), Some(2));
        assert_eq!(open(19, &mut effort), None, "more than 10 are lost");
    }
}
