//! The mouse: the wheel, and clicks on rows, fields, bits and bytes.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;
use strum::VariantArray as _;

use super::App;
use crate::tui::layout::HexShape;
use crate::tui::panel::{Panel, View};
use crate::tui::state::dialogs::{Dialog, FindingsPanel};

/// Rows that one step of the wheel moves.
const WHEEL: i64 = 3;

impl App {
    /// Takes a mouse event. Of the dialogs, only the panel of findings reacts to the mouse.
    pub fn mouse(&mut self, event: MouseEvent) {
        let at = Position::new(event.column, event.row);
        match (&self.dialogs.open, event.kind) {
            (Some(Dialog::Findings(panel)), kind) => {
                let panel = self.mouse_in_findings(*panel, kind, at);
                self.dialogs.open = Some(Dialog::Findings(panel));
            }
            (Some(_), _) => return,
            (None, MouseEventKind::ScrollUp) => self.wheel(at, -WHEEL),
            (None, MouseEventKind::ScrollDown) => self.wheel(at, WHEEL),
            (None, MouseEventKind::Down(MouseButton::Left)) => self.click(at),
            (None, _) => return,
        }
        self.prepare();
    }

    fn mouse_in_findings(&self, mut panel: FindingsPanel, kind: MouseEventKind, at: Position) -> FindingsPanel {
        let tallies = &self.counts.tallies;
        let Some(layout) = self.findings_layout() else { return panel };
        match kind {
            MouseEventKind::ScrollUp => panel.step(tallies, -1),
            MouseEventKind::ScrollDown => panel.step(tallies, 1),
            MouseEventKind::Down(MouseButton::Left) if layout.rows.contains(at) => {
                panel.select(tallies, panel.top + usize::from(at.y - layout.rows.y));
            }
            _ => {}
        }
        panel
    }

    fn panel_at(&self, at: Position) -> Option<Panel> {
        // The table of fields may be below the bytes.
        if self.detail.further_table.contains(at) {
            return Some(Panel::Bits);
        }
        Panel::VARIANTS.iter().copied().find(|panel| self.layout.area_of(*panel).contains(at))
    }

    /// Moves the panel under the mouse; the focus stays.
    fn wheel(&mut self, at: Position, rows: i64) {
        if let Some(panel) = self.panel_at(at) {
            let focus = std::mem::replace(&mut self.panels.focus, panel);
            self.vertical(rows);
            self.panels.focus = focus;
        }
    }

    fn click(&mut self, at: Position) {
        let Some(panel) = self.panel_at(at) else { return };
        self.notice = None;
        self.panels.focus = panel;
        match panel {
            Panel::List => self.click_list(at),
            Panel::Bits => self.click_bits(at),
            Panel::Bytes | Panel::Payload | Panel::Inflated => {
                let area = self.layout.area_of(panel);
                self.detail.click(panel, HexShape::of(area), at.x - area.x, at.y - area.y);
            }
        }
    }

    fn click_list(&mut self, at: Position) {
        let list = self.layout.list;
        match self.panels.view {
            View::Timeline => {
                let to = self.timeline.click(&self.capture, at.x - list.x, at.y - list.y);
                self.go_in_timeline(to);
            }
            View::Connections => self.table.click(self.list.connections(&self.capture), at.y - list.y),
            View::Frames | View::Messages => {
                if let Some(row) = self.list.row_at_line(at.y - list.y).and_then(|at| self.list.rows.row(at)) {
                    self.list.pause(&self.counts.totals);
                    self.go_to_row(row);
                }
            }
        }
    }

    fn click_bits(&mut self, at: Position) {
        let (grid_area, table, further) = (self.detail.grid_area, self.detail.table, self.detail.further_table);
        if table.contains(at) {
            self.detail.select_row(self.detail.row_top + usize::from(at.y - table.y));
        } else if further.contains(at) {
            let row = usize::from(table.height) + usize::from(at.y - further.y);
            self.detail.select_row(self.detail.row_top + row);
        } else if grid_area.contains(at)
            && let Some(bit) = self.detail.grid.bit_at(at.x - grid_area.x, at.y - grid_area.y)
        {
            self.detail.select_bit(bit);
        }
    }
}
