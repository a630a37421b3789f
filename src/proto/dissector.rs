//! Dissects one direction of a connection: takes bytes, appends records.

use super::body::Body;
use super::connection_state::ConnectionState;
use super::dissected::{Direction, DissectedRecord, EndReason, Kind, MAX_HTTP_HEAD, MAX_JUNK};
use super::foreign::Undecided;
use super::frame_reader::FrameReader;
use super::rules::{Finding, Rule};
use super::stated::{Stated, Unfinished};
use super::time::Time;
use crate::wire::http;
use crate::wire::partial_head::PartialFrameHead;

mod before_response;
mod body;
mod end;
mod gap;
mod head;
mod stated;

use gap::Resync;

/// The number of bytes that are buffered if a client sends data before the response to its handshake. After that, the
/// dissector assumes that the server accepts, so that memory stays bounded.
const MAX_EARLY: usize = 1024 * 1024;

/// Why [`Dissector::feed`] returned.
#[derive(Debug)]
pub(super) enum FeedOutcome {
    /// It took all bytes.
    Done,
    /// An HTTP head is complete. Call [`Dissector::after_head`] next, then feed the bytes after the first `taken`.
    Head {
        /// The number of bytes that it took.
        taken: usize,
        /// The offset of the head in the stream.
        start: u64,
        /// The bytes of the head with its empty line.
        head: Vec<u8>,
    },
    /// Frames follow, although the capture lacks the response to the handshake. Upgrade both directions, then feed the
    /// bytes after the first `taken` again.
    FramesInferred {
        /// The number of bytes that it took.
        taken: usize,
    },
}

/// The result of a step of [`Dissector::feed`].
enum FeedStep {
    /// It took this many bytes.
    Taken(usize),
    /// The caller must act.
    Stop(FeedOutcome),
}

/// Dissects one direction.
#[derive(Debug)]
pub(super) struct Dissector {
    direction: Direction,
    /// The number of bytes so far, fed or missing.
    position: u64,
    /// The time of the latest byte.
    last: Time,
    state: State,
    /// The records that the caller has stated, if it states some.
    stated: Option<Box<Stated>>,
}

#[derive(Debug)]
enum State {
    /// Before an HTTP head or inside it.
    Head { start: u64, kept: Vec<u8> },
    /// Inside the body of `record`.
    Body { record: Box<DissectedRecord>, body: Body, then: ReadNext },
    /// After a handshake request without a response so far: bytes are buffered, because they may be HTTP or frames.
    /// If where the body of the request ends is unknown, bytes are unrecognized after a refusal, and the first record gets `why`.
    Early { start: u64, kept: Vec<u8>, why: Option<Finding> },
    /// Before the response to a handshake, in bytes that are not one.
    BeforeResponse { start: u64, kept: Undecided },
    /// In WebSocket frames.
    Frames(Box<FrameReader>),
    /// In unrecognized bytes until the end. The next record gets the finding `why`.
    Junk { start: u64, why: Option<Finding> },
    /// After missing bytes.
    Resync(Resync),
}

/// What to read next, after a body or a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReadNext {
    Head,
    Early,
    Frames,
    Junk,
}

impl Dissector {
    pub fn new(direction: Direction) -> Self {
        let state = State::Head { start: 0, kept: Vec::new() };
        Self { direction, position: 0, last: Time(0), state, stated: None }
    }

    /// A dissector for a stream of frames without a handshake.
    pub fn in_frames(direction: Direction) -> Self {
        Self { state: State::Frames(Box::new(FrameReader::of_frames(direction))), ..Self::new(direction) }
    }

    /// The number of bytes so far, fed or missing.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// The offset at which the unfinished record starts; the current position if none is unfinished.
    pub fn record_start(&self) -> u64 {
        if let Some(Unfinished::Junk(junk)) = self.stated.as_ref().and_then(|stated| stated.current.as_ref()) {
            return junk.start;
        }
        match &self.state {
            State::Head { start, .. }
            | State::Early { start, .. }
            | State::BeforeResponse { start, .. }
            | State::Junk { start, .. } => *start,
            State::Resync(resync) => resync.start,
            State::Body { record, .. } => record.offset,
            State::Frames(reader) => reader.start(),
        }
    }

