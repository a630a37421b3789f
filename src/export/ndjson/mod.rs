//! NDJSON, version 1: one object per record. A test compares each line with the schema in `tests/it/support/schema.rs`.

mod keys;

use super::json::{self, bool_field, key, null_field, number_field, optional, quoted_field, string_field};
use super::sink::Sink;
use super::source::{Bytes, PIECE, Source};
use super::timestamp::Timestamps;
use super::{ExportError, ExportOptions};
use crate::capture::format::NDJSON_VERSION;
use crate::capture::format::proxied::Proxied;
use crate::capture::store::Capture;
use crate::capture::store::record::Record;
use crate::proto::dissected::{Direction, Kind};
use crate::proto::utf8::Utf8;
use crate::wire::frame::FrameHead;
use crate::wire::http::Head;
use crate::wire::mask;
use crate::wire::opcode::Opcode;
use keys::{
    Payload, accept, accept_field, addresses, close_fields, findings_field, head_fields, inflated_fields,
    request_fields, response_fields, small_payload, word_field,
};

pub(super) fn write(source: &mut Source<'_>, sink: &mut Sink<'_>) -> Result<Option<String>, ExportError> {
    let mut writer = Writer::default();
    source.each(|bytes, record| writer.write_record(bytes, record, sink))?;
    Ok(None)
}

/// Writes the lines of records one by one, as they come.
pub struct NdjsonLines {
    bytes: Bytes,
    writer: Writer,
}

impl NdjsonLines {
    /// NdjsonLines of the records of `capture`; of `options`, only the redaction counts.
    pub fn new(capture: &Capture, options: &ExportOptions) -> Self {
        Self { bytes: Bytes::new(capture, options.redact.clone()), writer: Writer::default() }
    }

    /// Writes the line of a record.
    ///
    /// # Errors
    /// When the capture cannot be read or the output takes no more.
    pub fn write_record(&mut self, record: &Record, sink: &mut Sink<'_>) -> Result<(), ExportError> {
        self.writer.write_record(&mut self.bytes, record, sink)
    }
}

/// Writes objects; keeps its buffers from record to record.
#[derive(Default)]
struct Writer {
    times: Timestamps,
    wire: Vec<u8>,
    payload: Vec<u8>,
}

impl Writer {
    fn write_record(&mut self, bytes: &mut Bytes, record: &Record, sink: &mut Sink<'_>) -> Result<(), ExportError> {
        self.common(record, &mut sink.buffer);
        // A truncated record has the keys of a complete one, and `of`.
        let whole = match (record.kind, record.direction) {
            (Kind::CutFrame, _) => Kind::Frame,
            (Kind::CutHttp, Direction::ClientToServer) => Kind::Request,
            (Kind::CutHttp, Direction::ServerToClient) => Kind::Response,
            (kind, _) => kind,
        };
        match whole {
            Kind::Gap => {
                number_field(&mut sink.buffer, "missing", record.wire_len);
                if let Some(name) = record.loss.name() {
                    bool_field(&mut sink.buffer, name, true);
                }
            }
            Kind::End(how) => string_field(&mut sink.buffer, "how", how.name()),
            _ => number_field(&mut sink.buffer, "wire_len", record.wire_len),
        }
        if record.outstanding {
            bool_field(&mut sink.buffer, "outstanding", true);
        }
        if whole != record.kind {
            string_field(&mut sink.buffer, "of", whole.name());
        }
        match whole {
            Kind::Request => {
                addresses(bytes.capture(), record, &mut sink.buffer);
                let head = self.wire(bytes, record, sink)?;
                request_fields(&mut sink.buffer, &Head::read(&head));
            }
            Kind::Response => {
                let head = self.wire(bytes, record, sink)?;
                let head = Head::read(&head);
                response_fields(&mut sink.buffer, &head);
                optional(&mut sink.buffer, "answers", record.answers, number_field);
                let bench = accept(bytes, record, &head)?;
                optional(&mut sink.buffer, "accept", bench, accept_field);
            }
            Kind::Frame => self.frame(bytes, record, sink)?,
            Kind::Junk => drop(self.wire(bytes, record, sink)?),
            _ => {}
        }
        let capture = bytes.capture();
        match capture.proxied(record.no) {
            None => {}
            Some(Proxied::ReplacedBy(no)) => number_field(&mut sink.buffer, "replaced_by", no),
            Some(Proxied::InPlaceOf(no)) => number_field(&mut sink.buffer, "in_place_of", no),
            Some(how) => string_field(&mut sink.buffer, "proxied", how.name()),
        }
        if let Some(note) = capture.note(record.no) {
            string_field(&mut sink.buffer, "note", &note);
        }
        findings_field(&mut sink.buffer, &record.findings);
        sink.buffer.extend_from_slice(b"}\n");
        sink.write_if_full()
    }

    fn common(&mut self, record: &Record, out: &mut Vec<u8>) {
        out.push(b'{');
        number_field(out, "v", NDJSON_VERSION);
        number_field(out, "no", record.no);
        word_field(out, "type", record.kind.name());
        number_field(out, "conn", u64::from(record.connection));
        optional(out, "dir", record.known_direction().map(Direction::name), word_field);
        quoted_field(out, "time", |out| self.times.push(out, record.time));
        number_field(out, "offset", record.offset);
    }

