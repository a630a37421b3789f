//! HAR 1.2 as Chrome DevTools write and read it: one entry per request. The entry of a WebSocket has its messages, reassembled
//! and inflated, in `_webSocketMessages`.
//!
//! A HAR has no frames, control frames, gaps or findings: pcapng and NDJSON keep those.

mod data;
mod entry;
mod head;
mod messages;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use super::pcapng::{selection_note, with_handshakes};
use super::sink::Sink;
use super::source::{Bytes, Source};
use super::timestamp::Timestamps;
use super::{ExportError, ExportSelection, Progress, joined};
use crate::capture::store::record::Record;
use crate::capture::store::{Capture, Totals};
use crate::proto::dissected::{Direction, Kind};
use crate::proto::rules::count;

pub(super) fn write(source: &mut Source<'_>, sink: &mut Sink<'_>) -> Result<Option<String>, ExportError> {
    let chosen = Chosen::of(source)?;
    source.progress.total.store(chosen.total(), Ordering::Relaxed);
    let mut writer = Writer {
        bytes: Bytes::new(source.capture, source.options.redact.clone()),
        progress: source.progress,
        times: Timestamps::default(),
        buffer: Vec::new(),
        written: 0,
        entries: 0,
    };
    sink.buffer.extend_from_slice(b"{\"log\":{\"version\":\"1.2\",\"creator\":{\"name\":\"framescope\",\"version\":\"");
    sink.buffer.extend_from_slice(env!("CARGO_PKG_VERSION").as_bytes());
    sink.buffer.extend_from_slice(b"\"},\"pages\":[],\"entries\":[");
    let mut left_out = 0;
    for run in chosen.runs() {
        left_out += u64::from(!writer.connection(&run, sink)?);
    }
    sink.buffer.extend_from_slice(b"\n]}}\n");
    source.written = writer.written;
    source.progress.done.store(chosen.total(), Ordering::Relaxed);
    let left_out = (left_out > 0).then(|| format!("{} without a request left out", count(left_out, "connection")));
    Ok(joined([chosen.note, left_out]))
}

/// The records to export.
struct Chosen<'a> {
    capture: &'a Capture,
    /// Their numbers by connection; `None` for all records.
    numbers: Option<BTreeMap<u32, Vec<u64>>>,
    /// At the beginning of the export: the counts, and the connections with the ordinals of their first records.
    totals: Totals,
    firsts: Vec<(u32, u32)>,
    note: Option<String>,
}

impl<'a> Chosen<'a> {
    fn of(source: &Source<'a>) -> Result<Self, ExportError> {
        let capture = source.capture;
        let (totals, firsts) = capture.first_ordinals();
        let whole = Self { capture, numbers: None, totals, firsts, note: None };
        if source.options.selection == ExportSelection::All && source.options.direction.is_none() {
            return Ok(whole);
        }
        let (chosen, handshakes) = with_handshakes(source)?;
        let asked = chosen.len() as u64 - handshakes;
        let mut numbers: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
        for no in chosen {
            if let Some(record) = capture.record(no) {
                numbers.entry(record.connection).or_default().push(no);
            }
        }
        let note = Some(selection_note(asked, handshakes));
        Ok(Self { numbers: Some(numbers), note, ..whole })
    }

    /// The number of records.
    fn total(&self) -> u64 {
        self.numbers.as_ref().map_or(self.totals.kept(), |numbers| numbers.values().map(|own| own.len() as u64).sum())
    }

    fn runs(&self) -> impl Iterator<Item = Run<'_>> {
        let chosen = |connection: &u32| self.numbers.as_ref().is_none_or(|numbers| numbers.contains_key(connection));
        let firsts = self.firsts.iter().filter(move |(connection, _)| chosen(connection));
        firsts.map(|(connection, first)| Run {
            capture: self.capture,
            connection: *connection,
            numbers: self.numbers.as_ref().map(|numbers| numbers[connection].as_slice()),
            evicted: if self.numbers.is_none() { self.capture.in_place_of_evicted(*connection) } else { Vec::new() },
            first: *first,
            totals: self.totals,
            missed: Cell::new(None),
        })
    }
}

/// The records of one connection to export, by position.
struct Run<'a> {
    capture: &'a Capture,
    connection: u32,
    /// Their numbers; `None` for all records.
    numbers: Option<&'a [u64]>,
    /// For all records: those that are written in place of evicted ones, and the ordinal of the first record after them.
    evicted: Vec<Record>,
    first: u32,
    /// The counts when the export began.
    totals: Totals,
    /// The number of a record that was evicted during the export.
    missed: Cell<Option<u64>>,
}

impl Run<'_> {
    fn get(&self, at: u64) -> Option<Record> {
        let at = usize::try_from(at).ok()?;
        let record = match self.numbers {
            Some(numbers) => {
                let no = *numbers.get(at)?;
                let record = self.capture.record(no);
                if record.is_none() {
                    self.missed.set(Some(no));
                }
                record
            }
            None if at < self.evicted.len() => self.evicted.get(at).cloned(),
            None => {
                let ordinal = self.first.checked_add(u32::try_from(at - self.evicted.len()).ok()?)?;
                let record = self.capture.at_ordinal(self.connection, ordinal);
                let first = || self.capture.first_ordinal(self.connection);
                if record.is_none() && first().is_none_or(|first| ordinal < first) {
                    self.missed.set(Some(self.totals.first));
                }
                record
            }
        };
        record.filter(|record| record.no <= self.totals.records)
    }

    fn records(&self, from: u64) -> impl Iterator<Item = (u64, Record)> {
        (from..).map_while(|at| Some((at, self.get(at)?)))
    }

    /// Fails when records were evicted during the export.
    fn check(&self) -> Result<(), ExportError> {
        self.missed.get().map_or(Ok(()), |no| Err(ExportError::Evicted { no }))
    }

    /// The positions of the requests, truncated ones too. All come before the first frame.
    fn requests(&self) -> Vec<u64> {
        let http = self.records(0).take_while(|(_, record)| record.opcode().is_none());
        let asks = |record: &Record| {
            record.direction == Direction::ClientToServer && matches!(record.kind, Kind::Request | Kind::CutHttp)
        };
        http.filter(|(_, record)| asks(record)).map(|(at, _)| at).collect()
    }
}

/// Writes entries; keeps its buffers from entry to entry.
struct Writer<'a> {
    bytes: Bytes,
    progress: &'a Progress,
    times: Timestamps,
    buffer: Vec<u8>,
    /// Records that are in an entry: requests, responses, and the frames of messages.
    written: u64,
    entries: u64,
}

impl Writer<'_> {
    /// Writes the entries of a connection. Returns false if it has none.
    fn connection(&mut self, run: &Run<'_>, sink: &mut Sink<'_>) -> Result<bool, ExportError> {
        let requests = run.requests();
        for (i, at) in requests.iter().enumerate() {
            let end = requests.get(i + 1).copied().unwrap_or(u64::MAX);
            if let Some(request) = run.get(*at) {
                self.entry(run, &request, *at..end, sink)?;
            }
        }
        run.check()?;
        Ok(!requests.is_empty())
    }
}
