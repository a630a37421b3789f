//! The rows of the list: which record stands in which row.
//!
//! A filter is a [`Selection`] that grows with the capture: whoever filters calls [`App::set_filter`] once and then lets
//! [`Rows::within_mut`] look at further records in `App::extend_rows`, as many at a time as the screen can bear.

use super::App;
use crate::capture::selection::Selection;

/// Which records the list has rows for, from 0 on.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// How many records of the capture were taken in.
    records: u64,
    /// What a filter lets through; `None`: everything.
    within: Option<Selection>,
}

impl Rows {
    /// Number of rows.
    pub fn len(&self) -> u64 {
        self.within.as_ref().map_or(self.records, Selection::len)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of the record that stands in a row.
    pub fn number(&self, row: u64) -> Option<u64> {
        match &self.within {
            None => (row < self.records).then_some(row + 1),
            Some(within) => within.number(row),
        }
    }

    /// The row of the first record with that number or a later one; [`Self::len`] when there is none.
    pub fn row_from(&self, number: u64) -> u64 {
        match &self.within {
            None => number.saturating_sub(1).min(self.records),
            Some(within) => within.row_from(number),
        }
    }

    /// The row of the record with that number, if it has one.
    pub fn row(&self, number: u64) -> Option<u64> {
        let row = self.row_from(number);
        (self.number(row) == Some(number)).then_some(row)
    }

    /// The record in the first row, and in the last.
    pub fn edges(&self) -> Option<(u64, u64)> {
        Some((self.number(0)?, self.number(self.len().checked_sub(1)?)?))
    }

    /// What the filter lets through, to look at further records; `None` while nothing filters.
    pub const fn within_mut(&mut self) -> Option<&mut Selection> {
        self.within.as_mut()
    }

    /// Takes in that the capture has so many records now.
    const fn extend(&mut self, records: u64) {
        self.records = records;
    }
}

impl App {
    /// Shows only what `within` selects from now on, or everything. The cursor stays where it has a row, and goes to the nearest
    /// one otherwise.
    pub fn set_filter(&mut self, within: Option<Selection>) {
        self.rows.within = within;
        self.extend_rows();
        self.keep_in_rows();
        self.settle();
    }

    /// Takes what is new in the capture into the rows. The one place where rows grow.
    pub(super) const fn extend_rows(&mut self) {
        self.rows.extend(self.totals.records);
    }

    /// Takes what is new in the capture into the rows, and follows it.
    pub(super) fn take_in(&mut self) {
        self.extend_rows();
        let Some((first, last)) = self.rows.edges() else { return };
        if self.cursor == 0 || self.following {
            let at = if self.following { last } else { first };
            if at != self.cursor {
                self.go_to(at);
            }
        }
    }

    /// Goes to a record and holds the place, whether it has a row or not: one that has none is shown below the list, and said
    /// to be hidden.
    pub(super) fn reveal(&mut self, no: u64) {
        self.hold();
        self.go_to(no);
        if self.rows.row(self.cursor).is_none() {
            self.tell(format!("record {} is hidden in this list", self.cursor));
        }
    }

    /// Goes by rows of the list; a record that has none counts as standing just before the next that has one.
    pub(super) fn step_rows(&mut self, by: i64) {
        let Some(last) = self.rows.len().checked_sub(1) else { return };
        let from = self.rows.row_from(self.cursor);
        let hidden = self.rows.number(from) != Some(self.cursor);
        let by = if hidden && by > 0 { by - 1 } else { by };
        if let Some(to) = self.rows.number(from.saturating_add_signed(by).min(last))
            && to != self.cursor
        {
            self.hold();
            self.go_to(to);
        }
    }

    /// How many rows are new since following ended.
    pub fn new_since_hold(&self) -> u64 {
        if self.following { 0 } else { self.rows.len() - self.rows.row_from(self.held_at + 1) }
    }

    /// Brings the cursor's row into view.
    pub(super) fn settle_list(&mut self) {
        let height = u64::from(self.layout.list.height).max(1);
        let row = self.rows.row_from(self.cursor).min(self.rows.len().saturating_sub(1));
        self.top = self.top.clamp((row + 1).saturating_sub(height), row);
        self.top = self.top.min(self.rows.len().saturating_sub(height));
    }

    /// Goes to the nearest row where the record under the cursor has none.
    fn keep_in_rows(&mut self) {
        let row = self.rows.row_from(self.cursor).min(self.rows.len().saturating_sub(1));
        if let Some(to) = self.rows.number(row).filter(|to| *to != self.cursor) {
            self.go_to(to);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_filter_every_record_has_a_row() {
        let mut rows = Rows::default();
        assert_eq!((rows.len(), rows.number(0), rows.row_from(1), rows.edges()), (0, None, 0, None));
        rows.extend(3);
        assert_eq!((rows.len(), rows.number(0), rows.number(3)), (3, Some(1), None));
        assert_eq!((rows.row(3), rows.row(4), rows.row_from(9)), (Some(2), None, 3));
        assert_eq!(rows.edges(), Some((1, 3)));
    }

    #[test]
    fn with_one_those_that_it_lets_through() {
        let mut within = Selection::default();
        (1..=10).for_each(|number| within.look(number % 3 == 0));
        let rows = Rows { records: 10, within: Some(within) };
        assert_eq!((rows.len(), rows.number(1), rows.row(6), rows.row(7)), (3, Some(6), Some(1), None));
        assert_eq!((rows.row_from(7), rows.row_from(10), rows.edges()), (2, 3, Some((3, 9))));
    }
}
