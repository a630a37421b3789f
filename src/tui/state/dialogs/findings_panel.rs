//! The panel of findings: the cursor in the list of broken rules.

use crate::capture::store::Tally;
use crate::proto::rules::Rule;

/// The cursor of the panel of findings. Its rows are the rules that are broken, sorted by severity and count.
#[derive(Clone, Copy, Debug, Default)]
pub struct FindingsPanel {
    /// The rule under the cursor; `None` selects the first row.
    pub rule: Option<Rule>,
    /// First row in view.
    pub top: usize,
}

impl FindingsPanel {
    /// The row under the cursor: the row of its rule, which moves as the counts grow.
    pub fn row(&self, tallies: &[Tally]) -> usize {
        tallies.iter().position(|tally| Some(tally.rule) == self.rule).unwrap_or(0)
    }

    /// The rule under the cursor; `None` if no rule is broken.
    pub fn current(&self, tallies: &[Tally]) -> Option<Rule> {
        tallies.get(self.row(tallies)).map(|tally| tally.rule)
    }

    /// Moves the cursor by rows.
    pub fn step(&mut self, tallies: &[Tally], by: isize) {
        let last = tallies.len().saturating_sub(1);
        self.select(tallies, self.row(tallies).saturating_add_signed(by).min(last));
    }

    pub fn select(&mut self, tallies: &[Tally], row: usize) {
        if let Some(tally) = tallies.get(row) {
            self.rule = Some(tally.rule);
        }
    }

    /// Brings the cursor into view.
    pub fn prepare(&mut self, tallies: &[Tally], height: u16) {
        let height = usize::from(height).max(1);
        let row = self.row(tallies);
        self.top = self.top.clamp((row + 1).saturating_sub(height), row);
        self.top = self.top.min(tallies.len().saturating_sub(height));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_stays_on_its_rule_when_rules_change_places() {
        let tally = |rule, findings| Tally { rule, findings, first: 1, last: 1 };
        let mut tallies = vec![tally(Rule::Rsv1Set, 3), tally(Rule::Rsv2Set, 2), tally(Rule::Rsv3Set, 1)];
        let mut panel = FindingsPanel::default();
        assert_eq!((panel.row(&tallies), panel.current(&tallies)), (0, Some(Rule::Rsv1Set)));
        panel.step(&tallies, 1);
        tallies.swap(0, 1);
        assert_eq!((panel.row(&tallies), panel.current(&tallies)), (0, Some(Rule::Rsv2Set)));
        panel.step(&tallies, isize::MAX);
        panel.prepare(&tallies, 2);
        assert_eq!((panel.current(&tallies), panel.top), (Some(Rule::Rsv3Set), 1));
        assert_eq!((panel.row(&[]), panel.current(&[])), (0, None));
    }
}
