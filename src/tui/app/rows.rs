//! The rows of the list: which record stands in which row.
//!
//! Rows are what a [`Choice`] has rows for among what a filter lets through. A filter is a [`Selection`] that grows with the
//! capture: whoever filters calls [`super::App::set_filter`] once, and then lets [`Rows::within_mut`] look at further records
//! in `App::extend_rows`, as many at a time as the screen can bear.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::capture::query::heartbeats::Heartbeats;
use crate::capture::query::messages;
use crate::capture::query::selection::Selection;
use crate::capture::store::record::Record;
use crate::capture::store::{Capture, Totals};

/// How long rows may be chosen in one go; the rest waits.
const SLICE: Duration = Duration::from_millis(4);

/// How many records are looked at between two looks at the clock.
const BATCH: u64 = 1024;

/// The most records that stand beneath a row that is opened.
const MAX_BENEATH: usize = 100_000;

/// What has a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Only records of that connection.
    pub connection: Option<u32>,
    /// One row for all fragments of a message.
    pub messages: bool,
    /// One row for heartbeats that follow each other.
    pub folded: bool,
}

/// A row of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The record.
    pub no: u64,
    /// What the row says of it.
    pub sort: Sort,
}

/// Sorts of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// A record, or the message that it opens.
    Plain,
    /// So many heartbeats, of which it is the first; at least two.
    Heartbeats(u32),
    /// One of the records beneath a row that is opened.
    Beneath {
        /// Whether it is the last of them.
        last: bool,
    },
}

/// Which records the list has rows for, from 0 on.
#[derive(Debug, Default)]
pub struct Rows {
    /// How many records of the capture were taken in: the number of the last.
    records: u64,
    /// How many went with the ring, by their numbers: those before the first.
    gone: u64,
    /// What a filter lets through; `None`: everything.
    within: Option<Selection>,
    choice: Choice,
    /// What is chosen among that; `None`: all of it.
    chosen: Option<Chosen>,
    /// The rows that are opened, by their records, and the records beneath them.
    opened: BTreeMap<u64, Vec<u64>>,
}

#[derive(Debug, Default)]
struct Chosen {
    rows: Selection,
    heartbeats: Option<Heartbeats>,
    /// Heartbeats that follow each other: the first, and how many.
    runs: Vec<(u64, u32)>,
    /// Whether the last record was a heartbeat.
    running: bool,
}

impl Rows {
    /// Number of rows.
    pub fn len(&self) -> u64 {
        self.closed_len() + self.opened.values().map(|beneath| beneath.len() as u64).sum::<u64>()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.closed_len() == 0
    }

    /// A row.
    pub fn row(&self, row: u64) -> Option<Row> {
        let mut shift = 0;
        for (no, beneath) in &self.opened {
            let Some(at) = self.closed_row(*no).map(|at| at + shift) else { continue };
            let Some(below) = row.checked_sub(at + 1) else { break };
            if let Some(no) = usize::try_from(below).ok().and_then(|below| beneath.get(below)) {
                return Some(Row { no: *no, sort: Sort::Beneath { last: below + 1 == beneath.len() as u64 } });
            }
            shift += beneath.len() as u64;
        }
        let no = self.closed_number(row - shift)?;
        let sort = self.run(no).map_or(Sort::Plain, Sort::Heartbeats);
        Some(Row { no, sort })
    }

    /// The number of the record that stands in a row.
    pub fn number(&self, row: u64) -> Option<u64> {
        self.row(row).map(|row| row.no)
    }

    /// The row of a record: the one of its own, or the one `beneath` a row that is opened.
    pub fn row_of(&self, no: u64, beneath: bool) -> Option<u64> {
        if beneath {
            return self.opened.iter().find_map(|(opened, records)| {
                let at = records.binary_search(&no).ok()?;
                Some(self.row_of(*opened, false)? + 1 + at as u64)
            });
        }
        Some(self.closed_row(no)? + self.shift(no))
    }

    /// The row of the first record with that number or a later one; [`Self::len`] when there is none.
    pub fn row_from(&self, no: u64) -> u64 {
        self.closed_row_from(no) + self.shift(no)
    }

    /// The record in the first row, and in the last.
    pub fn edges(&self) -> Option<(Row, Row)> {
        Some((self.row(0)?, self.row(self.len().checked_sub(1)?)?))
    }

    /// What has rows.
    pub const fn choice(&self) -> Choice {
        self.choice
    }

    /// What the filter lets through, to look at further records; `None` while nothing filters.
    pub const fn within_mut(&mut self) -> Option<&mut Selection> {
        self.within.as_mut()
    }

    /// What the filter lets through; `None` while nothing filters.
    pub const fn within(&self) -> Option<&Selection> {
        self.within.as_ref()
    }

    /// Sets the filter, and begins anew.
    pub(super) fn set_within(&mut self, within: Option<Selection>) {
        self.within = within;
        self.choose(self.choice);
    }

