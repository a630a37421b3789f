//! The rows of the list: which record is shown in which row.
//!
//! Of the records that match the filter, a [`RowChoice`] selects those that have a row. The matches are a [`SelectedRecords`] that
//! grows with the capture. `List::extend` lets the filter look at more records, and then [`Rows::extend`] adds rows, each for a
//! few milliseconds at a time.

mod shared_rows;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::folded_pages::FoldedPages;
use crate::capture::query::heartbeats::Heartbeats;
use crate::capture::query::messages;
use crate::capture::query::selection::SelectedRecords;
use crate::capture::store::record::Record;
use crate::capture::store::{Capture, Totals};

/// Longest time that the screen's thread spends on choosing rows without a break.
const SLICE: Duration = Duration::from_millis(4);

/// How many records are considered between two checks of the time.
const BATCH: u64 = 1024;

/// Largest number of child rows of an expanded row.
const MAX_CHILDREN: usize = 100_000;

/// Which records have a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowChoice {
    /// Show only records of that connection.
    pub connection: Option<u32>,
    /// Give all fragments of a message one row.
    pub messages: bool,
    /// Which records share a row.
    pub fold: Fold,
}

/// Which records share a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fold {
    /// The page requests, unless the list shows one connection or the matches of a filter.
    #[default]
    Pages,
    /// None: every record has its own row.
    Nothing,
    /// The page requests, and consecutive heartbeats.
    All,
}

/// A row of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Number of the record.
    pub no: u64,
    pub kind: RowKind,
}

/// What a row shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowKind {
    /// One record, or the message that it opens.
    Record,
    /// That many consecutive heartbeats, at least two; the record is the first.
    Heartbeats(u32),
    /// That many page requests, with their responses and the ends of their connections; the record is the first.
    Pages(u32),
    /// A child of an expanded row: one of its records.
    Child {
        /// Whether it is the last child.
        last: bool,
    },
}

/// The rows of the list, numbered from 0.
#[derive(Debug, Default)]
pub struct Rows {
    /// Number of the last record.
    records: u64,
    /// How many records have been evicted: the number of the last one.
    evicted: u64,
    /// The records that match the filter; `None` without a filter.
    pub matches: Option<SelectedRecords>,
    /// Which records have a row.
    pub choice: RowChoice,
    /// The chosen records; `None` if every match has a row.
    chosen: Option<Chosen>,
    /// The page requests that share a row.
    pages: FoldedPages,
    /// The expanded rows by their records, with the records of their children.
    expanded: BTreeMap<u64, Vec<u64>>,
}

#[derive(Debug, Default)]
struct Chosen {
    rows: SelectedRecords,
    heartbeats: Option<Heartbeats>,
    /// Runs of consecutive heartbeats: the first record, and how many.
    runs: Vec<(u64, u32)>,
    /// Whether the last record was a heartbeat.
    in_run: bool,
}

impl Rows {
    /// Number of rows, including child rows.
    pub fn len(&self) -> u64 {
        self.base_len() + self.expanded.values().map(|children| children.len() as u64).sum::<u64>()
    }

    pub fn is_empty(&self) -> bool {
        self.base_len() == 0
    }

    /// The row with that number.
    pub fn row(&self, row: u64) -> Option<Row> {
        let mut shift = 0;
        for (no, children) in &self.expanded {
            let Some(at) = self.base_row(*no).map(|at| at + shift) else { continue };
            let Some(below) = row.checked_sub(at + 1) else { break };
            if let Some(no) = usize::try_from(below).ok().and_then(|below| children.get(below)) {
                return Some(Row { no: *no, kind: RowKind::Child { last: below + 1 == children.len() as u64 } });
            }
            shift += children.len() as u64;
        }
        let no = self.base_number(row - shift)?;
        let kind = match self.heartbeats_at(no) {
            Some(count) => RowKind::Heartbeats(count),
            None if self.pages.first() == Some(no) => RowKind::Pages(self.pages.requests.requests()),
            None => RowKind::Record,
        };
        Some(Row { no, kind })
    }

    /// Number of the record in a row.
    pub fn number(&self, row: u64) -> Option<u64> {
        self.row(row).map(|row| row.no)
    }

