//! Decrypts TLS 1.2 and 1.3 with the secrets of a key log (RFC 8446, RFC 5246).
//!
//! [`opening`] reads the hellos of a connection, [`secrets`] has the secrets of its session, and [`session`] decrypts it: a
//! [`decryptor`] for each direction, which finds records ([`record`]) and opens them with [`keys`].

mod aead;
mod ccm;
mod decryption;
mod decryptor;
mod early;
mod effort;
mod handshake;
mod key_log;
mod keys;
mod opening;
mod reason;
mod record;
mod schedule;
mod search;
mod secrets;
mod session;

pub use self::decryption::{Decryption, KeySource};
pub use self::decryptor::{Event, Output};
pub use self::key_log::KeyLogError;
pub use self::opening::{Handshake, Opening, Progress};
pub use self::reason::Undecryptable;
pub use self::search::{Found, Search};
pub use self::session::Session;
