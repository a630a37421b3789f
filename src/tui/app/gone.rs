//! What goes with the ring while the screen shows it.

use super::App;
use crate::capture::query::filter::Sieve;

impl App {
    /// The capture's counts now, and what is gone out of every list.
    pub(super) fn count(&mut self) {
        let before = std::mem::replace(&mut self.totals, self.capture.totals());
        if before.settled != self.totals.settled {
            self.forget_gone();
        }
    }

    /// The cursor goes on to the first record that has not gone; the list stays in its place.
    fn forget_gone(&mut self) {
        let settled = self.totals.settled;
        let above = self.rows.row_from(settled);
        self.rows.forget(&self.totals, self.stand_ins_let_through());
        self.top = self.top.saturating_sub(above.saturating_sub(self.rows.row_from(settled)));
        if let Some(let_in) = &mut self.let_in {
            let_in.numbers.retain(|number| self.capture.connection_is_there(*number));
        }
        self.marks = self.marks.split_off(&settled);
        self.held_at = self.held_at.max(settled - 1);
        if self.cursor > 0 && self.cursor < settled {
            self.go_to(settled);
            // Whether that has a row is known when the rows are.
            self.strayed = true;
            // Once until the next key, and never in the place of something else.
            if !self.following && self.notice.is_none() {
                self.tell("the record here went with the ring: this is the oldest now");
            }
        }
        self.extend_rows();
    }

    /// Those that stand in for what is gone and that the filter lets through.
    fn stand_ins_let_through(&self) -> Vec<u64> {
        let Some(filter) = self.filter() else { return Vec::new() };
        let mut sieve = Sieve::new(filter, &self.capture);
        let stand_ins = self.capture.records(self.totals.first..self.totals.settled).into_iter();
        stand_ins.filter(|record| sieve.passes(record).unwrap_or(false)).map(|record| record.no).collect()
    }
}
