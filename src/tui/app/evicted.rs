//! What the screen does when a ring of files evicts records.

use super::App;

impl App {
    /// Drops evicted records. If the record under the cursor was evicted, the cursor goes to the first record that is kept.
    pub(super) fn evict(&mut self) {
        if self.list.evict(&self.capture, &self.counts.totals) {
            self.go_to(self.counts.totals.first, self.list.is_in_child());
            // The notice stays until the next key, and never replaces another one.
            if !self.list.is_following() && self.notice.is_none() {
                self.inform("this record was evicted by the ring: the cursor is on the oldest record that is kept");
            }
        }
        self.extend_rows();
    }
}
