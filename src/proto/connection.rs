//! Both directions of a connection, and what ties them: the upgrade, pings and pongs, the two Closes.

use std::collections::VecDeque;
use std::net::SocketAddr;

use super::accept;
use super::body::Body;
use super::dissected::{Direction, Dissected, How, Key, Kind, Link};
use super::dissector::{Dissector, Turn};
use super::extensions::{DeflateParams, Extensions};
use super::handshake::{self, RequestFacts};
use super::judge::Extended;
use super::pings::{Answer, Pings};
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
    /// What was agreed on, when permessage-deflate was.
    pub deflate: Option<DeflateParams>,
}

/// What both directions know together.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// What was agreed on, when permessage-deflate was.
    pub deflate: Option<DeflateParams>,
    /// Whether an extension is in use that is not known here.
    pub foreign: bool,
    /// Records so far.
    ordinals: u32,
    /// Requests that wait for their response; the ordinal is known once the request is a record.
    requests: VecDeque<(Option<u32>, RequestFacts)>,
    /// Whether it is a WebSocket connection.
    websocket: bool,
    /// The ordinal of the handshake behind which the client sent something before it was answered, until the record of that
    /// is handed out.
    early: Option<u32>,
    /// The pings of each direction.
    pings: [Pings; 2],
    /// The ordinal of the first Close of each direction.
    closes: [Option<u32>; 2],
    /// Whether frames are not judged.
    pub unjudged: bool,
    /// Who tore the connection down.
    reset_by: Option<Direction>,
    /// Whether that was told.
    reset_told: bool,
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
        let shared = Shared { websocket: true, ..Shared::default() };
        Self { directions: Direction::BOTH.map(Dissector::in_frames), by_mask: true, shared, ..Self::new(None) }
    }

    /// The same reading without judging frames and their text: what is left is what finding them costs.
    #[must_use]
    pub fn unjudged(mut self) -> Self {
        self.shared.unjudged = true;
        self
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

    /// A side tears the connection down. [`Self::end`] must follow for each direction that has not ended yet, that side's
    /// first.
    pub fn reset_by(&mut self, side: Direction) {
        self.shared.reset_by.get_or_insert(side);
    }

    /// A direction ends; appends what was unfinished, and the end. Nothing may be fed to it afterwards.
    pub fn end(&mut self, direction: Direction, how: How, now: Time, out: &mut Vec<Dissected>) {
        if how == How::Rst {
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
        record.key = key_of(&head).map(Box::new);
        let body = Body::of_request(&head);
        self.directions[0].go_on(record, body, head.is_upgrade(), &mut self.shared, out);
    }

    fn response(&mut self, start: u64, bytes: &[u8], now: Time, out: &mut Vec<Dissected>) {
        let head = Head::read(bytes);
        let status = head.status().unwrap_or(0);
        let mut record = Dissected::new(Kind::Response, Direction::ServerToClient, start, bytes.len() as u64, now);
        record.code = status;
        let interim = matches!(status, 100 | 102..=199);
        let (asked, facts) = if self.shared.requests.is_empty() {
            (self.directions[0].answered(status >= 400, &mut self.shared, out), RequestFacts::default())
        } else if interim {
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
            101 if head.has_token("upgrade", "websocket") || facts.key.is_some() => {
                if self.directions[0].sent_early() {
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

    fn upgraded(&mut self, head: &Head<'_>, out: &mut Vec<Dissected>) {
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

impl Shared {
    /// The extensions in use.
    pub const fn extended(&self) -> Extended {
        Extended { deflate: self.deflate.is_some(), foreign: self.foreign }
    }

    /// The ordinal that the next record will have.
    pub const fn next_ordinal(&self) -> u32 {
        self.ordinals
    }

    /// Hands out a record.
    #[inline]
    pub fn emit(&mut self, mut record: Dissected, out: &mut Vec<Dissected>) {
        if record.direction == Direction::ClientToServer
            && matches!(record.kind, Kind::Request | Kind::CutHttp)
            && let Some((ordinal, _)) = self.requests.iter_mut().find(|(ordinal, _)| ordinal.is_none())
        {
            *ordinal = Some(self.ordinals);
        }
        if self.early.is_some() && record.direction == Direction::ClientToServer && record.wire_len > 0 {
            let about = self.early.take().map(u64::from);
            let span = Some(Span::bytes(0, record.wire_len));
            record.findings.push(Finding::new(Rule::DataBeforeResponse, span).about(about));
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

    /// A side sends a Ping, which is the next record. A Pong is owed for it unless a Close of the same side came before it
    /// (RFC 6455 §5.5.2).
    pub fn ping_sent(&mut self, direction: Direction, payload: &[u8]) {
        self.pings[direction.index()].sent(self.ordinals, payload, self.closes[direction.index()].is_none());
    }

    /// A side sends a Pong: what that is to the pings of the other side.
    pub fn pong_sent(&mut self, direction: Direction, payload: &[u8]) -> Answer {
        self.pings[direction.opposite().index()].answered(payload)
    }

    /// A side begins a Pong: what that is to the pings of the other side however it goes on. `None` while it may answer one: see
    /// [`Pings::never_answered`].
    pub fn pong_begun(&self, direction: Direction, beginning: &[u8], len: Option<usize>) -> Option<Answer> {
        self.pings[direction.opposite().index()].never_answered(beginning, len)
    }

    /// What the client sends now is behind a handshake that was not answered, and will not be waited for.
    pub fn early(&mut self) {
        self.early = match self.requests.back() {
            Some((ordinal, facts)) if facts.key.is_some() => *ordinal,
            _ => None,
        };
    }

    /// What there is to say of the end of a direction, which is the next record.
    pub fn judge_end(&mut self, direction: Direction, how: How) -> Vec<Finding> {
        let mut findings = Vec::new();
        if !self.websocket || how == How::Capture {
            return findings;
        }
        let about = |rule, about: Option<u32>| Finding::new(rule, None).about(about.map(u64::from));
        if let Some(by) = self.reset_by.filter(|_| !self.reset_told) {
            self.reset_told = true;
            findings.push(about(Rule::TcpReset, None).text(by.sender()));
        }
        // Who was torn down by the other side might have said more.
        let of_its_own = how == How::Fin || self.reset_by == Some(direction);
        if of_its_own && self.closes[direction.index()].is_none() {
            let answers = self.closes[direction.opposite().index()];
            let rule = if answers.is_some() { Rule::CloseUnanswered } else { Rule::CloseMissing };
            findings.push(about(rule, answers).text(direction.sender()));
        }
        let owed = self.pings[direction.opposite().index()].unanswered();
        if owed.count > 0 {
            findings.push(about(Rule::PingUnanswered, owed.first).number(owed.count));
        }
        findings
    }
}

/// The key of a request that has one, and well-formed.
fn key_of(head: &Head<'_>) -> Option<Key> {
    let mut lines = head.lines_named("sec-websocket-key");
    let (Some((_, line)), None) = (lines.next(), lines.next()) else { return None };
    let span = Span::bytes(line.line.start as u64, line.line.end as u64);
    Some(Key { nonce: accept::nonce(head.slice(&line.value))?, span })
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
