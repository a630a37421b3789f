//! Bytes that the capture lacks: what was begun before them is cut, and reading goes on where it is certain.
//!
//! Certain is:
//! - the known end of what the missing bytes lie inside of: a frame whose head was read, a body whose length is known;
//! - a place that is told: [`Dissector::begins`];
//! - otherwise the first byte of a packet whose bytes, to its end, are sound frames one behind the other in the right
//!   direction ([`resync::begins_with_frame`]), or an HTTP head where one may stand.
//!
//! Until then bytes are opaque.

use super::super::resync;
use super::{Body, DissectedRecord, Dissector, EndReason, FrameReader, Kind, Resync, Rule, Shared, State, Then, Time};
use crate::proto::dissected::Direction;
use crate::proto::rules::Finding;
use crate::wire::http;

/// How [`Dissector::resync`] went on.
pub(super) enum Sight {
    /// So many bytes are taken.
    Taken(usize),
    /// These are frames though nobody has read that the server agreed: see [`super::Turn::Inferred`].
    Inferred,
}

impl Dissector {
    /// A dissector that begins somewhere inside a WebSocket conversation.
    pub fn mid_stream(direction: Direction) -> Self {
        Self { state: State::Resync(Resync::until_certain(0, Then::Frames, None)), ..Self::new(direction) }
    }

    /// The next `missing` bytes were not captured. What comes next was seen at `now`.
    pub fn gap(&mut self, missing: u64, now: Time, shared: &mut Shared, out: &mut Vec<DissectedRecord>) {
        let start = self.record_start();
        let here = self.position + missing;
        let within = |left: Option<u64>| left.and_then(|left| left.checked_sub(missing));
        let junk = self.begun(Kind::Junk, start);
        let state = std::mem::replace(&mut self.state, State::Junk { start: here, why: None });
        let (cut, next) = match state {
            State::Frames(mut reader) => {
                let cut = reader.unfinished(self.last, shared);
                let left = within(reader.left());
                reader.cut(left.is_some(), cut.is_some(), shared);
                (cut, State::Resync(Resync { left, ..Resync::until_certain(here, Then::Frames, Some(reader)) }))
            }
            State::Head { .. } => {
                let cut = DissectedRecord { kind: Kind::CutHttp, ..junk };
                (Some(cut), State::Resync(Resync::until_certain(here, Then::Head, None)))
            }
            State::Body { record, body, then } => {
                let cut = DissectedRecord { kind: Kind::CutHttp, time: self.last, ..*record };
                let next = match body {
                    Body::UntilEnd => State::Junk { start: here, why: None },
                    Body::Length(left) => {
                        State::Resync(Resync { left: within(Some(left)), ..Resync::until_certain(here, then, None) })
                    }
                    Body::Chunked(_) => State::Resync(Resync::until_certain(here, then, None)),
                };
                (Some(cut), next)
            }
            State::Early { .. } => (Some(junk), State::Resync(Resync::until_certain(here, Then::Early, None))),
            State::Junk { why, .. } => {
                let findings = why.into_iter().collect();
                (Some(DissectedRecord { findings, ..junk }), State::Junk { start: here, why: None })
            }
            State::Resync(resync) => {
                let left = within(resync.left);
                (Some(junk), State::Resync(Resync { start: here, left, told: left.is_some() && resync.told, ..resync }))
            }
        };
        if let Some(cut) = cut.filter(|cut| cut.wire_len > 0) {
            shared.emit(cut, out);
        }
        let mut gap = DissectedRecord::new(Kind::Gap, self.direction, self.position, missing, now);
        if shared.deflate.is_some_and(|agreed| agreed.takeover(self.direction)) && !shared.context_lost(self.direction)
        {
            gap.findings.push(Finding::new(Rule::ContextLost, None));
        }
        shared.emit(gap, out);
        shared.lost(self.direction);
        self.position = here;
        self.state = next;
        self.see_again();
    }

    /// It is known from elsewhere that something whole begins at that stream offset: where bytes are opaque, they are so up to
    /// there at most. Whether that was news.
    pub fn begins(&mut self, at: u64, shared: &mut Shared, out: &mut Vec<DissectedRecord>) -> bool {
        let State::Resync(resync) = &mut self.state else { return false };
        let Some(left) = at.checked_sub(self.position).filter(|_| resync.left.is_none()) else { return false };
        resync.left = Some(left);
        resync.told = true;
        if left == 0 {
            self.end_junk(shared, out);
            self.see_again();
        }
        true
    }

