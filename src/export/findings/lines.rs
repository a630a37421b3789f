//! Findings as lines: for people, as JSON objects, and as workflow commands of GitHub Actions.

use super::{bits, fields};
use crate::capture::format::NDJSON_VERSION;
use crate::capture::store::record::Record;
use crate::export::json::{self, number_field, quoted_field, string_field};
use crate::export::timestamp::Timestamps;
use crate::proto::rules::{Finding, Severity};
use crate::proto::time::Time;
use crate::wire::printable;

/// The form of the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineStyle {
    /// For people and grep.
    Plain,
    /// The same, with terminal colours.
    Coloured,
    /// One JSON object per line.
    Json,
    /// One workflow command of GitHub Actions per line.
    Github,
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
            LineStyle::Github => super::file_name(file),
            LineStyle::Plain | LineStyle::Coloured => printable::text(file).into_owned(),
        };
        Self { file, style, times: Timestamps::default(), start: None }
    }

    /// Sets the time of the first record, unless it is set. Times for people count from it.
    pub fn set_start(&mut self, start: Time) {
        self.start.get_or_insert(start);
    }

    /// The name of the file; printable, except for JSON, and for line breaks in workflow commands.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Appends a line for each finding of the record.
    pub fn append(&mut self, record: &Record, out: &mut Vec<u8>) {
        for finding in &record.findings {
            match self.style {
                LineStyle::Json => self.append_json(record, finding, out),
                LineStyle::Github => out.extend_from_slice(self.workflow_command(record, finding).as_bytes()),
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
        format!(
            "{bold}{}:record {}:{end} {level}{}[{}]{end}: {} {faint}· {}{end}",
            self.file,
            record.no,
            severity.name(),
            finding.rule.id(),
            sentence(finding),
            self.place(record),
        )
    }

    /// ```text
    /// ::error file=a.pcapng,title=rsv1-set (RFC 6455 §5.2)::record 5: RSV1 is 1 (RFC 6455 §5.2, bit 1)%0Aconnection 1 · …
    /// ```
    fn workflow_command(&self, record: &Record, finding: &Finding) -> String {
        let level = match finding.rule.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        let title = format!("{} ({})", finding.rule.id(), finding.rule.section());
        workflow_command(level, &self.file, &title, &self.without_file(record, finding, "\n"))
    }

    /// A finding without the name of the file, for reports that state it elsewhere.
    pub(super) fn without_file(&self, record: &Record, finding: &Finding, separator: &str) -> String {
        format!("record {}: {}{separator}{}", record.no, sentence(finding), self.place(record))
    }

    /// Where and when the record was: `connection 1 · client → server · 0.003122 s`.
    fn place(&self, record: &Record) -> String {
        let seconds = record.time.seconds_since(self.start.unwrap_or(record.time));
        format!("connection {} · {} · {seconds} s", record.connection, record.direction.words())
    }
}

/// The sentence of a finding, with its section, bits and the record that it is about.
fn sentence(finding: &Finding) -> String {
    let sentence = finding.sentence();
    let bits = finding.span.map(|span| format!(", {}", bits(span))).unwrap_or_default();
    let about = finding.about.map(|no| format!(", about record {no}")).unwrap_or_default();
    format!("{} ({}{bits}{about})", printable::text(&sentence), finding.rule.section())
}

/// A workflow command of GitHub Actions without its line break. `title` must be printable, `file` and `message` except for line breaks.
/// <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>
pub fn workflow_command(level: &str, file: &str, title: &str, message: &str) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    format!("::{level} file={},title={}::{}", property(file), property(title), data(message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::dissected::{Direction, Kind, Loss};
    use crate::proto::rules::Rule;
    use crate::wire::field::Span;

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
            loss: Loss::Lost,
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

    #[test]
    fn a_workflow_command_is_one_line_and_escapes_its_separators() {
        let warning = Finding::new(Rule::MaskingKeyZero, Some(Span::bits(16, 48)));
        let text = "50%\n::error::, x";
        let error = Finding::new(Rule::MethodNotGet, None).text(text);
        let lines = lines(LineStyle::Github, vec![error, warning]);
        let lines: Vec<&str> = lines.lines().collect();
        assert_eq!(
            lines[0],
            "::error file=a␛.pcapng,title=method-not-get (RFC 6455 §4.1)::record 12: the request method is 50%25␊::error::, x; \
             a WebSocket handshake must use GET (RFC 6455 §4.1)%0Aconnection 3 · client → server · 0.003122 s"
        );
        assert!(lines[1].starts_with("::warning file=a␛.pcapng,title=masking-key-zero (RFC "), "{}", lines[1]);
        assert_eq!(lines.len(), 2);
        assert_eq!(
            workflow_command("error", "a,b:c%.pcapng", "x\ny", "1\r\n2,3:4%"),
            "::error file=a%2Cb%3Ac%25.pcapng,title=x%0Ay::1%0D%0A2,3:4%25"
        );
    }
}
