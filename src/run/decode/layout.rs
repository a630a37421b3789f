//! The drawing, fields, payload and findings of each record, in text.

use std::io;

use unicode_width::UnicodeWidthStr as _;

use crate::capture::store::Capture;
use crate::capture::store::message_reader::{Inflated, MessageReader};
use crate::capture::store::record::Record;
use crate::explain::{self, Explanation, FrameContext};
use crate::export::words;
use crate::picture::figure::{FigureStyle, SHOWN_BYTES};
use crate::picture::{Line, ThemeName};
use crate::proto::dissected::Kind;
use crate::proto::rules::count;
use crate::run::text::wrapped;
use crate::wire::field::Field;
use crate::wire::frame;
use crate::wire::http::Head;
use crate::wire::printable;

/// The most bytes of a payload that are shown.
const SHOWN_PAYLOAD: u64 = 256;

/// The most bytes of an HTTP head that are shown: every valid head fits.
const SHOWN_HEAD: u64 = 64 * 1024;

/// The line after a message with RSV1 that is no DEFLATE data as it was pasted (RFC 7692 §7.2.3.2).
const NOT_INFLATED: &str =
    " message not inflated: it refers to earlier messages, which are not in the input, or it is not compressed";

/// The records after a line that says how the input was read. With `explain`, the meaning of each field follows it. With `deflate`, the
/// user said that permessage-deflate was negotiated.
///
/// # Errors
/// If the bytes of a record cannot be read.
pub(super) fn page(read_as: &str, capture: &Capture, explain: bool, deflate: bool) -> io::Result<String> {
    let mut page = Page {
        capture,
        explain,
        deflate,
        style: FigureStyle::named(ThemeName::Mono),
        messages: MessageReader::default(),
        lines: vec![read_as.to_owned()],
    };
    for record in capture.records(1..u64::MAX) {
        page.lines.push(String::new());
        page.record(&record)?;
    }
    Ok(page.lines.join("\n") + "\n")
}

struct Page<'c> {
    capture: &'c Capture,
    explain: bool,
    deflate: bool,
    /// Of the drawings.
    style: FigureStyle,
    messages: MessageReader,
    lines: Vec<String>,
}