    /// Sets what has rows, and begins anew.
    pub(super) fn choose(&mut self, choice: Choice) {
        self.choice = choice;
        self.opened.clear();
        self.chosen = (choice != Choice::default()).then(Chosen::default);
    }

    /// More went with the ring; of the records that stand in for it the filter lets through `stand_ins`. What is opened stays so where
    /// it is still there.
    pub(super) fn forget(&mut self, totals: &Totals, stand_ins: Vec<u64>) {
        (self.gone, self.records) = (totals.first - 1, totals.records);
        if let Some(within) = &mut self.within {
            within.renew_before(totals.settled, stand_ins);
        }
        let opened = self.opened.split_off(&totals.settled);
        self.choose(self.choice);
        self.opened = opened;
    }

    /// Whether what stands beneath a row is shown.
    pub fn is_opened(&self, no: u64) -> bool {
        self.opened.contains_key(&no)
    }

    /// The record whose opened row has record `no` beneath it.
    pub(super) fn owner(&self, no: u64) -> Option<u64> {
        self.opened.iter().find(|(_, beneath)| beneath.binary_search(&no).is_ok()).map(|(owner, _)| *owner)
    }

    /// The rows that are opened, by their records, and how many records stand beneath.
    pub(super) fn opened(&self) -> Vec<(u64, usize)> {
        self.opened.iter().map(|(no, beneath)| (*no, beneath.len())).collect()
    }

    /// Shows those records beneath the row of record `no`.
    pub(super) fn open(&mut self, no: u64, mut beneath: Vec<u64>) {
        beneath.truncate(MAX_BENEATH);
        self.opened.insert(no, beneath);
    }

    /// Shows nothing beneath the row of record `no`.
    pub(super) fn close(&mut self, no: u64) {
        self.opened.remove(&no);
    }

    /// Takes in that the capture has so many records, and looks at them as far as there is time. Whether all were looked at.
    pub(super) fn extend(&mut self, capture: &Capture, records: u64) -> bool {
        self.records = records;
        let Some(mut chosen) = self.chosen.take() else { return true };
        let start = Instant::now();
        let mut more = true;
        while more && start.elapsed() < SLICE {
            more = self.look(capture, &mut chosen);
        }
        self.chosen = Some(chosen);
        !more
    }

    /// Looks at some records; whether there are more.
    fn look(&self, capture: &Capture, chosen: &mut Chosen) -> bool {
        chosen.rows.pass(self.gone);
        let from = chosen.rows.looked_at() + 1;
        let (numbers, to) = self.candidates(capture, from);
        let plain = !self.choice.messages && !self.choice.folded;
        if plain {
            numbers.iter().for_each(|no| select(&mut chosen.rows, *no));
        } else {
            capture.pick(numbers).iter().for_each(|record| self.consider(capture, chosen, record));
        }
        chosen.rows.pass(to);
        to >= from && to < self.records
    }

    /// The numbers of the next records that the connection and the filter let through, and up to which record that is known.
    fn candidates(&self, capture: &Capture, from: u64) -> (Vec<u64>, u64) {
        let up_to = self.within.as_ref().map_or(self.records, |within| within.looked_at().min(self.records));
        let lets_through = |no: &u64| self.within.as_ref().is_none_or(|within| within.row(*no).is_some());
        let mut numbers: Vec<u64> = match (self.choice.connection, &self.within) {
            (Some(connection), _) => capture.numbers(connection, from, BATCH as usize),
            (None, Some(within)) => {
                let row = within.row_from(from);
                (row..row + BATCH).map_while(|row| within.number(row)).collect()
            }
            (None, None) => (from..=up_to).take(BATCH as usize).collect(),
        };
        numbers.retain(|no| *no <= up_to);
        let to = match numbers.last() {
            Some(last) if numbers.len() as u64 == BATCH => *last,
            _ => up_to,
        };
        numbers.retain(lets_through);
        (numbers, to)
    }

