//! An entry: a request, its response, and the messages of its WebSocket.

use std::io::Write as _;
use std::ops::Range;
use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Run, Writer, head};
use crate::capture::store::record::Record;
use crate::export::ExportError;
use crate::export::json::{key, number_field, string_field};
use crate::export::sink::Sink;
use crate::proto::dissected::{Direction, Kind};
use crate::proto::time::Time;
use crate::wire::http::Head;

/// The longest body that is exported, in bytes.
const MAX_BODY: usize = 512 * 1024;

/// How many records after a request are searched for its response.
const NEAR: usize = 1024;

impl Writer<'_> {
    /// Appends the entry of a request. The entry's records are at these positions of the run.
    pub fn entry(
        &mut self,
        run: &Run<'_>,
        request: &Record,
        range: Range<u64>,
        sink: &mut Sink<'_>,
    ) -> Result<(), ExportError> {
        let response = response(run, request, range.start);
        let mut last = request.time;
        for (_, record) in run.records(range.start).take_while(|(at, _)| *at < range.end) {
            self.progress.check()?;
            self.progress.done.fetch_add(1, Ordering::Relaxed);
            last = last.max(record.time);
        }
        let times = [request.time, response.as_ref().map_or(request.time, |r| r.time), last];
        let (asked, answered) = (self.whole(request)?, response.as_ref().map(|r| self.whole(r)).transpose()?);
        let asked_head = Head::read(&asked);
        let is_websocket = asked_head.has_token("upgrade", "websocket");
        sink.buffer.extend_from_slice(if self.entries == 0 { b"\n{" } else { b",\n{" });
        self.entries += 1;
        self.written += 1 + u64::from(response.is_some());
        let out = &mut sink.buffer;
        // In milliseconds, as Chrome writes it: some programs do not read more digits.
        string_field(out, "startedDateTime", &format!("{}Z", &self.times.text(request.time)[..23]));
        key(out, "time");
        millis(out, times[0], times[2]);
        self.request(run, &asked, is_websocket, out);
        answer(out, answered.as_deref().unwrap_or_default());
        out.extend_from_slice(
            b",\"cache\":{},\"timings\":{\"blocked\":-1,\"dns\":-1,\"connect\":-1,\"ssl\":-1,\"send\":0",
        );
        key(out, "wait");
        millis(out, times[0], times[1]);
        key(out, "receive");
        millis(out, times[1], times[2]);
        out.push(b'}');
        if let Some(connection) = run.capture.connection(run.connection) {
            string_field(out, "serverIPAddress", &connection.server.ip().to_string());
        }
        string_field(out, "connection", &run.connection.to_string());
        if is_websocket {
            string_field(&mut sink.buffer, "_resourceType", "websocket");
            key(&mut sink.buffer, "_webSocketMessages");
            sink.buffer.push(b'[');
            self.messages(run, range, sink)?;
            sink.buffer.push(b']');
        }
        sink.buffer.push(b'}');
        sink.write_if_full()
    }

    /// The first bytes of a record, which contain all of its head.
    fn whole(&mut self, record: &Record) -> Result<Vec<u8>, ExportError> {
        let mut bytes = Vec::new();
        self.bytes.wire(record, 0, &mut bytes)?;
        Ok(bytes)
    }

    fn request(&self, run: &Run<'_>, bytes: &[u8], is_websocket: bool, out: &mut Vec<u8>) {
        let head = Head::read(bytes);
        let connection = run.capture.connection(run.connection);
        let server = connection.as_ref().map(|connection| connection.server.to_string()).unwrap_or_default();
        let is_encrypted = connection.is_some_and(|connection| connection.tls.is_some());
        let host = head.value("host").map_or(server, |host| String::from_utf8_lossy(host).into_owned());
        let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
        let target = text(head.target());
        key(out, "request");
        out.push(b'{');
        string_field(out, "method", &text(head.method()));
        let url = match head.method() {
            // Its target is a host and a port (RFC 9112 §3.2.3).
            Some(b"CONNECT") => format!("http://{target}/"),
            _ => head::url(&target, &host, is_websocket, is_encrypted),
        };
        string_field(out, "url", &url);
        string_field(out, "httpVersion", &text(Some(head.version())));
        head::headers(out, &head);
        head::query(out, &target);
        head::cookies_sent(out, &head);
        let body = sizes(out, &head, bytes);
        if !body.is_empty() && body.len() <= MAX_BODY {
            key(out, "postData");
            out.push(b'{');
            string_field(out, "mimeType", &text(head.value("content-type")));
            string_field(out, "text", &String::from_utf8_lossy(body));
            out.push(b'}');
        }
        out.push(b'}');
    }
}

