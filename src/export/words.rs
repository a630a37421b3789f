//! Fields and records in words, for the formats that people read. All text here is safe for a terminal.

use super::timestamp::Timestamps;
use crate::capture::store::Capture;
use crate::capture::store::record::Record;
use crate::explain;
use crate::proto::rules::{Finding, count};
use crate::wire::field::Field;
use crate::wire::printable;

/// What a field says, with its name where it is a number that has one.
pub fn value(field: &Field) -> String {
    explain::value(field).with_name()
}

/// What a record is, in a line.
pub fn record(capture: &Capture, record: &Record, times: &mut Timestamps) -> String {
    let kind = match record.opcode() {
        Some(opcode) => format!("{} {}", record.kind.name(), opcode.name()),
        None => record.kind.name().to_owned(),
    };
    let mut line = format!(
        "record {} · {kind} · connection {}{} · {} · offset {} · {}",
        record.no,
        record.connection,
        way(record),
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

/// Which way a record went, behind a dot; empty when that is not known.
pub fn way(record: &Record) -> String {
    record.known_direction().map_or(String::new(), |direction| format!(" · {}", direction.words()))
}

/// A finding, in a line.
pub fn finding(finding: &Finding) -> String {
    format!("! {}", finding.line())
}

/// Up to sixteen bytes as hex, in two groups of eight.
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

/// The same bytes as characters.
pub fn characters(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| printable::hex_cell(*byte)).collect()
}
