//! The list of records: its rows, its cursor and what the user has done with it.

mod background_filter;
mod filtering;
mod folded_pages;
mod page;
mod record_lines;
mod rows;

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

pub use self::background_filter::BackgroundFilter;
use self::filtering::Filtering;
use self::page::Page;
pub use self::page::PageRow;
pub use self::record_lines::RecordLines;
pub use self::rows::{Fold, Row, RowChoice, RowKind, Rows};
use super::shown_connections::ShownConnections;
use crate::capture::query::filter::Filter;
use crate::capture::query::messages::{self, Message, Messages};
use crate::capture::query::selection::SelectedRecords;
use crate::capture::store::record::Record;
use crate::capture::store::{Capture, Totals};
use crate::tui::text;

/// The most lines of a preview.
const MOST_PREVIEW: u16 = 3;

/// The list of records.
#[derive(Default)]
pub struct List {
    pub rows: Rows,
    filtering: Option<Filtering>,
    /// The messages of the rows that were in view.
    messages: Messages,
    /// The rows in view, with their contents, as of the last [`Self::prepare`].
    pub page: Page,
    /// Number of the record under the cursor; 0 while there is none.
    pub cursor: u64,
    /// Whether the cursor is in a child row of an expanded row.
    pub in_child: bool,
    /// First row in view.
    pub top: u64,
    /// Whether the cursor follows the newest record.
    pub following: bool,
    /// Number of the last record when following ended.
    paused_at: u64,
    pub marks: BTreeSet<u64>,
    /// Whether the row of the cursor was expanded just now: its children must come into view.
    opened: bool,
    /// Whether records wait to get rows.
    pub incomplete: bool,
    /// Whether the record under the cursor may have no row since the rows were chosen again.
    cursor_unchecked: bool,
}

/// The result of expanding or collapsing a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toggled {
    /// The row was expanded or collapsed, or there is no row.
    Done,
    /// The row was collapsed from one of its children: the cursor goes to it.
    GoTo(Row),
    /// The row has nothing to expand.
    Single,
}

/// What the list shows.
impl List {
    /// The row of the cursor; `None` if its record has no row.
    pub fn cursor_row(&self) -> Option<u64> {
        self.rows.row_of(self.cursor, self.in_child)
    }

    /// How many rows are new since following ended.
    pub fn new_since_pause(&self) -> u64 {
        if self.following { 0 } else { self.rows.len().saturating_sub(self.rows.row_from(self.paused_at + 1)) }
    }

    /// The connection whose records the list shows; `None` for all connections.
    pub const fn connection(&self) -> Option<u32> {
        self.rows.choice.connection
    }

    /// The message that a record opens, if its row was in view.
    pub fn known_message(&self, no: u64) -> Option<&Message> {
        self.messages.known(no)
    }

    pub fn filter(&self) -> Option<&Filter> {
        self.filtering.as_ref().map(|filtering| &filtering.filter)
    }

    /// How many records match the filter, and the number of the last record that it has looked at; `None` without a filter.
    pub fn matches(&self) -> Option<(u64, u64)> {
        self.filtering.as_ref()?;
        self.rows.matches.as_ref().map(|matches| (matches.len(), matches.looked_at()))
    }

    /// Whether records wait for the filter.
    pub fn is_filtering(&self, totals: &Totals) -> bool {
        self.matches().is_some_and(|(_, looked_at)| looked_at < totals.records)
    }

    /// The connections that the table and the timeline show.
    pub fn connections<'a>(&'a self, capture: &'a Capture) -> ShownConnections<'a> {
        ShownConnections { capture, matched: self.filtering.as_ref().map(|filtering| &filtering.connections) }
    }
}

/// Choosing the rows.
impl List {
    /// Applies a filter, or shows all records. Returns the part that a background thread must run.
    pub fn set_filter(&mut self, capture: &Capture, filter: Option<Filter>) -> Option<Arc<BackgroundFilter>> {
        let background;
        (self.filtering, background) = filter.map(|filter| Filtering::new(filter, capture)).unzip();
        self.set_matches(self.filtering.as_ref().map(|_| SelectedRecords::default()));
        background.flatten()
    }

    /// Shows the records of a selection, or all records.
    pub fn set_matches(&mut self, matches: Option<SelectedRecords>) {
        self.rows.set_matches(matches);
        self.check_cursor();
    }

    /// Chooses which records have a row.
    pub fn choose(&mut self, choice: RowChoice) {
        self.rows.choose(choice);
        self.check_cursor();
    }

