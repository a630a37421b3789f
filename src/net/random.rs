//! Randomness for masking keys and nonces.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// 32 unpredictable bits, as a masking key requires (RFC 6455 §10.3): they depend on the random hash keys of the process.
pub fn random() -> u32 {
    RandomState::new().build_hasher().finish() as u32
}
