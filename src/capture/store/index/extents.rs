//! The offset and file position of each piece of a stream, in 8 bytes: relative to those of the block that it is in.

use std::collections::VecDeque;

/// The position of bytes that were not captured: no file has a byte there.
pub const HOLE: u64 = u64::MAX;

/// The position of bytes that were evicted before earlier ones of the stream: their segments were captured out of order.
const EVICTED: u64 = u64::MAX - 1;

/// The number of pieces in a full block; in unit tests fewer, so that they cross blocks.
const BLOCK: usize = if cfg!(test) { 64 } else { 4096 };

/// The same for a position relative to its block's.
const NO_POSITION: u32 = u32::MAX;
const NO_LONGER: u32 = u32::MAX - 1;

/// Returns true if there is no byte at a position.
pub const fn is_hole(position: u64) -> bool {
    position >= EVICTED
}

/// (offset, position) of each piece of a stream, in order of the offsets. A piece ends where the next begins.
#[derive(Debug, Default)]
pub struct Extents {
    /// None is empty.
    blocks: VecDeque<Block>,
    /// The greatest position so far.
    greatest: u64,
    /// The offset after the last piece that has a smaller position than a piece before it; [`u64::MAX`] if that is the latest piece.
    unordered: u64,
}

#[derive(Debug)]
struct Block {
    offset: u64,
    position: u64,
    /// Relative to those.
    pieces: Vec<(u32, u32)>,
}

impl Extents {
    /// Adds a piece, whose offset is not smaller than all before. A [`HOLE`] has no position.
    pub fn push(&mut self, offset: u64, position: u64) {
        if self.unordered == u64::MAX {
            self.unordered = offset;
        }
        if position < self.greatest {
            self.unordered = u64::MAX;
        } else if position != HOLE {
            self.greatest = position;
        }
        if let Some(block) = self.blocks.back_mut().filter(|block| block.pieces.len() < BLOCK)
            && let Some(piece) = block.relative(offset, position)
        {
            block.pieces.push(piece);
            return;
        }
        let begins = if position == HOLE { 0 } else { position };
        let piece = (0, if position == HOLE { NO_POSITION } else { 0 });
        self.blocks.push_back(Block { offset, position: begins, pieces: vec![piece] });
    }

    pub fn front(&self) -> Option<(u64, u64)> {
        let block = self.blocks.front()?;
        Some(block.piece(*block.pieces.first()?))
    }

    pub fn back(&self) -> Option<(u64, u64)> {
        let block = self.blocks.back()?;
        Some(block.piece(*block.pieces.last()?))
    }

    pub fn pop_back(&mut self) {
        if let Some(block) = self.blocks.back_mut() {
            block.pieces.pop();
            if block.pieces.is_empty() {
                self.blocks.pop_back();
            }
        }
    }

    /// Drops the first pieces, as long as they lie before a position of the file, and the holes between them. Later ones before that
    /// position become holes.
    pub fn evict_before(&mut self, position: u64) {
        let mut evicted = 0;
        for (i, (_, at)) in self.pieces().enumerate() {
            if at < position {
                evicted = i + 1;
            } else if !is_hole(at) {
                break;
            }
        }
        while let Some(block) = self.blocks.front_mut().filter(|_| evicted > 0) {
            let dropped = evicted.min(block.pieces.len());
            block.pieces.drain(..dropped);
            evicted -= dropped;
            if block.pieces.is_empty() {
                self.blocks.pop_front();
            }
        }
        let unordered = self.blocks.iter_mut().take_while(|block| block.offset < self.unordered);
        unordered.for_each(|block| block.hollow_before(position));
    }

    fn pieces(&self) -> impl Iterator<Item = (u64, u64)> {
        self.blocks.iter().flat_map(|block| block.pieces.iter().map(|piece| block.piece(*piece)))
    }

    /// Returns true if one of the pieces from `offset` to before `end` was evicted, and is a hole in the stream.
    pub fn has_evicted(&self, offset: u64, end: u64) -> bool {
        if offset >= self.unordered {
            return false;
        }
        let mut cursor = self.find(offset);
        while let Some(((_, position), next)) = self.at(cursor).filter(|((start, _), _)| *start < end) {
            if position == EVICTED {
                return true;
            }
            cursor = next;
        }
        false
    }

    /// The offset before which pieces may have become holes.
    pub const fn unordered(&self) -> u64 {
        self.unordered
    }

    /// The cursor of the piece that holds an offset; of the first, when the offset is before it.
    #[inline]
    pub fn find(&self, offset: u64) -> ExtentCursor {
        let block = self.blocks.partition_point(|block| block.offset <= offset).saturating_sub(1);
        let piece = self.blocks.get(block).map_or(0, |block| {
            let before = |(from, _): &(u32, u32)| block.offset + u64::from(*from) <= offset;
            block.pieces.partition_point(before).saturating_sub(1)
        });
        ExtentCursor { block, piece }
    }

