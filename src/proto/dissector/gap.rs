//! Missing bytes: truncates the unfinished record and resumes dissection at the next certain position.
//!
//! A position is certain if
//! - the frame or body that contains the gap ends there, because the length of the frame or body is known;
//! - the caller announced it: [`Dissector::begins`];
//! - a packet starts there that consists of valid frames ([`resync::begins_with_frame`]) or, before the upgrade, that
//!   starts with an HTTP head.
//!
//! The bytes before that position are unrecognized.

use super::super::resync;
use super::{
    Body, ConnectionState, DissectedRecord, Dissector, FeedOutcome, FeedStep, FrameReader, Kind, ReadNext, Rule, State,
    Time, may_be_head,
};
use crate::proto::dissected::{Direction, Loss, Missing};
use crate::proto::foreign::Follows;
use crate::proto::rules::Finding;
use crate::wire::http::{self, Head};

/// Resynchronization: bytes are unrecognized until a frame or a head certainly starts.
#[derive(Debug)]
pub(super) struct Resync {
    pub(super) start: u64,
    /// The number of bytes until the frame or body that contains the gap ends, if known.
    pub(super) left: Option<u64>,
    /// What to read after that.
    pub(super) then: ReadNext,
    /// True if the caller has announced that a frame or a head starts after `left` bytes, or here if `left` is not set.
    pub(super) announced: bool,
    /// The reader that was interrupted by the gap, if it was reading frames.
    pub(super) frames: Option<Box<FrameReader>>,
}

impl Resync {
    pub(super) const fn until_certain(start: u64, then: ReadNext, frames: Option<Box<FrameReader>>) -> Self {
        Self { start, left: None, then, announced: false, frames }
    }
}

impl Dissector {
    /// A dissector that starts at an unknown position of a WebSocket connection.
    pub fn mid_stream(direction: Direction) -> Self {
        Self { state: State::Resync(Resync::until_certain(0, ReadNext::Frames, None)), ..Self::new(direction) }
    }

    /// Notes that the capture lacks the next `missing` bytes. The bytes after them were captured at `now`.
    pub fn gap(&mut self, missing: Missing, now: Time, connection: &mut ConnectionState) {
        self.end_stated(connection);
        let start = self.record_start();
        let here = self.position + missing.bytes;
        let within = |left: Option<u64>| left.filter(|_| missing.loss != Loss::Estimated)?.checked_sub(missing.bytes);
        let junk = self.begun(Kind::Junk, start);
        let state = std::mem::replace(&mut self.state, State::Junk { start: here, why: None });
        let (cut, next) = match state {
            State::Frames(mut reader) => {
                reader.settle(Follows::Nothing, self.last, connection);
                let cut = reader.unfinished(self.last, connection);
                let left = within(reader.left());
                reader.cut(left.is_some(), cut.is_some(), connection);
                (cut, State::Resync(Resync { left, ..Resync::until_certain(here, ReadNext::Frames, Some(reader)) }))
            }
            State::Head { kept, .. } => {
                let cut = DissectedRecord { kind: super::head::unfinished(self.direction, &kept), ..junk };
                (Some(cut), State::Resync(Resync::until_certain(here, ReadNext::Head, None)))
            }
            State::Body { record, body, then } => {
                let cut = DissectedRecord { kind: Kind::CutHttp, time: self.last, ..*record };
                let next = match body {
                    Body::UntilEnd(_) => State::Junk { start: here, why: None },
                    Body::Length(left) => {
                        State::Resync(Resync { left: within(Some(left)), ..Resync::until_certain(here, then, None) })
                    }
                    Body::Chunked(_) => State::Resync(Resync::until_certain(here, then, None)),
                };
                (Some(cut), next)
            }
            State::Early { .. } => (Some(junk), State::Resync(Resync::until_certain(here, ReadNext::Early, None))),
            State::BeforeResponse { .. } => (Some(junk), State::Junk { start: here, why: None }),
            State::Junk { why, .. } => {
                let findings = why.into_iter().collect();
                (Some(DissectedRecord { findings, ..junk }), State::Junk { start: here, why: None })
            }
            State::Resync(resync) => {
                let left = within(resync.left);
                (
                    Some(junk),
                    State::Resync(Resync {
                        start: here,
                        left,
                        announced: left.is_some() && resync.announced,
                        ..resync
                    }),
                )
            }
        };
        if let Some(cut) = cut.filter(|cut| cut.wire_len > 0) {
            connection.emit(cut);
        }
        let mut gap = DissectedRecord::new(Kind::Gap, self.direction, self.position, missing.bytes, now);
        gap.loss = missing.loss;
        if connection.deflate.is_some_and(|agreed| agreed.takeover(self.direction))
            && !connection.context_lost(self.direction)
            // What goes on after a change may refer to nothing before it.
            && !connection.delivered
        {
            gap.findings.push(Finding::new(Rule::ContextLost, None));
        }
        connection.emit(gap);
        connection.lost(self.direction);
        self.position = here;
        self.state = next;
        self.resume_if_certain();
    }