    /// The row of a record: its own row, or its row as a child of an expanded row.
    pub fn row_of(&self, no: u64, as_child: bool) -> Option<u64> {
        if as_child {
            return self.expanded.iter().find_map(|(parent, records)| {
                let at = records.binary_search(&no).ok()?;
                Some(self.row_of(*parent, false)? + 1 + at as u64)
            });
        }
        Some(self.base_row(no)? + self.shift(no))
    }

    /// The row of the first record with that number or a later one; [`Self::len`] when there is none.
    pub fn row_from(&self, no: u64) -> u64 {
        self.base_row_from(no) + self.shift(no)
    }

    /// The record in the first row, and in the last.
    pub fn edges(&self) -> Option<(Row, Row)> {
        Some((self.row(0)?, self.row(self.len().checked_sub(1)?)?))
    }

    /// Sets the matches of another filter, and chooses the rows again.
    pub fn set_matches(&mut self, matches: Option<SelectedRecords>) {
        self.matches = matches;
        self.choose(self.choice);
    }

    /// Sets which records have a row, and chooses the rows again.
    pub fn choose(&mut self, choice: RowChoice) {
        self.choice = choice;
        self.expanded.clear();
        let every_match = choice.connection.is_none() && !choice.messages && choice.fold != Fold::All;
        self.chosen = (!every_match).then(Chosen::default);
        // What the user has chosen to see is not hidden.
        self.pages.is_on = choice.fold != Fold::Nothing && choice.connection.is_none() && self.matches.is_none();
    }

    /// Drops the rows of evicted records.
    pub fn evict(&mut self, totals: &Totals) {
        (self.evicted, self.records) = (totals.evicted(), totals.records);
        if let Some(matches) = &mut self.matches {
            matches.evict_before(totals.first);
        }
        self.pages.requests.evict_before(totals.first);
        let expanded = self.expanded.split_off(&totals.first);
        self.choose(self.choice);
        self.expanded = expanded;
    }

    pub fn is_expanded(&self, no: u64) -> bool {
        self.expanded.contains_key(&no)
    }

    /// The record whose expanded row has record `no` as a child.
    pub fn parent(&self, no: u64) -> Option<u64> {
        self.expanded.iter().find(|(_, children)| children.binary_search(&no).is_ok()).map(|(parent, _)| *parent)
    }

    /// The expanded rows by their records, with the number of their children.
    pub fn expanded(&self) -> Vec<(u64, usize)> {
        self.expanded.iter().map(|(no, children)| (*no, children.len())).collect()
    }

    /// Number of child rows of the row of record `no`.
    pub fn children(&self, no: u64) -> u64 {
        self.expanded.get(&no).map_or(0, |children| children.len() as u64)
    }

    /// Expands the row of record `no`.
    pub fn expand(&mut self, no: u64, mut children: Vec<u64>) {
        children.truncate(MAX_CHILDREN);
        self.expanded.insert(no, children);
    }

    /// Collapses the row of record `no`.
    pub fn collapse(&mut self, no: u64) {
        self.expanded.remove(&no);
    }

    /// Adds rows for the records up to number `records`, for at most 4 ms. Returns true if every record was considered.
    pub fn extend(&mut self, capture: &Capture, records: u64) -> bool {
        self.records = records;
        let start = Instant::now();
        let is_whole = !self.pages.is_on || self.pages.requests.extend(capture, records, || start.elapsed() < SLICE);
        let Some(mut chosen) = self.chosen.take() else { return is_whole };
        let mut more = true;
        while more && start.elapsed() < SLICE {
            more = self.consider_batch(capture, &mut chosen);
        }
        self.chosen = Some(chosen);
        is_whole && !more
    }

    /// Considers some records. Returns true if there are more.
    fn consider_batch(&self, capture: &Capture, chosen: &mut Chosen) -> bool {
        chosen.rows.pass(self.evicted);
        let from = chosen.rows.looked_at() + 1;
        let (numbers, to) = self.candidates(capture, from);
        let plain = !self.choice.messages && self.choice.fold != Fold::All;
        if plain {
            numbers.iter().for_each(|no| select(&mut chosen.rows, *no));
        } else {
            capture.pick(numbers).iter().for_each(|record| self.consider(capture, chosen, record));
        }
        chosen.rows.pass(to);
        to >= from && to < self.records
    }

