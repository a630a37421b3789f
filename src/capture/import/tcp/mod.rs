//! TCP reassembly (RFC 9293 §3.4, §3.10): puts segments into the order of their streams, and feeds the streams to the dissectors.
//!
//! Segments after missing bytes are kept as file positions. Where segments overlap, the first bytes count. Bytes that are lost
//! become a gap: see [`Side::is_lost`].

mod append;
mod direction;
mod encrypted;
mod flow;
mod forget;
mod held;
mod ingest;
mod networks;
mod opening;
mod openings;
mod order;
pub mod segment;
mod undecided;

use std::collections::HashMap;
use std::net::SocketAddr;

use self::direction::Side;
use self::flow::Flow;
use self::networks::Tenants;
use self::opening::Opening;
use self::segment::Segment;
use self::undecided::Decision;
use super::link::TcpHead;
use super::options::ImportOptions;
use super::tls::{Decryption, Output};
use crate::capture::format::file_markers::Marker;
use crate::capture::format::pcapng::MAX_STREAM;
use crate::capture::store::Capture;
use crate::capture::store::index::IndexBatch;
use crate::proto::connection::Connection;
use crate::proto::dissected::{Direction, DissectedRecord, EndReason, Missing};
use crate::proto::resync;
use crate::proto::rules::count;
use crate::proto::time::Time;
use crate::wire::http;
use crate::wire::tls::{self, Protection};

/// How many index changes are collected at the end of the file, or of a connection, before they are committed.
const MANY: usize = 4096;

/// Two addresses, the smaller one first.
type Ends = (SocketAddr, SocketAddr);

/// Reassembles the connections of a file.
pub struct Flows {
    capture: Capture,
    options: ImportOptions,
    /// Positions in `flows` of the latest connection between two addresses. The next connection replaces an ended one.
    by_ends: HashMap<Ends, usize, foldhash::fast::RandomState>,
    /// The flow of the latest segment. Most segments belong to the flow of the segment before them.
    latest: Option<usize>,
    /// The other connections between two addresses, if virtual networks keep them apart.
    tenants: HashMap<Ends, Tenants>,
    flows: Vec<Flow>,
    /// Index changes for the next [`Flows::commit`].
    batch: IndexBatch,
    decryption: Decryption,
    /// What decrypting yielded.
    output: Output,
    /// Positions in `flows` of connections that wait for secrets.
    awaiting: Vec<usize>,
    /// How many steps of connections are held until it is known whether they can be decrypted.
    held: usize,
    records: Vec<DissectedRecord>,
    last: Time,
    /// Bytes after the end of their direction.
    late: u64,
    port_reported: bool,
    /// Whether the capture is a ring: see [`Self::keep_openings`].
    keeps_openings: bool,
    /// The connections that were upgraded since the latest commit, in a ring.
    upgraded: Vec<u32>,
}

impl Flows {
    pub fn new(capture: Capture, options: ImportOptions, decryption: Decryption) -> Self {
        let batch = capture.batch();
        Self {
            capture,
            options,
            by_ends: HashMap::default(),
            latest: None,
            tenants: HashMap::new(),
            flows: Vec::new(),
            batch,
            decryption,
            output: Output::default(),
            awaiting: Vec::new(),
            held: 0,
            records: Vec::new(),
            last: Time::default(),
            late: 0,
            port_reported: false,
            keeps_openings: false,
            upgraded: Vec::new(),
        }
    }

