//! What a check found: of one capture, and of all.

use std::process::ExitCode;

use crate::export::findings::{Fault, FaultKind};
use crate::export::words;
use crate::proto::rules::{Severity, count, grouped};

/// The findings and faults of one capture, or of several.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Records that were read.
    pub records: u64,
    /// The findings that count, by severity: info, warning, error.
    pub findings: [u64; 3],
    /// The faults that no flag accepts.
    pub faults: Vec<Fault>,
}

impl Verdict {
    /// Adds the verdict of a further capture.
    pub fn add(&mut self, other: Self) {
        self.records += other.records;
        self.findings.iter_mut().zip(other.findings).for_each(|(sum, findings)| *sum += findings);
        self.faults.extend(other.faults);
    }

    /// 1 if there is a fault, or a finding as severe as `fail_on`.
    pub fn status(&self, fail_on: Severity) -> ExitCode {
        let failing: u64 = self.findings[fail_on as usize..].iter().sum();
        if failing > 0 || !self.faults.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }

    /// The findings in one line: `2 errors, 1 warning, 3 info in 12 records`.
    pub fn findings_line(&self) -> String {
        let records = count(self.records, "record");
        match self.findings.iter().sum::<u64>() {
            0 => format!("no findings in {records}"),
            _ => format!("{} in {records}", words::by_severity(self.findings)),
        }
    }

    /// The faults in one line: `1 damaged, 2 without WebSocket frames`; empty if there are none.
    pub fn faults_line(&self) -> String {
        let kinds = [
            (FaultKind::Damaged, "damaged"),
            (FaultKind::NoFrames, "without WebSocket frames"),
            (FaultKind::Unread, "not read"),
        ];
        let parts = kinds.iter().filter_map(|(kind, words)| {
            let faults = self.faults.iter().filter(|fault| fault.kind == *kind).count();
            (faults > 0).then(|| format!("{} {words}", grouped(faults as u64)))
        });
        parts.collect::<Vec<_>>().join(", ")
    }
}
