//! The lesson of the tour: a text, texts with both longer forms of the length, a ping, a message in fragments, and a Close.

use std::time::{Duration, Instant};

use crate::proto::endpoint::Sender;
use crate::wire::close::CloseCode;
use crate::wire::opcode::Opcode;

/// Time between two parts, in which the server answers.
const PAUSE: Duration = Duration::from_millis(300);

/// A text for the 16-bit length, 25 bytes.
const MEDIUM: &str = "This text has 200 bytes. ";

/// A text for the 64-bit length, 25 bytes.
const LONG: &str = "This has 70,000 letters. ";

/// The parts, in order.
const PARTS: [fn(&mut Sender<'_>); 6] = [
    |sender| sender.text("Hello framescope!"),
    |sender| sender.text(&MEDIUM.repeat(200 / MEDIUM.len())),
    |sender| sender.text(&LONG.repeat(70_000 / LONG.len())),
    |sender| sender.ping(b"still there?"),
    |sender| sender.fragments(Opcode::Text, &[b"This message ", b"crosses in ", b"three frames."]),
    |sender| sender.close(Some(CloseCode::GOING_AWAY), "the lesson is over"),
];

/// How far the lesson is.
#[derive(Debug, Default)]
pub struct Lesson {
    /// Parts that were sent.
    sent: usize,
    /// When the next part is due; `None` for at once.
    due: Option<Instant>,
}

impl Lesson {
    /// Sends the next part if it is due.
    pub fn go_on(&mut self, now: Instant, sender: &mut Sender<'_>) {
        if self.due.is_some_and(|due| now < due) {
            return;
        }
        if let Some(part) = PARTS.get(self.sent) {
            part(sender);
            self.sent += 1;
            self.due = Some(now + PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_have_the_lengths_that_they_say() {
        assert_eq!([MEDIUM.len(), LONG.len()], [25; 2]);
        assert_eq!([200 % MEDIUM.len(), 70_000 % LONG.len()], [0; 2]);
    }
}
