//! The choice among the samples, while there is no record.

use crate::capture::import::samples::Sample;

/// The cursor in the list of samples.
#[derive(Clone, Copy, Debug, Default)]
pub struct SampleChoice {
    /// Index of the sample under the cursor.
    pub at: usize,
}

impl SampleChoice {
    /// Moves the cursor down, or up.
    pub fn step(&mut self, back: bool) {
        self.at = if back { self.at.saturating_sub(1) } else { (self.at + 1).min(Sample::ALL.len() - 1) };
    }

    /// The sample under the cursor.
    pub fn current(self) -> Sample {
        Sample::ALL[self.at.min(Sample::ALL.len() - 1)]
    }
}
