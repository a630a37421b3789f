//! TCP reassembly: segments in any order become streams, and those become records.
//!
//! Segments that wait for an earlier one are kept as file positions. First bytes win where segments overlap.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

use super::link::TcpHead;
use crate::capture::index::{ConnectionEntry, Extent};
use crate::capture::store::Capture;
use crate::proto::connection::Connection;
use crate::proto::dissected::{Direction, Dissected, How};
use crate::proto::rules::count;
use crate::proto::time::Time;
use crate::wire::http;

/// The flags of a segment that matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags {
    pub syn: bool,
    pub ack: bool,
    pub fin: bool,
    pub rst: bool,
}

/// A TCP segment and its place in the file.
#[derive(Debug)]
pub struct Segment<'a> {
    pub tcp: TcpHead,
    /// What was captured of its payload.
    pub payload: &'a [u8],
    /// File position of the payload's first byte.
    pub position: u64,
    pub time: Time,
    /// A person's comment on the packet.
    pub comment: Option<String>,
    /// Whether the packet says that nothing is known of its direction from here on.
    pub end_of_capture: bool,
}

/// All connections of a file.
pub struct Flows {
    capture: Capture,
    /// By the two ends, the smaller first. An ended connection is replaced by the next on the same ends.
    by_ends: HashMap<(SocketAddr, SocketAddr), usize>,
    flows: Vec<Flow>,
    /// Waits for [`Flows::commit`].
    entered: Vec<Entered>,
    last: Time,
}

struct Flow {
    client: SocketAddr,
    server: SocketAddr,
    /// From the first payload on.
    number: Option<u32>,
    connection: Connection,
    sides: [Side; 2],
}

#[derive(Default)]
struct Side {
    /// Sequence number of the stream's first byte.
    first: Option<u32>,
    /// Stream offset up to which bytes were taken.
    taken: u64,
    /// Segments that wait: stream offset → file position and length, time.
    waiting: BTreeMap<u64, (u64, u32, Time)>,
    /// Stream offset of the FIN.
    fin: Option<(u64, Time)>,
    ended: bool,
}

impl Side {
    /// Keeps a segment that came early. Of one that begins where another does, what goes beyond that one is kept.
    fn keep(&mut self, mut offset: u64, mut position: u64, mut len: u32, time: Time) {
        while let Some((_, had, _)) = self.waiting.get(&offset) {
            let had = *had;
            if len <= had {
                return;
            }
            (offset, position, len) = (offset + u64::from(had), position + u64::from(had), len - had);
        }
        self.waiting.insert(offset, (position, len, time));
    }
}

enum Entered {
    Extent(u32, Direction, Extent),
    Record(u32, Dissected),
    About(u32, usize),
    /// On the latest record.
    Note(String),
}

impl Flows {
    pub fn new(capture: Capture) -> Self {
        Self { capture, by_ends: HashMap::new(), flows: Vec::new(), entered: Vec::new(), last: Time::default() }
    }

    /// Takes the next segment of the file.
    pub fn take(&mut self, segment: Segment<'_>) {
        self.last = self.last.max(segment.time);
        let Some(i) = self.flow_of(&segment) else { return };
        let flow = &mut self.flows[i];
        let direction =
            if segment.tcp.source == flow.client { Direction::ClientToServer } else { Direction::ServerToClient };
        let side = &mut flow.sides[direction.index()];
        let data_seq = segment.tcp.seq.wrapping_add(u32::from(segment.tcp.flags.syn));
        let first = *side.first.get_or_insert(data_seq);
        // The sequence number nearest to what was taken, so that it may wrap.
        let near = first.wrapping_add(side.taken as u32);
        let offset = side.taken as i64 + i64::from(data_seq.wrapping_sub(near) as i32);
        if segment.tcp.flags.fin && side.fin.is_none() && offset >= 0 {
            side.fin = Some((offset as u64 + segment.payload.len() as u64, segment.time));
        }
        if !segment.payload.is_empty() && !side.ended {
            self.place(i, direction, offset, &segment);
        }
        self.settle(i, direction);
        if segment.tcp.flags.rst {
            self.flows[i].connection.reset_by(direction);
            for direction in [direction, direction.opposite()] {
                self.end(i, direction, How::Rst, segment.time);
            }
        }
        if segment.end_of_capture {
            self.end(i, direction, How::Capture, segment.time);
        }
        if let Some(note) = segment.comment {
            self.entered.push(Entered::Note(note));
        }
    }

    /// Enters what was read so far into the capture.
    pub fn commit(&mut self) {
        let mut index = self.capture.index_mut();
        let mut latest = index.totals.records;
        for entered in self.entered.drain(..) {
            match entered {
                Entered::Extent(number, direction, extent) => index.extend(number, direction, extent),
                Entered::Record(number, record) => latest = index.push(number, record),
                Entered::About(number, flow) => {
                    if let Some(entry) = index.connection_mut(number) {
                        entry.about.clone_from(self.flows[flow].connection.about());
                    }
                }
                Entered::Note(note) => {
                    index.notes.insert(latest, note);
                }
            }
        }
        drop(index);
        self.capture.changed();
    }

