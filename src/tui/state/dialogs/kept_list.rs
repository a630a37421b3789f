//! The list of captures that earlier runs kept.

use crate::capture::live::spool::KeptCapture;

#[derive(Clone, Debug)]
pub struct KeptList {
    /// The captures, the newest first: at least one.
    captures: Vec<KeptCapture>,
    /// Index of the capture under the cursor.
    at: usize,
}

impl KeptList {
    /// A list of captures; `None` if there are none.
    pub fn new(captures: Vec<KeptCapture>) -> Option<Self> {
        (!captures.is_empty()).then_some(Self { captures, at: 0 })
    }

    pub fn captures(&self) -> &[KeptCapture] {
        &self.captures
    }

    /// The capture under the cursor.
    pub fn current(&self) -> &KeptCapture {
        &self.captures[self.at]
    }

    /// Moves the cursor down, or up.
    pub fn step(&mut self, back: bool) {
        self.at = if back { self.at.saturating_sub(1) } else { (self.at + 1).min(self.captures.len() - 1) };
    }

    /// The captures in `rows` rows around the cursor, and whether each is under it.
    pub fn shown(&self, rows: usize) -> impl Iterator<Item = (&KeptCapture, bool)> {
        let first = (self.at + 1).saturating_sub(rows);
        let rows = self.captures.iter().enumerate().skip(first).take(rows);
        rows.map(|(i, capture)| (capture, i == self.at))
    }
}
