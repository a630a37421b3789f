//! What moved when: the records of a connection in equal spans of time, at a cost that does not grow with their number.
//!
//! The records of one connection rise in time, those of a capture need not; so spans are looked up connection by connection.

use std::ops::Range;

use super::overview::ordinal_at;
use crate::capture::store::Capture;
use crate::capture::store::index::{ConnectionEntry, Index};
use crate::capture::store::record::Record;
use crate::proto::dissected::{Direction, Kind};
use crate::proto::rules::Severity;
use crate::proto::time::Time;
use crate::wire::opcode::Opcode;

/// How many records of a span are looked at; of more a part stands for the rest.
const SAMPLES: u32 = 8;

/// How many records at each end of a connection are looked at whatever their span.
const LANDMARKS: u32 = 4;

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

impl Sort {
    fn of(record: &Record) -> Self {
        match record.kind {
            Kind::Request | Kind::Response => Self::Http,
            Kind::End(_) => Self::End,
            Kind::Gap | Kind::Junk | Kind::CutHttp | Kind::CutFrame => Self::Odd,
            Kind::Frame => match record.opcode() {
                Some(Opcode::Close) => Self::Close,
                Some(opcode) if opcode.is_control() => Self::Control,
                _ => Self::Data,
            },
        }
    }
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

    /// What moved in those connections, those of them that are there, in those spans.
    pub fn lanes(&self, connections: &[u32], spans: Spans) -> Vec<Lanes> {
        let index = self.index();
        connections
            .iter()
            .filter_map(|&connection| {
                let entry = index.connection(connection)?;
                Some(Lanes { connection, bins: lanes_of(&index, entry, spans) })
            })
            .collect()
    }

    /// The first record of one direction of a connection at a time or later; or the last one before it.
    pub fn in_lane(&self, connection: u32, direction: Direction, time: Time, later: bool) -> Option<u64> {
        let index = self.index();
        let entry = index.connection(connection)?;
        let at = ordinal_at(&index, entry, time, entry.first_kept);
        let goes = |ordinal: &u32| {
            let no = entry.number_of(*ordinal);
            no.and_then(|no| index.record(no)).is_some_and(|record| record.direction == direction)
        };
        let found = if later {
            (at..entry.records).take(REACH as usize).find(goes)
        } else {
            (entry.first_kept..at).rev().take(REACH as usize).find(goes)
        };
        entry.number_of(found?)
    }
}

fn lanes_of(index: &Index, entry: &ConnectionEntry, spans: Spans) -> [Vec<Bin>; 2] {
    let mut bins = [vec![Bin::default(); spans.count], vec![Bin::default(); spans.count]];
    let mut from = ordinal_at(index, entry, spans.from, entry.first_kept);
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
            take(index, entry, from..to, |record, bytes| {
                // What was cut short is told at the end, and has the time of its last byte: its place is there.
                let Some(span) = spans.at(record.time) else { return };
                let bin = &mut bins[record.direction.index()][span];
                bin.sort = bin.sort.max(Sort::of(record));
                bin.bytes += bytes;
            });
            if entry.findings.iter().any(|count| *count > 0) {
                judge(index, entry, from..to, |record, severity| {
                    let Some(span) = spans.at(record.time) else { return };
                    let bin = &mut bins[record.direction.index()][span];
                    bin.severity = bin.severity.max(Some(severity));
                });
            }
        }
        from = to;
    }
    landmarks(index, entry, |record, sort| {
        if let Some(span) = spans.at(record.time) {
            let bin = &mut bins[record.direction.index()][span];
            bin.sort = bin.sort.max(sort);
        }
    });
    bins
}

/// What must not go under among many: how the connection begins and ends, and its Closes.
fn landmarks(index: &Index, entry: &ConnectionEntry, mut into: impl FnMut(&Record, Sort)) {
    let first = entry.first_kept + LANDMARKS;
    let last = entry.records.saturating_sub(LANDMARKS).max(first);
    let edges = (entry.first_kept..first).chain(last..entry.records).filter_map(|ordinal| entry.number_of(ordinal));
    let closes = entry.closes.iter().flatten().map(|(no, _)| *no);
    for record in edges.chain(closes).filter_map(|no| index.record(no)) {
        into(&record, Sort::of(&record));
    }
}

