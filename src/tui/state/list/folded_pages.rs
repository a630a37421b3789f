//! The page requests that share one row of the list: the row of the first one. The others are hidden.

use crate::capture::query::page_requests::PageRequests;
use crate::capture::query::selection::SelectedRecords;

/// The page requests of a capture, and how they change the numbers of rows.
#[derive(Debug)]
pub struct FoldedPages {
    pub requests: PageRequests,
    /// Whether they share a row.
    pub is_on: bool,
}

impl Default for FoldedPages {
    fn default() -> Self {
        Self { requests: PageRequests::default(), is_on: true }
    }
}

impl FoldedPages {
    /// The record whose row shows the others too; `None` if no other is hidden.
    pub fn first(&self) -> Option<u64> {
        let records = self.requests.records().filter(|_| self.is_on)?;
        records.number(1).and_then(|_| records.number(0))
    }

    /// The records that share a row, in ascending order.
    pub fn records(&self) -> Vec<u64> {
        let records = self.requests.records().filter(|_| self.first().is_some());
        records.map_or_else(Vec::new, |records| records.numbers().collect())
    }

    /// How many records share a row.
    pub fn len(&self) -> u64 {
        self.requests.records().filter(|_| self.first().is_some()).map_or(0, SelectedRecords::len)
    }

    /// The last of the records that share a row, if no other record is between them.
    pub fn last_if_consecutive(&self) -> Option<u64> {
        let (first, len) = (self.first()?, self.len());
        let last = self.requests.records()?.number(len.checked_sub(1)?)?;
        (last - first + 1 == len).then_some(last)
    }

    /// Whether a record shares the row.
    pub fn contains(&self, no: u64) -> bool {
        self.first().is_some() && self.requests.records().is_some_and(|records| records.row(no).is_some())
    }

    /// How many hidden records have a number below `no`.
    pub fn hidden_before(&self, no: u64) -> u64 {
        match self.first() {
            Some(_) => self.requests.records().map_or(0, |records| records.row_from(no).saturating_sub(1)),
            None => 0,
        }
    }

    /// How many hidden records come before a visible row. `row_of` gives the row of a hidden record if none was hidden; only
    /// the first `known` hidden records have one.
    pub fn hidden_above(&self, row: u64, known: u64, row_of: impl Fn(u64) -> u64) -> u64 {
        let Some(records) = self.requests.records().filter(|_| self.first().is_some()) else { return 0 };
        let (mut low, mut high) = (0, known);
        while low < high {
            let middle = low + (high - low) / 2;
            // The visible rows before the hidden record are those before it but the hidden ones.
            let is_above = records.number(middle + 1).is_some_and(|no| row_of(no) - middle <= row);
            if is_above {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}
