//! One direction of a connection: bytes in, records out.

use super::body::Body;
use super::connection::Shared;
use super::dissected::{Direction, Dissected, How, Kind, Link};
use super::frame_reader::FrameReader;
use super::rules::{Finding, Rule};
use super::time::Time;
use crate::wire::head_start::HeadStart;
use crate::wire::http;

/// The longest HTTP head that is read as one, in bytes. What is longer is opaque.
pub const MAX_HTTP_HEAD: usize = 64 * 1024;

/// The longest record of opaque bytes, in bytes; more of them make further records.
pub const MAX_JUNK: u64 = 64 * 1024;

/// How many bytes a client may send behind its handshake before the response is known. With more, the handshake is taken
/// as accepted, so that memory stays bounded.
const MAX_EARLY: usize = 1024 * 1024;

/// What [`Dissector::feed`] stopped for.
#[derive(Debug)]
pub(super) enum Turn {
    /// All bytes are taken.
    Done,
    /// An HTTP head is whole and ends after `taken` of the bytes. [`Dissector::go_on`] must be called next.
    Head {
        /// How many of the bytes are taken.
        taken: usize,
        /// Where the head begins in the stream.
        start: u64,
        /// Its bytes, the empty line included.
        head: Vec<u8>,
    },
}

/// One direction's reading.
#[derive(Debug)]
pub(super) struct Dissector {
    direction: Direction,
    /// Bytes taken so far.
    position: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Before or inside an HTTP head; `last` is when the latest of its bytes was seen.
    Head { start: u64, kept: Vec<u8>, last: Time },
    /// Inside the body of `record`.
    Body { record: Box<Dissected>, body: Body, then: Then },
    /// A handshake was sent and its response is not here: bytes are kept, as what they are is not known yet.
    Early { start: u64, kept: Vec<u8>, last: Time },
    /// WebSocket.
    Frames(Box<FrameReader>),
    /// Opaque to the end. The finding goes on the next record.
    Junk { start: u64, why: Option<Finding> },
}

/// What follows a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Head,
    Early,
    Frames,
    Junk,
}

impl Dissector {
    pub fn new(direction: Direction) -> Self {
        Self { direction, position: 0, state: State::Head { start: 0, kept: Vec::new(), last: Time(0) } }
    }

    /// A dissector that begins inside a WebSocket conversation, without its handshake.
    pub fn in_frames(direction: Direction) -> Self {
        Self { direction, position: 0, state: State::Frames(Box::new(FrameReader::new(direction, 0))) }
    }

    /// Bytes taken so far.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// Where the record begins of which the latest bytes are a part; the position when none is begun.
    pub fn record_start(&self) -> u64 {
        match &self.state {
            State::Head { start, .. } | State::Early { start, .. } | State::Junk { start, .. } => *start,
            State::Body { record, .. } => record.offset,
            State::Frames(reader) => reader.start(),
        }
    }

    /// What would be certain of a frame that began here and of which only these bytes came. Nothing while no frames are read.
    pub fn certain_of(&self, beginning: &[u8], shared: &Shared) -> Vec<Finding> {
        match (&self.state, HeadStart::read(beginning)) {
            (State::Frames(reader), Some(start)) => reader.certain_of(&start, shared),
            _ => Vec::new(),
        }
    }

