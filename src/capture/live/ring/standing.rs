//! How a connection stands when a file begins, and what the file says of it there.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::capture::format::file_markers::Gap;
use crate::capture::format::pcapng::{MAX_SEGMENT, Segments};
use crate::capture::store::Capture;
use crate::capture::store::index::Extent;
use crate::proto::connection::Connection;
use crate::proto::dissected::{Direction, EndReason};
use crate::proto::time::Time;

/// What the packets around a handshake take at most, in bytes: five with their heads, and the gaps.
const AROUND: u64 = 1024;

/// A connection as it stands in the spool.
#[derive(Clone, Debug)]
pub(in crate::capture) struct Standing {
    /// Its number in the capture.
    pub number: u32,
    pub client: SocketAddr,
    pub server: SocketAddr,
    /// When its first bytes were seen.
    pub first: Time,
    pub handshake: Option<Arc<[Head; 2]>>,
    pub sides: [Side; 2],
}

/// A direction of it, in stream offsets.
#[derive(Clone, Copy, Debug)]
pub(in crate::capture) struct Side {
    /// Where the record begins that is not complete; the position when there is none.
    pub begun: u64,
    /// How many bytes were written.
    pub position: u64,
    /// Where the next record begins, if that is known.
    pub next: Option<u64>,
    pub ended: Option<EndReason>,
    /// When its latest record was complete.
    pub latest: Time,
}

/// A request or response that upgraded a connection.
#[derive(Clone, Debug)]
pub(in crate::capture) struct Head {
    pub direction: Direction,
    pub offset: u64,
    pub time: Time,
    pub bytes: Vec<u8>,
}

/// What a file begins with, and where in it stands what was written again.
#[derive(Debug, Default)]
pub(in crate::capture) struct Beginning {
    pub blocks: Vec<u8>,
    /// For how many bytes of incomplete records there is room.
    pub room: u64,
    pub handshakes: Vec<(u32, Direction, Extent)>,
    pub ends: Vec<(u32, Direction, Vec<Extent>)>,
    /// How many connections it says nothing of, as there is no room.
    pub left_out: u64,
    /// Records of which the beginning is not written again.
    pub torn: Vec<(u32, Direction, u64)>,
}

impl Side {
    pub fn of(connection: &Connection, direction: Direction, ended: Option<EndReason>, latest: Time) -> Self {
        Self {
            begun: connection.record_start(direction),
            position: connection.position(direction),
            next: connection.next_start(direction),
            ended,
            latest,
        }
    }
}

impl Standing {
    /// When its latest record was complete.
    pub fn latest(&self) -> Time {
        self.sides.iter().map(|side| side.latest).fold(self.first, Time::max)
    }

    /// How many bytes its handshake takes, about.
    pub fn weight(&self) -> u64 {
        self.handshake.iter().flat_map(|heads| heads.iter()).map(|head| head.bytes.len() as u64).sum::<u64>() + AROUND
    }

    /// Says nothing of it in a file that has no room.
    pub fn leave_out(&self, out: &mut Beginning) {
        out.left_out += 1;
        for (direction, side) in Direction::BOTH.into_iter().zip(&self.sides) {
            if side.position > side.begun {
                out.torn.push((self.number, direction, side.begun));
            }
        }
    }

    /// Writes how the connection stands: what a reader has to know to go on with it.
    pub fn begin(&self, serial: u32, capture: &Capture, out: &mut Beginning) {
        let mut segments = Segments::new(self.client, self.server, serial);
        let mut at = [0; 2];
        let heads = self.handshake.iter().flat_map(|heads| heads.iter());
        for direction in Direction::BOTH {
            let own: u64 =
                heads.clone().filter(|head| head.direction == direction).map(|head| head.bytes.len() as u64).sum();
            segments.draw_near(direction, self.sides[direction.index()].begun.saturating_sub(own));
        }
        segments.open(&mut out.blocks, self.first);
        for head in heads {
            let from = &mut at[head.direction.index()];
            skip(&mut segments, out, head.direction, (*from, head.offset, Some(head.offset)), head.time);
            *from = head.offset + head.bytes.len() as u64;
            let extents = write(&mut segments, out, head.direction, head.offset, &head.bytes, head.time);
            // In one piece, as all but the longest are.
            if let [extent] = extents[..] {
                out.handshakes.push((self.number, head.direction, extent));
            }
        }
        for direction in Direction::BOTH {
            let side = self.sides[direction.index()];
            let (from, time) = (at[direction.index()], side.latest);
            let open = side.position - side.begun;
            let carried = if open == 0 || open > out.room {
                None
            } else {
                capture.stream(self.number, direction, side.begun, open).ok().filter(|bytes| bytes.len() as u64 == open)
            };
            if side.begun >= from {
                match carried {
                    Some(bytes) => {
                        skip(&mut segments, out, direction, (from, side.begun, Some(side.begun)), time);
                        let extents = write(&mut segments, out, direction, side.begun, &bytes, time);
                        out.room -= open;
                        out.ends.push((self.number, direction, extents));
                    }
                    None => {
                        skip(&mut segments, out, direction, (from, side.position, side.next), time);
                        if open > 0 {
                            out.torn.push((self.number, direction, side.begun));
                        }
                    }
                }
            }
            match side.ended {
                Some(EndReason::Fin) => segments.fin(&mut out.blocks, direction, time, &[]),
                Some(_) => segments.unknown(&mut out.blocks, direction, time, &[]),
                None => {}
            }
        }
    }
}

/// Leaves bytes of a direction out, from one stream offset to another, with where the next record begins.
fn skip(
    segments: &mut Segments,
    out: &mut Beginning,
    direction: Direction,
    (from, to, begins): (u64, u64, Option<u64>),
    time: Time,
) {
    if to > from {
        segments.skip(&mut out.blocks, direction, (to - from, Gap { to: Some(to), begins }), time, &[]);
    }
}

/// Writes bytes of a direction; returns where they stand.
fn write(
    segments: &mut Segments,
    out: &mut Beginning,
    direction: Direction,
    offset: u64,
    bytes: &[u8],
    time: Time,
) -> Vec<Extent> {
    let mut extents = Vec::new();
    let mut offset = offset;
    for piece in bytes.chunks(MAX_SEGMENT) {
        let position = segments.data(&mut out.blocks, direction, piece, time, &[]) as u64;
        extents.push(Extent { offset, position, len: piece.len() as u32 });
        offset += piece.len() as u64;
    }
    extents
}
