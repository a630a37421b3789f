//! A capture as a new pcapng file: TCP is synthesized around the records, in their order, as in the live spool.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::SocketAddr;
use std::ops::ControlFlow;

use super::sink::Sink;
use super::source::{Bytes, Source};
use super::{ExportError, ExportOptions, ExportSelection};
use crate::capture::format::comments;
use crate::capture::format::file_markers::{Gap, Marker};
use crate::capture::format::pcapng::{self, MAX_SEGMENT, Segments};
use crate::capture::store::Capture;
use crate::capture::store::record::Record;
use crate::proto::dissected::{Direction, EndReason, Kind, MAX_JUNK};
use crate::proto::rules::{Finding, Rule, count};
use crate::proto::time::Time;

/// How many records of the connection after a gap are searched for the next record of the same direction.
const MAX_LOOKAHEAD: i64 = 4096;

/// The highest number of a VLAN.
const MAX_VLAN: u16 = 4094;

/// The longest note that is written, in bytes. The length of an option has 16 bits.
const MAX_NOTE: usize = 60_000;

pub(super) fn write(source: &mut Source<'_>, sink: &mut Sink<'_>) -> Result<Option<String>, ExportError> {
    pcapng::file_head(&mut sink.buffer, source.capture.reconstructed());
    let all = source.options.selection == ExportSelection::All && source.options.direction.is_none();
    let mut writer = Writer { whole: all, ..Writer::default() };
    if all {
        source.each(|bytes, record| writer.write_record(bytes, record, sink))?;
    } else {
        let (selection, handshakes) = with_handshakes(source)?;
        let asked = selection.len() as u64 - handshakes;
        let options =
            ExportOptions { selection: ExportSelection::Records(selection), direction: None, ..source.options.clone() };
        let mut selected = Source::new(source.capture, &options, source.progress);
        selected.totals = source.totals;
        selected.each(|bytes, record| writer.write_record(bytes, record, sink))?;
        source.written = selected.written;
        writer
            .notes
            .insert(0, format!("{}, as a new capture without gaps between them", selection_note(asked, handshakes)));
    }
    let mut open: Vec<(u32, Open)> = writer.connections.drain().collect();
    open.sort_by_key(|(connection, _)| *connection);
    open.iter_mut().for_each(|(_, open)| open.end(&mut sink.buffer));
    Ok((!writer.notes.is_empty()).then(|| writer.notes.join("; ")))
}

#[derive(Default)]
struct Writer {
    connections: HashMap<u32, Open>,
    /// Whether all records are exported.
    whole: bool,
    /// Numbers of the records that are written already, out of order.
    early: HashSet<u64>,
    /// How many open connections there are between client and server.
    open: HashMap<(SocketAddr, SocketAddr), u32>,
    /// How many connections were put into VLANs.
    in_vlans: u16,
    buffer: Vec<u8>,
    notes: Vec<String>,
}

struct Open {
    ends: (SocketAddr, SocketAddr),
    segments: Segments,
    /// A reset ends both directions with one packet, which follows the records of both.
    reset: Option<Reset>,
    ended: u8,
    /// Bytes of each direction, gaps included.
    written: [u64; 2],
}

/// A reset that is not written yet.
struct Reset {
    by: Direction,
    time: Time,
    /// The findings of the ends, as comments.
    comments: Vec<String>,
    /// The note on each end; empty if there is none.
    notes: Vec<String>,
}

impl Writer {
    /// Writes a record, unless it is written already.
    fn write_record(&mut self, bytes: &mut Bytes, record: &Record, sink: &mut Sink<'_>) -> Result<(), ExportError> {
        if self.early.remove(&record.no) {
            return Ok(());
        }
        for early in self.to_write_first(bytes.capture(), record) {
            self.early.insert(early.no);
            self.packets(bytes, &early, sink)?;
        }
        self.packets(bytes, record, sink)
    }

