//! Segments in any order: which bytes come next, which wait, which are missing for good.

use super::direction::Piece;
use super::segment::Segment;
use super::{Flows, MANY};
use crate::capture::import::link::TcpHead;
use crate::proto::dissected::{Direction, EndReason};
use crate::proto::time::Time;

/// How many pieces that wait are held against a segment which overlaps them.
const MAX_COMPARED: usize = 64;

/// How many segments of its connection the beginning of what a server says waits for the request that it acknowledges.
const MAX_HELD_BACK: u64 = 16;

impl Flows {
    /// Feeds a segment that comes next, keeps one that comes early, holds what is known against what came first.
    #[inline]
    pub(super) fn place(&mut self, i: usize, direction: Direction, offset: i64, segment: &Segment<'_>) {
        let Segment { tcp, payload, position, time, .. } = segment;
        let side = &mut self.flows[i].sides[direction.index()];
        let end = offset + i64::from(tcp.wire_len);
        side.reached(end.max(0) as u64);
        let taken = side.taken as i64;
        let waits = side.waits();
        let cut = (tcp.wire_len as usize).saturating_sub(payload.len()) as u32;
        if offset == taken && !waits && cut == 0 && !self.hold_back(i, direction, tcp) {
            return self.feed(i, direction, payload, *position, *time);
        }
        if offset < taken {
            // A probe repeats the last byte, or another one in its place (RFC 9293 §3.8.4).
            if end <= taken && tcp.wire_len <= 1 {
                return;
            }
            self.compare_with_taken(i, direction, offset, payload);
        }
        if end <= taken {
            return;
        }
        let skip = (-offset).max(0);
        let captured = Piece { position: Some(*position), len: payload.len() as u32, time: *time };
        let missing = Piece { position: None, len: cut, time: *time };
        if (payload.len() as i64) > skip {
            let from = (offset + skip) as u64;
            let piece = Piece { position: Some(position + skip as u64), len: captured.len - skip as u32, ..captured };
            if from + u64::from(piece.len) > taken as u64 {
                let overlaps = self.flows[i].sides[direction.index()].keep(from, piece);
                self.compare_with_waiting(i, direction, &payload[skip as usize..], &overlaps);
            }
        }
        let from = offset + payload.len() as i64;
        if cut > 0 && from >= 0 {
            self.flows[i].sides[direction.index()].keep(from as u64, missing);
        }
        self.settle(i, direction, *time);
    }

    /// Whether the server's first bytes have to wait: they acknowledge a request that the file has not shown yet.
    #[inline]
    fn hold_back(&mut self, i: usize, direction: Direction, tcp: &TcpHead) -> bool {
        let flow = &mut self.flows[i];
        let [client, server] = &mut flow.sides;
        if direction == Direction::ClientToServer || server.taken > 0 || !flow.begun || !tcp.flags.ack {
            return false;
        }
        let asked = client.offset(tcp.ack, false, false);
        // One more may be the client's FIN.
        if asked <= client.taken as i64 + 1 || asked > client.taken as i64 + (1 << 20) {
            return false;
        }
        flow.held_back.get_or_insert((asked as u64, flow.segments + MAX_HELD_BACK));
        true
    }

    /// Holds the part of a segment that was taken before against what was taken.
    fn compare_with_taken(&mut self, i: usize, direction: Direction, offset: i64, payload: &[u8]) {
        let flow = &self.flows[i];
        let Some(number) = flow.number else { return };
        let taken = flow.sides[direction.index()].taken as i64;
        let skip = (-offset).max(0).min(payload.len() as i64);
        let again = &payload[skip as usize..payload.len().min((taken - offset).max(0) as usize)];
        let from = (offset + skip) as u64;
        let before = match flow.latest[direction.index()] {
            Some(latest)
                if from >= latest.offset && from + again.len() as u64 <= latest.offset + u64::from(latest.len) =>
            {
                self.capture.read_file(latest.position + (from - latest.offset), again.len())
            }
            _ => {
                self.commit();
                self.capture.stream(number, direction, from, again.len() as u64)
            }
        };
        self.tell_differences(i, direction, again, &before.unwrap_or_default());
    }

