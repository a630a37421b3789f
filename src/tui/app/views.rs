//! The views: what the upper half of the screen shows.

use super::detail::Detail;
use super::inflated::{MAX_SHOWN, Unpacked};
use super::rows::Sort;
use super::{App, Panel};
use crate::capture::query::messages::{self, Message};
use crate::capture::store::Capture;
use crate::capture::store::record::Record;

/// What the upper half of the screen shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Every record in a row.
    Frames,
    /// All fragments of a message in one row.
    Messages,
    /// A row for each connection.
    Connections,
    /// What moved when.
    Timeline,
}

impl View {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Frames, Self::Messages, Self::Connections, Self::Timeline];

    /// The one after it, the first after the last.
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|view| *view == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Frames => "Frames",
            Self::Messages => "Messages",
            Self::Connections => "Connections",
            Self::Timeline => "Timeline",
        }
    }
}

impl App {
    /// Shows another view; the cursor stays with its record.
    pub(super) fn show(&mut self, view: View) {
        self.focus = Panel::List;
        let inside = self.only.is_some();
        if view == self.view && !inside {
            return;
        }
        match view {
            View::Connections => self.enter_connections(),
            // Out of a connection, unless it is only looked at in another way.
            View::Frames if self.view == View::Frames => self.only = None,
            // A time has lanes of all connections.
            View::Timeline => self.only = None,
            View::Frames | View::Messages => {}
        }
        self.view = view;
        self.choose_rows();
    }

    /// Heartbeats in one row, or apart again.
    pub(super) fn toggle_fold(&mut self) {
        self.folded = !self.folded;
        self.choose_rows();
        self.say(if self.folded {
            "heartbeats that follow each other share a row; Enter opens it"
        } else {
            "every heartbeat has a row again"
        });
    }

    /// What is beneath a row; from a byte of a message to the frame that brought it.
    pub(super) fn open(&mut self) {
        match self.focus {
            Panel::List if self.view == View::Connections => self.open_connection(),
            Panel::List if self.view == View::Timeline => self.show(View::Frames),
            Panel::List => self.toggle_row(),
            Panel::Inflated => self.go_to_carrier(),
            _ => {}
        }
    }

    /// The message that a record opens.
    pub(super) fn message_at(&mut self, no: u64) -> Option<Message> {
        let record = self.capture.record(no)?;
        self.messages.look(&self.capture, &record).cloned()
    }

    /// Looks at the messages of the rows in view.
    pub(super) fn look_at_messages(&mut self, rows: u64) {
        if self.view != View::Messages {
            return;
        }
        let in_view = (self.top..self.top + rows).map_while(|row| self.rows.row(row));
        let numbers: Vec<u64> = in_view.filter(|row| row.sort == Sort::Plain).map(|row| row.no).collect();
        for record in self.capture.pick(numbers) {
            self.messages.look(&self.capture, &record);
        }
    }

    /// Lays out a record: in a message's row all that its frames say together.
    pub(super) fn load(&mut self, record: Record) -> Detail {
        let message = if self.view == View::Messages && !self.beneath {
            self.messages.look(&self.capture, &record).filter(|message| message.frames > 1).cloned()
        } else {
            None
        };
        let mut detail = Detail::load(&self.capture, record);
        if let Some(message) = message {
            detail.join(&self.capture, message);
        }
        detail
    }

    /// Lays the message under the cursor out anew when further frames of it have come.
    pub(super) fn renew_message(&mut self) {
        let Some(detail) = self.detail.as_ref().filter(|_| self.view == View::Messages && !self.beneath) else {
            return;
        };
        let shown = detail.message.as_ref().map_or(1, |message| message.frames);
        let now = self.messages.look(&self.capture, &detail.record).map_or(1, |message| message.frames);
        if now > shown {
            self.reload();
        }
    }

    /// What Enter does where the cursor is, in a word; `None` where it does nothing.
    pub fn open_hint(&self) -> Option<&'static str> {
        match (self.focus, self.view) {
            (Panel::Inflated, _) => self.carrier().map(|_| "its frame"),
            (Panel::List, View::Connections | View::Timeline) => Some("frames"),
            (Panel::List, _) => {
                let row = self.rows.row(self.cursor_row()?)?;
                let many = self.messages.known(row.no).is_some_and(|message| message.frames > 1);
                match row.sort {
                    Sort::Beneath { .. } => Some("close"),
                    _ if self.rows.is_opened(row.no) => Some("close"),
                    Sort::Heartbeats(_) => Some("open"),
                    Sort::Plain => (self.view == View::Messages && many).then_some("open"),
                }
            }
            _ => None,
        }
    }

    /// From the byte under the cursor of a message to the frame that brought it.
    fn go_to_carrier(&mut self) {
        let Some((no, _, at)) = self.carrier() else {
            return self.tell("this frame is the whole message");
        };
        let compressed = self.detail.as_ref().is_some_and(|detail| detail.record.compressed);
        self.reveal(no);
        self.focus = Panel::Payload;
        let Some(start) = self.detail.as_ref().and_then(Detail::payload_start) else { return };
        // What a compressed byte becomes cannot be told byte by byte.
        self.select_byte(start + if compressed { 0 } else { at });
    }

    /// The frame that brought the byte under the cursor of a message of several frames: its number, which of them it is, and
    /// where in what it brought the byte stands.
    pub fn carrier(&self) -> Option<(u64, usize, u64)> {
        let carriers = &self.detail.as_ref()?.carriers;
        let (i, at) = messages::carrier_of(carriers, self.inflated_at)?;
        Some((carriers[i].no, i, at))
    }
}

impl Detail {
    /// Puts the whole message in the place of what its first frame says.
    fn join(&mut self, capture: &Capture, message: Message) {
        let read = if message.compressed {
            let last = capture.record(message.last);
            last.map_or(Ok(None), |last| Unpacked::load(capture, &last))
        } else {
            message.joined(capture, MAX_SHOWN).map(|(said, carriers)| {
                self.carriers = carriers;
                Some(Unpacked::Joined(said))
            })
        };
        self.message = Some(message);
        match read {
            Ok(unpacked) => self.unpacked = unpacked,
            Err(e) => self.trouble = Some(format!("the bytes cannot be read: {e}")),
        }
        self.find_carriers(capture);
    }

    /// Finds which frame brought what of a compressed message.
    pub(super) fn find_carriers(&mut self, capture: &Capture) {
        if let (Some(message), Some(Unpacked::Whole(said))) = (&self.message, &self.unpacked) {
            self.carriers = message.carriers(capture, said);
        }
    }
}
