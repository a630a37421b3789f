//! `/ticker` sends `echo 0`, `echo 1` and so on at a fixed interval, regardless of what the client sends.

use std::time::{Duration, Instant};

use super::Role;
use crate::proto::endpoint::Sender;
use crate::wire::opcode::Opcode;

/// Sends a numbered text each interval. Messages of the client are captured and have no effect.
pub struct Ticker {
    interval: Duration,
    /// When the next text is due; `None` if the clock cannot represent that time.
    next: Option<Instant>,
    count: u64,
}

impl Ticker {
    /// A ticker that sends its first text after one interval. An interval below 1 ms is taken as 1 ms.
    pub fn new(interval: Duration) -> Self {
        let interval = interval.max(Duration::from_millis(1));
        Self { interval, next: Instant::now().checked_add(interval), count: 0 }
    }
}

impl Role for Ticker {
    fn reads_messages(&self) -> bool {
        false
    }

    /// The first bytes that a learner sees spell `echo 0`.
    fn accepts_deflate(&self) -> bool {
        false
    }

    fn message(&mut self, _opcode: Opcode, _payload: &[u8], _sender: &mut Sender<'_>) {}

    fn due(&self) -> Option<Instant> {
        self.next
    }

    fn act(&mut self, now: Instant, sender: &mut Sender<'_>) {
        sender.text(&format!("echo {}", self.count));
        self.count += 1;
        // Count from the time that was due, so that the schedule does not drift. Texts that were missed while the peer
        // did not read are skipped.
        self.next = self.next.and_then(|due| {
            let missed = now.saturating_duration_since(due).as_nanos() / self.interval.as_nanos();
            let steps = u32::try_from(missed).unwrap_or(u32::MAX - 1) + 1;
            due.checked_add(self.interval.checked_mul(steps)?)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::endpoint::{Endpoint, Limits};

    #[test]
    fn the_schedule_neither_drifts_nor_bursts() {
        let second = Duration::from_secs(1);
        let mut ticker = Ticker::new(second);
        let mut endpoint = Endpoint::server(Limits::default());
        let mut out = Vec::new();
        let first = ticker.due().expect("a time");
        ticker.act(first + second / 10, &mut endpoint.sender(&mut out));
        assert_eq!(ticker.due(), Some(first + second), "a late tick moves nothing");
        ticker.act(first + second * 5 / 2, &mut endpoint.sender(&mut out));
        assert_eq!(ticker.due(), Some(first + second * 3), "a missed tick is not made up for");
        assert_eq!(out, b"\x81\x06echo 0\x81\x06echo 1");
    }

    #[test]
    fn odd_intervals_do_no_harm() {
        assert_eq!(Ticker::new(Duration::MAX).due(), None);
        assert_eq!(Ticker::new(Duration::ZERO).interval, Duration::from_millis(1));
    }
}
