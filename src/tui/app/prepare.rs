//! Computing the layout, and reading everything that is in view before the screen is drawn.

use super::App;
use crate::tui::connections_layout::{ConnectionsLayout, ConnectionsShape};
use crate::tui::layout;
use crate::tui::panel::{Panel, View};
use crate::tui::state::dialogs::Dialog;
use crate::tui::state::dialogs::hold_panel::HoldPanel;
use crate::tui::state::timeline;

impl App {
    /// Computes the layout, brings the cursors into view and reads everything that is in view, so that drawing reads nothing.
    pub fn prepare(&mut self) {
        self.prepare_closing();
        self.prepare_tour();
        let tour = self.tour_page().map_or(0, |page| page.height());
        let prompt = match &self.dialogs.open {
            Some(Dialog::Prompt(prompt)) => prompt.own_rows(self.layout.area.width),
            Some(Dialog::Hold(_)) => HoldPanel::height(&self.held, self.layout.area.height),
            _ => 0,
        };
        let Self { capture, panels, detail, list, .. } = self;
        let no_record = panels.view == View::Connections;
        if no_record {
            panels.focus = Panel::List;
        }
        let wide_list = panels.view == View::Timeline;
        let list_rows = if wide_list { timeline::rows(list.connections(capture).count()) } else { 0 };
        let text_first = detail.message_panel().filter(|_| panels.view == View::Messages && !list.in_child);
        let shape = layout::Shape {
            prompt,
            no_record,
            wide_list,
            list_rows,
            text_first,
            tour,
            listed: list.rows.len(),
            ..detail.shape()
        };
        if panels.focus == Panel::Inflated && shape.inflated.flatten().is_none() {
            panels.focus = Panel::Payload;
        }
        if panels.focus == Panel::Payload && shape.payload.is_none() {
            panels.focus = Panel::Bytes;
        }
        if panels.focus == Panel::Bytes && shape.is_end {
            panels.focus = Panel::Bits;
        }
        let area = self.layout.area;
        let (focus, maximised) = (panels.focus, panels.maximised);
        self.layout = layout::compute(area, focus, maximised, shape);
        if let words @ Some(_) = self.words_room(&shape) {
            self.layout = layout::compute(area, focus, maximised, layout::Shape { words, ..shape });
        }
        // A panel that has the focus keeps its lines.
        if matches!(focus, Panel::List | Panel::Bits) && text_first.is_none() {
            self.layout.leave_for_fields(self.detail.lines_below_bytes(self.layout.left), shape);
        }
        if no_record {
            self.prepare_connections();
        }
        let Self { capture, panels, detail, list, .. } = self;
        list.prepare(capture, self.layout.list.height);
        if self.layout.list_divider.width > 0 {
            let columns = self.layout.list.width.saturating_sub(layout::COLUMN_PREVIEW);
            list.wrap_rows(usize::from(columns), self.layout.list.height);
        }
        let shown = list.connections(capture);
        if panels.view == View::Timeline {
            self.timeline.prepare(shown, detail.record(), self.layout.list);
        }
        detail.prepare(capture, &self.layout);
        self.prepare_conversation();
        let in_view = self.list.page.rows.iter().chain(self.conversation.rows()).map(|row| row.record.no);
        let records = in_view.clone().min().zip(in_view.max()).map(|(first, last)| first..=last);
        self.held.look(self.session.hold.as_ref(), records);
        self.prepare_findings();
        let counts = self.scope_counts();
        if let Some(Dialog::Export(dialog)) = &mut self.dialogs.open {
            dialog.counts = counts;
        }
    }

    /// Brings the cursor of the table of connections into view, and reads the records of its connection.
    fn prepare_connections(&mut self) {
        self.table.read_facts(&self.capture, self.list.connections(&self.capture));
        let shape = self.connections_layout();
        // The table takes the place of the list.
        (self.layout.list_title, self.layout.list) = (shape.title, shape.rows);
        self.table.prepare(self.list.connections(&self.capture), shape.rows.height);
        self.table.read_records(&self.capture, shape.records.height);
    }

    /// The areas of the view of connections.
    pub fn connections_layout(&self) -> ConnectionsLayout {
        let shape = ConnectionsShape {
            connections: self.list.connections(&self.capture).count(),
            table_only: self.panels.maximised,
            facts: &self.table.facts,
            records: self.table.records,
        };
        ConnectionsLayout::of(&self.layout, &shape)
    }
}