    /// The later records that a complete export writes before this one, because their bytes crossed earlier.
    fn to_write_first(&self, capture: &Capture, record: &Record) -> Vec<Record> {
        match record.kind {
            Kind::Response if self.whole => sent_before(capture, record),
            // A connection begins with bytes. Here they belong to a later record, which was not complete yet.
            Kind::End(_) if self.whole && !self.connections.contains_key(&record.connection) => {
                let mut later = later_records(capture, record);
                later.find(|later| later.wire_len > 0 && later.kind != Kind::Gap).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    fn packets(&mut self, bytes: &mut Bytes, record: &Record, sink: &mut Sink<'_>) -> Result<(), ExportError> {
        let capture = bytes.capture().clone();
        let open = match self.connections.entry(record.connection) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let Some(connection) = capture.connection(record.connection) else { return Ok(()) };
                let ends = (connection.client, connection.server);
                let mut segments = Segments::new(ends.0, ends.1, record.connection - 1);
                let others = self.open.entry(ends).or_default();
                *others += 1;
                // Virtual networks kept them apart in the capture.
                if *others > 1 {
                    if self.in_vlans == 0 {
                        pcapng::vlan_interface(&mut sink.buffer);
                    }
                    segments.in_vlan(self.in_vlans % MAX_VLAN + 1);
                    self.in_vlans = self.in_vlans.checked_add(1).unwrap_or(1);
                }
                segments.open(&mut sink.buffer, connection.first, begins_in_frames(&capture, record));
                entry.insert(Open { ends, segments, reset: None, ended: 0, written: [0; 2] })
            }
        };
        let comments = comments(&capture, record);
        let Record { direction, time, .. } = *record;
        if let Some(overlap) = record.findings.iter().find(|finding| finding.rule == Rule::SegmentOverlap) {
            open.segments.overlap(&mut sink.buffer, direction, overlap.number.unwrap_or(0), time);
        }
        let ends_before_frame = ends_before_frame(&capture, record);
        match record.kind {
            Kind::Gap => {
                let to = &mut open.written[direction.index()];
                *to += record.wire_len;
                let gap = Gap { to: Some(*to), begins: begins_after(&capture, record).then_some(*to) };
                open.segments.skip(&mut sink.buffer, direction, (record.wire_len, gap), time, &comments);
            }
            Kind::End(how) => {
                match how {
                    EndReason::Fin => open.segments.fin(&mut sink.buffer, direction, time, &comments),
                    EndReason::Rst => {
                        let new = || Reset { by: reset_by(record), time, comments: Vec::new(), notes: Vec::new() };
                        let reset = open.reset.get_or_insert_with(new);
                        reset.comments.extend(comments::comments(&record.findings));
                        reset.notes.push(note(&capture, record).unwrap_or_default());
                    }
                    EndReason::Capture => open.segments.unknown(&mut sink.buffer, direction, time, &comments),
                }
                open.ended += 1;
                if open.ended == 2 {
                    open.end(&mut sink.buffer);
                    if let Entry::Occupied(mut others) = self.open.entry(open.ends) {
                        *others.get_mut() -= 1;
                        if *others.get() == 0 {
                            others.remove();
                        }
                    }
                    self.connections.remove(&record.connection);
                }
            }
            _ => {
                // The announced bytes would become a record before the one that is written next.
                if record.kind == Kind::Junk
                    && !self.early.contains(&record.no)
                    && record.findings.iter().all(|finding| finding.rule == Rule::SegmentOverlap)
                {
                    open.segments.junk(&mut sink.buffer, direction, record.wire_len, time);
                }
                let marker = record.outstanding.then(|| Marker::Outstanding.comment());
                let comments: Vec<String> = marker.iter().cloned().chain(comments).collect();
                let mut at = 0;
                while at < record.wire_len {
                    bytes.wire(record, at, &mut self.buffer)?;
                    if self.buffer.is_empty() {
                        break;
                    }
                    at += self.buffer.len() as u64;
                    let mut segments = self.buffer.chunks(MAX_SEGMENT).peekable();
                    while let Some(segment) = segments.next() {
                        let last = at >= record.wire_len && segments.peek().is_none();
                        let comments = if last { comments.as_slice() } else { marker.as_slice() };
                        open.segments.data(&mut sink.buffer, direction, segment, time, comments);
                        open.written[direction.index()] += segment.len() as u64;
                        sink.write_if_full()?;
                    }
                }
                if ends_before_frame {
                    let at = open.written[direction.index()];
                    let begins = Gap { to: Some(at), begins: Some(at) };
                    open.segments.skip(&mut sink.buffer, direction, (0, begins), time, &[]);
                }
            }
        }
        sink.write_if_full()
    }
}

impl Open {
    /// Writes the packet of the reset, if there was one.
    fn end(&mut self, out: &mut Vec<u8>) {
        if let Some(Reset { by, time, mut comments, notes }) = self.reset.take() {
            // The last note is that of the last end, so an empty note is left out only before the first one.
            comments.extend(notes.into_iter().skip_while(String::is_empty));
            self.segments.rst(out, by, time, &comments);
        }
    }
}

/// The records of the bytes that the client sent before this response: up to the one with the finding. Their numbers are higher
/// than that of the response.
fn sent_before(capture: &Capture, response: &Record) -> Vec<Record> {
    let Some(last) = reported_early(capture, response) else { return Vec::new() };
    let later = later_records(capture, response).take_while(|later| later.no <= last);
    later.filter(|later| later.direction == Direction::ClientToServer).collect()
}

/// The number of the record that is reported as sent before this response.
fn reported_early(capture: &Capture, response: &Record) -> Option<u64> {
    let request = response.answers?;
    let mut from = response.no;
    loop {
        let no = capture.next_breach(Rule::DataBeforeResponse, from)?;
        let record = capture.record(no)?;
        let about = |f: &Finding| f.rule == Rule::DataBeforeResponse && f.about == Some(request);
        if record.connection == response.connection {
            return record.findings.iter().any(about).then_some(no);
        }
        from = no + 1;
    }
}

/// The records of the same connection after this one.
fn later_records<'a>(capture: &'a Capture, record: &'a Record) -> impl Iterator<Item = Record> + 'a {
    (1..).map_while(|steps| capture.record(capture.neighbour(record.connection, record.no, steps)?))
}

/// Returns true if a frame follows bytes that are no frame, or a frame that could be text. Only the frame shows where they end; in
/// the file, records of other connections may come between.
fn ends_before_frame(capture: &Capture, record: &Record) -> bool {
    let named = |record: &Record| record.findings.iter().any(|finding| finding.rule.is_foreign_bytes());
    let undecided = match record.kind {
        Kind::Junk => named(record) || record.wire_len < MAX_JUNK && continues_foreign(capture, record),
        Kind::Frame => !record.findings.is_empty() && matches!(record.lead[0], b'\t' | b'\r' | b'\n' | b' '..=b'~'),
        _ => false,
    };
    undecided && begins_after(capture, record)
}

/// Returns true if a record of unrecognized bytes continues an earlier one, which names them.
fn continues_foreign(capture: &Capture, record: &Record) -> bool {
    let earlier = (1..).map_while(|steps| capture.record(capture.neighbour(record.connection, record.no, -steps)?));
    earlier
        .filter(|earlier| earlier.direction == record.direction)
        .take_while(|earlier| earlier.kind == Kind::Junk)
        .any(|earlier| earlier.findings.iter().any(|finding| finding.rule.is_foreign_bytes()))
}

/// Returns true if a connection has frames and no HTTP before them. `first` is its first record.
fn begins_in_frames(capture: &Capture, first: &Record) -> bool {
    // An evicted handshake is no neighbour of the records that are kept.
    if matches!(first.kind, Kind::Request | Kind::Response) || capture.handshake(first.connection).is_some() {
        return false;
    }
    let is_frame = |record: &Record| matches!(record.kind, Kind::Frame | Kind::CutFrame);
    (0..=MAX_LOOKAHEAD)
        .map_while(|steps| capture.record(capture.neighbour(first.connection, first.no, steps)?))
        .take_while(|record| !matches!(record.kind, Kind::Request | Kind::Response | Kind::CutHttp))
        .any(|record| is_frame(&record))
}

/// Returns true if a frame or a head begins directly after a gap.
fn begins_after(capture: &Capture, gap: &Record) -> bool {
    let mut later =
        (0..=MAX_LOOKAHEAD).map_while(|steps| capture.record(capture.neighbour(gap.connection, gap.no, steps)?));
    // A gap in place of evicted records has the number of another record: the first record that is kept is already a later one.
    let next = later.find(|record| record.no > gap.no && record.direction == gap.direction);
    next.is_some_and(|next| !matches!(next.kind, Kind::Junk | Kind::Gap | Kind::End(_)))
}

/// The side that sent the reset: the one that ends first, unless a finding names the other one.
fn reset_by(record: &Record) -> Direction {
    let by = record.findings.iter().find(|finding| finding.rule == Rule::TcpReset).and_then(|finding| finding.by);
    by.unwrap_or(record.direction)
}

/// The comments for a record: its findings and its note.
fn comments(capture: &Capture, record: &Record) -> Vec<String> {
    let mut comments = comments::comments(&record.findings);
    comments.extend(note(capture, record));
    comments
}

/// The note on a record as a packet comment.
fn note(capture: &Capture, record: &Record) -> Option<String> {
    let mut note = comments::note(&capture.note(record.no)?).into_owned();
    note.truncate(note.floor_char_boundary(MAX_NOTE));
    Some(note)
}

/// What an export of selected records contains, in words.
pub(super) fn selection_note(asked: u64, handshakes: u64) -> String {
    let (asked, handshakes) = (count(asked, "selected record"), count(handshakes, "handshake record"));
    format!("{asked} and {handshakes}")
}

/// The numbers of the selected records together with the handshakes of their connections, and how many of those were not
/// selected.
pub(super) fn with_handshakes(source: &Source<'_>) -> Result<(Vec<u64>, u64), ExportError> {
    let mut numbers = BTreeSet::new();
    let mut connections = HashSet::new();
    source.look(|record| {
        numbers.insert(record.no);
        connections.insert(record.connection);
        ControlFlow::Continue(())
    })?;
    let asked = numbers.len();
    for connection in connections {
        match source.capture.handshake(connection) {
            Some(heads) => numbers.extend(heads.map(|head| head.no)),
            None => numbers.extend(upgrade(source.capture, connection)),
        }
    }
    let added = (numbers.len() - asked) as u64;
    Ok((numbers.into_iter().collect(), added))
}

/// The 101 of a connection without its request, which comes before all frames.
fn upgrade(capture: &Capture, connection: u32) -> Option<u64> {
    (0..)
        .map_while(|steps| capture.record(capture.neighbour(connection, 0, steps)?))
        .take_while(|record| record.kind != Kind::Frame)
        .find(|record| record.kind == Kind::Response && record.code == 101)
        .map(|record| record.no)
}
