//! Brings the cursors of a record into view, and reads the bytes in view.

use ratatui::layout::Rect;

use super::{DetailPane, TEXT_MARGIN};
use crate::capture::store::Capture;
use crate::tui::bit_grid::{self, BitGrid};
use crate::tui::layout::{HexShape, Layout, TALL};
use crate::tui::panel::Panel;
use crate::tui::state::unpacked::Unpacked;
use crate::wire::opcode::Opcode;

/// Narrowest table beside a bit grid.
const TABLE_BESIDE: u16 = 26;

impl DetailPane {
    /// Brings the cursors into view and reads the bytes in view.
    pub fn prepare(&mut self, capture: &Capture, layout: &Layout) {
        self.separate_rsv = layout.area.height >= TALL;
        let selected = self.detail.as_ref().and_then(|detail| detail.field_of_row(self.row)).map(|field| field.id);
        let Some(detail) = self.detail.as_mut() else { return };
        if detail.separate_rsv(self.separate_rsv) {
            self.row = selected.and_then(|id| detail.row_of_id(id)).unwrap_or(0);
        }
        self.place_grid(layout.left);
        let Some(detail) = &self.detail else { return };
        let height = usize::from(self.table.height);
        if height > 0 {
            self.row_top = self.row_top.clamp((self.row + 1).saturating_sub(height), self.row);
            self.row_top = self.row_top.min(detail.rows.len().saturating_sub(height));
        }
        let record = &detail.record;
        let bytes = HexShape::of(layout.bytes);
        self.wire.prepare(bytes, self.byte, record.wire_len, detail.text_start(), |range| capture.wire(record, range));
        if let Some(start) = detail.payload_start() {
            let (at, len) = (self.byte.saturating_sub(start), record.wire_len - start);
            let utf8 = (!detail.is_binary()).then_some(0);
            let shape = HexShape::of(layout.payload);
            self.payload.prepare(shape, at, len, utf8, |range| capture.payload(record, range));
        }
        let value = capture.wire(record, self.byte..self.byte + 1);
        self.byte_value = value.ok().and_then(|bytes| bytes.first().copied());
        if let Some(content) = detail.unpacked.as_ref().and_then(Unpacked::content) {
            let len = content.bytes.len() as u64;
            let utf8 = (content.opcode == Opcode::Text).then_some(0);
            let shape = HexShape::of(layout.inflated);
            self.message.prepare(shape, self.message_byte, len, utf8, |range| {
                Ok(content.bytes[range.start.min(len) as usize..range.end.min(len) as usize].to_vec())
            });
        }
        let panel = self.content_panel();
        let area = layout.area_of(panel);
        let cursor = if panel == Panel::Inflated { self.message_byte } else { self.byte };
        let start = self.content_start(panel);
        if let Some(text) = self.text.as_mut().filter(|_| area.height > 0) {
            text.prepare(area.width.saturating_sub(TEXT_MARGIN + 1), area.height, cursor.saturating_sub(start));
        }
    }

    /// Divides the left panel between the bit grid and the rows.
    fn place_grid(&mut self, left: Rect) {
        let Some(detail) = &self.detail else { return };
        let rows = u16::try_from(detail.rows.len()).unwrap_or(u16::MAX);
        let is_frame = detail.record.opcode().is_some();
        let fields = if is_frame { &detail.fields[..] } else { &[] };
        let span = detail.span_of_row(self.row);
        let narrow = Rect { width: bit_grid::NARROW.min(left.width), ..left };
        // The first column of the table is empty, so it is also the space beside the grid.
        let beside = left.width.saturating_sub(bit_grid::NARROW - 1);
        let is_beside = left.width < bit_grid::WIDE && beside >= TABLE_BESIDE && left.height < 12 && is_frame;
        if is_beside {
            self.grid = BitGrid::of(fields, narrow.width, left.height, 0, span);
            self.grid_area = narrow;
            self.table = Rect { x: left.right() - beside, width: beside, ..left };
        } else {
            self.grid = BitGrid::of(fields, left.width, left.height, rows, span);
            let height = self.grid.height().min(left.height);
            self.grid_area = Rect { height, ..left };
            self.table = Rect { y: left.y + height, height: left.height - height, ..left };
        }
    }
}
