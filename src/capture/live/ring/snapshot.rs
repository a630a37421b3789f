//! The state of a connection between two commits, and the packets about it that a new file of a ring begins with.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::capture::format::file_markers::{Gap, Marker};
use crate::capture::format::pcapng::{MAX_SEGMENT, Segments};
use crate::capture::store::Capture;
use crate::capture::store::index::{Extent, Handshake};
use crate::proto::connection::Connection;
use crate::proto::dissected::{Direction, EndReason, Loss};
use crate::proto::time::Time;
use crate::wire::tls::Protection;

/// The size of the packets around a handshake, in bytes, at most: five with their heads, and the gaps.
const OVERHEAD: u64 = 1024;

/// The state of a connection in the spool.
#[derive(Clone, Debug)]
pub(in crate::capture) struct ConnectionSnapshot {
    /// Its number in the capture.
    pub number: u32,
    pub client: SocketAddr,
    pub server: SocketAddr,
    /// When its first bytes were seen.
    pub first: Time,
    /// Where TLS had encrypted its bytes, if they are decrypted.
    pub tls: Option<Protection>,
    pub handshake: Option<Arc<Handshake>>,
    pub directions: [DirectionSnapshot; 2],
}

/// The state of one of its directions, in stream offsets.
#[derive(Clone, Copy, Debug)]
pub(in crate::capture) struct DirectionSnapshot {
    /// Where the incomplete record begins; the position when there is none.
    pub begun: u64,
    /// How many bytes were written.
    pub position: u64,
    /// Where the next record begins, if that is known.
    pub next: Option<u64>,
    pub ended: Option<EndReason>,
    /// When its latest record was complete.
    pub latest: Time,
}

/// The first bytes of a new file: they make it readable without the files before it.
#[derive(Debug, Default)]
pub(in crate::capture) struct FilePreamble {
    pub blocks: Vec<u8>,
    /// How many bytes of incomplete records may still be written again.
    pub free: u64,
    /// Where incomplete records were written again: connection, direction, extents relative to `blocks`.
    pub moved: Vec<(u32, Direction, Vec<Extent>)>,
    /// Whether its packets are copies of earlier ones, which are read at their first place.
    pub has_copies: bool,
    /// How many connections it leaves out, because their handshakes take too many bytes.
    pub left_out: u64,
}

impl DirectionSnapshot {
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

impl ConnectionSnapshot {
    pub fn is_over(&self) -> bool {
        self.directions.iter().all(|direction| direction.ended.is_some())
    }

    /// When its latest record was complete.
    pub fn latest(&self) -> Time {
        self.directions.iter().map(|direction| direction.latest).fold(self.first, Time::max)
    }

    /// How many bytes its handshake takes in a file, at most.
    pub fn handshake_len(&self) -> u64 {
        let heads = self.handshake.as_deref().into_iter().flatten();
        heads.map(|head| head.record.wire_len).sum::<u64>() + OVERHEAD
    }

    /// Writes what a reader has to know of the connection to read what follows.
    pub fn write(&self, serial: u32, capture: &Capture, out: &mut FilePreamble) {
        let mut segments = Segments::new(self.client, self.server, serial);
        let mut written = [0; 2];
        let heads = || self.handshake.as_deref().into_iter().flatten();
        for direction in Direction::BOTH {
            let own: u64 =
                heads().map(|head| &head.record).filter(|r| r.direction == direction).map(|r| r.wire_len).sum();
            segments.shorten_first_gap(direction, self.directions[direction.index()].begun.saturating_sub(own));
        }
        if capture.connection(self.number).is_some_and(|connection| connection.about.delivered) {
            segments.mark_opening(&Marker::Delivered);
        }
        segments.decrypted(self.tls);
        segments.open(&mut out.blocks, self.first);
        for head in heads() {
            let record = &head.record;
            let at = &mut written[record.direction.index()];
            let begins = Some(record.offset);
            skip(&mut segments, out, record.direction, (*at, record.offset, begins), record.time);
            *at = record.offset + record.wire_len;
            append(&mut segments, out, record.direction, record.offset, &head.bytes, record.time);
        }
        for direction in Direction::BOTH {
            let state = self.directions[direction.index()];
            self.write_direction(direction, written[direction.index()], capture, (&mut segments, out));
            match state.ended {
                Some(EndReason::Fin) => segments.fin(&mut out.blocks, direction, state.latest, &[]),
                Some(_) => segments.unknown(&mut out.blocks, direction, state.latest, &[]),
                None => {}
            }
        }
    }

    /// Writes a direction from an offset to its position: a gap, and the incomplete record where there is space for it.
    fn write_direction(
        &self,
        direction: Direction,
        from: u64,
        capture: &Capture,
        (segments, out): (&mut Segments, &mut FilePreamble),
    ) {
        let state = self.directions[direction.index()];
        if state.begun < from {
            return;
        }
        let incomplete = state.position - state.begun;
        let bytes = (incomplete > 0 && incomplete <= out.free)
            .then(|| capture.stream(self.number, direction, state.begun, incomplete).ok())
            .flatten()
            .filter(|bytes| bytes.len() as u64 == incomplete);
        match bytes {
            Some(bytes) => {
                skip(segments, out, direction, (from, state.begun, Some(state.begun)), state.latest);
                let extents = append(segments, out, direction, state.begun, &bytes, state.latest);
                out.free -= incomplete;
                out.moved.push((self.number, direction, extents));
            }
            None => skip(segments, out, direction, (from, state.position, state.next), state.latest),
        }
    }
}

/// Writes a gap between two stream offsets, with the offset where the next record begins.
fn skip(
    segments: &mut Segments,
    out: &mut FilePreamble,
    direction: Direction,
    (from, to, begins): (u64, u64, Option<u64>),
    time: Time,
) {
    if to > from {
        let gap = Gap { to: Some(to), begins, loss: Loss::Lost };
        segments.skip(&mut out.blocks, direction, (to - from, gap), time, &[]);
    }
}

/// Writes bytes of a direction; returns their extents.
fn append(
    segments: &mut Segments,
    out: &mut FilePreamble,
    direction: Direction,
    mut offset: u64,
    bytes: &[u8],
    time: Time,
) -> Vec<Extent> {
    let mut extents = Vec::new();
    for piece in bytes.chunks(MAX_SEGMENT) {
        let position = segments.data(&mut out.blocks, direction, piece, time, &[]);
        extents.push(Extent::new(offset, position as u64, piece.len()));
        offset += piece.len() as u64;
    }
    extents
}
