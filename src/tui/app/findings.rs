//! The panel of findings: which rules are broken how often, and the way to the records that break them.

use std::cmp::Reverse;

use crossterm::event::{KeyCode, KeyEvent, MouseButton, MouseEventKind};
use ratatui::layout::Position;

use super::App;
use super::overlay::{FindingsPanel, Overlay};
use crate::proto::rules::Rule;
use crate::tui::action::Action;
use crate::tui::view::findings::Shape;

impl App {
    /// Takes in how often each rule is broken.
    pub(super) fn count_findings(&mut self) {
        self.tallies = self.capture.tallies();
        self.tallies.sort_by_key(|tally| (Reverse(tally.rule.severity()), Reverse(tally.findings)));
    }

    /// The row under the panel's cursor.
    pub fn findings_row(&self, panel: &FindingsPanel) -> usize {
        // Rows move as counts grow; the cursor stays with its rule.
        self.tallies.iter().position(|tally| Some(tally.rule) == panel.rule).unwrap_or(0)
    }

    pub(super) fn findings_key(&mut self, mut panel: FindingsPanel, key: KeyEvent, action: Option<Action>) {
        let page = Shape::of(self).map_or(1, |shape| shape.rows.height.max(2) - 1) as isize;
        match (key.code, action) {
            (KeyCode::Enter, _) | (_, Some(Action::NextFinding | Action::FindNext)) => {
                return self.go_to_breach(panel, true);
            }
            (_, Some(Action::PreviousFinding | Action::FindPrevious)) => return self.go_to_breach(panel, false),
            (_, Some(Action::Up)) => self.step_findings(&mut panel, -1),
            (_, Some(Action::Down)) => self.step_findings(&mut panel, 1),
            (_, Some(Action::PageUp | Action::HalfPageUp)) => self.step_findings(&mut panel, -page),
            (_, Some(Action::PageDown | Action::HalfPageDown)) => self.step_findings(&mut panel, page),
            (_, Some(Action::First)) => self.step_findings(&mut panel, isize::MIN),
            (_, Some(Action::Last)) => self.step_findings(&mut panel, isize::MAX),
            (_, Some(Action::Findings | Action::Cancel | Action::Quit)) => {
                self.findings_panel = panel;
                return;
            }
            _ => {}
        }
        self.overlay = Some(Overlay::Findings(panel));
    }

    pub(super) fn findings_mouse(&mut self, mut panel: FindingsPanel, kind: MouseEventKind, at: Position) {
        let Some(shape) = Shape::of(self) else { return };
        match kind {
            MouseEventKind::ScrollUp => self.step_findings(&mut panel, -1),
            MouseEventKind::ScrollDown => self.step_findings(&mut panel, 1),
            MouseEventKind::Down(MouseButton::Left) if shape.rows.contains(at) => {
                let row = panel.top + usize::from(at.y - shape.rows.y);
                if let Some(tally) = self.tallies.get(row) {
                    panel.rule = Some(tally.rule);
                }
            }
            _ => return,
        }
        self.overlay = Some(Overlay::Findings(panel));
    }

    /// Brings the panel's cursor into view.
    pub(super) fn settle_findings(&mut self) {
        let Some(Overlay::Findings(mut panel)) = self.overlay else { return };
        let height = Shape::of(self).map_or(1, |shape| usize::from(shape.rows.height)).max(1);
        let row = self.findings_row(&panel);
        panel.top = panel.top.clamp((row + 1).saturating_sub(height), row);
        panel.top = panel.top.min(self.tallies.len().saturating_sub(height));
        self.overlay = Some(Overlay::Findings(panel));
    }

    fn step_findings(&self, panel: &mut FindingsPanel, by: isize) {
        let last = self.tallies.len().saturating_sub(1);
        let row = self.findings_row(panel).saturating_add_signed(by).min(last);
        panel.rule = self.tallies.get(row).map(|tally| tally.rule);
    }

    /// To the next or previous record that breaks the rule under the cursor, all around. The panel stays where it leaves the
    /// record in view.
    fn go_to_breach(&mut self, mut panel: FindingsPanel, later: bool) {
        let Some(rule) = self.tallies.get(self.findings_row(&panel)).map(|tally| tally.rule) else {
            self.overlay = Some(Overlay::Findings(panel));
            return;
        };
        let stands_on = self.breaks(rule);
        panel.rule = Some(rule);
        // Another rule than the last time begins at its first record.
        let begin = self.findings_panel.rule != Some(rule) || !stands_on;
        let next = match (begin, later) {
            (true, true) => self.capture.next_breach(rule, 1),
            (true, false) => self.capture.previous_breach(rule, u64::MAX),
            (false, true) => {
                self.capture.next_breach(rule, self.cursor + 1).or_else(|| self.capture.next_breach(rule, 1))
            }
            (false, false) => {
                self.capture.previous_breach(rule, self.cursor).or_else(|| self.capture.previous_breach(rule, u64::MAX))
            }
        };
        self.findings_panel = panel;
        if let Some(no) = next {
            self.reveal(no);
            self.select_finding(Some(rule));
        }
        if Shape::of(self).is_some_and(|shape| !shape.hides_record) {
            self.overlay = Some(Overlay::Findings(panel));
        }
    }

    /// Whether the record under the cursor breaks a rule.
    fn breaks(&self, rule: Rule) -> bool {
        self.detail.as_ref().is_some_and(|detail| detail.record.findings.iter().any(|finding| finding.rule == rule))
    }
}
