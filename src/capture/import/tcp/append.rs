//! Payload without sequence numbers: other programs exported it from streams that they had put in order.

use std::ops::Range;

use super::flow::Flow;
use super::segment::Segment;
use super::{Flows, is_request};
use crate::capture::format::sequence::SeqNumber;
use crate::capture::import::link::TcpHead;
use crate::proto::connection::Connection;
use crate::proto::dissected::Direction;

impl Flows {
    /// Takes payload that continues its direction.
    ///
    /// Wireshark exports a PDU that it has reassembled from several pieces again as a whole, after it exported the first piece. So
    /// payload that begins with all bytes of the unfinished record repeats them.
    pub fn append(&mut self, mut segment: Segment<'_>) {
        let TcpHead { source, destination, .. } = segment.tcp;
        let ends = (source.min(destination), source.max(destination));
        if let Some(i) = self.by_ends.get(&ends).copied() {
            let from_client = source == self.flows[i].client;
            let direction = if from_client { Direction::ClientToServer } else { Direction::ServerToClient };
            if self.begins_connection(i, direction, segment.payload) {
                self.end_flow(i, segment.time);
                self.by_ends.remove(&ends);
                self.latest = None;
            } else {
                segment.tcp.seq = self.next_seq(i, direction, segment.payload);
            }
        }
        self.take(segment);
    }

    /// The sequence number of payload: that of the next byte, or of the unfinished record which it repeats.
    fn next_seq(&mut self, i: usize, direction: Direction, payload: &[u8]) -> SeqNumber {
        let flow = &self.flows[i];
        let taken = flow.sides[direction.index()].taken;
        let start = flow.connection.as_ref().map_or(taken, |connection| connection.record_start(direction).min(taken));
        let offset = if self.repeats(i, direction, start..taken, payload) { start } else { taken };
        self.flows[i].sides[direction.index()].seq(offset)
    }

    /// Returns true if payload is the request of another connection on the same addresses: it follows a frame, or the
    /// end of the connection.
    fn begins_connection(&self, i: usize, direction: Direction, payload: &[u8]) -> bool {
        let Flow { connection, sides, .. } = &self.flows[i];
        let is_between_frames = |connection: &Connection| {
            connection.about().websocket && connection.record_start(direction) == sides[direction.index()].taken
        };
        direction == Direction::ClientToServer
            && connection.as_deref().is_none_or(is_between_frames)
            && is_request(payload)
    }

    /// Returns true if payload begins with this part of the stream, and is longer.
    fn repeats(&mut self, i: usize, direction: Direction, part: Range<u64>, payload: &[u8]) -> bool {
        let len = part.end - part.start;
        let Some(number) = self.flows[i].number else { return false };
        if len == 0 || payload.len() as u64 <= len {
            return false;
        }
        self.commit();
        self.capture.stream(number, direction, part.start, len).is_ok_and(|bytes| payload.starts_with(&bytes))
    }
}
