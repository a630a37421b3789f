//! The table of connections: its cursor, its scroll position, and the records of the connection under the cursor.

use super::connection_facts::{Fact, facts};
use super::list::RecordLines;
use super::shown_connections::ShownConnections;
use crate::capture::query::closing::Closing;
use crate::capture::query::overview;
use crate::capture::store::Capture;
use crate::proto::rules::Finding;

/// Rows that show the end of a connection whose records do not all fit.
const TAIL: u32 = 3;

/// Findings of the capture that are searched for those of a connection.
const MOST_SEARCHED: usize = 512;

/// Most findings of a connection that are shown.
const MOST_FINDINGS: usize = 64;

/// Cursor and scroll position of the table of connections.
#[derive(Debug, Default)]
pub struct ConnectionTable {
    /// Number of the connection under the cursor; 0 while there is none.
    pub cursor: u32,
    /// Rank of the first connection in view.
    pub top: u32,
    /// Its first records, then its last ones.
    pub lines: RecordLines,
    /// How many of the lines come before the records that are left out.
    pub head: usize,
    /// How many records are left out.
    pub left_out: u32,
    /// How many records it has.
    pub records: u32,
    /// Its facts.
    pub facts: Vec<Fact>,
    /// How it closed so far.
    pub closing: Option<Closing>,
    /// Its first findings with the numbers of their records, the worst first.
    pub findings: Vec<(u64, Finding)>,
}

impl ConnectionTable {
    pub const fn select(&mut self, connection: u32) {
        self.cursor = connection;
    }

    pub fn step(&mut self, shown: ShownConnections<'_>, by: i64) {
        let last = u64::from(shown.count().saturating_sub(1));
        let rank = u64::from(shown.rank_of(self.cursor)).saturating_add_signed(by).min(last);
        self.cursor = u32::try_from(rank).ok().and_then(|rank| shown.at(rank)).unwrap_or(1);
    }

    /// Selects the connection in a row of the screen.
    pub fn click(&mut self, shown: ShownConnections<'_>, row: u16) {
        if let Some(connection) = shown.at(self.top.saturating_add(u32::from(row))) {
            self.cursor = connection;
        }
    }

    /// Selects the next connection if that of the cursor was evicted or does not match the filter, and reads its facts.
    pub fn read_facts(&mut self, capture: &Capture, shown: ShownConnections<'_>) {
        let rank = shown.rank_of(self.cursor).min(shown.count().saturating_sub(1));
        self.cursor = shown.at(rank).unwrap_or(self.cursor).max(1);
        let overviews = overview::overviews(capture, &[self.cursor], 0);
        let Some(overview) = overviews.first() else { return };
        self.facts = facts(capture, overview);
        let first = capture.first_ordinal(self.cursor).unwrap_or(0);
        self.records = overview.info.records.saturating_sub(first);
        let known = self.closing.as_ref().map(|closing| (closing.connection, closing.records));
        if known == Some((self.cursor, overview.info.records)) {
            return;
        }
        self.closing = Closing::of(capture, self.cursor);
        let all = overview.findings.iter().sum::<u32>() as usize;
        let from = overview.first_record.unwrap_or(0);
        let nearby = if all > 0 { capture.findings(from, MOST_SEARCHED) } else { Vec::new() };
        let is_own = |no: u64| capture.record(no).is_some_and(|record| record.connection == self.cursor);
        let own = nearby.into_iter().filter(|(no, _)| is_own(*no));
        self.findings = own.take(all.min(MOST_FINDINGS)).collect();
        self.findings.sort_by_key(|(_, finding)| std::cmp::Reverse(finding.rule.severity() as usize));
    }

    /// Brings the cursor into view.
    pub fn prepare(&mut self, shown: ShownConnections<'_>, height: u16) {
        let (count, height) = (shown.count(), u32::from(height).max(1));
        let rank = shown.rank_of(self.cursor).min(count.saturating_sub(1));
        self.top = self.top.clamp((rank + 1).saturating_sub(height), rank);
        self.top = self.top.min(count.saturating_sub(height));
    }

    /// Reads the records of the connection under the cursor: all of them, or the first and the last ones with a line between.
    pub fn read_records(&mut self, capture: &Capture, height: u16) {
        let height = u32::from(height);
        let first = capture.first_ordinal(self.cursor).unwrap_or(0);
        let end = capture.connection(self.cursor).map_or(first, |connection| connection.records);
        let all = end.saturating_sub(first);
        // A low list shows more of the beginning.
        let tail = TAIL.min(height / 3);
        let (head, tail) = if all <= height { (all, 0) } else { (height.saturating_sub(tail + 1), tail) };
        let ordinals = (first..first + head).chain(end - tail..end);
        let numbers: Vec<u64> =
            ordinals.filter_map(|ordinal| capture.at_ordinal(self.cursor, ordinal)).map(|record| record.no).collect();
        self.lines.read(capture, &numbers);
        self.head = usize::try_from(head).unwrap_or(usize::MAX).min(numbers.len());
        self.left_out = all - head - tail;
    }
}
