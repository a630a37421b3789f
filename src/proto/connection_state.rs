//! The state that both directions of a connection share.

use std::collections::VecDeque;
use std::net::SocketAddr;

use crate::proto::compressed_messages::Certainty;
use crate::proto::dissected::{Direction, DissectedRecord, EndReason, Kind};
use crate::proto::extensions::DeflateParams;
use crate::proto::handshake::RequestFacts;
use crate::proto::judge::ActiveExtensions;
use crate::proto::pings::{Pings, PongMatch};
use crate::proto::rules::{Finding, Rule};
use crate::proto::stated::Answers;
use crate::wire::field::Span;
use crate::wire::opcode::Opcode;

/// The state of a connection that the dissectors of both directions read and change.
#[derive(Debug, Default)]
pub(super) struct ConnectionState {
    /// The address to which the client connected to reach the server, if known. Not that of a proxy, or of a server to
    /// which a load balancer forwards.
    pub server: Option<SocketAddr>,
    /// The offset after the headers of the PROXY protocol with which the client's direction or its latest tunnel starts.
    pub proxy_headers_end: u64,
    /// The offsets at which the latest tunnel starts in both directions, if a proxy has opened one.
    pub tunnel: Option<[u64; 2]>,
    /// The parameters of permessage-deflate, if it was negotiated or the user says so.
    pub deflate: Option<DeflateParams>,
    /// True if an unknown extension was negotiated.
    pub foreign: bool,
    /// The number of records so far.
    pub(super) ordinals: u32,
    /// The records that [`Self::emit`] appends; the caller's vector while a method of the connection runs.
    pub(super) records: Vec<DissectedRecord>,
    /// Requests without a response so far. The ordinal is set when the request becomes a record.
    pub(super) requests: VecDeque<(Option<u32>, RequestFacts)>,
    /// True after the upgrade to WebSocket.
    pub(super) websocket: bool,
    /// The ordinal of the handshake request after which the client sent data too early. Cleared when that data becomes a
    /// record.
    pub(super) early: Option<u32>,
    /// The Pings of each direction.
    pub(super) pings: [Pings; 2],
    /// The ordinal of the first Close of each direction.
    pub(super) closes: [Option<u32>; 2],
    /// True if frames are not judged.
    pub unjudged: bool,
    /// The side that reset the connection.
    pub(super) reset_by: Option<Direction>,
    /// True if the reset was already reported as a finding.
    pub(super) reset_reported: bool,
    /// True if the capture lacks bytes of this direction. Nothing is reported that the missing bytes could explain.
    pub(super) missing: [bool; 2],
    /// True if the peer acknowledged bytes of this direction that were not fed yet.
    pub(super) outstanding: [bool; 2],
    /// True if the client had received the response before it sent more, although the capture has it later.
    pub(super) answered_unseen: bool,
    /// True if the server sent bytes where a response must start that are not one. They may contain a response.
    pub(super) response_unread: bool,
    /// True if a finding has reported that messages of this direction cannot be inflated because bytes are missing.
    pub(super) context_lost: [bool; 2],
    /// True if the capture lacks the handshake, so that the negotiated extensions are unknown.
    pub handshake_unseen: bool,
    /// True for frames without a connection: permessage-deflate may have been negotiated, the only registered extension that
    /// uses a reserved bit.
    pub bare_frames: bool,
    /// The input does not show the ends of the connection, such as a paste: no end records.
    pub endless: bool,
    /// True if the bytes are those that the sides of an earlier connection received: nothing is reported about the handshake, and nothing
    /// that relates the two directions.
    pub delivered: bool,
    /// True if the receiver of this direction got something else than these bytes: what it sends may answer that.
    pub altered: [bool; 2],
    /// True if bytes were found in place of frames. They explain how the connection ends.
    pub(super) foreign_bytes: bool,
    /// What the next response answers, if the caller has stated that.
    pub answers: Answers,
    /// The ordinal of the record that the latest response answers.
    pub latest_answered: Option<u32>,
    /// A finding for the next record of each direction.
    pub(super) pending: [Option<Finding>; 2],
}

impl ConnectionState {
    /// The negotiated extensions.
    pub const fn extended(&self) -> ActiveExtensions {
        ActiveExtensions { deflate: self.deflate.is_some(), foreign: self.foreign }
    }

