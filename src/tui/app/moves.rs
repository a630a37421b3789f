//! Moving: from record to record, field to field, byte to byte.

use std::cmp::Reverse;

use super::detail::{Detail, Sort};
use super::{App, Panel, View};
use crate::capture::query::partner;
use crate::proto::rules::Rule;
use crate::tui::layout::HexShape;

impl App {
    /// Goes to a record and keeps the same field selected, where it has it.
    pub(super) fn go_to(&mut self, no: u64) {
        let no = no.clamp(self.totals.first, self.totals.records.max(self.totals.first));
        let selected = self.detail.as_ref().and_then(|detail| detail.field_of_row(self.row)).map(|field| field.id);
        let Some(record) = self.capture.record(no) else { return };
        self.cursor = no;
        let detail = self.load(record);
        self.row = selected.and_then(|id| detail.row_of_id(id)).or_else(|| detail.row_of_field(0)).unwrap_or(0);
        if detail.frame.is_none() {
            self.row = 0;
        }
        self.byte = detail.field_of_row(self.row).map_or(0, |field| field.span.byte_range().start);
        self.bytes_top = 0;
        self.payload_top = 0;
        self.inflated_at = 0;
        self.inflated_top = 0;
        self.row_top = 0;
        self.detail = Some(detail);
        let _ = self.read_trees();
        self.ask_for_inflated();
    }

    /// Reads the record under the cursor again, after something about it has changed.
    pub(super) fn reload(&mut self) {
        if let Some(record) = self.capture.record(self.cursor) {
            self.detail = Some(self.load(record));
            self.ask_for_inflated();
        }
    }

    /// Stops following.
    pub(super) fn hold(&mut self) {
        if self.following {
            self.following = false;
            self.held_at = self.totals.records;
        }
    }

    /// Goes to the newest record, and on to each that comes.
    pub(super) fn follow(&mut self) {
        self.following = self.is_live();
        self.held_at = self.totals.records;
        if let Some((_, last)) = self.rows.edges() {
            self.stand(last);
        }
    }

    /// Rows up (negative) or down in the focused panel.
    pub(super) fn vertical(&mut self, rows: i64) {
        if self.scroll_tree(rows) {
            return;
        }
        match self.focus {
            Panel::List if self.view == View::Connections => self.step_connections(rows),
            Panel::List if self.view == View::Timeline => self.step_lane(rows),
            Panel::List => self.step_rows(rows),
            Panel::Bits => self.step_row(rows),
            Panel::Bytes => self.step_byte(rows.saturating_mul(HexShape::of(self.layout.bytes).per_row as i64)),
            Panel::Payload => self.step_byte(rows.saturating_mul(HexShape::of(self.layout.payload).per_row as i64)),
            Panel::Inflated => {
                self.step_inflated(rows.saturating_mul(HexShape::of(self.layout.inflated).per_row as i64));
            }
        }
    }

    /// Fields, or in the hex panels bytes, to the left (negative) or right.
    pub(super) fn horizontal(&mut self, by: i64) {
        match self.focus {
            Panel::List if self.view == View::Connections => {}
            Panel::List if self.view == View::Timeline => self.step_time(by),
            Panel::List | Panel::Bits => self.step_row(by),
            Panel::Bytes | Panel::Payload => self.step_byte(by),
            Panel::Inflated => self.step_inflated(by),
        }
    }

    /// To the first or last of the focused panel.
    pub(super) fn edge(&mut self, last: bool) {
        if self.scroll_tree(if last { i64::MAX } else { i64::MIN }) {
            return;
        }
        match (self.focus, last) {
            (Panel::List, _) if self.view == View::Timeline => self.lane_edge(last),
            (Panel::List, _) if self.view == View::Connections => {
                self.step_connections(if last { i64::MAX } else { i64::MIN });
            }
            (Panel::List, true) => self.follow(),
            (Panel::List, false) => {
                self.hold();
                self.step_rows(i64::MIN);
            }
            (Panel::Bits, _) => self.step_row(if last { i64::MAX } else { i64::MIN }),
            (Panel::Inflated, _) => self.step_inflated(if last { i64::MAX } else { i64::MIN }),
            (Panel::Bytes | Panel::Payload, _) => self.step_byte(if last { i64::MAX } else { i64::MIN }),
        }
    }

    /// Selects a byte, and the field that owns it.
    pub(super) fn select_byte(&mut self, byte: u64) {
        let Some(detail) = &self.detail else { return };
        self.byte = byte.min(detail.record.wire_len.saturating_sub(1));
        if let Some(row) = detail.row_at_byte(self.byte, self.row) {
            self.row = row;
        }
    }

    /// Selects a row, and the first byte of its field.
    pub(super) fn select_row(&mut self, row: usize) {
        let Some(detail) = &self.detail else { return };
        if row >= detail.rows.len() || detail.rows[row].sort == Sort::Heading {
            return;
        }
        self.row = row;
        if let Some(field) = detail.field_of_row(row) {
            self.byte = field.span.byte_range().start;
        }
    }