    fn check_cursor(&mut self) {
        self.cursor_unchecked = true;
        self.in_child = false;
    }

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
        self.paused_at = self.paused_at.max(kept - 1);
        let evicted = self.cursor > 0 && self.cursor < kept;
        // The expanded row of a child may be evicted before the child. Which record has a row is known only when the rows have been
        // chosen.
        self.cursor_unchecked |= evicted || self.in_child;
        evicted
    }

    /// Adds the rows of new records, for a few milliseconds. This is the only place where rows are added.
    ///
    /// # Errors
    /// If the filter cannot read the capture.
    pub fn extend(&mut self, capture: &Capture, totals: &Totals) -> io::Result<()> {
        let more = match (&mut self.filtering, &mut self.rows.matches) {
            (Some(filtering), Some(matches)) => filtering.extend(capture, matches),
            _ => Ok(false),
        };
        let had_row = self.cursor_row().is_some();
        self.incomplete = !self.rows.extend(capture, totals.records) || *more.as_ref().unwrap_or(&false);
        // Its row may be shared now, if it is a page request.
        self.cursor_unchecked |= had_row && self.cursor_row().is_none();
        self.extend_expanded(capture);
        more.map(|_| ())
    }

    /// Adds children to expanded rows whose message or heartbeats have grown.
    fn extend_expanded(&mut self, capture: &Capture) {
        for (no, children) in self.rows.expanded() {
            let now = match self.rows.folded_at(no) {
                Some(count) => count,
                None => self.look_at_message(capture, no).map_or(0, |message| u64::from(message.frames)),
            };
            if now > children as u64
                && let Some(row) = self.rows.row_of(no, false).and_then(|row| self.rows.row(row))
            {
                self.expand(capture, row);
            }
        }
    }

    fn look_at_message(&mut self, capture: &Capture, no: u64) -> Option<Message> {
        let record = capture.record(no)?;
        self.messages.look(capture, &record).cloned()
    }

    /// The message whose row the cursor is in, if it has several frames.
    pub fn message_at_cursor(&mut self, capture: &Capture, record: &Record) -> Option<Message> {
        let whole = self.rows.choice.messages && !self.in_child;
        let message = whole.then(|| self.messages.look(capture, record)).flatten()?;
        (message.frames > 1).then(|| message.clone())
    }

    /// Scrolls to the cursor and prepares the rows in view for drawing.
    pub fn prepare(&mut self, capture: &Capture, height: u16) {
        let is_shown = height > 0;
        let height = u64::from(height).max(1);
        let last = self.rows.len().saturating_sub(1);
        let row = self.cursor_row().unwrap_or_else(|| self.rows.row_from(self.cursor)).min(last);
        // A list without a row on the screen keeps its place.
        if is_shown {
            if std::mem::take(&mut self.opened) {
                let below = self.rows.row(row).map_or(0, |opened| self.rows.children(opened.no));
                self.top = self.top.max((row + 1 + below).saturating_sub(height));
            }
            self.top = self.top.clamp((row + 1).saturating_sub(height), row);
            self.top = self.top.min(self.rows.len().saturating_sub(height));
        }
        self.page.prepare(capture, &self.rows, &mut self.messages, self.top..self.top + height);
    }

    /// Gives the rows in view more lines for their findings, of `columns` columns, while lines of the list are free: the row of the
    /// cursor first. Then previews get more lines.
    pub fn wrap_rows(&mut self, columns: usize, height: u16) {
        let mut free = height.saturating_sub(u16::try_from(self.page.rows.len()).unwrap_or(u16::MAX));
        let cursor = self.cursor_row();
        let mut give = |row: &mut PageRow, words: &str, most: u16| {
            let lines = u16::try_from(text::wrap(words, columns.max(1)).len()).unwrap_or(u16::MAX).min(most);
            let more = lines.saturating_sub(1).min(free);
            (row.lines, free) = (1 + more, free - more);
        };
        let (own, others): (Vec<_>, Vec<_>) = self.page.rows.iter_mut().partition(|row| Some(row.at) == cursor);
        for row in own.into_iter().chain(others) {
            if let Some(words) = row.finding_words() {
                give(row, &words, u16::MAX);
            }
        }
        for row in self.page.rows.iter_mut().filter(|row| row.can_wrap_preview()) {
            let preview = row.summary.preview.clone();
            give(row, &preview, MOST_PREVIEW);
        }
    }

    /// The row at a line of the list.
    pub fn row_at_line(&self, line: u16) -> Option<u64> {
        let mut below = 0;
        self.page.rows.iter().find_map(|row| {
            below += row.lines;
            (line < below).then_some(row.at)
        })
    }
}

/// Moving the cursor.
impl List {
    /// Puts the cursor on a record; `in_child` selects its row as a child of an expanded row.
    pub const fn go_to(&mut self, no: u64, in_child: bool) {
        (self.cursor, self.in_child) = (no, in_child);
        // What the cursor has reached is not new.
        if self.paused_at > 0 && no > self.paused_at {
            self.paused_at = no;
        }
    }

    /// Starts to follow the newest record, or only goes to it if no records arrive. Returns its row.
    pub fn follow(&mut self, live: bool, totals: &Totals) -> Option<Row> {
        self.following = live;
        self.paused_at = totals.records;
        self.rows.edges().map(|(_, last)| last)
    }

    /// Stops following.
    pub const fn pause(&mut self, totals: &Totals) {
        if self.following {
            self.following = false;
            self.paused_at = totals.records;
        }
    }