    /// Whether a record has a row of its own.
    fn consider(&self, capture: &Capture, chosen: &mut Chosen, record: &Record) {
        if self.choice.messages && messages::goes_on(record) {
            return;
        }
        let heartbeats = chosen.heartbeats.get_or_insert_with(|| Heartbeats::new(capture));
        let beats = self.choice.folded && heartbeats.is_one(record);
        let goes_on = beats && std::mem::replace(&mut chosen.running, beats);
        chosen.running = beats;
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

    /// The records of the heartbeats of which record `no` is the first.
    pub(super) fn beats(&self, capture: &Capture, no: u64) -> Vec<u64> {
        let Some(count) = self.run(no) else { return Vec::new() };
        let mut beats = Vec::new();
        let mut from = no;
        while beats.len() < count as usize {
            let (mut numbers, to) = self.candidates(capture, from);
            if self.choice.messages {
                numbers = capture.pick(numbers).iter().filter(|r| !messages::goes_on(r)).map(|r| r.no).collect();
            }
            beats.extend(numbers);
            if to < from || to >= self.records {
                break;
            }
            from = to + 1;
        }
        beats.truncate(count as usize);
        beats
    }

    /// The record in whose row record `no` is counted as a heartbeat.
    pub(super) fn run_around(&self, no: u64) -> Option<u64> {
        let chosen = self.chosen.as_ref()?;
        let (first, _) = chosen.runs.get(chosen.runs.partition_point(|(first, _)| *first <= no).checked_sub(1)?)?;
        let next = self.closed_number(self.closed_row_from(*first) + 1);
        next.is_none_or(|next| no < next).then_some(*first)
    }

    /// How many heartbeats the row of record `no` counts, where that is more than one.
    pub(super) fn run(&self, no: u64) -> Option<u32> {
        let runs = &self.chosen.as_ref()?.runs;
        let (first, count) = runs.get(runs.partition_point(|(first, _)| *first < no))?;
        (*first == no && *count > 1).then_some(*count)
    }

    /// How many rows stand beneath rows before record `no`.
    fn shift(&self, no: u64) -> u64 {
        self.opened.range(..no).map(|(_, beneath)| beneath.len() as u64).sum()
    }

    fn selection(&self) -> Option<&Selection> {
        self.chosen.as_ref().map(|chosen| &chosen.rows).or(self.within.as_ref())
    }

    fn closed_len(&self) -> u64 {
        self.selection().map_or(self.records - self.gone, Selection::len)
    }

    fn closed_number(&self, row: u64) -> Option<u64> {
        match self.selection() {
            None => (row < self.records - self.gone).then_some(self.gone + row + 1),
            Some(selection) => selection.number(row),
        }
    }

    fn closed_row_from(&self, no: u64) -> u64 {
        match self.selection() {
            None => no.saturating_sub(self.gone + 1).min(self.records - self.gone),
            Some(selection) => selection.row_from(no),
        }
    }

    fn closed_row(&self, no: u64) -> Option<u64> {
        let row = self.closed_row_from(no);
        (self.closed_number(row) == Some(no)).then_some(row)
    }
}

fn select(selection: &mut Selection, no: u64) {
    selection.pass(no - 1);
    selection.look(true);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(no: u64) -> Row {
        Row { no, sort: Sort::Plain }
    }

    #[test]
    fn without_a_filter_every_record_has_a_row() {
        let mut rows = Rows::default();
        assert_eq!((rows.len(), rows.number(0), rows.row_from(1), rows.edges()), (0, None, 0, None));
        rows.records = 3;
        assert_eq!((rows.len(), rows.number(0), rows.number(3)), (3, Some(1), None));
        assert_eq!((rows.row_of(3, false), rows.row_of(4, false), rows.row_from(9)), (Some(2), None, 3));
        assert_eq!(rows.edges(), Some((plain(1), plain(3))));
    }

    #[test]
    fn what_is_gone_has_no_row() {
        let mut within = Selection::default();
        (1..=10).for_each(|number| within.look(number % 3 == 0));
        let mut rows = Rows { records: 10, ..Rows::default() };
        let totals = Totals { records: 10, first: 5, settled: 7, ..Totals::default() };
        rows.forget(&totals, Vec::new());
        assert_eq!((rows.len(), rows.number(0), rows.number(5), rows.number(6)), (6, Some(5), Some(10), None));
        assert_eq!((rows.row_of(5, false), rows.row_of(4, false), rows.row_from(2)), (Some(0), None, 0));
        rows.within = Some(within);
        rows.forget(&totals, vec![5]);
        assert_eq!((rows.len(), rows.number(0), rows.number(1)), (2, Some(5), Some(9)));
    }

    #[test]
    fn with_one_those_that_it_lets_through() {
        let mut within = Selection::default();
        (1..=10).for_each(|number| within.look(number % 3 == 0));
        let rows = Rows { records: 10, within: Some(within), ..Rows::default() };
        assert_eq!((rows.len(), rows.number(1)), (3, Some(6)));
        assert_eq!((rows.row_of(6, false), rows.row_of(7, false)), (Some(1), None));
        assert_eq!((rows.row_from(7), rows.row_from(10), rows.edges()), (2, 3, Some((plain(3), plain(9)))));
    }

    #[test]
    fn what_stands_beneath_an_opened_row_has_rows_there() {
        let mut rows = Rows { records: 6, ..Rows::default() };
        rows.open(2, vec![2, 4]);
        rows.open(5, vec![5]);
        let numbers: Vec<_> = (0..10).map_while(|row| rows.number(row)).collect();
        assert_eq!(numbers, [1, 2, 2, 4, 3, 4, 5, 5, 6]);
        assert_eq!(rows.row(3), Some(Row { no: 4, sort: Sort::Beneath { last: true } }));
        assert_eq!((rows.row_of(4, true), rows.row_of(4, false), rows.row_of(3, true)), (Some(3), Some(5), None));
        assert_eq!((rows.row_of(5, true), rows.row_from(6), rows.len()), (Some(7), 8, 9));
        rows.close(2);
        assert_eq!((rows.len(), rows.row_of(5, true)), (7, Some(5)));
    }
}
