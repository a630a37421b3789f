//! The table of connections: which one the cursor is on, and the way into its records and back.

use super::{App, View};

/// Where the table of connections stands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Table {
    /// The number of the connection under the cursor; 0 while there is none.
    pub at: u32,
    /// How many connections are above those in view.
    pub top: u32,
}

impl App {
    /// The table opens on the connection of the record under the cursor.
    pub(super) fn enter_connections(&mut self) {
        let own = self.detail.as_ref().map(|detail| detail.record.connection);
        self.table.at = self.only.take().or(own).unwrap_or(1);
    }

    /// Rows up (negative) or down in the table.
    pub(super) fn step_connections(&mut self, by: i64) {
        let last = u64::from(self.capture.connections_there().saturating_sub(1));
        let rank = u64::from(self.capture.rank_of(self.table.at)).saturating_add_signed(by).min(last);
        self.table.at = self.capture.connection_at(rank as u32).unwrap_or(1);
    }

    /// To the frames of the connection under the cursor.
    pub(super) fn open_connection(&mut self) {
        self.only = Some(self.table.at);
        self.hold();
        self.view = View::Frames;
        self.choose_rows();
    }

    /// Back from the frames of a connection to the table; whether that is where they were.
    pub(super) fn leave_connection(&mut self) -> bool {
        let inside = self.only.is_some();
        if inside {
            self.show(View::Connections);
        }
        inside
    }

    /// Brings the table's cursor into view.
    pub(super) fn settle_table(&mut self) {
        let connections = self.capture.connections_there();
        let height = u32::from(self.layout.list.height).max(1);
        let rank = self.capture.rank_of(self.table.at).min(connections.saturating_sub(1));
        let table = &mut self.table;
        // One that is gone leaves its place to the next.
        table.at = self.capture.connection_at(rank).unwrap_or(1);
        table.top = table.top.clamp((rank + 1).saturating_sub(height), rank);
        table.top = table.top.min(connections.saturating_sub(height));
    }
}
