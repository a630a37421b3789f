//! Reports of findings: a line for each ([`lines`]) or a JUnit document ([`junit`]). Also writes the objects of `findings` in NDJSON.

pub mod junit;
pub mod lines;

use super::json::{self, list_field, number_field, optional, string_field};
use crate::proto::rules::Finding;
use crate::wire::field::Span;
use crate::wire::printable;

/// The format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportFormat {
    /// A line per finding, for people and grep.
    Text,
    /// A JSON object per finding.
    Json,
    /// A JUnit document, which CI systems show as test results.
    Junit,
    /// A workflow command of GitHub Actions per finding, which becomes an annotation.
    Github,
}

impl ReportFormat {
    /// All formats.
    pub const ALL: &'static [Self] = &[Self::Text, Self::Json, Self::Junit, Self::Github];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Junit => "junit",
            Self::Github => "github",
        }
    }
}

/// Why a capture fails a check besides its findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its kind.
    pub kind: FaultKind,
    /// One line for people.
    pub reason: String,
}

/// The kind of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The capture has no WebSocket frame, so that almost nothing was judged.
    NoFrames,
    /// The file is damaged: only the records before the damage were judged.
    Damaged,
    /// framescope could not read the file, or could read only a part of it.
    Unread,
}

impl FaultKind {
    /// The title of its annotation, and its type in a JUnit document.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoFrames => "no-websocket-frames",
            Self::Damaged => "damaged",
            Self::Unread => "not-read",
        }
    }
}

/// Appends the keys of a finding to an object: `rule` to `about`, then `number` and `by` where the finding has them.
pub(in crate::export) fn fields(out: &mut Vec<u8>, finding: &Finding) {
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

/// The name of a file for reports with escapes of their own for line breaks and tabs, which are kept; otherwise printable.
fn file_name(file: &str) -> String {
    let parts = file.split_inclusive(['\n', '\r', '\t']).map(|part| {
        let name = part.trim_end_matches(['\n', '\r', '\t']);
        format!("{}{}", printable::text(name), &part[name.len()..])
    });
    parts.collect()
}

/// A range of bits in words, such as `bit 8` or `bits 16–47` (both ends included).
pub fn bits(span: Span) -> String {
    match span.len() {
        0 | 1 => format!("bit {}", span.start),
        _ => format!("bits {}–{}", span.start, span.end - 1),
    }
}
