//! Which messages of a direction the rules select.

use std::sync::atomic::Ordering;

use super::gate::{Part, Unit};
use super::lane::{Lane, Writing};
use super::rules::{Match, Matcher, Rule, RuleId};

impl Lane {
    /// Returns true if a rule may hold messages of this direction.
    pub(super) fn is_watched(&self) -> bool {
        if !self.hold.has_rules() {
            return false;
        }
        let generation = self.hold.generation();
        if self.checked.load(Ordering::SeqCst) != generation {
            let (generation, rules) = self.hold.rules_now();
            let may_select = |rule: &Rule| {
                self.connection.is_none_or(|connection| rule.filter.may_select(connection, self.direction))
            };
            self.is_watched.store(rules.iter().any(may_select), Ordering::SeqCst);
            self.checked.store(generation, Ordering::SeqCst);
        }
        self.is_watched.load(Ordering::SeqCst)
    }

    /// Tests the frames of a unit against the rules.
    pub(super) fn test(&self, writing: &mut Writing, unit: &[Part]) -> Vec<Match> {
        let nothing = || unit.iter().map(|_| Match::default()).collect();
        let (generation, rules) = self.hold.rules_now();
        if rules.is_empty() {
            return nothing();
        }
        if writing.matcher.is_none() {
            // The frame is recorded, unless capturing has stopped.
            let Some(connection) = self.connection() else { return nothing() };
            let first = unit.first().map_or(0, |part| part.offset);
            let from = writing.gate.as_ref().map_or(first, |gate| gate.start().min(first));
            let capture = self.tap.wiretap().capture();
            writing.matcher = capture.map(|capture| Matcher::new(&capture, connection, self.direction, from));
        }
        let Some(matcher) = &mut writing.matcher else { return nothing() };
        matcher.set_rules(generation, &rules);
        let matches = unit.iter().map(|part| matcher.test(part.offset)).collect();
        // A control frame may overtake frames that are not tested yet.
        let tested = unit.last().map_or(0, |part| part.offset + 1);
        matcher.forget(writing.gate.as_ref().map_or(tested, |gate| gate.start().min(tested)));
        matches
    }

    /// The inflated bytes that the messages after this one may refer to, if it is the first held message of a compressed direction. They
    /// are read now, because a ring may evict them before they are needed.
    pub(super) fn window_after(
        &self,
        writing: &Writing,
        message: &Unit,
        rules: &[RuleId],
        records: Option<[u64; 2]>,
    ) -> Option<Vec<u8>> {
        let is_compressed = message.first().is_some_and(|part| part.head.rsv1);
        if rules.is_empty() || !is_compressed || writing.outlet.follows() || self.queue().has_window() {
            return None;
        }
        let params = self.delivery.deflate()?;
        params.takeover(self.direction).then(|| self.delivery.window_after(records?[1])).flatten()
    }
}
