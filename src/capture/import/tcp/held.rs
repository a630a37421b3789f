//! A connection with TLS: decrypted, or held until it is known whether it can be.

use std::time::Instant;

use crate::capture::import::tls::{Opening, Session};
use crate::proto::dissected::{Direction, Missing};
use crate::proto::time::Time;

/// A layer of a connection.
#[derive(Clone, Copy)]
pub(super) struct Layer {
    /// The index of the connection.
    pub flow: usize,
    /// The number of the connection.
    pub number: u32,
    /// How many layers of TLS are outside it.
    pub depth: usize,
}

impl Layer {
    /// The outermost one.
    pub const fn outermost(flow: usize, number: u32) -> Self {
        Self { flow, number, depth: 0 }
    }

    /// The next one inside it.
    pub const fn inner(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }
}

/// A layer of TLS in a connection, or what may be one.
pub(super) enum Encrypted {
    /// Its bytes are held.
    Held(Box<Held>),
    Decrypted(Box<Session>),
}

/// What happened in a layer before it was known whether it can be decrypted.
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
        missing: Missing,
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
    /// Bytes that begin like TLS.
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