    /// The piece at a cursor, and the cursor of the next.
    #[inline]
    pub fn at(&self, ExtentCursor { block, piece }: ExtentCursor) -> Option<((u64, u64), ExtentCursor)> {
        let found = self.blocks.get(block)?;
        let next = if piece + 1 < found.pieces.len() {
            ExtentCursor { block, piece: piece + 1 }
        } else {
            ExtentCursor { block: block + 1, piece: 0 }
        };
        Some((found.piece(*found.pieces.get(piece)?), next))
    }
}

/// The position of a piece in [`Extents`].
#[derive(Clone, Copy, Debug, Default)]
pub struct ExtentCursor {
    block: usize,
    piece: usize,
}

impl Block {
    fn piece(&self, (offset, position): (u32, u32)) -> (u64, u64) {
        let position = match position {
            NO_POSITION => HOLE,
            NO_LONGER => EVICTED,
            position => self.position + u64::from(position),
        };
        (self.offset + u64::from(offset), position)
    }

    /// Turns the pieces before a position of the file into holes.
    fn hollow_before(&mut self, position: u64) {
        for piece in &mut self.pieces {
            if piece.1 < NO_LONGER && self.position + u64::from(piece.1) < position {
                piece.1 = NO_LONGER;
            }
        }
    }

    /// A piece relative to the block; `None` when it is too far away.
    fn relative(&self, offset: u64, position: u64) -> Option<(u32, u32)> {
        let offset = u32::try_from(offset.checked_sub(self.offset)?).ok()?;
        if position == HOLE {
            return Some((offset, NO_POSITION));
        }
        let position = u32::try_from(position.checked_sub(self.position)?).ok()?;
        (position < NO_LONGER).then_some((offset, position))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    impl Extents {
        fn from(&self, offset: u64) -> impl Iterator<Item = (u64, u64)> {
            let mut cursor = self.find(offset);
            std::iter::from_fn(move || {
                let (piece, next) = self.at(cursor)?;
                cursor = next;
                Some(piece)
            })
        }
    }

    proptest! {
        #[test]
        fn pieces_are_found_from_any_offset(
            steps in proptest::collection::vec((1u64..5_000_000_000, prop_oneof![9 => 0u64..100_000_000_000, 1 => Just(HOLE)]), 1..1500),
            near: bool,
            asked: u64,
            popped in 0usize..20,
        ) {
            let (mut offset, mut position) = (0, 0);
            let mut all: Vec<(u64, u64)> = Vec::new();
            for (step, to) in steps {
                let (step, to) = if near && to != HOLE { (step % 500 + 1, position + step % 1000) } else { (step, to) };
                all.push((offset, to));
                offset += step;
                position = if to == HOLE { position } else { to };
            }
            let mut extents = Extents::default();
            all.iter().for_each(|(offset, position)| extents.push(*offset, *position));
            for _ in 0..popped {
                all.pop();
                extents.pop_back();
            }
            prop_assert_eq!(extents.from(0).collect::<Vec<_>>(), &all[..]);
            prop_assert_eq!((extents.front(), extents.back()), (all.first().copied(), all.last().copied()));
            let asked = asked % (offset + 2);
            let at = all.partition_point(|(offset, _)| *offset <= asked).saturating_sub(1);
            prop_assert_eq!(extents.from(asked).collect::<Vec<_>>(), &all[at.min(all.len())..]);
            let bound = all.get(all.len() / 2).map_or(5, |(_, position)| *position);
            let prefix = all.iter().take_while(|(_, position)| *position < bound || *position == HOLE);
            let evicted = prefix.enumerate().filter(|(_, (_, position))| *position != HOLE).last().map_or(0, |(i, _)| i + 1);
            extents.evict_before(bound);
            all[evicted..].iter_mut().filter(|(_, position)| *position < bound).for_each(|piece| piece.1 = EVICTED);
            prop_assert_eq!(extents.from(0).collect::<Vec<_>>(), &all[evicted..]);
            for (i, (offset, position)) in all.iter().enumerate().skip(evicted) {
                let end = all.get(i + 1).map_or(offset + 1, |(next, _)| *next);
                prop_assert_eq!(extents.has_evicted(*offset, end), *position == EVICTED);
                prop_assert_eq!(extents.has_evicted(end - 1, end), *position == EVICTED);
            }
            let at = all[evicted..].partition_point(|(offset, _)| *offset <= asked).saturating_sub(1);
            prop_assert_eq!(extents.from(asked).next(), all[evicted..].get(at).copied());
        }
    }
}