    /// The parameters with which a message of this direction with RSV1 is inflated if its first one starts here, and their
    /// certainty; `None` if it is not compressed. Missing bytes may contain earlier messages to which it refers.
    #[inline]
    pub fn inflation(&self, direction: Direction) -> Option<(DeflateParams, Certainty)> {
        let begun_before = self.handshake_unseen || self.bare_frames || self.missing[direction.index()];
        match self.deflate {
            Some(agreed) if begun_before => Some((agreed, Certainty::Assumed)),
            Some(agreed) => Some((agreed, Certainty::Negotiated)),
            None => (self.handshake_unseen || self.bare_frames).then_some((DeflateParams::DEFAULT, Certainty::Trial)),
        }
    }

    /// The ordinal of the next record.
    pub const fn next_ordinal(&self) -> u32 {
        self.ordinals
    }

    /// Appends a record to the output, with the findings that are pending for it.
    #[inline]
    pub fn emit(&mut self, mut record: DissectedRecord) {
        if self.delivered && matches!(record.kind, Kind::Request | Kind::Response) {
            record.findings.clear();
            record.key = None;
        }
        if record.direction == Direction::ClientToServer
            && matches!(record.kind, Kind::Request | Kind::CutHttp)
            && let Some((ordinal, _)) = self.requests.iter_mut().find(|(ordinal, _)| ordinal.is_none())
        {
            *ordinal = Some(self.ordinals);
        }
        if let Some(finding) = self.pending[record.direction.index()].take_if(|_| record.kind != Kind::Gap) {
            record.findings.push(finding);
        }
        if self.early.is_some()
            && record.direction == Direction::ClientToServer
            && record.wire_len > 0
            && record.kind != Kind::Gap
        {
            let named = |rule: Rule| record.findings.iter().any(|finding| finding.rule == rule);
            // A line break alone is not early data, but a frame after it is. Other bytes that are no frames have their finding.
            if !named(Rule::LineBreakInStream) {
                let about = self.early.take().map(u64::from);
                let own = [Rule::HttpRequestInStream, Rule::TextInStream, Rule::ProxyHeaderInStream];
                if !own.into_iter().any(named) {
                    let span = Some(Span::bytes(0, record.wire_len));
                    record.findings.push(Finding::new(Rule::DataBeforeResponse, span).about(about));
                }
            }
        }
        let other = record.direction.opposite().index();
        let is_end = matches!(record.kind, Kind::End(_));
        let has_bytes = record.wire_len > 0 && record.kind != Kind::Gap;
        record.outstanding = has_bytes && self.outstanding[other] || (has_bytes || is_end) && self.altered[other];
        self.ordinals += 1;
        self.records.push(record);
    }

    /// Notes that the next record is a Close. Returns the ordinal of the peer's Close if the peer sent one before.
    pub fn close_sent(&mut self, direction: Direction) -> Option<u32> {
        let ordinal = self.ordinals;
        self.closes[direction.index()].get_or_insert(ordinal);
        self.closes[direction.opposite().index()]
    }

    /// Notes that the next record is a Ping. The peer must answer it unless the sender has sent a Close (RFC 6455 §5.5.2).
    pub fn ping_sent(&mut self, direction: Direction, payload: &[u8]) {
        self.pings[direction.index()].sent(self.ordinals, payload, self.closes[direction.index()].is_none());
    }

    /// Matches a Pong with the peer's Pings.
    pub fn pong_sent(&mut self, direction: Direction, payload: &[u8]) -> PongMatch {
        let other = direction.opposite().index();
        let answer = self.pings[other].answered(payload);
        if self.outstanding[other] && !matches!(answer, PongMatch::Answers(..)) {
            self.pings[other].answered_early(payload);
        }
        answer
    }

    /// Matches a truncated Pong with the peer's Pings. `None` while it may answer one: see [`Pings::never_answered`].
    pub fn pong_begun(&self, direction: Direction, beginning: &[u8], len: Option<usize>) -> Option<PongMatch> {
        self.pings[direction.opposite().index()].never_answered(beginning, len)
    }

    /// Notes that the client sends the first bytes after its handshake request, before the capture has the response.
    pub const fn begins_early(&mut self) {
        self.answered_unseen = self.outstanding[Direction::ServerToClient.index()];
    }

    /// Reports the bytes that the client sends now as too early: the handshake request has no response.
    pub fn early(&mut self) {
        self.early = match self.requests.back() {
            // The missing bytes may contain the response, or the bytes that put requests and responses out of order.
            _ if self.missing.contains(&true) || self.outstanding[1] || self.response_unread => None,
            Some((ordinal, facts)) if facts.key.is_some() => *ordinal,
            _ => None,
        };
    }

