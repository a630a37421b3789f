//! One direction of a TCP connection: sequence numbers become stream offsets, segments that come early wait.

use std::collections::BTreeMap;

use crate::capture::format::pcapng::MAX_JUMP;
use crate::proto::time::Time;

/// How many bytes of one direction may wait for earlier ones before those count as lost.
const MAX_WAITING: u64 = 16 << 20;

/// The same in pieces.
const MAX_PIECES: usize = 1 << 16;

/// How far an acknowledgment may lie ahead of everything that was seen to be believed, in bytes.
const MAX_AHEAD: i64 = 64 << 20;

/// Captures swap neighbours: bytes that were acknowledged count as lost when this many further segments of the connection
/// have come and this much time has passed in between, or when [`CERTAINLY`] segments have come.
const PATIENCE: u64 = 16;
const PATIENCE_TIME: i64 = 2_000_000_000;
const CERTAINLY: u64 = 256;

/// The same once both sides have said that they have no more to say.
const PATIENCE_AT_END: u64 = 2;

/// A part of the stream: where its bytes stand in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// File position of its first byte; `None` for bytes that crossed the wire and were cut off by the snap length.
    pub position: Option<u64>,
    /// Length in bytes.
    pub len: u32,
    pub time: Time,
}

impl Piece {
    /// The part from byte `from` on, up to byte `to`.
    const fn part(self, from: u64, to: u64) -> Self {
        let position = match self.position {
            Some(position) => Some(position + from),
            None => None,
        };
        Self { position, len: (to - from) as u32, time: self.time }
    }
}

/// One direction.
#[derive(Debug, Default)]
pub struct Side {
    /// Sequence number of the stream's first byte.
    first: Option<u32>,
    /// Whether a SYN or a payload tells that number.
    anchored: bool,
    /// Stream offset up to which bytes were taken, those that are missing included.
    pub taken: u64,
    /// Segments that wait, by stream offset. They do not overlap.
    waiting: BTreeMap<u64, Piece>,
    /// How many bytes wait.
    held: u64,
    /// Stream offset behind the last byte that was seen, and up to which the other side has acknowledged.
    seen: u64,
    acked: u64,
    /// Since when the bytes before the first piece that waits, at that offset, are acknowledged: segments of the connection, time.
    doubt: Option<(u64, u64, Time)>,
    /// Stream offset of the FIN.
    pub fin: Option<(u64, Time)>,
    /// Whether the end was told.
    pub ended: bool,
    /// What comes was taken before, and its sequence numbers are others, until they are told: see [`Self::place`].
    pub repeats: bool,
}

impl Side {
    /// The stream offset that a sequence number means, negative before the first byte. The one nearest to what was taken, as
    /// sequence numbers wrap.
    #[inline]
    pub fn offset(&mut self, seq: u32, syn: bool, payload: bool) -> i64 {
        if !self.anchored && (syn || payload) {
            self.anchored = true;
            if self.taken == 0 {
                self.first = Some(seq);
            }
        }
        let near = self.first.get_or_insert(seq).wrapping_add(self.taken as u32);
        self.taken as i64 + i64::from(seq.wrapping_sub(near) as i32)
    }

    /// A SYN stands for one with the sequence number `first`, which may be the one that this side began with.
    pub fn begin_again(&mut self, first: u32, syn: u32) {
        self.repeats = syn != first && self.first == Some(first.wrapping_add(1));
    }

    /// It is told which stream offset a sequence number means from here on. What is far behind was taken before.
    pub const fn place(&mut self, seq: u32, offset: u64) {
        if self.repeats && offset.saturating_add(MAX_JUMP) < self.taken {
            return;
        }
        self.first = Some(seq.wrapping_sub(offset as u32));
        self.anchored = true;
        self.repeats = false;
    }

    /// Whether a SYN with that sequence number begins another connection than the one that this side belongs to.
    pub fn is_new(&self, syn: u32, other: &Self) -> bool {
        match self.first {
            Some(first) => first != syn.wrapping_add(1),
            None => other.taken > 0 || other.ended,
        }
    }

