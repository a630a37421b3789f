//! TCP reassembly: segments in any order become streams, and those become records (RFC 9293 §3.4, §3.10).
//!
//! Segments that wait for an earlier one are kept as file positions. First bytes win where segments overlap. Bytes that are
//! missing for good become a gap: see [`Side::is_lost`].

mod direction;
mod ingest;
mod order;
pub mod segment;

use std::collections::HashMap;
use std::net::SocketAddr;

use self::direction::Side;
use self::segment::Segment;
use super::ImportOptions;
use super::link::TcpHead;
use crate::capture::format::file_markers::Marker;
use crate::capture::format::pcapng::MAX_STREAM;
use crate::capture::store::Capture;
use crate::capture::store::index::{Extent, IndexBatch};
use crate::proto::connection::Connection;
use crate::proto::dissected::{Direction, DissectedRecord, EndReason};
use crate::proto::resync;
use crate::proto::rules::count;
use crate::proto::time::Time;
use crate::wire::http;

/// How much is entered at once at the end of the file, or of a connection.
const MANY: usize = 4096;

/// All connections of a file.
pub struct Flows {
    capture: Capture,
    options: ImportOptions,
    /// By the two ends, the smaller first. An ended connection is replaced by the next on the same ends.
    by_ends: HashMap<(SocketAddr, SocketAddr), usize>,
    flows: Vec<Flow>,
    /// Waits for [`Flows::commit`].
    batch: IndexBatch,
    /// Which record of the batch is TLS; the first of all alone.
    tls_record: Option<usize>,
    records: Vec<DissectedRecord>,
    last: Time,
    /// Bytes behind the end of their direction.
    late: u64,
    tls_told: bool,
    port_told: bool,
}

struct Flow {
    client: SocketAddr,
    server: SocketAddr,
    /// From the first payload on.
    number: Option<u32>,
    connection: Connection,
    sides: [Side; 2],
    segments: u64,
    /// Whether its beginning (a SYN) was seen.
    begun: bool,
    is_tls: bool,
    /// Whether it begins in the middle of something that is not read: see [`ImportOptions::port`].
    is_mid_stream: bool,
    /// The server's first bytes wait until the client's stream is there up to this offset, or until so many segments came.
    held_back: Option<(u64, u64)>,
    /// The latest bytes that were taken of each side.
    latest: [Option<Extent>; 2],
}

impl Flows {
    pub fn new(capture: Capture, options: ImportOptions) -> Self {
        let batch = capture.batch();
        Self {
            capture,
            options,
            by_ends: HashMap::new(),
            flows: Vec::new(),
            batch,
            tls_record: None,
            records: Vec::new(),
            last: Time::default(),
            late: 0,
            tls_told: false,
            port_told: false,
        }
    }

    /// Takes the next segment of the file.
    #[inline]
    pub fn take(&mut self, segment: Segment<'_>) {
        self.last = self.last.max(segment.time);
        let Some(i) = self.flow_of(&segment) else { return };
        let Segment { tcp, time, .. } = &segment;
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
        let data_seq = tcp.seq.wrapping_add(u32::from(tcp.flags.syn));
        let offset = side.offset(data_seq, tcp.flags.syn, tcp.wire_len > 0);
        let end = offset + i64::from(tcp.wire_len);
        if tcp.flags.fin && side.fin.is_none() && end >= side.taken as i64 {
            side.fin = Some((end as u64, *time));
        }
        if side.repeats {
            // Until it is told how far the stream is.
        } else if side.ended {
            self.late += (end - (side.taken as i64).max(offset)).max(0) as u64;
        } else if tcp.wire_len > 0 {
            self.place(i, direction, offset, &segment);
        }
        let unsettled = |side: &Side| side.waits() || side.fin.is_some() && !side.ended;
        let unsettled = self.flows[i].sides.each_ref().map(unsettled);
        for direction in [direction.opposite(), direction] {
            if unsettled[direction.index()] {
                self.settle(i, direction, *time);
            }
        }
        self.close(i, direction, offset, &segment);
        if let Some(note) = segment.notes.into_iter().next().filter(|_| !segment.tcp.flags.rst) {
            self.batch.note(note);
        }
    }

