//! The connections that the table and the timeline show: all of them, or those with a record that matches the filter.

use crate::capture::query::filter::ConnectionSet;
use crate::capture::store::Capture;

/// The connections with a record that matches the filter.
#[derive(Clone, Debug, Default)]
pub struct FilteredConnections {
    /// How many have matched so far, including evicted ones.
    known: usize,
    /// Their numbers, in order, without evicted ones.
    numbers: Vec<u32>,
}

impl FilteredConnections {
    /// Takes the connections that have matched so far, unless they are known.
    pub fn update(&mut self, matched: &ConnectionSet, capture: &Capture) {
        if self.known == 0 || self.known != matched.count() {
            (self.known, self.numbers) = (matched.count(), matched.numbers());
            self.retain(capture);
        }
    }

    /// Removes evicted connections.
    pub fn retain(&mut self, capture: &Capture) {
        self.numbers.retain(|number| capture.has_connection(*number));
    }
}

/// The shown connections in order. A connection's rank is the number of shown connections before it.
#[derive(Clone, Copy)]
pub struct ShownConnections<'a> {
    pub capture: &'a Capture,
    /// The connections that match; `None` without a filter.
    pub matched: Option<&'a FilteredConnections>,
}

impl ShownConnections<'_> {
    /// How many connections are shown.
    pub fn count(&self) -> u32 {
        match self.matched {
            Some(matched) => u32::try_from(matched.numbers.len()).unwrap_or(u32::MAX),
            None => self.capture.kept_connections(),
        }
    }

    /// Number of the connection with that rank.
    pub fn at(&self, rank: u32) -> Option<u32> {
        match self.matched {
            Some(matched) => matched.numbers.get(rank as usize).copied(),
            None => self.capture.connection_at(rank),
        }
    }

    /// The rank of a connection; the rank that it would have, if it is not shown.
    pub fn rank_of(&self, connection: u32) -> u32 {
        match self.matched {
            Some(matched) => {
                let rank = matched.numbers.partition_point(|number| *number < connection);
                u32::try_from(rank).unwrap_or(u32::MAX)
            }
            None => self.capture.rank_of(connection),
        }
    }

    /// The numbers of `count` connections from a rank on; fewer at the end.
    pub fn page(&self, from: u32, count: u32) -> Vec<u32> {
        (from..from.saturating_add(count)).map_while(|rank| self.at(rank)).collect()
    }
}
