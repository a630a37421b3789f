//! Brings the cursors of a record into view, and reads the bytes in view.

use ratatui::layout::Rect;

use super::{DetailPane, TEXT_MARGIN};
use crate::capture::store::Capture;
use crate::tui::bit_grid::{self, BitGrid};
use crate::tui::layout::{HexShape, Layout, TALL};
use crate::tui::panel::Panel;
use crate::tui::state::detail::Detail;
use crate::tui::state::detail_rows::{DetailRow, DetailRowKind};
use crate::tui::state::unpacked::Unpacked;
use crate::wire::field::{Field, FieldId, Span};
use crate::wire::opcode::Opcode;

/// Narrowest table beside a bit grid.
const TABLE_BESIDE: u16 = 26;

/// Rows of the table that a panel keeps: the selected one, and one that counts the others.
const LEAST_ROWS: u16 = 2;

/// Fewest rows below the bytes, if not all of those that are hidden fit there.
const LEAST_FURTHER: u16 = 2;

/// Lines of a grid around the selected bits: their border, three rows, and a line that says that the grid goes on.
const AROUND: u16 = 5;

/// The lines that a panel needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// To show the bits at fault and their row.
    pub around: u16,
    /// To show what is most important.
    pub least: u16,
    /// To show all that it has a form for.
    pub full: u16,
    /// What it fills of the lines that it has.
    pub used: u16,
}