    /// Notes that a frame or a head starts at this offset. Unrecognized bytes end there at the latest. Returns true if
    /// dissection resumes there after missing bytes, and this was not known before.
    pub fn begins(&mut self, at: u64, connection: &mut ConnectionState) -> bool {
        if at == self.position {
            self.record_ended(connection);
            self.search_after_junk(connection);
        }
        let State::Resync(resync) = &mut self.state else { return false };
        let Some(left) = at.checked_sub(self.position).filter(|_| resync.left.is_none()) else { return false };
        resync.left = Some(left);
        resync.announced = true;
        if left == 0 {
            self.end_junk(connection);
            self.resume_if_certain();
        }
        true
    }

    /// Searches for the record that starts here after unrecognized bytes, of which `framescope:junk` said how many.
    fn search_after_junk(&mut self, connection: &ConnectionState) {
        if let State::Junk { start, .. } = self.state
            && start == self.position
        {
            let then = if connection.websocket { ReadNext::Frames } else { ReadNext::Head };
            self.state = State::Resync(Resync::until_certain(start, then, None));
        }
    }

    /// Notes that a record ends here. Bytes in place of frames end here, if they are not read to the end of the stream.
    pub fn record_ended(&mut self, connection: &mut ConnectionState) {
        if let State::Frames(reader) = &mut self.state {
            reader.end_foreign(self.last, connection);
        }
    }

    /// Takes bytes after a gap; `at` bytes of the call, which begins with a packet, were taken before.
    pub(super) fn resync(&mut self, bytes: &[u8], at: usize, now: Time, connection: &mut ConnectionState) -> FeedStep {
        let State::Resync(resync) = &self.state else { return FeedStep::Taken(0) };
        if resync.left.is_none() && (at == 0 || resync.announced) {
            if connection.handshake_unseen && self.may_be_unseen_response(bytes, resync) {
                self.end_junk(connection);
                self.state = self.after(ReadNext::Head, self.position);
                return FeedStep::Taken(0);
            }
            let may_be_frames = connection.websocket
                || connection.asked_to_upgrade()
                || self.direction == Direction::ClientToServer && connection.request_unseen();
            let certain = match resync.then {
                ReadNext::Frames if resync.announced => true,
                ReadNext::Frames => resync::begins_with_frame(bytes, self.direction, connection.rsv1_may_be_set()),
                ReadNext::Head if resync.announced => may_be_head(self.direction, bytes) || !may_be_frames,
                ReadNext::Head => self.is_head(bytes),
                ReadNext::Early | ReadNext::Junk => false,
            };
            let inferred = !certain
                && resync.then == ReadNext::Head
                && may_be_frames
                && (resync.announced || resync::begins_with_frame(bytes, self.direction, true));
            if certain || inferred {
                self.end_junk(connection);
                if inferred {
                    return FeedStep::Stop(FeedOutcome::FramesInferred { taken: at });
                }
                if let State::Resync(resync) = &mut self.state {
                    (resync.left, resync.announced) = (Some(0), false);
                }
                self.resume_if_certain();
                return FeedStep::Taken(0);
            }
        }
        self.take_opaque(bytes, now, connection)
    }

