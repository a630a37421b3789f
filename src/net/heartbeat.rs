//! When one side of a connection sends pings and pongs: what libraries usually decide alone.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::proto::endpoint::{Endpoint, Sender};

/// The most pongs that wait to be sent. More pings drop the oldest: a pong may answer only the latest ping (RFC 6455 §5.5.3).
const MAX_DELAYED: usize = 1024;

/// How an endpoint answers pings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pongs {
    /// At once, as RFC 6455 §5.5.2 asks.
    #[default]
    AtOnce,
    /// After this time.
    After(Duration),
    /// Never.
    Never,
}

/// The settings of heartbeats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeartbeatConfig {
    /// How pings are answered.
    pub pongs: Pongs,
    /// How often a ping is sent; `None` for never. Its payload is its number, from 1.
    pub ping_every: Option<Duration>,
}

/// The heartbeats of one connection.
#[derive(Debug)]
pub struct Heartbeat {
    config: HeartbeatConfig,
    /// When the next ping is due.
    next_ping: Option<Instant>,
    pings: u64,
    /// The pongs to send, each with its time, the earliest first.
    pongs: VecDeque<(Instant, Box<[u8]>)>,
}

impl Heartbeat {
    /// The heartbeats of a connection that opens now.
    pub fn new(config: HeartbeatConfig, now: Instant) -> Self {
        let next_ping = config.ping_every.and_then(|interval| now.checked_add(interval));
        Self { config, next_ping, pings: 0, pongs: VecDeque::new() }
    }

    /// Turns off the pongs of an endpoint, unless it sends them at once.
    pub fn govern(&self, endpoint: Endpoint) -> Endpoint {
        if self.config.pongs == Pongs::AtOnce { endpoint } else { endpoint.without_pongs() }
    }

    /// Takes a ping of the peer.
    pub fn ping(&mut self, payload: &[u8], now: Instant) {
        if let Pongs::After(delay) = self.config.pongs
            && let Some(due) = now.checked_add(delay)
        {
            if self.pongs.len() == MAX_DELAYED {
                self.pongs.pop_front();
            }
            self.pongs.push_back((due, payload.into()));
        }
    }

    /// True while a ping of the peer waits for its pong.
    pub fn owes_pong(&self) -> bool {
        !self.pongs.is_empty()
    }

    /// The time at which [`Self::act`] is to be called; `None` for never.
    pub fn due(&self) -> Option<Instant> {
        let pong = self.pongs.front().map(|(due, _)| *due);
        pong.into_iter().chain(self.next_ping).min()
    }

    /// Sends what is due, and returns the payload of the ping if it sent one. A late ping does not move the later ones; missed ones are
    /// skipped.
    pub fn act(&mut self, now: Instant, sender: &mut Sender<'_>) -> Option<Vec<u8>> {
        while let Some((_, payload)) = self.pongs.pop_front_if(|(due, _)| *due <= now) {
            sender.pong(&payload);
        }
        let due = self.next_ping.filter(|due| *due <= now)?;
        self.pings += 1;
        let payload = self.pings.to_string().into_bytes();
        sender.ping(&payload);
        let interval = self.config.ping_every.unwrap_or_default().max(Duration::from_millis(1));
        let missed = now.duration_since(due).as_nanos() / interval.as_nanos();
        let steps = u32::try_from(missed).unwrap_or(u32::MAX - 1) + 1;
        self.next_ping = interval.checked_mul(steps).and_then(|time| due.checked_add(time));
        Some(payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::endpoint::Limits;

    #[test]
    fn pings_and_late_pongs_are_sent_when_they_are_due() {
        let now = Instant::now();
        let second = Duration::from_secs(1);
        let config = HeartbeatConfig { pongs: Pongs::After(second * 3), ping_every: Some(second) };
        let mut heartbeat = Heartbeat::new(config, now);
        let mut endpoint = heartbeat.govern(Endpoint::server(Limits::default()));
        let mut out = Vec::new();
        endpoint.receive(b"\x89\x81\0\0\0\0p", &mut out, |_, _| heartbeat.ping(b"p", now));
        assert_eq!((heartbeat.due(), out.len()), (Some(now + second), 0), "no pong at once");
        assert_eq!(heartbeat.act(now + second * 5 / 2, &mut endpoint.sender(&mut out)), Some(b"1".to_vec()));
        assert_eq!(heartbeat.due(), Some(now + second * 3), "a missed ping is skipped");
        heartbeat.act(now + second * 3, &mut endpoint.sender(&mut out));
        assert_eq!(out, b"\x89\x011\x8a\x01p\x89\x012");
        let mut never = Heartbeat::new(HeartbeatConfig { pongs: Pongs::Never, ping_every: None }, now);
        never.ping(b"p", now);
        assert_eq!(never.due(), None);
    }
}
