//! The input of an export: the selected records in order, and their bytes in pieces, redacted if requested.

use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use super::redact::{self, MessageRedaction, Redaction};
use super::{ExportError, ExportOptions, ExportSelection, Progress};
use crate::capture::format::pcapng::MAX_SEGMENT;
use crate::capture::store::message_reader::{Inflated, MessageReader};
use crate::capture::store::record::Record;
use crate::capture::store::record_reader::RecordReader;
use crate::capture::store::{Capture, Totals};
use crate::picture::figure;
use crate::proto::compressed_messages::EXPORTED_INFLATED;
use crate::proto::dissected::Kind;
use crate::wire::field::Field;
use crate::wire::frame::{FrameHead, MAX_HEAD_LEN};
use crate::wire::mask;

/// The length of a piece in bytes: a multiple of packets and of 12, and at least as long as any HTTP head.
pub const PIECE: u64 = 12 * (MAX_SEGMENT as u64);

/// How many records are taken from the index at once.
const BATCH: u64 = 1024;

/// The selected records of a capture.
pub struct Source<'a> {
    pub capture: &'a Capture,
    pub options: &'a ExportOptions,
    pub progress: &'a Progress,
    /// The counts of the capture when the export began: a record that is evicted later is missed.
    pub totals: Totals,
    /// The number of records that were exported.
    pub written: u64,
    bytes: Bytes,
}

impl<'a> Source<'a> {
    pub fn new(capture: &'a Capture, options: &'a ExportOptions, progress: &'a Progress) -> Self {
        let totals = capture.totals();
        Self { capture, options, progress, totals, written: 0, bytes: Bytes::new(capture, options.redact.clone()) }
    }

    /// Calls `take` for each selected record, with a reader of its bytes.
    pub fn each(
        &mut self,
        mut take: impl FnMut(&mut Bytes, &Record) -> Result<(), ExportError>,
    ) -> Result<(), ExportError> {
        let totals = self.totals;
        // Records in place of evicted ones are not part of the total.
        let (total, first) = match &self.options.selection {
            ExportSelection::All => (totals.kept(), totals.first),
            ExportSelection::Records(numbers) => (numbers.len() as u64, 1),
        };
        self.progress.total.store(total, Ordering::Relaxed);
        let (progress, written, bytes) = (self.progress, &mut self.written, &mut self.bytes);
        let mut first_error = Ok(());
        let flow = for_each(self.capture, self.options, &totals, |record| {
            let done = progress.check().and_then(|()| take(bytes, record));
            *written += 1;
            progress.done.fetch_add(u64::from(record.no >= first), Ordering::Relaxed);
            match done {
                Ok(()) => ControlFlow::Continue(()),
                Err(e) => {
                    first_error = Err(e);
                    ControlFlow::Break(())
                }
            }
        });
        flow.and(first_error)
    }

    /// The number of selected records that were evicted before the export; it lacks them.
    pub fn evicted(&self) -> usize {
        let ExportSelection::Records(numbers) = &self.options.selection else { return 0 };
        let evicted = numbers.iter().filter(|no| **no < self.totals.first);
        // The handshake of a connection that is kept is exported.
        evicted.filter(|no| self.capture.record(**no).is_none()).count()
    }

    /// Calls `see` for each selected record, until it breaks.
    pub fn look(&self, see: impl FnMut(&Record) -> ControlFlow<()>) -> Result<(), ExportError> {
        for_each(self.capture, self.options, &self.totals, see)
    }
}

