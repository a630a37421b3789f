//! Decides which records of a connection a reader of the file derives from their bytes, and which the file has to state.

use crate::capture::store::Capture;
use crate::capture::store::record::Record;
use crate::proto::dissected::Kind;
use crate::proto::rules::Rule;
use crate::proto::stated::{Answers, StatedKind, StatedRecord};

/// What a reader of the records so far can derive about the next ones.
#[derive(Default)]
pub struct Derivable {
    /// True after the upgrade to WebSocket.
    upgraded: bool,
    /// True if the bytes of a direction do not show what starts next.
    unsure: [bool; 2],
    /// The number of requests without a response.
    unanswered: u32,
}

impl Derivable {
    /// Takes the next record of the connection. Returns what the file has to state about it. `ends_with_stream` is true for a response
    /// whose head says so: what comes next may show that it ends earlier.
    pub fn state(&mut self, capture: &Capture, record: &Record, ends_with_stream: bool) -> Option<StatedRecord> {
        let i = record.direction.index();
        if record.kind == Kind::Gap {
            self.lose(i);
        }
        let stated = stated(capture, record)?;
        let needed = match stated.kind {
            StatedKind::Http => {
                // A reader keeps a request until the one before has its response, and bytes before a response until that comes.
                let buffered = matches!(record.kind, Kind::Request | Kind::Junk) && self.unanswered > 0;
                let unlike = stated.answers != Answers::Next;
                let is_malformed = record.kind == Kind::Request && is_malformed_after(capture, record);
                self.upgraded || self.unsure[i] || buffered || unlike || ends_with_stream || is_malformed
            }
            StatedKind::Frame => self.unsure[i] || !self.upgraded || depends_on_later_bytes(record),
            StatedKind::CutHttp | StatedKind::Undirected | StatedKind::Foreign | StatedKind::Junk => true,
        };
        // After the upgrade, a reader expects frames, except after HTTP that was stated.
        self.unsure[i] =
            self.upgraded && record.code != 101 && matches!(stated.kind, StatedKind::Http | StatedKind::CutHttp);
        match record.kind {
            Kind::Junk => self.lose(i),
            Kind::Frame | Kind::CutFrame => self.upgraded = true,
            Kind::Request => self.unanswered += 1,
            Kind::Response if record.code == 101 => self.upgraded = true,
            Kind::Response if record.code >= 200 => self.unanswered = self.unanswered.saturating_sub(1),
            _ => {}
        }
        (needed || stated.early).then_some(stated)
    }

    /// Bytes of a direction are missing or have no meaning. Before the upgrade, that also changes what the other one means.
    fn lose(&mut self, direction: usize) {
        match self.upgraded {
            true => self.unsure[direction] = true,
            false => self.unsure = [true; 2],
        }
    }
}

/// A record as the file states it; `None` if it has no bytes.
pub fn stated(capture: &Capture, record: &Record) -> Option<StatedRecord> {
    let kind = StatedKind::of(record.kind, record.undirected, rules(record))?;
    let early = rules(record).any(|rule| rule == Rule::DataBeforeResponse);
    // The head of a truncated response may be incomplete.
    let is_response = record.kind == Kind::Response || record.kind == Kind::CutHttp && record.code > 0;
    let answers = match record.answers {
        _ if !is_response => Answers::Next,
        None => Answers::Nothing,
        Some(no) => match capture.record(no) {
            Some(asked) if asked.kind != Kind::Request => Answers::At(asked.offset),
            _ => Answers::Next,
        },
    };
    Some(StatedRecord { kind, len: record.wire_len, early, answers })
}

/// Returns true if only the byte after a request shows that its body ends there: it is malformed.
fn is_malformed_after(capture: &Capture, request: &Record) -> bool {
    let end = request.offset + request.wire_len;
    let mut from = request.no;
    while let Some(record) = capture.next_breach(Rule::BodyEndUnknown, from).and_then(|no| capture.record(no)) {
        if record.connection == request.connection && record.direction == request.direction {
            return record.offset == end;
        }
        from = record.no + 1;
    }
    false
}

fn rules(record: &Record) -> impl Iterator<Item = Rule> {
    record.findings.iter().map(|finding| finding.rule)
}

/// Returns true if a frame begins like bytes in place of frames, such as text: bytes after it show what it is.
fn depends_on_later_bytes(frame: &Record) -> bool {
    match frame.lead[0] {
        // With FIN it is a frame. A frame of one of these kinds may start without.
        0x80.. | 1 | 2 => false,
        0 | 0x41 | 0x42 => !frame.findings.is_empty(),
        _ => true,
    }
}
