//! What a proxy holds, as of the last refresh or key.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::capture::query::messages::Messages;
use crate::capture::query::summary;
use crate::capture::store::Capture;
use crate::capture::store::message_reader::MessageReader;
use crate::capture::store::record::Record;
use crate::tui::hold_desk::{HeldRow, HoldDesk, InjectionRow, RuleRow, WaitingRecords};
use crate::tui::legend::{HELD, QUEUED};

/// The most messages whose content is shown in a line.
const MAX_PREVIEWS: usize = 64;

/// The rules of a proxy and what they hold.
#[derive(Debug, Default)]
pub struct HeldMessages {
    /// What waits, the oldest first.
    pub rows: Vec<HeldRow>,
    /// The rules.
    pub rules: Vec<RuleRow>,
    /// How many messages wait. `rows` may have fewer.
    pub count: usize,
    /// What a person has sent, and has not gone yet.
    pub injections: Vec<InjectionRow>,
    /// How many of these were sent so far.
    pub injected: u64,
    /// What waits among the records in view.
    waiting: Vec<WaitingRecords>,
    /// The content of the first messages in a line, by their numbers.
    previews: HashMap<u64, String>,
}

impl HeldMessages {
    /// Asks the proxy.
    pub fn refresh(&mut self, desk: Option<&Arc<dyn HoldDesk>>, capture: &Capture) {
        let Some(desk) = desk else { return };
        self.rules = desk.rules();
        self.rows = desk.held();
        self.count = desk.held_count();
        self.injections = desk.injections();
        self.injected = desk.injected();
        let mut known = std::mem::take(&mut self.previews);
        for row in self.rows.iter().take(MAX_PREVIEWS) {
            let preview = known.remove(&row.id).unwrap_or_else(|| preview(capture, row));
            self.previews.insert(row.id, preview);
        }
    }

    /// Whether there is nothing to decide about, to send, or to hold.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.injections.is_empty() && self.rules.is_empty()
    }

    /// The content of a message in a line; empty if it is not known.
    pub fn preview(&self, row: &HeldRow) -> &str {
        self.previews.get(&row.id).map_or("", String::as_str)
    }

    /// Asks the proxy what waits among these records.
    pub fn look(&mut self, desk: Option<&Arc<dyn HoldDesk>>, records: Option<RangeInclusive<u64>>) {
        self.waiting = desk.zip(records).map(|(desk, records)| desk.waiting(&records)).unwrap_or_default();
    }

    /// The sign of a record in view if it belongs to a message that waits, for a decision or for a message before it.
    pub fn sign(&self, record: &Record) -> Option<&'static str> {
        let is_part = |waiting: &&WaitingRecords| {
            let [first, last] = waiting.records;
            (waiting.connection, waiting.direction) == (record.connection, record.direction)
                && (record.no == first
                    || record.no == last
                    || record.message.is_some() && (first..last).contains(&record.no))
        };
        let waiting = self.waiting.iter().find(is_part)?;
        Some(if waiting.is_undecided { HELD } else { QUEUED })
    }

    /// How many messages a rule holds; `None` if not all are listed.
    pub fn held_by(&self, rule: u64) -> Option<usize> {
        let holds = |row: &&HeldRow| row.rules.contains(&rule);
        (self.rows.len() == self.count).then(|| self.rows.iter().filter(holds).count())
    }
}

fn preview(capture: &Capture, row: &HeldRow) -> String {
    let Some(record) = capture.record(row.record) else { return String::new() };
    let (mut messages, mut reader) = (Messages::default(), MessageReader::default());
    let summary = match messages.look(capture, &record) {
        Some(message) => summary::of_message(capture, &record, message, &mut reader),
        None => summary::of(capture, &record, &mut reader),
    };
    format!("{} {}", summary.kind, summary.preview).trim_end().to_owned()
}
