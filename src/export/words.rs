//! Fields and records in words, for the formats that people read. The text is safe for a terminal.

use super::timestamp::Timestamps;
use crate::capture::store::Capture;
use crate::capture::store::record::Record;
use crate::explain;
use crate::proto::rules::{Finding, count, grouped};
use crate::wire::field::Field;
use crate::wire::printable;

/// The value of a field, with the name of the number if it has one.
pub fn value(field: &Field) -> String {
    explain::value(field).with_name()
}

/// A field in one line: name, bits or bytes on the wire if they are few, and value.
pub fn field(field: &Field) -> String {
    let words = explain::value(field);
    // For a single bit, the value repeats the bit.
    let value = if words.raw == words.value { String::new() } else { words.with_name() };
    format!("{:<12}  {:<7}  {value}", field.name, words.raw)
}

/// What a capture says about connections whose bytes TLS had encrypted; `None` if there are none.
pub fn decrypted(capture: &Capture) -> Option<String> {
    let connections = capture.totals().decrypted;
    (connections > 0)
        .then(|| format!("the bytes of {} are decrypted: TLS had encrypted them", count(connections, "connection")))
}

/// A record in one line.
pub fn record(capture: &Capture, record: &Record, times: &mut Timestamps) -> String {
    let kind = match record.opcode() {
        Some(opcode) => format!("{} {}", record.kind.name(), opcode.name()),
        None => record.kind.name().to_owned(),
    };
    let mut line = format!(
        "record {} · {kind} · connection {}{} · {} · offset {} · {}",
        record.no,
        record.connection,
        direction(record),
        times.text(record.time),
        record.offset,
        count(record.wire_len, "byte")
    );
    if let Some(note) = capture.note(record.no) {
        line.push_str(" · note: ");
        line.push_str(&printable::text(&note));
    }
    line
}

/// The direction of a record after a dot, or nothing if it is not known.
pub fn direction(record: &Record) -> String {
    record.known_direction().map_or(String::new(), |direction| format!(" · {}", direction.words()))
}

/// A finding in one line.
pub fn finding(finding: &Finding) -> String {
    format!("! {}", finding.line())
}

/// The bytes as characters, for the last column of a hex dump.
pub fn characters(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| printable::hex_cell(*byte)).collect()
}

/// The numbers of findings by severity: `2 errors, 1 warning, 3 info`.
pub fn by_severity([info, warning, error]: [u64; 3]) -> String {
    format!("{}, {}, {} info", count(error, "error"), count(warning, "warning"), grouped(info))
}
