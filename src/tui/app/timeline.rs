//! The timeline: which part of the capture's time is shown, and how the cursor goes through it.

use super::App;
use crate::capture::query::timeline::{Lanes, Spans};
use crate::proto::dissected::Direction;
use crate::proto::time::Time;
use crate::tui::layout::{GUTTER, LEGEND_FROM};

/// The shortest time that a column may stand for, in nanoseconds.
const LEAST: u64 = 1_000;

/// How many lanes without a record are passed over.
const REACH: i64 = 64;

/// What the timeline shows.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// The time of each column.
    pub spans: Spans,
    /// Whether all of the capture's time is shown, also as it grows.
    pub whole: bool,
    /// How many connections are above those in view.
    pub top: u32,
    /// What moved in those in view.
    pub lanes: Vec<Lanes>,
}

impl Default for Timeline {
    fn default() -> Self {
        let spans = Spans { from: Time(0), each: 1, count: 0 };
        Self { spans, whole: true, top: 0, lanes: Vec::new() }
    }
}

impl App {
    /// How many connections the timeline has room for.
    pub fn timeline_room(&self) -> u32 {
        let height = self.layout.list.height;
        let legend = u16::from(height >= LEGEND_FROM);
        u32::from((height - legend) / 2).max(1)
    }

    /// The lane of the cursor.
    pub fn lane(&self) -> Option<(u32, Direction)> {
        self.detail.as_ref().map(|detail| (detail.record.connection, detail.record.direction))
    }

    /// To the next or previous column in which something moved in the cursor's lane.
    pub(super) fn step_time(&mut self, by: i64) {
        let Some((connection, direction)) = self.lane() else { return };
        let Some(time) = self.detail.as_ref().map(|detail| detail.record.time) else { return };
        let Spans { from, each, .. } = self.timeline.spans;
        let span = time.0.saturating_sub(from.0) / each;
        let edge = |span: u64| Time(from.0.saturating_add(span.saturating_mul(each)));
        let to = if by > 0 {
            self.capture.in_lane(connection, direction, edge(span + 1), true)
        } else if time < from {
            self.capture.in_lane(connection, direction, time, false)
        } else {
            self.capture.in_lane(connection, direction, edge(span), false)
        };
        self.go_in_lane(to);
    }

    /// To the same time in another lane; one in which nothing ever moved is passed over.
    pub(super) fn step_lane(&mut self, by: i64) {
        let Some((connection, direction)) = self.lane() else { return };
        let Some(time) = self.detail.as_ref().map(|detail| detail.record.time) else { return };
        let lane = i64::from(self.rank_of(connection)) * 2 + direction.index() as i64;
        let last = i64::from(self.connection_count()) * 2 - 1;
        let wanted = lane.saturating_add(by).clamp(0, last);
        let step = if by < 0 { -1 } else { 1 };
        let to = (0..REACH).map(|n| wanted + n * step).take_while(|lane| (0..=last).contains(lane)).find_map(|lane| {
            let connection = self.connection_at(lane as u32 / 2)?;
            self.nearest(connection, Direction::BOTH[lane as usize % 2], time)
        });
        self.go_in_lane(to);
    }

    /// To the first or last record of the cursor's lane.
    pub(super) fn lane_edge(&mut self, last: bool) {
        let Some((connection, direction)) = self.lane() else { return };
        let to = match last {
            true => self.capture.in_lane(connection, direction, Time(u64::MAX), false),
            false => self.capture.in_lane(connection, direction, Time(0), true),
        };
        self.go_in_lane(to);
    }

    /// Half the time in each column, or twice as much, around the cursor.
    pub(super) fn zoom(&mut self, closer: bool) {
        let (Some(detail), Some((first, last))) = (&self.detail, self.capture.span()) else { return };
        let spans = &mut self.timeline.spans;
        let time = detail.record.time.0;
        let column = spans.at(detail.record.time).unwrap_or(spans.count / 2) as u64;
        spans.each = if closer { (spans.each / 2).max(LEAST) } else { spans.each.saturating_mul(2) };
        spans.from = Time(time.saturating_sub(spans.each.saturating_mul(column)).max(first.0));
        self.timeline.whole = !closer && spans.each.saturating_mul(spans.count as u64) > last.0 - first.0;
    }

    /// A click in the timeline: to the record nearest to that time in that lane.
    pub(super) fn click_timeline(&mut self, column: u16, row: u16) {
        let Some(span) = column.checked_sub(GUTTER).map(usize::from) else { return };
        let Some(lanes) = self.timeline.lanes.get(usize::from(row / 2)) else { return };
        let direction = Direction::BOTH[usize::from(row % 2)];
        let to = self.nearest(lanes.connection, direction, self.timeline.spans.start(span));
        self.go_in_lane(to);
    }

    /// Brings the cursor into view, and looks at what moved.
    pub(super) fn settle_timeline(&mut self) {
        let Some((first, last)) = self.capture.span().filter(|_| self.view == super::View::Timeline) else { return };
        let (room, area) = (self.timeline_room(), self.layout.list);
        let shown = self.connection_count().saturating_sub(1);
        let rank = self.lane().map(|(connection, _)| self.rank_of(connection).min(shown));
        let time = self.detail.as_ref().map(|detail| detail.record.time);
        let timeline = &mut self.timeline;
        let count = usize::from(area.width.saturating_sub(GUTTER + 1)).max(1);
        timeline.spans.count = count;
        if timeline.whole {
            timeline.spans.from = first;
            timeline.spans.each = ((last.0 - first.0) / count as u64 + 1).max(LEAST);
        } else if let Some(time) = time.filter(|time| timeline.spans.at(*time).is_none()) {
            // The cursor left the window: it stands in its middle then.
            let half = timeline.spans.each.saturating_mul(count as u64 / 2);
            timeline.spans.from = Time(time.0.saturating_sub(half).max(first.0));
        }
        if let Some(rank) = rank {
            timeline.top = timeline.top.clamp((rank + 1).saturating_sub(room), rank);
        }
        let (top, spans) = (timeline.top, timeline.spans);
        self.timeline.lanes = self.capture.lanes(&self.shown_connections(top, room), spans);
    }

    fn nearest(&self, connection: u32, direction: Direction, time: Time) -> Option<u64> {
        let [before, after] = [false, true].map(|later| self.capture.in_lane(connection, direction, time, later));
        let away = |no: u64| self.capture.record(no).map_or(u64::MAX, |record| record.time.0.abs_diff(time.0));
        before.into_iter().chain(after).min_by_key(|no| away(*no))
    }

    fn go_in_lane(&mut self, to: Option<u64>) {
        if let Some(no) = to.filter(|no| *no != self.cursor) {
            self.hold();
            self.beneath = false;
            self.go_to(no);
        }
    }
}
