//! One direction of a connection: bytes in, records out.

use super::body::Body;
use super::connection::Shared;
use super::dissected::{Direction, DissectedRecord, EndReason, Kind, RecordLink};
use super::frame_reader::FrameReader;
use super::rules::{Finding, Rule};
use super::time::Time;
use crate::wire::http;
use crate::wire::partial_head::PartialFrameHead;

mod gap;

use gap::Sight;

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
    /// Frames follow behind so many of the bytes, though the answer to the handshake is missing: both directions are
    /// upgraded, and the rest is fed again.
    Inferred {
        /// How many of the bytes are taken.
        taken: usize,
    },
}

/// One direction's reading.
#[derive(Debug)]
pub(super) struct Dissector {
    direction: Direction,
    /// Bytes taken so far.
    position: u64,
    /// When the latest of them was seen.
    last: Time,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Before or inside an HTTP head.
    Head { start: u64, kept: Vec<u8> },
    /// Inside the body of `record`.
    Body { record: Box<DissectedRecord>, body: Body, then: Then },
    /// A handshake was sent and its response is not here: bytes are kept, as what they are is not known yet.
    Early { start: u64, kept: Vec<u8> },
    /// WebSocket.
    Frames(Box<FrameReader>),
    /// Opaque to the end. The finding goes on the next record.
    Junk { start: u64, why: Option<Finding> },
    /// Behind missing bytes.
    Resync(Resync),
}

/// Bytes are opaque until it is certain again what they are: see [`gap`].
#[derive(Debug)]
struct Resync {
    start: u64,
    /// How many bytes are still to come of what the missing bytes lie inside of, where that is known.
    left: Option<u64>,
    /// What follows then.
    then: Then,
    /// It is told that a frame or a head begins where `left` ends, or here where that is not set.
    told: bool,
    /// Who goes on reading frames, if somebody has begun.
    frames: Option<Box<FrameReader>>,
}

