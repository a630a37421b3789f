//! TCP reassembly: segments in any order become streams, and those become records (RFC 9293 §3.4, §3.10).
//!
//! Segments that wait for an earlier one are kept as file positions. First bytes win where segments overlap. Bytes that are
//! missing for good become a gap: see [`Side::is_lost`].

use std::collections::HashMap;
use std::net::SocketAddr;

use super::Options;
use super::link::TcpHead;
use super::side::{Piece, Side};
use crate::capture::index::{ConnectionEntry, Extent};
use crate::capture::store::Capture;
use crate::proto::chain;
use crate::proto::connection::Connection;
use crate::proto::dissected::{Direction, Dissected, How, Kind};
use crate::proto::rules::count;
use crate::proto::time::Time;
use crate::wire::http;

/// How many pieces that wait are held against a segment which overlaps them.
const MAX_COMPARED: usize = 64;

/// How many segments of its connection the beginning of what a server says waits for the request that it acknowledges.
const MAX_HELD_BACK: u64 = 16;

/// How much is entered at once at the end of the file, or of a connection.
const MANY: usize = 4096;

/// The flags of a segment that matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags {
    pub syn: bool,
    pub ack: bool,
    pub fin: bool,
    pub rst: bool,
}

/// What a packet of our own files says besides its segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    None,
    /// Nothing is known of its direction from here on.
    EndOfCapture,
    /// The bytes before it are missing for good.
    Gap,
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
    pub mark: Mark,
}

/// All connections of a file.
pub struct Flows {
    capture: Capture,
    options: Options,
    /// By the two ends, the smaller first. An ended connection is replaced by the next on the same ends.
    by_ends: HashMap<(SocketAddr, SocketAddr), usize>,
    flows: Vec<Flow>,
    /// Waits for [`Flows::commit`].
    entered: Vec<Entered>,
    records: Vec<Dissected>,
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
    /// The server's first bytes wait until the client's stream is there up to this offset, or until so many segments came.
    held_back: Option<(u64, u64)>,
    /// The latest bytes that were taken of each side.
    latest: [Option<Extent>; 2],
}

enum Entered {
    Extent(u32, Direction, Extent),
    /// Bytes that no file position holds.
    Hole(u32, Direction, u64),
    Record(u32, Dissected),
    About(u32, usize),
    /// On the latest record.
    Note(String),
    /// The latest record is TLS.
    Tls,
}

