//! Moving the cursors of a record: by rows, bytes, lines and bits, to a finding, and to the position of a click.

use std::cmp::Reverse;
use std::ops::Range;

use super::{DetailPane, TEXT_MARGIN};
use crate::proto::rules::Rule;
use crate::tui::layout::{HexShape, Layout};
use crate::tui::panel::Panel;
use crate::tui::state::detail::Detail;
use crate::tui::state::detail_rows::DetailRowKind;
use crate::wire::field::{FieldId, field_at_bit};

impl DetailPane {
    /// Selects a row, and the first byte of its field.
    pub fn select_row(&mut self, row: usize) {
        self.move_to_row(row);
        self.choose_selected();
    }

    pub(super) fn move_to_row(&mut self, row: usize) {
        let Some(detail) = &self.detail else { return };
        if detail.rows.get(row).is_none_or(|row| row.kind == DetailRowKind::Heading) {
            return;
        }
        self.row = row;
        if let Some(field) = detail.field_of_row(row) {
            self.byte = field.span.byte_range().start;
        }
    }

    /// Keeps the selected field for the records that are shown next.
    fn choose_selected(&mut self) {
        let detail = self.detail.as_ref().filter(|detail| detail.frame.is_some());
        self.chosen = detail.and_then(|detail| detail.field_of_row(self.row)).map(|field| field.id).or(self.chosen);
    }

    /// Selects a byte, and its field.
    pub fn select_byte(&mut self, byte: u64) {
        let Some(detail) = &self.detail else { return };
        self.byte = byte.min(detail.record.wire_len.saturating_sub(1));
        if let Some(row) = detail.row_at_byte(self.byte, self.row) {
            self.row = row;
            self.choose_selected();
        }
    }

    /// Moves to a byte that was found. The cursor stays on a finding of the record, which the user must see first.
    pub fn show_byte(&mut self, byte: u64) {
        let Some(detail) = self.detail.as_ref().filter(|_| self.place_of_finding(None).is_none()) else { return };
        self.byte = byte.min(detail.record.wire_len.saturating_sub(1));
        self.row = detail.row_at_byte(self.byte, self.row).unwrap_or(self.row);
    }

    /// Scrolls the panels with bytes so that the cursor is in their upper third.
    pub fn scroll_to_cursor(&mut self, layout: &Layout) {
        let payload = self.content_start(Panel::Payload);
        let windows = [
            (&mut self.wire, Panel::Bytes, self.byte),
            (&mut self.payload, Panel::Payload, self.byte.saturating_sub(payload)),
            (&mut self.message, Panel::Inflated, self.message_byte),
        ];
        for (window, panel, cursor) in windows {
            let shape = HexShape::of(layout.area_of(panel));
            window.top = (cursor / shape.per_row.max(1)).saturating_sub(shape.rows / 3);
        }
    }

    /// Selects the field of a bit.
    pub fn select_bit(&mut self, bit: u64) {
        self.move_to_bit(bit);
        self.choose_selected();
    }

    fn move_to_bit(&mut self, bit: u64) {
        let Some(detail) = &self.detail else { return };
        if let Some(row) = field_at_bit(&detail.fields, bit).and_then(|field| detail.row_of_field(field)) {
            self.move_to_row(row);
            self.byte = bit / 8;
        }
    }

    /// Selects what breaks `rule`, or else what has the worst finding: the requirement, or the field.
    pub fn select_finding(&mut self, rule: Option<Rule>) {
        match self.place_of_finding(rule) {
            Some(FindingPlace::Row(row)) => self.move_to_row(row),
            Some(FindingPlace::Bit(bit)) => self.move_to_bit(bit),
            None => {}
        }
    }

    /// The place of the finding about `rule`, or else of the worst finding that has one.
    fn place_of_finding(&self, rule: Option<Rule>) -> Option<FindingPlace> {
        let detail = self.detail.as_ref()?;
        let places = detail.record.findings.iter().filter_map(|finding| {
            let row = detail.row_of_rule(finding.rule).map(FindingPlace::Row);
            // The field that carries a length that is too large, not the one that says that it follows.
            let is_value = finding.rule == Rule::MessageOverLimit;
            let bit = finding.span.map(|span| if is_value { span.end - 1 } else { span.start });
            Some((finding.rule, row.or_else(|| bit.map(FindingPlace::Bit))?))
        });
        places.min_by_key(|(of, _)| (Some(*of) != rule, Reverse(of.severity()))).map(|(_, place)| place)
    }

    /// Shows text payloads as text, or as hex. Returns false if there is no text.
    pub const fn switch_text(&mut self) -> bool {
        self.wants_hex = !self.wants_hex;
        self.text.is_some()
    }

    /// Selects a byte of the inflated or joined message.
    pub const fn select_message_byte(&mut self, byte: u64) {
        self.message_byte = byte;
    }

    /// Selects the payload as a field.
    pub fn select_payload_row(&mut self) {
        if let Some(row) = self.detail.as_ref().and_then(|detail| detail.row_of_id(FieldId::Payload)) {
            self.select_row(row);
        }
    }

    /// Selects the first byte of the next frame of a message, or of the previous one.
    pub fn step_fragment(&mut self, by: i64) {
        let Some(carriers) = self.detail.as_ref().map(|detail| &detail.carriers) else { return };
        let last = carriers.len().saturating_sub(1);
        let to = self.frame_of(self.message_byte).saturating_add_signed(by as isize).min(last);
        if let Some(start) = carriers.get(to).map(|carrier| carrier.start) {
            self.message_byte = start;
        }
    }