    /// The number of bytes until the unfinished record ends, if known.
    pub fn left(&self) -> Option<u64> {
        match &self.state {
            State::Frames(reader) => reader.left(),
            State::Body { body: Body::Length(left), .. } => Some(*left),
            State::Resync(resync) => resync.left,
            _ => None,
        }
    }

    /// Requests a checkpoint after the next compressed message.
    pub fn want_checkpoint(&mut self) {
        if let State::Frames(reader) = &mut self.state {
            reader.want_checkpoint();
        }
    }

    /// The findings that a frame starting here would certainly have if only these bytes of it had been captured. None
    /// outside frames.
    pub fn certain_of(&self, beginning: &[u8], connection: &ConnectionState) -> Vec<Finding> {
        match (&self.state, PartialFrameHead::read(beginning)) {
            (State::Frames(reader), Some(start)) => reader.certain_of(&start, connection),
            _ => Vec::new(),
        }
    }

    /// Takes bytes until none are left or the caller must act: see [`FeedOutcome`].
    pub fn feed(&mut self, bytes: &[u8], now: Time, connection: &mut ConnectionState) -> FeedOutcome {
        let mut at = 0;
        if !bytes.is_empty() {
            self.last = now;
        }
        while at < bytes.len() {
            let mut rest = &bytes[at..];
            if self.stated.is_some() {
                let (taken, limit) = self.take_stated(rest, connection);
                at += taken;
                rest = &rest[taken..][..limit];
                if rest.is_empty() {
                    continue;
                }
            }
            let taken = match &mut self.state {
                State::Frames(reader) => {
                    reader.feed(rest, now, connection);
                    rest.len()
                }
                State::Head { .. } => match self.take_head(rest, at, connection) {
                    FeedStep::Taken(taken) => taken,
                    FeedStep::Stop(outcome) => return outcome,
                },
                State::Body { .. } => self.take_body(rest, now, connection),
                State::Early { kept, .. } => {
                    if kept.is_empty() {
                        connection.begins_early();
                    }
                    kept.extend_from_slice(rest);
                    if kept.len() > MAX_EARLY {
                        connection.early();
                        self.position += rest.len() as u64;
                        self.upgraded(connection);
                        return FeedOutcome::Done;
                    }
                    rest.len()
                }
                State::BeforeResponse { .. } => match self.take_before_response(rest, at, now, connection) {
                    FeedStep::Taken(taken) => taken,
                    FeedStep::Stop(outcome) => return outcome,
                },
                State::Junk { .. } => self.take_junk(rest, now, connection),
                State::Resync(_) => match self.resync(rest, at, now, connection) {
                    FeedStep::Taken(taken) => taken,
                    FeedStep::Stop(outcome) => return outcome,
                },
            };
            at += taken;
            self.position += taken as u64;
        }
        if self.stated.is_some() {
            self.end_stated_if_whole(connection);
        }
        FeedOutcome::Done
    }

    /// True if bytes other than a line break arrived after a handshake request that has no response yet.
    pub fn has_early_bytes(&self) -> bool {
        matches!(&self.state, State::Early { kept, .. } if kept.iter().any(|byte| !b"\r\n".contains(byte)))
    }

    /// Reads frames from here on, starting with the buffered bytes.
    pub fn upgraded(&mut self, connection: &mut ConnectionState) {
        self.switch(ReadNext::Frames, connection);
    }

    /// Reads unrecognized bytes from here on: the connection switched to another protocol.
    pub fn opaque(&mut self, connection: &mut ConnectionState) {
        self.switch(ReadNext::Junk, connection);
    }

    /// Changes what is read next: after the current body, or from the first buffered byte.
    fn switch(&mut self, to: ReadNext, connection: &mut ConnectionState) {
        match &mut self.state {
            State::Body { then, .. } => {
                *then = to;
                return;
            }
            State::Resync(resync) => {
                if resync.frames.is_none() {
                    resync.then = to;
                }
                return;
            }
            // The peer cannot change what this direction has already become.
            State::Junk { .. } | State::BeforeResponse { .. } | State::Frames(_) => return,
            State::Head { .. } | State::Early { .. } => {}
        }
        let (start, kept) = self.take_kept();
        self.position = start;
        let why = if let State::Early { why, .. } = &mut self.state { why.take() } else { None };
        self.state = match to {
            // The other direction showed that frames follow. The response to the handshake may come first, or earlier frames are
            // missing.
            ReadNext::Frames if connection.handshake_unseen || start == 0 => {
                State::Resync(Resync { announced: true, ..Resync::until_certain(start, to, None) })
            }
            ReadNext::Junk => State::Junk { start, why },
            to => self.after(to, start),
        };
        self.feed(&kept, self.last, connection);
    }

