//! The report of `check` on stdout, in one of its formats.

use crate::capture::store::record::Record;
use crate::cli::{Check, ThemeArg};
use crate::export::findings::junit::JunitReport;
use crate::export::findings::lines::{FindingLines, LineStyle, workflow_command};
use crate::export::findings::{Fault, ReportFormat};
use crate::proto::time::Time;
use crate::run::stdio;
use crate::wire::printable;

/// A report over captures, one after another.
pub enum Report {
    /// A line for each finding.
    Lines {
        style: LineStyle,
        /// The lines about the capture that is being checked.
        lines: FindingLines,
    },
    /// A document that is written at the end.
    Junit(JunitReport),
}

impl Report {
    /// An empty report in the format that the flags ask for.
    pub fn new(args: &Check, theme: ThemeArg) -> Self {
        let style = match args.report_format() {
            ReportFormat::Junit => return Self::Junit(JunitReport::new(args.fail_on)),
            ReportFormat::Json => LineStyle::Json,
            ReportFormat::Github => LineStyle::Github,
            ReportFormat::Text if theme != ThemeArg::Mono && stdio::stdout_takes_colour() => LineStyle::Coloured,
            ReportFormat::Text => LineStyle::Plain,
        };
        Self::Lines { style, lines: FindingLines::new("", style) }
    }

    /// Begins the part about the capture named `file`.
    pub fn begin(&mut self, file: &str) {
        match self {
            Self::Lines { style, lines } => *lines = FindingLines::new(file, *style),
            Self::Junit(report) => report.begin(file),
        }
    }

    /// Sets the time of the first record of the capture.
    pub fn set_start(&mut self, start: Time) {
        match self {
            Self::Lines { lines, .. } => lines.set_start(start),
            Self::Junit(report) => report.set_start(start),
        }
    }

    /// Adds the findings of a record. Appends what can be printed already.
    pub fn add(&mut self, record: &Record, out: &mut Vec<u8>) {
        match self {
            Self::Lines { lines, .. } => lines.append(record, out),
            Self::Junit(report) => report.add(record),
        }
    }

    /// Ends the part about the capture, which fails because of `faults`. `is_judged` says whether it has frames.
    pub fn end(&mut self, is_judged: bool, faults: &[Fault], out: &mut Vec<u8>) {
        match self {
            Self::Lines { style: LineStyle::Github, lines } => {
                for Fault { kind, reason } in faults {
                    let line = workflow_command("error", lines.file(), kind.name(), &printable::text(reason));
                    out.extend_from_slice(line.as_bytes());
                    out.push(b'\n');
                }
            }
            Self::Lines { .. } => {}
            Self::Junit(report) => report.end(is_judged, faults),
        }
    }

    /// Appends what is printed after all captures.
    pub fn finish(&self, out: &mut Vec<u8>) -> std::io::Result<()> {
        match self {
            Self::Lines { .. } => Ok(()),
            Self::Junit(report) => report.write(out),
        }
    }
}
