//! The areas of the view of connections: the table, the facts of the selected connection, its records, and what else has room.

use ratatui::layout::Rect;

use super::layout::Layout;
use super::state::connection_facts::Fact;

/// Smallest width that shows two panels of a connection side by side.
const SIDE_BY_SIDE: u16 = 100;

/// Width of the names of facts, with the columns before and after them.
pub const FACT_NAMES: u16 = 15;

/// Records that keep a row below the facts.
const LEAST_RECORDS: u16 = 3;

/// Fewest and most rows of the chart of records over time, with its axis.
const CHART: (u16, u16) = (6, 12);

/// Smallest height of the screen, without a tour, that shows the chart.
const CHART_FROM: u16 = 34;

/// Smallest height of the screen, without a tour, with rows to spare for the table.
const HIGH_FROM: u16 = 24;

/// Records that keep a row below the chart.
const RECORDS_BESIDE_CHART: u16 = 8;

/// Fewest rows of the panels below the records.
const LEAST_END: u16 = 2;

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
    pub end_title: Rect,
    /// What the end means, and the findings.
    pub end: Rect,
}

/// How much the view has to show.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionsShape<'a> {
    /// Connections in the table.
    pub connections: u32,
    /// Whether the table gets all rows.
    pub table_only: bool,
    /// The facts of the selected connection.
    pub facts: &'a [Fact],
    /// Its records.
    pub records: u32,
}

impl ConnectionsLayout {
    /// Divides the screen.
    pub fn of(layout: &Layout, shape: &ConnectionsShape<'_>) -> Self {
        if layout.is_too_small() {
            return Self::default();
        }
        // A tour keeps its lines.
        let top = layout.tour.bottom();
        let mut rest = Rect { y: top, height: layout.hints.y.saturating_sub(top), ..layout.area };
        let height = layout.area.height.saturating_sub(layout.tour.height);
        let mut take = |rows: u16| {
            let rows = rows.min(rest.height);
            let taken = Rect { height: rows, ..rest };
            rest.y += rows;
            rest.height -= rows;
            (taken, rest.height)
        };
        let mut areas = Self::default();
        (areas.title, _) = take(1);
        let (heads, room) = take(1);
        areas.heads = heads;
        let is_high = height >= HIGH_FROM;
        let (least, most) = if is_high { (2, (room * 35 / 100).max(3)) } else { (1, 3) };
        let wanted = u16::try_from(shape.connections).unwrap_or(u16::MAX).clamp(least, most);
        if shape.table_only || room < wanted + LEAST_BELOW {
            (areas.rows, _) = take(room);
            return areas;
        }
        let (rows, room) = take(wanted);
        areas.rows = rows;
        let records = u16::try_from(shape.records).unwrap_or(u16::MAX);
        let titles = 2;
        let facts = fact_rows(shape.facts, layout.area.width);
        (areas.facts_title, _) = take(1);
        let facts = facts.min(room.saturating_sub(titles + LEAST_RECORDS.min(records))).max(1);
        let (facts, mut room) = take(facts);
        areas.facts = facts;
        if height >= CHART_FROM && room > CHART.0 + RECORDS_BESIDE_CHART.min(records) {
            let spare = room.saturating_sub(records + titles + 1) / 2;
            (areas.chart, room) = take(spare.clamp(CHART.0, CHART.1));
        }
        (areas.records_title, room) = take(u16::from(room > 0));
        (areas.records, room) = take(if room > records + LEAST_END { records } else { room });
        (areas.end_title, room) = take(u16::from(room > 0));
        (areas.end, _) = take(room);
        areas
    }

    /// Whether two panels of a connection are side by side.
    pub const fn is_wide(width: u16) -> bool {
        width >= SIDE_BY_SIDE
    }
}

/// Columns of the values of facts, on a screen of that width.
pub const fn fact_columns(width: u16) -> usize {
    let panel = if ConnectionsLayout::is_wide(width) { width / 2 } else { width };
    panel.saturating_sub(FACT_NAMES + 1) as usize
}

/// The rows that all facts need, on a screen of that width.
fn fact_rows(facts: &[Fact], width: u16) -> u16 {
    let rows = |of_handshake: Option<bool>| -> usize {
        let shown = facts.iter().filter(|fact| of_handshake.is_none_or(|wanted| wanted == fact.of_handshake));
        shown.map(|fact| fact.rows(fact_columns(width)).len()).sum()
    };
    let rows = if ConnectionsLayout::is_wide(width) { rows(Some(true)).max(rows(Some(false))) } else { rows(None) };
    u16::try_from(rows).unwrap_or(u16::MAX)
}
