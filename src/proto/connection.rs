//! Dissects both directions of a connection: connects requests with responses and performs the upgrade.

use std::net::SocketAddr;

use super::accept;
use super::body::Body;
use super::connection_state::ConnectionState;
use super::dissected::{Direction, DissectedRecord, EndReason, HandshakeKey, Kind, RecordLink};
use super::dissector::{Dissector, FeedOutcome};
use super::extensions::{DeflateParams, Extensions};
use super::handshake::{self, RequestFacts};
use super::rules::Finding;
use super::stated::Answers;
use super::time::Time;
use crate::wire::field::Span;
use crate::wire::http::Head;

/// The number of requests without a response that are kept. Older ones are dropped.
const MAX_OUTSTANDING: usize = 256;

/// The number of bytes of a header value that are kept in [`HandshakeSummary`].
const MAX_VALUE: usize = 1024;

/// Dissects one connection.
#[derive(Debug)]
pub struct Connection {
    directions: [Dissector; 2],
    /// True if only the MASK bit of a frame shows its direction.
    by_mask: bool,
    state: ConnectionState,
    about: HandshakeSummary,
}

/// What the handshake says about a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HandshakeSummary {
    /// The target of the latest request to upgrade, as sent; without one, that of the first request.
    pub target: Option<Box<str>>,
    /// The Host header of that request, as sent.
    pub host: Option<Box<str>>,
    /// The subprotocol that the server chose, as sent.
    pub subprotocol: Option<Box<str>>,
    /// The extensions that the server chose, with their parameters, as sent.
    pub extensions: Option<Box<str>>,
    /// True if the connection was upgraded to WebSocket.
    pub websocket: bool,
    /// The parameters of permessage-deflate, if it was negotiated.
    pub deflate: Option<DeflateParams>,
    /// True if the bytes are those that the sides of an earlier connection received: see [`Connection::deliver`].
    pub delivered: bool,
}

impl Connection {
    /// A connection that starts with its handshake. `server` is the server's address, if known.
    pub fn new(server: Option<SocketAddr>) -> Self {
        Self {
            directions: Direction::BOTH.map(Dissector::new),
            by_mask: false,
            state: ConnectionState { server, ..ConnectionState::default() },
            about: HandshakeSummary::default(),
        }
    }

    /// Frames without a connection. Feed each frame to the direction that its MASK bit shows. Feed a frame that was
    /// truncated before its MASK bit last, to either direction: its record is marked `undirected`.
    pub fn in_frames() -> Self {
        let state = ConnectionState { websocket: true, bare_frames: true, ..ConnectionState::default() };
        Self { directions: Direction::BOTH.map(Dissector::in_frames), by_mask: true, state, ..Self::new(None) }
    }

    /// A WebSocket connection whose handshake was not captured. Each direction is dissected from the first position
    /// where a frame certainly starts: see [`super::resync`]. Each call of [`Self::feed`] must start with the first
    /// byte of a packet.
    pub fn mid_stream(server: SocketAddr) -> Self {
        let about = HandshakeSummary { websocket: true, ..HandshakeSummary::default() };
        let directions = Direction::BOTH.map(Dissector::mid_stream);
        let state = ConnectionState {
            server: Some(server),
            websocket: true,
            handshake_unseen: true,
            missing: [true; 2],
            ..ConnectionState::default()
        };
        Self { directions, by_mask: false, state, about }
    }

    /// The bytes are those that the two sides of an earlier connection received from a proxy that changed what was sent. Its handshake
    /// is judged there. What a side sends may answer bytes that only the earlier connection has. Call it before [`Self::feed`].
    pub const fn deliver(&mut self) {
        self.state.delivered = true;
        self.about.delivered = true;
    }

    /// Notes that the receiver of a direction got something else than the bytes of that direction: a proxy has changed them. From here
    /// on, nothing is reported about what the receiver sends in answer to them.
    pub const fn alter(&mut self, direction: Direction) {
        self.state.altered[direction.index()] = true;
    }

