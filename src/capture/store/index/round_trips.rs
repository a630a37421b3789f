//! The round-trip times of a connection: from a ping to its pong.

use crate::capture::store::to_usize;

/// How many round trips the median covers.
const REMEMBERED: usize = 32;

/// The round-trip times of a connection, in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoundTrips {
    /// How many pings were answered.
    pub count: u64,
    /// The shortest of all.
    pub least: u64,
    /// The latest.
    pub last: u64,
    /// The latest ones; the next one replaces that at `count` modulo their number.
    latest: Vec<u64>,
}

impl RoundTrips {
    /// Adds one.
    pub(in crate::capture) fn take(&mut self, nanos: u64) {
        self.least = if self.count == 0 { nanos } else { self.least.min(nanos) };
        self.last = nanos;
        if self.latest.len() < REMEMBERED {
            self.latest.push(nanos);
        } else {
            let oldest = to_usize(self.count % REMEMBERED as u64);
            self.latest[oldest] = nanos;
        }
        self.count += 1;
    }

    /// The median of the latest 32.
    pub fn median(&self) -> u64 {
        let mut sorted = self.latest.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_are_counted_and_the_latest_kept() {
        let mut trips = RoundTrips::default();
        (1..=40).rev().for_each(|nanos| trips.take(nanos));
        assert_eq!((trips.count, trips.least, trips.last), (40, 1, 1));
        assert_eq!(trips.median(), 17, "of 1 to 32");
        assert_eq!(RoundTrips::default().median(), 0);
    }
}