    /// The file ends: every open direction ends with it. A line when segments were lost.
    pub fn finish(&mut self) -> Vec<String> {
        let mut held = 0;
        for i in 0..self.flows.len() {
            for direction in Direction::BOTH {
                held += self.flows[i].sides[direction.index()].waiting.values().map(|w| u64::from(w.1)).sum::<u64>();
                self.end(i, direction, How::Capture, self.last);
            }
        }
        self.commit();
        let verbs = if held == 1 { ["stands", "is"] } else { ["stand", "are"] };
        (held > 0)
            .then(|| format!("{} {} behind lost segments and {} not shown", count(held, "byte"), verbs[0], verbs[1]))
            .into_iter()
            .collect()
    }

    /// The flow that a segment belongs to; none while it is not clear which side is the client.
    fn flow_of(&mut self, segment: &Segment<'_>) -> Option<usize> {
        let ends = (segment.tcp.source.min(segment.tcp.destination), segment.tcp.source.max(segment.tcp.destination));
        let opens = segment.tcp.flags.syn && !segment.tcp.flags.ack;
        if let Some(i) = self.by_ends.get(&ends).copied() {
            let flow = &self.flows[i];
            let again = opens && flow.sides[0].first.is_some_and(|first| first != segment.tcp.seq.wrapping_add(1));
            if !again {
                return Some(i);
            }
            for direction in Direction::BOTH {
                self.end(i, direction, How::Capture, segment.time);
            }
        }
        let from_client = match (opens, segment.tcp.flags.syn) {
            (true, _) => true,
            (false, true) => false,
            _ if segment.payload.is_empty() => return None,
            _ => !http::may_be_response(segment.payload),
        };
        let (client, server) = match from_client {
            true => (segment.tcp.source, segment.tcp.destination),
            false => (segment.tcp.destination, segment.tcp.source),
        };
        self.flows.push(Flow {
            client,
            server,
            number: None,
            connection: Connection::new(Some(server)),
            sides: Default::default(),
        });
        self.by_ends.insert(ends, self.flows.len() - 1);
        Some(self.flows.len() - 1)
    }

    /// Feeds a segment that comes next, keeps one that comes early, drops what is known.
    fn place(&mut self, i: usize, direction: Direction, offset: i64, segment: &Segment<'_>) {
        let side = &mut self.flows[i].sides[direction.index()];
        let skip = (side.taken as i64 - offset).max(0);
        if skip >= segment.payload.len() as i64 {
            return;
        }
        let skip = skip as usize;
        let offset = (offset + skip as i64) as u64;
        let payload = &segment.payload[skip..];
        let position = segment.position + skip as u64;
        if offset > side.taken {
            side.keep(offset, position, payload.len() as u32, segment.time);
            return;
        }
        self.feed(i, direction, payload, position, segment.time);
    }

    /// Feeds what waited and is next now; ends the side when its FIN is reached.
    fn settle(&mut self, i: usize, direction: Direction) {
        loop {
            let side = &mut self.flows[i].sides[direction.index()];
            let Some(entry) = side.waiting.first_entry().filter(|e| *e.key() <= side.taken) else { break };
            let (offset, (position, len, time)) = entry.remove_entry();
            let skip = side.taken - offset;
            if skip >= u64::from(len) {
                continue;
            }
            match self.capture.read_file(position + skip, len as usize - skip as usize) {
                Ok(bytes) => self.feed(i, direction, &bytes, position + skip, time),
                Err(_) => break,
            }
        }
        let side = &self.flows[i].sides[direction.index()];
        if let Some((_, time)) = side.fin.filter(|(offset, _)| *offset <= side.taken) {
            self.end(i, direction, How::Fin, time);
        }
    }

    fn feed(&mut self, i: usize, direction: Direction, bytes: &[u8], position: u64, time: Time) {
        let flow = &mut self.flows[i];
        let number = *flow
            .number
            .get_or_insert_with(|| self.capture.index_mut().open(ConnectionEntry::new(flow.client, flow.server, time)));
        let side = &mut flow.sides[direction.index()];
        let extent = Extent { offset: side.taken, position, len: bytes.len() as u32 };
        self.entered.push(Entered::Extent(number, direction, extent));
        side.taken += bytes.len() as u64;
        let mut records = Vec::new();
        flow.connection.feed(direction, bytes, time, &mut records);
        self.enter(i, number, records);
    }

    fn end(&mut self, i: usize, direction: Direction, how: How, time: Time) {
        let flow = &mut self.flows[i];
        let Some(number) = flow.number else { return };
        if std::mem::replace(&mut flow.sides[direction.index()].ended, true) {
            return;
        }
        let mut records = Vec::new();
        flow.connection.end(direction, how, time, &mut records);
        self.enter(i, number, records);
    }

    fn enter(&mut self, i: usize, number: u32, records: Vec<Dissected>) {
        use crate::proto::dissected::Kind;
        let handshake = records.iter().any(|r| matches!(r.kind, Kind::Request | Kind::Response));
        self.entered.extend(records.into_iter().map(|record| Entered::Record(number, record)));
        if handshake {
            self.entered.push(Entered::About(number, i));
        }
    }
}
