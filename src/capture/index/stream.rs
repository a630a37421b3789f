//! Where the bytes of a direction lie in the file.

use crate::capture::windows::Window;

/// Where a piece of a direction's stream lies in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Stream offset of its first byte.
    pub offset: u64,
    /// File position of that byte.
    pub position: u64,
    /// Length in bytes.
    pub len: u32,
}

/// No file has a byte there: what stands in place of a position for bytes that were not captured.
const HOLE: u64 = u64::MAX;

/// Where the stream of one direction lies. Extents are in order of their offsets and do not overlap.
#[derive(Debug, Default)]
pub struct Stream {
    /// (offset, position); an extent's length follows from its successor's offset. A hole has the position [`HOLE`].
    extents: Vec<(u64, u64)>,
    /// Bytes so far.
    pub len: u64,
    /// Where its compressed messages can be begun to read, in order: offset, and where the window stands.
    pub(super) checkpoints: Vec<(u64, Window)>,
}

impl Stream {
    pub fn push(&mut self, extent: Extent) {
        debug_assert_eq!(extent.offset, self.len);
        self.extents.push((extent.offset, extent.position));
        self.len = extent.offset + u64::from(extent.len);
    }

    /// The next `len` bytes were not captured.
    pub(super) fn leave_out(&mut self, len: u64) {
        self.extents.push((self.len, HOLE));
        self.len += len;
    }

    /// The pieces of the file that hold `offset..offset + len`, as far as the stream goes without a hole: (position, length).
    pub fn pieces(&self, offset: u64, len: u64) -> Vec<(u64, usize)> {
        let end = offset.saturating_add(len).min(self.len);
        let mut at = offset;
        let mut i = self.extents.partition_point(|(start, _)| *start <= offset).saturating_sub(1);
        let mut pieces = Vec::new();
        while at < end {
            let Some((start, position)) = self.extents.get(i).filter(|(_, position)| *position != HOLE) else { break };
            let extent_end = self.extents.get(i + 1).map_or(self.len, |(next, _)| *next);
            let piece_end = extent_end.min(end);
            if piece_end > at {
                pieces.push((position + (at - start), (piece_end - at) as usize));
                at = piece_end;
            }
            i += 1;
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_gives_the_pieces_of_any_range() {
        let mut stream = Stream::default();
        for (offset, position, len) in [(0, 100, 10), (10, 300, 5), (15, 305, 5), (20, 50, 1)] {
            stream.push(Extent { offset, position, len });
        }
        assert_eq!(stream.pieces(0, 21), [(100, 10), (300, 5), (305, 5), (50, 1)]);
        assert_eq!(stream.pieces(12, 4), [(302, 3), (305, 1)]);
        assert_eq!(stream.pieces(20, 100), [(50, 1)]);
        assert_eq!(stream.pieces(21, 1), []);
        assert_eq!(stream.pieces(5, 0), []);
    }

    #[test]
    fn a_stream_ends_at_a_hole_and_goes_on_behind_it() {
        let mut stream = Stream::default();
        stream.push(Extent { offset: 0, position: 100, len: 10 });
        stream.leave_out(5);
        stream.push(Extent { offset: 15, position: 300, len: 5 });
        assert_eq!((stream.len, stream.pieces(5, 15)), (20, vec![(105, 5)]));
        assert_eq!((stream.pieces(12, 8), stream.pieces(16, 9)), (vec![], vec![(301, 4)]));
    }
}
