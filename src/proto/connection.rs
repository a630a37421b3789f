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
    /// Whether bytes of each direction are missing: what they said is not held against anybody.
    missing: [bool; 2],
    /// Whether bytes of each direction have not come that the other side has received.
    outstanding: [bool; 2],
    /// Whether the client had received the response when it went on, though the capture shows it only later.
    answered_unseen: bool,
    /// Whether the context of compressed messages was told to be lost, in each direction.
    context_lost: [bool; 2],
    /// Whether nobody has seen what the handshake agreed on.
    pub handshake_unseen: bool,
    /// Waits for the next record of its direction.
    waiting: [Option<Finding>; 2],
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

    /// Frames of a connection whose handshake was not captured. Each direction is read from where it is certain that a frame
    /// begins. Each call of [`Self::feed`] must begin with the first byte of a packet.
    pub fn midway(server: SocketAddr) -> Self {
        let shared = Shared { websocket: true, handshake_unseen: true, missing: [true; 2], ..Shared::default() };
        let about = About { websocket: true, ..About::default() };
        Self { directions: Direction::BOTH.map(Dissector::midway), shared, about, ..Self::new(Some(server)) }
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
    pub fn gap(&mut self, direction: Direction, missing: u64, now: Time, out: &mut Vec<Dissected>) {
        if missing > 0 {
            self.directions[direction.index()].gap(missing, now, &mut self.shared, out);
        }
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
        let before = waiting.as_ref().map_or(0, |finding| finding.number);
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
        if let Some(finding) = self.waiting[record.direction.index()].take_if(|_| record.kind != Kind::Gap) {
            record.findings.push(finding);
        }
        if self.early.is_some()
            && record.direction == Direction::ClientToServer
            && record.wire_len > 0
            && record.kind != Kind::Gap
        {
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

    /// The client sends the first bytes behind a handshake that is not answered yet, as far as the capture shows.
    pub const fn begins_early(&mut self) {
        self.answered_unseen = self.outstanding[Direction::ServerToClient.index()];
    }

    /// What the client sends now is behind a handshake that was not answered, and will not be waited for.
    pub fn early(&mut self) {
        self.early = match self.requests.back() {
            // The answer may be among what is missing.
            _ if self.missing[1] || self.outstanding[1] => None,
            Some((ordinal, facts)) if facts.key.is_some() => *ordinal,
            _ => None,
        };
    }

    /// Bytes of a direction are missing.
    pub fn lost(&mut self, direction: Direction) {
        self.missing[direction.index()] = true;
        self.context_lost[direction.index()] |= self.deflate.is_some();
    }

    /// Whether a gap has said that compressed messages of a direction are not inflated any more.
    pub const fn context_lost(&self, direction: Direction) -> bool {
        self.context_lost[direction.index()]
    }

    /// Whether what a Pong seems to be is certain: neither what it answers nor an earlier answer may be missing.
    pub const fn is_certain(&self, direction: Direction, answer: &Answer) -> bool {
        match answer {
            Answer::Answers(..) => !self.missing[direction.index()],
            _ => !self.missing[direction.opposite().index()] && !self.outstanding[direction.opposite().index()],
        }
    }

    /// Takes back what is wrong only if no extension was agreed on, where the handshake is missing.
    #[inline]
    pub fn leave_certain(&self, findings: &mut Vec<Finding>) {
        if self.handshake_unseen {
            findings.retain(|f| !matches!(f.rule, Rule::Rsv1Set | Rule::Rsv1Misplaced | Rule::Rsv2Set | Rule::Rsv3Set));
        }
    }

    /// Whether RSV1 may mean something.
    pub const fn rsv1_may_be_set(&self) -> bool {
        self.deflate.is_some() || self.handshake_unseen
    }

    /// Whether a handshake waits for its response.
    pub fn asked_to_upgrade(&self) -> bool {
        self.requests.front().is_some_and(|(_, facts)| facts.key.is_some())
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
        if self.missing[direction.index()] {
            // A Close and the pongs may be among what is missing.
            return findings;
        }
        if of_its_own && self.closes[direction.index()].is_none() {
            let answers = self.closes[direction.opposite().index()];
            let rule = if answers.is_some() { Rule::CloseUnanswered } else { Rule::CloseMissing };
            findings.push(about(rule, answers).text(direction.sender()));
        }
        let owed = self.pings[direction.opposite().index()].unanswered();
        // Beside a gap a Ping may be read behind the Pong that answers it.
        if owed.count > 0 && !self.missing[direction.opposite().index()] {
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