    /// Selects the field that owns a bit.
    pub(super) fn select_bit(&mut self, bit: u64) {
        let Some(detail) = &self.detail else { return };
        let row = crate::wire::field::field_at_bit(&detail.fields, bit).and_then(|field| detail.row_of_field(field));
        if let Some(row) = row {
            self.select_row(row);
            self.byte = bit / 8;
        }
    }

    pub(super) fn go_to_partner(&mut self) {
        let next = self.detail.as_ref().and_then(|detail| partner::next_partner(&self.capture, &detail.record));
        match next {
            Some(no) => self.reveal(no),
            None => self.tell("this record has no partner"),
        }
    }

    /// To the next or previous record with a finding.
    pub(super) fn go_to_finding(&mut self, later: bool) {
        let next = if later {
            self.capture.findings(self.cursor + 1, 1).first().map(|(no, _)| *no)
        } else {
            self.capture.finding_before(self.cursor)
        };
        match next {
            Some(no) => {
                self.reveal(no);
                self.select_finding(None);
            }
            None if later => self.tell("no finding after this record"),
            None => self.tell("no finding before this record"),
        }
    }

    pub(super) fn toggle_mark(&mut self) {
        if self.cursor > 0 && !self.marks.remove(&self.cursor) {
            self.marks.insert(self.cursor);
        }
    }

    pub(super) fn go_to_mark(&mut self) {
        let next = self.marks.range(self.cursor + 1..).next().or_else(|| self.marks.first()).copied();
        match next {
            Some(no) => self.reveal(no),
            None => self.tell("no record is marked; m marks the one under the cursor"),
        }
    }

    pub(super) fn next_panel(&mut self, back: bool) {
        if self.view == View::Connections {
            return;
        }
        let has_inflated = self.inflated().is_some_and(|inflated| !inflated.bytes.is_empty());
        let panels = [
            (Panel::List, true),
            (Panel::Bits, self.maximised || self.layout.left.area() > 0),
            (Panel::Bytes, self.maximised || self.layout.bytes.area() > 0),
            (Panel::Payload, self.has_payload() && (self.maximised || self.layout.payload.area() > 0)),
            (Panel::Inflated, has_inflated && (self.maximised || self.layout.inflated.area() > 0)),
        ];
        let mut there: Vec<Panel> = panels.into_iter().filter(|(_, there)| *there).map(|(panel, _)| panel).collect();
        if back {
            there.reverse();
        }
        let at = there.iter().position(|panel| *panel == self.focus).unwrap_or(0);
        self.focus = there[(at + 1) % there.len()];
        self.enter_inflated();
        if self.focus == Panel::Payload
            && let Some(start) = self.detail.as_ref().and_then(Detail::payload_start)
            && self.byte < start
        {
            self.select_byte(start);
        }
    }

    fn has_payload(&self) -> bool {
        self.detail.as_ref().is_some_and(|detail| detail.payload_start().is_some())
    }

    /// Selects the field at fault: of the worst finding, or of the one that `rule` names.
    pub(super) fn select_finding(&mut self, rule: Option<Rule>) {
        let Some(detail) = &self.detail else { return };
        let mut with_bits: Vec<_> = detail.record.findings.iter().filter_map(|f| Some((f.rule, f.span?))).collect();
        with_bits.sort_by_key(|(of, _)| (Some(*of) != rule, Reverse(of.severity())));
        if let Some((_, span)) = with_bits.first() {
            self.select_bit(span.start);
        }
    }

    fn step_row(&mut self, by: i64) {
        let Some(detail) = &self.detail else { return };
        let last = detail.rows.len().saturating_sub(1) as i64;
        let mut to = (self.row as i64).saturating_add(by).clamp(0, last);
        // Headings and the lines of a computation are passed over.
        let passes = |row: i64| matches!(detail.rows[row as usize].sort, Sort::Heading | Sort::Bench);
        let step = if by < 0 { -1 } else { 1 };
        while !detail.rows.is_empty() && passes(to) && (0..=last).contains(&(to + step)) {
            to += step;
        }
        self.select_row(to as usize);
    }

    fn step_byte(&mut self, by: i64) {
        let Some(detail) = &self.detail else { return };
        let first = match self.focus {
            Panel::Payload => detail.payload_start().unwrap_or(0),
            _ => 0,
        };
        let last = detail.record.wire_len.saturating_sub(1).max(first);
        // The wheel moves a panel that the cursor may not stand in.
        let byte = self.byte.clamp(first, last);
        let to = match by {
            i64::MIN => first,
            i64::MAX => last,
            by => match byte.checked_add_signed(by) {
                Some(to) if (first..=last).contains(&to) => to,
                _ if by == 1 || by == -1 => byte,
                // A page that would leave the payload goes to its edge, in the same column where it goes up.
                _ if by < 0 => first + (byte - first) % by.unsigned_abs(),
                _ => last,
            },
        };
        self.select_byte(to);
    }
}
