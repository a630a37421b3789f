//! The table of connections: its cursor and its scroll position.

use super::shown_connections::ShownConnections;

/// Cursor and scroll position of the table of connections.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConnectionTable {
    /// Number of the connection under the cursor; 0 while there is none.
    pub cursor: u32,
    /// Rank of the first connection in view.
    pub top: u32,
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

    /// Brings the cursor into view. If its connection was evicted or does not match the filter, the next one is selected.
    pub fn prepare(&mut self, shown: ShownConnections<'_>, height: u16) {
        let (count, height) = (shown.count(), u32::from(height).max(1));
        let rank = shown.rank_of(self.cursor).min(count.saturating_sub(1));
        self.cursor = shown.at(rank).unwrap_or(self.cursor).max(1);
        self.top = self.top.clamp((rank + 1).saturating_sub(height), rank);
        self.top = self.top.min(count.saturating_sub(height));
    }
}