    /// Whether a segment with that sequence number begins inside what was taken, or right behind it.
    pub fn was_taken(&self, seq: u32) -> bool {
        self.first.is_some_and(|first| u64::from(seq.wrapping_sub(first)) <= self.taken + 1)
    }

    /// The other side acknowledges everything before that sequence number.
    #[inline]
    pub fn acknowledged(&mut self, ack: u32) {
        let Some(first) = self.first else { return };
        let ahead = i64::from(ack.wrapping_sub(first.wrapping_add(self.taken as u32)) as i32);
        let known = self.seen.saturating_sub(self.taken) as i64;
        if ahead > 0 && ahead <= known + MAX_AHEAD {
            self.acked = self.acked.max(self.taken + ahead as u64);
        }
    }

    /// A segment reached up to that stream offset.
    #[inline]
    pub fn reached(&mut self, end: u64) {
        self.seen = self.seen.max(end);
    }

    /// Whether something waits.
    pub fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether the other side has received bytes that were not taken yet. One byte more may stand for the FIN.
    #[inline]
    pub fn is_behind(&self) -> bool {
        self.acked > self.taken + 1 || self.waits()
    }

    /// The first piece that waits, and its stream offset.
    pub fn first_waiting(&self) -> Option<(u64, Piece)> {
        self.waiting.first_key_value().map(|(offset, piece)| (*offset, *piece))
    }

    /// Takes the first piece that waits, without what was taken before.
    pub fn next_waiting(&mut self) -> Option<Piece> {
        let (offset, piece) = self.waiting.pop_first()?;
        self.held -= u64::from(piece.len);
        let skip = self.taken.saturating_sub(offset).min(u64::from(piece.len));
        Some(piece.part(skip, u64::from(piece.len)))
    }

    /// Keeps of a segment what neither was taken nor waits: first bytes win. Returns where it overlaps with pieces that wait:
    /// (byte of the segment, the part of the piece).
    pub fn keep(&mut self, offset: u64, piece: Piece) -> Vec<(u64, Piece)> {
        let end = offset + u64::from(piece.len);
        let mut at = offset.max(self.taken);
        let mut free = Vec::new();
        let mut overlaps = Vec::new();
        let from = self.waiting.range(..=at).next_back().map_or(at, |(start, _)| *start);
        for (start, had) in self.waiting.range(from..end.max(from)) {
            let had_end = start + u64::from(had.len);
            if had_end <= at {
                continue;
            }
            if *start > at {
                free.push((at, *start));
                at = *start;
            }
            let until = had_end.min(end);
            overlaps.push((at - offset, had.part(at - start, until - start)));
            at = until;
        }
        if at < end {
            free.push((at, end));
        }
        for (from, to) in free {
            self.held += to - from;
            self.waiting.insert(from, piece.part(from - offset, to - offset));
        }
        overlaps
    }

    /// Whether the bytes before the first piece that waits, at `offset`, will not come any more. `segments` counts those of the
    /// connection, `over` tells whether both sides have sent their FIN.
    pub fn is_lost(&mut self, offset: u64, segments: u64, over: bool, now: Time) -> bool {
        if self.held > MAX_WAITING || self.waiting.len() > MAX_PIECES {
            return true;
        }
        if self.acked < offset {
            return false;
        }
        match self.doubt {
            Some((at, since, time)) if at == offset => {
                let passed = segments - since;
                passed >= CERTAINLY
                    || over && passed >= PATIENCE_AT_END
                    || passed >= PATIENCE && now.nanos_since(time) >= PATIENCE_TIME
            }
            _ => {
                self.doubt = Some((offset, segments, now));
                false
            }
        }
    }

    /// How many bytes are missing at the end, when nothing waits and nothing more comes: what the FIN or an acknowledgment
    /// tells. An acknowledgment of one byte more may be that of a FIN.
    pub fn missing_at_end(&self) -> u64 {
        match self.fin {
            Some((fin, _)) => fin.saturating_sub(self.taken),
            None => Some(self.acked.saturating_sub(self.taken)).filter(|missing| *missing > 1).unwrap_or(0),
        }
    }
}
