//! Moving: from record to record, field to field, byte to byte, panel to panel.

use strum::VariantArray as _;

use super::App;
use crate::capture::query::partner;
use crate::proto::rules::{Rule, Severity};
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::layout::HexShape;
use crate::tui::panel::{Panel, View, cycled};
use crate::tui::state::dialogs::{Dialog, FindingsPanel};
use crate::tui::state::list::{Row, RowKind};
use crate::tui::state::timeline;

/// Going to records.
impl App {
    /// Goes to a record and keeps the selected field, if the record has it. `in_child` selects its row as a child.
    pub(super) fn go_to(&mut self, no: u64, in_child: bool) {
        let totals = &self.counts.totals;
        let no = no.clamp(totals.first, totals.records.max(totals.first));
        let Some(record) = self.capture.record(no) else { return };
        self.list.go_to(no, in_child);
        let message = self.list.message_at_cursor(&self.capture, &record);
        self.detail.show(&self.capture, record, message);
        self.inflate_pending();
    }

    /// Goes to a row of the list.
    pub(super) fn go_to_row(&mut self, row: Row) {
        self.go_to(row.no, matches!(row.kind, RowKind::Child { .. }));
    }

    /// Reads the record under the cursor again.
    pub(super) fn reload(&mut self) {
        if let Some(record) = self.capture.record(self.list.cursor) {
            let message = self.list.message_at_cursor(&self.capture, &record);
            self.detail.reload(&self.capture, record, message);
            self.inflate_pending();
        }
    }

    /// Reads the message under the cursor again if it has got further frames.
    pub(super) fn reload_grown_message(&mut self) {
        let Some(detail) = self.detail.current() else { return };
        let shown = detail.message.as_ref().map_or(1, |message| message.frames);
        let now = self.list.message_at_cursor(&self.capture, &detail.record).map_or(1, |message| message.frames);
        if now > shown {
            self.reload();
        }
    }

    /// Requests a background job if the record under the cursor needs one.
    pub(super) fn inflate_pending(&mut self) {
        self.effects.extend(self.detail.take_pending().map(Effect::Inflate));
    }

    /// Goes to the newest record and follows new ones.
    pub(super) fn follow(&mut self) {
        let live = self.is_live();
        if let Some(row) = self.list.follow(live, &self.counts.totals) {
            self.go_to_row(row);
        }
    }

    /// Goes to a record wherever it is, and stops following: leaves the table of connections and the records of another
    /// connection, and expands the row that contains it. A record that the filter hides is shown below the list, with a notice.
    pub(super) fn reveal(&mut self, no: u64) {
        self.list.pause(&self.counts.totals);
        if self.panels.view == View::Connections {
            self.show_view(View::Frames);
        }
        let connection = self.capture.record(no).map(|record| record.connection);
        if self.list.connection().is_some() && self.list.connection() != connection {
            self.choose_rows(None);
        }
        let in_child = self.list.expand_around(&self.capture, no);
        self.go_to(no, in_child);
        if self.list.cursor_row().is_none() {
            let esc = self.keymap.key_of(Action::Cancel);
            self.inform(match self.list.filter() {
                Some(_) => format!("the filter hides record {no}; {esc} clears the filter"),
                None => format!("this list has no row for record {no}"),
            });
        }
    }

    pub(super) fn go_to_partner(&mut self) {
        let Some(record) = self.detail.record() else { return };
        match partner::next_partner(&self.capture, record).or_else(|| self.evicted_handshake(record)) {
            Some(no) if no < self.counts.totals.first => self.show_evicted(no),
            Some(no) => self.reveal(no),
            None => self.inform("this record has no partner"),
        }
    }

    /// Goes to the next or previous record with a finding.
    pub(super) fn go_to_finding(&mut self, later: bool) {
        let cursor = self.list.cursor;
        let next = if later {
            self.capture.findings(cursor + 1, 1).first().map(|(no, _)| *no)
        } else {
            self.capture.finding_before(cursor)
        };
        match next {
            Some(no) => {
                self.reveal(no);
            }
            None if later => self.inform("no finding after this record"),
            None => self.inform("no finding before this record"),
        }
    }

    /// Closes the panel of findings and lists the records that break the rule under its cursor.
    pub(super) fn list_rule(&mut self, mut panel: FindingsPanel) {
        panel.rule = panel.current(&self.counts.tallies);
        let tally = self.counts.tallies.iter().find(|tally| Some(tally.rule) == panel.rule);
        let Some((rule, first)) = tally.map(|tally| (tally.rule, tally.first)) else {
            self.dialogs.open = Some(Dialog::Findings(panel));
            return;
        };
        self.dialogs.last_findings = panel;
        self.list.pause(&self.counts.totals);
        self.panels.view = View::Frames;
        self.choose_rows(None);
        match self.apply_filter(&format!("finding == {}", rule.id())) {
            Ok(()) => {
                self.go_to(first, false);
                self.detail.select_finding(Some(rule));
                let [esc, findings] = [Action::Cancel, Action::Findings].map(|action| self.keymap.key_of(action));
                // An info breaks no rule.
                let verb = if rule.severity() == Severity::Info { "with" } else { "that break" };
                self.inform(format!("only records {verb} {}; {esc} shows all, {findings} the findings", rule.id()));
            }
            Err(e) => self.fail(e.to_string()),
        }
    }

