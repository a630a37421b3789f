//! The list: which rows it has, and how the cursor goes through them.

use super::rows::{Choice, Row, Sort};
use super::{App, View};
use crate::capture::query::messages;
use crate::capture::query::selection::Selection;

impl App {
    /// Shows only what `within` selects from now on, or everything. The cursor stays where it has a row, and goes to the nearest
    /// one otherwise.
    pub fn set_filter(&mut self, within: Option<Selection>) {
        self.rows.set_within(within);
        self.begin_rows();
    }

    /// Chooses anew what has rows.
    pub(super) fn choose_rows(&mut self) {
        let messages = self.view == View::Messages;
        self.rows.choose(Choice { connection: self.only, messages, folded: self.folded });
        self.begin_rows();
    }

    fn begin_rows(&mut self) {
        self.strayed = true;
        self.beneath = false;
        self.extend_rows();
        self.settle();
    }

    /// Takes what is new in the capture into the rows. The one place where rows grow.
    pub fn extend_rows(&mut self) {
        let sifts = self.sift();
        self.let_in();
        self.rows_behind = !self.rows.extend(&self.capture, self.totals.records) || sifts;
        self.renew_opened();
        // A filter that reads payloads may stay behind what comes, but not at the cursor.
        let looked_at = !self.is_sifting() || self.rows.row_from(self.cursor) < self.rows.len();
        if self.strayed && !self.rows_behind && looked_at {
            self.strayed = false;
            self.keep_in_rows();
        }
    }

    /// Whether records wait to be looked at before they can have rows.
    pub const fn is_behind(&self) -> bool {
        self.rows_behind
    }

    /// Takes what is new in the capture into the rows, and follows it.
    pub(super) fn take_in(&mut self) {
        self.extend_rows();
        self.renew_message();
        let Some((first, last)) = self.rows.edges() else { return };
        if self.cursor == 0 || self.following {
            let at = if self.following { last } else { first };
            if at.no != self.cursor {
                self.stand(at);
            }
        }
    }

    /// The row of the cursor.
    pub fn cursor_row(&self) -> Option<u64> {
        self.rows.row_of(self.cursor, self.beneath)
    }

    /// Goes to a record and holds the place, whether it has a row or not. It leads out of the table of connections; what a
    /// message or heartbeats keep in one row is opened, and another connection's record leads out of the one that is looked at.
    /// One that has no row even so is shown below the list, and said to be hidden.
    pub(super) fn reveal(&mut self, no: u64) {
        self.hold();
        if self.view == View::Connections {
            self.show(View::Frames);
        }
        if self.only.is_some() && self.only != self.capture.record(no).map(|record| record.connection) {
            self.only = None;
            self.choose_rows();
        }
        self.beneath = self.bring_out(no);
        self.go_to(no);
        if self.cursor_row().is_none() {
            let esc = self.keymap.key_of(crate::tui::action::Action::Cancel);
            self.tell(match self.filtering {
                Some(_) => format!("the filter hides record {no}; {esc} clears it"),
                None => format!("record {no} is hidden in this list"),
            });
        }
    }

    /// Opens the row that hides a record; whether it then stands beneath one.
    fn bring_out(&mut self, no: u64) -> bool {
        if self.rows.row_of(no, true).is_some() {
            return true;
        }
        let Some(record) = self.capture.record(no) else { return false };
        let own = self.rows.row_of(no, false).and_then(|row| self.rows.row(row));
        if own.is_some_and(|row| row.sort == Sort::Plain) {
            return false;
        }
        let hides = match self.rows.run_around(no) {
            Some(first) => Some(first),
            None if self.view == View::Messages && messages::goes_on(&record) => {
                messages::opener(&self.capture, &record)
            }
            None => None,
        };
        if let Some(row) = hides.and_then(|hides| self.rows.row(self.rows.row_of(hides, false)?)) {
            self.open_row(row);
        }
        self.rows.row_of(no, true).is_some()
    }

