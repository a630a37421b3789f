//! `_framescope`: the records as they are, with the keys of NDJSON that do not follow from the bytes.

use std::ops::Range;
use std::sync::atomic::Ordering;

use super::{Run, Writer};
use crate::capture::store::record::Record;
use crate::export::ExportError;
use crate::export::json::{self, key, number_field, string_field};
use crate::export::ndjson::{addresses, findings_field, quoted};
use crate::export::sink::Sink;
use crate::proto::dissected::{Direction, Kind};

impl Writer<'_> {
    /// Appends the records of a range of positions.
    pub fn records(
        &mut self,
        run: &Run<'_>,
        range: Range<u64>,
        first: &mut bool,
        sink: &mut Sink<'_>,
    ) -> Result<(), ExportError> {
        for (at, record) in run.records(range.start).take_while(|(at, _)| *at < range.end) {
            self.progress.check()?;
            if !std::mem::replace(first, false) {
                sink.buffer.push(b',');
            }
            sink.buffer.push(b'\n');
            self.record(&record, at == 0, sink)?;
            self.written += 1;
            self.progress.done.fetch_add(1, Ordering::Relaxed);
            sink.settle()?;
        }
        Ok(())
    }

    /// Appends a record; the first of a connection tells its addresses.
    fn record(&mut self, record: &Record, first: bool, sink: &mut Sink<'_>) -> Result<(), ExportError> {
        let out = &mut sink.buffer;
        out.push(b'{');
        number_field(out, "no", record.no);
        key(out, "type");
        quoted(out, record.kind.name());
        number_field(out, "conn", u64::from(record.connection));
        key(out, "dir");
        match record.known_direction() {
            Some(direction) => quoted(out, direction.name()),
            None => out.extend_from_slice(b"null"),
        }
        key(out, "time");
        out.push(b'"');
        self.times.push(out, record.time);
        out.push(b'"');
        number_field(out, "offset", record.offset);
        let asks = record.direction == Direction::ClientToServer;
        match record.kind {
            Kind::CutHttp if asks => string_field(out, "of", "request"),
            Kind::CutHttp => string_field(out, "of", "response"),
            Kind::CutFrame => string_field(out, "of", "frame"),
            Kind::Gap => number_field(out, "missing", record.wire_len),
            Kind::End(how) => string_field(out, "how", how.name()),
            Kind::Request | Kind::Response | Kind::Frame | Kind::Junk => {}
        }
        if first || record.kind == Kind::Request {
            addresses(self.bytes.capture(), record, out);
        }
        if !matches!(record.kind, Kind::Gap | Kind::End(_)) {
            self.wire(record, sink)?;
        }
        findings_field(&mut sink.buffer, &record.findings);
        sink.buffer.push(b'}');
        Ok(())
    }

    fn wire(&mut self, record: &Record, sink: &mut Sink<'_>) -> Result<(), ExportError> {
        key(&mut sink.buffer, "wire");
        sink.buffer.push(b'"');
        let mut at = 0;
        while at < record.wire_len {
            self.bytes.wire(record, at, &mut self.buffer)?;
            if self.buffer.is_empty() {
                break;
            }
            json::hex(&mut sink.buffer, &self.buffer);
            at += self.buffer.len() as u64;
            sink.settle()?;
        }
        sink.buffer.push(b'"');
        Ok(())
    }
}
