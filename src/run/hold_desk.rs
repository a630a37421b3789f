//! What a proxy holds, for the screen.

use std::sync::Arc;
use std::time::Duration;

use crate::capture::query::filter::Filter;
use crate::capture::store::Capture;
use crate::net::proxy::hold::{Held, Hold, Verdict};
use crate::proto::dissected::Direction;
use crate::script::Outgoing;
use crate::tui::hold_desk::{Decision, HeldContent, HeldRow, HoldDesk, RuleRow};

/// How long the end of the program waits until held messages were sent on.
pub const RELEASE: Duration = Duration::from_millis(500);

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
        let held = self.hold.held();
        let holds = |rule: u64| held.iter().filter(|held| !held.is_decided && held.rules.contains(&rule)).count();
        let rules = self.hold.rules();
        let row = |(id, filter): (u64, &Filter)| RuleRow { id, text: filter.text().to_owned(), held: holds(id) };
        rules.iter().map(|rule| row((rule.id, &rule.filter))).collect()
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
            since: held.since,
            is_decided: held.is_decided,
        };
        self.hold.held().into_iter().map(row).collect()
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

    fn inject(&self, connection: u32, direction: Direction, outgoing: Outgoing) -> Result<(), String> {
        self.hold.inject(connection, direction, outgoing).map_err(|e| e.to_string())
    }
}
