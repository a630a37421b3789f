//! Segments in any order: which bytes are next, which wait for missing ones, which are lost.

use super::direction::{CERTAIN, Piece, Side};
use super::flow::HeldBack;
use super::segment::Segment;
use super::{Flows, MANY, stream_offset};
use crate::capture::import::link::TcpHead;
use crate::proto::dissected::{Direction, EndReason};
use crate::proto::time::Time;

/// How many waiting pieces are compared with a segment that overlaps them.
const MAX_COMPARED: usize = 64;

/// For how many segments of the connection the server's bytes are held back.
const MAX_HELD_BACK: u64 = 16;

/// The same for a connection that is decrypted: longer than it takes until missing bytes are lost. Decrypted bytes need not have a gap
/// after a loss, so that only their order shows that a request came before its response.
const MAX_HELD_BACK_ENCRYPTED: u64 = 2 * CERTAIN;

/// The longest request that the server's bytes are held back for, in bytes.
const MAX_REQUEST: u64 = 1 << 20;

impl Flows {
    /// Feeds a segment if its bytes are next, keeps it if earlier bytes are missing, and compares repeated bytes with the first ones.
    #[inline]
    pub(super) fn place(&mut self, i: usize, direction: Direction, offset: i64, segment: &Segment<'_>) {
        let Segment { tcp, payload, position, time, .. } = segment;
        let side = &mut self.flows[i].sides[direction.index()];
        let taken = side.taken;
        let end = stream_offset(offset + i64::from(tcp.wire_len));
        side.reached(end);
        let cut = tcp.wire_len.saturating_sub(u32::try_from(payload.len()).unwrap_or(u32::MAX));
        if offset == taken.cast_signed() && !side.waits() && cut == 0 && !self.hold_back(i, direction, tcp) {
            return self.feed(i, direction, payload, *position, *time);
        }
        // Bytes before the first byte of the stream are left out.
        let skip = usize::try_from(-offset).unwrap_or(0);
        let begin = stream_offset(offset);
        let captured = payload.get(skip..);
        let payload = captured.unwrap_or_default();
        if offset < taken.cast_signed() {
            // A probe repeats the last byte, or another one in its place (RFC 9293 §3.8.4).
            if end <= taken && tcp.wire_len <= 1 {
                return;
            }
            self.compare_with_taken(i, direction, begin, payload);
        }
        if end <= taken {
            return;
        }
        let captured_end = begin + payload.len() as u64;
        if !payload.is_empty() && captured_end > taken {
            let len = u32::try_from(payload.len()).unwrap_or(u32::MAX);
            let piece = Piece { position: Some(position + skip as u64), len, time: *time };
            let overlaps = self.flows[i].sides[direction.index()].keep(begin, piece);
            self.compare_with_waiting(i, direction, payload, &overlaps);
        }
        if cut > 0 && captured.is_some() {
            let missing = Piece { position: None, len: cut, time: *time };
            self.flows[i].sides[direction.index()].keep(captured_end, missing);
        }
        self.settle(i, direction, *time);
    }

    /// Returns true if the server's bytes before the upgrade have to wait: they acknowledge a request that was not captured yet.
    #[inline]
    fn hold_back(&mut self, i: usize, direction: Direction, tcp: &TcpHead) -> bool {
        let flow = &mut self.flows[i];
        let upgraded = flow.connection.as_ref().is_none_or(|connection| connection.about().websocket);
        let is_encrypted = !flow.layers.is_empty();
        if direction == Direction::ClientToServer || upgraded || !(flow.begun || is_encrypted) || !tcp.flags.ack {
            return false;
        }
        let client = &mut flow.sides[0];
        let until_offset = stream_offset(client.offset(tcp.ack, false, false));
        // One byte more can be the client's FIN.
        if until_offset <= client.taken + 1 || until_offset > client.taken + MAX_REQUEST {
            return false;
        }
        let segments = if is_encrypted { MAX_HELD_BACK_ENCRYPTED } else { MAX_HELD_BACK };
        flow.held_back.get_or_insert(HeldBack { until_offset, until_segments: flow.segments + segments });
        true
    }

    /// Compares the part of a segment that was taken before with the bytes that were taken.
    fn compare_with_taken(&mut self, i: usize, direction: Direction, begin: u64, payload: &[u8]) {
        let flow = &self.flows[i];
        let Some(number) = flow.number else { return };
        let repeated = flow.sides[direction.index()].taken.saturating_sub(begin);
        let again = &payload[..payload.len().min(usize::try_from(repeated).unwrap_or(usize::MAX))];
        let before = match flow.latest[direction.index()] {
            Some(latest)
                if begin >= latest.offset && begin + again.len() as u64 <= latest.offset + u64::from(latest.len) =>
            {
                self.capture.read_file(latest.position + (begin - latest.offset), again.len())
            }
            // Its stream consists of decrypted bytes.
            _ if !flow.layers.is_empty() => return,
            _ => {
                self.commit();
                self.capture.stream(number, direction, begin, again.len() as u64)
            }
        };
        self.report_differences(i, direction, again, &before.unwrap_or_default());
    }

    fn compare_with_waiting(&mut self, i: usize, direction: Direction, payload: &[u8], overlaps: &[(u64, Piece)]) {
        for (at, piece) in overlaps.iter().take(MAX_COMPARED) {
            let Some(position) = piece.position else { continue };
            let before = self.capture.read_file(position, piece.len as usize).unwrap_or_default();
            let again = usize::try_from(*at).ok().and_then(|at| payload.get(at..)).unwrap_or_default();
            self.report_differences(i, direction, again, &before);
        }
    }

