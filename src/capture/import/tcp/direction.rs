//! One direction of a TCP connection: converts sequence numbers to stream offsets, and keeps segments that came early.

use std::collections::BTreeMap;

use crate::capture::format::pcapng::MAX_JUMP;
use crate::capture::format::sequence::SeqNumber;
use crate::proto::time::Time;

/// The most bytes of one direction that are kept while earlier ones are missing. With more, the missing bytes are lost.
const MAX_WAITING: u64 = 16 << 20;

/// The most pieces of one direction that are kept.
const MAX_PIECES: usize = 1 << 16;

/// How many bytes a plausible acknowledgment can be ahead of everything that was captured.
const MAX_AHEAD: u64 = 64 << 20;

/// Captures swap neighbouring segments. So missing bytes that are acknowledged are lost only after this many further segments of the
/// connection and this many nanoseconds, or after [`CERTAIN`] segments.
const PATIENCE: u64 = 16;
const PATIENCE_TIME: i64 = 2_000_000_000;
pub const CERTAIN: u64 = 256;

/// The number of further segments after the FINs of both sides.
const PATIENCE_AT_END: u64 = 2;

/// A part of the stream, with the place of its bytes in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// File position of its first byte; `None` for bytes that the snap length cut off.
    pub position: Option<u64>,
    /// Length in bytes.
    pub len: u32,
    pub time: Time,
}

impl Piece {
    /// The part from byte `from` to before byte `to`. Both are at most `len`.
    const fn part(self, from: u64, to: u64) -> Self {
        let position = match self.position {
            Some(position) => Some(position + from),
            None => None,
        };
        Self { position, len: ((to - from) & 0xffff_ffff) as u32, time: self.time }
    }
}

/// The reassembly of one direction.
#[derive(Debug, Default)]
pub struct Side {
    /// The sequence number of the stream's first byte.
    first: Option<SeqNumber>,
    /// Whether a SYN or a payload gave that number.
    anchored: bool,
    /// Stream offset up to which bytes were fed to the dissector, gaps included.
    pub taken: u64,
    /// Pieces after missing bytes, by stream offset. They do not overlap.
    waiting: BTreeMap<u64, Piece>,
    /// How many bytes are in `waiting`.
    held: u64,
    /// Stream offset after the last byte that was captured.
    seen: u64,
    /// Stream offset up to which the receiver has acknowledged the stream.
    acked: u64,
    /// The first acknowledgment, while no segment of this direction was captured.
    acked_first: Option<SeqNumber>,
    /// Whether a later acknowledgment shows that the stream has bytes, although none of its segments was captured.
    uncaptured: bool,
    /// When it was first seen that the receiver has the missing bytes.
    doubt: Option<Doubt>,
    /// Stream offset and time of the FIN.
    pub fin: Option<(u64, Time)>,
    /// Whether the end was fed to the dissector.
    pub ended: bool,
    /// The segments repeat bytes that were taken before, with other sequence numbers, until a marker gives their offset: see
    /// [`Self::place`].
    pub repeats: bool,
}

/// Missing bytes that the receiver has acknowledged.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    /// Stream offset of the first piece after them.
    offset: u64,
    /// How many segments the connection had.
    segments: u64,
    since: Time,
}

impl Side {
    /// The stream offset of a sequence number; negative before the first byte. Sequence numbers wrap: it is the offset nearest to
    /// the bytes that were taken.
    #[inline]
    pub fn offset(&mut self, seq: SeqNumber, syn: bool, payload: bool) -> i64 {
        if !self.anchored && (syn || payload) {
            self.anchored = true;
            if self.taken == 0 {
                self.first = Some(seq);
            }
        }
        let next = *self.first.get_or_insert(seq) + self.taken;
        self.taken.cast_signed() + (seq - next)
    }

    /// The sequence number of a stream offset.
    pub fn seq(&self, offset: u64) -> SeqNumber {
        self.first.unwrap_or_default() + offset
    }

    /// How many bytes a sequence number is before or after that of the next byte; `None` if no segment was captured.
    pub fn distance(&self, seq: SeqNumber) -> Option<u32> {
        let distance = seq - (self.first? + self.taken);
        Some(u32::try_from(distance.unsigned_abs()).unwrap_or(u32::MAX))
    }

    /// Returns true if the direction began with a SYN with this sequence number.
    pub fn sent_syn(&self, seq: SeqNumber) -> bool {
        self.first == Some(seq + 1)
    }

    /// Takes a SYN with the sequence number `syn` of a connection with the initial sequence number `first`. If that is the number of
    /// this direction, the segments that follow repeat it.
    pub fn begin_again(&mut self, first: SeqNumber, syn: SeqNumber) {
        self.repeats = syn != first && self.first == Some(first + 1);
    }

