//! Matches Pongs with the Pings of the other direction (RFC 6455 §5.5.2, §5.5.3).

use std::collections::VecDeque;

/// The number of unanswered Pings whose payloads are kept. Older ones are only counted, until a Pong arrives.
const MAX_WAITING: usize = 256;

/// The unanswered Pings that one side sent.
#[derive(Debug, Default)]
pub(super) struct Pings {
    waiting: VecDeque<Ping>,
    /// The count of older Pings, whose payloads were dropped. Any Pong may answer them, so the first one after them clears it.
    forgotten: UnansweredPings,
    /// True from the first dropped payload on: a Pong that fits no Ping may answer one whose payload was dropped.
    forgets: bool,
    /// The payloads of Pongs that were captured before the Pings that they answer.
    early: VecDeque<Box<[u8]>>,
}

#[derive(Debug)]
struct Ping {
    ordinal: u32,
    payload: Box<[u8]>,
    /// True if the peer must answer it.
    owed: bool,
}

/// A count of Pings that the peer had to answer and did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct UnansweredPings {
    /// The number of Pings.
    pub count: u64,
    /// The ordinal of the first of them.
    pub first: Option<u32>,
}

/// The relation of a Pong to the peer's Pings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PongMatch {
    /// It answers the Ping with this ordinal and skips these earlier ones.
    Answers(u32, UnansweredPings),
    /// It answers none of the unanswered Pings: their number, and the ordinal of the latest.
    Mismatched(u64, u32),
    /// No Ping is unanswered.
    Unsolicited,
    /// It may answer a Ping whose payload was dropped.
    Unknown,
}

impl UnansweredPings {
    fn add(&mut self, ordinal: u32) {
        self.count += 1;
        self.first.get_or_insert(ordinal);
    }
}

impl Pings {
    /// Adds a Ping, unless an early Pong has answered it. `owed` is true if the peer must answer it: the sender has not sent a Close
    /// (RFC 6455 §5.5.2).
    pub fn sent(&mut self, ordinal: u32, payload: &[u8], owed: bool) {
        if let Some(at) = self.early.iter().position(|early| **early == *payload) {
            self.early.remove(at);
            return;
        }
        if self.waiting.len() == MAX_WAITING
            && let Some(oldest) = self.waiting.pop_front()
        {
            self.forgets = true;
            if oldest.owed {
                self.forgotten.add(oldest.ordinal);
            }
        }
        self.waiting.push_back(Ping { ordinal, payload: payload.into(), owed });
    }

    /// Matches a Pong of the peer. It answers the oldest Ping with the same payload; Pings before that one count as
    /// skipped (RFC 6455 §5.5.3), unless earlier Pongs may have answered them.
    pub fn answered(&mut self, payload: &[u8]) -> PongMatch {
        self.forgotten = UnansweredPings::default();
        let Some(at) = self.waiting.iter().position(|ping| *ping.payload == *payload) else { return self.none_fits() };
        let mut passed = UnansweredPings::default();
        let ordinal = self.waiting[at].ordinal;
        self.waiting.drain(..at).filter(|_| !self.forgets).for_each(|ping| passed.add(ping.ordinal));
        self.waiting.pop_front();
        PongMatch::Answers(ordinal, passed)
    }

    /// Notes a Pong that answers none of the Pings so far. It may answer one that was captured later than the Pong.
    pub fn answered_early(&mut self, payload: &[u8]) {
        if self.early.len() == MAX_WAITING {
            self.early.pop_front();
        }
        self.early.push_back(payload.into());
    }

    /// Matches a truncated Pong: its payload starts with `beginning` and has `len` bytes, if known. Returns `None`
    /// while the Pong may still answer a Ping.
    pub fn never_answered(&self, beginning: &[u8], len: Option<usize>) -> Option<PongMatch> {
        let fits = |ping: &Ping| ping.payload.starts_with(beginning) && len.is_none_or(|len| len == ping.payload.len());
        if self.waiting.iter().any(fits) { None } else { Some(self.none_fits()) }
    }

    /// The match of a Pong that has the payload of no unanswered Ping.
    fn none_fits(&self) -> PongMatch {
        match self.waiting.back() {
            _ if self.forgets => PongMatch::Unknown,
            Some(latest) => PongMatch::Mismatched(self.waiting.len() as u64, latest.ordinal),
            None => PongMatch::Unsolicited,
        }
    }

