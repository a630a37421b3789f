//! What a proxy holds, for the screen.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use crate::capture::query::filter::Filter;
use crate::capture::store::Capture;
use crate::net::proxy::hold::{Held, Hold, Injection, Rule, Verdict, Waiting};
use crate::proto::dissected::Direction;
use crate::proto::rules::count;
use crate::script::Outgoing;
use crate::tui::hold_desk::{Decision, HeldContent, HeldRow, HoldDesk, InjectionRow, RuleRow, WaitingRecords};
use crate::wire::opcode::Opcode;

/// How long the end of the program waits until held messages were sent on.
const RELEASE: Duration = Duration::from_millis(500);

/// Sends on what a proxy holds, at the end of the program. Returns what did not go on, in one line.
pub fn release(hold: &Hold) -> Option<String> {
    let left = hold.release(RELEASE);
    let messages = count(left as u64, "held message");
    (left > 0).then(|| format!("{messages} did not go on before the end: the receiver did not read"))
}

/// A message that is held, in one line.
pub fn held_line(held: &Held, capture: &Capture) -> String {
    let opcode = capture.record(held.record).and_then(|record| record.opcode());
    let kind = opcode.map_or("frame", Opcode::name);
    let (sender, receiver) = match held.direction {
        Direction::ClientToServer => ("client", "server"),
        Direction::ServerToClient => ("server", "client"),
    };
    format!(
        "held record {}: {kind}, {} on the wire, {sender} to {receiver} of connection {}; it is sent on when the program ends",
        held.record,
        count(held.len as u64, "byte"),
        held.connection
    )
}

/// How many held messages of a direction are listed.
const MOST_SHOWN: usize = 1000;

/// The rules of a proxy, and what they hold.
pub struct ProxyDesk {
    hold: Arc<Hold>,
    capture: Capture,
}

impl ProxyDesk {
    /// The desk of a proxy that records into `capture`.
    pub fn new(hold: &Arc<Hold>, capture: &Capture) -> Self {
        Self { hold: Arc::clone(hold), capture: capture.clone() }
    }
}

impl HoldDesk for ProxyDesk {
    fn rules(&self) -> Vec<RuleRow> {
        let row = |rule: &Rule| RuleRow { id: rule.id, text: rule.filter.text().to_owned() };
        self.hold.rules().iter().map(row).collect()
    }

    fn add_rule(&self, filter: Filter) {
        self.hold.add_rule(filter);
    }

    fn remove_rule(&self, id: u64) {
        self.hold.remove_rule(id);
    }

    fn held(&self) -> Vec<HeldRow> {
        let row = |held: Held| HeldRow {
            id: held.id,
            connection: held.connection,
            direction: held.direction,
            record: held.record,
            last_record: held.last_record,
            len: held.len as u64,
            rules: held.rules,
            since: held.since,
            is_decided: held.is_decided,
        };
        self.hold.held(MOST_SHOWN).into_iter().map(row).collect()
    }

    fn held_count(&self) -> usize {
        self.hold.held_count()
    }

    fn content(&self, id: u64) -> Result<HeldContent, String> {
        let content = self.hold.content(id, &self.capture).map_err(|e| e.to_string())?;
        Ok(HeldContent { head: content.head, is_compressed: content.is_compressed, payload: content.payload })
    }

    fn decide(&self, id: u64, decision: Decision) -> Result<(), String> {
        let verdict = match decision {
            Decision::Send => Verdict::Send,
            Decision::Drop => Verdict::Drop,
            Decision::Replace(outgoing) => Verdict::Replace(outgoing),
        };
        self.hold.decide(id, &verdict).map_err(|e| e.to_string())
    }

    fn send_all(&self) {
        self.hold.send_all();
    }

    fn waiting(&self, records: &RangeInclusive<u64>) -> Vec<WaitingRecords> {
        let row = |waiting: Waiting| WaitingRecords {
            connection: waiting.connection,
            direction: waiting.direction,
            records: waiting.records,
            is_undecided: waiting.is_undecided,
        };
        self.hold.waiting(records).into_iter().map(row).collect()
    }

    fn injections(&self) -> Vec<InjectionRow> {
        self.hold.injections(|Injection { id, outgoing, since }, connection, direction| InjectionRow {
            id: *id,
            connection,
            direction,
            opcode: outgoing.opcode(),
            len: outgoing.payload_len() as u64,
            since: *since,
        })
    }

    fn injected(&self) -> u64 {
        self.hold.injected()
    }

    fn withdraw(&self, id: u64) -> Result<(), String> {
        self.hold.withdraw(id).map_err(|e| e.to_string())
    }

    fn inject(&self, connection: u32, direction: Direction, outgoing: Outgoing) -> Result<(), String> {
        self.hold.inject(connection, direction, outgoing).map_err(|e| e.to_string())
    }
}
