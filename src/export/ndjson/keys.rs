//! The keys of the objects, in groups that several record types share.

use crate::capture::store::Capture;
use crate::capture::store::message_reader::Inflated;
use crate::capture::store::record::Record;
use crate::export::json::{
    self, bool_field, list_field, null_field, number_field, object_field, optional, quoted_field, string_field,
};
use crate::export::source::Bytes;
use crate::export::{ExportError, findings};
use crate::proto::accept::AcceptBench;
use crate::proto::deflate::InflateError;
use crate::proto::rules::Finding;
use crate::wire::frame;
use crate::wire::http::{Head, StartLine};
use crate::wire::opcode::Opcode;
use crate::wire::partial_head::PartialFrameHead;

/// The longest close reason with a key of its own, in bytes. A longer one is only in `data`.
const MAX_REASON: usize = 64 * 1024;

/// How a frame's payload is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// As text.
    Text,
    /// In base64.
    Data,
    /// Not at all: the frame is truncated inside its head.
    Unknown,
}

/// A word that needs no escaping.
pub fn word_field(out: &mut Vec<u8>, name: &str, word: &str) {
    quoted_field(out, name, |out| out.extend_from_slice(word.as_bytes()));
}

pub fn addresses(capture: &Capture, record: &Record, out: &mut Vec<u8>) {
    let connection = capture.connection(record.connection);
    let [client, server] = match &connection {
        Some(connection) => [Some(connection.client.to_string()), Some(connection.server.to_string())],
        None => [None, None],
    };
    optional(out, "client", client.as_deref(), string_field);
    optional(out, "server", server.as_deref(), string_field);
    if let Some(tls) = connection.as_ref().and_then(|connection| connection.tls) {
        string_field(out, "tls", &tls.to_string());
    }
    if connection.is_some_and(|connection| connection.about.delivered) {
        bool_field(out, "delivered", true);
    }
}

pub fn request_fields(out: &mut Vec<u8>, head: &Head<'_>) {
    let (method, target, version) = match &head.start {
        StartLine::Request { method, target, version } => (head.text(method), head.text(target), head.text(version)),
        StartLine::Response { version, .. } => (String::new(), String::new(), head.text(version)),
    };
    for (name, value) in [("method", method), ("target", target), ("version", version)] {
        optional(out, name, Some(value.as_str()).filter(|value| !value.is_empty()), string_field);
    }
    headers(out, head);
}

pub fn response_fields(out: &mut Vec<u8>, head: &Head<'_>) {
    optional(out, "status", head.status().map(u64::from), number_field);
    let reason = match &head.start {
        StartLine::Response { reason, .. } => Some(head.text(reason)),
        StartLine::Request { .. } => None,
    };
    optional(out, "reason", reason.as_deref(), string_field);
    headers(out, head);
}

fn headers(out: &mut Vec<u8>, head: &Head<'_>) {
    list_field(out, "headers", &head.headers, |out, line| {
        out.push(b'[');
        json::string(out, &head.text(&line.name));
        out.push(b',');
        json::string(out, &head.text(&line.value));
        out.push(b']');
    });
}

/// The computation of the accept key, for a 101 response whose request has a key and is in the capture.
pub fn accept(bytes: &mut Bytes, record: &Record, head: &Head<'_>) -> Result<Option<AcceptBench>, ExportError> {
    let Some(request) = record.answers.filter(|_| record.code == 101).and_then(|no| bytes.capture().record(no)) else {
        return Ok(None);
    };
    let mut raw = Vec::new();
    bytes.wire(&request, 0, &mut raw)?;
    let key = Head::read(&raw).value("sec-websocket-key");
    Ok(key.map(|key| AcceptBench::new(key, head.value("sec-websocket-accept"))))
}

/// Appends `inflated` or `inflated_data`, for the record that ends a compressed message.
pub fn inflated_fields(out: &mut Vec<u8>, message: Option<&Inflated>) {
    // A message that is not a valid DEFLATE stream has no inflated content.
    let message = message.filter(|message| !matches!(message.fault, Some(InflateError::Invalid(_))));
    let text = message.and_then(Inflated::text);
    if message.is_some_and(|message| message.assumed) {
        bool_field(out, "deflate_assumed", true);
    }
    optional(out, "inflated", text, string_field);
    optional(out, "inflated_data", message.filter(|_| text.is_none()), |out, name, message| {
        quoted_field(out, name, |out| json::base64(out, &message.bytes));
    });
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that `optional` asks for")]
pub fn accept_field(out: &mut Vec<u8>, name: &str, bench: AcceptBench) {
    object_field(out, name, |out| {
        string_field(out, "key", &bench.key);
        string_field(out, "expected", &bench.expected);
        optional(out, "received", bench.received.as_deref(), string_field);
        bool_field(out, "ok", bench.is_ok());
    });
}

/// Appends `fin` to `masking_key` of a frame whose first bytes are `wire`. For a truncated head, those that are certain.
pub fn head_fields(out: &mut Vec<u8>, wire: &[u8]) {
    let start = PartialFrameHead::read(wire);
    let rsv = start.map(|start| [start.rsv1, start.rsv2, start.rsv3]);
    optional(out, "fin", start.map(|start| start.fin), bool_field);
    for (i, name) in ["rsv1", "rsv2", "rsv3"].into_iter().enumerate() {
        optional(out, name, rsv.map(|rsv| rsv[i]), bool_field);
    }
    let opcode = start.map(|start| start.opcode);
    optional(out, "opcode", opcode.map(|opcode| u64::from(opcode.to_wire())), number_field);
    optional(out, "opcode_name", opcode.map(Opcode::name), string_field);
    optional(out, "mask", start.and_then(|start| start.masked), bool_field);
    optional(out, "len_code", start.and_then(|start| start.len_code).map(u64::from), number_field);
    optional(out, "payload_len", start.and_then(|start| start.payload_len()), number_field);
    optional(out, "header_len", start.and_then(|start| start.header_len()).map(|len| len as u64), number_field);
    optional(out, "masking_key", start.and_then(|start| start.masking_key), |out, name, masking_key| {
        quoted_field(out, name, |out| json::hex(out, &masking_key));
    });
}

pub fn small_payload(out: &mut Vec<u8>, payload: Payload, bytes: &[u8]) {
    match payload {
        Payload::Text => {
            string_field(out, "text", std::str::from_utf8(bytes).unwrap_or_default());
            null_field(out, "data");
        }
        Payload::Data => {
            null_field(out, "text");
            quoted_field(out, "data", |out| json::base64(out, bytes));
        }
        Payload::Unknown => {
            null_field(out, "text");
            null_field(out, "data");
        }
    }
}

/// Appends the code and the reason of a Close frame, if it has them. A reason that is not UTF-8 is only in `data`.
pub fn close_fields(out: &mut Vec<u8>, payload: Option<&[u8]>) {
    let code = payload.and_then(frame::close_code);
    optional(out, "close_code", code.map(|code| u64::from(code.0)), number_field);
    let reason = payload.and_then(|payload| payload.get(2..)).filter(|r| (1..=MAX_REASON).contains(&r.len()));
    optional(out, "close_reason", reason.and_then(|reason| std::str::from_utf8(reason).ok()), string_field);
}

pub fn findings_field(out: &mut Vec<u8>, findings: &[Finding]) {
    list_field(out, "findings", findings, |out, finding| json::object(out, |out| findings::fields(out, finding)));
}
