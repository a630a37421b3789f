//! What the client of a captured connection sent, frame by frame.

use std::io;
use std::ops::Range;
use std::time::Duration;

use crate::capture::store::Capture;
use crate::capture::store::message_reader::{Inflated, MessageReader};
use crate::capture::store::record::Record;
use crate::proto::dissected::{Direction, Kind};
use crate::proto::time::Time;
use crate::script::Outgoing;
use crate::wire::close::CloseCode;
use crate::wire::opcode::Opcode;

/// Records that are looked up at once.
const BATCH: usize = 4096;

/// The most bytes of a message that is sent.
pub const MAX_MESSAGE: u64 = 256 << 20;

/// The frames that the client sent and that are sent again, in order.
#[derive(Debug, Default)]
pub struct Steps {
    /// The frames.
    pub list: Vec<Step>,
    /// Whether the client's Close answered that of the server: then it is not sent again, because the client answers anyway.
    pub answers_close: bool,
    /// Whether the capture has anything of the client.
    pub has_client: bool,
    /// The first gap in the client's direction, if it has one.
    pub gap: Option<Gap>,
}

/// A frame to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The number of its record.
    pub no: u64,
    /// The time of its record.
    seen: Time,
    /// When it was sent, counted from the end of the handshake.
    pub time: Duration,
    /// How many messages had arrived before.
    pub messages_before: u64,
    /// Whether it is a Close.
    pub is_close: bool,
    /// Set for a fragment of a compressed message.
    part: Option<Part>,
}

/// A fragment of a compressed message. The fragments share its inflated bytes in proportion to their lengths in the capture.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    /// The number of the last record of the message.
    last: u64,
    /// The compressed bytes of the message that the fragment has.
    bytes: Range<u64>,
    /// All compressed bytes of the message.
    of: u64,
}

/// Bytes that the capture lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The number of its record.
    pub no: u64,
    /// How many bytes are missing.
    pub bytes: u64,
}

impl Gap {
    /// Returns the gap that a record describes, if it is a gap record.
    pub fn of(record: &Record) -> Option<Self> {
        (record.kind == Kind::Gap).then_some(Self { no: record.no, bytes: record.wire_len })
    }
}

/// Calls `visit` with each record of a connection.
pub fn each_record(capture: &Capture, connection: u32, mut visit: impl FnMut(&Record)) {
    let mut from = 1;
    loop {
        let numbers = capture.numbers(connection, from, BATCH);
        let Some(last) = numbers.last() else { return };
        from = last + 1;
        capture.pick(numbers).iter().for_each(&mut visit);
    }
}

/// True for a frame that ends a data message.
pub fn ends_message(record: &Record) -> bool {
    record.kind == Kind::Frame && record.message.is_some() && record.fin()
}

impl Steps {
    /// The steps of a connection.
    pub fn of(capture: &Capture, connection: u32) -> Self {
        let started = capture.handshake(connection).map(|[_, response]| response.time);
        let mut collector = Collector { started, ..Collector::default() };
        each_record(capture, connection, |record| collector.add(record));
        collector.steps()
    }

    /// Reads what the steps send.
    pub fn contents<'a>(&self, capture: &'a Capture) -> Contents<'a> {
        Contents { capture, inflater: MessageReader::default(), latest: None }
    }
}

/// Collects the steps of a connection.
#[derive(Default)]
struct Collector {
    steps: Steps,
    /// The end of the handshake; without one, the first frame.
    started: Option<Time>,
    /// The times and numbers of the records with which the server's messages ended.
    server_messages: Vec<(Time, u64)>,
    /// When the server sent its Close.
    server_close: Option<Time>,
    /// The positions in the list of the frames of the message that has not ended.
    open: Vec<usize>,
    /// True from a gap until the next message begins: the fragments before that lack a part.
    is_broken: bool,
}

impl Collector {
    fn add(&mut self, record: &Record) {
        if record.kind == Kind::Frame {
            self.started.get_or_insert(record.time);
        }
        if record.direction == Direction::ServerToClient {
            if ends_message(record) {
                self.server_messages.push((record.time, record.no));
            }
            if record.kind == Kind::Frame && record.opcode() == Some(Opcode::Close) {
                self.server_close.get_or_insert(record.time);
            }
            return;
        }
        self.steps.has_client |= matches!(record.kind, Kind::Request | Kind::Frame);
        if let Some(gap) = Gap::of(record) {
            self.steps.gap.get_or_insert(gap);
            self.drop_open();
            self.is_broken = true;
        } else if record.kind == Kind::Frame {
            self.frame(record);
        }
    }

    fn frame(&mut self, record: &Record) {
        let opcode = record.opcode().unwrap_or(Opcode::Binary);
        let is_close = opcode == Opcode::Close;
        // After a gap, the client's records have later numbers than the server's, but correct times.
        if is_close && record.answers.is_some() && self.server_close.is_some_and(|time| time <= record.time) {
            self.steps.answers_close = true;
            return;
        }
        if opcode == Opcode::Pong {
            return;
        }
        let mut step =
            Step { no: record.no, seen: record.time, time: Duration::ZERO, messages_before: 0, is_close, part: None };
        if opcode.is_control() {
            return self.steps.list.push(step);
        }
        if opcode.opens_message() {
            self.forget_open();
            self.is_broken = false;
        }
        if self.is_broken {
            return;
        }
        if record.compressed {
            let before = self.open.last().and_then(|at| self.steps.list[*at].part.as_ref());
            let start = before.map_or(0, |part| part.bytes.end);
            step.part = Some(Part { last: 0, bytes: start..start + record.payload_len().unwrap_or(0), of: 0 });
        }
        self.open.push(self.steps.list.len());
        self.steps.list.push(step);
        if record.fin() {
            self.end_message(record.no);
        }
    }

