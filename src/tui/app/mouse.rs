//! The mouse: the wheel, and clicks on rows, fields, bits and bytes.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::overlay::Overlay;
use super::{App, Panel, View};
use crate::tui::layout::{self, HexShape};
use crate::tui::view::grid::Grid;

/// Rows that a turn of the wheel moves.
const WHEEL: i64 = 3;

impl App {
    /// The mouse did something.
    pub fn mouse(&mut self, event: MouseEvent) {
        let at = Position::new(event.column, event.row);
        if let Some(Overlay::Findings(panel)) = self.overlay {
            self.findings_mouse(panel, event.kind, at);
            self.settle();
            return;
        }
        if self.overlay.is_some() {
            return;
        }
        match event.kind {
            MouseEventKind::ScrollUp => self.wheel(at, -WHEEL),
            MouseEventKind::ScrollDown => self.wheel(at, WHEEL),
            MouseEventKind::Down(MouseButton::Left) => self.click(at),
            _ => return,
        }
        self.settle();
    }

    fn panel_at(&self, at: Position) -> Option<Panel> {
        let panels = [
            (self.layout.list, Panel::List),
            (self.layout.left, Panel::Bits),
            (self.layout.bytes, Panel::Bytes),
            (self.layout.payload, Panel::Payload),
            (self.layout.inflated, Panel::Inflated),
        ];
        panels.into_iter().find(|(area, _)| area.contains(at)).map(|(_, panel)| panel)
    }

    fn wheel(&mut self, at: Position, rows: i64) {
        if let Some(panel) = self.panel_at(at) {
            let focus = std::mem::replace(&mut self.focus, panel);
            self.vertical(rows);
            self.focus = focus;
        }
    }

    fn click(&mut self, at: Position) {
        let Some(panel) = self.panel_at(at) else { return };
        self.notice = None;
        self.focus = panel;
        match panel {
            Panel::List if self.view == View::Timeline => {
                let list = self.layout.list;
                self.click_timeline(at.x - list.x, at.y - list.y);
            }
            Panel::List if self.view == View::Connections => {
                let row = self.table.top + 1 + u32::from(at.y - self.layout.list.y);
                if u64::from(row) <= self.totals.connections {
                    self.table.at = row;
                }
            }
            Panel::List => {
                let row = self.top + u64::from(at.y - self.layout.list.y);
                if let Some(row) = self.rows.row(row) {
                    self.hold();
                    self.stand(row);
                }
            }
            Panel::Bits => self.click_bits(at),
            Panel::Bytes => {
                let Some(len) = self.detail.as_ref().map(|detail| detail.record.wire_len) else { return };
                if let Some(byte) = byte_at(self.layout.bytes, self.bytes_top, at).filter(|byte| *byte < len) {
                    self.select_byte(byte);
                }
            }
            Panel::Payload => {
                let Some(detail) = &self.detail else { return };
                let (Some(start), len) = (detail.payload_start(), detail.record.wire_len) else { return };
                let byte = byte_at(self.layout.payload, self.payload_top, at).map(|byte| start + byte);
                if let Some(byte) = byte.filter(|byte| *byte < len) {
                    self.select_byte(byte);
                }
            }
            Panel::Inflated => {
                let len = self.inflated().map_or(0, |inflated| inflated.bytes.len() as u64);
                let byte = byte_at(self.layout.inflated, self.inflated_top, at);
                if let Some(byte) = byte.filter(|byte| *byte < len) {
                    self.inflated_at = byte;
                }
                self.enter_inflated();
            }
        }
    }

    fn click_bits(&mut self, at: Position) {
        let Some(detail) = &self.detail else { return };
        let (grid_area, table) = layout::split_bits(self.layout.left, detail);
        if table.contains(at) {
            self.select_row(self.row_top + usize::from(at.y - table.y));
        } else if grid_area.contains(at) {
            let grid = Grid::of(detail, grid_area.width);
            let bit = grid.bit_at(at.x - grid_area.x, at.y - grid_area.y);
            if let Some(bit) = bit {
                self.select_bit(bit);
            }
        }
    }
}

/// The byte whose hex digits or character stand at a position of a hex panel.
fn byte_at(area: Rect, top: u64, at: Position) -> Option<u64> {
    let shape = HexShape::of(area);
    let (row, column) = shape.cell_at(at.x - area.x, at.y - area.y)?;
    Some((top + row) * shape.per_row + column)
}