    /// The numbers of the next records that belong to the chosen connection and match the filter, and the last record that was
    /// checked for it.
    fn candidates(&self, capture: &Capture, from: u64) -> (Vec<u64>, u64) {
        let up_to = self.matches.as_ref().map_or(self.records, |matches| matches.looked_at().min(self.records));
        let is_match = |no: &u64| self.matches.as_ref().is_none_or(|matches| matches.row(*no).is_some());
        let mut numbers: Vec<u64> = match (self.choice.connection, &self.matches) {
            (Some(connection), _) => capture.numbers(connection, from, BATCH as usize),
            (None, Some(matches)) => {
                let row = matches.row_from(from);
                (row..row + BATCH).map_while(|row| matches.number(row)).collect()
            }
            (None, None) => (from..=up_to).take(BATCH as usize).collect(),
        };
        numbers.retain(|no| *no <= up_to);
        let to = match numbers.last() {
            Some(last) if numbers.len() as u64 == BATCH => *last,
            _ => up_to,
        };
        numbers.retain(is_match);
        (numbers, to)
    }

    /// Adds a row for a record, unless it belongs to the row of an earlier one.
    fn consider(&self, capture: &Capture, chosen: &mut Chosen, record: &Record) {
        if self.choice.messages && messages::goes_on(record) {
            return;
        }
        let heartbeats = chosen.heartbeats.get_or_insert_with(|| Heartbeats::new(capture));
        let beats = self.choice.fold == Fold::All && heartbeats.is_one(record);
        let goes_on = beats && std::mem::replace(&mut chosen.in_run, beats);
        chosen.in_run = beats;
        match chosen.runs.last_mut().filter(|_| goes_on) {
            Some((_, count)) => *count += 1,
            None => {
                select(&mut chosen.rows, record.no);
                if beats {
                    chosen.runs.push((record.no, 1));
                }
            }
        }
    }

    /// How many child rows are above the row of record `no`.
    fn shift(&self, no: u64) -> u64 {
        self.expanded.range(..no).map(|(_, children)| children.len() as u64).sum()
    }

    fn selection(&self) -> Option<&SelectedRecords> {
        self.chosen.as_ref().map(|chosen| &chosen.rows).or(self.matches.as_ref())
    }

    // The base rows are the rows without child rows.

    fn base_len(&self) -> u64 {
        self.raw_len() - self.hidden()
    }

    fn base_number(&self, row: u64) -> Option<u64> {
        self.raw_number(row + self.pages.hidden_above(row, self.hidden(), |no| self.raw_row_from(no)))
    }

    fn base_row_from(&self, no: u64) -> u64 {
        self.raw_row_from(no) - self.pages.hidden_before(no).min(self.hidden())
    }

    fn base_row(&self, no: u64) -> Option<u64> {
        let row = self.base_row_from(no);
        (self.base_number(row) == Some(no)).then_some(row)
    }

    /// How many page requests are hidden, of those that have a raw row.
    fn hidden(&self) -> u64 {
        let last = self.chosen.as_ref().map_or(self.records, |chosen| chosen.rows.looked_at());
        self.pages.hidden_before(last + 1)
    }

    // The raw rows are the base rows and those of the hidden page requests.

    fn raw_len(&self) -> u64 {
        self.selection().map_or(self.records - self.evicted, SelectedRecords::len)
    }

    fn raw_number(&self, row: u64) -> Option<u64> {
        match self.selection() {
            None => (row < self.records - self.evicted).then_some(self.evicted + row + 1),
            Some(selection) => selection.number(row),
        }
    }

    fn raw_row_from(&self, no: u64) -> u64 {
        match self.selection() {
            None => no.saturating_sub(self.evicted + 1).min(self.records - self.evicted),
            Some(selection) => selection.row_from(no),
        }
    }
}

/// Adds record `no` to a selection; the records before it that were not looked at are left out.
pub(super) fn select(selection: &mut SelectedRecords, no: u64) {
    selection.pass(no - 1);
    selection.look(true);
}

#[cfg(test)]
mod tests;