    /// Writes `wire`. Returns the first piece, which contains all of a head.
    fn wire(&mut self, bytes: &mut Bytes, record: &Record, sink: &mut Sink<'_>) -> Result<Vec<u8>, ExportError> {
        key(&mut sink.buffer, "wire");
        sink.buffer.push(b'"');
        let mut first = Vec::new();
        bytes.wire(record, 0, &mut first)?;
        json::hex(&mut sink.buffer, &first);
        let mut at = first.len() as u64;
        while at < record.wire_len && !first.is_empty() {
            sink.write_if_full()?;
            bytes.wire(record, at, &mut self.wire)?;
            if self.wire.is_empty() {
                break;
            }
            json::hex(&mut sink.buffer, &self.wire);
            at += self.wire.len() as u64;
        }
        sink.buffer.push(b'"');
        Ok(first)
    }

    /// Writes the keys of a frame from `wire` on.
    fn frame(&mut self, bytes: &mut Bytes, record: &Record, sink: &mut Sink<'_>) -> Result<(), ExportError> {
        key(&mut sink.buffer, "wire");
        sink.buffer.push(b'"');
        bytes.wire(record, 0, &mut self.wire)?;
        json::hex(&mut sink.buffer, &self.wire);
        let head = FrameHead::read(&self.wire);
        let is_text = record.opcode() == Some(Opcode::Text) && !record.compressed;
        let payload = match &head {
            Some(head) if record.wire_len <= PIECE => {
                self.unmask(head);
                match std::str::from_utf8(&self.payload) {
                    Ok(_) if is_text => Payload::Text,
                    _ => Payload::Data,
                }
            }
            Some(head) => self.large_wire(bytes, record, head, is_text, sink)?,
            None => Payload::Unknown,
        };
        sink.buffer.push(b'"');
        head_fields(&mut sink.buffer, &self.wire);
        match &head {
            Some(head) if record.wire_len > PIECE => self.large_payload(bytes, record, head, payload, sink)?,
            _ => small_payload(&mut sink.buffer, payload, &self.payload),
        }
        let out = &mut sink.buffer;
        optional(out, "message", record.message.map(u64::from), number_field);
        let close = head.is_some_and(|head| head.opcode == Opcode::Close);
        close_fields(out, close.then_some(self.payload.as_slice()));
        inflated_fields(out, bytes.inflated(record)?.as_ref());
        Ok(())
    }

    /// Unmasks the payload in `self.wire`, and writes it to `self.payload`.
    fn unmask(&mut self, head: &FrameHead) {
        self.payload.clear();
        let payload = self.wire.get(head.header_len()..).unwrap_or_default();
        match head.masking_key {
            Some(key) => mask::append(&mut self.payload, payload, key, 0),
            None => self.payload.extend_from_slice(payload),
        }
    }

    /// Writes the wire bytes of a large frame after its first piece, and determines whether its payload is text.
    fn large_wire(
        &mut self,
        bytes: &mut Bytes,
        record: &Record,
        head: &FrameHead,
        is_text: bool,
        sink: &mut Sink<'_>,
    ) -> Result<Payload, ExportError> {
        self.unmask(head);
        let mut utf8 = is_text.then(Utf8::default);
        let mut feed = |bytes: &[u8]| {
            if utf8.as_mut().is_some_and(|utf8| utf8.feed(bytes).is_err()) {
                utf8 = None;
            }
            utf8.is_some_and(|utf8| utf8.is_complete())
        };
        let mut text = feed(&self.payload);
        let mut at = self.wire.len() as u64;
        while at < record.wire_len {
            sink.write_if_full()?;
            bytes.wire(record, at, &mut self.payload)?;
            if self.payload.is_empty() {
                break;
            }
            json::hex(&mut sink.buffer, &self.payload);
            if let Some(key) = head.masking_key {
                mask::apply(&mut self.payload, key, at - head.header_len() as u64);
            }
            text = feed(&self.payload);
            at += self.payload.len() as u64;
        }
        Ok(if text { Payload::Text } else { Payload::Data })
    }

    /// Writes `text` and `data` of a large frame. Afterwards `self.payload` is the first piece of the payload.
    fn large_payload(
        &mut self,
        bytes: &mut Bytes,
        record: &Record,
        head: &FrameHead,
        payload: Payload,
        sink: &mut Sink<'_>,
    ) -> Result<(), ExportError> {
        if payload == Payload::Data {
            null_field(&mut sink.buffer, "text");
        }
        key(&mut sink.buffer, if payload == Payload::Text { "text" } else { "data" });
        sink.buffer.push(b'"');
        let mut at = 0;
        loop {
            bytes.payload(record, head, at, &mut self.payload)?;
            let piece = match payload {
                // A character may continue in the next piece.
                Payload::Text => match std::str::from_utf8(&self.payload) {
                    Ok(text) => text,
                    Err(e) => std::str::from_utf8(&self.payload[..e.valid_up_to()]).unwrap_or_default(),
                },
                _ => "",
            };
            let taken = if payload == Payload::Text { piece.len() } else { self.payload.len() };
            if taken == 0 {
                break;
            }
            match payload {
                Payload::Text => json::escape(&mut sink.buffer, piece),
                _ => json::base64(&mut sink.buffer, &self.payload),
            }
            at += taken as u64;
            sink.write_if_full()?;
        }
        sink.buffer.push(b'"');
        if payload == Payload::Text {
            null_field(&mut sink.buffer, "data");
        }
        bytes.payload(record, head, 0, &mut self.payload)
    }
}
