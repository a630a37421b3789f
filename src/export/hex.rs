//! An annotated hex dump, for reading: a line per field with its offset, bytes, name and value; of a frame also the unmasked
//! payload with its characters. The head of a request or response stands as text.

use std::io::Write as _;

use super::sink::Sink;
use super::source::{Bytes, Source};
use super::timestamp::Timestamps;
use super::{ExportError, words};
use crate::capture::record::Record;
use crate::proto::dissected::Kind;
use crate::wire::field::{Field, FieldId};
use crate::wire::frame::{self, FrameHead, HeadReading};
use crate::wire::http::Head;

/// Bytes in a row.
const ROW: usize = 16;

pub(super) fn write(source: &mut Source<'_>, sink: &mut Sink<'_>) -> Result<Option<String>, ExportError> {
    let mut times = Timestamps::default();
    let mut buffer = Vec::new();
    source.each(|bytes, record| {
        line(sink, format_args!("{}", words::record(bytes.capture(), record, &mut times)));
        match record.kind {
            Kind::Frame | Kind::CutFrame => write_frame(bytes, record, &mut buffer, sink)?,
            Kind::Request | Kind::Response | Kind::CutHttp => write_http(bytes, record, &mut buffer, sink)?,
            Kind::Junk => dump(sink, Rows { bytes, record, of: Of::Wire(0), label: None }, &mut buffer)?,
            Kind::Gap => line(sink, format_args!("          {} bytes that the capture lacks", record.wire_len)),
            Kind::End(how) => line(sink, format_args!("          {}", how.name())),
        }
        for finding in &record.findings {
            line(sink, format_args!("          {}", words::finding(finding)));
        }
        sink.buffer.push(b'\n');
        sink.settle()
    })?;
    Ok(None)
}

fn line(sink: &mut Sink<'_>, words: std::fmt::Arguments<'_>) {
    // Writing to a vector cannot fail.
    let _ = sink.buffer.write_fmt(words);
    while sink.buffer.last() == Some(&b' ') {
        sink.buffer.pop();
    }
    sink.buffer.push(b'\n');
}

fn write_http(
    bytes: &mut Bytes,
    record: &Record,
    buffer: &mut Vec<u8>,
    sink: &mut Sink<'_>,
) -> Result<(), ExportError> {
    bytes.wire(record, 0, buffer)?;
    let fields = Head::read(buffer).fields(record.wire_len);
    for field in fields {
        let start = field.span.byte_range().start;
        let name = crate::wire::printable::text(&field.name);
        line(sink, format_args!("{start:08x}  {name:<24}  {}", words::value(&field)));
        if field.id == FieldId::Body {
            dump(sink, Rows { bytes, record, of: Of::Wire(start), label: None }, buffer)?;
        }
    }
    Ok(())
}

fn write_frame(
    bytes: &mut Bytes,
    record: &Record,
    buffer: &mut Vec<u8>,
    sink: &mut Sink<'_>,
) -> Result<(), ExportError> {
    bytes.wire(record, 0, buffer)?;
    let head = match FrameHead::read(buffer) {
        HeadReading::Complete(head) => Some(head),
        HeadReading::NeedMore(_) => None,
    };
    let fields = frame::fields(buffer, record.wire_len);
    let masked = head.is_some_and(|head| head.masking_key.is_some());
    for field in &fields {
        let range = field.span.byte_range();
        if range.end - range.start > ROW as u64 || field.id == FieldId::Payload {
            let label = Some(field);
            let rows = Rows { bytes, record, of: Of::Wire(range.start), label };
            dump_until(sink, rows, buffer, range.end, !masked)?;
            continue;
        }
        let raw = buffer.get(range.start as usize..range.end as usize).unwrap_or_default();
        labelled(sink, range.start, raw, Some(field), None);
    }
    if let Some(head) = head.filter(|head| head.masking_key.is_some() && record.wire_len > head.header_len() as u64) {
        line(sink, format_args!("          unmasked payload"));
        dump(sink, Rows { bytes, record, of: Of::Payload(head), label: None }, buffer)?;
    }
    Ok(())
}

/// The rows of a dump.
struct Rows<'a> {
    bytes: &'a mut Bytes,
    record: &'a Record,
    of: Of,
    label: Option<&'a Field>,
}

#[derive(Clone, Copy)]
enum Of {
    /// The wire bytes from an offset on.
    Wire(u64),
    /// The unmasked payload.
    Payload(FrameHead),
}

fn dump(sink: &mut Sink<'_>, rows: Rows<'_>, buffer: &mut Vec<u8>) -> Result<(), ExportError> {
    dump_until(sink, rows, buffer, u64::MAX, true)
}

/// Writes rows up to an offset, with characters when they mean something.
fn dump_until(
    sink: &mut Sink<'_>,
    rows: Rows<'_>,
    buffer: &mut Vec<u8>,
    until: u64,
    characters: bool,
) -> Result<(), ExportError> {
    let Rows { bytes, record, of, label } = rows;
    let mut label = label;
    let mut at = match of {
        Of::Wire(from) => from,
        Of::Payload(_) => 0,
    };
    while at < until {
        match &of {
            Of::Wire(_) => bytes.wire(record, at, buffer)?,
            Of::Payload(head) => bytes.payload(record, head, at, buffer)?,
        }
        buffer.truncate(usize::try_from(until - at).unwrap_or(usize::MAX).min(buffer.len()));
        // Rows stay whole from piece to piece.
        let whole = buffer.len() - buffer.len() % ROW;
        if whole > 0 && at + (buffer.len() as u64) < record.wire_len {
            buffer.truncate(whole);
        }
        if buffer.is_empty() {
            break;
        }
        for row in buffer.chunks(ROW) {
            labelled(sink, at, row, label.take(), characters.then_some(row));
            at += row.len() as u64;
        }
        sink.settle()?;
    }
    Ok(())
}

/// A row: offset, bytes, the bits where a field has only some of them, its name and value, characters.
fn labelled(sink: &mut Sink<'_>, at: u64, bytes: &[u8], field: Option<&Field>, characters: Option<&[u8]>) {
    let hex = words::hex_row(bytes);
    let bits = field.map(|field| bits(field, bytes)).unwrap_or_default();
    let label =
        field.map(|field| format!("{bits:<9}  {:<12}  {}", field.name, words::value(field))).unwrap_or_default();
    match characters {
        Some(bytes) => {
            line(sink, format_args!("{at:08x}  {hex:<48}  {:<16}  {label}", words::characters(bytes)));
        }
        None => line(sink, format_args!("{at:08x}  {hex:<48}  {:<16}  {label}", "")),
    }
}

/// The bits of a field inside its one byte, the others as dots: `.... 0001`.
fn bits(field: &Field, bytes: &[u8]) -> String {
    let (start, end) = (field.span.start % 8, (field.span.end - 1) % 8 + 1);
    let [byte] = bytes else { return String::new() };
    if (start, end) == (0, 8) {
        return String::new();
    }
    let mut out = String::with_capacity(9);
    for i in 0..8 {
        if i == 4 {
            out.push(' ');
        }
        let bit = if byte >> (7 - i) & 1 == 1 { '1' } else { '0' };
        out.push(if (start..end).contains(&i) { bit } else { '.' });
    }
    out
}