    /// Notes that the client sent its next record before the response to its handshake request.
    pub fn sent_early(&mut self) {
        let unanswered = self.requests.back().filter(|(_, facts)| facts.key.is_some());
        self.early = unanswered.and_then(|(ordinal, _)| *ordinal).or(self.latest_answered);
    }

    /// Notes that bytes of a direction are missing.
    pub fn lost(&mut self, direction: Direction) {
        self.missing[direction.index()] = true;
        self.context_lost[direction.index()] |= self.deflate.is_some();
    }

    /// True if a finding has reported that messages of this direction cannot be inflated because bytes are missing.
    pub const fn context_lost(&self, direction: Direction) -> bool {
        self.context_lost[direction.index()]
    }

    /// True if the match of a Pong is certain: the missing bytes contain neither its Ping nor an earlier Pong.
    pub const fn is_certain(&self, direction: Direction, answer: &PongMatch) -> bool {
        match answer {
            _ if self.delivered || self.altered[direction.opposite().index()] => false,
            PongMatch::Answers(..) => !self.missing[direction.index()],
            _ => !self.missing[direction.opposite().index()] && !self.outstanding[direction.opposite().index()],
        }
    }

    /// If the handshake is missing, removes findings about a frame with this opcode that an extension could explain.
    #[inline]
    pub fn remove_uncertain(&self, opcode: Opcode, findings: &mut Vec<Finding>) {
        if self.handshake_unseen {
            findings.retain(|f| !matches!(f.rule, Rule::Rsv1Set | Rule::Rsv1Misplaced | Rule::Rsv2Set | Rule::Rsv3Set));
        } else if self.bare_frames && opcode.opens_message() {
            findings.retain(|f| f.rule != Rule::Rsv1Set);
        }
    }

    /// True if an extension may use RSV1.
    pub const fn rsv1_may_be_set(&self) -> bool {
        self.deflate.is_some() || self.handshake_unseen || self.bare_frames
    }

    /// The address to which the client connected to reach the server of its next request, if known. A client may send requests
    /// for the tunnel before the proxy has opened it.
    pub fn server_of_next_request(&self) -> Option<SocketAddr> {
        self.server.filter(|_| !self.requests.iter().any(|(_, facts)| facts.is_connect()))
    }

    /// True if the oldest request without a response asks for an upgrade.
    pub fn asked_to_upgrade(&self) -> bool {
        self.requests.front().is_some_and(|(_, facts)| facts.key.is_some())
    }

    /// True if the server's next bytes are certainly the response to a request for an upgrade.
    pub fn response_is_due(&self) -> bool {
        !self.websocket && !self.missing.contains(&true) && !self.outstanding[1] && self.asked_to_upgrade()
    }

    /// True if the missing bytes of the client may contain a request for an upgrade.
    pub fn request_unseen(&self) -> bool {
        self.requests.is_empty() && self.missing[Direction::ClientToServer.index()]
    }

    /// The findings for the end of a direction, which is the next record.
    pub fn judge_end(&mut self, direction: Direction, how: EndReason) -> Vec<Finding> {
        let mut findings = Vec::new();
        if !self.websocket || self.foreign_bytes || self.delivered || how == EndReason::Capture {
            return findings;
        }
        let about = |rule, about: Option<u32>| Finding::new(rule, None).about(about.map(u64::from));
        if let Some(by) = self.reset_by.filter(|_| !self.reset_reported) {
            self.reset_reported = true;
            findings.push(about(Rule::TcpReset, None).by(by));
        }
        // A side whose peer reset the connection might have sent more.
        let voluntary = how == EndReason::Fin || self.reset_by == Some(direction);
        if self.missing[direction.index()] {
            // The missing bytes may contain a Close and Pongs.
            return findings;
        }
        if voluntary && self.closes[direction.index()].is_none() {
            let answers = self.closes[direction.opposite().index()];
            // The peer's Close may not have been delivered.
            let answers = answers.filter(|_| !self.altered[direction.opposite().index()]);
            let rule = if answers.is_some() { Rule::CloseUnanswered } else { Rule::CloseMissing };
            findings.push(about(rule, answers).by(direction));
        }
        let owed = self.pings[direction.opposite().index()].unanswered();
        // After a gap, a Ping may be read after the Pong that answers it.
        let is_known = !self.missing[direction.opposite().index()] && !self.altered[direction.opposite().index()];
        if owed.count > 0 && is_known {
            findings.push(about(Rule::PingUnanswered, owed.first).number(owed.count));
        }
        findings
    }
}
