//! The queued messages and the unsent injections, for the screen.

use std::ops::RangeInclusive;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::{Hold, HoldError};
use crate::proto::dissected::Direction;
use crate::script::Outgoing;

/// A queued message or control frame: held by a rule, or queued after a held message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its connection.
    pub connection: u32,
    /// Its direction.
    pub direction: Direction,
    /// The numbers of its first and its last record.
    pub records: [u64; 2],
    /// Whether it needs a decision; otherwise it waits only for a message before it.
    pub is_undecided: bool,
}

/// A message or frame of the user that is sent when a frame or message has ended.
#[derive(Clone, Debug)]
pub struct Injection {
    /// Its number, unique in the proxy.
    pub id: u64,
    /// The message or frame.
    pub outgoing: Outgoing,
    /// When it was added.
    pub since: Instant,
}

impl Hold {
    /// The queued messages with records in this range.
    pub fn waiting(&self, records: &RangeInclusive<u64>) -> Vec<Waiting> {
        let mut waiting = Vec::new();
        for (lane, _) in self.state().lanes() {
            let Some(connection) = lane.connection() else { continue };
            let is_in_view = |of: &[u64; 2]| of[0] <= *records.end() && *records.start() <= of[1];
            waiting.extend(lane.queue().items().filter_map(|item| {
                let is_undecided = item.verdict.is_none();
                let records = item.records.filter(is_in_view)?;
                Some(Waiting { connection, direction: lane.direction(), records, is_undecided })
            }));
        }
        waiting
    }

    /// Calls `row` for each unsent injection, with its connection and direction, and returns the results.
    pub fn injections<T>(&self, row: impl Fn(&Injection, u32, Direction) -> T) -> Vec<T> {
        let mut rows = Vec::new();
        for (lane, _) in self.state().lanes() {
            let Some(connection) = lane.connection() else { continue };
            rows.extend(lane.queue().injections().map(|injection| row(injection, connection, lane.direction())));
        }
        rows
    }

    /// How many injections were sent so far.
    pub fn injected(&self) -> u64 {
        self.injected.load(Ordering::SeqCst)
    }

    /// Withdraws an unsent injection.
    ///
    /// # Errors
    /// [`HoldError::Sent`].
    pub fn withdraw(&self, id: u64) -> Result<(), HoldError> {
        let lanes = self.state().lanes();
        let is_known = lanes.iter().any(|(lane, _)| lane.queue().withdraw(id));
        self.report_change();
        if is_known { Ok(()) } else { Err(HoldError::Sent) }
    }
}
