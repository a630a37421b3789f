//! What the list does when a ring of files evicts records.

use super::List;
use crate::capture::query::filter::Sieve;
use crate::capture::store::{Capture, Totals};

impl List {
    /// Drops evicted records from the rows, the marks and the shown connections. The other rows keep their place on the screen.
    /// Returns true if the record under the cursor was evicted: the cursor must go to the first record that is kept.
    pub fn evict(&mut self, capture: &Capture, totals: &Totals) -> bool {
        let kept = totals.settled;
        let above = self.rows.row_from(kept);
        self.rows.evict(totals, self.matching_placeholders(capture, totals));
        self.top = self.top.saturating_sub(above.saturating_sub(self.rows.row_from(kept)));
        if let Some(filtering) = &mut self.filtering {
            filtering.retain_connections(capture);
        }
        self.page.clear();
        self.marks = self.marks.split_off(&kept);
        self.held_at = self.held_at.max(kept - 1);
        let evicted = self.cursor > 0 && self.cursor < kept;
        // Whether the first kept record has a row is known only when the rows have been chosen.
        self.cursor_unchecked |= evicted;
        evicted
    }

    /// The placeholders of evicted records that match the filter.
    fn matching_placeholders(&self, capture: &Capture, totals: &Totals) -> Vec<u64> {
        let Some(filter) = self.filter() else { return Vec::new() };
        let mut sieve = Sieve::new(filter, capture);
        let placeholders = capture.records(totals.first..totals.settled).into_iter();
        placeholders.filter(|record| sieve.passes(record).unwrap_or(false)).map(|record| record.no).collect()
    }
}
