//! NDJSON, version 1: one object per record. The schema is [`crate::capture::schema`]; a test holds the two together.

use super::json::{self, bool_field, key, null_field, number_field, optional, string_field};
use super::sink::Sink;
use super::source::{Bytes, PIECE, Source};
use super::timestamp::Timestamps;
use super::{ExportError, Options};
use crate::capture::record::Record;
use crate::capture::schema::VERSION;
use crate::capture::store::Capture;
use crate::proto::accept::AcceptBench;
use crate::proto::dissected::{Direction, Kind};
use crate::proto::rules::Finding;
use crate::proto::utf8::Utf8;
use crate::wire::frame::{self, FrameHead, HeadReading};
use crate::wire::http::{Head, StartLine};
use crate::wire::mask;
use crate::wire::opcode::Opcode;

/// The longest close reason that gets a key of its own, in bytes; a longer one is in `data`.
const MAX_REASON: usize = 64 * 1024;

pub(super) fn write(source: &mut Source<'_>, sink: &mut Sink<'_>) -> Result<Option<String>, ExportError> {
    let mut writer = Writer::default();
    source.each(|bytes, record| writer.record(bytes, record, sink))?;
    Ok(None)
}

/// Writes the lines of records one by one, as they come.
pub struct Lines {
    bytes: Bytes,
    writer: Writer,
}

impl Lines {
    /// Lines of the records of `capture`; of `options`, only the redaction counts.
    pub fn new(capture: &Capture, options: &Options) -> Self {
        Self { bytes: Bytes::new(capture, options.redact), writer: Writer::default() }
    }

    /// Writes the line of a record.
    ///
    /// # Errors
    /// When the capture cannot be read or the output takes no more.
    pub fn record(&mut self, record: &Record, sink: &mut Sink<'_>) -> Result<(), ExportError> {
        self.writer.record(&mut self.bytes, record, sink)
    }
}

/// Memory that is used again from record to record.
#[derive(Default)]
struct Writer {
    times: Timestamps,
    wire: Vec<u8>,
    payload: Vec<u8>,
}

impl Writer {
    fn record(&mut self, bytes: &mut Bytes, record: &Record, sink: &mut Sink<'_>) -> Result<(), ExportError> {
        self.common(record, &mut sink.buffer);
        match record.kind {
            Kind::Request => self.request(bytes, record, sink)?,
            Kind::Response => self.response(bytes, record, sink)?,
            Kind::Frame => self.frame(bytes, record, sink)?,
            Kind::Gap => number_field(&mut sink.buffer, "missing", record.wire_len),
            Kind::End(how) => string_field(&mut sink.buffer, "how", how.name()),
            Kind::Junk => {
                number_field(&mut sink.buffer, "wire_len", record.wire_len);
                self.wire(bytes, record, sink)?;
            }
            Kind::CutHttp | Kind::CutFrame => self.cut(bytes, record, sink)?,
        }
        findings(&mut sink.buffer, &record.findings);
        sink.buffer.extend_from_slice(b"}\n");
        sink.settle()
    }

    fn common(&mut self, record: &Record, out: &mut Vec<u8>) {
        out.push(b'{');
        number_field(out, "v", VERSION);
        number_field(out, "no", record.no);
        key(out, "type");
        quoted(out, record.kind.name());
        number_field(out, "conn", u64::from(record.connection));
        key(out, "dir");
        quoted(out, record.direction.name());
        key(out, "time");
        out.push(b'"');
        self.times.push(out, record.time);
        out.push(b'"');
        number_field(out, "offset", record.offset);
    }

    fn request(&mut self, bytes: &mut Bytes, record: &Record, sink: &mut Sink<'_>) -> Result<(), ExportError> {
        number_field(&mut sink.buffer, "wire_len", record.wire_len);
        addresses(bytes.capture(), record, &mut sink.buffer);
        let head = self.wire(bytes, record, sink)?;
        request_fields(&mut sink.buffer, &Head::read(&head));
        Ok(())
    }

    fn response(&mut self, bytes: &mut Bytes, record: &Record, sink: &mut Sink<'_>) -> Result<(), ExportError> {
        number_field(&mut sink.buffer, "wire_len", record.wire_len);
        let bytes_of_head = self.wire(bytes, record, sink)?;
        let head = Head::read(&bytes_of_head);
        response_fields(&mut sink.buffer, &head);
        let bench = accept(bytes, record, &head)?;
        optional(&mut sink.buffer, "accept", bench, accept_field);
        Ok(())
    }