/// Looks at the records of a span, or at some that stand for the others.
fn take(index: &Index, entry: &ConnectionEntry, ordinals: Range<u32>, mut into: impl FnMut(&Record, u64)) {
    let count = ordinals.end - ordinals.start;
    let samples = count.min(SAMPLES);
    for sample in 0..samples {
        // The first and the last are among them.
        let step = u64::from(sample) * u64::from(count - 1) / u64::from((samples - 1).max(1));
        let no = entry.number_of(ordinals.start + step as u32);
        let Some(record) = no.and_then(|no| index.record(no)) else { continue };
        into(&record, record.wire_len.saturating_mul(u64::from(count)) / u64::from(samples));
    }
}

/// Looks at the findings of a span.
fn judge(index: &Index, entry: &ConnectionEntry, ordinals: Range<u32>, mut into: impl FnMut(&Record, Severity)) {
    let (Some(first), Some(last)) = (entry.number_of(ordinals.start), entry.number_of(ordinals.end - 1)) else {
        return;
    };
    let all = index.findings();
    let start = all.partition_point(|(no, _)| *no < first);
    for (no, finding) in all[start..].iter().take(FINDINGS).take_while(|(no, _)| *no <= last) {
        let own = entry.number_of(entry.ordinal_from(*no)) == Some(*no);
        if own && let Some(record) = index.record(*no) {
            into(&record, finding.rule.severity());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::live::recorder::{Chunk, Recorder};
    use crate::capture::live::spool::Spool;

    /// A connection whose server says `hi` once a microsecond, 10,000 times, and is asked by a ping in the middle.
    fn busy(folder: &std::path::Path) -> Recorder {
        let recorder = Recorder::new(Spool::temporary_in(folder).expect("a spool"));
        let address = "127.0.0.1:1".parse().expect("an address");
        let connection = recorder.connection(address, address);
        let say = |direction, time, bytes: &[u8]| connection.record(&[Chunk { direction, time: Time(time), bytes }]);
        say(Direction::ClientToServer, 0, b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n");
        say(Direction::ServerToClient, 0, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");
        for n in 1..10_000 {
            say(Direction::ServerToClient, n * 1_000, b"\x81\x02hi");
            if n == 5_000 {
                say(Direction::ClientToServer, n * 1_000, b"\x89\x80\x01\x02\x03\x04");
            }
        }
        recorder
    }

    #[test]
    fn lanes_tell_what_moved_when_from_a_few_records_of_many() {
        let folder = tempfile::tempdir().expect("a folder");
        let recorder = busy(folder.path());
        let capture = recorder.capture();
        assert_eq!(capture.span(), Some((Time(0), Time(9_999_000))));
        let spans = Spans { from: Time(0), each: 1_000_000, count: 12 };
        let [lanes] = capture.lanes(&[1], spans).try_into().expect("one connection");
        let [up, down] = &lanes.bins;
        let sorts: Vec<Sort> = down.iter().map(|bin| bin.sort).collect();
        assert_eq!(sorts[0], Sort::Http);
        assert!(sorts[1..9].iter().all(|sort| *sort == Sort::Data), "{sorts:?}");
        assert_eq!(sorts[9], Sort::End);
        assert_eq!(sorts[10..], [Sort::Absent; 2]);
        assert!(down[3].bytes.abs_diff(4_000) <= 4, "{}", down[3].bytes);
        assert_eq!(up[1].sort, Sort::Quiet);
        // Closer, nothing is guessed.
        let spans = Spans { from: Time(4_999_000), each: 1_000, count: 3 };
        let lanes = capture.lanes(&[1], spans);
        assert_eq!(
            lanes[0].bins[0].iter().map(|bin| bin.sort).collect::<Vec<_>>(),
            [Sort::Quiet, Sort::Control, Sort::Quiet]
        );
        assert_eq!(lanes[0].bins[1].iter().map(|bin| bin.bytes).collect::<Vec<_>>(), [4, 4, 4]);
    }

    #[test]
    fn the_records_of_a_lane_are_found_by_their_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let recorder = busy(folder.path());
        let find = |direction, time, later| recorder.capture().in_lane(1, direction, Time(time), later);
        assert_eq!(find(Direction::ServerToClient, 1_500, true), Some(4));
        assert_eq!(find(Direction::ServerToClient, 1_500, false), Some(3));
        assert_eq!(find(Direction::ClientToServer, 4_000_000, true), Some(5_003));
        assert_eq!(find(Direction::ClientToServer, 4_000_000, false), Some(1));
        assert_eq!(find(Direction::ClientToServer, 6_000_000, true), Some(10_003), "its end");
    }
}