    /// Takes bytes until they are used up or a head is whole.
    pub fn feed(&mut self, bytes: &[u8], now: Time, shared: &mut Shared, out: &mut Vec<Dissected>) -> Turn {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            let taken = match &mut self.state {
                State::Frames(reader) => {
                    reader.feed(rest, now, shared, out);
                    rest.len()
                }
                State::Head { .. } => match self.take_head(rest, now) {
                    HeadStep::Taken(taken) => taken,
                    HeadStep::Whole { taken, start, head } => {
                        self.position += taken as u64;
                        return Turn::Head { taken: at + taken, start, head };
                    }
                },
                State::Body { record, body, then } => {
                    let (taken, whole) = body.take(rest);
                    record.wire_len += taken as u64;
                    if whole {
                        record.time = now;
                        let then = *then;
                        self.emit_body(then, self.position + taken as u64, now, shared, out);
                    }
                    taken
                }
                State::Early { kept, last, .. } => {
                    kept.extend_from_slice(rest);
                    *last = now;
                    if kept.len() > MAX_EARLY {
                        self.position += rest.len() as u64;
                        self.upgraded(shared, out);
                        return Turn::Done;
                    }
                    rest.len()
                }
                State::Junk { .. } => self.take_junk(rest, now, shared, out),
            };
            at += taken;
            self.position += taken as u64;
        }
        Turn::Done
    }

    /// After [`Turn::Head`]: `record` is the head, `body` what belongs to it. With `early`, what follows is kept until
    /// [`Self::upgraded`] or [`Self::refused`] is called.
    pub fn go_on(&mut self, record: Dissected, body: Body, early: bool, shared: &mut Shared, out: &mut Vec<Dissected>) {
        let start = self.position;
        let last = record.time;
        let then = if early { Then::Early } else { Then::Head };
        if body.is_whole() {
            shared.emit(record, out);
            self.state = self.after(then, start, last);
        } else {
            self.state = State::Body { record: Box::new(record), body, then };
        }
    }

    /// From here on frames are read; bytes that were kept are read as frames.
    pub fn upgraded(&mut self, shared: &mut Shared, out: &mut Vec<Dissected>) {
        self.switch(Then::Frames, shared, out);
    }

    /// From here on bytes are opaque: another protocol was agreed on.
    pub fn opaque(&mut self, shared: &mut Shared, out: &mut Vec<Dissected>) {
        self.switch(Then::Junk, shared, out);
    }

    /// Reads on as something else: behind the body, where one is being read, and from the first byte that was kept.
    fn switch(&mut self, to: Then, shared: &mut Shared, out: &mut Vec<Dissected>) {
        match &mut self.state {
            State::Body { then, .. } => {
                *then = to;
                return;
            }
            // What is opaque or WebSocket already stays so, whatever the other side says.
            State::Junk { .. } | State::Frames(_) => return,
            State::Head { .. } | State::Early { .. } => {}
        }
        let (start, kept, last) = self.take_kept();
        self.position = start;
        self.state = self.after(to, start, last);
        self.feed(&kept, last, shared, out);
    }

    /// The upgrade was refused: it stays HTTP. Returns the bytes that were kept, which must be fed again.
    pub fn refused(&mut self) -> (Vec<u8>, Time) {
        if let State::Body { then, .. } = &mut self.state {
            *then = Then::Head;
        }
        let State::Early { .. } = self.state else { return (Vec::new(), Time::default()) };
        let (start, kept, last) = self.take_kept();
        self.position = start;
        self.state = self.after(Then::Head, start, last);
        (kept, last)
    }

    /// The direction ends: what was begun becomes a record, then comes its end.
    pub fn end(&mut self, how: How, now: Time, shared: &mut Shared, out: &mut Vec<Dissected>) {
        if let State::Early { .. } = self.state {
            // Nobody has said what these bytes are.
            self.opaque(shared, out);
        }
        let start = self.record_start();
        let cut = |kind| Dissected::new(kind, self.direction, start, self.position - start, now);
        let unfinished = match &mut self.state {
            State::Body { record, body, .. } => {
                record.time = now;
                if !body.may_end_here() {
                    record.kind = Kind::CutHttp;
                }
                Some((**record).clone())
            }
            State::Head { .. } => Some(cut(Kind::CutHttp)),
            State::Early { .. } => None, // It has just become opaque.
            State::Junk { why, .. } => {
                Some(Dissected { findings: why.take().into_iter().collect(), ..cut(Kind::Junk) })
            }
            State::Frames(reader) => reader.unfinished(now, shared),
        };
        if let Some(record) = unfinished.filter(|record| record.wire_len > 0) {
            shared.emit(record, out);
        }
        shared.emit(Dissected::new(Kind::End(how), self.direction, self.position, 0, now), out);
    }

    fn take_head(&mut self, bytes: &[u8], now: Time) -> HeadStep {
        let State::Head { start, kept, last } = &mut self.state else { return HeadStep::Taken(0) };
        *last = now;
        let (start, had) = (*start, kept.len());
        kept.extend_from_slice(&bytes[..bytes.len().min(MAX_HTTP_HEAD + 1 - had)]);
        let begins_well = match self.direction {
            Direction::ClientToServer => http::may_be_request(kept),
            Direction::ServerToClient => http::may_be_response(kept),
        };
        let end = http::head_len(kept, had).filter(|end| *end <= MAX_HTTP_HEAD);
        if let Some(end) = end.filter(|_| begins_well) {
            let mut head = std::mem::take(kept);
            head.truncate(end);
            return HeadStep::Whole { taken: end - had, start, head };
        }
        let too_long = kept.len() > MAX_HTTP_HEAD;
        if begins_well && !too_long {
            return HeadStep::Taken(bytes.len());
        }
        let why = begins_well.then(|| Finding::new(Rule::HeadTooLong, None).number(MAX_HTTP_HEAD as u64));
        self.state = State::Junk { start, why };
        HeadStep::Taken(0)
    }

    /// Takes opaque bytes, up to the end of a record.
    fn take_junk(&mut self, bytes: &[u8], now: Time, shared: &mut Shared, out: &mut Vec<Dissected>) -> usize {
        let State::Junk { start, why } = &mut self.state else { return 0 };
        let room = MAX_JUNK - (self.position - *start);
        let taken = room.min(bytes.len() as u64);
        if taken == room {
            let mut record = Dissected::new(Kind::Junk, self.direction, *start, MAX_JUNK, now);
            record.findings.extend(why.take());
            *start += MAX_JUNK;
            shared.emit(record, out);
        }
        taken as usize
    }

    fn emit_body(&mut self, then: Then, start: u64, now: Time, shared: &mut Shared, out: &mut Vec<Dissected>) {
        let next = self.after(then, start, now);
        if let State::Body { record, .. } = std::mem::replace(&mut self.state, next) {
            shared.emit(*record, out);
        }
    }

    /// The state that reads what begins at `start`.
    fn after(&self, then: Then, start: u64, last: Time) -> State {
        match then {
            Then::Head => State::Head { start, kept: Vec::new(), last },
            Then::Early => State::Early { start, kept: Vec::new(), last },
            Then::Frames => State::Frames(Box::new(FrameReader::new(self.direction, start))),
            Then::Junk => State::Junk { start, why: None },
        }
    }

    /// The bytes of which it is not known what they are, with their place and time.
    fn take_kept(&mut self) -> (u64, Vec<u8>, Time) {
        match &mut self.state {
            State::Early { start, kept, last } | State::Head { start, kept, last } => {
                (*start, std::mem::take(kept), *last)
            }
            _ => (self.position, Vec::new(), Time::default()),
        }
    }
}

enum HeadStep {
    Taken(usize),
    Whole { taken: usize, start: u64, head: Vec<u8> },
}

impl Dissected {
    /// A record with nothing special about it.
    pub(super) const fn new(kind: Kind, direction: Direction, offset: u64, wire_len: u64, time: Time) -> Self {
        Self {
            kind,
            direction,
            offset,
            wire_len,
            time,
            lead: [0; 2],
            link: Link::None,
            code: 0,
            compressed: false,
            undirected: false,
            findings: Vec::new(),
        }
    }
}
