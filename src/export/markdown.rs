//! Markdown (GitHub's, for its tables): for each record a heading, the figure in a code block, a table of its fields with what they mean,
//! the content of its message, and its findings with the reason of each rule.
//!
//! Captured text is escaped: it cannot end a code block, begin a cell, or become markup.

use std::io::Write as _;

use super::ExportError;
use super::sink::Sink;
use super::source::{Bytes, Source};
use super::timestamp::Timestamps;
use crate::capture::store::record::Record;
use crate::explain::{self, Explanation, FrameContext};
use crate::picture::ThemeName;
use crate::picture::figure::{self, FigureStyle};
use crate::proto::dissected::Kind;
use crate::proto::rules::count;
use crate::wire::field::Field;
use crate::wire::frame::FrameHead;
use crate::wire::http::Head;
use crate::wire::printable;

/// The most bytes of a payload or message that are shown.
const SHOWN_PAYLOAD: usize = 1024;

/// Bytes per row of a payload that is no text.
const HEX_ROW: usize = 16;

/// Characters that have a meaning in Markdown, wherever they are in a line.
const MARKUP: &str = r"\`*_[]<>|~&$";

pub(super) fn write(source: &mut Source<'_>, sink: &mut Sink<'_>) -> Result<Option<String>, ExportError> {
    let name = source.capture.path().file_name().map(|name| name.to_string_lossy().into_owned());
    line(sink, &format!("# {}", escaped(&name.unwrap_or_default())));
    if let Some(words) = source.capture.reconstructed() {
        line(
            sink,
            &format!("\nThe bytes are reconstructed from {}: they are not what crossed the wire.", escaped(words)),
        );
    }
    if let Some(words) = super::words::decrypted(source.capture) {
        line(sink, &format!("\n{words}"));
    }
    let mut writer =
        MarkdownWriter { style: FigureStyle::named(ThemeName::Mono), times: Timestamps::default(), wire: Vec::new() };
    source.each(|bytes, record| {
        writer.record(bytes, record, sink)?;
        sink.write_if_full()
    })?;
    Ok(None)
}

struct MarkdownWriter {
    style: FigureStyle,
    times: Timestamps,
    /// The first bytes of the record.
    wire: Vec<u8>,
}

impl MarkdownWriter {
    fn record(&mut self, bytes: &mut Bytes, record: &Record, sink: &mut Sink<'_>) -> Result<(), ExportError> {
        let fields = bytes.figure(record, &mut self.wire)?;
        let figure = self.style.of(record, &fields, &self.wire);
        let time = self.times.text(record.time);
        line(sink, &format!("\n## {}\n", capitalized(&figure::heading(record))));
        line(sink, &format!("Connection {} · offset {} · {time}", record.connection, record.offset));
        if let Some(note) = bytes.capture().note(record.no) {
            line(sink, &format!("\n> {}", escaped(&note)));
        }
        code_block(sink, &figure.body_text());
        match record.kind {
            Kind::Frame | Kind::CutFrame => {
                let head = FrameHead::read(&self.wire);
                let context = head.map(|head| FrameContext::of(bytes.capture(), record, head));
                table(sink, &fields, |field| context.as_ref().map(|context| explain::frame_field(context, field)));
                if let Some(head) = head {
                    payload(bytes, record, &head, sink)?;
                }
            }
            Kind::Request | Kind::Response | Kind::CutHttp => {
                let head = Head::read(&self.wire);
                table(sink, &fields, |field| Some(explain::http_field(&head, field)));
            }
            Kind::Junk | Kind::Gap | Kind::End(_) => {
                line(sink, &format!("\n{}", explained(&explain::record(record.kind, record.loss, record.direction))));
            }
        }
        findings(sink, record);
        Ok(())
    }
}

/// The table of fields. A field has no words if the frame is truncated inside its head.
fn table(sink: &mut Sink<'_>, fields: &[Field], words: impl Fn(&Field) -> Option<Explanation>) {
    line(sink, "\n| field | bits | value | what it means |\n| --- | --- | --- | --- |");
    for field in fields {
        let value = explain::value(field);
        let words = words(field).map(|words| explained(&words)).unwrap_or_default();
        let [name, shown] = [&field.name, &value.with_name()].map(|text| escaped(text));
        line(sink, &format!("| {name} | {} | {shown} | {words} |", value.raw));
    }
}

