//! Which message was sent in place of which. Each is named by its first record.

use std::collections::BTreeMap;

/// The messages that `proxy` sent in place of others, by record numbers.
#[derive(Debug, Default)]
pub struct Replacements {
    /// What went, by what came.
    by: BTreeMap<u64, u64>,
    /// What came, by what went.
    of: BTreeMap<u64, u64>,
}

impl Replacements {
    pub fn add(&mut self, came: u64, went: u64) {
        self.by.insert(came, went);
        self.of.insert(went, came);
    }

    /// The record that was sent in place of this one.
    pub fn replaced_by(&self, no: u64) -> Option<u64> {
        self.by.get(&no).copied()
    }

    /// The record in place of which this one was sent.
    pub fn in_place_of(&self, no: u64) -> Option<u64> {
        self.of.get(&no).copied()
    }

    /// Drops those of which a record was evicted: what comes is earlier than what goes.
    pub fn evict(&mut self, last: u64) {
        self.by = self.by.split_off(&(last + 1));
        self.of.retain(|_, came| *came > last);
    }
}