impl Flows {
    pub fn new(capture: Capture, options: Options) -> Self {
        Self {
            capture,
            options,
            by_ends: HashMap::new(),
            flows: Vec::new(),
            entered: Vec::new(),
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
        let data_seq = tcp.seq.wrapping_add(u32::from(tcp.flags.syn));
        let offset = side.offset(data_seq, tcp.flags.syn, tcp.wire_len > 0);
        let end = offset + i64::from(tcp.wire_len);
        if tcp.flags.fin && side.fin.is_none() && end >= side.taken as i64 {
            side.fin = Some((end as u64, *time));
        }
        if side.ended {
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
        if let Some(note) = segment.comment {
            self.entered.push(Entered::Note(note));
        }
    }

    /// What a segment says of the end of its direction, or of both.
    #[inline]
    fn close(&mut self, i: usize, direction: Direction, offset: i64, segment: &Segment<'_>) {
        if segment.tcp.flags.rst {
            self.flush(i, &Direction::BOTH);
            self.flows[i].connection.reset_by(direction);
            for direction in [direction, direction.opposite()] {
                self.end(i, direction, How::Rst, segment.time);
            }
        }
        match segment.mark {
            Mark::None => {}
            Mark::EndOfCapture => {
                self.flush(i, &[direction]);
                self.end(i, direction, How::Capture, segment.time);
            }
            Mark::Gap => {
                self.flush(i, &[direction]);
                let taken = self.flows[i].sides[direction.index()].taken;
                let missing = u64::try_from(offset).unwrap_or(0).saturating_sub(taken);
                if !self.flows[i].sides[direction.index()].ended {
                    self.gap(i, direction, missing, segment.time);
                }
            }
        }
    }

    /// Enters what was read so far into the capture.
    pub fn commit(&mut self) {
        let mut tls = None;
        let mut index = self.capture.index_mut();
        let mut latest = index.totals.records;
        for entered in self.entered.drain(..) {
            match entered {
                Entered::Extent(number, direction, extent) => index.extend(number, direction, extent),
                Entered::Hole(number, direction, len) => index.leave_out(number, direction, len),
                Entered::Record(number, record) => latest = index.push(number, record),
                Entered::About(number, flow) => {
                    if let Some(entry) = index.connection_mut(number) {
                        entry.about.clone_from(self.flows[flow].connection.about());
                    }
                }
                Entered::Note(note) => {
                    index.notes.insert(latest, note);
                }
                Entered::Tls => tls = Some(latest),
            }
        }
        drop(index);
        if let Some(no) = tls {
            self.capture.add_trouble(&format!(
                "record {no}: TLS; capture after decryption, or use a key log in Wireshark and export"
            ));
        }
        self.capture.changed();
    }

    /// The file ends: what waits is read behind gaps, and every open direction ends. What there is to say about that.
    pub fn finish(&mut self) -> Vec<String> {
        for i in 0..self.flows.len() {
            self.flush(i, &Direction::BOTH);
            for direction in Direction::BOTH {
                self.end(i, direction, How::Capture, self.last);
            }
            if self.entered.len() > MANY {
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
                true => flow.sides[sender].is_new(seq, &flow.sides[1 - sender]),
                // A request behind the end of both sides: its SYN is missing.
                false => {
                    let over = flow.sides.iter().all(|side| side.ended);
                    over && is_request(segment.payload) && !flow.sides[sender].repeats(seq)
                }
            };
            if !again {
                return Some(i);
            }
            self.flush(i, &Direction::BOTH);
            for direction in Direction::BOTH {
                self.end(i, direction, How::Capture, segment.time);
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
        let is = |direction| chain::is_certain(segment.payload, direction, true);
        match ports {
            [true, false] => false,
            [false, true] => true,
            _ if is(Direction::ClientToServer) => true,
            _ if is(Direction::ServerToClient) => false,
            _ => !http::may_be_response(segment.payload),
        }
    }

    /// Feeds a segment that comes next, keeps one that comes early, holds what is known against what came first.
    #[inline]
    fn place(&mut self, i: usize, direction: Direction, offset: i64, segment: &Segment<'_>) {
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
        if asked <= client.taken as i64 || asked > client.taken as i64 + (1 << 20) {
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
    fn settle(&mut self, i: usize, direction: Direction, now: Time) {
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
            }
            self.feed_waiting(i, direction);
        }
        let sides = &self.flows[i].sides;
        // What the other side said before, and waits for something missing, may tell what was said here.
        let answered = !sides[direction.opposite().index()].waits();
        let side = &sides[direction.index()];
        if let Some((_, time)) = side.fin.filter(|(offset, _)| answered && *offset <= side.taken) {
            self.end(i, direction, How::Fin, time);
        }
    }

    /// Nothing more comes in these directions: what waits is read behind gaps, in the order in which it was seen.
    fn flush(&mut self, i: usize, directions: &[Direction]) {
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
            if self.entered.len() > MANY {
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
                self.end(i, *direction, How::Fin, time);
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

    #[inline]
    fn feed(&mut self, i: usize, direction: Direction, bytes: &[u8], position: u64, time: Time) {
        if bytes.is_empty() {
            return;
        }
        let number = self.number_of(i, direction, bytes, time);
        let flow = &mut self.flows[i];
        let side = &mut flow.sides[direction.index()];
        let extent = Extent { offset: side.taken, position, len: bytes.len() as u32 };
        flow.latest[direction.index()] = Some(extent);
        self.entered.push(Entered::Extent(number, direction, extent));
        side.taken += bytes.len() as u64;
        let other = direction.opposite();
        flow.connection.outstanding(other, flow.sides[other.index()].is_behind());
        flow.connection.feed(direction, bytes, time, &mut self.records);
        self.enter(i, number);
    }

    /// The next bytes of a direction are missing for good.
    fn gap(&mut self, i: usize, direction: Direction, missing: u64, time: Time) {
        if missing == 0 {
            return;
        }
        let number = self.number_of(i, direction, &[], time);
        let flow = &mut self.flows[i];
        flow.sides[direction.index()].taken += missing;
        self.entered.push(Entered::Hole(number, direction, missing));
        flow.connection.gap(direction, missing, time, &mut self.records);
        self.enter(i, number);
    }

    /// The number of a flow's connection, which begins with these bytes when it has none.
    #[inline]
    fn number_of(&mut self, i: usize, direction: Direction, bytes: &[u8], time: Time) -> u32 {
        match self.flows[i].number {
            Some(number) => number,
            None => self.open(i, direction, bytes, time),
        }
    }

    fn open(&mut self, i: usize, direction: Direction, bytes: &[u8], time: Time) -> u32 {
        let flow = &mut self.flows[i];
        let is_http = match direction {
            Direction::ClientToServer => is_request(bytes),
            Direction::ServerToClient => bytes.starts_with(b"HTTP/"),
        };
        let ports = [flow.client.port(), flow.server.port()];
        if !is_http && self.options.port.is_some_and(|port| ports.contains(&port)) {
            flow.connection = Connection::midway(flow.server);
        }
        // RFC 8446 §5.1, §4: a handshake record with a ClientHello or a ServerHello.
        flow.is_tls = matches!(bytes, [0x16, 0x03, 0..=4, _, _, 1 | 2, ..]);
        let mut entry = ConnectionEntry::new(flow.client, flow.server, time);
        entry.about.clone_from(flow.connection.about());
        let number = self.capture.index_mut().open(entry);
        flow.number = Some(number);
        let midway = !is_http && !flow.begun && self.options.port.is_none();
        if midway && !self.port_told && chain::is_certain(bytes, direction, true) {
            self.port_told = true;
            self.capture.add_trouble(&format!(
                "connection {number} begins without its handshake; --port {} reads it as WebSocket frames",
                self.flows[i].server.port()
            ));
        }
        number
    }

    fn end(&mut self, i: usize, direction: Direction, how: How, time: Time) {
        let flow = &mut self.flows[i];
        let Some(number) = flow.number else { return };
        if std::mem::replace(&mut flow.sides[direction.index()].ended, true) {
            return;
        }
        flow.connection.end(direction, how, time, &mut self.records);
        self.enter(i, number);
    }

    #[inline]
    fn enter(&mut self, i: usize, number: u32) {
        let mut handshake = false;
        for record in self.records.drain(..) {
            let kind = record.kind;
            handshake |= matches!(kind, Kind::Request | Kind::Response);
            self.entered.push(Entered::Record(number, record));
            if kind == Kind::Junk && !self.tls_told && self.flows[i].is_tls {
                self.tls_told = true;
                self.entered.push(Entered::Tls);
            }
        }
        if handshake {
            self.entered.push(Entered::About(number, i));
        }
    }
}

/// Whether bytes begin as a request does: a method and a space.
fn is_request(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(u8::is_ascii_uppercase) && http::may_be_request(bytes)
}
