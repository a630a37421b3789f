//! Connections at a glance: how each went, without going through its records.

use crate::capture::store::index::{ConnectionEntry, Index, RoundTrips};
use crate::capture::store::{Capture, ConnectionInfo};
use crate::proto::dissected::{Direction, EndReason};
use crate::proto::time::Time;

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It has not.
    Open,
    /// That side sent the first Close, with that code; 0 where it had none. The other side answered with that.
    Close {
        /// Who began.
        by: Direction,
        /// Its code.
        code: u16,
        /// The other side's.
        answer: Option<u16>,
    },
    /// That side ended without a Close.
    Without {
        /// Who ended first, or alone.
        by: Direction,
        /// How.
        how: EndReason,
    },
    /// The capture stops before it ends.
    Capture,
}

/// How the connections with those numbers went, those of them that exist, each with how many records it had in each of `bins`
/// equal parts of its time.
pub fn overviews(capture: &Capture, numbers: &[u32], bins: usize) -> Vec<Overview> {
    let index = capture.index();
    numbers.iter().filter_map(|number| Overview::of(&index, *number, bins)).collect()
}

/// A connection at a glance.
#[derive(Clone, Debug, PartialEq)]
pub struct Overview {
    /// What is known of it.
    pub info: ConnectionInfo,
    /// Its first record; `None` while there is none.
    pub first_record: Option<u64>,
    /// Findings by severity: info, warning, error.
    pub findings: [u32; 3],
    /// How it ended.
    pub ending: Ending,
    /// The first Close of each direction: its record.
    pub closes: [Option<u64>; 2],
    /// How long its pongs took.
    pub trips: Option<RoundTrips>,
    /// How many records it had in equal parts of its time.
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

    /// How long it lasted, or has lasted so far, in nanoseconds.
    pub fn duration(&self) -> u64 {
        self.info.last.0.saturating_sub(self.info.first.0)
    }
}

/// Who closed. A Close says more than the FIN behind it.
fn ending(entry: &ConnectionEntry) -> Ending {
    let code = |direction: Direction| entry.closes[direction.index()].map(|(_, code)| code);
    if let Some((by, code_sent)) = entry.closed_first.and_then(|by| Some((by, code(by)?))) {
        return Ending::Close { by, code: code_sent, answer: code(by.opposite()) };
    }
    let both = entry.ended_first.into_iter().chain(Direction::BOTH);
    let how = |wanted: EndReason| both.clone().find(|direction| entry.ended[direction.index()] == Some(wanted));
    match (how(EndReason::Rst), how(EndReason::Fin), how(EndReason::Capture)) {
        (Some(by), ..) => Ending::Without { by, how: EndReason::Rst },
        (None, Some(by), _) => Ending::Without { by, how: EndReason::Fin },
        (None, None, Some(_)) => Ending::Capture,
        (None, None, None) => Ending::Open,
    }
}

/// How many records fall into each of so many equal parts of a connection's time. Times of one connection rise with its records.
fn rate(index: &Index, entry: &ConnectionEntry, bins: usize) -> Vec<u32> {
    let (first, last) = (entry.first.0, entry.last.0);
    let span = last.saturating_sub(first);
    let mut from = entry.first_kept;
    let mut counts = Vec::with_capacity(bins);
    for bin in 1..=bins {
        let end = first.saturating_add((u128::from(span) * bin as u128 / bins as u128) as u64);
        let to = if bin == bins { entry.records } else { ordinal_at(index, entry, Time(end), from) };
        counts.push(to - from);
        from = to;
    }
    counts
}

/// The ordinal of the first record of a connection, from `from` on, that is not before a time.
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
