//! Findings as lines: for people, and as JSON objects. Also writes the objects of `findings` in NDJSON.

use super::json::{self, list_field, number_field, optional, quoted_field, string_field};
use super::timestamp::Timestamps;
use crate::capture::format::NDJSON_VERSION;
use crate::capture::store::record::Record;
use crate::proto::rules::{Finding, Severity};
use crate::proto::time::Time;
use crate::wire::field::Span;
use crate::wire::printable;

/// Appends the keys of a finding to an object: `rule` to `about`, then `number` and `by` where the finding has them.
pub(super) fn fields(out: &mut Vec<u8>, finding: &Finding) {
    string_field(out, "rule", finding.rule.id());
    string_field(out, "section", finding.rule.section());
    string_field(out, "severity", finding.rule.severity().name());
    string_field(out, "text", &finding.sentence());
    optional(out, "bits", finding.span, |out, name, span| {
        list_field(out, name, [span.start, span.end], json::number);
    });
    optional(out, "about", finding.about, number_field);
    if let Some(number) = finding.number {
        number_field(out, "number", number);
    }
    if let Some(side) = finding.by {
        string_field(out, "by", side.sender());
    }
}

/// The form of the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineStyle {
    /// For people and grep.
    Plain,
    /// The same, with terminal colours.
    Coloured,
    /// One JSON object per line.
    Json,
}

/// Writes one line per finding.
pub struct FindingLines {
    /// The name of the file, as it was given.
    file: String,
    style: LineStyle,
    times: Timestamps,
    /// The time of the first record: times for people count from it.
    start: Option<Time>,
}

impl FindingLines {
    /// Creates lines about the file named `file`.
    pub fn new(file: &str, style: LineStyle) -> Self {
        let file = match style {
            LineStyle::Json => file.to_owned(),
            _ => printable::text(file).into_owned(),
        };
        Self { file, style, times: Timestamps::default(), start: None }
    }

    /// Sets the time of the first record, unless it is set. Times for people count from it.
    pub fn set_start(&mut self, start: Time) {
        self.start.get_or_insert(start);
    }

    /// Appends a line for each finding of the record.
    pub fn append(&mut self, record: &Record, out: &mut Vec<u8>) {
        for finding in &record.findings {
            match self.style {
                LineStyle::Json => self.append_json(record, finding, out),
                style => out.extend_from_slice(self.text(record, finding, style == LineStyle::Coloured).as_bytes()),
            }
            out.push(b'\n');
        }
    }

    fn append_json(&mut self, record: &Record, finding: &Finding, out: &mut Vec<u8>) {
        json::object(out, |out| {
            number_field(out, "v", NDJSON_VERSION);
            string_field(out, "file", &self.file);
            number_field(out, "record", record.no);
            number_field(out, "conn", u64::from(record.connection));
            string_field(out, "dir", record.direction.name());
            quoted_field(out, "time", |out| self.times.push(out, record.time));
            fields(out, finding);
        });
    }

    /// ```text
    /// a.pcapng:record 5: error[rsv1-set]: RSV1 is 1 (RFC 6455 §5.2, bit 1) · connection 1 · client → server · 0.003122 s
    /// ```
    fn text(&self, record: &Record, finding: &Finding, coloured: bool) -> String {
        let severity = finding.rule.severity();
        let [bold, level, faint, end] = match (coloured, severity) {
            (false, _) => [""; 4],
            (true, Severity::Error) => ["\x1b[1m", "\x1b[1;31m", "\x1b[2m", "\x1b[0m"],
            (true, Severity::Warning) => ["\x1b[1m", "\x1b[1;33m", "\x1b[2m", "\x1b[0m"],
            (true, Severity::Info) => ["\x1b[1m", "\x1b[1;34m", "\x1b[2m", "\x1b[0m"],
        };
        let sentence = finding.sentence();
        let bits = finding.span.map(|span| format!(", {}", bits(span))).unwrap_or_default();
        let about = finding.about.map(|no| format!(", about record {no}")).unwrap_or_default();
        format!(
            "{bold}{}:record {}:{end} {level}{}[{}]{end}: {} ({}{bits}{about}) \
             {faint}· connection {} · {} · {} s{end}",
            self.file,
            record.no,
            severity.name(),
            finding.rule.id(),
            printable::text(&sentence),
            finding.rule.section(),
            record.connection,
            record.direction.words(),
            record.time.seconds_since(self.start.unwrap_or(record.time))
        )
    }
}