    /// Takes the next segment of the file.
    #[inline]
    pub fn take(&mut self, mut segment: Segment<'_>) {
        self.last = self.last.max(segment.time);
        let latest = self.latest.filter(|i| self.flows[*i].goes_on_with(&segment.tcp));
        let Some(i) = latest.or_else(|| self.flow_of(&segment)) else { return };
        self.latest = Some(i);
        let (tcp, time) = (segment.tcp, segment.time);
        let note = if tcp.flags.rst || segment.notes.is_empty() { None } else { Some(segment.notes.swap_remove(0)) };
        let flow = &mut self.flows[i];
        flow.segments += 1;
        let direction = if tcp.source == flow.client { Direction::ClientToServer } else { Direction::ServerToClient };
        if tcp.flags.ack {
            flow.sides[direction.opposite().index()].acknowledged(tcp.ack);
        }
        let side = &mut flow.sides[direction.index()];
        if let Some(first) = segment.initial_sequence() {
            side.begin_again(first, tcp.seq);
        }
        let data_seq = tcp.seq + u64::from(tcp.flags.syn);
        let offset = side.offset(data_seq, tcp.flags.syn, tcp.wire_len > 0);
        let end = offset + i64::from(tcp.wire_len);
        if tcp.flags.fin && side.fin.is_none() && end >= side.taken.cast_signed() {
            side.fin = Some((stream_offset(end), time));
        }
        // A note belongs to the record that contains the last byte of the packet, which may not be complete yet.
        let is_new = tcp.wire_len > 0 && !side.ended && !side.repeats && stream_offset(end) > side.taken;
        let note = match note {
            Some(note) if is_new => {
                let notes = if !flow.layers.is_empty() { &mut flow.encrypted_notes } else { &mut flow.notes };
                notes[direction.index()].entry(stream_offset(end)).or_insert(note);
                None
            }
            note => note,
        };
        if side.repeats {
            // A marker gives the offset later.
        } else if side.ended {
            self.late += stream_offset(end).saturating_sub(side.taken.max(stream_offset(offset)));
        } else if tcp.wire_len > 0 {
            flow.outstanding = segment.marker == Some(Marker::Outstanding);
            self.place(i, direction, offset, &segment);
            self.flows[i].outstanding = false;
        }
        let unsettled = |side: &Side| side.waits() || side.fin.is_some() && !side.ended;
        let unsettled = self.flows[i].sides.each_ref().map(unsettled);
        for direction in [direction.opposite(), direction] {
            if unsettled[direction.index()] {
                self.settle(i, direction, time);
            }
        }
        self.close(i, direction, offset, &segment);
        if self.keeps_openings {
            self.add_to_opening(i, segment.block);
        }
        if let Some(note) = note {
            self.batch.note(note);
        }
    }

    /// Handles the RST and the marker of a segment.
    #[inline]
    fn close(&mut self, i: usize, direction: Direction, offset: i64, segment: &Segment<'_>) {
        if segment.tcp.flags.rst {
            self.reset(i, direction, segment);
        }
        match segment.marker {
            Some(Marker::End { reset }) => {
                self.flush(i, &[direction]);
                let reason = if reset { EndReason::Rst } else { EndReason::Capture };
                self.end(i, direction, reason, segment.time);
            }
            Some(Marker::Gap(gap)) => {
                self.flush(i, &[direction]);
                let side = &mut self.flows[i].sides[direction.index()];
                if let Some(to) = gap.to {
                    side.place(segment.tcp.seq, to);
                }
                let to = gap.to.unwrap_or_else(|| stream_offset(offset));
                let missing = to.saturating_sub(side.taken);
                if !side.ended && !side.repeats && to <= MAX_STREAM {
                    self.gap(i, direction, Missing { bytes: missing, loss: gap.loss }, segment.time);
                    self.begins(i, direction, gap.begins);
                }
            }
            Some(Marker::Record(stated)) => self.state_record(i, direction, stated),
            Some(Marker::Overlap { bytes }) => self.overlapped(i, direction, bytes),
            Some(Marker::Tls(params)) => self.was_encrypted(i, Protection::Between(params)),
            Some(Marker::Decrypted { client, server }) => {
                self.was_encrypted(i, Protection::Terminated { client, server });
            }
            Some(Marker::Outstanding) if segment.payload.is_empty() => {
                if let Some(connection) = &mut self.flows[i].connection {
                    connection.alter(direction.opposite());
                }
            }
            Some(Marker::Delivered) => {
                if let Some(connection) = &mut self.flows[i].connection {
                    connection.deliver();
                }
            }
            Some(
                Marker::InitialSequence { .. }
                | Marker::Outstanding
                | Marker::Note { .. }
                | Marker::Proxied(_)
                | Marker::Reconstructed { .. },
            )
            | None => {}
        }
    }

    /// Ends the directions that have not ended yet. The last note on the packet belongs to the last end, or to the latest record if
    /// both directions had ended before.
    fn reset(&mut self, i: usize, direction: Direction, segment: &Segment<'_>) {
        self.flush(i, &Direction::BOTH);
        if self.flows[i].number.is_none() {
            // It was reset before its first byte, so that it is not in the capture.
            return;
        }
        self.settle_encryption(i, Decision::Closed);
        if let Some(connection) = &mut self.flows[i].connection {
            connection.reset_by(direction);
        }
        let mut ends = [direction, direction.opposite()]
            .into_iter()
            .filter(|side| !self.flows[i].sides[side.index()].ended)
            .count();
        if ends == 0
            && let Some(note) = segment.notes.iter().find(|note| !note.is_empty())
        {
            self.batch.note(note.clone());
        }
        for direction in [direction, direction.opposite()] {
            if self.flows[i].sides[direction.index()].ended {
                continue;
            }
            self.end(i, direction, EndReason::Rst, segment.time);
            ends -= 1;
            let note = segment.notes.len().checked_sub(ends + 1).and_then(|at| segment.notes.get(at));
            if let Some(note) = note.filter(|note| !note.is_empty()) {
                self.batch.note(note.clone());
            }
        }
    }

