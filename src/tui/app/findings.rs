//! The panel of findings: its keys, its areas and the words about the selected rule.

use super::App;
use super::words::{Paragraph, Role, Words};
use crate::explain::Topic;
use crate::proto::rules::{Finding, count};
use crate::tui::action::Action;
use crate::tui::findings_layout::{self, FindingsLayout};
use crate::tui::panel::View;
use crate::tui::state::connection_facts::Fact;
use crate::tui::state::dialogs::{Dialog, FindingsPanel, PanelBelow};
use crate::tui::text;
use crate::wire::printable;

impl App {
    pub(super) fn act_in_findings(&mut self, mut panel: FindingsPanel, action: Action) {
        let tallies = &self.counts.tallies;
        let page = self.findings_layout_of(&panel).map_or(1, |layout| layout.rows.height.max(2) - 1);
        let page = isize::try_from(page).unwrap_or(isize::MAX);
        match action {
            Action::Up => panel.step(tallies, -1),
            Action::Down => panel.step(tallies, 1),
            Action::PageUp => panel.step(tallies, -page),
            Action::PageDown => panel.step(tallies, page),
            Action::First => panel.step(tallies, isize::MIN),
            Action::Last => panel.step(tallies, isize::MAX),
            Action::Open => return self.list_rule(panel),
            Action::NextFinding => return self.go_to_rule(panel, true),
            Action::PreviousFinding => return self.go_to_rule(panel, false),
            Action::Help | Action::Read => {
                let has_words = self.words_of(&panel).is_some();
                self.dialogs.open = Some(match action {
                    Action::Help => Dialog::Help(0),
                    _ if has_words => Dialog::Words(0),
                    _ => return self.dialogs.open = Some(Dialog::Findings(panel)),
                });
                self.dialogs.below = Some(PanelBelow::Findings(panel));
                return;
            }
            Action::ViewFrames | Action::ViewMessages | Action::ViewConnections | Action::ViewTimeline => {
                self.dialogs.last_findings = panel;
                return self.act(action);
            }
            _ => {
                self.dialogs.last_findings = panel;
                return;
            }
        }
        self.dialogs.open = Some(Dialog::Findings(panel));
    }

    /// The panel of findings, if it is open, or below the help or the words.
    pub const fn findings_panel(&self) -> Option<&FindingsPanel> {
        match (&self.dialogs.open, &self.dialogs.below) {
            (Some(Dialog::Findings(panel)), _)
            | (Some(Dialog::Help(_) | Dialog::Words(_)), Some(PanelBelow::Findings(panel))) => Some(panel),
            _ => None,
        }
    }

    /// Areas of the panel of findings.
    pub fn findings_layout(&self) -> Option<FindingsLayout> {
        self.findings_layout_of(self.findings_panel()?)
    }

    fn findings_layout_of(&self, panel: &FindingsPanel) -> Option<FindingsLayout> {
        let tallies = &self.counts.tallies;
        let columns = usize::from(findings_layout::columns(self.layout.area.width));
        let words = self
            .words_of(panel)
            .map_or(0, |words| words.paragraphs.iter().map(|part| text::wrap(&part.text, columns).len()).sum());
        let records = tallies.get(panel.row(tallies)).map_or(0, |tally| tally.findings);
        FindingsLayout::of(&self.layout, tallies.len(), words, records)
    }

    /// What the rule under the cursor of the panel of findings says, why it exists and what to do.
    pub fn findings_words(&self) -> Option<Words> {
        self.words_of(self.findings_panel()?)
    }

    fn words_of(&self, panel: &FindingsPanel) -> Option<Words> {
        let rule = panel.current(&self.counts.tallies)?;
        let page = Topic::Rule(rule).page();
        // What is wrong with the first record, with its values.
        let record = self.breaches.lines.rows().first().map(|row| &row.record);
        let found =
            record.and_then(|record| Some((record.findings.iter().find(|finding| finding.rule == rule)?, record.no)));
        let what = found.map(|(finding, no)| format!("{} (record {no})", printable::text(&finding.sentence())));
        let paragraphs = vec![
            Paragraph { role: Role::Finding(rule.severity()), text: what.or(page.summary).unwrap_or_default() },
            Paragraph { role: Role::Text, text: page.text },
            Paragraph { role: Role::Text, text: page.next.to_owned() },
        ];
        Some(Words { title: rule.id().to_owned(), section: rule.section().to_owned(), paragraphs, ..Words::default() })
    }

    /// The words in the box that scrolls: about the selected rule, or about the selection in the record.
    pub fn read_words(&self) -> Option<Words> {
        if let Some(PanelBelow::Findings(panel)) = &self.dialogs.below {
            return self.words_of(panel);
        }
        if self.panels.view == View::Connections {
            return Some(self.connection_words());
        }
        let (mut words, intro) = (self.words(), self.tour_words());
        if let Some(words) = &mut words {
            // What the panel below the record has begun is whole in the box.
            words.paragraphs.append(&mut words.further);
        }
        if intro.is_empty() { words } else { Some(Words { intro, ..words.unwrap_or_default() }) }
    }

    /// All facts and findings of the connection under the cursor.
    fn connection_words(&self) -> Words {
        let fact = |fact: &Fact| {
            [(Role::Heading, fact.name.to_owned()), (Role::Text, fact.text())]
                .map(|(role, text)| Paragraph { role, text })
        };
        let finding = |(no, finding): &(u64, Finding)| Paragraph {
            role: Role::Finding(finding.rule.severity()),
            text: format!("{} record {no}: {}", finding.rule.severity().symbol(), printable::text(&finding.sentence())),
        };
        let facts = self.table.facts.iter().flat_map(fact);
        Words {
            title: format!("Connection {}", self.table.cursor),
            section: count(self.table.records.into(), "record"),
            paragraphs: facts.chain(self.table.findings.iter().map(finding)).collect(),
            ..Words::default()
        }
    }

    /// The first line in view when the box with all words is scrolled to its end.
    pub(super) fn last_words_top(&self) -> u16 {
        let screen = self.layout.area;
        let columns = usize::from(Words::BOX.min(screen.width).saturating_sub(4));
        self.read_words().map_or(0, |words| words.lines(columns)).saturating_sub(screen.height.saturating_sub(2))
    }

    /// Brings the cursor of the panel of findings into view, and reads the records that it shows.
    pub(super) fn prepare_findings(&mut self) {
        let Some(mut panel) = self.findings_panel().copied() else { return };
        let tallies = &self.counts.tallies;
        let selected = tallies.get(panel.row(tallies));
        // The height of the words depends on the first record.
        self.breaches.prepare(&self.capture, &[], selected, 1);
        let Some(layout) = self.findings_layout_of(&panel) else { return };
        let tallies = &self.counts.tallies;
        panel.prepare(tallies, layout.rows.height);
        let end = (panel.top + usize::from(layout.rows.height)).min(tallies.len());
        let shown = tallies.get(panel.top..end).unwrap_or_default();
        let selected = tallies.get(panel.row(tallies));
        self.breaches.prepare(&self.capture, shown, selected, usize::from(layout.below.height));
        match &mut self.dialogs.open {
            Some(Dialog::Findings(open)) => *open = panel,
            _ => self.dialogs.below = Some(PanelBelow::Findings(panel)),
        }
    }
}
