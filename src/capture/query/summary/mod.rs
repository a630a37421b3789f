//! Summaries of records in one line, for lists and the headless output. All text is safe for a terminal.

mod message;

use std::time::Duration;

pub use self::message::of_message;
use super::partner::round_trip;
use crate::capture::store::Capture;
use crate::capture::store::message_reader::MessageReader;
use crate::capture::store::record::Record;
use crate::proto::dissected::{Direction, EndReason, Kind, Loss};
use crate::proto::rules::{Rule, count, grouped};
use crate::wire::close::CloseCode;
use crate::wire::http::{Head, StartLine};
use crate::wire::opcode::Opcode;
use crate::wire::printable;

/// Payload bytes that a preview reads.
const PREVIEW: u64 = 240;

/// Bytes of an HTTP head that are read for a line.
const HEAD: u64 = 16 * 1024;

/// The columns of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The kind in a word: a method, a status, an opcode's name.
    pub kind: String,
    /// The length in bytes: of a frame's payload, otherwise on the wire (also for a frame that was cut inside its head). `None` if the
    /// record has no bytes.
    pub length: Option<u64>,
    /// The names of the bits that are set in a frame; for a message facts about it.
    pub bits: String,
    /// The beginning of the content, or why it cannot be read.
    pub preview: String,
    /// Fewer words for a narrow column, if the preview has such a form.
    pub brief: Option<String>,
    /// Whether the content was read. If not, a later attempt may succeed.
    pub is_read: bool,
}

/// Summarizes a record. `reader` inflates the beginning of compressed messages; lines of nearby records are cheaper with the same
/// one. If the file cannot be read, the preview says so.
pub fn of(capture: &Capture, record: &Record, reader: &mut MessageReader) -> Summary {
    let length = match record.kind {
        Kind::End(_) => None,
        Kind::CutFrame if record.wire_len < record.header_len() => Some(record.wire_len),
        _ => Some(record.payload_len().unwrap_or(record.wire_len)),
    };
    let bits = match record.kind {
        Kind::Frame => bits(record),
        _ => String::new(),
    };
    let (kind, preview, is_read) = match kind_and_preview(capture, record, reader) {
        Ok((kind, preview)) => (kind, preview, true),
        Err(e) => (record.kind.name().to_owned(), unreadable(&e), false),
    };
    let brief = match (record.kind, record.answers, round_trip(capture, record)) {
        (Kind::Frame, Some(ping), Some(took)) => Some(format!("to record {ping}, {}", duration(took))),
        _ => None,
    };
    Summary { kind, length, bits, preview, brief, is_read }
}

fn unreadable(error: &std::io::Error) -> String {
    format!("cannot be read: {error}")
}

/// The names of the bits that are set in a frame: FIN, RSV1 to RSV3, MASK.
pub fn bits(record: &Record) -> String {
    let [first, second] = record.lead;
    let named = [
        (first, 0x80, "FIN"),
        (first, 0x40, "RSV1"),
        (first, 0x20, "RSV2"),
        (first, 0x10, "RSV3"),
        (second, 0x80, "MASK"),
    ];
    let set: Vec<&str> = named.into_iter().filter(|(byte, bit, _)| byte & bit != 0).map(|(.., name)| name).collect();
    set.join(" ")
}

fn kind_and_preview(
    capture: &Capture,
    record: &Record,
    reader: &mut MessageReader,
) -> std::io::Result<(String, String)> {
    Ok(match record.kind {
        Kind::Request | Kind::Response => head_line(&capture.wire(record, 0..HEAD)?, record),
        Kind::Frame => {
            let name = record.opcode().map_or("frame", Opcode::name).to_owned();
            (name, payload_preview(capture, record, reader)?)
        }
        Kind::Gap => {
            let torn = capture.is_torn(record);
            let words = match record.loss {
                _ if torn => "a part of it was evicted".to_owned(),
                Loss::Lost | Loss::Estimated => "bytes that the capture lacks".to_owned(),
                Loss::Unread => format!("{} of TLS that framescope did not read", count(record.wire_len, "byte")),
                Loss::Unchanged => "bytes that were delivered unchanged".to_owned(),
            };
            ("gap".to_owned(), words)
        }
        Kind::End(how) => ("end".to_owned(), end_words(record.direction, how).to_owned()),
        Kind::Junk => {
            let bytes = capture.wire(record, 0..PREVIEW)?;
            let text =
                if looks_like_tls(&bytes) { "a TLS handshake, not plain HTTP".to_owned() } else { readable(&bytes) };
            ("junk".to_owned(), text)
        }
        Kind::CutHttp => ("cut".to_owned(), format!("ended inside: {}", readable(&capture.wire(record, 0..PREVIEW)?))),
        Kind::CutFrame => {
            let what = record.opcode().map_or("frame", Opcode::name);
            let announced = capture.frame_head(record)?.map(|head| head.payload_len);
            let missing = match (announced, record.payload_len()) {
                (Some(announced), Some(had)) => {
                    format!("{} of {} of payload", grouped(had.min(announced)), count(announced, "byte"))
                }
                _ => format!("{} of its head", count(record.wire_len, "byte")),
            };
            ("cut".to_owned(), format!("{what} frame, cut after {missing}"))
        }
    })
}