    /// Continues with HTTP: the server refused the upgrade. Returns the buffered bytes and their time; feed them again.
    pub fn refused(&mut self) -> (Vec<u8>, Time) {
        match &mut self.state {
            State::Body { then, .. } => *then = ReadNext::Head,
            State::Resync(Resync { then, .. }) if *then == ReadNext::Early => *then = ReadNext::Head,
            _ => {}
        }
        let State::Early { why, .. } = &mut self.state else { return (Vec::new(), self.last) };
        let why = why.take();
        let (start, kept) = self.take_kept();
        self.position = start;
        self.state = if why.is_some() { State::Junk { start, why } } else { self.after(ReadNext::Head, start) };
        (kept, self.last)
    }

    /// Returns the bytes of an incomplete head and their time; feed them again.
    pub fn begun_head(&mut self) -> (Vec<u8>, Time) {
        let State::Head { .. } = self.state else { return (Vec::new(), self.last) };
        let (start, kept) = self.take_kept();
        self.position = start;
        (kept, self.last)
    }

    /// Called on a response if no request is complete. The response answers the bytes so far, which become a record:
    /// unrecognized bytes, or an incomplete head if the response is a refusal (`refusal`). Later bytes are
    /// unrecognized. Returns the ordinal of the record, if there is one.
    pub fn answered(&mut self, refusal: bool, connection: &mut ConnectionState) -> Option<u32> {
        let start = self.record_start();
        let mut record = match &self.state {
            State::Junk { .. } => self.begun(Kind::Junk, start),
            // Line breaks alone are no request.
            State::Head { kept, .. } if refusal && head::unfinished(self.direction, kept) == Kind::CutHttp => {
                self.begun(Kind::CutHttp, start)
            }
            _ => return None,
        };
        if record.wire_len == 0 {
            return None;
        }
        if let State::Junk { why, .. } = &mut self.state {
            record.findings.extend(why.take());
        }
        self.state = State::Junk { start: self.position, why: None };
        let ordinal = connection.next_ordinal();
        connection.emit(record);
        Some(ordinal)
    }

    /// Takes unrecognized bytes up to the end of a record.
    fn take_junk(&mut self, bytes: &[u8], now: Time, connection: &mut ConnectionState) -> usize {
        let State::Junk { start, why } = &mut self.state else { return 0 };
        let left = MAX_JUNK - (self.position - *start);
        let taken = left.min(bytes.len() as u64);
        if taken == left {
            let mut record = DissectedRecord::new(Kind::Junk, self.direction, *start, MAX_JUNK, now);
            record.findings.extend(why.take());
            *start += MAX_JUNK;
            connection.emit(record);
        }
        taken as usize
    }

    /// A record of the bytes from `start` to the current position.
    const fn begun(&self, kind: Kind, start: u64) -> DissectedRecord {
        DissectedRecord::new(kind, self.direction, start, self.position - start, self.last)
    }

    /// The state for reading from `start`.
    fn after(&self, then: ReadNext, start: u64) -> State {
        match then {
            ReadNext::Head => State::Head { start, kept: Vec::new() },
            ReadNext::Early => State::Early { start, kept: Vec::new(), why: None },
            ReadNext::Frames => State::Frames(Box::new(FrameReader::new(self.direction, start))),
            ReadNext::Junk => State::Junk { start, why: None },
        }
    }

    /// Removes the buffered bytes. Returns them with their offset.
    fn take_kept(&mut self) -> (u64, Vec<u8>) {
        match &mut self.state {
            State::Early { start, kept, .. } | State::Head { start, kept } if !kept.is_empty() => {
                (*start, std::mem::take(kept))
            }
            _ => (self.position, Vec::new()),
        }
    }
}

/// True if these bytes, which may be few, can be the start of a head.
fn may_be_head(direction: Direction, bytes: &[u8]) -> bool {
    match direction {
        Direction::ClientToServer => http::may_be_request(bytes),
        Direction::ServerToClient => http::may_be_response(bytes),
    }
}
