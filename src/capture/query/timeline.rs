//! The timeline: activity of connections in equal spans of time, at a cost that does not grow with the number of records.
//!
//! Times ascend within a connection, but not always within a capture, so spans are looked up connection by connection.

use std::ops::Range;

use super::overview::ordinal_at;
use crate::capture::store::Capture;
use crate::capture::store::index::{ConnectionEntry, Index};
use crate::capture::store::record::Record;
use crate::proto::dissected::{Direction, Kind};
use crate::proto::rules::Severity;
use crate::proto::time::Time;
use crate::wire::opcode::Opcode;

/// Records of a span that are read. If it has more, these are samples.
const SAMPLES: u32 = 8;

/// Records at each end of a connection that are always read.
const LANDMARKS: u32 = 4;

/// Findings of a span that are read.
const FINDINGS: usize = 16;

/// Records that are searched for one of the wanted direction.
const REACH: u32 = 4096;

/// Activity in one direction of a connection in one span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bin {
    /// The kind of activity; of several kinds the most significant.
    pub kind: ActivityKind,
    /// Bytes on the wire; estimated from samples if the span has many records.
    pub bytes: u64,
    /// The worst severity of its findings.
    pub severity: Option<Severity>,
    /// Whether a ping and its pong are in this span, one in each direction.
    pub answered: bool,
}

/// Kinds of activity, in ascending order of significance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ActivityKind {
    /// No connection yet, or the direction has ended.
    #[default]
    Absent,
    /// A connection without records.
    Quiet,
    /// The other side waits for an answer.
    Waiting,
    /// The same; the request, ping or Close was sent in this span.
    Asked,
    /// The end of the direction.
    End,
    /// Ping or pong.
    Control,
    /// A text, binary or continuation frame, or one with a reserved opcode.
    Data,
    /// A gap, unrecognized bytes, or a truncated frame or head.
    Odd,
    /// HTTP.
    Http,
    /// Close.
    Close,
}

impl ActivityKind {
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
    /// The number of the connection.
    pub connection: u32,
    /// Activity from client to server, and from server to client: a bin for each span.
    pub bins: [Vec<Bin>; 2],
}

/// Consecutive spans of time of equal length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spans {
    /// The start of the first span.
    pub from: Time,
    /// The length of each span in nanoseconds: at least 1.
    pub each: u64,
    /// The number of spans.
    pub count: usize,
}

impl Spans {
    /// The start of a span. With `count` it is the end of the last span.
    pub const fn start(&self, span: usize) -> Time {
        Time(self.from.0.saturating_add(self.each.saturating_mul(span as u64)))
    }

    /// The span that contains a time.
    pub fn at(&self, time: Time) -> Option<usize> {
        let span = time.0.checked_sub(self.from.0)? / self.each.max(1);
        usize::try_from(span).ok().filter(|span| *span < self.count)
    }
}

impl Capture {
    /// The time when the first connection began, and the time of the latest record.
    pub fn span(&self) -> Option<(Time, Time)> {
        self.index().span
    }

    /// The activity of these connections in these spans. Connections that do not exist are left out.
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

    /// The number of the first record of one direction of a connection at `time` or later; unless `later`, of the last one before
    /// `time`.
    pub fn in_lane(&self, connection: u32, direction: Direction, time: Time, later: bool) -> Option<u64> {
        let index = self.index();
        let entry = index.connection(connection)?;
        let at = ordinal_at(&index, entry, time, entry.first_kept);
        let is_in_lane = |ordinal: &u32| {
            let no = entry.number_of(*ordinal);
            no.and_then(|no| index.record(no)).is_some_and(|record| record.direction == direction)
        };
        let found = if later {
            (at..entry.records).take(REACH as usize).find(is_in_lane)
        } else {
            (entry.first_kept..at).rev().take(REACH as usize).find(is_in_lane)
        };
        entry.number_of(found?)
    }
}

