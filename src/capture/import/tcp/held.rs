//! A connection with TLS: decrypted, or held until it is known whether it can be.

use std::time::Instant;

use crate::capture::import::tls::{Opening, Session};
use crate::proto::dissected::Direction;
use crate::proto::time::Time;

/// A connection that is TLS, or may be.
pub(super) enum Encrypted {
    /// Its bytes are held.
    Held(Box<Held>),
    Decrypted(Box<Session>),
}

/// What happened to a connection before it was known whether it can be decrypted.
#[derive(Default)]
pub(super) struct Held {
    pub opening: Opening,
    pub steps: Vec<Step>,
    /// Since when its secrets are awaited.
    pub since: Option<Instant>,
}

/// The next bytes of a direction, or their absence.
#[derive(Clone, Copy)]
pub(super) enum Step {
    /// They are in the file.
    Bytes {
        direction: Direction,
        position: u64,
        len: usize,
        time: Time,
    },
    Lost {
        direction: Direction,
        len: u64,
        time: Time,
    },
    Fin {
        direction: Direction,
        time: Time,
    },
}

impl Step {
    /// The file position of its bytes.
    pub const fn position(&self) -> Option<u64> {
        match self {
            Self::Bytes { position, .. } => Some(*position),
            Self::Lost { .. } | Self::Fin { .. } => None,
        }
    }
}

impl Encrypted {
    /// A connection whose first bytes begin like TLS.
    pub fn held() -> Self {
        Self::Held(Box::default())
    }

    /// Returns true if application data of a direction may be lost, and the dissectors do not know it.
    pub fn is_uncertain(&self, direction: Direction) -> bool {
        match self {
            Self::Held(_) => false,
            Self::Decrypted(session) => session.side(direction).is_uncertain(),
        }
    }
}
