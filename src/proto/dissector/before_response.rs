//! Bytes that a server sends in front of its response: a byte order mark, a warning of the runtime, frames.
//!
//! Clients read them as the status line and fail the connection. They are recognized only if the response that upgrades the
//! connection follows; otherwise nothing is certain.

use super::{ConnectionState, DissectedRecord, Dissector, FeedOutcome, FeedStep, Kind, State, may_be_head};
use crate::proto::dissected::Direction;
use crate::proto::foreign::{Follows, Undecided};
use crate::proto::rules::{Finding, Rule, count};
use crate::proto::time::Time;
use crate::wire::field::Span;
use crate::wire::http::{self, Head};

/// How many bytes are searched for the response, with its head.
const MAX_SEARCHED: usize = 8192;

/// The longest quotation of the bytes, in characters.
const MAX_QUOTED: usize = 60;

impl Dissector {
    /// Begins to search for the response if these bytes of the server are not one, although the client has asked for an upgrade. Its
    /// first `had` bytes came before this call; the others are not taken. Returns false if they are read otherwise.
    pub(super) fn begins_before_response(&mut self, had: usize, connection: &mut ConnectionState) -> bool {
        if self.direction == Direction::ClientToServer || !connection.response_is_due() {
            return false;
        }
        let State::Head { start, kept } = &mut self.state else { return false };
        let (start, mut kept) = (*start, std::mem::take(kept));
        kept.truncate(had);
        self.state = State::BeforeResponse { start, kept: Undecided::of(kept, self.last) };
        connection.response_unread = true;
        true
    }

    /// Takes bytes in front of the response; `at` bytes of the call were taken before.
    pub(super) fn take_before_response(
        &mut self,
        bytes: &[u8],
        at: usize,
        now: Time,
        connection: &mut ConnectionState,
    ) -> FeedStep {
        let State::BeforeResponse { start, kept } = &mut self.state else { return FeedStep::Taken(0) };
        let (start, had) = (*start, kept.bytes().len());
        let mut found = None;
        std::mem::take(kept).with(bytes, now, Follows::Unknown, |input| {
            found = response(input.bytes).map(|(begin, end)| {
                let [before, head] = [&input.bytes[..begin], &input.bytes[begin..end]].map(<[u8]>::to_vec);
                (before, input.time_before(begin), head)
            });
            if found.is_none() && input.bytes.len() <= MAX_SEARCHED {
                *kept = input.undecided(0);
            }
        });
        if let Some((before, time, head)) = found {
            self.emit_before_response(start, &before, time, connection);
            let taken = before.len() + head.len() - had;
            self.position += taken as u64;
            return FeedStep::Stop(FeedOutcome::Head { taken: at + taken, start: start + before.len() as u64, head });
        }
        if kept.is_empty() {
            self.state = State::Junk { start, why: None };
            return FeedStep::Taken(0);
        }
        FeedStep::Taken(bytes.len())
    }

    /// Appends the record of bytes in front of the response. The last one crossed at `time`.
    pub(super) fn emit_before_response(&self, start: u64, bytes: &[u8], time: Time, connection: &mut ConnectionState) {
        let mut record = DissectedRecord::new(Kind::Junk, self.direction, start, bytes.len() as u64, time);
        let span = Some(Span::bytes(0, bytes.len() as u64));
        record.findings.push(Finding::new(Rule::BytesBeforeResponse, span).text(&words(bytes)));
        connection.emit(record);
    }
}

/// Where the first head of a 101 begins and ends, if it is complete.
fn response(bytes: &[u8]) -> Option<(usize, usize)> {
    let begins = bytes.windows(7).enumerate().filter(|(_, word)| *word == b"HTTP/1.").map(|(at, _)| at);
    begins.into_iter().find_map(|begin| {
        let head = &bytes[begin..];
        let len = http::head_len(head, 0).filter(|_| may_be_head(Direction::ServerToClient, head))?;
        (Head::read(&head[..len]).status() == Some(101)).then_some((begin, begin + len))
    })
}

/// What the bytes are. Text is quoted up to the first `:` or `=`: what follows may be a secret.
fn words(bytes: &[u8]) -> String {
    if bytes.iter().all(|byte| *byte == 0) {
        return count(bytes.len() as u64, "NUL byte");
    }
    let (is_marked, rest) = match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => (true, rest),
        None => (false, bytes),
    };
    match std::str::from_utf8(rest).ok().filter(|text| !text.contains(|c: char| c.is_control() && !c.is_whitespace())) {
        Some(text) if text.trim().is_empty() => if is_marked { "a byte order mark" } else { "white space" }.to_owned(),
        Some(text) => {
            let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
            line.split([':', '=']).next().unwrap_or_default().chars().take(MAX_QUOTED).collect()
        }
        None => format!("{} that are no text", count(bytes.len() as u64, "byte")),
    }
}
