//! The panels below the list: the record under the cursor with its field, byte and scroll cursors.

use std::cmp::Reverse;
use std::ops::Range;

use super::detail::Detail;
use super::detail_rows::DetailRowKind;
use super::hex_window::HexWindow;
use super::trees::{TreeError, Trees};
use super::unpacked::Unpacked;
use crate::capture::query::messages::{self, Message};
use crate::capture::query::payload_tree::{self, PayloadContext, Tree};
use crate::capture::store::Capture;
use crate::capture::store::message_reader::{Inflated, MessageReader};
use crate::capture::store::record::Record;
use crate::explain::DeflateContext;
use crate::proto::extensions::DeflateParams;
use crate::proto::rules::Rule;
use crate::tui::bit_grid::BitGrid;
use crate::tui::layout::{HexShape, Layout, Shape, split_bits};
use crate::tui::panel::Panel;
use crate::wire::field::{FieldId, field_at_bit};
use crate::wire::opcode::Opcode;

/// The record under the cursor and the cursors in it. One selection: the field row and the byte follow each other.
#[derive(Debug, Default)]
pub struct DetailPane {
    detail: Option<Detail>,
    /// Selected row of the left panel.
    pub row: usize,
    /// First row of the left panel in view.
    pub row_top: usize,
    /// Selected byte, as an offset in the record.
    pub byte: u64,
    /// Selected byte of the inflated or joined message.
    pub message_byte: u64,
    /// The wire bytes in view.
    pub wire: HexWindow,
    /// The payload bytes in view.
    pub payload: HexWindow,
    /// First row of the inflated message in view.
    pub message_top: u64,
    /// The wire byte under the cursor, if it can be read.
    pub byte_value: Option<u8>,
    pub trees: Trees,
    reader: MessageReader,
    /// Whether a background job inflates a long message now: one at a time.
    inflating: bool,
}

/// The frame that carries a byte of a message of several frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteCarrier {
    /// Number of its record.
    pub record: u64,
    /// Its position among the frames of the message, from 0.
    pub frame: usize,
    /// Offset of the byte in the part that the frame carries.
    pub offset: u64,
}

impl DetailPane {
    /// The record that is shown, with its fields; `None` before the first one.
    pub const fn current(&self) -> Option<&Detail> {
        self.detail.as_ref()
    }

    /// The record that is shown; `None` before the first one.
    pub fn record(&self) -> Option<&Record> {
        self.detail.as_ref().map(|detail| &detail.record)
    }

    /// The content of the inflated or joined message.
    pub fn content(&self) -> Option<&Inflated> {
        self.detail.as_ref()?.unpacked.as_ref()?.content()
    }

    /// Whether the record has a payload.
    pub fn has_payload(&self) -> bool {
        self.detail.as_ref().is_some_and(|detail| detail.payload_start().is_some())
    }

    /// Whether the selected byte lies in a masked payload: its offset in the payload, and the masking key.
    pub fn masked_payload_byte(&self) -> Option<(u64, [u8; 4])> {
        let detail = self.detail.as_ref()?;
        let at = self.byte.checked_sub(detail.payload_start()?)?;
        Some((at, detail.masking_key()?))
    }

    /// The tree that a panel shows in the place of its hex.
    pub fn tree(&self, panel: Panel) -> Option<&Tree> {
        let own = if self.content().is_some() { Panel::Inflated } else { Panel::Payload };
        self.trees.current().filter(|_| panel == own)
    }

    /// The frame that carries the selected byte of a message of several frames.
    pub fn carrier(&self) -> Option<ByteCarrier> {
        let carriers = &self.detail.as_ref()?.carriers;
        let (frame, offset) = messages::carrier_of(carriers, self.message_byte)?;
        Some(ByteCarrier { record: carriers[frame].no, frame, offset })
    }

    /// The parameters of permessage-deflate that the record's connection has negotiated.
    pub fn negotiated(&self, capture: &Capture) -> Option<DeflateParams> {
        capture.connection(self.detail.as_ref()?.record.connection)?.about.deflate
    }

