//! The findings of a capture, by record and by rule.

use super::Capture;
use super::index::Tally;
use super::record::Record;
use crate::proto::rules::{Finding, Rule};

impl Capture {
    /// Numbers of the records with findings, with the findings: from `from` on, at most `limit` findings.
    pub fn findings(&self, from: u64, limit: usize) -> Vec<(u64, Finding)> {
        let index = self.index();
        let all = index.findings();
        let start = all.partition_point(|(no, _)| *no < from);
        all[start..].iter().take(limit).cloned().collect()
    }

    /// The number of the last record with a finding before record `before`.
    pub fn finding_before(&self, before: u64) -> Option<u64> {
        let index = self.index();
        let all = index.findings();
        let end = all.partition_point(|(no, _)| *no < before);
        all[..end].last().map(|(no, _)| *no)
    }

    /// The records with findings from record `from` on, at most `limit` of them.
    pub fn found(&self, from: u64, limit: usize) -> Vec<Record> {
        let index = self.index();
        index.found(from).take(limit).filter_map(|no| index.record(no)).collect()
    }

    /// The rules that are broken, with their counts, in the order of the catalogue.
    pub fn tallies(&self) -> Vec<Tally> {
        self.index().tallies.iter().filter(|tally| tally.findings > 0).copied().collect()
    }

    /// The number of the first record from `from` on that breaks `rule`.
    pub fn next_breach(&self, rule: Rule, from: u64) -> Option<u64> {
        let index = self.index();
        let tally = index.tallies[rule as usize];
        if tally.last < from || tally.findings == 0 {
            return None;
        }
        if from <= tally.first {
            return Some(tally.first);
        }
        let all = index.findings();
        let start = all.partition_point(|(no, _)| *no < from);
        all[start..].iter().find(|(_, finding)| finding.rule == rule).map(|(no, _)| *no)
    }

    /// The number of the last record before `before` that breaks `rule`.
    pub fn previous_breach(&self, rule: Rule, before: u64) -> Option<u64> {
        let index = self.index();
        let tally = index.tallies[rule as usize];
        if tally.findings == 0 || before <= tally.first {
            return None;
        }
        if tally.last < before {
            return Some(tally.last);
        }
        let all = index.findings();
        let end = all.partition_point(|(no, _)| *no < before);
        all[..end].iter().rev().find(|(_, finding)| finding.rule == rule).map(|(no, _)| *no)
    }
}
