//! Both directions of a connection, and what ties them: the upgrade, pings and pongs, the two Closes.

use std::collections::VecDeque;
use std::net::SocketAddr;

use super::body::Body;
use super::dissected::{Direction, Dissected, How, Kind, Link};
use super::dissector::{Dissector, Turn};
use super::handshake::{self, RequestFacts};
use super::rules::Finding;
use super::time::Time;
use crate::wire::http::Head;

/// How many unanswered pings are remembered in each direction, and how many requests without a response.
const MAX_OUTSTANDING: usize = 256;

/// How much of a header value is kept for the connection, in bytes.
const MAX_ABOUT: usize = 1024;

/// The reading of one connection.
#[derive(Debug)]
pub struct Connection {
    server: Option<SocketAddr>,
    directions: [Dissector; 2],
    /// Whether nothing but a frame's MASK tells which way it went.
    by_mask: bool,
    shared: Shared,
    about: About,
}

/// What a connection's handshake said of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The target of the latest request, raw.
    pub target: Option<Box<str>>,
    /// Its Host, raw.
    pub host: Option<Box<str>>,
    /// The subprotocol that the server chose, raw.
    pub subprotocol: Option<Box<str>>,
    /// The extensions that the server chose, with their parameters, raw.
    pub extensions: Option<Box<str>>,
    /// Whether the connection was upgraded to WebSocket.
    pub websocket: bool,
}

/// What both directions know together.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Whether permessage-deflate was agreed on.
    pub deflate: bool,
    /// Records so far.
    ordinals: u32,
    /// Requests that wait for their response; the ordinal is known once the request is a record.
    requests: VecDeque<(Option<u32>, RequestFacts)>,
    /// Unanswered pings by the direction they went, with their ordinals.
    pings: [VecDeque<(u32, Box<[u8]>)>; 2],
    /// The ordinal of the first Close of each direction.
    closes: [Option<u32>; 2],
}

impl Connection {
    /// A connection that begins with its handshake. `server` is the address that was connected to, if known.
    pub fn new(server: Option<SocketAddr>) -> Self {
        Self {
            server,
            directions: Direction::BOTH.map(Dissector::new),
            by_mask: false,
            shared: Shared::default(),
            about: About::default(),
        }
    }

    /// Frames without a connection around them, each of which must be fed to the direction that its MASK tells. One that is cut
    /// before its MASK may be fed to either, last: its record claims no direction.
    pub fn in_frames() -> Self {
        Self { directions: Direction::BOTH.map(Dissector::in_frames), by_mask: true, ..Self::new(None) }
    }

    /// Takes the next bytes of a direction, cut anywhere; appends what they complete to `out`.
    pub fn feed(&mut self, direction: Direction, bytes: &[u8], now: Time, out: &mut Vec<Dissected>) {
        let mut rest = bytes;
        loop {
            match self.directions[direction.index()].feed(rest, now, &mut self.shared, out) {
                Turn::Done => return,
                Turn::Head { taken, start, head } => {
                    rest = &rest[taken..];
                    match direction {
                        Direction::ClientToServer => self.request(start, &head, now, out),
                        Direction::ServerToClient => self.response(start, &head, now, out),
                    }
                }
            }
        }
    }

    /// A direction ends; appends what was unfinished, and the end. Nothing may be fed to it afterwards.
    pub fn end(&mut self, direction: Direction, how: How, now: Time, out: &mut Vec<Dissected>) {
        let known = out.len();
        self.directions[direction.index()].end(how, now, &mut self.shared, out);
        if self.by_mask {
            out[known..]
                .iter_mut()
                .filter(|r| r.kind == Kind::CutFrame && r.wire_len < 2)
                .for_each(|r| self.undirect(r));
        }
    }

    /// Leaves of a frame that was cut before its MASK what holds whichever way it went.
    fn undirect(&self, record: &mut Dissected) {
        record.undirected = true;
        record.link = Link::None;
        let otherwise =
            self.directions[record.direction.opposite().index()].certain_of(&record.lead[..1], &self.shared);
        record.findings.retain(|finding| otherwise.iter().any(|other| other.rule == finding.rule));
        for finding in &mut record.findings {
            finding.about = finding.about.filter(|_| otherwise.contains(finding));
        }
    }

    /// Where the record begins of which the latest bytes of a direction are a part.
    pub fn record_start(&self, direction: Direction) -> u64 {
        self.directions[direction.index()].record_start()
    }

    /// How many bytes of a direction were fed.
    pub fn position(&self, direction: Direction) -> u64 {
        self.directions[direction.index()].position()
    }

    /// What is known of the connection from its handshake.
    pub const fn about(&self) -> &About {
        &self.about
    }