    /// If `assumed`, treats permessage-deflate as negotiated, with its default parameters, unless the handshake has others.
    #[must_use]
    pub const fn assume_deflate(mut self, assumed: bool) -> Self {
        if assumed {
            self.state.deflate = Some(DeflateParams::DEFAULT);
        }
        self
    }

    /// Emits no end records: the input shows no TCP connection that could end, such as a paste.
    #[must_use]
    pub const fn without_end_records(mut self) -> Self {
        self.state.endless = true;
        self
    }

    /// False if [`Self::end`] emits no end records.
    pub const fn has_end_records(&self) -> bool {
        !self.state.endless
    }

    /// Turns off the judging of frames and text, so that a benchmark can measure the cost of finding frames alone.
    #[must_use]
    pub fn unjudged(mut self) -> Self {
        self.state.unjudged = true;
        self
    }

    /// Takes the next bytes of a direction, in pieces of any size, captured at `now`. Appends the records that they
    /// complete to `out`.
    pub fn feed(&mut self, direction: Direction, bytes: &[u8], now: Time, out: &mut Vec<DissectedRecord>) {
        self.with_output(out, |own| own.dissect(direction, bytes, now));
    }

    /// Runs a step whose records are appended to `out`.
    #[inline]
    fn with_output<T>(&mut self, out: &mut Vec<DissectedRecord>, step: impl FnOnce(&mut Self) -> T) -> T {
        std::mem::swap(&mut self.state.records, out);
        let done = step(self);
        std::mem::swap(&mut self.state.records, out);
        done
    }

    fn dissect(&mut self, direction: Direction, bytes: &[u8], now: Time) {
        let mut rest = bytes;
        loop {
            match self.directions[direction.index()].feed(rest, now, &mut self.state) {
                FeedOutcome::Done => return,
                FeedOutcome::FramesInferred { taken } => {
                    rest = &rest[taken..];
                    self.infer_frames();
                }
                FeedOutcome::Head { taken, start, head } => {
                    rest = &rest[taken..];
                    match direction {
                        Direction::ClientToServer => self.request(start, &head, now),
                        Direction::ServerToClient => self.response(start, &head, now),
                    }
                }
            }
        }
    }

    /// Reads frames in both directions from here on, although the capture lacks the response to the handshake.
    fn infer_frames(&mut self) {
        if self.directions[0].has_early_request() {
            // The refusal of the request before is missing.
            self.refused();
        }
        self.state.handshake_unseen = true;
        if self.state.requests.is_empty() {
            // The other direction, too, may have begun before the capture.
            self.state.missing = [true; 2];
        }
        self.state.websocket = true;
        self.about.websocket = true;
        for direction in &mut self.directions {
            direction.upgraded(&mut self.state);
        }
    }

    /// Notes that a side sent a TCP RST. Then call [`Self::end`] for each direction that has not ended yet, first for
    /// the direction in which that side sends.
    pub fn reset_by(&mut self, side: Direction) {
        self.state.reset_by.get_or_insert(side);
    }

    /// Ends a direction. Appends a record of the bytes that are not part of one yet, and the end record, unless there are none (see
    /// [`Self::without_end_records`]). Do not feed the direction after this.
    pub fn end(&mut self, direction: Direction, how: EndReason, now: Time, out: &mut Vec<DissectedRecord>) {
        if how == EndReason::Rst {
            self.state.reset_by.get_or_insert(direction);
        }
        let known = out.len();
        self.with_output(out, |own| {
            // Foreign bytes of the other direction come first, because they excuse findings about the end.
            own.directions[direction.opposite().index()].record_ended(&mut own.state);
            own.directions[direction.index()].end(how, now, &mut own.state);
        });
        if self.by_mask {
            out[known..]
                .iter_mut()
                .filter(|r| r.kind == Kind::CutFrame && r.wire_len < 2)
                .for_each(|r| self.undirect(r));
        }
    }