/// The unmasked payload, or the message that a compressed frame ends.
fn payload(bytes: &mut Bytes, record: &Record, head: &FrameHead, sink: &mut Sink<'_>) -> Result<(), ExportError> {
    if record.compressed {
        if let Some(message) = bytes.inflated(record)? {
            let condition = if message.assumed { ", if permessage-deflate was negotiated" } else { "" };
            content(sink, &format!("The message, inflated{condition}"), &message.bytes, message.len);
        }
        return Ok(());
    }
    let mut payload = Vec::new();
    bytes.payload(record, head, 0, &mut payload)?;
    if !payload.is_empty() {
        let title = if head.masking_key.is_some() { "The payload, unmasked" } else { "The payload" };
        content(sink, title, &payload, record.payload_len().unwrap_or(0));
    }
    Ok(())
}

/// A title and the first of `len` bytes: as text if they are text, otherwise as hex.
fn content(sink: &mut Sink<'_>, title: &str, bytes: &[u8], len: u64) {
    let shown = &bytes[..bytes.len().min(SHOWN_PAYLOAD)];
    let is_cut = (shown.len() as u64) < len;
    let text = match std::str::from_utf8(shown) {
        Ok(text) => Some(text),
        // The cut may be inside a character.
        Err(e) if is_cut && e.error_len().is_none() => std::str::from_utf8(&shown[..e.valid_up_to()]).ok(),
        Err(_) => None,
    };
    let first = if is_cut { format!(", the first {}", shown.len()) } else { String::new() };
    line(sink, &format!("\n{title} ({}{first}):", count(len, "byte")));
    let hex = |(i, row): (usize, &[u8])| {
        let characters: String = row.iter().map(|byte| printable::hex_cell(*byte)).collect();
        format!("{:04x}  {:<48}  {characters}", i * HEX_ROW, printable::hex_row(row))
    };
    let lines = match text {
        Some(text) => text.lines().map(|line| printable::text(line).into_owned()).collect(),
        None => shown.chunks(HEX_ROW).enumerate().map(hex).collect::<Vec<_>>(),
    };
    code_block(sink, &lines);
}

fn findings(sink: &mut Sink<'_>, record: &Record) {
    if !record.findings.is_empty() {
        sink.buffer.push(b'\n');
    }
    for finding in &record.findings {
        let why = explain::rule(finding.rule).text;
        line(sink, &format!("- **{}**: {}", finding.rule.severity().name(), escaped(&finding.sentence())));
        line(sink, &format!("  (`{}`, {}). {}", finding.rule.id(), finding.rule.section(), escaped(&why)));
    }
}

/// Writes a code block, whose fence is longer than any in the lines.
fn code_block(sink: &mut Sink<'_>, lines: &[String]) {
    let runs = lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len);
    let fence = "`".repeat(runs.max().map_or(3, |longest| (longest + 1).max(3)));
    line(sink, &format!("\n{fence}text"));
    lines.iter().for_each(|text| line(sink, text));
    line(sink, &fence);
}

fn line(sink: &mut Sink<'_>, text: &str) {
    // Writing to a vector cannot fail.
    let _ = writeln!(sink.buffer, "{}", text.trim_end());
}

/// An explanation with its section.
fn explained(words: &Explanation) -> String {
    match words.section.as_str() {
        "" => escaped(&words.text),
        section => format!("{} ({section})", escaped(&words.text)),
    }
}

/// Captured or other text in one line, without a meaning in Markdown.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in printable::text(text).chars() {
        if MARKUP.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captured_text_is_no_markup_and_ends_no_code_block() {
        assert_eq!(escaped("a|b <i> [x](y) `z`\n"), r"a\|b \<i\> \[x\](y) \`z\`␊");
        let mut out = Vec::new();
        let mut sink = Sink::new(&mut out);
        code_block(&mut sink, &["````".to_owned(), "a```b".to_owned()]);
        assert_eq!(String::from_utf8_lossy(&sink.buffer), "\n`````text\n````\na```b\n`````\n");
    }
}