    /// Takes bytes behind a gap. `packet` tells whether they are the first of a packet.
    pub(super) fn resync(
        &mut self,
        bytes: &[u8],
        packet: bool,
        now: Time,
        shared: &mut Shared,
        out: &mut Vec<DissectedRecord>,
    ) -> Sight {
        let State::Resync(resync) = &self.state else { return Sight::Taken(0) };
        if resync.left.is_none() && (packet || resync.told) {
            let certain = match resync.then {
                Then::Frames => resync::begins_with_frame(bytes, self.direction, shared.rsv1_may_be_set()),
                Then::Head if resync.told => self.may_be_head(bytes) || !shared.asked_to_upgrade(),
                Then::Head => self.is_head(bytes),
                Then::Early | Then::Junk => false,
            };
            let inferred = !certain
                && resync.then == Then::Head
                && (shared.asked_to_upgrade()
                    || self.direction == Direction::ClientToServer && shared.request_unseen())
                && (resync.told || resync::begins_with_frame(bytes, self.direction, true));
            if certain || inferred {
                self.end_junk(shared, out);
                if inferred {
                    return Sight::Inferred;
                }
                if let State::Resync(resync) = &mut self.state {
                    (resync.left, resync.told) = (Some(0), false);
                }
                self.see_again();
                return Sight::Taken(0);
            }
        }
        self.take_opaque(bytes, now, shared, out)
    }

    /// Up to the known end, or all, in records of bounded length.
    fn take_opaque(&mut self, bytes: &[u8], now: Time, shared: &mut Shared, out: &mut Vec<DissectedRecord>) -> Sight {
        let position = self.position;
        let State::Resync(resync) = &mut self.state else { return Sight::Taken(0) };
        let room = super::MAX_JUNK - (position - resync.start);
        let taken = room.min(resync.left.unwrap_or(u64::MAX)).min(bytes.len() as u64);
        let over = resync.left.as_mut().is_some_and(|left| {
            *left -= taken;
            *left == 0
        });
        if over || taken == room {
            let end = position + taken;
            let record = DissectedRecord::new(Kind::Junk, self.direction, resync.start, end - resync.start, now);
            resync.start = end;
            shared.emit(record, out);
            if over {
                // See again from behind these bytes.
                self.position = end;
                self.see_again();
                self.position = position;
            }
        }
        Sight::Taken(taken as usize)
    }

    /// Where the known end is reached, reading goes on.
    fn see_again(&mut self) {
        let State::Resync(Resync { left: left @ Some(0), then, told, frames, .. }) = &mut self.state else { return };
        if *told && *then == Then::Head {
            // The bytes tell which of the two it is.
            *left = None;
            return;
        }
        let (then, frames) = (*then, frames.take());
        self.state = match (then, frames) {
            (Then::Frames, Some(mut reader)) => {
                reader.resume(self.position);
                State::Frames(reader)
            }
            (Then::Frames, None) => State::Frames(Box::new(FrameReader::mid_stream(self.direction, self.position))),
            _ => self.after(then, self.position),
        };
    }

    /// The opaque bytes until here become a record.
    fn end_junk(&mut self, shared: &mut Shared, out: &mut Vec<DissectedRecord>) {
        let junk = self.begun(Kind::Junk, self.record_start());
        if junk.wire_len > 0 {
            shared.emit(junk, out);
        }
        if let State::Resync(resync) = &mut self.state {
            resync.start = self.position;
        }
    }

    /// Whether a head may begin with these bytes, which may be few.
    fn may_be_head(&self, bytes: &[u8]) -> bool {
        match self.direction {
            Direction::ServerToClient => http::may_be_response(bytes),
            Direction::ClientToServer => http::may_be_request(bytes),
        }
    }

    /// Whether a packet certainly begins with a head.
    fn is_head(&self, packet: &[u8]) -> bool {
        match self.direction {
            Direction::ServerToClient => packet.starts_with(b"HTTP/1."),
            Direction::ClientToServer => {
                let line = packet.split(|byte| *byte == b'\n').next().unwrap_or_default();
                http::may_be_request(packet) && line.windows(8).any(|words| words == b" HTTP/1.")
            }
        }
    }

    /// Whether frames are read here, or would be if bytes were not missing.
    pub(super) const fn is_in_frames(&self) -> bool {
        matches!(&self.state, State::Frames(_) | State::Resync(Resync { then: Then::Frames, .. }))
    }

    /// Whether the end of this direction can be judged as the end of a WebSocket: for [`Dissector::end`].
    pub(super) fn judged_end(&self, how: EndReason, shared: &mut Shared) -> Vec<Finding> {
        if self.is_in_frames() { shared.judge_end(self.direction, how) } else { Vec::new() }
    }
}
