//! What both directions of a connection know together.

use std::collections::VecDeque;

use crate::proto::dissected::{Direction, DissectedRecord, EndReason, Kind};
use crate::proto::extensions::DeflateParams;
use crate::proto::handshake::RequestFacts;
use crate::proto::judge::ActiveExtensions;
use crate::proto::pings::{Answer, Pings};
use crate::proto::rules::{Finding, Rule};
use crate::wire::field::Span;

/// What both directions know together.
#[derive(Debug, Default)]
pub(in crate::proto) struct Shared {
    /// What was agreed on, when permessage-deflate was.
    pub deflate: Option<DeflateParams>,
    /// Whether an extension is in use that is not known here.
    pub foreign: bool,
    /// Records so far.
    pub(super) ordinals: u32,
    /// Requests that wait for their response; the ordinal is known once the request is a record.
    pub(super) requests: VecDeque<(Option<u32>, RequestFacts)>,
    /// Whether it is a WebSocket connection.
    pub(super) websocket: bool,
    /// The ordinal of the handshake behind which the client sent something before it was answered, until the record of that
    /// is handed out.
    pub(super) early: Option<u32>,
    /// The pings of each direction.
    pub(super) pings: [Pings; 2],
    /// The ordinal of the first Close of each direction.
    pub(super) closes: [Option<u32>; 2],
    /// Whether frames are not judged.
    pub unjudged: bool,
    /// Who tore the connection down.
    pub(super) reset_by: Option<Direction>,
    /// Whether that was told.
    pub(super) reset_told: bool,
    /// Whether bytes of each direction are missing: what they said is not held against anybody.
    pub(super) missing: [bool; 2],
    /// Whether bytes of each direction have not come that the other side has received.
    pub(super) outstanding: [bool; 2],
    /// Whether the client had received the response when it went on, though the capture shows it only later.
    pub(super) answered_unseen: bool,
    /// Whether the context of compressed messages was told to be lost, in each direction.
    pub(super) context_lost: [bool; 2],
    /// Whether nobody has seen what the handshake agreed on.
    pub handshake_unseen: bool,
    /// Waits for the next record of its direction.
    pub(super) waiting: [Option<Finding>; 2],
}

impl Shared {
    /// The extensions in use.
    pub const fn extended(&self) -> ActiveExtensions {
        ActiveExtensions { deflate: self.deflate.is_some(), foreign: self.foreign }
    }

    /// The ordinal that the next record will have.
    pub const fn next_ordinal(&self) -> u32 {
        self.ordinals
    }

    /// Hands out a record.
    #[inline]
    pub fn emit(&mut self, mut record: DissectedRecord, out: &mut Vec<DissectedRecord>) {
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

    /// Whether bytes of the client are missing in which it may have asked to.
    pub fn request_unseen(&self) -> bool {
        self.requests.is_empty() && self.missing[Direction::ClientToServer.index()]
    }

    /// What there is to say of the end of a direction, which is the next record.
    pub fn judge_end(&mut self, direction: Direction, how: EndReason) -> Vec<Finding> {
        let mut findings = Vec::new();
        if !self.websocket || how == EndReason::Capture {
            return findings;
        }
        let about = |rule, about: Option<u32>| Finding::new(rule, None).about(about.map(u64::from));
        if let Some(by) = self.reset_by.filter(|_| !self.reset_told) {
            self.reset_told = true;
            findings.push(about(Rule::TcpReset, None).by(by));
        }
        // Who was torn down by the other side might have said more.
        let of_its_own = how == EndReason::Fin || self.reset_by == Some(direction);
        if self.missing[direction.index()] {
            // A Close and the pongs may be among what is missing.
            return findings;
        }
        if of_its_own && self.closes[direction.index()].is_none() {
            let answers = self.closes[direction.opposite().index()];
            let rule = if answers.is_some() { Rule::CloseUnanswered } else { Rule::CloseMissing };
            findings.push(about(rule, answers).by(direction));
        }
        let owed = self.pings[direction.opposite().index()].unanswered();
        // Beside a gap a Ping may be read behind the Pong that answers it.
        if owed.count > 0 && !self.missing[direction.opposite().index()] {
            findings.push(about(Rule::PingUnanswered, owed.first).number(owed.count));
        }
        findings
    }
}