    /// Takes unrecognized bytes up to the known end of the resynchronization, in records of bounded length.
    fn take_opaque(&mut self, bytes: &[u8], now: Time, connection: &mut ConnectionState) -> FeedStep {
        let position = self.position;
        let State::Resync(resync) = &mut self.state else { return FeedStep::Taken(0) };
        let limit = super::MAX_JUNK - (position - resync.start);
        let taken = limit.min(resync.left.unwrap_or(u64::MAX)).min(bytes.len() as u64);
        let over = resync.left.as_mut().is_some_and(|left| {
            *left -= taken;
            *left == 0
        });
        if over || taken == limit {
            let end = position + taken;
            let record = DissectedRecord::new(Kind::Junk, self.direction, resync.start, end - resync.start, now);
            resync.start = end;
            connection.emit(record);
            if over {
                // Resume after these bytes.
                self.position = end;
                self.resume_if_certain();
                self.position = position;
            }
        }
        FeedStep::Taken(taken as usize)
    }

    /// Resumes dissection if the known end is reached.
    fn resume_if_certain(&mut self) {
        let State::Resync(Resync { left: left @ Some(0), then, announced, frames, .. }) = &mut self.state else {
            return;
        };
        if *announced && *then == ReadNext::Head {
            // The next bytes show whether a head or a frame starts.
            *left = None;
            return;
        }
        let (then, frames) = (*then, frames.take());
        self.state = match (then, frames) {
            (ReadNext::Frames, Some(mut reader)) => {
                reader.resume(self.position);
                State::Frames(reader)
            }
            (ReadNext::Frames, None) => State::Frames(Box::new(FrameReader::mid_stream(self.direction, self.position))),
            _ => self.after(then, self.position),
        };
    }

    /// Appends a record of the unrecognized bytes so far.
    pub(super) fn end_junk(&mut self, connection: &mut ConnectionState) {
        let junk = self.begun(Kind::Junk, self.record_start());
        if junk.wire_len > 0 {
            connection.emit(junk);
        }
        if let State::Resync(resync) = &mut self.state {
            resync.start = self.position;
        }
    }

    /// True if a packet certainly starts with a head.
    fn is_head(&self, packet: &[u8]) -> bool {
        match self.direction {
            Direction::ServerToClient => packet.starts_with(b"HTTP/1."),
            Direction::ClientToServer => {
                let line = packet.split(|byte| *byte == b'\n').next().unwrap_or_default();
                http::may_be_request(packet) && line.windows(8).any(|words| words == b" HTTP/1.")
            }
        }
    }

    /// True if bytes in place of the first frame can be the response to the handshake. The capture has frames of the client before
    /// it if packets were swapped.
    fn may_be_unseen_response(&self, bytes: &[u8], resync: &Resync) -> bool {
        let is_response = match resync.announced {
            true => may_be_head(self.direction, bytes),
            false => self.is_head(bytes) && bytes.get(8..13) == Some(b" 101 "),
        };
        let is_first = resync.then == ReadNext::Frames && resync.frames.is_none();
        is_first && is_response && self.direction == Direction::ServerToClient
    }

    /// The head of the request that follows a handshake request without a response, if it is complete.
    pub fn early_request(&self) -> Option<Head<'_>> {
        match &self.state {
            State::Early { kept, .. } if self.is_head(kept) => {
                http::head_len(kept, 0).map(|len| Head::read(&kept[..len]))
            }
            _ => None,
        }
    }

    /// True if the bytes after a handshake request that has no response yet start with another request.
    pub fn has_early_request(&self) -> bool {
        matches!(&self.state, State::Early { kept, .. } if self.is_head(kept))
    }

    /// True in frames, and after a gap in frames.
    pub(in crate::proto) const fn is_in_frames(&self) -> bool {
        matches!(&self.state, State::Frames(_) | State::Resync(Resync { then: ReadNext::Frames, .. }))
    }
}
