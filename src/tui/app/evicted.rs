//! What the screen does when a ring of files evicts records.

use super::App;
use crate::capture::store::record::Record;
use crate::tui::action::Action;

impl App {
    /// Drops evicted records. If the record under the cursor was evicted, the cursor goes to the first record that is kept.
    pub(super) fn evict(&mut self) {
        self.search.evict(self.counts.totals.first);
        if self.list.evict(&self.capture, &self.counts.totals) {
            self.go_to(self.counts.totals.first, self.list.in_child);
            // The notice stays until the next key, and never replaces another one.
            if !self.list.following && self.notice.is_none() {
                self.inform("this record was evicted by the ring: the cursor is on the oldest record that is kept");
            }
        } else if let Some(shown) = self.detail.record().filter(|shown| shown.no == self.list.cursor)
            && self.capture.record(shown.no).is_some_and(|record| record.kind != shown.kind)
        {
            // The first bytes of the record were evicted, so it is a gap now.
            self.go_to(shown.no, self.list.in_child);
        }
        self.extend_rows();
    }

    /// The request of the connection's handshake, if it was evicted; from the request, the response.
    pub(super) fn evicted_handshake(&self, record: &Record) -> Option<u64> {
        let [request, response] = self.capture.handshake(record.connection)?.map(|head| head.no);
        let to = if record.no == request { response } else { request };
        (request < self.counts.totals.first).then_some(to)
    }

    /// Shows an evicted record of a handshake in the panels below the list; the cursor of the list stays.
    pub(super) fn show_evicted(&mut self, no: u64) {
        let Some(record) = self.capture.record(no) else { return self.inform(format!("record {no} was evicted")) };
        self.list.pause(&self.counts.totals);
        self.detail.show(&self.capture, record, None);
        let (esc, cursor) = (self.keymap.key_of(Action::Cancel), self.list.cursor);
        self.inform(format!("record {no} was evicted from the list; {esc} returns to record {cursor}"));
    }

    /// Whether the panels below the list show an evicted record.
    pub fn shows_evicted(&self) -> bool {
        self.detail.record().is_some_and(|record| record.no < self.counts.totals.first)
    }
}
