//! The positions of a direction's bytes in the files.

use std::collections::VecDeque;

use super::extents::{ExtentCursor, Extents, HOLE, is_hole};
use super::windows::Window;
use crate::capture::store::to_usize;

/// A piece of a direction's stream that is contiguous in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Stream offset of its first byte.
    pub offset: u64,
    /// Position of that byte in the files.
    pub position: u64,
    /// Length in bytes.
    pub len: u32,
}

impl Extent {
    /// An extent of `len` bytes, at most as many as a packet holds.
    pub fn new(offset: u64, position: u64, len: usize) -> Self {
        Self { offset, position, len: u32::try_from(len).unwrap_or(u32::MAX) }
    }
}

/// A piece with the stream offsets of its first byte and of the byte after its last.
struct Piece {
    start: u64,
    end: u64,
    position: u64,
}

/// The stream of one direction. Extents are in order of their offsets and do not overlap.
#[derive(Debug, Default)]
pub struct Stream {
    extents: Extents,
    /// Bytes so far.
    pub len: u64,
    /// The checkpoints from which its compressed messages can be read, in order: offset, and the place of the deflate window.
    pub(in crate::capture) checkpoints: VecDeque<(u64, Window)>,
}

impl Stream {
    pub fn push(&mut self, extent: Extent) {
        debug_assert_eq!(extent.offset, self.len);
        self.extents.push(extent.offset, extent.position);
        self.len = extent.offset + u64::from(extent.len);
    }

    /// Adds a checkpoint. Without space for its window the second oldest checkpoint is dropped, so that the next window has some; the
    /// oldest stays, because the messages before the second are read from it.
    pub fn add_checkpoint(&mut self, offset: u64, window: Option<Window>) {
        match window {
            Some(window) => self.checkpoints.push_back((offset, window)),
            None if self.checkpoints.len() > 1 => drop(self.checkpoints.remove(1)),
            None => {}
        }
    }

    /// The next `len` bytes were not captured.
    pub(in crate::capture) fn skip(&mut self, len: u64) {
        self.extents.push(self.len, HOLE);
        self.len += len;
    }

    /// Offset of the first byte that is not evicted.
    pub fn start(&self) -> u64 {
        self.extents.front().map_or(self.len, |(offset, _)| offset)
    }

    /// The offset before which bytes may be evicted.
    pub fn intact_from(&self) -> u64 {
        self.start().max(self.extents.unordered().min(self.len))
    }

    /// Returns true if bytes of this range are evicted.
    pub fn is_torn(&self, offset: u64, len: u64) -> bool {
        len > 0 && (offset < self.start() || self.extents.has_evicted(offset, offset.saturating_add(len)))
    }

    /// Drops what lies before a position of the file.
    pub(in crate::capture) fn evict_before(&mut self, position: u64) {
        self.extents.evict_before(position);
    }

    /// Replaces the latest extents by these, which reach to the end: the bytes were written again elsewhere.
    pub fn replace_end(&mut self, extents: impl Iterator<Item = Extent>) {
        for extent in extents {
            while self.extents.back().is_some_and(|(offset, _)| offset >= extent.offset) {
                self.extents.pop_back();
            }
            self.extents.push(extent.offset, extent.position);
        }
    }

    /// The same as [`Self::pieces`] where that is one piece, as it is for most records. Looks at the extent of the previous call,
    /// `near`, and at the next one first.
    #[inline]
    pub fn one_piece(&self, offset: u64, len: u64, near: &mut ExtentCursor) -> Option<(u64, usize)> {
        let end = offset.checked_add(len).filter(|end| len > 0 && *end <= self.len)?;
        let piece = self
            .piece_at(*near, offset)
            .or_else(|| {
                let (_, next) = self.extents.at(*near)?;
                *near = next;
                self.piece_at(next, offset)
            })
            .or_else(|| {
                *near = self.extents.find(offset);
                self.piece_at(*near, offset)
            })?;
        let holds = end <= piece.end && !is_hole(piece.position);
        holds.then(|| (piece.position + (offset - piece.start), to_usize(len)))
    }