    /// Marks a frame that was truncated before its MASK bit as undirected, and keeps only findings that hold for both
    /// directions.
    fn undirect(&self, record: &mut DissectedRecord) {
        record.undirected = true;
        record.link = RecordLink::None;
        let otherwise = self.directions[record.direction.opposite().index()].certain_of(&record.lead[..1], &self.state);
        record.findings.retain(|finding| otherwise.iter().any(|other| other.rule == finding.rule));
        for finding in &mut record.findings {
            finding.about = finding.about.filter(|_| otherwise.contains(finding));
        }
    }

    /// The offset at which the unfinished record of a direction starts; the current position if none is unfinished.
    pub fn record_start(&self, direction: Direction) -> u64 {
        self.directions[direction.index()].record_start()
    }

    /// The offset at which the next record of a direction starts, if it is known already.
    pub fn next_start(&self, direction: Direction) -> Option<u64> {
        let direction = &self.directions[direction.index()];
        if direction.record_start() == direction.position() {
            return Some(direction.position());
        }
        direction.position().checked_add(direction.left()?)
    }

    /// Requests a checkpoint after the next compressed message of each direction: see [`DissectedRecord::checkpoint`].
    pub fn want_checkpoints(&mut self) {
        self.directions.iter_mut().for_each(Dissector::want_checkpoint);
    }

    /// The number of bytes of a direction so far, fed or missing.
    pub fn position(&self, direction: Direction) -> u64 {
        self.directions[direction.index()].position()
    }

    /// What the handshake says about the connection.
    pub const fn about(&self) -> &HandshakeSummary {
        &self.about
    }

    fn request(&mut self, start: u64, bytes: &[u8], now: Time) {
        self.directions[1].next_request(&mut self.state);
        let head = Head::read(bytes);
        if head.is_upgrade() || self.about.target.is_none() {
            self.about.target = head.target().map(boxed);
            self.about.host = head.value("host").map(boxed);
        }
        let mut record = DissectedRecord::new(Kind::Request, Direction::ClientToServer, start, bytes.len() as u64, now);
        record.findings = findings(handshake::check_request(&head, self.state.server_of_next_request()));
        if self.state.requests.len() == MAX_OUTSTANDING {
            self.state.requests.pop_front();
        }
        self.state.requests.push_back((None, RequestFacts::of(&head)));
        record.key = key_of(&head).map(Box::new);
        let body = Body::of_request(&head);
        let early = head.is_upgrade() && head.method() != Some(b"CONNECT");
        self.directions[0].after_head(record, body, early, &mut self.state);
    }