/// The final response to a request. Interim responses (1xx but 101) do not count.
fn response(run: &Run<'_>, request: &Record, from: u64) -> Option<Record> {
    let mut near =
        run.records(from).take(NEAR).map(|(_, record)| record).take_while(|record| record.opcode().is_none());
    let answers = |r: &Record| {
        let cut = r.kind == Kind::CutHttp && r.direction == Direction::ServerToClient && r.no > request.no;
        cut || r.answers == Some(request.no) && r.kind == Kind::Response && (r.code == 101 || r.code >= 200)
    };
    near.find(answers)
}

/// Appends `response`. Without bytes, it states that there was no response.
fn answer(out: &mut Vec<u8>, bytes: &[u8]) {
    let head = Head::read(bytes);
    let text = |name: &str| head.value(name).map(|v| String::from_utf8_lossy(v).into_owned()).unwrap_or_default();
    key(out, "response");
    out.push(b'{');
    number_field(out, "status", u64::from(head.status().unwrap_or(0)));
    let reason = match &head.start {
        crate::wire::http::StartLine::Response { reason, .. } => head.text(reason),
        crate::wire::http::StartLine::Request { .. } => String::new(),
    };
    string_field(out, "statusText", &reason);
    let version = if bytes.is_empty() { String::new() } else { String::from_utf8_lossy(head.version()).into_owned() };
    string_field(out, "httpVersion", &version);
    head::headers(out, &head);
    head::cookies_set(out, &head);
    string_field(out, "redirectURL", &text("location"));
    let body = sizes(out, &head, bytes);
    key(out, "content");
    out.push(b'{');
    let body = if head.has_token("transfer-encoding", "chunked") { dechunked(body) } else { body.to_vec() };
    number_field(out, "size", body.len() as u64);
    string_field(out, "mimeType", &text("content-type"));
    // An encoded body is not decoded.
    if !body.is_empty() && body.len() <= MAX_BODY && head.value("content-encoding").is_none() {
        match std::str::from_utf8(&body) {
            Ok(body) => string_field(out, "text", body),
            Err(_) => {
                string_field(out, "text", &STANDARD.encode(&body));
                string_field(out, "encoding", "base64");
            }
        }
    }
    out.extend_from_slice(b"}}");
}

/// Appends `headersSize` and `bodySize`; returns the body.
fn sizes<'a>(out: &mut Vec<u8>, head: &Head<'_>, bytes: &'a [u8]) -> &'a [u8] {
    let end = head.end.as_ref().map_or(bytes.len(), |end| end.end);
    let body = bytes.get(end..).unwrap_or_default();
    number_field(out, "headersSize", end as u64);
    number_field(out, "bodySize", body.len() as u64);
    body
}

/// The data of a chunked body (RFC 9112 §7.1), up to the first invalid chunk.
fn dechunked(mut body: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    while let Some(end) = body.iter().position(|byte| *byte == b'\n') {
        let digits = body[..end].split(|byte| !byte.is_ascii_hexdigit()).next().unwrap_or_default();
        let size = std::str::from_utf8(digits).ok().and_then(|digits| usize::from_str_radix(digits, 16).ok());
        let chunk = &body[end + 1..];
        let size = size.unwrap_or(0).min(chunk.len());
        if size == 0 {
            break;
        }
        data.extend_from_slice(&chunk[..size]);
        body = chunk[size..].strip_prefix(b"\r\n").unwrap_or_default();
    }
    data
}

/// Appends the milliseconds between two times, with nanoseconds as decimals; 0 if `until` is earlier.
fn millis(out: &mut Vec<u8>, from: Time, until: Time) {
    let nanos = until.0.saturating_sub(from.0);
    // Writing to a vector cannot fail.
    let _ = write!(out, "{}.{:06}", nanos / 1_000_000, nanos % 1_000_000);
}
