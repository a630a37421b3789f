//! The first records that break each rule, for the panel of findings.

use std::collections::HashMap;

use super::list::RecordLines;
use crate::capture::store::{Capture, Tally};
use crate::proto::rules::Rule;

/// Records that a row of the panel names.
pub const NAMED: usize = 6;

/// The first records that break each rule. They are searched once.
#[derive(Debug, Default)]
pub struct Breaches {
    known: HashMap<Rule, Vec<u64>>,
    /// The number of the first record that was kept when they were searched.
    first: u64,
    /// The records of the rule under the cursor, as far as they are in view.
    pub lines: RecordLines,
}

impl Breaches {
    /// Searches the records that the rows in view name, and those of the selected rule, of which `most` are in view.
    pub fn prepare(&mut self, capture: &Capture, shown: &[Tally], selected: Option<&Tally>, most: usize) {
        if self.first != capture.first() {
            self.first = capture.first();
            self.known.clear();
        }
        for tally in shown {
            self.search(capture, tally, NAMED);
        }
        let numbers = selected.map(|tally| self.search(capture, tally, most).to_vec()).unwrap_or_default();
        self.lines.read(capture, &numbers[..numbers.len().min(most)]);
    }

    /// The first records that break a rule, as far as they were searched.
    pub fn of(&self, rule: Rule) -> &[u64] {
        self.known.get(&rule).map_or(&[], Vec::as_slice)
    }

    fn search(&mut self, capture: &Capture, tally: &Tally, most: usize) -> &[u64] {
        let known = self.known.entry(tally.rule).or_default();
        while known.len() < most {
            let from = known.last().map_or(self.first, |last| last + 1);
            let Some(no) = capture.next_breach(tally.rule, from) else { break };
            known.push(no);
        }
        known
    }
}
