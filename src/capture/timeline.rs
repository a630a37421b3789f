//! What moved when: the records of a connection in equal spans of time, at a cost that does not grow with their number.
//!
//! The records of one connection rise in time, those of a capture need not; so spans are looked up connection by connection.

use std::ops::Range;

use super::index::{ConnectionEntry, Index};
use super::overview::ordinal_at;
use super::store::Capture;
use crate::proto::dissected::{Direction, Kind};
use crate::proto::rules::Severity;
use crate::proto::time::Time;
use crate::wire::opcode::Opcode;

/// How many records of a span are looked at; of more a part stands for the rest.
const SAMPLES: u32 = 8;

/// How many findings of a span are looked at.
const FINDINGS: usize = 16;

/// How many records are passed over in search of one that goes the right way.
const REACH: u32 = 4096;

/// What moved in one direction of a connection in a span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bin {
    /// What it was: of several the most telling.
    pub sort: Sort,
    /// Bytes on the wire; where there were many records, about so many.
    pub bytes: u64,
    /// The worst of what they break.
    pub severity: Option<Severity>,
}

/// What moved, the more telling the later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// Nothing, and the connection was not there.
    #[default]
    Absent,
    /// Nothing, while the connection was there.
    Quiet,
    /// Ping or pong.
    Control,
    /// Text or binary, or what belongs to it.
    Data,
    /// Bytes that are no frame, are missing or cut short.
    Odd,
    /// HTTP.
    Http,
    /// The end of the direction.
    End,
    /// Close.
    Close,
}

/// Both directions of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lanes {
    /// Its number.
    pub connection: u32,
    /// What moved to the server, and to the client: a bin for each span.
    pub bins: [Vec<Bin>; 2],
}

/// Equal spans of time, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spans {
    /// Where the first begins.
    pub from: Time,
    /// How long each is, in nanoseconds: at least 1.
    pub each: u64,
    /// How many.
    pub count: usize,
}

impl Spans {
    /// Where a span begins; the one behind the last is where the last ends.
    pub const fn start(&self, span: usize) -> Time {
        Time(self.from.0.saturating_add(self.each.saturating_mul(span as u64)))
    }

    /// The span that a time falls into.
    pub fn at(&self, time: Time) -> Option<usize> {
        let span = time.0.checked_sub(self.from.0)? / self.each.max(1);
        usize::try_from(span).ok().filter(|span| *span < self.count)
    }
}

impl Capture {
    /// When the capture's first connection began, and when the latest record of any was complete.
    pub fn span(&self) -> Option<(Time, Time)> {
        self.index().span
    }

    /// What moved in those connections, in those spans.
    pub fn lanes(&self, connections: Range<u32>, spans: Spans) -> Vec<Lanes> {
        let index = self.index();
        connections
            .map_while(|connection| {
                let entry = index.connection(connection)?;
                Some(Lanes { connection, bins: lanes_of(&index, entry, spans) })
            })
            .collect()
    }

    /// The first record of one direction of a connection at a time or later; or the last one before it.
    pub fn in_lane(&self, connection: u32, direction: Direction, time: Time, later: bool) -> Option<u64> {
        let index = self.index();
        let entry = index.connection(connection)?;
        let at = ordinal_at(&index, entry, time, 0);
        let goes = |ordinal: &u32| {
            let no = entry.number_of(*ordinal);
            no.and_then(|no| index.record(no)).is_some_and(|record| record.direction == direction)
        };
        let found = if later {
            (at..entry.records).take(REACH as usize).find(goes)
        } else {
            (0..at).rev().take(REACH as usize).find(goes)
        };
        entry.number_of(found?)
    }
}

fn lanes_of(index: &Index, entry: &ConnectionEntry, spans: Spans) -> [Vec<Bin>; 2] {
    let mut bins = [vec![Bin::default(); spans.count], vec![Bin::default(); spans.count]];
    let mut from = ordinal_at(index, entry, spans.from, 0);
    for span in 0..spans.count {
        let (start, end) = (spans.start(span), spans.start(span + 1));
        if end.0 <= entry.first.0 {
            continue;
        }
        if start > entry.last {
            break;
        }
        bins.iter_mut().for_each(|bins| bins[span].sort = Sort::Quiet);
        let to = ordinal_at(index, entry, end, from);
        if to > from {
            take(index, entry, from..to, |direction, sort, bytes| {
                let bin = &mut bins[direction.index()][span];
                bin.sort = bin.sort.max(sort);
                bin.bytes += bytes;
            });
            if entry.findings.iter().any(|count| *count > 0) {
                judge(index, entry, from..to, |direction, severity| {
                    let bin = &mut bins[direction.index()][span];
                    bin.severity = bin.severity.max(Some(severity));
                });
            }
        }
        from = to;
    }
    bins
}

/// Looks at the records of a span, or at some that stand for the others.
fn take(index: &Index, entry: &ConnectionEntry, ordinals: Range<u32>, mut into: impl FnMut(Direction, Sort, u64)) {
    let count = ordinals.end - ordinals.start;
    let samples = count.min(SAMPLES);
    for sample in 0..samples {
        // The first and the last are among them.
        let step = u64::from(sample) * u64::from(count - 1) / u64::from((samples - 1).max(1));
        let no = entry.number_of(ordinals.start + step as u32);
        let Some(record) = no.and_then(|no| index.record(no)) else { continue };
        let sort = match record.kind {
            Kind::Request | Kind::Response => Sort::Http,
            Kind::End(_) => Sort::End,
            Kind::Gap | Kind::Junk | Kind::CutHttp | Kind::CutFrame => Sort::Odd,
            Kind::Frame => match record.opcode() {
                Some(Opcode::Close) => Sort::Close,
                Some(opcode) if opcode.is_control() => Sort::Control,
                _ => Sort::Data,
            },
        };
        into(record.direction, sort, record.wire_len.saturating_mul(u64::from(count)) / u64::from(samples));
    }
}

/// Looks at the findings of a span.
fn judge(index: &Index, entry: &ConnectionEntry, ordinals: Range<u32>, mut into: impl FnMut(Direction, Severity)) {
    let (Some(first), Some(last)) = (entry.number_of(ordinals.start), entry.number_of(ordinals.end - 1)) else {
        return;
    };
    let all = index.findings();
    let start = all.partition_point(|(no, _)| *no < first);
    for (no, finding) in all[start..].iter().take(FINDINGS).take_while(|(no, _)| *no <= last) {
        let own = entry.number_of(entry.ordinal_from(*no)) == Some(*no);
        if own && let Some(record) = index.record(*no) {
            into(record.direction, finding.rule.severity());
        }
    }
}