    /// The Pings that the peer still has to answer.
    pub fn unanswered(&self) -> UnansweredPings {
        let mut owed = self.forgotten;
        self.waiting.iter().filter(|ping| ping.owed).for_each(|ping| owed.add(ping.ordinal));
        owed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pong_answers_its_ping_and_skips_earlier_ones() {
        let mut pings = Pings::default();
        assert_eq!(pings.answered(b""), PongMatch::Unsolicited);
        for (ordinal, payload) in [(3, b"a"), (5, b"b"), (6, b"c"), (9, b"d")] {
            pings.sent(ordinal, payload, true);
        }
        assert_eq!(pings.answered(b"x"), PongMatch::Mismatched(4, 9));
        assert_eq!(pings.answered(b"c"), PongMatch::Answers(6, UnansweredPings { count: 2, first: Some(3) }));
        assert_eq!(pings.unanswered(), UnansweredPings { count: 1, first: Some(9) });
        assert_eq!(pings.answered(b"d"), PongMatch::Answers(9, UnansweredPings::default()));
        assert_eq!(pings.unanswered(), UnansweredPings::default());
    }

    #[test]
    fn a_truncated_pong_is_judged_once_it_can_answer_no_ping() {
        let mut pings = Pings::default();
        assert_eq!(pings.never_answered(b"", None), Some(PongMatch::Unsolicited));
        pings.sent(3, b"ab", true);
        for (beginning, len) in [(&b""[..], None), (b"", Some(2)), (b"a", Some(2)), (b"ab", Some(2))] {
            assert_eq!(pings.never_answered(beginning, len), None);
        }
        for (beginning, len) in [(&b""[..], Some(1)), (b"b", Some(2)), (b"ab", Some(3))] {
            assert_eq!(pings.never_answered(beginning, len), Some(PongMatch::Mismatched(1, 3)));
        }
        assert_eq!(pings.unanswered().count, 1);
    }

    #[test]
    fn an_early_pong_answers_one_later_ping() {
        let mut pings = Pings::default();
        pings.answered_early(b"a");
        for (ordinal, payload) in [(3, b"b"), (5, b"a"), (7, b"a")] {
            pings.sent(ordinal, payload, true);
        }
        assert_eq!(pings.unanswered(), UnansweredPings { count: 2, first: Some(3) });
        (0..1000u32).for_each(|n| pings.answered_early(&n.to_be_bytes()));
        assert_eq!(pings.early.len(), MAX_WAITING);
    }

    #[test]
    fn a_flood_of_pings_is_counted_but_not_kept() {
        let mut pings = Pings::default();
        for ordinal in 0..1000u32 {
            pings.sent(ordinal, &ordinal.to_be_bytes(), true);
        }
        pings.sent(1000, b"after a Close", false);
        assert_eq!(pings.waiting.len(), MAX_WAITING);
        assert_eq!(pings.unanswered(), UnansweredPings { count: 1000, first: Some(0) });
        assert_eq!(pings.answered(&0u32.to_be_bytes()), PongMatch::Unknown);
        assert_eq!(
            pings.unanswered(),
            UnansweredPings { count: 255, first: Some(745) },
            "it may answer each older one"
        );
        assert_eq!(pings.answered(&999u32.to_be_bytes()), PongMatch::Answers(999, UnansweredPings::default()));
        assert_eq!(pings.unanswered(), UnansweredPings::default());
        assert_eq!(pings.answered(b"x"), PongMatch::Unknown);
        assert_eq!(pings.never_answered(b"x", None), Some(PongMatch::Unknown));
    }

    /// A Ping of each payload, then a Pong of each: with equal and with different payloads, in runs and alternating.
    #[test]
    fn pongs_in_order_are_right_however_many_pings_are_in_flight() {
        let payloads: [fn(u32) -> u32; 5] = [|n| n, |_| 0, |n| n % 2, |n| n / 100, |n| if n < 44 { 200 } else { n }];
        for (payload, flight) in payloads.into_iter().flat_map(|payload| [300, 1000].map(|flight| (payload, flight))) {
            let mut pings = Pings::default();
            for round in 0..3 {
                (0..flight).for_each(|n| pings.sent(round * flight + n, &payload(n).to_be_bytes(), true));
                for n in 0..flight {
                    let found = pings.answered(&payload(n).to_be_bytes());
                    let fine =
                        matches!(found, PongMatch::Unknown | PongMatch::Answers(_, UnansweredPings { count: 0, .. }));
                    assert!(fine, "{found:?} at {n} of {flight}");
                }
                assert_eq!(pings.unanswered(), UnansweredPings::default());
            }
        }
    }
}