    /// The piece at a cursor, if an offset lies in it.
    #[inline]
    fn piece_at(&self, cursor: ExtentCursor, offset: u64) -> Option<Piece> {
        let ((start, position), next) = self.extents.at(cursor)?;
        let end = self.extents.at(next).map_or(self.len, |((next, _), _)| next);
        (start..end).contains(&offset).then_some(Piece { start, end, position })
    }

    /// The pieces of the file that hold `offset..offset + len`, up to the first hole: (position, length). Nothing when
    /// the first byte is evicted.
    pub fn pieces(&self, offset: u64, len: u64) -> Vec<(u64, usize)> {
        if offset < self.start() {
            return Vec::new();
        }
        let end = offset.saturating_add(len).min(self.len);
        let mut at = offset;
        let mut pieces = Vec::new();
        let mut next = self.extents.at(self.extents.find(offset));
        while at < end
            && let Some(((start, position), after)) = next.filter(|((_, position), _)| !is_hole(*position))
        {
            next = self.extents.at(after);
            let extent_end = next.map_or(self.len, |((next, _), _)| next);
            let piece_end = extent_end.min(end);
            if piece_end > at {
                pieces.push((position + (at - start), to_usize(piece_end - at)));
                at = piece_end;
            }
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> Stream {
        let mut stream = Stream::default();
        for (offset, position, len) in [(0, 100, 10), (10, 300, 5), (15, 305, 5), (20, 350, 1)] {
            stream.push(Extent { offset, position, len });
        }
        stream
    }

    #[test]
    fn pieces_of_any_range_are_found() {
        let stream = stream();
        assert_eq!(stream.pieces(0, 21), [(100, 10), (300, 5), (305, 5), (350, 1)]);
        assert_eq!(stream.pieces(12, 4), [(302, 3), (305, 1)]);
        assert_eq!(stream.pieces(20, 100), [(350, 1)]);
        assert_eq!(stream.pieces(21, 1), []);
        assert_eq!(stream.pieces(5, 0), []);
        let mut near = ExtentCursor::default();
        assert_eq!(
            [(0, 10), (12, 3), (20, 1)].map(|(offset, len)| stream.one_piece(offset, len, &mut near)),
            [Some((100, 10)), Some((302, 3)), Some((350, 1))]
        );
        // In any order, whatever `near` is.
        for (offset, len, piece) in [
            (0, 11, None),
            (15, 5, Some((305, 5))),
            (20, 2, None),
            (11, 4, Some((301, 4))),
            (5, 0, None),
            (21, 1, None),
        ] {
            assert_eq!(stream.one_piece(offset, len, &mut near), piece);
            assert_eq!(stream.one_piece(offset, len, &mut ExtentCursor::default()), piece);
        }
    }

    #[test]
    fn a_hole_ends_the_pieces_and_others_follow_it() {
        let mut stream = Stream::default();
        stream.push(Extent { offset: 0, position: 100, len: 10 });
        stream.skip(5);
        stream.push(Extent { offset: 15, position: 300, len: 5 });
        assert_eq!((stream.len, stream.pieces(5, 15)), (20, vec![(105, 5)]));
        assert_eq!((stream.pieces(12, 8), stream.pieces(16, 9)), (vec![], vec![(301, 4)]));
    }

    #[test]
    fn evicted_bytes_are_not_found_and_bytes_written_again_are() {
        let mut stream = stream();
        // The latest record is written again at the beginning of the next file, at position 400.
        stream.replace_end(
            [(17, 420, 2), (19, 430, 2)].map(|(offset, position, len)| Extent { offset, position, len }).into_iter(),
        );
        assert_eq!(stream.pieces(0, 100), [(100, 10), (300, 5), (305, 2), (420, 2), (430, 2)]);
        stream.evict_before(400);
        assert_eq!((stream.start(), stream.len), (17, 21));
        assert_eq!((stream.pieces(0, 9), stream.pieces(16, 5)), (vec![], vec![]));
        assert_eq!(stream.pieces(18, 100), [(421, 1), (430, 2)]);
        stream.evict_before(500);
        assert_eq!((stream.start(), stream.pieces(2, 1), stream.pieces(17, 9)), (21, vec![], vec![]));
        stream.push(Extent { offset: 21, position: 500, len: 4 });
        assert_eq!((stream.start(), stream.pieces(22, 9)), (21, vec![(501, 3)]));
    }
}
