//! What the user searches for: the pattern, the place of the last search, and the records that match.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::capture::query::search::{Hit, Pattern, Start, Toward};
use crate::capture::query::selection::SelectedRecords;

/// The search of the user, from the first find until Esc.
#[derive(Debug, Default)]
pub struct TextSearch {
    pattern: Option<Pattern>,
    /// The match that is shown.
    shown: Option<Hit>,
    /// Where the latest find started, and its direction.
    started: Option<(Start, Toward)>,
    /// The records that match, as far as they were counted.
    counted: SelectedRecords,
    /// Cancels the background job that counts.
    cancel: Option<Arc<AtomicBool>>,
}

/// The place of a match among all matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatchPlace {
    /// The number of the matching record.
    pub no: u64,
    /// Its place among the matching records, from 1, and their number; `None` while they are counted.
    pub of: Option<(u64, u64)>,
    /// Whether the search went past the end of the capture (past its beginning, for a search backwards).
    pub wrapped: Option<Toward>,
}

impl TextSearch {
    pub const fn pattern(&self) -> Option<&Pattern> {
        self.pattern.as_ref()
    }

    /// Searches for something else. Nothing is counted yet.
    pub fn set_pattern(&mut self, pattern: Pattern) {
        if self.pattern.as_ref() != Some(&pattern) {
            self.clear();
            self.pattern = Some(pattern);
        }
    }

    pub fn clear(&mut self) {
        self.stop_counting();
        *self = Self::default();
    }

    /// Shows a match: its bytes are marked until the next find.
    pub const fn show(&mut self, hit: Hit) {
        self.shown = Some(hit);
    }

    /// The bytes of the match that is shown in that record: of its message if `in_message`, otherwise as offsets in the record.
    pub fn marked(&self, no: u64, in_message: bool) -> Option<Range<u64>> {
        let hit = self.shown.filter(|hit| hit.no == no)?;
        let start = match (in_message, hit.inflated) {
            (true, inflated) => inflated?,
            (false, None) => hit.byte,
            (false, Some(_)) => return None,
        };
        Some(start..start + self.pattern.as_ref()?.byte_count())
    }

    /// Notes the start of a find in record `no`. Returns the start, and the number of the last record that was counted.
    pub fn start(&mut self, no: u64, toward: Toward, cancel: &Arc<AtomicBool>) -> (Start, u64) {
        self.stop_counting();
        let from = Start { no, shown: self.shown.filter(|hit| hit.no == no) };
        self.started = Some((from, toward));
        self.cancel = Some(Arc::clone(cancel));
        (from, self.counted.looked_at())
    }

    /// Ends the job that counts: another one begins.
    pub fn stop_counting(&mut self) {
        if let Some(cancel) = self.cancel.take() {
            cancel.store(true, Ordering::Relaxed);
        }
    }

    /// Adds records that match, up to number `to`. Results for another pattern, or for records that were counted, are dropped.
    pub fn count(&mut self, pattern: &Pattern, after: u64, numbers: &[u64], to: u64) {
        if self.pattern.as_ref() != Some(pattern) || self.counted.looked_at() != after {
            return;
        }
        for no in numbers {
            self.counted.pass(no - 1);
            self.counted.look(true);
        }
        self.counted.pass(to);
    }

    /// Drops evicted records, of which `first` is the first that is kept.
    pub fn evict(&mut self, first: u64) {
        self.counted.evict_before(first);
    }

    /// The place of the match in record `no`.
    pub fn place(&self, hit: Hit) -> MatchPlace {
        let no = hit.no;
        let of = self.counted.row(no).map(|row| (row + 1, self.counted.len()));
        let wrapped = self.started.filter(|(from, toward)| from.is_wrapped(hit, *toward));
        MatchPlace { no, of, wrapped: wrapped.map(|(_, toward)| toward) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn hit(no: u64) -> Hit {
        Hit { no, byte: 0, inflated: None }
    }

    #[test]
    fn a_match_has_a_place_among_those_that_were_counted() {
        let mut search = TextSearch::default();
        let pattern = Pattern::Text("a".to_owned());
        search.set_pattern(pattern.clone());
        let cancel = Arc::new(AtomicBool::new(false));
        assert_eq!(search.start(4, Toward::Later, &cancel), (4.into(), 0));
        assert_eq!(search.place(hit(7)), MatchPlace { no: 7, of: None, wrapped: None });
        search.count(&pattern, 0, &[2, 7], 9);
        assert_eq!(search.place(hit(7)), MatchPlace { no: 7, of: Some((2, 2)), wrapped: None });
        assert_eq!(search.place(hit(2)), MatchPlace { no: 2, of: Some((1, 2)), wrapped: Some(Toward::Later) });
        // The capture has grown; a late result for what was counted is dropped.
        assert_eq!(search.start(2, Toward::Earlier, &cancel), (2.into(), 9));
        assert!(cancel.load(Ordering::Relaxed), "the job before counts no longer");
        search.count(&pattern, 0, &[2, 7], 9);
        search.count(&pattern, 9, &[12], 20);
        assert_eq!(search.place(hit(12)), MatchPlace { no: 12, of: Some((3, 3)), wrapped: Some(Toward::Earlier) });
        // Further matches in the record that is shown come next, and are no wrap.
        search.show(hit(12));
        let shown = Some(hit(12));
        assert_eq!(search.start(12, Toward::Later, &cancel).0, Start { no: 12, shown });
        assert_eq!(search.place(Hit { byte: 5, ..hit(12) }).wrapped, None);
        assert_eq!(search.place(hit(12)).wrapped, Some(Toward::Later), "the same match again");
        search.set_pattern(Pattern::Text("b".to_owned()));
        assert_eq!(search.place(hit(12)).of, None);
    }
}