    /// The facts that explain the payload of a compressed message.
    pub fn deflate_context(&self, capture: &Capture) -> Option<DeflateContext> {
        let detail = self.detail.as_ref()?;
        let unpacked = detail.unpacked.as_ref().filter(|unpacked| !matches!(unpacked, Unpacked::Joined(_)))?;
        let content = unpacked.content();
        Some(DeflateContext {
            params: self.negotiated(capture),
            direction: detail.record.direction,
            payload_len: detail.record.payload_len().unwrap_or(0),
            ends_message: !matches!(unpacked, Unpacked::Unfinished),
            lost: matches!(unpacked, Unpacked::Lost),
            inflated: content.map(|content| (content.compressed_len, content.len)),
            failed: content.is_some_and(|content| content.fault.is_some()),
        })
    }

    /// The properties of the record that the screen's layout depends on.
    pub fn shape(&self) -> Shape {
        self.detail.as_ref().map_or_else(Shape::default, |detail| Shape {
            card: false,
            has_bits: detail.record.opcode().is_some(),
            payload: detail.payload_start().is_some(),
            wire_len: detail.record.wire_len,
            inflated: detail
                .unpacked
                .as_ref()
                .map(|unpacked| unpacked.content().map_or(0, |content| content.bytes.len() as u64)),
        })
    }
}

/// Loading records.
impl DetailPane {
    /// Shows a record, or a `message` of several frames. The selected field stays selected if the new record has it.
    pub fn show(&mut self, capture: &Capture, record: Record, message: Option<Message>) {
        let selected = self.detail.as_ref().and_then(|detail| detail.field_of_row(self.row)).map(|field| field.id);
        let detail = Detail::load(capture, &mut self.reader, record, message);
        self.row = selected.and_then(|id| detail.row_of_id(id)).or_else(|| detail.row_of_field(0)).unwrap_or(0);
        if detail.frame.is_none() {
            self.row = 0;
        }
        self.byte = detail.field_of_row(self.row).map_or(0, |field| field.span.byte_range().start);
        (self.row_top, self.message_byte, self.message_top) = (0, 0, 0);
        (self.wire, self.payload) = (HexWindow::default(), HexWindow::default());
        self.detail = Some(detail);
        let _ = self.read_trees(capture);
    }

    /// Reads the record again, after its note or its message has changed. The cursors stay, unless another record was shown.
    pub fn reload(&mut self, capture: &Capture, record: Record, message: Option<Message>) {
        let Some(before) = self.detail.as_ref().filter(|before| before.record.no == record.no) else {
            return self.show(capture, record, message);
        };
        let last = before.last_frame();
        let detail = self.detail.insert(Detail::load(capture, &mut self.reader, record, message));
        if last != detail.last_frame() {
            let _ = self.read_trees(capture);
        }
    }

    /// The record whose message a background job must inflate now, if there is one.
    pub fn take_pending(&mut self) -> Option<u64> {
        let detail = self.detail.as_ref().filter(|detail| detail.unpacked == Some(Unpacked::Pending))?;
        (!std::mem::replace(&mut self.inflating, true)).then(|| detail.last_frame())
    }

    /// Takes the result of that job. The user may have gone to another record meanwhile: see [`Self::take_pending`].
    pub fn set_inflated(&mut self, capture: &Capture, no: u64, inflated: Option<Inflated>) {
        self.inflating = false;
        if let Some(detail) = self.detail.as_mut().filter(|detail| detail.last_frame() == no) {
            detail.set_unpacked(capture, Unpacked::from(inflated));
            let _ = self.read_trees(capture);
        }
    }

    /// Switches between hex and trees.
    ///
    /// # Errors
    /// If the payload cannot be shown as a tree.
    pub fn switch_tree(&mut self, capture: &Capture) -> Result<(), TreeError> {
        if !self.trees.switch() {
            return Ok(());
        }
        self.read_trees(capture).inspect_err(|_| self.trees.wanted = false)
    }

    /// Reads the payload as trees, if the user wants trees.
    fn read_trees(&mut self, capture: &Capture) -> Result<(), TreeError> {
        if !self.trees.wanted || self.detail.is_none() {
            return Ok(());
        }
        let trees = self.payload_trees(capture);
        self.trees.replace(trees)
    }

