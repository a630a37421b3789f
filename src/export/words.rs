//! Fields and records in words, for the formats that people read. The text is safe for a terminal.

use super::timestamp::Timestamps;
use crate::capture::store::Capture;
use crate::capture::store::record::Record;
use crate::explain;
use crate::proto::rules::{Finding, count};
use crate::wire::field::Field;
use crate::wire::printable;

/// The value of a field, with the name of the number if it has one.
pub fn value(field: &Field) -> String {
    explain::value(field).with_name()
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

/// Up to 16 bytes as hex, in two groups of 8.
pub fn hex_row(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(49);
    for (i, byte) in bytes.iter().enumerate() {
        use std::fmt::Write as _;
        let gap = match i {
            0 => "",
            8 => "  ",
            _ => " ",
        };
        let _ = write!(out, "{gap}{byte:02x}");
    }
    out
}

/// The bytes as characters, for the last column of a hex dump.
pub fn characters(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| printable::hex_cell(*byte)).collect()
}
