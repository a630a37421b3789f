//! What the list does when a ring of files evicts records.

use super::List;
use crate::capture::store::{Capture, Totals};

impl List {
    /// Drops evicted records from the rows, the marks and the shown connections. The other rows keep their place on the screen.
    /// Returns true if the record under the cursor was evicted: the cursor must go to the first record that is kept.
    pub fn evict(&mut self, capture: &Capture, totals: &Totals) -> bool {
        let kept = totals.first;
        let above = self.rows.row_from(kept);
        self.rows.evict(totals);
        self.top = self.top.saturating_sub(above.saturating_sub(self.rows.row_from(kept)));
        if let Some(filtering) = &mut self.filtering {
            filtering.connections.retain(capture);
        }
        // The first kept record is a gap now if its first bytes were evicted.
        self.page.cache.clear();
        self.marks = self.marks.split_off(&kept);
        self.held_at = self.held_at.max(kept - 1);
        let evicted = self.cursor > 0 && self.cursor < kept;
        // The expanded row of a child may be evicted before the child. Which record has a row is known only when the rows have been
        // chosen.
        self.cursor_unchecked |= evicted || self.in_child;
        evicted
    }
}