    fn report_differences(&mut self, i: usize, direction: Direction, again: &[u8], before: &[u8]) {
        let differing = again.iter().zip(before).filter(|(one, other)| one != other).count();
        if differing > 0 {
            self.overlapped(i, direction, differing as u64);
        }
    }

    /// A segment repeated bytes of a direction with different content: `differing` bytes differ.
    pub(super) fn overlapped(&mut self, i: usize, direction: Direction, differing: u64) {
        if let Some(connection) = &mut self.flows[i].connection {
            connection.overlapped(direction, differing);
        }
    }

    /// Feeds the waiting pieces that are next, after a gap if the bytes before them are lost. Ends the direction when its FIN is reached.
    pub(super) fn settle(&mut self, i: usize, direction: Direction, now: Time) {
        loop {
            let flow = &mut self.flows[i];
            if let Some(held_back) = flow.held_back.filter(|_| direction == Direction::ServerToClient) {
                if flow.sides[0].taken < held_back.until_offset && flow.segments < held_back.until_segments {
                    return;
                }
                flow.held_back = None;
            }
            let over = flow.sides.iter().all(|side| side.fin.is_some());
            let side = &mut flow.sides[direction.index()];
            let Some((offset, piece)) = side.first_waiting() else { break };
            let missing = offset.saturating_sub(side.taken);
            if missing > 0 && !side.is_lost(offset, flow.segments, over, now) || self.is_later(i, direction, piece.time)
            {
                break;
            }
            if missing > 0 {
                self.gap(i, direction, missing, piece.time);
                if direction == Direction::ClientToServer {
                    self.release_held_back(i);
                    continue;
                }
            }
            self.feed_waiting(i, direction);
        }
        let sides = &self.flows[i].sides;
        // While earlier bytes of the other direction are missing, they can still change how this one is read.
        let answered = !sides[direction.opposite().index()].waits();
        let side = &sides[direction.index()];
        if let Some((_, time)) = side.fin.filter(|(offset, _)| answered && *offset <= side.taken) {
            self.end(i, direction, EndReason::Fin, time);
        }
    }

    /// Returns true if waiting bytes of the other direction are earlier than the next ones, captured at `time`, and can decide how those
    /// are read: both directions lack bytes, and the connection was not upgraded yet.
    fn is_later(&self, i: usize, direction: Direction, time: Time) -> bool {
        let flow = &self.flows[i];
        let [side, other] = [direction, direction.opposite()].map(|direction| &flow.sides[direction.index()]);
        let is_upgraded = flow.connection.as_ref().is_none_or(|connection| connection.about().websocket);
        !is_upgraded && !side.is_full() && other.first_waiting().is_some_and(|(_, piece)| piece.time < time)
    }

    /// A part of the request for which the server's bytes were held back is lost: feeds the next bytes of both sides in the order of
    /// their times, as long as no others are missing.
    fn release_held_back(&mut self, i: usize) {
        if self.flows[i].held_back.take().is_none() {
            return;
        }
        loop {
            let sides = &self.flows[i].sides;
            let next = |direction: &Direction| {
                let side = &sides[direction.index()];
                let (offset, piece) = side.first_waiting()?;
                (offset <= side.taken).then_some((piece.time, *direction))
            };
            let Some((_, direction)) = Direction::BOTH.iter().filter_map(next).min() else { return };
            self.feed_waiting(i, direction);
        }
    }

    /// Feeds the waiting pieces of these directions after gaps, and what is missing at their ends: no more segments follow.
    pub(super) fn flush(&mut self, i: usize, directions: &[Direction]) {
        self.feed_all_waiting(i, directions);
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

    /// Feeds the waiting pieces of these directions after gaps, in the order of their times.
    pub(super) fn feed_all_waiting(&mut self, i: usize, directions: &[Direction]) {
        self.feed_waiting_while(i, |_, direction| directions.contains(&direction));
    }

    /// Feeds the waiting pieces after gaps, in the order of their times, while `is_due` holds for one of the directions.
    pub(super) fn feed_waiting_while(&mut self, i: usize, is_due: impl Fn(&Side, Direction) -> bool) {
        self.flows[i].held_back = None;
        loop {
            let sides = &self.flows[i].sides;
            let waiting = |direction: Direction| {
                let side = &sides[direction.index()];
                let (offset, piece) = side.first_waiting().filter(|_| is_due(side, direction))?;
                Some((piece.time, direction, offset))
            };
            let Some((time, direction, offset)) = Direction::BOTH.into_iter().filter_map(waiting).min() else { break };
            let missing = offset.saturating_sub(sides[direction.index()].taken);
            self.gap(i, direction, missing, time);
            self.feed_waiting(i, direction);
            if self.batch.len() > MANY {
                self.commit();
            }
        }
    }

    /// Feeds the first waiting piece, which is next.
    fn feed_waiting(&mut self, i: usize, direction: Direction) {
        let Some(piece) = self.flows[i].sides[direction.index()].next_waiting() else { return };
        let read = piece.position.map(|position| (position, self.capture.read_file(position, piece.len as usize)));
        match read {
            Some((position, Ok(bytes))) => self.feed(i, direction, &bytes, position, piece.time),
            _ => self.gap(i, direction, u64::from(piece.len), piece.time),
        }
    }
}