fn head_line(bytes: &[u8], record: &Record) -> (String, String) {
    let head = Head::read(bytes);
    match &head.start {
        StartLine::Request { method, target, .. } => {
            (printable::text(&head.text(method)).into_owned(), printable::text(&head.text(target)).into_owned())
        }
        StartLine::Response { status, reason, .. } => {
            let mut preview = printable::text(&head.text(reason)).into_owned();
            if record.code == 101 && record.answers.is_some() && head.value("sec-websocket-accept").is_some() {
                let wrong = record.findings.iter().any(|f| matches!(f.rule, Rule::AcceptWrong | Rule::AcceptKeySpaces));
                preview.push_str(if wrong { " · accept ✗" } else { " · accept ✓" });
            }
            if let Some(kind) = head.value("content-type") {
                preview.push_str(" · ");
                preview.push_str(&printable::bytes(kind));
            }
            (printable::text(&head.text(status)).into_owned(), preview)
        }
    }
}

fn payload_preview(capture: &Capture, record: &Record, reader: &mut MessageReader) -> std::io::Result<String> {
    let payload = capture.payload(record, 0..PREVIEW)?;
    let Some(opcode) = record.opcode() else { return Ok(String::new()) };
    Ok(match opcode {
        Opcode::Close => match payload.as_slice() {
            [] => "no code".to_owned(),
            [_] => "1 byte, not a code ✗".to_owned(),
            [high, low, reason @ ..] => {
                let mut words = close_code(CloseCode(u16::from_be_bytes([*high, *low])));
                if !reason.is_empty() {
                    words.push_str(" · ");
                    words.push_str(&printable::bytes(reason));
                }
                words
            }
        },
        _ if record.compressed => match reader.beginning(capture, record, PREVIEW)? {
            Some(message) if message.text().is_some() => {
                printable::text(message.text().unwrap_or_default()).into_owned()
            }
            Some(message) => format!("inflated: {}", hex_preview(&message.bytes)),
            None => format!("compressed: {}", hex_preview(&payload)),
        },
        Opcode::Pong => match answers(capture, record) {
            Some(answers) if payload.is_empty() => answers,
            Some(answers) => format!("{answers} · {}", readable(&payload)),
            None => readable(&payload),
        },
        Opcode::Binary | Opcode::Reserved(_) => hex_preview(&payload),
        _ => readable(&payload),
    })
}

/// A close code in words: its name, or that it must not be sent.
pub fn close_code(code: CloseCode) -> String {
    if code.may_be_sent() { format!("{} {}", code.0, code.name()) } else { format!("{} ✗ must not be sent", code.0) }
}

/// The ping that a pong answers, and the round-trip time: `answers record 5 after 1.2 ms`.
pub fn answers(capture: &Capture, record: &Record) -> Option<String> {
    let took = round_trip(capture, record)?;
    Some(format!("answers record {} after {}", record.answers?, duration(took)))
}

/// Formats nanoseconds with a fitting unit.
pub fn nanos(nanos: u64) -> String {
    duration(Duration::from_nanos(nanos))
}

/// Formats a duration with two or three significant digits: `870 ns`, `42 µs`, `1.2 ms`, `31 s`.
fn duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let (unit, name) = match nanos {
        0..1_000 => return format!("{nanos} ns"),
        1_000..1_000_000 => (1_000, "µs"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        _ => (1_000_000_000, "s"),
    };
    match nanos / unit {
        whole @ 0..10 => format!("{whole}.{} {name}", nanos % unit * 10 / unit),
        whole => format!("{whole} {name}"),
    }
}

/// Text if the bytes are UTF-8, otherwise hex.
fn readable(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => printable::text(text).into_owned(),
        // The last character may be cut because only a preview was read.
        Err(e) if e.error_len().is_none() && bytes.len() as u64 == PREVIEW => {
            printable::bytes(&bytes[..e.valid_up_to()]).into_owned()
        }
        Err(_) => hex_preview(bytes),
    }
}

fn hex_preview(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(64)];
    let mut out = String::with_capacity(shown.len() * 3 + 2);
    for (i, byte) in shown.iter().enumerate() {
        use std::fmt::Write as _;
        let _ = write!(out, "{}{byte:02x}", if i == 0 { "" } else { " " });
    }
    if shown.len() < bytes.len() {
        out.push_str(" …");
    }
    out
}

fn looks_like_tls(bytes: &[u8]) -> bool {
    matches!(bytes, [0x16, 0x03, 0x00..=0x04, ..])
}

const fn end_words(direction: Direction, how: EndReason) -> &'static str {
    match (direction, how) {
        (Direction::ClientToServer, EndReason::Fin) => "the client has no more to send (TCP FIN)",
        (Direction::ServerToClient, EndReason::Fin) => "the server has no more to send (TCP FIN)",
        (Direction::ClientToServer, EndReason::Rst) => "client to server, torn down (TCP RST)",
        (Direction::ServerToClient, EndReason::Rst) => "server to client, torn down (TCP RST)",
        (Direction::ClientToServer, EndReason::Capture) => "client to server, as far as it was captured",
        (Direction::ServerToClient, EndReason::Capture) => "server to client, as far as it was captured",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_or_three_significant_digits() {
        let said = |nanos| duration(Duration::from_nanos(nanos));
        assert_eq!([0, 999, 1_000, 42_999].map(said), ["0 ns", "999 ns", "1.0 µs", "42 µs"]);
        assert_eq!([1_250_000, 999_999_999, 1_000_000_000].map(said), ["1.2 ms", "999 ms", "1.0 s"]);
        assert_eq!(said(31_000_000_000), "31 s");
    }
}