    /// Writes `wire`; returns the first piece, which holds all of a head.
    fn wire(&mut self, bytes: &mut Bytes, record: &Record, sink: &mut Sink<'_>) -> Result<Vec<u8>, ExportError> {
        key(&mut sink.buffer, "wire");
        sink.buffer.push(b'"');
        let mut first = Vec::new();
        bytes.wire(record, 0, &mut first)?;
        json::hex(&mut sink.buffer, &first);
        let mut at = first.len() as u64;
        while at < record.wire_len && !first.is_empty() {
            sink.settle()?;
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

    fn cut(&mut self, bytes: &mut Bytes, record: &Record, sink: &mut Sink<'_>) -> Result<(), ExportError> {
        number_field(&mut sink.buffer, "wire_len", record.wire_len);
        let of = match (record.kind, record.direction) {
            (Kind::CutFrame, _) => "frame",
            (_, Direction::ClientToServer) => "request",
            (_, Direction::ServerToClient) => "response",
        };
        string_field(&mut sink.buffer, "of", of);
        if of == "request" {
            addresses(bytes.capture(), record, &mut sink.buffer);
        }
        if of == "frame" {
            return self.frame_body(bytes, record, sink);
        }
        let bytes_of_head = self.wire(bytes, record, sink)?;
        let head = Head::read(&bytes_of_head);
        if of == "request" {
            request_fields(&mut sink.buffer, &head);
            return Ok(());
        }
        response_fields(&mut sink.buffer, &head);
        let bench = accept(bytes, record, &head)?;
        optional(&mut sink.buffer, "accept", bench, accept_field);
        Ok(())
    }

    fn frame(&mut self, bytes: &mut Bytes, record: &Record, sink: &mut Sink<'_>) -> Result<(), ExportError> {
        number_field(&mut sink.buffer, "wire_len", record.wire_len);
        self.frame_body(bytes, record, sink)
    }

    /// From `wire` on: what whole and cut frames have in common.
    fn frame_body(&mut self, bytes: &mut Bytes, record: &Record, sink: &mut Sink<'_>) -> Result<(), ExportError> {
        key(&mut sink.buffer, "wire");
        sink.buffer.push(b'"');
        bytes.wire(record, 0, &mut self.wire)?;
        json::hex(&mut sink.buffer, &self.wire);
        let head = match FrameHead::read(&self.wire) {
            HeadReading::Complete(head) => Some(head),
            HeadReading::NeedMore(_) => None,
        };
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
        head_fields(&mut sink.buffer, record, head.as_ref(), self.wire.len());
        match &head {
            Some(head) if record.wire_len > PIECE => self.large_payload(bytes, record, head, payload, sink)?,
            _ => small_payload(&mut sink.buffer, payload, &self.payload),
        }
        let out = &mut sink.buffer;
        optional(out, "message", record.message.map(u64::from), number_field);
        let close = head.is_some_and(|head| head.opcode == Opcode::Close);
        close_fields(out, close.then_some(self.payload.as_slice()));
        null_field(out, "inflated");
        null_field(out, "inflated_data");
        Ok(())
    }

    /// Unmasks the payload in `self.wire` into `self.payload`.
    fn unmask(&mut self, head: &FrameHead) {
        self.payload.clear();
        let payload = self.wire.get(head.header_len()..).unwrap_or_default();
        match head.masking_key {
            Some(key) => mask::append(&mut self.payload, payload, key, 0),
            None => self.payload.extend_from_slice(payload),
        }
    }

    /// Writes the wire bytes of a large frame behind its first piece, and finds out whether its payload is text.
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
            sink.settle()?;
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

    /// Writes `text` and `data` of a large frame; leaves the beginning of the payload in `self.payload`.
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
                // A character may go on in the next piece.
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
            sink.settle()?;
        }
        sink.buffer.push(b'"');
        if payload == Payload::Text {
            null_field(&mut sink.buffer, "data");
        }
        bytes.payload(record, head, 0, &mut self.payload)
    }
}

/// How a frame's payload is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Payload {
    Text,
    Data,
    /// The frame was cut inside its head.
    Unknown,
}

/// A string that needs no escaping.
fn quoted(out: &mut Vec<u8>, word: &str) {
    out.push(b'"');
    out.extend_from_slice(word.as_bytes());
    out.push(b'"');
}

fn addresses(capture: &Capture, record: &Record, out: &mut Vec<u8>) {
    let connection = capture.connection(record.connection);
    let [client, server] = match &connection {
        Some(connection) => [Some(connection.client.to_string()), Some(connection.server.to_string())],
        None => [None, None],
    };
    optional(out, "client", client.as_deref(), string_field);
    optional(out, "server", server.as_deref(), string_field);
}

fn request_fields(out: &mut Vec<u8>, head: &Head<'_>) {
    let (method, target, version) = match &head.start {
        StartLine::Request { method, target, version } => (head.text(method), head.text(target), head.text(version)),
        StartLine::Response { version, .. } => (String::new(), String::new(), head.text(version)),
    };
    for (name, value) in [("method", method), ("target", target), ("version", version)] {
        optional(out, name, Some(value.as_str()).filter(|value| !value.is_empty()), string_field);
    }
    headers(out, head);
}

