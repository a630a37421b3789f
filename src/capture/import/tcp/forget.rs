//! What a ring needs so that the memory of a long run is bounded, and so that bytes are read before their file is evicted.

use super::Flows;
use super::flow::Flow;
use super::held::Step;
use super::undecided::Decision;
use crate::proto::dissected::Direction;

/// How many open connections without a packet in the ring are remembered. Of more, those that were silent longest are ended: if the
/// capture lacks the end of a connection, it looks like one that is silent.
pub(super) const MAX_SILENT: usize = 4096;

impl Flows {
    /// Reads what is held and lies before a file position, although earlier bytes of the stream are missing, or it is not known whether
    /// it can be decrypted.
    pub fn settle_before(&mut self, position: u64) {
        for i in 0..self.flows.len() {
            let flow = &self.flows[i];
            let is_early = |step: &Step| step.position().is_some_and(|own| own < position);
            let is_undecided = flow.held().is_some_and(|held| held.steps.iter().any(is_early));
            if flow.sides.iter().any(|side| side.waits_since(position)) {
                // Keep newer pieces: the missing bytes before them may still arrive.
                self.feed_waiting_while(i, |side, _| side.waits_since(position));
                Direction::BOTH.into_iter().for_each(|direction| self.settle(i, direction, self.last));
            }
            if is_undecided {
                self.settle_encryption(i, Decision::Over);
            }
        }
    }

    /// Forgets the connections whose packets are all before a file position, if they have ended, or never had a byte.
    pub fn forget_before(&mut self, position: u64) {
        let is_silent = |flow: &Flow| flow.seen < position && flow.number.is_some() && flow.open > 0;
        let mut silent: Vec<usize> = (0..self.flows.len()).filter(|i| is_silent(&self.flows[*i])).collect();
        silent.sort_unstable_by_key(|i| std::cmp::Reverse(self.flows[*i].seen));
        for i in silent.drain(MAX_SILENT.min(silent.len())..) {
            self.end_flow(i, self.last);
        }
        let is_kept = |flow: &Flow| flow.seen >= position || flow.number.is_some() && flow.open > 0;
        let mut kept = 0;
        let mut place = |flow: &Flow| {
            is_kept(flow).then(|| {
                kept += 1;
                kept - 1
            })
        };
        let places: Vec<Option<usize>> = self.flows.iter().map(&mut place).collect();
        if kept == places.len() {
            return;
        }
        self.flows.retain(is_kept);
        self.by_ends.retain(|_, i| places[*i].map(|place| *i = place).is_some());
        self.tenants.retain(|ends, tenants| {
            tenants.move_to(&places);
            self.by_ends.contains_key(ends)
        });
        self.awaiting = self.awaiting.iter().filter_map(|i| places[*i]).collect();
        self.latest = None;
    }
}