    fn compare_with_waiting(&mut self, i: usize, direction: Direction, payload: &[u8], overlaps: &[(u64, Piece)]) {
        for (at, piece) in overlaps.iter().take(MAX_COMPARED) {
            let Some(position) = piece.position else { continue };
            let before = self.capture.read_file(position, piece.len as usize).unwrap_or_default();
            self.tell_differences(i, direction, &payload[*at as usize..], &before);
        }
    }

    fn tell_differences(&mut self, i: usize, direction: Direction, again: &[u8], before: &[u8]) {
        let differing = again.iter().zip(before).filter(|(one, other)| one != other).count();
        if differing > 0 {
            self.flows[i].connection.overlapped(direction, differing as u64);
        }
    }

    /// Feeds what waited and is next now, behind a gap where that is certain; ends the side when its FIN is reached.
    pub(super) fn settle(&mut self, i: usize, direction: Direction, now: Time) {
        loop {
            let flow = &mut self.flows[i];
            if let Some((offset, until)) = flow.held_back.filter(|_| direction == Direction::ServerToClient) {
                if flow.sides[0].taken < offset && flow.segments < until {
                    return;
                }
                flow.held_back = None;
            }
            let over = flow.sides.iter().all(|side| side.fin.is_some());
            let side = &mut flow.sides[direction.index()];
            let Some((offset, piece)) = side.first_waiting() else { break };
            if offset > side.taken {
                if !side.is_lost(offset, flow.segments, over, now) {
                    break;
                }
                let missing = offset - side.taken;
                self.gap(i, direction, missing, piece.time);
                if direction == Direction::ClientToServer {
                    self.give_back(i, piece.time);
                }
            }
            self.feed_waiting(i, direction);
        }
        let sides = &self.flows[i].sides;
        // What the other side said before, and waits for something missing, may tell what was said here.
        let answered = !sides[direction.opposite().index()].waits();
        let side = &sides[direction.index()];
        if let Some((_, time)) = side.fin.filter(|(offset, _)| answered && *offset <= side.taken) {
            self.end(i, direction, EndReason::Fin, time);
        }
    }

    /// The request for which the server's first bytes waited is missing: what they say until `time` comes first.
    fn give_back(&mut self, i: usize, time: Time) {
        if self.flows[i].held_back.take().is_none() {
            return;
        }
        let server = Direction::ServerToClient;
        while let Some((offset, piece)) = self.flows[i].sides[server.index()].first_waiting()
            && offset <= self.flows[i].sides[server.index()].taken
            && piece.time <= time
        {
            self.feed_waiting(i, server);
        }
    }

    /// Nothing more comes in these directions: what waits is read behind gaps, in the order in which it was seen.
    pub(super) fn flush(&mut self, i: usize, directions: &[Direction]) {
        self.flows[i].held_back = None;
        loop {
            let sides = &self.flows[i].sides;
            let waiting = |direction: &Direction| {
                let (offset, piece) = sides[direction.index()].first_waiting()?;
                Some((piece.time, *direction, offset))
            };
            let Some((time, direction, offset)) = directions.iter().filter_map(waiting).min() else { break };
            let missing = offset.saturating_sub(sides[direction.index()].taken);
            self.gap(i, direction, missing, time);
            self.feed_waiting(i, direction);
            if self.batch.len() > MANY {
                self.commit();
            }
        }
        for direction in directions {
            let side = &self.flows[i].sides[direction.index()];
            if side.ended {
                continue;
            }
            let (missing, fin) = (side.missing_at_end(), side.fin);
            if self.flows[i].number.is_some() {
                self.gap(i, *direction, missing, self.last);
            }
            if let Some((_, time)) = fin {
                self.end(i, *direction, EndReason::Fin, time);
            }
        }
    }

    /// Feeds the first piece that waits, which comes next.
    fn feed_waiting(&mut self, i: usize, direction: Direction) {
        let Some(piece) = self.flows[i].sides[direction.index()].next_waiting() else { return };
        let read = piece.position.map(|position| (position, self.capture.read_file(position, piece.len as usize)));
        match read {
            Some((position, Ok(bytes))) => self.feed(i, direction, &bytes, position, piece.time),
            _ => self.gap(i, direction, u64::from(piece.len), piece.time),
        }
    }
}