    /// Completes what is known of the fragments of a message, which ends with the record `last`.
    fn end_message(&mut self, last: u64) {
        let is_fragmented = self.open.len() > 1;
        let of = self.open.last().and_then(|at| self.steps.list[*at].part.as_ref()).map_or(0, |part| part.bytes.end);
        for at in self.open.drain(..) {
            let part = &mut self.steps.list[at].part;
            *part = part.take().filter(|_| is_fragmented).map(|part| Part { last, of, ..part });
        }
    }

    /// Drops the frames of a message that lacks a part.
    fn drop_open(&mut self) {
        for at in self.open.drain(..).rev() {
            self.steps.list.remove(at);
        }
    }

    /// Ends a message that has no last frame. If it is compressed, it cannot be inflated, and is dropped.
    fn forget_open(&mut self) {
        if self.open.first().is_some_and(|at| self.steps.list[*at].part.is_some()) {
            self.drop_open();
        }
        self.open.clear();
    }

    fn steps(mut self) -> Steps {
        self.forget_open();
        let Self { mut steps, mut server_messages, started, .. } = self;
        let has_gap = steps.gap.is_some();
        let order = |(time, no): (Time, u64)| if has_gap { (time, no) } else { (Time::default(), no) };
        server_messages.sort_unstable_by_key(|message| order(*message));
        steps.list.sort_by_key(|step| order((step.seen, step.no)));
        for step in &mut steps.list {
            let place = order((step.seen, step.no));
            step.messages_before = server_messages.partition_point(|message| order(*message) < place) as u64;
            let nanos = started.map_or(0, |started| step.seen.nanos_since(started));
            step.time = Duration::from_nanos(u64::try_from(nanos).unwrap_or(0));
        }
        steps
    }
}

/// Reads what steps send.
pub struct Contents<'a> {
    capture: &'a Capture,
    inflater: MessageReader,
    /// The latest compressed message in fragments: the number of its last record, and its bytes.
    latest: Option<(u64, Vec<u8>)>,
}

impl Contents<'_> {
    /// What a step sends; `None` if that is not known: the message cannot be inflated, or has more than [`MAX_MESSAGE`] bytes.
    ///
    /// # Errors
    /// If the capture cannot be read.
    pub fn read(&mut self, step: &Step) -> io::Result<Option<Outgoing>> {
        let Some(record) = self.capture.record(step.no) else { return Ok(None) };
        let Some(opcode) = record.opcode() else { return Ok(None) };
        if let Some(part) = &step.part {
            let payload = self.part(part)?;
            return Ok(payload.map(|payload| Outgoing::Frame { fin: record.fin(), opcode, payload, deflate: true }));
        }
        if record.compressed {
            let message = self.inflated(&record)?;
            return Ok(message.map(|message| whole(message.opcode, message.bytes)));
        }
        if record.payload_len().is_some_and(|len| len > MAX_MESSAGE) {
            return Ok(None);
        }
        let payload = self.capture.payload(&record, 0..MAX_MESSAGE)?;
        Ok(Some(match opcode {
            Opcode::Ping => Outgoing::Ping(payload),
            Opcode::Close => {
                let code = payload.first_chunk().map(|code| CloseCode(u16::from_be_bytes(*code)));
                let reason = String::from_utf8_lossy(payload.get(2..).unwrap_or_default()).into_owned();
                Outgoing::Close { code, reason }
            }
            Opcode::Text | Opcode::Binary if record.fin() => whole(opcode, payload),
            opcode => Outgoing::Frame { fin: record.fin(), opcode, payload, deflate: false },
        }))
    }

    /// The compressed message that ends with a record, if all of it can be inflated.
    fn inflated(&mut self, last: &Record) -> io::Result<Option<Inflated>> {
        let message = self.inflater.message(self.capture, last, MAX_MESSAGE)?;
        Ok(message.filter(|message| message.fault.is_none() && message.bytes.len() as u64 == message.len))
    }

    /// The inflated bytes of a fragment.
    fn part(&mut self, part: &Part) -> io::Result<Option<Vec<u8>>> {
        if self.latest.as_ref().is_none_or(|(last, _)| *last != part.last) {
            let Some(record) = self.capture.record(part.last) else { return Ok(None) };
            let message = self.inflated(&record)?;
            self.latest = message.map(|message| (part.last, message.bytes));
        }
        let Some((_, bytes)) = &self.latest else { return Ok(None) };
        let cut = |at: u64| (bytes.len() as u128 * u128::from(at) / u128::from(part.of.max(1))) as usize;
        Ok(Some(bytes[cut(part.bytes.start)..cut(part.bytes.end)].to_vec()))
    }
}

/// A message in one frame. Text that is not UTF-8 is sent as it is, without compression.
fn whole(opcode: Opcode, payload: Vec<u8>) -> Outgoing {
    if opcode != Opcode::Text {
        return Outgoing::Binary(payload);
    }
    match String::from_utf8(payload) {
        Ok(text) => Outgoing::Text(text),
        Err(e) => Outgoing::Frame { fin: true, opcode, payload: e.into_bytes(), deflate: false },
    }
}