    /// What a segment says of the end of its direction, or of both.
    #[inline]
    fn close(&mut self, i: usize, direction: Direction, offset: i64, segment: &Segment<'_>) {
        if segment.tcp.flags.rst {
            self.reset(i, direction, segment);
        }
        match segment.marker {
            Some(Marker::End) => {
                self.flush(i, &[direction]);
                self.end(i, direction, EndReason::Capture, segment.time);
            }
            Some(Marker::Gap(gap)) => {
                self.flush(i, &[direction]);
                let side = &mut self.flows[i].sides[direction.index()];
                if let Some(to) = gap.to {
                    side.place(segment.tcp.seq, to);
                }
                let to = gap.to.unwrap_or_else(|| u64::try_from(offset).unwrap_or(0));
                let missing = to.saturating_sub(side.taken);
                if !side.ended && !side.repeats && to <= MAX_STREAM {
                    self.gap(i, direction, missing, segment.time);
                    self.begins(i, direction, gap.begins);
                }
            }
            Some(Marker::Overlap { bytes }) => self.flows[i].connection.overlapped(direction, bytes),
            Some(Marker::InitialSequence { .. } | Marker::Reconstructed { .. }) | None => {}
        }
    }

    /// Ends both directions. The notes on the packet belong to the ends that have not come before: the last note to the last end.
    fn reset(&mut self, i: usize, direction: Direction, segment: &Segment<'_>) {
        self.flush(i, &Direction::BOTH);
        self.flows[i].connection.reset_by(direction);
        let mut ends = [direction, direction.opposite()]
            .into_iter()
            .filter(|side| !self.flows[i].sides[side.index()].ended)
            .count();
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

    /// The file ends: what waits is read behind gaps, and every open direction ends. What there is to say about that.
    pub fn finish(&mut self) -> Vec<String> {
        for i in 0..self.flows.len() {
            self.flush(i, &Direction::BOTH);
            for direction in Direction::BOTH {
                self.end(i, direction, EndReason::Capture, self.last);
            }
            if self.batch.len() > MANY {
                self.commit();
            }
        }
        self.commit();
        let late = (self.late > 0)
            .then(|| format!("{} came behind the end of their connection and are not shown", count(self.late, "byte")));
        late.into_iter().collect()
    }

    /// The flow that a segment belongs to; none while it is not clear which side is the client.
    #[inline]
    fn flow_of(&mut self, segment: &Segment<'_>) -> Option<usize> {
        let TcpHead { source, destination, flags, seq, .. } = segment.tcp;
        let ends = (source.min(destination), source.max(destination));
        let opens = flags.syn && !flags.ack;
        if let Some(i) = self.by_ends.get(&ends).copied() {
            let flow = &self.flows[i];
            let sender = usize::from(source != flow.client);
            let again = match opens {
                true => {
                    let syn = segment.initial_sequence().unwrap_or(seq);
                    flow.sides[sender].is_new(syn, &flow.sides[1 - sender])
                }
                // A request behind the end of both sides: its SYN is missing.
                false => {
                    let over = flow.sides.iter().all(|side| side.ended);
                    over && is_request(segment.payload) && !flow.sides[sender].was_taken(seq)
                }
            };
            if !again {
                return Some(i);
            }
            self.flush(i, &Direction::BOTH);
            for direction in Direction::BOTH {
                self.end(i, direction, EndReason::Capture, segment.time);
            }
        }
        let from_client = match (opens, flags.syn) {
            (true, _) => true,
            (false, true) => false,
            _ if segment.payload.is_empty() => return None,
            _ => self.is_from_client(segment),
        };
        let (client, server) = if from_client { (source, destination) } else { (destination, source) };
        self.flows.push(Flow {
            client,
            server,
            number: None,
            connection: Connection::new(Some(server)),
            sides: Default::default(),
            segments: 0,
            begun: flags.syn,
            is_tls: false,
            is_mid_stream: false,
            held_back: None,
            latest: [None; 2],
        });
        self.by_ends.insert(ends, self.flows.len() - 1);
        Some(self.flows.len() - 1)
    }

    /// Whether the first segment of a connection whose SYN is missing comes from the client: what `--port` says, then MASK of
    /// frames that stand in it, then what HTTP looks like.
    fn is_from_client(&self, segment: &Segment<'_>) -> bool {
        let TcpHead { source, destination, .. } = segment.tcp;
        let ports = [source, destination].map(|end| Some(end.port()) == self.options.port);
        let is = |direction| resync::begins_with_frame(segment.payload, direction, true);
        match ports {
            [true, false] => false,
            [false, true] => true,
            _ if is(Direction::ClientToServer) => true,
            _ if is(Direction::ServerToClient) => false,
            _ => !http::may_be_response(segment.payload),
        }
    }
}

/// Whether bytes begin as a request does: a method and a space.
fn is_request(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(u8::is_ascii_uppercase) && http::may_be_request(bytes)
}