    fn payload_trees(&self, capture: &Capture) -> Result<Vec<Tree>, TreeError> {
        let detail = self.detail.as_ref().ok_or(TreeError::NoPayload)?;
        let (len, opcode) = match self.content() {
            Some(content) => (content.len, Some(content.opcode)),
            None => {
                let start = detail.payload_start().ok_or(TreeError::NoPayload)?;
                (detail.record.wire_len - start, detail.record.opcode())
            }
        };
        if len > payload_tree::MAX_BYTES {
            return Err(TreeError::TooLong);
        }
        let connection = capture.connection(detail.record.connection);
        let handshake = connection.as_ref().map(|connection| &connection.about);
        let context = PayloadContext { is_text: opcode == Some(Opcode::Text), handshake };
        Ok(match self.content() {
            Some(content) => payload_tree::read(&content.bytes, &context)?,
            None => payload_tree::read(&capture.payload(&detail.record, 0..len)?, &context)?,
        })
    }
}

/// Moving the cursors.
impl DetailPane {
    /// Selects a row, and the first byte of its field.
    pub fn select_row(&mut self, row: usize) {
        let Some(detail) = &self.detail else { return };
        if detail.rows.get(row).is_none_or(|row| row.kind == DetailRowKind::Heading) {
            return;
        }
        self.row = row;
        if let Some(field) = detail.field_of_row(row) {
            self.byte = field.span.byte_range().start;
        }
    }

    /// Selects a byte, and its field.
    pub fn select_byte(&mut self, byte: u64) {
        let Some(detail) = &self.detail else { return };
        self.byte = byte.min(detail.record.wire_len.saturating_sub(1));
        if let Some(row) = detail.row_at_byte(self.byte, self.row) {
            self.row = row;
        }
    }

    /// Selects the field of a bit.
    pub fn select_bit(&mut self, bit: u64) {
        let Some(detail) = &self.detail else { return };
        if let Some(row) = field_at_bit(&detail.fields, bit).and_then(|field| detail.row_of_field(field)) {
            self.select_row(row);
            self.byte = bit / 8;
        }
    }

    /// Selects the field that breaks `rule`, or else the field of the worst finding.
    pub fn select_finding(&mut self, rule: Option<Rule>) {
        let Some(detail) = &self.detail else { return };
        let with_bits = detail.record.findings.iter().filter_map(|f| Some((f.rule, f.span?)));
        if let Some((_, span)) = with_bits.min_by_key(|(of, _)| (Some(*of) != rule, Reverse(of.severity()))) {
            self.select_bit(span.start);
        }
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

    /// Selects the byte at a position of a hex panel.
    pub fn click(&mut self, panel: Panel, shape: HexShape, x: u16, y: u16) {
        let Some((top, bytes)) = self.hex(panel) else { return };
        let byte = shape.byte_at(x, y).map(|byte| bytes.start + top * shape.per_row + byte);
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
            Panel::Inflated => Some((self.message_top, 0..self.content()?.bytes.len() as u64)),
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

    /// Brings the cursors into view and reads the bytes in view.
    pub fn prepare(&mut self, capture: &Capture, layout: &Layout) {
        let Some(detail) = &self.detail else { return };
        let grid = BitGrid::of(&detail.fields, detail.record.opcode().is_some(), layout.left.width);
        let (_, table) = split_bits(layout.left, grid.height(), detail.rows.len());
        let height = usize::from(table.height).max(1);
        self.row_top = self.row_top.clamp((self.row + 1).saturating_sub(height), self.row);
        self.row_top = self.row_top.min(detail.rows.len().saturating_sub(height));
        let record = &detail.record;
        let bytes = HexShape::of(layout.bytes);
        self.wire.prepare(bytes, self.byte, record.wire_len, |range| capture.wire(record, range));
        if let Some(start) = detail.payload_start() {
            let (at, len) = (self.byte.saturating_sub(start), record.wire_len - start);
            let shape = HexShape::of(layout.payload);
            self.payload.prepare(shape, at, len, |range| capture.payload(record, range));
        }
        let value = capture.wire(record, self.byte..self.byte + 1);
        self.byte_value = value.ok().and_then(|bytes| bytes.first().copied());
        let len = self.content().map_or(0, |content| content.bytes.len() as u64);
        self.message_top = HexShape::of(layout.inflated).scrolled(self.message_top, self.message_byte, len);
    }
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