fn response_fields(out: &mut Vec<u8>, head: &Head<'_>) {
    optional(out, "status", head.status().map(u64::from), number_field);
    let reason = match &head.start {
        StartLine::Response { reason, .. } => Some(head.text(reason)),
        StartLine::Request { .. } => None,
    };
    optional(out, "reason", reason.as_deref(), string_field);
    headers(out, head);
}

fn headers(out: &mut Vec<u8>, head: &Head<'_>) {
    key(out, "headers");
    out.push(b'[');
    for (i, line) in head.headers.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        out.push(b'[');
        json::string(out, &head.text(&line.name));
        out.push(b',');
        json::string(out, &head.text(&line.value));
        out.push(b']');
    }
    out.push(b']');
}

/// The accept key's computation, for a 101 whose request is known and has a key.
fn accept(bytes: &mut Bytes, record: &Record, head: &Head<'_>) -> Result<Option<AcceptBench>, ExportError> {
    let Some(request) = record.answers.filter(|_| record.code == 101).and_then(|no| bytes.capture().record(no)) else {
        return Ok(None);
    };
    let mut raw = Vec::new();
    bytes.wire(&request, 0, &mut raw)?;
    let key = Head::read(&raw).value("sec-websocket-key");
    Ok(key.map(|key| AcceptBench::new(key, head.value("sec-websocket-accept"))))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that `optional` asks for")]
fn accept_field(out: &mut Vec<u8>, name: &str, bench: AcceptBench) {
    key(out, name);
    out.push(b'{');
    string_field(out, "key", &bench.key);
    string_field(out, "expected", &bench.expected);
    optional(out, "received", bench.received.as_deref(), string_field);
    bool_field(out, "ok", bench.is_ok());
    out.push(b'}');
}

/// From `fin` to `masking_key`. Of a cut frame, what its first `had` bytes tell.
fn head_fields(out: &mut Vec<u8>, record: &Record, head: Option<&FrameHead>, had: usize) {
    let [first, second] = record.lead;
    let first = (had >= 1).then_some(first);
    let second = (had >= 2).then_some(second);
    for (name, bit) in [("fin", 0x80), ("rsv1", 0x40), ("rsv2", 0x20), ("rsv3", 0x10)] {
        optional(out, name, first.map(|byte| byte & bit != 0), bool_field);
    }
    let opcode = first.map(Opcode::from_wire);
    optional(out, "opcode", opcode.map(|opcode| u64::from(opcode.to_wire())), number_field);
    optional(out, "opcode_name", opcode.map(Opcode::name), string_field);
    optional(out, "mask", second.map(|byte| byte & 0x80 != 0), bool_field);
    optional(out, "len_code", second.map(|byte| u64::from(byte & 0x7f)), number_field);
    optional(out, "payload_len", head.map(|head| head.payload_len), number_field);
    optional(out, "header_len", head.map(|head| head.header_len() as u64), number_field);
    optional(out, "masking_key", head.and_then(|head| head.masking_key), |out, name, masking_key| {
        key(out, name);
        out.push(b'"');
        json::hex(out, &masking_key);
        out.push(b'"');
    });
}

fn small_payload(out: &mut Vec<u8>, payload: Payload, bytes: &[u8]) {
    match payload {
        Payload::Text => {
            string_field(out, "text", std::str::from_utf8(bytes).unwrap_or_default());
            null_field(out, "data");
        }
        Payload::Data => {
            null_field(out, "text");
            key(out, "data");
            out.push(b'"');
            json::base64(out, bytes);
            out.push(b'"');
        }
        Payload::Unknown => {
            null_field(out, "text");
            null_field(out, "data");
        }
    }
}

/// A Close frame's code and reason, where it has them; a reason that is not UTF-8 is in `data` alone.
fn close_fields(out: &mut Vec<u8>, payload: Option<&[u8]>) {
    let code = payload.and_then(frame::close_code);
    optional(out, "close_code", code.map(|code| u64::from(code.0)), number_field);
    let reason = payload.and_then(|payload| payload.get(2..)).filter(|r| (1..=MAX_REASON).contains(&r.len()));
    optional(out, "close_reason", reason.and_then(|reason| std::str::from_utf8(reason).ok()), string_field);
}

fn findings(out: &mut Vec<u8>, findings: &[Finding]) {
    key(out, "findings");
    out.push(b'[');
    for (i, finding) in findings.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        out.push(b'{');
        string_field(out, "rule", finding.rule.id());
        string_field(out, "section", finding.rule.section());
        string_field(out, "severity", finding.rule.severity().name());
        string_field(out, "text", &finding.sentence());
        optional(out, "bits", finding.span, |out, name, span| {
            key(out, name);
            out.push(b'[');
            json::number(out, span.start);
            out.push(b',');
            json::number(out, span.end);
            out.push(b']');
        });
        optional(out, "about", finding.about, number_field);
        out.push(b'}');
    }
    out.push(b']');
}
