//! Both directions of a connection, and what ties them: the upgrade, pings and pongs, the two Closes.

mod shared;

use std::net::SocketAddr;

pub(super) use self::shared::Shared;
use super::accept;
use super::body::Body;
use super::dissected::{Direction, DissectedRecord, EndReason, HandshakeKey, Kind, RecordLink};
use super::dissector::{Dissector, Turn};
use super::extensions::{DeflateParams, Extensions};
use super::handshake::{self, RequestFacts};
use super::rules::{Finding, Rule};
use super::time::Time;
use crate::wire::field::Span;
use crate::wire::http::Head;

/// How many requests without a response are remembered.
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
    about: HandshakeSummary,
}

/// What a connection's handshake said of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HandshakeSummary {
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
    /// What was agreed on, when permessage-deflate was.
    pub deflate: Option<DeflateParams>,
}

impl Connection {
    /// A connection that begins with its handshake. `server` is the address that was connected to, if known.
    pub fn new(server: Option<SocketAddr>) -> Self {
        Self {
            server,
            directions: Direction::BOTH.map(Dissector::new),
            by_mask: false,
            shared: Shared::default(),
            about: HandshakeSummary::default(),
        }
    }

    /// Frames without a connection around them, each of which must be fed to the direction that its MASK tells. One that is cut
    /// before its MASK may be fed to either, last: its record claims no direction.
    pub fn in_frames() -> Self {
        let shared = Shared { websocket: true, ..Shared::default() };
        Self { directions: Direction::BOTH.map(Dissector::in_frames), by_mask: true, shared, ..Self::new(None) }
    }

    /// Frames of a connection whose handshake was not captured. Each direction is read from where it is certain that a frame
    /// begins. Each call of [`Self::feed`] must begin with the first byte of a packet.
    pub fn mid_stream(server: SocketAddr) -> Self {
        let shared = Shared { websocket: true, handshake_unseen: true, missing: [true; 2], ..Shared::default() };
        let about = HandshakeSummary { websocket: true, ..HandshakeSummary::default() };
        Self { directions: Direction::BOTH.map(Dissector::mid_stream), shared, about, ..Self::new(Some(server)) }
    }

    /// The same reading without judging frames and their text: what is left is what finding them costs.
    #[must_use]
    pub fn unjudged(mut self) -> Self {
        self.shared.unjudged = true;
        self
    }

