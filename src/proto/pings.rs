//! Pings of one direction, and which of them a pong answers (RFC 6455 §5.5.2, §5.5.3).

use std::collections::VecDeque;

/// How many unanswered pings are remembered with their payloads; older ones are only counted.
const MAX_WAITING: usize = 256;

/// The pings that one side sent and that wait for their pongs.
#[derive(Debug, Default)]
pub(super) struct Pings {
    waiting: VecDeque<Ping>,
    /// Those before them whose payloads are forgotten.
    forgotten: Owed,
}

#[derive(Debug)]
struct Ping {
    ordinal: u32,
    payload: Box<[u8]>,
    /// Whether the other side has to answer it.
    owed: bool,
}

/// Pings that the other side had to answer and did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Owed {
    /// How many.
    pub count: u64,
    /// The ordinal of the first.
    pub first: Option<u32>,
}

/// What a pong is to the pings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It answers the ping with that ordinal, and passes over earlier ones.
    Answers(u32, Owed),
    /// That many pings are unanswered, the last with that ordinal, and it answers none of them.
    Mismatched(u64, u32),
    /// No ping is unanswered.
    Unsolicited,
}

impl Owed {
    fn add(&mut self, ordinal: u32) {
        self.count += 1;
        self.first.get_or_insert(ordinal);
    }
}

impl Pings {
    /// A ping is sent. `owed`: neither side has sent a Close, so that the other one has to answer (RFC 6455 §5.5.2).
    pub fn sent(&mut self, ordinal: u32, payload: &[u8], owed: bool) {
        if self.waiting.len() == MAX_WAITING
            && let Some(oldest) = self.waiting.pop_front()
            && oldest.owed
        {
            self.forgotten.add(oldest.ordinal);
        }
        self.waiting.push_back(Ping { ordinal, payload: payload.into(), owed });
    }

    /// A pong comes from the other side. The oldest ping with its payload counts as answered, and with it all before
    /// (RFC 6455 §5.5.3).
    pub fn answered(&mut self, payload: &[u8]) -> Answer {
        let Some(at) = self.waiting.iter().position(|ping| *ping.payload == *payload) else { return self.none_fits() };
        let mut passed = std::mem::take(&mut self.forgotten);
        let ordinal = self.waiting[at].ordinal;
        self.waiting.drain(..at).for_each(|ping| passed.add(ping.ordinal));
        self.waiting.pop_front();
        Answer::Answers(ordinal, passed)
    }

    /// A pong comes of which only the beginning is there: its payload begins with `beginning`, and has `len` bytes, where that is
    /// known. What it is, however it goes on, when it can answer no ping.
    pub fn never_answered(&self, beginning: &[u8], len: Option<usize>) -> Option<Answer> {
        let fits = |ping: &Ping| ping.payload.starts_with(beginning) && len.is_none_or(|len| len == ping.payload.len());
        if self.waiting.iter().any(fits) { None } else { Some(self.none_fits()) }
    }

    /// What a pong is whose payload is that of no ping.
    fn none_fits(&self) -> Answer {
        match self.waiting.back() {
            Some(latest) => Answer::Mismatched(self.forgotten.count + self.waiting.len() as u64, latest.ordinal),
            None => Answer::Unsolicited,
        }
    }

    /// The pings that the other side still has to answer.
    pub fn unanswered(&self) -> Owed {
        let mut owed = self.forgotten;
        self.waiting.iter().filter(|ping| ping.owed).for_each(|ping| owed.add(ping.ordinal));
        owed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pong_answers_its_ping_and_passes_over_those_before() {
        let mut pings = Pings::default();
        assert_eq!(pings.answered(b""), Answer::Unsolicited);
        for (ordinal, payload) in [(3, b"a"), (5, b"b"), (6, b"c"), (9, b"d")] {
            pings.sent(ordinal, payload, true);
        }
        assert_eq!(pings.answered(b"x"), Answer::Mismatched(4, 9));
        assert_eq!(pings.answered(b"c"), Answer::Answers(6, Owed { count: 2, first: Some(3) }));
        assert_eq!(pings.unanswered(), Owed { count: 1, first: Some(9) });
        assert_eq!(pings.answered(b"d"), Answer::Answers(9, Owed::default()));
        assert_eq!(pings.unanswered(), Owed::default());
    }

    #[test]
    fn a_pong_that_begins_is_judged_once_no_ping_can_be_meant() {
        let mut pings = Pings::default();
        assert_eq!(pings.never_answered(b"", None), Some(Answer::Unsolicited));
        pings.sent(3, b"ab", true);
        for (beginning, len) in [(&b""[..], None), (b"", Some(2)), (b"a", Some(2)), (b"ab", Some(2))] {
            assert_eq!(pings.never_answered(beginning, len), None);
        }
        for (beginning, len) in [(&b""[..], Some(1)), (b"b", Some(2)), (b"ab", Some(3))] {
            assert_eq!(pings.never_answered(beginning, len), Some(Answer::Mismatched(1, 3)));
        }
        assert_eq!(pings.unanswered().count, 1);
    }

    #[test]
    fn a_flood_of_pings_is_counted_and_not_kept() {
        let mut pings = Pings::default();
        for ordinal in 0..1000u32 {
            pings.sent(ordinal, &ordinal.to_be_bytes(), true);
        }
        pings.sent(1000, b"after a Close", false);
        assert_eq!(pings.waiting.len(), MAX_WAITING);
        assert_eq!(pings.unanswered(), Owed { count: 1000, first: Some(0) });
        assert_eq!(pings.answered(&0u32.to_be_bytes()), Answer::Mismatched(1001, 1000));
        assert_eq!(pings.answered(&999u32.to_be_bytes()), Answer::Answers(999, Owed { count: 999, first: Some(0) }));
    }
}
