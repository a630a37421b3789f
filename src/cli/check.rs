//! The flags of `framescope check`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{Reading, filter_help_hint, values};
use crate::capture::query::filter::Filter;
use crate::export::findings::ReportFormat;
use crate::proto::rules::Severity;

/// `framescope check`
#[derive(Args, Clone, Debug)]
#[command(after_long_help = concat!("Prints one line per finding to stdout, and the counts to stderr:
  lesson.pcapng:record 4: error[client-frame-unmasked]: MASK is 0, but …

Exit status:
  0  no finding is as severe as --fail-on
  1  one is, or a capture has no WebSocket frame, is damaged or cannot be read
  2  wrong usage

Examples:
  framescope check lesson.pcapng                      fail if there is an error
  framescope check lesson.pcapng --fail-on warning    fail if there is a warning
  framescope check lesson.pcapng --json | jq -r .rule | sort | uniq -c
  framescope check captures/ --format junit > report.xml
      check all captures in a folder, for a CI system
  framescope check --explain 'RSV1 must be clear'     an error message
  framescope check --explain 5.5.1                    a section of RFC 6455
  framescope check --explain client-frame-unmasked    a rule
  framescope check --explain 1006                     a close code
  framescope check lesson.pcapng --filter 'dir == c2s'
      list violations by clients ", filter_help_hint!()))]
pub struct Check {
    /// Captures: pcapng, pcap, HAR or NDJSON, also as .gz; or frames as text; - is stdin; the content determines
    /// which. A folder means the captures in it
    #[arg(value_name = "FILE", value_hint = ValueHint::AnyPath, required_unless_present = "explain")]
    pub files: Vec<PathBuf>,

    /// The least severity of a finding that fails the check
    #[arg(long, value_name = "SEVERITY", value_parser = values::one_of(&SEVERITIES, Severity::name), default_value = "error")]
    pub fail_on: Severity,

    /// How the capture is read.
    #[command(flatten)]
    pub reading: Reading,

    /// Check only records that match
    #[arg(long, value_name = "EXPR", conflicts_with = "explain")]
    pub filter: Option<Filter>,

    /// How to print the findings: lines, JSON objects, a JUnit document, or workflow commands of GitHub Actions
    #[arg(long, value_name = "FORMAT", value_parser = values::one_of(ReportFormat::ALL, ReportFormat::name), default_value = "text")]
    pub format: ReportFormat,

    /// Short for --format json
    #[arg(long, conflicts_with = "format")]
    pub json: bool,

    /// Accept captures without a WebSocket frame
    #[arg(long)]
    pub allow_empty: bool,

    /// Accept damaged captures, and judge the records before the damage
    #[arg(long)]
    pub allow_damaged: bool,

    /// Explain TEXT: an error message of a library or browser, a close code, a rule's id, a section, or words of a rule
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["files", "fail_on", "format", "json", "allow_empty", "allow_damaged", "port", "deflate", "read_as", "key_log"])]
    pub explain: Option<String>,
}

impl Check {
    /// The format of the report.
    pub const fn report_format(&self) -> ReportFormat {
        if self.json { ReportFormat::Json } else { self.format }
    }
}

/// All severities, the most severe first.
const SEVERITIES: [Severity; 3] = [Severity::Error, Severity::Warning, Severity::Info];