fn for_each(
    capture: &Capture,
    options: &ExportOptions,
    totals: &Totals,
    mut see: impl FnMut(&Record) -> ControlFlow<()>,
) -> Result<(), ExportError> {
    let wanted = |record: &Record| options.direction.is_none_or(|direction| record.direction == direction);
    let kept = |no: u64| if no < capture.first() { Err(ExportError::Evicted { no }) } else { Ok(()) };
    match &options.selection {
        ExportSelection::All => {
            let evicted = in_place_of_evicted(capture, totals);
            if evicted.iter().filter(|record| wanted(record)).any(|record| see(record).is_break()) {
                return Ok(());
            }
            let mut from = totals.first;
            while from <= totals.records {
                let until = (from + BATCH).min(totals.records + 1);
                let records = capture.records(from..until);
                kept(from)?;
                for record in records.iter().filter(|record| wanted(record)) {
                    if see(record).is_break() {
                        return Ok(());
                    }
                }
                from = until;
            }
        }
        ExportSelection::Records(numbers) => {
            for no in numbers {
                let Some(record) = capture.record(*no) else {
                    if *no < totals.first {
                        // Evicted before the export: the caller reports it.
                        continue;
                    }
                    kept(*no)?;
                    return Err(ExportError::NoRecord { no: *no, len: capture.len() });
                };
                if wanted(&record) && see(&record).is_break() {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// What is written in place of the evicted records of all connections.
pub(super) fn in_place_of_evicted(capture: &Capture, totals: &Totals) -> Vec<Record> {
    let connections = if totals.evicted() > 0 { capture.kept_connections() } else { 0 };
    let numbers = (0..connections).filter_map(|rank| capture.connection_at(rank));
    numbers.flat_map(|connection| capture.in_place_of_evicted(connection)).collect()
}

/// Reads the bytes of records.
pub struct Bytes {
    capture: Capture,
    reader: RecordReader,
    inflater: MessageReader,
    redaction: Option<Redaction>,
    /// The HTTP message that is read, by the number of its record.
    message: (u64, MessageRedaction),
}

impl Bytes {
    pub fn new(capture: &Capture, redaction: Option<Redaction>) -> Self {
        Self {
            capture: capture.clone(),
            reader: RecordReader::new(capture),
            inflater: MessageReader::default(),
            redaction,
            message: (0, MessageRedaction::default()),
        }
    }

    pub const fn capture(&self) -> &Capture {
        &self.capture
    }

    /// Reads the [`PIECE`] of a record's wire bytes that begins at `from` into `out`. At the end, `out` is empty.
    pub fn wire(&mut self, record: &Record, from: u64, out: &mut Vec<u8>) -> Result<(), ExportError> {
        let read = self.reader.wire(record, from..from.saturating_add(PIECE), out);
        read.map_err(|source| self.error(record, source))?;
        let wanted = PIECE.min(record.wire_len.saturating_sub(from));
        if (out.len() as u64) < wanted && self.capture.is_evicted(record) {
            return Err(ExportError::Evicted { no: record.no });
        }
        match record.kind {
            Kind::Request | Kind::Response | Kind::CutHttp => self.redact_message(record, from, out),
            Kind::Junk if from == 0 => self.redact_junk(record, out),
            _ => Ok(()),
        }
    }

    /// Redacts the piece of an HTTP message that begins at `from`. The pieces before it are read again unless they were read just now.
    fn redact_message(&mut self, record: &Record, from: u64, out: &mut [u8]) -> Result<(), ExportError> {
        let Some(redaction) = &self.redaction else { return Ok(()) };
        if from == 0 || (self.message.0, self.message.1.position) != (record.no, from) {
            self.message = (record.no, MessageRedaction::default());
        }
        let message = &mut self.message.1;
        let mut before = Vec::new();
        while message.position < from {
            let range = message.position..from.min(message.position + PIECE);
            let read = self.reader.wire(record, range, &mut before);
            read.map_err(|source| read_error(&self.capture, record, source))?;
            if before.is_empty() {
                return Err(ExportError::Evicted { no: record.no });
            }
            message.piece(&mut before, redaction);
        }
        message.piece(out, redaction);
        Ok(())
    }

    /// Reads the bytes of a record that its figure shows into `out`; returns its fields.
    pub fn figure(&mut self, record: &Record, out: &mut Vec<u8>) -> Result<Vec<Field>, ExportError> {
        self.wire(record, 0, out)?;
        out.truncate(figure::shown_bytes(record.kind) as usize);
        Ok(figure::fields(record, out))
    }

    /// The head of a frame; `None` if it is truncated.
    pub fn frame_head(&mut self, record: &Record, buffer: &mut Vec<u8>) -> Result<Option<FrameHead>, ExportError> {
        let read = self.reader.wire(record, 0..MAX_HEAD_LEN as u64, buffer);
        read.map_err(|source| self.error(record, source))?;
        match FrameHead::read(buffer) {
            None if self.capture.is_evicted(record) => Err(ExportError::Evicted { no: record.no }),
            head => Ok(head),
        }
    }

    /// Reads the [`PIECE`] of a frame's unmasked payload that begins at `from` into `out`. At the end, `out` is empty.
    pub fn payload(
        &mut self,
        record: &Record,
        head: &FrameHead,
        from: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), ExportError> {
        let start = (head.header_len() as u64).saturating_add(from);
        self.wire(record, start, out)?;
        if let Some(key) = head.masking_key {
            mask::apply(out, key, from);
        }
        Ok(())
    }

    /// The inflated message that ends with `record`, up to [`EXPORTED_INFLATED`] bytes; `None` if no compressed message ends there.
    pub fn inflated(&mut self, record: &Record) -> Result<Option<Inflated>, ExportError> {
        let read = self.inflater.message(&self.capture, record, EXPORTED_INFLATED);
        match read.map_err(|source| self.error(record, source))? {
            None if record.compressed && self.capture.is_evicted(record) => Err(ExportError::Evicted { no: record.no }),
            inflated => Ok(inflated),
        }
    }

    fn error(&self, record: &Record, source: io::Error) -> ExportError {
        read_error(&self.capture, record, source)
    }

    /// Redacts unrecognized bytes, which may be a head that is too long to be read as one. The first line of the record may
    /// have begun in an earlier record, so the bytes before it are read too.
    fn redact_junk(&mut self, record: &Record, out: &mut [u8]) -> Result<(), ExportError> {
        const MAX_BEFORE: u64 = 64 * 1024;
        let Some(redaction) = &self.redaction else { return Ok(()) };
        let before = record.offset.min(MAX_BEFORE);
        let mut context = Vec::new();
        let (start, len) = (record.offset - before, before + out.len() as u64);
        self.reader
            .stream(record.connection, record.direction, start, len, &mut context)
            .map_err(|source| read_error(&self.capture, record, source))?;
        if context.len() as u64 != len {
            // Bytes before the record are missing, and may have held the name of its first line: treat that line as a secret.
            redaction.lines(out);
            redact::hide_first_line(out);
            return Ok(());
        }
        let line_is_longer = before == MAX_BEFORE && !context[..before as usize].contains(&b'\n');
        redaction.lines(&mut context);
        if line_is_longer {
            // The name of the line was not read: treat it as a secret.
            redact::hide_first_line(&mut context[before as usize..]);
        }
        if let Some(redacted) = context.get(before as usize..).filter(|redacted| redacted.len() == out.len()) {
            out.copy_from_slice(redacted);
        }
        Ok(())
    }
}

fn read_error(capture: &Capture, record: &Record, source: io::Error) -> ExportError {
    if capture.is_evicted(record) {
        return ExportError::Evicted { no: record.no };
    }
    ExportError::Read { path: capture.path().to_owned(), no: record.no, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::live::recorder::{Chunk, Recorder};
    use crate::capture::live::spool::Spool;
    use crate::proto::connection::Connection;
    use crate::proto::dissected::Direction;
    use crate::proto::time::Time;

    #[test]
    fn a_record_that_is_evicted_before_it_is_read_is_neither_truncated_nor_uncompressed() {
        let folder = tempfile::tempdir().expect("a folder");
        let recorder = Recorder::new(Spool::temporary_ring(folder.path(), 64 * 1024).expect("a spool"));
        let connection =
            recorder.dissected_by(([127, 0, 0, 1], 1).into(), ([127, 0, 0, 1], 80).into(), Connection::in_frames());
        let say = |bytes: &[u8]| {
            connection.record(&[Chunk { direction: Direction::ServerToClient, time: Time(1), bytes }]);
        };
        say(&[0x81, 1, b'a']);
        let capture = recorder.capture();
        let record = Record { compressed: true, ..capture.record(1).expect("a record") };
        while capture.first() == 1 {
            say(&[&[0x82, 0x7e, 0x03, 0xe8], &[0; 1000][..]].concat());
        }
        let mut bytes = Bytes::new(capture, None);
        let head = bytes.frame_head(&record, &mut Vec::new());
        assert!(matches!(head, Err(ExportError::Evicted { no: 1 })), "{head:?}");
        let inflated = bytes.inflated(&record);
        assert!(matches!(inflated, Err(ExportError::Evicted { no: 1 })), "{inflated:?}");
    }
}
