//! The rows that several records share: folded page requests, and consecutive heartbeats.

use super::Rows;
use crate::capture::query::messages;
use crate::capture::store::Capture;

impl Rows {
    /// How many records the row of record `no` shows, if they share it.
    pub fn folded_at(&self, no: u64) -> Option<u64> {
        let is_first_page = self.pages.first() == Some(no);
        self.heartbeats_at(no).map(u64::from).or_else(|| is_first_page.then(|| self.pages.len()))
    }

    /// The record whose row shows record `no` too.
    pub fn container(&self, no: u64) -> Option<u64> {
        if self.pages.contains(no) { self.pages.first() } else { self.first_heartbeat(no) }
    }

    /// The records that share the row of record `no`.
    pub fn folded_from(&self, capture: &Capture, no: u64) -> Vec<u64> {
        if self.pages.first() == Some(no) { self.pages.records() } else { self.heartbeats_from(capture, no) }
    }

    /// The last page request, if no other record is between the folded ones.
    pub fn last_page_if_consecutive(&self) -> Option<u64> {
        self.pages.last_if_consecutive()
    }

    /// The targets of the first page requests.
    pub fn page_targets(&self) -> &[String] {
        self.pages.requests.targets()
    }

    /// Whether page requests share a row.
    pub fn has_folded_pages(&self) -> bool {
        self.pages.first().is_some()
    }

    /// The records of the consecutive heartbeats of which record `no` is the first.
    fn heartbeats_from(&self, capture: &Capture, no: u64) -> Vec<u64> {
        let Some(count) = self.heartbeats_at(no) else { return Vec::new() };
        let mut beats = Vec::new();
        let mut from = no;
        while beats.len() < count as usize {
            let (mut numbers, to) = self.candidates(capture, from);
            if self.choice.messages {
                numbers = capture.pick(numbers).iter().filter(|r| !messages::goes_on(r)).map(|r| r.no).collect();
            }
            beats.extend(numbers);
            if to < from || to >= self.records {
                break;
            }
            from = to + 1;
        }
        beats.truncate(count as usize);
        beats
    }

    /// The first of the consecutive heartbeats that include record `no`.
    fn first_heartbeat(&self, no: u64) -> Option<u64> {
        let chosen = self.chosen.as_ref()?;
        let (first, _) = chosen.runs.get(chosen.runs.partition_point(|(first, _)| *first <= no).checked_sub(1)?)?;
        let next = self.base_number(self.base_row_from(*first) + 1);
        next.is_none_or(|next| no < next).then_some(*first)
    }

    /// How many consecutive heartbeats the row of record `no` shows, if more than one.
    pub(super) fn heartbeats_at(&self, no: u64) -> Option<u32> {
        let runs = &self.chosen.as_ref()?.runs;
        let (first, count) = runs.get(runs.partition_point(|(first, _)| *first < no))?;
        (*first == no && *count > 1).then_some(*count)
    }
}