    /// Goes to a row.
    pub(super) fn stand(&mut self, row: Row) {
        self.beneath = matches!(row.sort, Sort::Beneath { .. });
        self.go_to(row.no);
    }

    /// Goes by rows of the list; a record that has none counts as standing just before the next that has one.
    pub(super) fn step_rows(&mut self, by: i64) {
        let Some(last) = self.rows.len().checked_sub(1) else { return };
        let (from, by) = match self.cursor_row() {
            Some(row) => (row, by),
            None => (self.rows.row_from(self.cursor), if by > 0 { by - 1 } else { by }),
        };
        let to = from.saturating_add_signed(by).min(last);
        if Some(to) != self.cursor_row()
            && let Some(row) = self.rows.row(to)
        {
            self.hold();
            self.stand(row);
        }
    }

    /// Shows what stands beneath the row of the cursor, or no longer.
    pub(super) fn toggle_row(&mut self) {
        let Some(row) = self.cursor_row().and_then(|row| self.rows.row(row)) else { return };
        if let Sort::Beneath { .. } = row.sort {
            // Out of what is opened, to the row that it stands beneath.
            let owner = self.rows.owner(row.no);
            if let Some(row) = owner.and_then(|no| self.rows.row(self.rows.row_of(no, false)?)) {
                self.rows.close(row.no);
                self.stand(row);
            }
        } else if self.rows.is_opened(row.no) {
            self.rows.close(row.no);
        } else {
            self.hold();
            self.open_row(row);
        }
    }

    /// What grows beneath opened rows.
    fn renew_opened(&mut self) {
        for (no, beneath) in self.rows.opened() {
            let now = match self.rows.run(no) {
                Some(count) => u64::from(count),
                None => self.message_at(no).map_or(0, |message| u64::from(message.frames)),
            };
            if now > beneath as u64
                && let Some(row) = self.rows.row_of(no, false).and_then(|row| self.rows.row(row))
            {
                self.open_row(row);
            }
        }
    }

    fn open_row(&mut self, row: Row) {
        let beneath = match row.sort {
            Sort::Beneath { .. } => return,
            Sort::Heartbeats(_) => self.rows.beats(&self.capture, row.no),
            Sort::Plain => match self.message_at(row.no) {
                Some(message) if message.frames > 1 => message.records(&self.capture),
                _ => return self.tell("one record, and nothing beneath it"),
            },
        };
        self.rows.open(row.no, beneath);
    }

    /// How many rows are new since following ended.
    pub fn new_since_hold(&self) -> u64 {
        if self.following { 0 } else { self.rows.len().saturating_sub(self.rows.row_from(self.held_at + 1)) }
    }

    /// Brings the cursor's row into view.
    pub(super) fn settle_list(&mut self) {
        let height = u64::from(self.layout.list.height).max(1);
        let last = self.rows.len().saturating_sub(1);
        let row = self.cursor_row().unwrap_or_else(|| self.rows.row_from(self.cursor)).min(last);
        self.top = self.top.clamp((row + 1).saturating_sub(height), row);
        self.top = self.top.min(self.rows.len().saturating_sub(height));
        self.look_at_messages(height);
    }

    /// Goes to the row that speaks for the record under the cursor where it has none of its own, or to the nearest.
    fn keep_in_rows(&mut self) {
        if self.cursor == 0 || self.cursor_row().is_some() {
            return;
        }
        let speaks = self.rows.run_around(self.cursor).or_else(|| {
            let record = self.capture.record(self.cursor).filter(messages::goes_on)?;
            messages::opener(&self.capture, &record)
        });
        let row = speaks.and_then(|no| self.rows.row_of(no, false));
        let nearest = self.rows.row_from(self.cursor).min(self.rows.len().saturating_sub(1));
        if let Some(row) = self.rows.row(row.unwrap_or(nearest)) {
            self.stand(row);
        }
    }
}