fn lanes_of(index: &Index, entry: &ConnectionEntry, spans: Spans) -> [Vec<Bin>; 2] {
    let mut bins = [vec![Bin::default(); spans.count], vec![Bin::default(); spans.count]];
    let ends = ends(index, entry);
    let mut answers = Vec::new();
    let mut from = ordinal_at(index, entry, spans.from, entry.first_kept);
    for span in 0..spans.count {
        let (start, end) = (spans.start(span), spans.start(span + 1));
        if end.0 <= entry.first.0 {
            continue;
        }
        if start > entry.last {
            break;
        }
        for (bins, ended) in bins.iter_mut().zip(ends) {
            if ended.is_none_or(|ended| start <= ended) {
                bins[span].kind = ActivityKind::Quiet;
            }
        }
        let to = ordinal_at(index, entry, end, from);
        if to > from {
            sample(index, entry, from..to, |record, bytes| {
                answers.extend(record.answers.map(|asked| (record.direction, asked, record.time)));
                if let Some(bin) = bin_of(&mut bins, spans, record) {
                    bin.kind = bin.kind.max(ActivityKind::of(record));
                    bin.bytes = bin.bytes.saturating_add(bytes);
                }
            });
            if entry.findings.iter().any(|count| *count > 0) {
                each_finding(index, entry, from..to, |record, severity| {
                    if let Some(bin) = bin_of(&mut bins, spans, record) {
                        bin.severity = bin.severity.max(Some(severity));
                    }
                });
            }
        }
        from = to;
    }
    for record in landmarks(index, entry) {
        if let Some(bin) = bin_of(&mut bins, spans, &record) {
            bin.kind = bin.kind.max(ActivityKind::of(&record));
        }
        answers.extend(record.answers.map(|asked| (record.direction, asked, record.time)));
    }
    // An end in the span of a more significant record is shown in the next span.
    for (lane, ended) in bins.iter_mut().zip(ends) {
        let Some(span) = ended.and_then(|ended| spans.at(ended)) else { continue };
        let is_hidden = lane[span].kind > ActivityKind::End;
        if let Some(next) = lane.get_mut(span + 1).filter(|next| is_hidden && next.kind == ActivityKind::Absent) {
            next.kind = ActivityKind::End;
        }
    }
    for (direction, asked, answered) in answers {
        if let Some(asked) = index.time(asked) {
            join(&mut bins, direction, spans, asked, answered);
        }
    }
    bins
}

/// Marks the quiet spans between a request and its answer, in the lane of the answer; or the one span of both, in both lanes.
fn join(lanes: &mut [Vec<Bin>; 2], direction: Direction, spans: Spans, asked: Time, answered: Time) {
    let first = spans.at(asked);
    if let Some(span) = first.filter(|first| spans.at(answered) == Some(*first)) {
        let is_frame = |bin: &Bin| matches!(bin.kind, ActivityKind::Control | ActivityKind::Data);
        let both = lanes.iter().all(|lane| lane.get(span).is_some_and(is_frame));
        for bin in lanes.iter_mut().filter_map(|lane| lane.get_mut(span)) {
            bin.answered |= both;
        }
        return;
    }
    let bins = &mut lanes[direction.index()];
    let from = first.unwrap_or(if asked < spans.from { 0 } else { spans.count });
    let to = spans.at(answered).unwrap_or(if answered < spans.from { 0 } else { spans.count });
    for (span, bin) in bins.iter_mut().enumerate().take(to).skip(from) {
        if bin.kind <= ActivityKind::Waiting {
            bin.kind = if first == Some(span) { ActivityKind::Asked } else { ActivityKind::Waiting };
        }
    }
}

/// When each direction ended, if it did.
fn ends(index: &Index, entry: &ConnectionEntry) -> [Option<Time>; 2] {
    let mut ends = [None; 2];
    let wanted = entry.ended.iter().filter(|ended| ended.is_some()).count();
    for no in
        (entry.first_kept..entry.records).rev().take(REACH as usize).filter_map(|ordinal| entry.number_of(ordinal))
    {
        if ends.iter().filter(|end| end.is_some()).count() == wanted {
            break;
        }
        if let Some(record) = index.record(no).filter(|record| matches!(record.kind, Kind::End(_))) {
            ends[record.direction.index()] = Some(record.time);
        }
    }
    ends
}

/// The bin of a record. A truncated frame is recorded when its connection ends, with the time of its last byte.
fn bin_of<'b>(bins: &'b mut [Vec<Bin>; 2], spans: Spans, record: &Record) -> Option<&'b mut Bin> {
    bins[record.direction.index()].get_mut(spans.at(record.time)?)
}

/// The records that samples must not miss: the beginning and the end of a connection, and its Closes.
fn landmarks(index: &Index, entry: &ConnectionEntry) -> impl Iterator<Item = Record> {
    let first = entry.first_kept + LANDMARKS;
    let last = entry.records.saturating_sub(LANDMARKS).max(first);
    let edges = (entry.first_kept..first).chain(last..entry.records).filter_map(|ordinal| entry.number_of(ordinal));
    let closes = entry.closes.iter().flatten().map(|(no, _)| *no);
    edges.chain(closes).filter_map(|no| index.record(no))
}