impl DetailPane {
    /// Brings the cursors into view and reads the bytes in view.
    pub fn prepare(&mut self, capture: &Capture, layout: &Layout) {
        self.separate_rsv = layout.area.height >= TALL;
        let selected = self.detail.as_ref().and_then(|detail| detail.field_of_row(self.row)).map(|field| field.id);
        let Some(detail) = self.detail.as_mut() else { return };
        if detail.separate_rsv(self.separate_rsv) {
            self.row = selected.and_then(|id| detail.row_of_id(id)).unwrap_or(0);
        }
        self.place_grid(layout.left, self.free_below_bytes(layout));
        let Some(detail) = &self.detail else { return };
        let height = self.rows_in_view();
        if height > 0 {
            // What belongs to the bits at fault is in the rows after theirs.
            if detail.frame.is_some() && findings_at(detail, self.row).next().is_some() {
                self.row_top = self.row;
            }
            // The first and the last rows may be headings or computations, on which the cursor never is.
            let skipped = |rows: Option<&[DetailRow]>| rows.unwrap_or_default().iter().all(|row| row.kind.is_skipped());
            let first = if skipped(detail.rows.get(..self.row)) { 0 } else { self.row };
            let after = detail.rows.get(self.row + 1..).unwrap_or_default();
            // The lines of a computation belong to the row before them, and a length to the sign that it follows.
            let computed = after.iter().take_while(|row| row.kind == DetailRowKind::Computation).count();
            let is_len = detail.field_of_row(self.row).is_some_and(|field| field.id == FieldId::PayloadLen);
            let next = detail.field_of_row(self.row + 1).map(|field| field.id);
            let extended = is_len && matches!(next, Some(FieldId::ExtendedLen16 | FieldId::ExtendedLen64));
            let own = self.row + 1 + computed + usize::from(extended);
            let end = if skipped(Some(after)) { detail.rows.len() } else { own };
            let least = end.saturating_sub(height).min(self.row);
            self.row_top = self.row_top.clamp(least, first.max(least));
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

    /// The lines that the left panel needs: with the beginning of the payload and all rows, or without the payload and with some
    /// rows.
    pub fn needs(&self, left: Rect) -> Needs {
        let Some(detail) = &self.detail else { return Needs { around: 0, least: 0, full: 0, used: 0 } };
        let rows = u16::try_from(detail.rows.len()).unwrap_or(u16::MAX);
        let some = rows.min(LEAST_ROWS);
        let (least, full) = BitGrid::heights(grid_fields(detail), left.width);
        let around = least.min(AROUND);
        match table_beside(detail, left) {
            Some(_) => {
                let grid =
                    BitGrid::of(grid_fields(detail), left.width, left.height, 0, detail.span_of_row(self.row), None);
                Needs {
                    around: around.max(some),
                    least: least.max(some),
                    full: full.max(rows),
                    used: grid.height().max(rows).min(left.height),
                }
            }
            // A handshake needs all of its rows: the right values are beside the wrong ones.
            None if full == 0 => Needs { around: rows, least: rows, full: rows, used: rows },
            None => Needs {
                around: around.saturating_add(some),
                least: least.saturating_add(some),
                full: full.saturating_add(rows),
                used: full.saturating_add(rows),
            },
        }
    }

    /// The rows in view. If the table is too low for all, its last line says how many there are above and below, unless the title
    /// of the part below the bytes does.
    pub fn rows_in_view(&self) -> usize {
        let height = usize::from(self.table.height + self.further_table.height);
        let rows = self.detail.as_ref().map_or(0, |detail| detail.rows.len());
        let has_sign = self.further_table.height == 0;
        if has_sign && rows > height && height > 1 { height - 1 } else { height.min(rows) }
    }

    /// The lines below the bytes for the rows that have no place below the grid, with a title; 0 if the left panel is not narrow.
    pub fn lines_below_bytes(&self, left: Rect) -> u16 {
        let Some(detail) = &self.detail else { return 0 };
        let (fields, rows) = (grid_fields(detail), u16::try_from(detail.rows.len()).unwrap_or(u16::MAX));
        if fields.is_empty() || left.width >= bit_grid::WIDE || table_beside(detail, left).is_some() {
            return 0;
        }
        let (span, fault) = (detail.span_of_row(self.row), at_fault(detail, self.row));
        let grid = BitGrid::of(fields, left.width, left.height, rows, span, fault);
        let hidden = rows.saturating_sub(left.height.saturating_sub(grid.height()));
        if hidden > 0 { hidden.saturating_add(1) } else { 0 }
    }

    /// The lines below the bytes at the right that show nothing.
    fn free_below_bytes(&self, layout: &Layout) -> Rect {
        let panels = [Panel::Inflated, Panel::Payload, Panel::Bytes];
        let lowest = panels.into_iter().find(|panel| layout.area_of(*panel).area() > 0);
        let Some(panel) = lowest.filter(|_| layout.chain.height + layout.fragments.height == 0) else {
            return Rect::default();
        };
        let area = layout.area_of(panel);
        let used = self.shape().content_of(panel).map_or(0, |content| content.lines(area)).min(area.height);
        match layout.left.area() > 0 && area.x > layout.divider.x {
            true => Rect { y: area.y + used, height: layout.left.bottom().saturating_sub(area.y + used), ..area },
            false => Rect::default(),
        }
    }

    /// Divides the left panel between the bit grid and the rows. Rows that do not fit there get the lines that are `free` below the
    /// bytes: all of them, or else as many as fit.
    fn place_grid(&mut self, left: Rect, free: Rect) {
        (self.table_title, self.further_table) = Default::default();
        let Some(detail) = &self.detail else { return };
        let rows = u16::try_from(detail.rows.len()).unwrap_or(u16::MAX);
        let fields = grid_fields(detail);
        let (span, fault) = (detail.span_of_row(self.row), at_fault(detail, self.row));
        let grid = |width: u16, rows: u16| BitGrid::of(fields, width, left.height, rows, span, fault);
        let below = |grid: &BitGrid| {
            let height = grid.height().min(left.height);
            Rect { y: left.y + height, height: left.height - height, ..left }
        };
        if let Some(beside) = table_beside(detail, left) {
            let narrow = Rect { width: bit_grid::NARROW.min(left.width), ..left };
            self.grid = grid(narrow.width, 0);
            self.grid_area = narrow;
            self.table = Rect { x: left.right() - beside, width: beside, ..left };
            return;
        }
        // With all rows below the bytes, or else with some of them below the grid.
        let is_narrow = left.width < bit_grid::WIDE && !fields.is_empty() && free.height > 1;
        let divided = [0, rows].map(|rows| grid(left.width, rows)).into_iter().find(|grid| {
            let table = below(grid).height;
            is_narrow && table < rows && table + free.height > rows
        });
        self.grid = divided.unwrap_or_else(|| grid(left.width, rows));
        self.table = below(&self.grid);
        self.grid_area = Rect { height: left.height - self.table.height, ..left };
        let rest = rows.saturating_sub(self.table.height).min(free.height.saturating_sub(1));
        if is_narrow && (rest >= LEAST_FURTHER || rest + self.table.height == rows && rest > 0) {
            self.table_title = Rect { y: free.bottom() - rest - 1, height: 1, ..free };
            self.further_table = Rect { y: free.bottom() - rest, height: rest, ..free };
        }
    }
}

/// The bits that must be in view: those of a row, and of a finding about some of them.
fn at_fault(detail: &Detail, row: usize) -> Option<Span> {
    let own = detail.span_of_row(row)?;
    let spans = findings_at(detail, row);
    Some(spans.fold(own, |all, span| Span::bits(all.start.min(span.start), all.end.max(span.end))))
}

/// The bits of the findings that are about some of the bits of a row.
fn findings_at(detail: &Detail, row: usize) -> impl Iterator<Item = Span> {
    let own = detail.span_of_row(row);
    let spans = detail.record.findings.iter().filter_map(|finding| finding.span);
    spans.filter(move |span| own.is_some_and(|own| span.overlaps(own)))
}

/// The fields that a bit grid shows: those of a frame.
fn grid_fields(detail: &Detail) -> &[Field] {
    if detail.record.opcode().is_some() { &detail.fields } else { &[] }
}

/// The columns of a table beside the bit grid, in a panel that is wide enough and too low for a table below.
fn table_beside(detail: &Detail, left: Rect) -> Option<u16> {
    // The first column of the table is empty, so it is also the space beside the grid.
    let beside = left.width.saturating_sub(bit_grid::NARROW - 1);
    let is_beside = left.width < bit_grid::WIDE && beside >= TABLE_BESIDE && left.height < 12;
    (is_beside && detail.record.opcode().is_some()).then_some(beside)
}