    /// Reads the segments after missing bytes, and ends every open direction: the file has no more packets. Returns notices for the
    /// user.
    pub fn finish(&mut self) -> Vec<String> {
        self.decryption.look_last();
        for i in 0..self.flows.len() {
            self.end_flow(i, self.last);
            if self.batch.len() > MANY {
                self.commit();
            }
        }
        self.commit();
        let late = (self.late > 0)
            .then(|| format!("{} after the end of their connection are not shown", count(self.late, "byte")));
        late.into_iter().chain(self.decryption.notices()).collect()
    }

    /// Reads the segments after missing bytes, and ends every open direction.
    fn end_flow(&mut self, i: usize, time: Time) {
        self.flush(i, &Direction::BOTH);
        for direction in Direction::BOTH {
            self.end(i, direction, EndReason::Capture, time);
        }
        self.settle_encryption(i, Decision::Over);
    }

    /// The flow of a segment; `None` while it is unknown which side is the client.
    fn flow_of(&mut self, segment: &Segment<'_>) -> Option<usize> {
        let TcpHead { source, destination, flags, seq, .. } = segment.tcp;
        let ends = (source.min(destination), source.max(destination));
        let opens = flags.syn && !flags.ack;
        let (mut before, mut is_beside) = (self.by_ends.get(&ends).copied(), false);
        if let Some(i) = &mut before {
            if self.flows[*i].is_beside_others {
                *i = self.tenant(&ends, *i, segment);
            }
            let i = *i;
            let flow = &self.flows[i];
            let sender = usize::from(source != flow.client);
            let again = match opens {
                true => {
                    let syn = segment.initial_sequence().unwrap_or(seq);
                    flow.sides[sender].is_new(syn, &flow.sides[1 - sender]) || flow.was_over(segment.time)
                }
                // A request after the end of both directions: its SYN is missing.
                false => {
                    let over = flow.sides.iter().all(|side| side.ended);
                    over && is_request(segment.payload) && !flow.sides[sender].was_taken(seq)
                }
            };
            if !again {
                return Some(i);
            }
            is_beside = opens && self.begins_beside(i, &ends, segment);
            if !is_beside {
                self.end_flow(i, segment.time);
            }
        }
        let from_client = match (opens, flags.syn) {
            (true, _) => true,
            (false, true) => false,
            _ if segment.payload.is_empty() => return None,
            _ => self.is_from_client(segment),
        };
        let (client, server) = if from_client { (source, destination) } else { (destination, source) };
        let connection = self.connection(server);
        self.flows.push(Flow::new(client, server, segment.tcp.network, flags.syn, connection));
        if let Some(flow) = self.flows.last_mut().filter(|_| self.keeps_openings) {
            flow.opening = Opening::Pending(Vec::new());
        }
        let new = self.flows.len() - 1;
        self.by_ends.insert(ends, new);
        match before {
            Some(other) if is_beside => self.keep_apart(ends, other, new),
            Some(old) => self.replace(&ends, old, new),
            None => {}
        }
        Some(new)
    }

    /// The dissectors of a connection to this server.
    fn connection(&self, server: SocketAddr) -> Box<Connection> {
        Box::new(Connection::new(Some(server)).assume_deflate(self.options.deflate))
    }

    /// Returns true if the first segment of a connection without SYN comes from the client: by `--port`, else by the MASK bit of its
    /// frames, else by whether it looks like HTTP or TLS.
    fn is_from_client(&self, segment: &Segment<'_>) -> bool {
        let TcpHead { source, destination, .. } = segment.tcp;
        let ports = [source, destination].map(|end| Some(end.port()) == self.options.port);
        let is = |direction| resync::begins_with_frame(segment.payload, direction, true);
        match ports {
            [true, false] => false,
            [false, true] => true,
            _ if is(Direction::ClientToServer) => true,
            _ if is(Direction::ServerToClient) => false,
            _ => !http::may_be_response(segment.payload) && !tls::is_server_hello(segment.payload),
        }
    }
}

/// A stream offset from one that is negative before the first byte.
fn stream_offset(offset: i64) -> u64 {
    u64::try_from(offset).unwrap_or(0)
}

/// Returns true if bytes begin like a request: with a method and a space.
fn is_request(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(u8::is_ascii_uppercase) && http::may_be_request(bytes)
}

#[cfg(test)]
mod tests;
