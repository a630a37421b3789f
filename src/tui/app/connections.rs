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

/// The connections of which a filter lets something through.
#[derive(Clone, Debug)]
pub(super) struct LetIn {
    /// How many there were, those that are gone too.
    pub known: usize,
    /// Their numbers, in order.
    pub numbers: Vec<u32>,
}

impl App {
    /// How many connections are shown: those that are there, and of which the filter lets something through.
    pub fn connection_count(&self) -> u32 {
        self.let_in.as_ref().map_or_else(|| self.capture.connections_there(), |let_in| let_in.numbers.len() as u32)
    }

    /// The number of the shown connection before which so many others are shown.
    pub(super) fn connection_at(&self, rank: u32) -> Option<u32> {
        match &self.let_in {
            Some(let_in) => let_in.numbers.get(rank as usize).copied(),
            None => self.capture.connection_at(rank),
        }
    }

    /// How many connections with smaller numbers are shown.
    pub(super) fn rank_of(&self, connection: u32) -> u32 {
        match &self.let_in {
            Some(let_in) => let_in.numbers.partition_point(|number| *number < connection) as u32,
            None => self.capture.rank_of(connection),
        }
    }

    /// The numbers of so many shown connections, from that rank on.
    pub fn shown_connections(&self, from: u32, count: u32) -> Vec<u32> {
        (from..from.saturating_add(count)).map_while(|rank| self.connection_at(rank)).collect()
    }

    /// Takes in of which connections the filter lets something through.
    pub(super) fn let_in(&mut self) {
        let known = self.let_in.as_ref().map_or(0, |let_in| let_in.known);
        match self.connections_let_through(known) {
            None => self.let_in = None,
            Some(None) => {}
            Some(Some(mut numbers)) => {
                let known = numbers.len();
                numbers.retain(|number| self.capture.connection_is_there(*number));
                self.let_in = Some(LetIn { known, numbers });
            }
        }
    }

    /// The table opens on the connection of the record under the cursor.
    pub(super) fn enter_connections(&mut self) {
        let own = self.detail.as_ref().map(|detail| detail.record.connection);
        self.table.at = self.only.take().or(own).unwrap_or(1);
    }

    /// Rows up (negative) or down in the table.
    pub(super) fn step_connections(&mut self, by: i64) {
        let last = u64::from(self.connection_count().saturating_sub(1));
        let rank = u64::from(self.rank_of(self.table.at)).saturating_add_signed(by).min(last);
        self.table.at = self.connection_at(rank as u32).unwrap_or(1);
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
        let connections = self.connection_count();
        let height = u32::from(self.layout.list.height).max(1);
        let rank = self.rank_of(self.table.at).min(connections.saturating_sub(1));
        // One that is gone, or hidden by the filter, leaves its place to the next.
        let at = self.connection_at(rank).unwrap_or(self.table.at).max(1);
        let table = &mut self.table;
        table.at = at;
        table.top = table.top.clamp((rank + 1).saturating_sub(height), rank);
        table.top = table.top.min(connections.saturating_sub(height));
    }
}