    fn request(&mut self, start: u64, bytes: &[u8], now: Time, out: &mut Vec<Dissected>) {
        let head = Head::read(bytes);
        self.about.target = head.target().map(boxed);
        self.about.host = head.value("host").map(boxed);
        let mut record = Dissected::new(Kind::Request, Direction::ClientToServer, start, bytes.len() as u64, now);
        record.findings = findings(handshake::check_request(&head, self.server));
        if self.shared.requests.len() == MAX_OUTSTANDING {
            self.shared.requests.pop_front();
        }
        self.shared.requests.push_back((None, RequestFacts::of(&head)));
        let body = Body::of_request(&head);
        self.directions[0].go_on(record, body, head.is_upgrade(), &mut self.shared, out);
    }

    fn response(&mut self, start: u64, bytes: &[u8], now: Time, out: &mut Vec<Dissected>) {
        let head = Head::read(bytes);
        let status = head.status().unwrap_or(0);
        let mut record = Dissected::new(Kind::Response, Direction::ServerToClient, start, bytes.len() as u64, now);
        record.code = status;
        let interim = matches!(status, 100 | 102..=199);
        let (asked, facts) = if interim {
            self.shared.requests.front().cloned().unwrap_or_default()
        } else {
            self.shared.requests.pop_front().unwrap_or_default()
        };
        record.link = asked.map_or(Link::None, Link::Answers);
        if !interim {
            record.findings = findings(handshake::check_response(&head, &facts));
            for finding in &mut record.findings {
                finding.about = asked.map(u64::from);
            }
        }
        let body = Body::of_response(&head, facts.is_head);
        self.directions[1].go_on(record, body, false, &mut self.shared, out);
        match status {
            101 if head.has_token("upgrade", "websocket") || facts.key.is_some() => self.upgraded(&head, out),
            101 => self.directions.iter_mut().for_each(|direction| direction.opaque(&mut self.shared, out)),
            _ if interim => {}
            _ => {
                let (kept, last) = self.directions[0].refused();
                self.feed(Direction::ClientToServer, &kept, last, out);
            }
        }
    }

    fn upgraded(&mut self, head: &Head<'_>, out: &mut Vec<Dissected>) {
        self.about.websocket = true;
        self.about.subprotocol = head.value("sec-websocket-protocol").map(boxed);
        self.about.extensions = head.value("sec-websocket-extensions").map(boxed);
        self.shared.deflate = handshake::extension_names(head)
            .iter()
            .any(|name| name.eq_ignore_ascii_case(handshake::PERMESSAGE_DEFLATE));
        for direction in &mut self.directions {
            direction.upgraded(&mut self.shared, out);
        }
    }
}

impl Shared {
    /// The ordinal that the next record will have.
    pub const fn next_ordinal(&self) -> u32 {
        self.ordinals
    }

    /// Hands out a record.
    #[inline]
    pub fn emit(&mut self, record: Dissected, out: &mut Vec<Dissected>) {
        if record.direction == Direction::ClientToServer
            && matches!(record.kind, Kind::Request | Kind::CutHttp)
            && let Some((ordinal, _)) = self.requests.iter_mut().find(|(ordinal, _)| ordinal.is_none())
        {
            *ordinal = Some(self.ordinals);
        }
        self.ordinals += 1;
        out.push(record);
    }

    /// A side sends a Close, which is the next record: the ordinal of the other side's Close, if that came first.
    pub fn close_sent(&mut self, direction: Direction) -> Option<u32> {
        let ordinal = self.ordinals;
        self.closes[direction.index()].get_or_insert(ordinal);
        self.closes[direction.opposite().index()]
    }

    /// A side sends a Ping, which is the next record.
    pub fn ping_sent(&mut self, direction: Direction, payload: &[u8]) {
        let pings = &mut self.pings[direction.index()];
        if pings.len() == MAX_OUTSTANDING {
            pings.pop_front();
        }
        pings.push_back((self.ordinals, payload.into()));
    }

    /// Whether a ping of the other side waits that a Pong answers whose payload begins with `beginning`, and has `len` bytes where
    /// that is known.
    pub fn ping_waits(&self, direction: Direction, beginning: &[u8], len: Option<u64>) -> bool {
        let fits = |sent: &[u8]| sent.starts_with(beginning) && len.is_none_or(|len| len == sent.len() as u64);
        self.pings[direction.opposite().index()].iter().any(|(_, sent)| fits(sent))
    }

    /// A side sends a Pong: the ordinal of the ping of the other side that it answers. Earlier pings count as answered
    /// with it (RFC 6455 §5.5.3).
    pub fn pong_sent(&mut self, direction: Direction, payload: &[u8]) -> Option<u32> {
        let pings = &mut self.pings[direction.opposite().index()];
        let answered = pings.iter().rposition(|(_, sent)| **sent == *payload)?;
        pings.drain(..=answered).next_back().map(|(ordinal, _)| ordinal)
    }
}

fn findings(steps: Vec<handshake::Step>) -> Vec<Finding> {
    steps.into_iter().filter_map(|step| step.finding).collect()
}

/// As text, at most [`MAX_ABOUT`] bytes of it.
fn boxed(raw: &[u8]) -> Box<str> {
    String::from_utf8_lossy(&raw[..raw.len().min(MAX_ABOUT)]).into()
}

#[cfg(test)]
mod tests;
