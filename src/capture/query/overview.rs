//! Overviews of connections: facts that are kept for each connection, so that its records need not be read.

use crate::capture::store::index::{ConnectionEntry, Index, RoundTrips};
use crate::capture::store::{Capture, ConnectionInfo};
use crate::proto::dissected::{Direction, EndReason};
use crate::proto::time::Time;

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionEnding {
    /// It has not ended.
    Open,
    /// One side sent a Close, and the other may have answered. A code is 0 if the Close had none.
    Close {
        /// The side that sent the first Close.
        by: Direction,
        /// The code of the first Close.
        code: u16,
        /// The code of the other side's Close, if it sent one.
        answer: Option<u16>,
    },
    /// A TCP connection that ended without a Close.
    Without {
        /// The side that ended first, or alone.
        by: Direction,
        /// With FIN or RST.
        how: EndReason,
    },
    /// The capture ends before the connection does.
    Capture,
}

/// The overviews of the connections with these numbers that exist. Each has the number of records in each of `bins` equal parts of
/// the connection's time.
pub fn overviews(capture: &Capture, numbers: &[u32], bins: usize) -> Vec<Overview> {
    let index = capture.index();
    numbers.iter().filter_map(|number| Overview::of(&index, *number, bins)).collect()
}

/// An overview of a connection.
#[derive(Clone, Debug, PartialEq)]
pub struct Overview {
    /// Its addresses, times, handshake and sizes.
    pub info: ConnectionInfo,
    /// The number of its first record; `None` while it has none.
    pub first_record: Option<u64>,
    /// Findings by severity: info, warning, error.
    pub findings: [u32; 3],
    /// How it ended.
    pub ending: ConnectionEnding,
    /// The number of the first Close in each direction.
    pub closes: [Option<u64>; 2],
    /// The round-trip times of its pongs.
    pub trips: Option<RoundTrips>,
    /// The number of records in each equal part of its time.
    pub rate: Vec<u32>,
}

impl Overview {
    pub(in crate::capture) fn of(index: &Index, number: u32, bins: usize) -> Option<Self> {
        let entry = index.connection(number)?;
        Some(Self {
            info: ConnectionInfo::of(entry, number),
            first_record: entry.number_of(entry.first_kept),
            findings: entry.findings,
            ending: ending(entry),
            closes: entry.closes.map(|close| close.map(|(no, _)| no).filter(|no| *no >= index.totals.first)),
            trips: entry.trips.as_deref().cloned(),
            rate: rate(index, entry, bins),
        })
    }

    /// Its duration so far in nanoseconds.
    pub fn duration(&self) -> u64 {
        self.info.last.0.saturating_sub(self.info.first.0)
    }
}

/// How the connection ended. A Close takes precedence over the FIN that follows it.
fn ending(entry: &ConnectionEntry) -> ConnectionEnding {
    let code = |direction: Direction| entry.closes[direction.index()].map(|(_, code)| code);
    if let Some((by, code_sent)) = entry.closed_first.and_then(|by| Some((by, code(by)?))) {
        return ConnectionEnding::Close { by, code: code_sent, answer: code(by.opposite()) };
    }
    let both = entry.ended_first.into_iter().chain(Direction::BOTH);
    let how = |wanted: EndReason| both.clone().find(|direction| entry.ended[direction.index()] == Some(wanted));
    match (how(EndReason::Rst), how(EndReason::Fin), how(EndReason::Capture)) {
        (Some(by), ..) => ConnectionEnding::Without { by, how: EndReason::Rst },
        (None, Some(by), _) => ConnectionEnding::Without { by, how: EndReason::Fin },
        (None, None, Some(_)) => ConnectionEnding::Capture,
        (None, None, None) => ConnectionEnding::Open,
    }
}

/// The number of records in each of `bins` equal parts of a connection's time. Requires that the times of its records ascend.
fn rate(index: &Index, entry: &ConnectionEntry, bins: usize) -> Vec<u32> {
    let (first, last) = (entry.first.0, entry.last.0);
    let span = last.saturating_sub(first);
    let mut from = entry.first_kept;
    let mut counts = Vec::with_capacity(bins);
    for bin in 1..=bins {
        let end = first.saturating_add(u64::try_from(u128::from(span) * bin as u128 / bins as u128).unwrap_or(span));
        let to = if bin == bins { entry.records } else { ordinal_at(index, entry, Time(end), from) };
        counts.push(to - from);
        from = to;
    }
    counts
}

/// The ordinal of the first record of a connection at `time` or later, from ordinal `from` on.
pub(in crate::capture) fn ordinal_at(index: &Index, entry: &ConnectionEntry, time: Time, from: u32) -> u32 {
    let (mut low, mut high) = (from, entry.records);
    while low < high {
        let middle = low + (high - low) / 2;
        let before = entry.number_of(middle).and_then(|no| index.time(no)).is_some_and(|at| at < time);
        if before {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
