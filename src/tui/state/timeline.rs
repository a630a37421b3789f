//! The timeline: the part of the capture's time that is shown, and steps of the cursor through its lanes.

use ratatui::layout::Rect;

use super::shown_connections::ShownConnections;
use crate::capture::query::partner;
use crate::capture::query::timeline::{Lanes, Spans};
use crate::capture::store::Capture;
use crate::capture::store::record::Record;
use crate::proto::dissected::Direction;
use crate::proto::time::Time;
use crate::tui::layout::GUTTER;

/// Shortest time of one column, in nanoseconds.
const MIN_COLUMN: u64 = 1_000;

/// Smallest height of an area with a legend in its last row.
const LEGEND_FROM: u16 = 3;

/// Most rows of a lane.
const MOST_ROWS: u16 = 8;

/// How many lanes without a record the cursor skips in one step.
const MAX_SKIPPED: i64 = 64;

/// The part of the timeline in view.
#[derive(Clone, Debug)]
pub struct Timeline {
    pub spans: Spans,
    /// Whether the whole time of the capture is shown, also while it grows.
    whole: bool,
    /// Rank of the first connection in view.
    top: u32,
    pub lanes: Vec<Lanes>,
    /// Connections above the first one in view, and below the last.
    pub cut: (u32, u32),
    /// The rows of a connection.
    pub rows: LaneRows,
    /// The record under the cursor and the other half of it, in the order of time.
    pub pair: Option<Pair>,
}

/// Two records of which one answers the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    pub asked: u64,
    pub answered: u64,
    /// The time between them, in nanoseconds.
    pub took: u64,
}

/// How the rows of the timeline are divided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneRows {
    /// Rows above the lanes of a connection that name it: 0 or 1.
    pub label: u16,
    /// Rows of each lane.
    pub lane: u16,
    /// Rows of the legend: 0 or 1.
    pub legend: u16,
}

impl LaneRows {
    /// The division of an area among that many connections.
    pub fn of(height: u16, connections: u32) -> Self {
        let legend = u16::from(height >= LEGEND_FROM);
        let each = u32::from(height - legend) / connections.max(1);
        let each = u16::try_from(each).unwrap_or(u16::MAX);
        let label = u16::from(each >= 3);
        Self { label, lane: (each.saturating_sub(label) / 2).clamp(1, MOST_ROWS), legend }
    }

    /// Rows of a connection.
    pub const fn of_connection(self) -> u16 {
        self.label + 2 * self.lane
    }

    /// How many connections fit into an area of that height.
    fn connections(self, height: u16) -> u32 {
        u32::from((height - self.legend) / self.of_connection().max(1)).max(1)
    }
}

impl Default for Timeline {
    fn default() -> Self {
        let spans = Spans { from: Time(0), each: 1, count: 0 };
        Self { spans, whole: true, top: 0, lanes: Vec::new(), cut: (0, 0), rows: LaneRows::default(), pair: None }
    }
}

impl Timeline {
    pub const fn show_all(&mut self) {
        self.whole = true;
    }

    /// Halves the time of a column, or doubles it. The record under the cursor keeps its column.
    pub fn zoom(&mut self, capture: &Capture, record: &Record, closer: bool) {
        let Some((first, last)) = capture.span() else { return };
        let spans = &mut self.spans;
        let column = spans.at(record.time).unwrap_or(spans.count / 2) as u64;
        spans.each = if closer { (spans.each / 2).max(MIN_COLUMN) } else { spans.each.saturating_mul(2) };
        spans.from = Time(record.time.0.saturating_sub(spans.each.saturating_mul(column)).max(first.0));
        self.whole = !closer && spans.each.saturating_mul(spans.count as u64) > last.0 - first.0;
    }

    /// The nearest record in an earlier or later column of the lane of `record`.
    pub fn step_time(&self, capture: &Capture, record: &Record, by: i64) -> Option<u64> {
        let Spans { from, each, .. } = self.spans;
        let column = record.time.0.saturating_sub(from.0) / each;
        let edge = |column: u64| Time(from.0.saturating_add(column.saturating_mul(each)));
        let (time, later) = match by {
            1.. => (edge(column + 1), true),
            _ if record.time < from => (record.time, false),
            _ => (edge(column), false),
        };
        capture.in_lane(record.connection, record.direction, time, later)
    }

    /// The record in the clicked lane that is nearest to the clicked column.
    pub fn click(&self, capture: &Capture, column: u16, row: u16) -> Option<u64> {
        let column = column.checked_sub(GUTTER).map(usize::from)?;
        let each = self.rows.of_connection().max(1);
        let lanes = self.lanes.get(usize::from(row / each))?;
        let lane = (row % each).saturating_sub(self.rows.label) / self.rows.lane.max(1);
        let direction = Direction::BOTH[usize::from(lane.min(1))];
        nearest(capture, lanes.connection, direction, self.spans.start(column))
    }