    fn response(&mut self, start: u64, bytes: &[u8], now: Time) {
        let head = Head::read(bytes);
        let status = head.status().unwrap_or(0);
        let accepts = |key: &[u8]| head.value("sec-websocket-accept") == Some(accept::accept_key(key).as_bytes());
        if status == 101 {
            let early = self.directions[0].early_request();
            let accepts_early = early.is_some_and(|early| early.value("sec-websocket-key").is_some_and(accepts));
            if accepts_early || self.state.missing[1] && self.directions[0].has_early_request() {
                // The refusal of the request before is missing.
                self.refused();
            }
        }
        let mut record =
            DissectedRecord::new(Kind::Response, Direction::ServerToClient, start, bytes.len() as u64, now);
        record.code = status;
        let interim = matches!(status, 100 | 102..=199);
        let stated = match std::mem::take(&mut self.state.answers) {
            Answers::Next => None,
            Answers::Nothing => Some(None),
            Answers::At(offset) => self.directions[0].answerable(offset).map(Some),
        };
        let (asked, facts) = if let Some(asked) = stated {
            (asked, RequestFacts::default())
        } else if self.state.requests.is_empty() {
            (self.directions[0].answered(status >= 400, &mut self.state), RequestFacts::default())
        } else if interim {
            self.state.requests.front().cloned().unwrap_or_default()
        } else {
            if status == 101 {
                // The responses to earlier requests may be missing. After the request to upgrade there are no others.
                let latest = |accepted: &dyn Fn(&[u8]) -> bool| {
                    self.state.requests.iter().rposition(|(_, facts)| facts.key.as_deref().is_some_and(accepted))
                };
                let upgrade = latest(&accepts).or_else(|| latest(&|_| self.state.missing[1]));
                self.state.requests.drain(..upgrade.unwrap_or(0));
            }
            self.state.requests.pop_front().unwrap_or_default()
        };
        if !interim {
            self.state.latest_answered = asked;
        }
        record.link = asked.map_or(RecordLink::None, RecordLink::Answers);
        if !interim {
            record.findings = findings(handshake::check_response(&head, &facts));
            if asked.is_none() && !facts.is_known {
                // The request was not captured, so it may contain what the response refers to, and bytes after it may be missing.
                self.state.missing[0] = true;
                record.findings.retain(|finding| !finding.rule.is_about_the_request());
            }
            for finding in &mut record.findings {
                finding.about = asked.map(u64::from);
            }
        }
        let body = Body::of_response(&head, &facts.method);
        self.directions[1].after_head(record, Ok(body), false, &mut self.state);
        match status {
            101 if head.has_token("upgrade", "websocket") || facts.key.is_some() => {
                if self.sent_early() {
                    self.state.early = asked;
                }
                self.upgraded(&head);
            }
            101 => self.directions.iter_mut().for_each(|direction| direction.opaque(&mut self.state)),
            _ if interim => {}
            200..=299 if facts.is_connect() => self.open_tunnel(),
            _ => {
                if facts.key.is_some() && self.sent_early() {
                    self.state.early = asked;
                }
                // Buffered bytes follow the latest request, which may still be accepted.
                if self.state.requests.is_empty() {
                    self.refused();
                }
            }
        }
    }

    /// Continues with HTTP after a request to upgrade.
    fn refused(&mut self) {
        let (kept, last) = self.directions[0].refused();
        self.dissect(Direction::ClientToServer, &kept, last);
    }

    /// True if the client certainly sent more before the response to its handshake request, which is fed now.
    fn sent_early(&self) -> bool {
        self.directions[0].has_early_bytes() && !self.state.answered_unseen && !self.state.missing[0]
    }

    fn upgraded(&mut self, head: &Head<'_>) {
        self.about.websocket = true;
        self.state.websocket = true;
        self.about.subprotocol = head.value("sec-websocket-protocol").map(boxed);
        self.about.extensions = head.value("sec-websocket-extensions").map(boxed);
        let extensions = Extensions::of(head).list;
        self.about.deflate = extensions.iter().find(|e| e.is_deflate()).map(DeflateParams::read_leniently);
        self.state.foreign = extensions.iter().any(|e| !e.is_deflate());
        self.state.deflate = self.about.deflate.or(self.state.deflate);
        for direction in &mut self.directions {
            direction.upgraded(&mut self.state);
        }
    }
}

/// The key of a request, if it has exactly one and it is well-formed.
fn key_of(head: &Head<'_>) -> Option<HandshakeKey> {
    let mut lines = head.lines_named("sec-websocket-key");
    let (Some((_, line)), None) = (lines.next(), lines.next()) else { return None };
    let span = Span::bytes(line.line.start as u64, line.line.end as u64);
    Some(HandshakeKey { nonce: accept::nonce(head.slice(&line.value))?, span })
}

fn findings(steps: Vec<handshake::Requirement>) -> Vec<Finding> {
    steps.into_iter().filter_map(|step| step.finding).collect()
}

/// The first [`MAX_VALUE`] bytes as text.
fn boxed(raw: &[u8]) -> Box<str> {
    String::from_utf8_lossy(&raw[..raw.len().min(MAX_VALUE)]).into()
}

mod captured;
#[cfg(test)]
mod loss_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trial_tests;
mod tunnel;