/// Visits the records of a span, or samples of them, each with the number of bytes that it represents.
fn sample(index: &Index, entry: &ConnectionEntry, ordinals: Range<u32>, mut into: impl FnMut(&Record, u64)) {
    let count = ordinals.end - ordinals.start;
    let samples = count.min(SAMPLES);
    for sample in 0..samples {
        // The samples include the first and the last record.
        let step = u64::from(sample) * u64::from(count - 1) / u64::from((samples - 1).max(1));
        let ordinal = ordinals.start + u32::try_from(step).unwrap_or(u32::MAX);
        let no = entry.number_of(ordinal);
        let Some(record) = no.and_then(|no| index.record(no)) else { continue };
        into(&record, record.wire_len.saturating_mul(u64::from(count)) / u64::from(samples));
    }
}

/// Visits the findings of a span.
fn each_finding(index: &Index, entry: &ConnectionEntry, ordinals: Range<u32>, mut into: impl FnMut(&Record, Severity)) {
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
    use crate::proto::dissected::EndReason;

    /// Records a connection: the server sends `hi` 10,000 times, once per microsecond, and the client a ping in the middle.
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
    fn lanes_show_activity_from_samples() {
        let folder = tempfile::tempdir().expect("a folder");
        let recorder = busy(folder.path());
        let capture = recorder.capture();
        assert_eq!(capture.span(), Some((Time(0), Time(9_999_000))));
        let spans = Spans { from: Time(0), each: 1_000_000, count: 12 };
        let [lanes] = capture.lanes(&[1], spans).try_into().expect("one connection");
        let [up, down] = &lanes.bins;
        let kinds: Vec<ActivityKind> = down.iter().map(|bin| bin.kind).collect();
        assert_eq!(kinds[0], ActivityKind::Http);
        assert!(kinds[1..9].iter().all(|kind| *kind == ActivityKind::Data), "{kinds:?}");
        // The end is shown after the data of its span.
        assert_eq!(kinds[9..], [ActivityKind::Data, ActivityKind::End, ActivityKind::Absent]);
        assert!(down[3].bytes.abs_diff(4_000) <= 4, "{}", down[3].bytes);
        assert_eq!(up[1].kind, ActivityKind::Quiet);
        // Short spans need no samples.
        let spans = Spans { from: Time(4_999_000), each: 1_000, count: 3 };
        let lanes = capture.lanes(&[1], spans);
        assert_eq!(
            lanes[0].bins[0].iter().map(|bin| bin.kind).collect::<Vec<_>>(),
            [ActivityKind::Quiet, ActivityKind::Control, ActivityKind::Quiet]
        );
        assert_eq!(lanes[0].bins[1].iter().map(|bin| bin.bytes).collect::<Vec<_>>(), [4, 4, 4]);
    }

    #[test]
    fn records_of_a_lane_are_found_by_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let recorder = busy(folder.path());
        let find = |direction, time, later| recorder.capture().in_lane(1, direction, Time(time), later);
        assert_eq!(find(Direction::ServerToClient, 1_500, true), Some(4));
        assert_eq!(find(Direction::ServerToClient, 1_500, false), Some(3));
        assert_eq!(find(Direction::ClientToServer, 4_000_000, true), Some(5_003));
        assert_eq!(find(Direction::ClientToServer, 4_000_000, false), Some(1));
        assert_eq!(find(Direction::ClientToServer, 6_000_000, true), Some(10_003), "its end");
    }

    #[test]
    fn a_lane_ends_with_its_direction_and_answers_are_joined_to_what_they_answer() {
        let folder = tempfile::tempdir().expect("a folder");
        let recorder = Recorder::new(Spool::temporary_in(folder.path()).expect("a spool"));
        let address = "127.0.0.1:1".parse().expect("an address");
        let connection = recorder.connection(address, address);
        let say = |direction, time, bytes: &[u8]| connection.record(&[Chunk { direction, time: Time(time), bytes }]);
        say(Direction::ClientToServer, 0, b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n");
        say(Direction::ServerToClient, 2_000, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");
        say(Direction::ServerToClient, 3_000, b"\x89\x00");
        say(Direction::ClientToServer, 6_000, b"\x8a\x80\x01\x02\x03\x04");
        connection.end(Direction::ClientToServer, EndReason::Fin, Time(7_000));
        say(Direction::ServerToClient, 9_000, b"\x81\x02hi");
        let spans = Spans { from: Time(0), each: 1_000, count: 11 };
        let [lanes] = recorder.capture().lanes(&[1], spans).try_into().expect("one connection");
        let [up, down] = lanes.bins.map(|bins| bins.iter().map(|bin| bin.kind).collect::<Vec<_>>());
        use ActivityKind::{Absent, Asked, Control, Data, End, Http, Quiet, Waiting};
        assert_eq!(up, [Http, Quiet, Quiet, Asked, Waiting, Waiting, Control, End, Absent, Absent, Absent]);
        assert_eq!(down, [Asked, Waiting, Http, Control, Quiet, Quiet, Quiet, Quiet, Quiet, Data, Absent]);
    }
}
