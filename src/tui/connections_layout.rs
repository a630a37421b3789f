//! The areas of the view of connections: the table, the facts of the selected connection, and its records.

use ratatui::layout::Rect;

use super::layout::Layout;

/// Smallest width that shows the facts of a connection in two columns.
pub const FACTS_IN_TWO: u16 = 100;

/// Rows of the facts in two columns, and in one column.
const FACTS: [u16; 2] = [6, 8];

/// Records that keep a row below the facts.
const LEAST_RECORDS: u16 = 3;

/// Rows of the chart of records over time, with its axis.
const CHART: u16 = 6;

/// Smallest height of the screen that shows the chart.
const CHART_FROM: u16 = 44;

/// Smallest number of rows below the table: title, a fact, title, a record.
const LEAST_BELOW: u16 = 6;

/// The areas of the view of connections. An area that does not fit is empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConnectionsLayout {
    pub title: Rect,
    pub heads: Rect,
    /// The rows of the table.
    pub rows: Rect,
    pub facts_title: Rect,
    pub facts: Rect,
    pub chart: Rect,
    pub records_title: Rect,
    /// The records of the selected connection.
    pub records: Rect,
}

impl ConnectionsLayout {
    /// The areas for a table of that many connections. With `table_only`, the table gets all rows.
    pub fn of(layout: &Layout, connections: u32, table_only: bool) -> Self {
        let mut rest = Rect {
            y: layout.header.bottom(),
            height: layout.hints.y.saturating_sub(layout.header.bottom()),
            ..layout.area
        };
        if layout.is_too_small() {
            return Self::default();
        }
        let mut take = |rows: u16| {
            let rows = rows.min(rest.height);
            let taken = Rect { height: rows, ..rest };
            rest.y += rows;
            rest.height -= rows;
            (taken, rest.height)
        };
        let (title, _) = take(1);
        let (heads, room) = take(1);
        let most = (room * 35 / 100).max(3);
        let wanted = u16::try_from(connections).unwrap_or(u16::MAX).clamp(2, most);
        if table_only || room < wanted + LEAST_BELOW {
            let (rows, _) = take(room);
            return Self { title, heads, rows, ..Self::default() };
        }
        let (rows, room) = take(wanted);
        let [in_two, in_one] = FACTS;
        let wanted = if layout.area.width >= FACTS_IN_TWO { in_two } else { in_one };
        let titles = 2;
        let facts_height =
            wanted.min(room.saturating_sub(titles + LEAST_RECORDS)).max(room.saturating_sub(titles).min(3));
        let chart_height = if layout.area.height >= CHART_FROM { CHART } else { 0 };
        let (facts_title, _) = take(1);
        let (facts, _) = take(facts_height);
        let (chart, _) = take(chart_height);
        let (records_title, room) = take(1);
        let (records, _) = take(room);
        Self { title, heads, rows, facts_title, facts, chart, records_title, records }
    }
}
