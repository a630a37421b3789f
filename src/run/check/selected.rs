//! The records with findings that match a filter.

use crate::capture::query::filter::{Filter, FilterEvaluator};
use crate::capture::store::Capture;
use crate::capture::store::record::Record;
use crate::export::ExportError;
use crate::run::export;

/// The records with findings that match a filter.
pub struct Selected {
    evaluator: FilterEvaluator,
    capture: Capture,
    /// Their findings by severity: info, warning, error.
    pub findings: [u64; 3],
}

impl Selected {
    /// The records of a capture that match.
    pub fn new(filter: &Filter, capture: &Capture) -> Self {
        Self { evaluator: FilterEvaluator::new(filter, capture), capture: capture.clone(), findings: [0; 3] }
    }

    /// Returns true if a record matches, and counts its findings then.
    pub fn matches(&mut self, record: &Record) -> Result<bool, ExportError> {
        let passes = export::passes(&mut self.evaluator, &self.capture, record)?;
        if passes {
            record.findings.iter().for_each(|finding| self.findings[finding.rule.severity() as usize] += 1);
        }
        Ok(passes)
    }
}