    /// Sets the stream offset of a sequence number, which a marker gives. A repeated direction stays one if the offset is far before
    /// the bytes that were taken.
    pub fn place(&mut self, seq: SeqNumber, offset: u64) {
        if self.repeats && offset.saturating_add(MAX_JUMP) < self.taken {
            return;
        }
        self.first = Some(seq - offset);
        self.anchored = true;
        self.repeats = false;
    }

    /// Returns true if a SYN with this sequence number begins another connection on the same addresses.
    pub fn is_new(&self, syn: SeqNumber, other: &Self) -> bool {
        match self.first {
            Some(first) => first != syn + 1,
            None => other.taken > 0 || other.ended,
        }
    }

    /// Returns true if a segment with this sequence number begins in the bytes that were taken, or directly after them.
    pub fn was_taken(&self, seq: SeqNumber) -> bool {
        self.first.is_some_and(|first| seq.bytes_after(first) <= self.taken + 1)
    }

    /// The receiver acknowledges everything before this sequence number.
    #[inline]
    pub fn acknowledged(&mut self, ack: SeqNumber) {
        let Some(first) = self.first else {
            self.uncaptured |= *self.acked_first.get_or_insert(ack) != ack;
            return;
        };
        let ahead = u64::try_from(ack - (first + self.taken)).unwrap_or(0);
        if ahead <= self.seen.saturating_sub(self.taken) + MAX_AHEAD {
            self.acked = self.acked.max(self.taken + ahead);
        }
    }

    /// A segment ends at this stream offset.
    #[inline]
    pub fn reached(&mut self, end: u64) {
        self.seen = self.seen.max(end);
    }

    /// Returns true if pieces wait for missing bytes.
    pub fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Returns true if the receiver has bytes that were not taken yet. An acknowledgment of one byte more can be that of a FIN.
    #[inline]
    pub fn is_incomplete(&self) -> bool {
        self.acked > self.taken + 1 || self.waits() || self.first.is_none() && self.uncaptured
    }

    /// Returns true if a piece that waits is before this file position.
    pub fn waits_since(&self, position: u64) -> bool {
        self.waiting.values().any(|piece| piece.position.is_some_and(|own| own < position))
    }

    /// Drops the pieces that wait; returns how many bytes they have.
    pub fn drop_waiting(&mut self) -> u64 {
        self.waiting.clear();
        std::mem::take(&mut self.held)
    }

    /// The first piece that waits, and its stream offset.
    pub fn first_waiting(&self) -> Option<(u64, Piece)> {
        self.waiting.first_key_value().map(|(offset, piece)| (*offset, *piece))
    }

    /// Removes the first piece that waits, and returns the part that was not taken yet.
    pub fn next_waiting(&mut self) -> Option<Piece> {
        let (offset, piece) = self.waiting.pop_first()?;
        self.held -= u64::from(piece.len);
        let skip = self.taken.saturating_sub(offset).min(u64::from(piece.len));
        Some(piece.part(skip, u64::from(piece.len)))
    }

    /// Keeps the parts of a segment that were neither taken nor wait: the first bytes count. Returns the overlaps with pieces that
    /// wait: the offset in the segment, and the part of the piece.
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

    /// Returns true if no more pieces may wait.
    pub fn is_full(&self) -> bool {
        self.held > MAX_WAITING || self.waiting.len() > MAX_PIECES
    }

    /// Returns true if the bytes before the first piece that waits, at `offset`, are lost. `segments` is how many segments the
    /// connection had, `over` is whether both sides have sent their FIN.
    pub fn is_lost(&mut self, offset: u64, segments: u64, over: bool, now: Time) -> bool {
        if self.is_full() {
            return true;
        }
        if self.acked < offset {
            return false;
        }
        match self.doubt {
            Some(doubt) if doubt.offset == offset => {
                let passed = segments - doubt.segments;
                passed >= CERTAIN
                    || over && passed >= PATIENCE_AT_END
                    || passed >= PATIENCE && now.nanos_since(doubt.since) >= PATIENCE_TIME
            }
            _ => {
                self.doubt = Some(Doubt { offset, segments, since: now });
                false
            }
        }
    }

    /// How many bytes are missing at the end of the direction, by the FIN or an acknowledgment, if no pieces wait. An acknowledgment
    /// of one byte more can be that of a FIN.
    pub fn missing_at_end(&self) -> u64 {
        match self.fin {
            Some((fin, _)) => fin.saturating_sub(self.taken),
            None => Some(self.acked.saturating_sub(self.taken)).filter(|missing| *missing > 1).unwrap_or(0),
        }
    }
}
