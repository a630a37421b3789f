//! How many findings each rule has.

use crate::proto::rules::Rule;

/// How many findings a rule has, and at which records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Which rule.
    pub rule: Rule,
    /// How many findings name it.
    pub findings: u64,
    /// The number of the first record with one of them; 0 while there is none.
    pub first: u64,
    /// The number of the last.
    pub last: u64,
}

impl Tally {
    /// Counts a finding on a record.
    pub(in crate::capture) const fn take(&mut self, no: u64) {
        self.findings += 1;
        self.last = no;
        if self.first == 0 {
            self.first = no;
        }
    }
}
