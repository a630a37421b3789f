//! The client's data before the end of the handshake of TLS 1.3 (RFC 8446 §4.2.10).

use crate::proto::time::Time;

/// The most bytes that are kept until it is known whether the server accepts them.
const MAX_EARLY: usize = 1 << 20;

/// What the server does with the client's early data.
#[derive(Debug, PartialEq, Eq)]
pub enum EarlyData {
    /// The client announced none.
    None,
    /// It is not known yet.
    Undecided(Vec<Piece>),
    Accepted,
    Rejected,
}

/// A part of the early data.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    Data(Vec<u8>, Time),
    /// About so many bytes cannot be read.
    Lost(u64, Time),
}

impl EarlyData {
    /// Keeps a piece until the server's decision is known.
    pub fn keep(&mut self, piece: Piece) {
        if let Self::Undecided(kept) = self {
            let len = |piece: &Piece| match piece {
                Piece::Data(bytes, _) => bytes.len(),
                Piece::Lost(..) => 0,
            };
            if kept.iter().map(len).sum::<usize>() < MAX_EARLY {
                kept.push(piece);
            }
        }
    }

    /// Returns true if the server's decision is not known.
    pub const fn is_undecided(&self) -> bool {
        matches!(self, Self::Undecided(_))
    }
}