    /// Selects the first byte of the payload, if the selected byte is before it.
    pub fn enter_payload(&mut self) {
        if let Some(start) = self.detail.as_ref().and_then(Detail::payload_start)
            && self.byte < start
        {
            self.select_byte(start);
        }
    }

    /// Moves the row cursor; it skips headings and lines of a computation.
    pub fn step_row(&mut self, by: i64) {
        let Some(detail) = self.detail.as_ref().filter(|detail| !detail.rows.is_empty()) else { return };
        let last = detail.rows.len() - 1;
        let by = isize::try_from(by).unwrap_or(if by < 0 { isize::MIN } else { isize::MAX });
        let mut to = self.row.saturating_add_signed(by).min(last);
        while detail.rows[to].kind.is_skipped() {
            let next = if by < 0 { to.checked_sub(1) } else { Some(to + 1).filter(|next| *next <= last) };
            let Some(next) = next else { break };
            to = next;
        }
        self.select_row(to);
    }

    /// Moves the byte cursor in a hex panel.
    pub fn step_byte(&mut self, panel: Panel, by: i64) {
        let Some((_, bytes)) = self.hex(panel) else { return };
        let last = bytes.end.saturating_sub(1).max(bytes.start);
        let cursor = if panel == Panel::Inflated { self.message_byte } else { self.byte };
        // The wheel can move a panel whose bytes do not contain the cursor.
        let to = stepped(cursor.clamp(bytes.start, last), by, bytes.start, last);
        match panel {
            Panel::Inflated => self.message_byte = to,
            _ => self.select_byte(to),
        }
    }

    /// Moves the byte cursor by rows of a panel, which are lines of a text or have `per_row` bytes.
    pub fn step_line(&mut self, panel: Panel, rows: i64, per_row: u64) {
        let Some(text) = self.text(panel) else {
            return self.step_byte(panel, rows.saturating_mul(i64::try_from(per_row).unwrap_or(1)));
        };
        let start = self.content_start(panel);
        let cursor = if panel == Panel::Inflated { self.message_byte } else { self.byte };
        let to = start + text.step(cursor.saturating_sub(start), rows);
        match panel {
            Panel::Inflated => self.message_byte = to,
            _ => self.select_byte(to),
        }
    }

    /// Offset of the first byte that a panel shows: in the message, otherwise in the record.
    pub(super) fn content_start(&self, panel: Panel) -> u64 {
        let payload = || self.detail.as_ref().and_then(Detail::payload_start).unwrap_or(0);
        if panel == Panel::Payload { payload() } else { 0 }
    }

    /// Selects the byte at a position of a panel with bytes or text.
    pub fn click(&mut self, panel: Panel, shape: HexShape, x: u16, y: u16) {
        let Some((top, bytes)) = self.hex(panel) else { return };
        let byte = match self.text(panel) {
            Some(text) => text.byte_at(x.saturating_sub(TEXT_MARGIN), y).map(|byte| bytes.start + byte),
            None => shape.byte_at(x, y).map(|byte| bytes.start + top * shape.per_row + byte),
        };
        match (panel, byte.filter(|byte| *byte < bytes.end)) {
            (Panel::Inflated, byte) => {
                self.message_byte = byte.unwrap_or(self.message_byte);
                self.select_payload_row();
            }
            (_, Some(byte)) => self.select_byte(byte),
            (_, None) => {}
        }
    }

    /// The first row in view of a hex panel, and the offsets of its bytes: in the message, otherwise in the record.
    fn hex(&self, panel: Panel) -> Option<(u64, Range<u64>)> {
        let detail = self.detail.as_ref()?;
        match panel {
            Panel::Payload => Some((self.payload.top, detail.payload_start()?..detail.record.wire_len)),
            Panel::Inflated => Some((self.message.top, 0..self.content()?.bytes.len() as u64)),
            _ => Some((self.wire.top, 0..detail.record.wire_len)),
        }
    }

    /// Scrolls the tree in a panel of that height. Returns false if the panel shows no tree.
    pub fn scroll_tree(&mut self, panel: Panel, by: i64, height: u16) -> bool {
        let shown = self.tree(panel).is_some();
        if shown {
            self.trees.scroll(by, usize::from(height));
        }
        shown
    }
}

/// Where a record shows a finding.
#[derive(Clone, Copy, Debug)]
enum FindingPlace {
    /// In the row of a requirement.
    Row(usize),
    /// At that bit.
    Bit(u64),
}

/// A cursor after a step between `first` and `last`. A single step stops at the edges; a longer step backwards that would
/// leave goes to the first row, in the same column.
const fn stepped(from: u64, by: i64, first: u64, last: u64) -> u64 {
    match by {
        i64::MIN => first,
        i64::MAX => last,
        by => match from.checked_add_signed(by) {
            Some(to) if first <= to && to <= last => to,
            _ if by == 1 || by == -1 => from,
            _ if by < 0 => first + (from - first) % by.unsigned_abs(),
            _ => last,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_stays_between_the_edges_and_in_its_column() {
        assert_eq!([stepped(6, 1, 6, 19), stepped(6, -1, 6, 19), stepped(19, 1, 6, 19)], [7, 6, 19]);
        assert_eq!([stepped(17, -16, 6, 40), stepped(23, -16, 6, 40), stepped(30, 16, 6, 40)], [17, 7, 40]);
        assert_eq!([stepped(9, i64::MIN, 6, 19), stepped(9, i64::MAX, 6, 19)], [6, 19]);
    }
}
