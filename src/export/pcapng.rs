//! A capture as a new pcapng file: TCP is synthesized around the records, in their order, as in the live spool.

mod derivable;

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::SocketAddr;
use std::ops::ControlFlow;

use self::derivable::Derivable;
use super::sink::Sink;
use super::source::{Bytes, Source};
use super::{ExportError, ExportOptions, ExportSelection};
use crate::capture::format::comments;
use crate::capture::format::file_markers::{Gap, Marker, ProxiedLate};
use crate::capture::format::late;
use crate::capture::format::pcapng::{self, MAX_SEGMENT, Segments};
use crate::capture::format::proxied::Proxied;
use crate::capture::store::Capture;
use crate::capture::store::record::Record;
use crate::proto::body::Body;
use crate::proto::dissected::{Direction, EndReason, Kind};
use crate::proto::rules::{Finding, Rule, count};
use crate::proto::time::Time;
use crate::wire::http::Head;

/// The highest number of a VLAN.
const MAX_VLAN: u16 = 4094;

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
    /// How many records are written.
    written: u64,
    /// For each record that the proxy replaced by another one: how many records were written before it.
    replaced: HashMap<u64, u64>,
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
    derivable: Derivable,
    /// A reset ends both directions with one packet, which follows the records of both.
    reset: Option<Reset>,
    /// The side that sent the reset, if a marker has ended its direction.
    reset_by: Option<Direction>,
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
        if self.whole && record.kind == Kind::Response {
            for early in sent_before(bytes.capture(), record) {
                self.early.insert(early.no);
                self.packets(bytes, &early, sink)?;
            }
        }
        self.packets(bytes, record, sink)
    }

    fn packets(&mut self, bytes: &mut Bytes, record: &Record, sink: &mut Sink<'_>) -> Result<(), ExportError> {
        let capture = bytes.capture().clone();
        let proxied = self.number(&capture, record);
        let ends_with_stream = record.kind == Kind::Response && {
            bytes.wire(record, 0, &mut self.buffer)?;
            matches!(Body::of_response(&Head::read(&self.buffer), b""), Body::UntilEnd(_))
        };
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
                segments.decrypted(connection.tls);
                if connection.about.delivered {
                    segments.mark_opening(&Marker::Delivered);
                }
                segments.open(&mut sink.buffer, connection.first);
                // A connection begins with bytes. Here they belong to a later record, which was not complete yet.
                if let Kind::End(_) = record.kind
                    && let Some((later, stated)) = later_records(&capture, record)
                        .find_map(|r| Some((r.direction, derivable::stated(&capture, &r)?)))
                {
                    segments.state(&mut sink.buffer, later, stated, record.time);
                }
                let derivable = Derivable::default();
                entry.insert(Open { ends, segments, derivable, reset: None, reset_by: None, ended: 0, written: [0; 2] })
            }
        };
        let comments = comments(&capture, record);
        let Record { direction, time, .. } = *record;
        // A reader buffers early bytes until the response shows what they are.
        if !self.early.contains(&record.no)
            && let Some(stated) = open.derivable.state(&capture, record, ends_with_stream)
        {
            open.segments.state(&mut sink.buffer, direction, stated, time);
        }
        if let Some(overlap) = record.findings.iter().find(|finding| finding.rule == Rule::SegmentOverlap) {
            open.segments.overlap(&mut sink.buffer, direction, overlap.number.unwrap_or(0), time);
        }
        match record.kind {
            Kind::Gap => {
                let to = &mut open.written[direction.index()];
                *to += record.wire_len;
                let gap = Gap { to: Some(*to), begins: None, loss: record.loss };
                open.segments.skip(&mut sink.buffer, direction, (record.wire_len, gap), time, &comments);
            }
            Kind::End(how) => {
                if record.outstanding {
                    let marker = [Marker::Outstanding.comment()];
                    open.segments.comment(&mut sink.buffer, direction.opposite(), time, &marker);
                }
                match how {
                    EndReason::Fin => open.segments.fin(&mut sink.buffer, direction, time, &comments),
                    EndReason::Rst if open.reset.is_none() && !ends_next(&capture, record) => {
                        open.reset_by = Some(direction);
                        open.segments.before_rst(&mut sink.buffer, direction, time, &comments);
                    }
                    EndReason::Rst => {
                        let by = open.reset_by.unwrap_or_else(|| reset_by(record));
                        let new = || Reset { by, time, comments: Vec::new(), notes: Vec::new() };
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
            }
        }
        if let Some(proxied) = proxied {
            late::proxied(&mut sink.buffer, proxied, record.time);
        }
        sink.write_if_full()
    }

    /// Counts a record; returns what `proxy` did with it. For a record that was sent in place of another one: what `proxy` did with that, if it is written too.
    fn number(&mut self, capture: &Capture, record: &Record) -> Option<ProxiedLate> {
        let before = self.written;
        self.written += 1;
        match capture.proxied(record.no)? {
            // The later record has the marker.
            Proxied::ReplacedBy(_) => {
                self.replaced.insert(record.no, before);
                None
            }
            Proxied::InPlaceOf(came) => {
                let (came, at) = (capture.record(came)?, self.replaced.get(&came)?);
                Some(ProxiedLate { back: before - at, time: came.time.0, how: Proxied::ReplacedBy(0) })
            }
            how => Some(ProxiedLate { back: 0, time: record.time.0, how }),
        }
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

/// The records that the client sent before this response: up to the one with the finding. They follow the response in the capture.
/// None if the last one was not complete before the response, or depends on later bytes: then a marker says that it is early.
fn sent_before(capture: &Capture, response: &Record) -> Vec<Record> {
    let Some(last) = reported_early(capture, response) else { return Vec::new() };
    // A reader does not call bytes early whose sender may have had the response.
    let is_early = |record: &Record| {
        let is_sent = record.direction == Direction::ClientToServer && record.wire_len > 0;
        record.connection == response.connection && is_sent && !record.outstanding
    };
    let early = (response.no + 1..=last).map_while(|no| capture.record(no).filter(is_early));
    let early: Vec<Record> = early.collect();
    // With FIN, a frame is one whatever comes before and after it.
    let certain = early.last().is_some_and(|record| record.no == last && record.fin());
    if certain { early } else { Vec::new() }
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

/// Returns true if the next record of the connection is an end, too, or if there is none.
fn ends_next(capture: &Capture, end: &Record) -> bool {
    later_records(capture, end).next().is_none_or(|next| matches!(next.kind, Kind::End(_)))
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
    note.truncate(note.floor_char_boundary(comments::MAX_NOTE));
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