    /// Takes the next bytes of a direction, cut anywhere; appends what they complete to `out`.
    pub fn feed(&mut self, direction: Direction, bytes: &[u8], now: Time, out: &mut Vec<DissectedRecord>) {
        let mut rest = bytes;
        loop {
            match self.directions[direction.index()].feed(rest, now, &mut self.shared, out) {
                Turn::Done => return,
                Turn::Inferred { taken } => {
                    rest = &rest[taken..];
                    self.shared.handshake_unseen = true;
                    self.shared.websocket = true;
                    self.about.websocket = true;
                    for direction in &mut self.directions {
                        direction.upgraded(&mut self.shared, out);
                    }
                }
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

    /// The next `missing` bytes of a direction were not captured, which is certain at `now`: they become a record, as does what
    /// was begun before them. Until it is certain what follows, that is opaque: each later call of [`Self::feed`] for this
    /// direction must begin with the first byte of a packet.
    pub fn gap(&mut self, direction: Direction, missing: u64, now: Time, out: &mut Vec<DissectedRecord>) {
        if missing > 0 {
            self.directions[direction.index()].gap(missing, now, &mut self.shared, out);
        }
    }

    /// It is known from elsewhere that a frame, or where HTTP is spoken a head, begins at that offset of a direction: where it is
    /// not certain what bytes are, behind a gap, reading goes on there. Whether that was news.
    pub fn begins(&mut self, direction: Direction, at: u64, out: &mut Vec<DissectedRecord>) -> bool {
        self.directions[direction.index()].begins(at, &mut self.shared, out)
    }

    /// Whether bytes of a direction have not come (yet) that the other side has received: until they do, what that side says is not
    /// held against what is known of this one.
    #[inline]
    pub fn outstanding(&mut self, direction: Direction, outstanding: bool) {
        self.shared.outstanding[direction.index()] = outstanding;
    }

    /// A segment of a direction carried other bytes than an earlier one for the same place, `differing` of them. It is told on
    /// the next record of that direction.
    pub fn overlapped(&mut self, direction: Direction, differing: u64) {
        let waiting = &mut self.shared.waiting[direction.index()];
        let before = waiting.as_ref().and_then(|finding| finding.number).unwrap_or(0);
        *waiting = Some(Finding::new(Rule::SegmentOverlap, None).number(before + differing));
    }

    /// A side tears the connection down. [`Self::end`] must follow for each direction that has not ended yet, that side's
    /// first.
    pub fn reset_by(&mut self, side: Direction) {
        self.shared.reset_by.get_or_insert(side);
    }

    /// What the client sends next was sent before the handshake with that ordinal was answered, though it is fed behind the
    /// answer: the order in which bytes came is known from elsewhere.
    pub const fn sent_before_answer(&mut self, handshake: u32) {
        self.shared.early = Some(handshake);
    }

    /// A direction ends; appends what was unfinished, and the end. Nothing may be fed to it afterwards.
    pub fn end(&mut self, direction: Direction, how: EndReason, now: Time, out: &mut Vec<DissectedRecord>) {
        if how == EndReason::Rst {
            self.reset_by(direction);
        }
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
    fn undirect(&self, record: &mut DissectedRecord) {
        record.undirected = true;
        record.link = RecordLink::None;
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

    /// Where the next record of a direction begins, as far as that is known already.
    pub fn next_start(&self, direction: Direction) -> Option<u64> {
        let direction = &self.directions[direction.index()];
        if direction.record_start() == direction.position() {
            return Some(direction.position());
        }
        direction.position().checked_add(direction.left()?)
    }

    /// A place to begin to inflate at is wanted soon in both directions: see [`DissectedRecord::checkpoint`].
    pub fn want_checkpoints(&mut self) {
        self.directions.iter_mut().for_each(Dissector::want_checkpoint);
    }

    /// How many bytes of a direction were fed.
    pub fn position(&self, direction: Direction) -> u64 {
        self.directions[direction.index()].position()
    }

    /// What is known of the connection from its handshake.
    pub const fn about(&self) -> &HandshakeSummary {
        &self.about
    }

    fn request(&mut self, start: u64, bytes: &[u8], now: Time, out: &mut Vec<DissectedRecord>) {
        let head = Head::read(bytes);
        self.about.target = head.target().map(boxed);
        self.about.host = head.value("host").map(boxed);
        let mut record = DissectedRecord::new(Kind::Request, Direction::ClientToServer, start, bytes.len() as u64, now);
        record.findings = findings(handshake::check_request(&head, self.server));
        if self.shared.requests.len() == MAX_OUTSTANDING {
            self.shared.requests.pop_front();
        }
        self.shared.requests.push_back((None, RequestFacts::of(&head)));
        record.key = key_of(&head).map(Box::new);
        let body = Body::of_request(&head);
        self.directions[0].go_on(record, body, head.is_upgrade(), &mut self.shared, out);
    }

    fn response(&mut self, start: u64, bytes: &[u8], now: Time, out: &mut Vec<DissectedRecord>) {
        let head = Head::read(bytes);
        let status = head.status().unwrap_or(0);
        let mut record =
            DissectedRecord::new(Kind::Response, Direction::ServerToClient, start, bytes.len() as u64, now);
        record.code = status;
        let interim = matches!(status, 100 | 102..=199);
        let (asked, facts) = if self.shared.requests.is_empty() {
            (self.directions[0].answered(status >= 400, &mut self.shared, out), RequestFacts::default())
        } else if interim {
            self.shared.requests.front().cloned().unwrap_or_default()
        } else {
            self.shared.requests.pop_front().unwrap_or_default()
        };
        record.link = asked.map_or(RecordLink::None, RecordLink::Answers);
        if !interim {
            record.findings = findings(handshake::check_response(&head, &facts));
            if asked.is_none() && self.shared.missing[0] {
                // What was asked for is missing: nobody can say that something was not.
                record.findings.retain(|finding| !finding.rule.is_about_the_request());
            }
            for finding in &mut record.findings {
                finding.about = asked.map(u64::from);
            }
        }
        let body = Body::of_response(&head, facts.is_head);
        self.directions[1].go_on(record, body, false, &mut self.shared, out);
        match status {
            101 if head.has_token("upgrade", "websocket") || facts.key.is_some() => {
                if self.directions[0].sent_early() && !self.shared.answered_unseen {
                    self.shared.early = asked;
                }
                self.upgraded(&head, out);
            }
            101 => self.directions.iter_mut().for_each(|direction| direction.opaque(&mut self.shared, out)),
            _ if interim => {}
            _ => {
                if facts.key.is_some() && self.directions[0].sent_early() {
                    self.shared.early = asked;
                }
                let (kept, last) = self.directions[0].refused();
                self.feed(Direction::ClientToServer, &kept, last, out);
            }
        }
    }

    fn upgraded(&mut self, head: &Head<'_>, out: &mut Vec<DissectedRecord>) {
        self.about.websocket = true;
        self.shared.websocket = true;
        self.about.subprotocol = head.value("sec-websocket-protocol").map(boxed);
        self.about.extensions = head.value("sec-websocket-extensions").map(boxed);
        let extensions = Extensions::of(head).list;
        self.shared.deflate = extensions.iter().find(|e| e.is_deflate()).map(DeflateParams::read_leniently);
        self.shared.foreign = extensions.iter().any(|e| !e.is_deflate());
        self.about.deflate = self.shared.deflate;
        for direction in &mut self.directions {
            direction.upgraded(&mut self.shared, out);
        }
    }
}

/// The key of a request that has one, and well-formed.
fn key_of(head: &Head<'_>) -> Option<HandshakeKey> {
    let mut lines = head.lines_named("sec-websocket-key");
    let (Some((_, line)), None) = (lines.next(), lines.next()) else { return None };
    let span = Span::bytes(line.line.start as u64, line.line.end as u64);
    Some(HandshakeKey { nonce: accept::nonce(head.slice(&line.value))?, span })
}

fn findings(steps: Vec<handshake::Requirement>) -> Vec<Finding> {
    steps.into_iter().filter_map(|step| step.finding).collect()
}

/// As text, at most [`MAX_ABOUT`] bytes of it.
fn boxed(raw: &[u8]) -> Box<str> {
    String::from_utf8_lossy(&raw[..raw.len().min(MAX_ABOUT)]).into()
}

#[cfg(test)]
mod tests;