    /// Starts the count of new rows, if the list has never followed.
    pub const fn count_new_from(&mut self, totals: &Totals) {
        if !self.following && self.paused_at == 0 {
            self.paused_at = totals.records;
        }
    }

    /// The row to which the cursor must go after rows were added: the newest one while it follows, the first one if it has none.
    pub fn row_to_follow(&self) -> Option<Row> {
        let (first, last) = self.rows.edges()?;
        // The handshake is more interesting than the page requests before it.
        let is_page = matches!(first.kind, RowKind::Pages(_));
        let first = self.rows.row(1).filter(|_| is_page).unwrap_or(first);
        let to = if self.following { last } else { first };
        ((self.following || self.cursor == 0) && to.no != self.cursor).then_some(to)
    }

    /// The row to which the cursor must go after other rows were chosen and its record has none: the row that contains the
    /// record, or the nearest one. `None` while that is not known.
    pub fn row_for_cursor(&mut self, capture: &Capture, totals: &Totals) -> Option<Row> {
        // A background filter may lag, but not at the cursor.
        let is_known = !self.is_filtering(totals) || self.rows.row_from(self.cursor) < self.rows.len();
        if !self.cursor_unchecked || self.incomplete || !is_known {
            return None;
        }
        self.cursor_unchecked = false;
        if self.cursor == 0 || self.cursor_row().is_some() {
            return None;
        }
        let container = self.rows.container(self.cursor).or_else(|| {
            let record = capture.record(self.cursor).filter(messages::goes_on)?;
            messages::opener(capture, &record)
        });
        let row = container.and_then(|no| self.rows.row_of(no, false));
        let nearest = self.rows.row_from(self.cursor).min(self.rows.len().saturating_sub(1));
        self.rows.row(row.unwrap_or(nearest))
    }

    /// The row that many rows below the cursor (above, if negative). A record without a row counts as just before the next row.
    pub fn row_after(&self, by: i64) -> Option<Row> {
        let last = self.rows.len().checked_sub(1)?;
        let at = self.cursor_row();
        let (from, by) = match at {
            Some(row) => (row, by),
            None => (self.rows.row_from(self.cursor), if by > 0 { by - 1 } else { by }),
        };
        let to = from.saturating_add_signed(by).min(last);
        if Some(to) == at { None } else { self.rows.row(to) }
    }

    /// Expands or collapses the row of the cursor.
    pub fn toggle(&mut self, capture: &Capture) -> Toggled {
        let Some(row) = self.cursor_row().and_then(|row| self.rows.row(row)) else { return Toggled::Done };
        if let RowKind::Child { .. } = row.kind {
            let parent = self.rows.parent(row.no).and_then(|no| self.rows.row(self.rows.row_of(no, false)?));
            return parent.map_or(Toggled::Done, |parent| {
                self.rows.collapse(parent.no);
                Toggled::GoTo(parent)
            });
        }
        if self.rows.is_expanded(row.no) {
            self.rows.collapse(row.no);
            return Toggled::Done;
        }
        self.opened = self.expand(capture, row);
        if self.opened { Toggled::Done } else { Toggled::Single }
    }

    /// Expands a row. Returns false if it shows a single record.
    fn expand(&mut self, capture: &Capture, row: Row) -> bool {
        let children = match row.kind {
            RowKind::Child { .. } => return true,
            RowKind::Heartbeats(_) | RowKind::Pages(_) => self.rows.folded_from(capture, row.no),
            RowKind::Record => match self.look_at_message(capture, row.no) {
                Some(message) if message.frames > 1 => message.records(capture),
                _ => return false,
            },
        };
        self.rows.expand(row.no, children);
        true
    }

    /// Expands the row that contains a record, if the record has no row of its own. Returns true if the record has a child row.
    pub fn expand_around(&mut self, capture: &Capture, no: u64) -> bool {
        if self.rows.row_of(no, true).is_some() {
            return true;
        }
        let Some(record) = capture.record(no) else { return false };
        let own = self.rows.row_of(no, false).and_then(|row| self.rows.row(row));
        if own.is_some_and(|row| row.kind == RowKind::Record) {
            return false;
        }
        let container = match self.rows.container(no) {
            Some(first) => Some(first),
            None if self.rows.choice.messages && messages::goes_on(&record) => messages::opener(capture, &record),
            None => None,
        };
        if let Some(row) = container.and_then(|no| self.rows.row(self.rows.row_of(no, false)?)) {
            self.expand(capture, row);
        }
        self.rows.row_of(no, true).is_some()
    }
}

/// Marks.
impl List {
    /// Marks the record under the cursor, or removes its mark.
    pub fn toggle_mark(&mut self) {
        if self.cursor > 0 && !self.marks.remove(&self.cursor) {
            self.marks.insert(self.cursor);
        }
    }

    /// The next marked record after the cursor; the first one after the last.
    pub fn next_mark(&self) -> Option<u64> {
        self.marks.range(self.cursor + 1..).next().or_else(|| self.marks.first()).copied()
    }
}
