//! An annotated hex dump for people: a line per field with its offset, bytes, name and value. A frame's unmasked payload
//! follows with its characters. A header's name and value are next to its first bytes.

use std::io::Write as _;
use std::ops::Range;

use super::sink::Sink;
use super::source::{Bytes, PIECE, Source};
use super::timestamp::Timestamps;
use super::{ExportError, words};
use crate::capture::store::record::Record;
use crate::proto::dissected::{Kind, Loss};
use crate::proto::rules::count;
use crate::wire::field::{Field, FieldId, FieldValue};
use crate::wire::frame::{self, FrameHead};
use crate::wire::http::Head;
use crate::wire::printable;

/// Bytes per row.
const ROW: usize = 16;

pub(super) fn write(source: &mut Source<'_>, sink: &mut Sink<'_>) -> Result<Option<String>, ExportError> {
    let mut times = Timestamps::default();
    let mut buffer = Vec::new();
    source.each(|bytes, record| {
        line(sink, format_args!("{}", words::record(bytes.capture(), record, &mut times)));
        match record.kind {
            Kind::Frame | Kind::CutFrame => write_frame(bytes, record, &mut buffer, sink)?,
            Kind::Request | Kind::Response | Kind::CutHttp => write_http(bytes, record, &mut buffer, sink)?,
            Kind::Junk => {
                let rows = Rows { source: RowSource::Wire(0..record.wire_len), name: "opaque", value: None };
                dump(sink, bytes, record, rows, &mut buffer)?;
            }
            Kind::Gap => {
                let bytes = count(record.wire_len, "byte");
                let words = match record.loss {
                    Loss::Lost => format!("{bytes} not captured"),
                    Loss::Estimated => format!("about {bytes} not captured"),
                    Loss::Unread => format!("{bytes} of TLS in a tunnel, not read by framescope"),
                    Loss::Unchanged => format!("{bytes} delivered unchanged"),
                };
                line(sink, format_args!("          {words}"));
            }
            Kind::End(how) => line(sink, format_args!("          {}", how.name())),
        }
        for finding in &record.findings {
            line(sink, format_args!("          {}", words::finding(finding)));
        }
        sink.buffer.push(b'\n');
        sink.write_if_full()
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
    for (i, field) in fields.iter().enumerate() {
        let range = field.span.byte_range();
        let name = printable::text(&field.name);
        if field.id == FieldId::Body {
            head_row(sink, range.start, &[], &name, &words::value(field));
            let rows = Rows { source: RowSource::Wire(range), name: "", value: None };
            // A body is the last field: the buffer may be overwritten.
            return dump(sink, bytes, record, rows, buffer);
        }
        // Include the space or line break after it, so that every byte is shown.
        let end = fields.get(i + 1).map_or(record.wire_len, |next| next.span.byte_range().start);
        let raw = buffer.get(range.start as usize..buffer.len().min(end as usize)).unwrap_or_default();
        let (mut name, mut value) = (name.into_owned(), words::value(field));
        for (row, chunk) in raw.chunks(ROW).enumerate() {
            let at = range.start + (row * ROW) as u64;
            head_row(sink, at, chunk, &std::mem::take(&mut name), &std::mem::take(&mut value));
        }
    }
    Ok(())
}

/// Writes a row of a head: offset and bytes, and on a field's first row its name and value. Header names are longer than
/// those of a frame's fields, so they take the column of the bits too.
fn head_row(sink: &mut Sink<'_>, at: u64, bytes: &[u8], name: &str, value: &str) {
    let hex = printable::hex_row(bytes);
    line(sink, format_args!("{at:08x}  {hex:<48}  {name:<23}  {value}"));
}

fn write_frame(
    bytes: &mut Bytes,
    record: &Record,
    buffer: &mut Vec<u8>,
    sink: &mut Sink<'_>,
) -> Result<(), ExportError> {
    bytes.wire(record, 0, buffer)?;
    let head = FrameHead::read(buffer);
    let masked = head.filter(|head| head.masking_key.is_some());
    for field in frame::fields(buffer, record.wire_len) {
        let range = field.span.byte_range();
        if matches!(field.value, FieldValue::Length(_)) {
            let value = masked.map(|_| format!("{}, masked", words::value(&field)));
            dump(sink, bytes, record, Rows { source: RowSource::Wire(range), name: &field.name, value }, buffer)?;
        } else {
            let raw = buffer.get(range.start as usize..range.end as usize).unwrap_or_default();
            row(sink, range.start, raw, &bits(&field, raw), &field.name, &words::value(&field));
        }
    }
    match masked {
        Some(head) => {
            dump(sink, bytes, record, Rows { source: RowSource::Payload(head), name: "unmasked", value: None }, buffer)
        }
        None => Ok(()),
    }
}

/// The rows of a long field.
struct Rows<'a> {
    source: RowSource,
    /// Shown on the first row.
    name: &'a str,
    /// Shown on the first row. Without a value, each row shows its bytes as characters.
    value: Option<String>,
}

/// Where the bytes of the rows come from.
enum RowSource {
    /// These wire bytes of the record.
    Wire(Range<u64>),
    /// The unmasked payload.
    Payload(FrameHead),
}

/// Writes the rows of a long field. Reads one piece at a time into `buffer`.
fn dump(
    sink: &mut Sink<'_>,
    bytes: &mut Bytes,
    record: &Record,
    rows: Rows<'_>,
    buffer: &mut Vec<u8>,
) -> Result<(), ExportError> {
    let (start, end) = match &rows.source {
        RowSource::Wire(range) => (range.start, range.end),
        RowSource::Payload(_) => (0, u64::MAX),
    };
    let Rows { source, mut name, mut value } = rows;
    let has_value = value.is_some();
    let mut at = start;
    while at < end {
        match &source {
            RowSource::Wire(_) => bytes.wire(record, at, buffer)?,
            RowSource::Payload(head) => bytes.payload(record, head, at, buffer)?,
        }
        buffer.truncate(usize::try_from(end - at).unwrap_or(usize::MAX).min(buffer.len()));
        if buffer.len() as u64 == PIECE {
            // Do not split a row between pieces.
            buffer.truncate(buffer.len() - buffer.len() % ROW);
        }
        if buffer.is_empty() {
            break;
        }
        for chunk in buffer.chunks(ROW) {
            let text = if has_value { value.take().unwrap_or_default() } else { words::characters(chunk) };
            row(sink, at, chunk, "", std::mem::take(&mut name), &text);
            at += chunk.len() as u64;
        }
        sink.write_if_full()?;
    }
    Ok(())
}

/// Writes a row: offset, bytes, the bits if the field is smaller than a byte, its name, and its value or its bytes as
/// characters.
fn row(sink: &mut Sink<'_>, at: u64, bytes: &[u8], bits: &str, name: &str, value: &str) {
    let hex = printable::hex_row(bytes);
    line(sink, format_args!("{at:08x}  {hex:<48}  {bits:<9}  {name:<12}  {value}"));
}

/// The bits of a field that is smaller than a byte, with dots for the other bits: `.... 0001`.
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
