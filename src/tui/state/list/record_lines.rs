//! Records that are shown as lines outside the list, read before the screen is drawn.

use super::page::{Page, PageRow};
use crate::capture::store::Capture;

/// Lines of records: those that break a rule, or those of a connection.
#[derive(Debug, Default)]
pub struct RecordLines {
    page: Page,
    /// The number of the first record that was kept when the lines were read.
    first: u64,
}

impl RecordLines {
    /// Reads the records with these numbers. What was read before is not read again.
    pub fn read(&mut self, capture: &Capture, numbers: &[u64]) {
        if self.first != capture.first() {
            // The first kept record is a gap now if its first bytes were evicted.
            self.first = capture.first();
            self.page.cache.clear();
        }
        self.page.read(capture, numbers);
    }

    /// The lines, in the order of the numbers.
    pub fn rows(&self) -> &[PageRow] {
        &self.page.rows
    }
}