/// A range of bits in words, such as `bit 8` or `bits 16–47` (both ends included).
pub fn bits(span: Span) -> String {
    match span.len() {
        0 | 1 => format!("bit {}", span.start),
        _ => format!("bits {}–{}", span.start, span.end - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::dissected::{Direction, Kind};
    use crate::proto::rules::Rule;

    fn record(findings: Vec<Finding>) -> Record {
        Record {
            no: 12,
            kind: Kind::Frame,
            connection: 3,
            direction: Direction::ClientToServer,
            time: Time(1_795_375_800_003_122_999),
            offset: 0,
            wire_len: 2,
            lead: [0xc1, 0],
            message: None,
            answers: None,
            code: 0,
            compressed: false,
            undirected: false,
            outstanding: false,
            findings,
        }
    }

    fn lines(style: LineStyle, findings: Vec<Finding>) -> String {
        let mut lines = FindingLines::new("a\x1b.pcapng", style);
        lines.set_start(Time(1_795_375_800_000_000_000));
        let mut out = Vec::new();
        lines.append(&record(findings), &mut out);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn a_line_begins_like_a_compiler_message_and_ends_with_the_position() {
        let findings = vec![
            Finding::new(Rule::ClientFrameUnmasked, Some(Span::bits(8, 9))),
            Finding::new(Rule::MethodNotGet, Some(Span::bits(0, 24))).text("\x1b[2J").about(Some(4)),
            Finding::new(Rule::HostMissing, None),
        ];
        assert_eq!(
            lines(LineStyle::Plain, findings),
            "a␛.pcapng:record 12: error[client-frame-unmasked]: MASK is 0, but a client must mask every frame \
             (RFC 6455 §5.1, bit 8) · connection 3 · client → server · 0.003122 s\n\
             a␛.pcapng:record 12: error[method-not-get]: the request method is ␛[2J; a WebSocket handshake must use GET \
             (RFC 6455 §4.1, bits 0–23, about record 4) · connection 3 · client → server · 0.003122 s\n\
             a␛.pcapng:record 12: error[host-missing]: the Host header is missing \
             (RFC 6455 §4.1) · connection 3 · client → server · 0.003122 s\n"
        );
    }

    #[test]
    fn json_has_every_key_and_colours_do_not_change_the_text() {
        let finding = Finding::new(Rule::Rsv1Set, Some(Span::bits(1, 2)));
        assert_eq!(
            lines(LineStyle::Json, vec![finding.clone()]),
            "{\"v\":1,\"file\":\"a\\u001b.pcapng\",\"record\":12,\"conn\":3,\"dir\":\"c2s\",\
             \"time\":\"2026-11-22T19:30:00.003122999Z\",\"rule\":\"rsv1-set\",\"section\":\"RFC 6455 §5.2\",\
             \"severity\":\"error\",\"text\":\"RSV1 is 1, but no negotiated extension defines it for this frame\",\
             \"bits\":[1,2],\"about\":null}\n"
        );
        let coloured = lines(LineStyle::Coloured, vec![finding.clone()]);
        let bare = ["\x1b[1m", "\x1b[1;31m", "\x1b[2m", "\x1b[0m"]
            .iter()
            .fold(coloured.clone(), |text, code| text.replace(code, ""));
        assert_eq!(bare, lines(LineStyle::Plain, vec![finding]));
        assert_ne!(bare, coloured);
    }
}