impl Resync {
    const fn until_certain(start: u64, then: Then, frames: Option<Box<FrameReader>>) -> Self {
        Self { start, left: None, then, told: false, frames }
    }
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
        Self { direction, position: 0, last: Time(0), state: State::Head { start: 0, kept: Vec::new() } }
    }

    /// A dissector that begins inside a WebSocket conversation, without its handshake.
    pub fn in_frames(direction: Direction) -> Self {
        Self { state: State::Frames(Box::new(FrameReader::new(direction, 0))), ..Self::new(direction) }
    }

    /// Bytes taken so far.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// Where the record begins of which the latest bytes are a part; the position when none is begun.
    pub fn record_start(&self) -> u64 {
        match &self.state {
            State::Head { start, .. } | State::Early { start, .. } | State::Junk { start, .. } => *start,
            State::Resync(resync) => resync.start,
            State::Body { record, .. } => record.offset,
            State::Frames(reader) => reader.start(),
        }
    }

    /// How many bytes of the record are still to come of which the latest bytes are a part, where that is known.
    pub fn left(&self) -> Option<u64> {
        match &self.state {
            State::Frames(reader) => reader.left(),
            State::Body { body: Body::Length(left), .. } => Some(*left),
            State::Resync(resync) => resync.left,
            _ => None,
        }
    }

    /// A place to begin to inflate at is wanted soon.
    pub fn want_checkpoint(&mut self) {
        if let State::Frames(reader) = &mut self.state {
            reader.want_checkpoint();
        }
    }

    /// What would be certain of a frame that began here and of which only these bytes came. Nothing while no frames are read.
    pub fn certain_of(&self, beginning: &[u8], shared: &Shared) -> Vec<Finding> {
        match (&self.state, PartialFrameHead::read(beginning)) {
            (State::Frames(reader), Some(start)) => reader.certain_of(&start, shared),
            _ => Vec::new(),
        }
    }

    /// Takes bytes until they are used up or a head is whole.
    pub fn feed(&mut self, bytes: &[u8], now: Time, shared: &mut Shared, out: &mut Vec<DissectedRecord>) -> Turn {
        let mut at = 0;
        if !bytes.is_empty() {
            self.last = now;
        }
        while at < bytes.len() {
            let rest = &bytes[at..];
            let taken = match &mut self.state {
                State::Frames(reader) => {
                    reader.feed(rest, now, shared, out);
                    rest.len()
                }
                State::Head { .. } => match self.take_head(rest) {
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
                        self.emit_body(then, self.position + taken as u64, shared, out);
                    }
                    taken
                }
                State::Early { kept, .. } => {
                    if kept.is_empty() {
                        shared.begins_early();
                    }
                    kept.extend_from_slice(rest);
                    if kept.len() > MAX_EARLY {
                        shared.early();
                        self.position += rest.len() as u64;
                        self.upgraded(shared, out);
                        return Turn::Done;
                    }
                    rest.len()
                }
                State::Junk { .. } => self.take_junk(rest, now, shared, out),
                State::Resync(_) => match self.resync(rest, at == 0, now, shared, out) {
                    Sight::Taken(taken) => taken,
                    Sight::Inferred => return Turn::Inferred { taken: at },
                },
            };
            at += taken;
            self.position += taken as u64;
        }
        Turn::Done
    }

    /// After [`Turn::Head`]: `record` is the head, `body` what belongs to it. With `early`, what follows is kept until
    /// [`Self::upgraded`] or [`Self::refused`] is called.
    pub fn go_on(
        &mut self,
        record: DissectedRecord,
        body: Body,
        early: bool,
        shared: &mut Shared,
        out: &mut Vec<DissectedRecord>,
    ) {
        let start = self.position;
        let then = if early { Then::Early } else { Then::Head };
        if body.is_whole() {
            shared.emit(record, out);
            self.state = self.after(then, start);
        } else {
            self.state = State::Body { record: Box::new(record), body, then };
        }
    }

    /// Whether bytes came behind a handshake that is not answered yet.
    pub const fn sent_early(&self) -> bool {
        matches!(&self.state, State::Early { kept, .. } if !kept.is_empty())
    }

    /// From here on frames are read; bytes that were kept are read as frames.
    pub fn upgraded(&mut self, shared: &mut Shared, out: &mut Vec<DissectedRecord>) {
        self.switch(Then::Frames, shared, out);
    }

    /// From here on bytes are opaque: another protocol was agreed on.
    pub fn opaque(&mut self, shared: &mut Shared, out: &mut Vec<DissectedRecord>) {
        self.switch(Then::Junk, shared, out);
    }

    /// Reads on as something else: behind the body, where one is being read, and from the first byte that was kept.
    fn switch(&mut self, to: Then, shared: &mut Shared, out: &mut Vec<DissectedRecord>) {
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
            // What is opaque or WebSocket already stays so, whatever the other side says.
            State::Junk { .. } | State::Frames(_) => return,
            State::Head { .. } | State::Early { .. } => {}
        }
        let (start, kept) = self.take_kept();
        self.position = start;
        self.state = self.after(to, start);
        self.feed(&kept, self.last, shared, out);
    }

    /// The upgrade was refused: it stays HTTP. Returns the bytes that were kept, which must be fed again.
    pub fn refused(&mut self) -> (Vec<u8>, Time) {
        match &mut self.state {
            State::Body { then, .. } => *then = Then::Head,
            State::Resync(Resync { then, .. }) if *then == Then::Early => *then = Then::Head,
            _ => {}
        }
        let State::Early { .. } = self.state else { return (Vec::new(), self.last) };
        let (start, kept) = self.take_kept();
        self.position = start;
        self.state = self.after(Then::Head, start);
        (kept, self.last)
    }

    /// The other side answers, and no request is whole that it could answer: what stands here until now is what it
    /// answers, and becomes a record. Of a head that has begun that is certain only when it is refused (`refusal`); what
    /// follows then is opaque. Returns the record's ordinal.
    pub fn answered(&mut self, refusal: bool, shared: &mut Shared, out: &mut Vec<DissectedRecord>) -> Option<u32> {
        let start = self.record_start();
        let mut record = match self.state {
            State::Junk { .. } => self.begun(Kind::Junk, start),
            State::Head { .. } if refusal => self.begun(Kind::CutHttp, start),
            _ => return None,
        };
        if record.wire_len == 0 {
            return None;
        }
        if let State::Junk { why, .. } = &mut self.state {
            record.findings.extend(why.take());
        }
        self.state = State::Junk { start: self.position, why: None };
        let ordinal = shared.next_ordinal();
        shared.emit(record, out);
        Some(ordinal)
    }

    /// The direction ends: what was begun becomes a record, then comes its end.
    pub fn end(&mut self, how: EndReason, now: Time, shared: &mut Shared, out: &mut Vec<DissectedRecord>) {
        if let State::Early { .. } = self.state {
            // Nobody has said what these bytes are.
            if self.sent_early() {
                shared.early();
            }
            self.opaque(shared, out);
        }
        let start = self.record_start();
        let unfinished = match &mut self.state {
            State::Body { record, body, .. } => {
                record.time = self.last;
                if !body.may_end_here() {
                    record.kind = Kind::CutHttp;
                }
                Some((**record).clone())
            }
            State::Head { .. } => Some(self.begun(Kind::CutHttp, start)),
            State::Early { .. } => None, // It has just become opaque.
            State::Resync(_) => Some(self.begun(Kind::Junk, start)),
            State::Junk { why, .. } => {
                let findings = why.take().into_iter().collect();
                Some(DissectedRecord { findings, ..self.begun(Kind::Junk, start) })
            }
            State::Frames(reader) => reader.unfinished(self.last, shared),
        };
        if let Some(record) = unfinished.filter(|record| record.wire_len > 0) {
            shared.emit(record, out);
        }
        let mut end = DissectedRecord::new(Kind::End(how), self.direction, self.position, 0, now);
        end.findings = self.judged_end(how, shared);
        shared.emit(end, out);
    }

    fn take_head(&mut self, bytes: &[u8]) -> HeadStep {
        let State::Head { start, kept } = &mut self.state else { return HeadStep::Taken(0) };
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
    fn take_junk(&mut self, bytes: &[u8], now: Time, shared: &mut Shared, out: &mut Vec<DissectedRecord>) -> usize {
        let State::Junk { start, why } = &mut self.state else { return 0 };
        let room = MAX_JUNK - (self.position - *start);
        let taken = room.min(bytes.len() as u64);
        if taken == room {
            let mut record = DissectedRecord::new(Kind::Junk, self.direction, *start, MAX_JUNK, now);
            record.findings.extend(why.take());
            *start += MAX_JUNK;
            shared.emit(record, out);
        }
        taken as usize
    }

    /// What was begun at `start` and goes on to here.
    const fn begun(&self, kind: Kind, start: u64) -> DissectedRecord {
        DissectedRecord::new(kind, self.direction, start, self.position - start, self.last)
    }

    fn emit_body(&mut self, then: Then, start: u64, shared: &mut Shared, out: &mut Vec<DissectedRecord>) {
        let next = self.after(then, start);
        if let State::Body { record, .. } = std::mem::replace(&mut self.state, next) {
            shared.emit(*record, out);
        }
    }

    /// The state that reads what begins at `start`.
    fn after(&self, then: Then, start: u64) -> State {
        match then {
            Then::Head => State::Head { start, kept: Vec::new() },
            Then::Early => State::Early { start, kept: Vec::new() },
            Then::Frames => State::Frames(Box::new(FrameReader::new(self.direction, start))),
            Then::Junk => State::Junk { start, why: None },
        }
    }

    /// The bytes of which it is not known what they are, and where they begin.
    fn take_kept(&mut self) -> (u64, Vec<u8>) {
        match &mut self.state {
            State::Early { start, kept } | State::Head { start, kept } => (*start, std::mem::take(kept)),
            _ => (self.position, Vec::new()),
        }
    }
}

enum HeadStep {
    Taken(usize),
    Whole { taken: usize, start: u64, head: Vec<u8> },
}

impl DissectedRecord {
    /// A record with nothing special about it.
    pub(super) const fn new(kind: Kind, direction: Direction, offset: u64, wire_len: u64, time: Time) -> Self {
        Self {
            kind,
            direction,
            offset,
            wire_len,
            time,
            lead: [0; 2],
            link: RecordLink::None,
            code: 0,
            compressed: false,
            undirected: false,
            key: None,
            findings: Vec::new(),
            checkpoint: None,
        }
    }
}