    /// Brings the cursor into view and counts the records of each column. `record` is the one under the cursor.
    pub fn prepare(&mut self, shown: ShownConnections<'_>, record: Option<&Record>, area: Rect) {
        let Some((first, last)) = shown.capture.span() else { return };
        let count = usize::from(area.width.saturating_sub(GUTTER + 1)).max(1);
        self.spans.count = count;
        if self.whole {
            self.spans.from = first;
            self.spans.each = ((last.0 - first.0) / count as u64 + 1).max(MIN_COLUMN);
        } else if let Some(record) = record.filter(|record| self.spans.at(record.time).is_none()) {
            // The cursor has left the window: center the window on it.
            let half = self.spans.each.saturating_mul(count as u64 / 2);
            self.spans.from = Time(record.time.0.saturating_sub(half).max(first.0));
        }
        let count = shown.count();
        self.rows = LaneRows::of(area.height, count);
        let height = self.rows.connections(area.height);
        if let Some(record) = record {
            let rank = shown.rank_of(record.connection).min(count.saturating_sub(1));
            self.top = self.top.clamp((rank + 1).saturating_sub(height), rank);
        }
        self.top = self.top.min(count.saturating_sub(height));
        self.lanes = shown.capture.lanes(&shown.page(self.top, height), self.spans);
        self.cut = (self.top, count.saturating_sub(self.top.saturating_add(height)));
        self.pair = record.and_then(|record| pair(shown.capture, record));
    }
}

/// The rows that the lanes of that many connections and the legend fill.
pub fn rows(connections: u32) -> u16 {
    u16::try_from(connections).unwrap_or(u16::MAX).saturating_mul(2).saturating_add(1)
}

/// The record and its partner in the other direction.
fn pair(capture: &Capture, record: &Record) -> Option<Pair> {
    let other = partner::next_partner(capture, record).and_then(|no| capture.record(no))?;
    let (asked, answered) = if record.no < other.no { (record, &other) } else { (&other, record) };
    let took = u64::try_from(answered.time.nanos_since(asked.time)).ok()?;
    (asked.direction != answered.direction).then_some(Pair { asked: asked.no, answered: answered.no, took })
}

/// The record of another lane that is nearest in time to `record`; lanes without records are skipped.
pub fn step_lane(shown: ShownConnections<'_>, record: &Record, by: i64) -> Option<u64> {
    let lane =
        i64::from(shown.rank_of(record.connection)) * 2 + i64::from(record.direction == Direction::ServerToClient);
    let last = i64::from(shown.count()) * 2 - 1;
    let wanted = lane.saturating_add(by).clamp(0, last.max(0));
    let step = if by < 0 { -1 } else { 1 };
    let mut lanes = (0..MAX_SKIPPED).map(|n| wanted + n * step).take_while(|lane| (0..=last).contains(lane));
    lanes.find_map(|lane| {
        let connection = shown.at(u32::try_from(lane / 2).ok()?)?;
        let direction = if lane % 2 == 0 { Direction::ClientToServer } else { Direction::ServerToClient };
        nearest(shown.capture, connection, direction, record.time)
    })
}

/// The first or last record in the lane of `record`.
pub fn lane_edge(capture: &Capture, record: &Record, last: bool) -> Option<u64> {
    let time = if last { Time(u64::MAX) } else { Time(0) };
    capture.in_lane(record.connection, record.direction, time, !last)
}

fn nearest(capture: &Capture, connection: u32, direction: Direction, time: Time) -> Option<u64> {
    let [before, after] = [false, true].map(|later| capture.in_lane(connection, direction, time, later));
    let distance = |no: u64| capture.record(no).map_or(u64::MAX, |record| record.time.0.abs_diff(time.0));
    before.into_iter().chain(after).min_by_key(|no| distance(*no))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_are_divided_among_the_connections_that_fit() {
        let rows = |height, connections| {
            let rows = LaneRows::of(height, connections);
            (rows.label, rows.lane, rows.legend, rows.connections(height))
        };
        assert_eq!(rows(2, 1), (0, 1, 0, 1), "no row for a legend");
        assert_eq!(rows(3, 1), (0, 1, 1, 1));
        assert_eq!(rows(4, 1), (1, 1, 1, 1), "a row with path and client");
        assert_eq!(rows(8, 1), (1, 3, 1, 1), "lanes of three rows");
        assert_eq!(rows(7, 100), (0, 1, 1, 3), "more connections than fit");
    }
}
