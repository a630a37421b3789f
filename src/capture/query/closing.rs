//! How a connection closed: the Close frames and the TCP ends of both directions, in their order.

use super::summary;
use crate::capture::store::Capture;
use crate::capture::store::message_reader::MessageReader;
use crate::proto::dissected::{Direction, EndReason, Kind};
use crate::proto::rules::Severity;
use crate::proto::time::Time;
use crate::wire::close::CloseCode;

/// Records at the end of a connection that are searched for its end.
const REACH: u32 = 256;

/// How a connection closed so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The number of the connection.
    pub connection: u32,
    /// Whether it was upgraded to WebSocket.
    pub websocket: bool,
    /// How many records the connection had.
    pub records: u32,
    /// The first Close of each direction and the ends of both directions, in ascending order of their records.
    pub steps: Vec<ClosingStep>,
}

/// A step of closing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosingStep {
    /// The number of its record.
    pub no: u64,
    /// When its record was complete.
    pub time: Time,
    /// The side that took the step sends in this direction.
    pub direction: Direction,
    /// What happened.
    pub event: ClosingEvent,
}

/// What happened in a step of closing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClosingEvent {
    /// A Close frame.
    Close {
        /// Its code, if it has one.
        code: Option<CloseCode>,
        /// Its code, name and reason in words that are safe for a terminal.
        words: String,
        /// Whether it breaks a rule.
        faulty: bool,
    },
    /// The end of the direction.
    Tcp(EndReason),
}

impl Closing {
    /// How a connection closed; `None` if it does not exist.
    pub fn of(capture: &Capture, connection: u32) -> Option<Self> {
        let info = capture.connection(connection)?;
        let first = capture.first_ordinal(connection)?.max(info.records.saturating_sub(REACH));
        let ends = (first..info.records).filter_map(|ordinal| capture.at_ordinal(connection, ordinal));
        let ends = ends.filter(|record| matches!(record.kind, Kind::End(_)));
        let closes = capture.closes(connection).into_iter().flatten().filter_map(|no| capture.record(no));
        let mut reader = MessageReader::default();
        let mut steps: Vec<ClosingStep> = closes
            .chain(ends)
            .map(|record| ClosingStep {
                no: record.no,
                time: record.time,
                direction: record.direction,
                event: match record.kind {
                    Kind::End(how) => ClosingEvent::Tcp(how),
                    _ => ClosingEvent::Close {
                        code: (record.code > 0).then_some(CloseCode(record.code)),
                        words: summary::of(capture, &record, &mut reader).preview,
                        faulty: record.findings.iter().any(|finding| finding.rule.severity() == Severity::Error),
                    },
                },
            })
            .collect();
        steps.sort_by_key(|step| step.no);
        Some(Self { connection, websocket: info.about.websocket, records: info.records, steps })
    }

    /// The directions that sent a Close, the first one first.
    pub fn closes(&self) -> Vec<Direction> {
        let is_close = |step: &&ClosingStep| matches!(step.event, ClosingEvent::Close { .. });
        self.steps.iter().filter(is_close).map(|step| step.direction).collect()
    }

    /// The directions whose Close breaks a rule.
    pub fn faulty(&self) -> Vec<Direction> {
        let is_faulty = |step: &&ClosingStep| matches!(step.event, ClosingEvent::Close { faulty: true, .. });
        self.steps.iter().filter(is_faulty).map(|step| step.direction).collect()
    }

    /// The direction of the side that sent a TCP RST.
    pub fn reset_by(&self) -> Option<Direction> {
        let is_reset = |step: &&ClosingStep| step.event == ClosingEvent::Tcp(EndReason::Rst);
        self.steps.iter().find(is_reset).map(|step| step.direction)
    }

    /// Whether the direction certainly carried nothing more: it has a TCP FIN or RST, or a RST ended the connection.
    pub fn has_ended(&self, direction: Direction) -> bool {
        let is_fin =
            |step: &ClosingStep| step.event == ClosingEvent::Tcp(EndReason::Fin) && step.direction == direction;
        self.reset_by().is_some() || self.steps.iter().any(is_fin)
    }

    /// The close code that the application of a side gets, where `side` is the direction in which it sends (RFC 6455 §7.1.5): that of
    /// the peer's Close, 1005 if the Close has no code, 1006 if the peer's direction ended without a Close. `None` if the peer's Close
    /// breaks a rule, or if the capture does not show what the peer sent at the end.
    pub fn code_for(&self, side: Direction) -> Option<CloseCode> {
        let peer = side.opposite();
        let close = self.steps.iter().find_map(|step| match step.event {
            ClosingEvent::Close { code, faulty, .. } if step.direction == peer => Some((code, faulty)),
            _ => None,
        });
        match close {
            Some((_, true)) => None,
            Some((code, false)) => Some(code.unwrap_or(CloseCode::NO_STATUS)),
            None => (self.websocket && self.has_ended(peer)).then_some(CloseCode::ABNORMAL),
        }
    }

    /// Whether the capture ends before the connection does.
    pub fn is_cut(&self) -> bool {
        self.steps.iter().any(|step| step.event == ClosingEvent::Tcp(EndReason::Capture))
    }
}
