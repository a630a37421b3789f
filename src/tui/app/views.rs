//! Changing the view and the rows of the list.

use strum::VariantArray as _;

use super::App;
use crate::tui::action::Action;
use crate::tui::panel::{Panel, TIME_FROM, TIME_FROM_IN_COLUMN, TimeFormat, View, cycled};
use crate::tui::state::detail::Detail;
use crate::tui::state::list::{Fold, RowChoice, RowKind, Toggled};

impl App {
    /// Shows a view; the cursor stays on its record.
    pub(super) fn show_view(&mut self, view: View) {
        self.panels.focus = Panel::List;
        let connection = self.list.connection();
        let before = self.panels.view;
        if view == before && connection.is_none() {
            return;
        }
        self.panels.view = view;
        match view {
            View::Connections => {
                let own = self.detail.record().map(|record| record.connection);
                self.table.select(connection.or(own).unwrap_or(1));
                self.choose_rows(None);
            }
            // The same view once more leaves the connection.
            View::Frames if before == View::Frames => self.choose_rows(None),
            // The timeline has lanes of all connections.
            View::Timeline => self.choose_rows(None),
            View::Frames | View::Messages => self.choose_rows(connection),
        }
    }

    /// Chooses the rows of the list again, for one connection or for all.
    pub(super) fn choose_rows(&mut self, connection: Option<u32>) {
        let messages = self.panels.view == View::Messages;
        self.list.choose(RowChoice { connection, messages, fold: self.list.rows.choice.fold });
        self.show_chosen_rows();
    }

    /// Changes which records share a row: page requests, none, or page requests and consecutive heartbeats.
    pub(super) fn change_fold(&mut self) {
        let choice = self.list.rows.choice;
        let fold = match choice.fold {
            Fold::Pages if self.list.rows.has_folded_pages() => Fold::Nothing,
            Fold::Pages | Fold::Nothing => Fold::All,
            Fold::All => Fold::Pages,
        };
        self.list.choose(RowChoice { fold, ..choice });
        self.show_chosen_rows();
        let key = self.keymap.key_of(Action::Fold);
        self.succeed(match fold {
            Fold::Nothing => format!("each record has its own row; {key} folds heartbeats too"),
            Fold::All => "consecutive heartbeats share a row; Enter expands it".to_owned(),
            Fold::Pages if self.list.rows.has_folded_pages() => "only page requests share a row".to_owned(),
            Fold::Pages => "each heartbeat has its own row again".to_owned(),
        });
    }

    /// Expands or opens what the cursor is on.
    pub(super) fn open(&mut self) {
        match (self.panels.focus, self.panels.view) {
            (Panel::List, View::Connections) => self.open_connection(),
            (Panel::List, View::Timeline) => self.show_view(View::Frames),
            (Panel::List, View::Frames | View::Messages) => self.toggle_row(),
            (Panel::Inflated, _) => self.go_to_carrier(),
            (Panel::Bits | Panel::Bytes | Panel::Payload, _) => {}
        }
    }

    /// Whether the text of the message takes the place of bits and bytes, so that left and right move by its frames.
    pub fn steps_fragments(&self) -> bool {
        let layout = &self.layout;
        let is_alone = layout.left.area() == 0 && layout.inflated.area() + layout.payload.area() > 0;
        is_alone && self.panels.view == View::Messages && self.panels.focus == Panel::List
    }

    fn toggle_row(&mut self) {
        let row = self.list.cursor_row().and_then(|row| self.list.rows.row(row));
        match self.list.toggle(&self.capture) {
            Toggled::Done => {}
            Toggled::GoTo(row) => self.go_to_row(row),
            Toggled::Single => self.inform("nothing to expand: the row shows a single record"),
        }
        // An expanded row stays under the cursor.
        if row.is_some_and(|row| self.list.rows.is_expanded(row.no)) {
            self.list.pause(&self.counts.totals);
        }
    }

    /// Shows the frames of the connection under the cursor.
    fn open_connection(&mut self) {
        self.list.pause(&self.counts.totals);
        self.panels.view = View::Frames;
        self.choose_rows(Some(self.table.cursor));
    }

    /// Goes from the records of a connection back to the table. Returns false if all connections are listed.
    pub(super) fn leave_connection(&mut self) -> bool {
        let is_inside = self.list.connection().is_some();
        if is_inside {
            self.show_view(View::Connections);
        }
        is_inside
    }

    /// Goes from a byte of a message to the frame that carries it.
    fn go_to_carrier(&mut self) {
        let Some(carrier) = self.detail.carrier() else { return self.inform("this frame is the whole message") };
        let compressed = self.detail.record().is_some_and(|record| record.compressed);
        self.reveal(carrier.record);
        self.panels.focus = Panel::Payload;
        if let Some(start) = self.detail.current().and_then(Detail::payload_start) {
            // A byte of the message corresponds to no single byte of a compressed payload.
            self.detail.select_byte(start + if compressed { 0 } else { carrier.offset });
        }
    }

    /// What the key for "open" does at the cursor, in a word; `None` if it does nothing.
    pub fn open_hint(&self) -> Option<&'static str> {
        match (self.panels.focus, self.panels.view) {
            (Panel::Inflated, _) => self.detail.carrier().map(|_| "its frame"),
            (Panel::List, View::Connections | View::Timeline) => Some("frames"),
            (Panel::List, View::Frames | View::Messages) => {
                let row = self.list.rows.row(self.list.cursor_row()?)?;
                let many = self.list.known_message(row.no).is_some_and(|message| message.frames > 1);
                match row.kind {
                    RowKind::Child { .. } => Some("close"),
                    _ if self.list.rows.is_expanded(row.no) => Some("close"),
                    RowKind::Heartbeats(_) | RowKind::Pages(_) => Some("open"),
                    RowKind::Record => (self.panels.view == View::Messages && many).then_some("open"),
                }
            }
            (Panel::Bits | Panel::Bytes | Panel::Payload, _) => None,
        }
    }

    /// Shows the next time format. A list that is too narrow has no column for it.
    pub(super) fn change_time_format(&mut self) {
        self.panels.time_format = cycled(TimeFormat::VARIANTS, self.panels.time_format, false);
        let is_column = self.layout.list_divider.width > 0;
        let least = if is_column { TIME_FROM_IN_COLUMN } else { TIME_FROM };
        if self.layout.list.width < least {
            self.inform(format!("no time is shown: its column needs a list of {least} columns"));
        }
    }

    pub(super) fn zoom(&mut self, closer: bool) {
        if let Some(record) = self.detail.record() {
            self.timeline.zoom(&self.capture, record, closer);
        }
    }

    pub(super) fn switch_text(&mut self) {
        if !self.detail.switch_text() {
            let words = if self.detail.wants_hex { "hex" } else { "text" };
            self.inform(format!("this record has no text payload; the next one is shown as {words}"));
        }
    }

    pub(super) fn switch_tree(&mut self) {
        if let Err(e) = self.detail.switch_tree(&self.capture) {
            self.inform(e.to_string());
        }
    }
}