impl Page<'_> {
    fn record(&mut self, record: &Record) -> io::Result<()> {
        match record.kind {
            Kind::Frame | Kind::CutFrame => self.frame(record)?,
            Kind::Request | Kind::Response | Kind::CutHttp => self.http(record)?,
            Kind::Junk | Kind::Gap | Kind::End(_) => self.unread(record)?,
        }
        for finding in &record.findings {
            self.lines.push(format!(" {}", words::finding(finding)));
            if self.explain {
                self.words(&explain::rule(finding.rule));
            }
        }
        Ok(())
    }

    fn frame(&mut self, record: &Record) -> io::Result<()> {
        let opcode = record.opcode().map_or("frame", |opcode| opcode.name());
        let truncated = if record.kind == Kind::CutFrame { " · truncated" } else { "" };
        self.title("frame", opcode, record, truncated);
        let beginning = self.capture.wire(record, 0..SHOWN_BYTES)?;
        let fields = frame::fields(&beginning, record.wire_len);
        let head = self.capture.frame_head(record)?;
        let grid = self.style.frame(&fields, &beginning, &record.findings);
        self.lines.extend(grid.iter().map(Line::to_string));
        let context = head.map(|head| FrameContext::of(self.capture, record, head));
        let explanation = |field: &Field| context.as_ref().map(|context| explain::frame_field(context, field));
        self.rows_of_fields(fields.iter().map(words::field).collect(), &fields, explanation);
        self.payload(record)?;
        match self.messages.message(self.capture, record, SHOWN_PAYLOAD)? {
            Some(message) => self.inflated(&message),
            None if record.compressed && record.fin() && record.kind == Kind::Frame => {
                self.lines.push(NOT_INFLATED.into());
            }
            None => {}
        }
        match (record.kind, head) {
            (Kind::CutFrame, Some(head)) => {
                let missing = head.payload_len.saturating_sub(record.payload_len().unwrap_or(0));
                self.lines.push(format!(" the input ends inside the frame: {} missing", count(missing, "byte")));
            }
            (Kind::CutFrame, None) => {
                self.lines.push(" the input ends inside the head of the frame".to_owned());
                if self.explain {
                    self.words(&explain::record(record.kind, record.loss, record.direction));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn payload(&mut self, record: &Record) -> io::Result<()> {
        let payload = self.capture.payload(record, 0..SHOWN_PAYLOAD)?;
        if payload.is_empty() {
            return Ok(());
        }
        let which = if record.masked() { "unmasked payload" } else { "payload" };
        self.lines.push(format!(" {which}"));
        self.hex_rows(&payload);
        let more = record.payload_len().unwrap_or(0).saturating_sub(SHOWN_PAYLOAD);
        if more > 0 {
            self.lines.push(format!("  … {} more; --to payload prints all", count(more, "byte")));
        }
        Ok(())
    }

    /// The content of a compressed message, after its last frame.
    fn inflated(&mut self, message: &Inflated) {
        let condition = match (message.assumed, self.deflate) {
            (true, true) => " with permessage-deflate, as --deflate says",
            (true, false) => ", if permessage-deflate was negotiated",
            (false, _) => "",
        };
        self.lines.push(format!(" message inflated{condition}: {}", count(message.len, "byte")));
        match message.text() {
            Some(text) => self.lines.push(format!("  {}", printable::text(text))),
            None => self.hex_rows(&message.bytes),
        }
        let more = message.len.saturating_sub(message.bytes.len() as u64);
        if more > 0 {
            self.lines.push(format!("  … {} more", count(more, "byte")));
        }
    }

    fn http(&mut self, record: &Record) -> io::Result<()> {
        let bytes = self.capture.wire(record, 0..SHOWN_HEAD)?;
        self.title("record", record.kind.name(), record, "");
        let head = Head::read(&bytes);
        let fields = head.fields(record.wire_len);
        let rows: Vec<_> = fields.iter().map(|field| (printable::text(&field.name), words::value(field))).collect();
        let width = rows.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
        let rows = rows.iter().map(|(name, value)| format!("{name}{:pad$}  {value}", "", pad = width - name.width()));
        self.rows_of_fields(rows.collect(), &fields, |field| Some(explain::http_field(&head, field)));
        Ok(())
    }

    fn unread(&mut self, record: &Record) -> io::Result<()> {
        self.title("record", record.kind.name(), record, "");
        if self.explain {
            self.words(&explain::record(record.kind, record.loss, record.direction));
        }
        if record.kind == Kind::Junk {
            let bytes = self.capture.wire(record, 0..SHOWN_PAYLOAD)?;
            self.hex_rows(&bytes);
        }
        Ok(())
    }

    fn title(&mut self, what: &str, kind: &str, record: &Record, end: &str) {
        let len = count(record.wire_len, "byte");
        let direction = words::direction(record);
        self.lines.push(format!("{what} {} · {kind}{direction} · {len} on the wire{end}", record.no));
    }

    /// A row per field, and its explanation.
    fn rows_of_fields(
        &mut self,
        rows: Vec<String>,
        fields: &[Field],
        explanation: impl Fn(&Field) -> Option<Explanation>,
    ) {
        for (row, field) in rows.into_iter().zip(fields) {
            self.lines.push(format!(" {row}").trim_end().to_owned());
            if let Some(words) = explanation(field).filter(|_| self.explain) {
                self.words(&words);
            }
        }
    }

    fn words(&mut self, words: &Explanation) {
        let section = if words.section.is_empty() { String::new() } else { format!(" ({})", words.section) };
        self.lines.extend(wrapped("     ", &format!("{}{section}", words.text)).lines().map(str::to_owned));
    }

    fn hex_rows(&mut self, bytes: &[u8]) {
        for (i, row) in bytes.chunks(16).enumerate() {
            let (hex, characters) = (printable::hex_row(row), words::characters(row));
            self.lines.push(format!("  {:04x}  {hex:<48}  {characters}", i * 16));
        }
    }
}