    /// Closes the panel of findings and goes to the next or previous record that breaks the rule under its cursor; after the last
    /// comes the first.
    pub(super) fn go_to_rule(&mut self, mut panel: FindingsPanel, later: bool) {
        let Some(rule) = panel.current(&self.counts.tallies) else {
            self.dialogs.open = Some(Dialog::Findings(panel));
            return;
        };
        // Start over if the rule was chosen just now.
        let start_over = self.dialogs.last_findings.rule != Some(rule) || !self.cursor_breaks(rule);
        let cursor = self.list.cursor;
        let next = match (start_over, later) {
            (false, true) => self.capture.next_breach(rule, cursor + 1),
            (false, false) => self.capture.previous_breach(rule, cursor),
            (true, _) => None,
        };
        let next = next.or_else(|| match later {
            true => self.capture.next_breach(rule, 1),
            false => self.capture.previous_breach(rule, u64::MAX),
        });
        panel.rule = Some(rule);
        self.dialogs.last_findings = panel;
        if let Some(no) = next {
            self.reveal(no);
            self.detail.select_finding(Some(rule));
        }
    }

    fn cursor_breaks(&self, rule: Rule) -> bool {
        self.detail.record().is_some_and(|record| record.findings.iter().any(|finding| finding.rule == rule))
    }

    pub(super) fn go_to_mark(&mut self) {
        match self.list.next_mark() {
            Some(no) => self.reveal(no),
            None => {
                let mark = self.keymap.key_of(Action::Mark);
                self.inform(format!("no record is marked; {mark} marks the one under the cursor"));
            }
        }
    }
}

/// Moving within the panel with the focus.
impl App {
    /// Moves down by rows (up, if negative).
    pub(super) fn vertical(&mut self, rows: i64) {
        let focus = self.panels.focus;
        let area = self.layout.area_of(focus);
        match (focus, self.panels.view) {
            (Panel::List, View::Connections) => self.table.step(self.list.connections(&self.capture), rows),
            (Panel::List, View::Timeline) => {
                let shown = self.list.connections(&self.capture);
                let to = self.detail.record().and_then(|record| timeline::step_lane(shown, record, rows));
                self.go_in_timeline(to);
            }
            (Panel::List, View::Frames | View::Messages) => self.step_rows(rows),
            (Panel::Bits, _) => self.detail.step_row(rows),
            _ if self.detail.scroll_tree(focus, rows, area.height) => {}
            _ => self.detail.step_line(focus, rows, HexShape::of(area).per_row),
        }
    }

    /// Moves to the right (to the left, if negative): by fields, bytes or columns of the timeline.
    pub(super) fn horizontal(&mut self, by: i64) {
        match (self.panels.focus, self.panels.view) {
            (Panel::List, View::Connections) => {}
            (Panel::List, View::Timeline) => {
                let to = self.detail.record().and_then(|record| self.timeline.step_time(&self.capture, record, by));
                self.go_in_timeline(to);
            }
            (Panel::List, _) if self.steps_fragments() => self.detail.step_fragment(by),
            (Panel::List | Panel::Bits, _) => self.detail.step_row(by),
            (panel, _) => self.detail.step_byte(panel, by),
        }
    }

    /// Goes to the first or last row or byte.
    pub(super) fn edge(&mut self, last: bool) {
        let by = if last { i64::MAX } else { i64::MIN };
        match (self.panels.focus, self.panels.view) {
            (Panel::List, View::Timeline) => {
                let record = self.detail.record();
                let to = record.and_then(|record| timeline::lane_edge(&self.capture, record, last));
                self.go_in_timeline(to);
            }
            (Panel::List, View::Frames | View::Messages) if last => self.follow(),
            (Panel::List, View::Frames | View::Messages) => {
                self.list.pause(&self.counts.totals);
                self.step_rows(by);
            }
            _ => self.vertical(by),
        }
    }

    fn step_rows(&mut self, by: i64) {
        if let Some(row) = self.list.row_after(by) {
            self.list.pause(&self.counts.totals);
            self.go_to_row(row);
        }
    }

    pub(super) fn go_in_timeline(&mut self, to: Option<u64>) {
        if let Some(no) = to.filter(|no| *no != self.list.cursor) {
            self.list.pause(&self.counts.totals);
            self.go_to(no, false);
        }
    }

    /// Moves the focus to the next panel of the record, or to the previous one.
    pub(super) fn next_panel(&mut self, back: bool) {
        if self.panels.view == View::Connections {
            return;
        }
        let detail = &self.detail;
        let has_content = detail.content().is_some_and(|content| !content.bytes.is_empty());
        let is_shown = |panel: &Panel| match panel {
            Panel::List | Panel::Bits => true,
            Panel::Bytes => !detail.shape().is_end,
            Panel::Payload => detail.has_payload(),
            Panel::Inflated => has_content,
        };
        let shown: Vec<Panel> = Panel::VARIANTS.iter().copied().filter(is_shown).collect();
        self.panels.focus = cycled(&shown, self.panels.focus, back);
        match self.panels.focus {
            // The inflated message explains the payload.
            Panel::Inflated => self.detail.select_payload_row(),
            Panel::Payload => self.detail.enter_payload(),
            Panel::List | Panel::Bits | Panel::Bytes => {}
        }
    }
}
