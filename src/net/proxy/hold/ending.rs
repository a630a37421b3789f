//! The end of a direction: the proxy sends the queued messages first, or drops them.

use std::sync::PoisonError;

use super::lane::{LOOK, Lane};
use super::link::Link;
use crate::net::proxy::end::End;
use crate::proto::rules::count;

/// The most dropped messages that get a note.
const MAX_NOTES: usize = 1000;

impl Lane {
    /// Sends the bytes of an incomplete message if nothing is queued: the sender has reset the connection.
    pub fn flush(&self, link: &dyn Link) {
        let mut writing = self.writing();
        if self.queue().is_empty() {
            // The reset follows in any case.
            let _ = self.open_gate(link, &mut writing);
        }
    }

    /// After the end of the direction: waits until the queue is empty, and sends the bytes of an incomplete message.
    pub fn finish(&self, link: &dyn Link) -> Result<(), End> {
        loop {
            let mut writing = self.writing();
            self.send_ready(link, &mut writing)?;
            let is_over = self.queue().is_over;
            if is_over || self.queue().is_empty() {
                return self.open_gate(link, &mut writing);
            }
            self.overtake(link, &mut writing)?;
            drop(writing);
            let queue = self.queue();
            drop(self.changed.wait_timeout(queue, LOOK).unwrap_or_else(PoisonError::into_inner));
            if link.is_cut() {
                return Err(End::Cut);
            }
            if link.is_sender_lost(self.direction()) {
                return Err(End::Reset);
            }
        }
    }

    /// Drops the queued messages: the connection is over.
    pub fn abandon(&self) {
        let (items, others) = self.queue().end();
        self.changed.notify_all();
        let lost = items.len() + others;
        items.iter().take(MAX_NOTES).for_each(|item| self.delivery.note_lost(item));
        if lost > 0 {
            let number = self.connection().unwrap_or(0);
            self.tap.wiretap().notice(&format!(
                "connection {number} ended before {} went on, {}",
                count(lost as u64, "held message"),
                self.direction().words()
            ));
            self.hold.report_change();
        }
    }

    /// Waits, after the end of the lane, for the sending thread, which keeps the recording open.
    pub fn join(&self) {
        let sender = self.queue().sender.take();
        if let Some(sender) = sender {
            // The thread reports a panic itself.
            let _ = sender.join();
        }
    }
}
