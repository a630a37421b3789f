//! What the client of a captured connection sent, frame by frame.

use std::io;
use std::time::Duration;

use crate::capture::store::Capture;
use crate::capture::store::message_reader::MessageReader;
use crate::capture::store::record::Record;
use crate::proto::dissected::{Direction, Kind};
use crate::proto::time::Time;
use crate::script::Outgoing;
use crate::wire::close::CloseCode;
use crate::wire::opcode::Opcode;

/// Records that are looked up at once.
const BATCH: usize = 4096;

/// The most bytes of a message that are sent.
const MAX_MESSAGE: u64 = 256 << 20;

/// The frames that the client sent and that are sent again, in order.
#[derive(Debug, Default)]
pub struct Steps {
    /// The frames.
    pub list: Vec<Step>,
    /// Whether the client's Close answered that of the server: then it is not sent again, because the client answers anyway.
    pub answers_close: bool,
}

/// A frame to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The number of its record.
    pub no: u64,
    /// When it was sent, counted from the end of the handshake.
    pub time: Duration,
    /// How many messages had arrived before.
    pub messages_before: u64,
    /// Whether it is a Close.
    pub is_close: bool,
}

/// Calls `see` with each record of a connection.
pub fn each_record(capture: &Capture, connection: u32, mut see: impl FnMut(&Record)) {
    let mut from = 1;
    loop {
        let numbers = capture.numbers(connection, from, BATCH);
        let Some(last) = numbers.last() else { return };
        from = last + 1;
        capture.pick(numbers).iter().for_each(&mut see);
    }
}

/// True for a frame that ends a data message.
pub fn ends_message(record: &Record) -> bool {
    record.kind == Kind::Frame && record.message.is_some() && record.fin()
}

impl Steps {
    /// The steps of a connection.
    pub fn of(capture: &Capture, connection: u32) -> Self {
        let mut steps = Self::default();
        let mut messages_before = 0;
        let mut started: Option<Time> = capture.handshake(connection).map(|[_, response]| response.time);
        each_record(capture, connection, |record| {
            if record.kind != Kind::Frame {
                return;
            }
            let started = *started.get_or_insert(record.time);
            if record.direction == Direction::ServerToClient {
                messages_before += u64::from(ends_message(record));
                return;
            }
            let is_close = record.opcode() == Some(Opcode::Close);
            if is_close && record.answers.is_some() {
                steps.answers_close = true;
                return;
            }
            // A message that was compressed is sent with its last frame, in one frame.
            if record.opcode() == Some(Opcode::Pong) || record.compressed && !record.fin() {
                return;
            }
            let nanos = u64::try_from(record.time.nanos_since(started)).unwrap_or(0);
            let time = Duration::from_nanos(nanos);
            steps.list.push(Step { no: record.no, time, messages_before, is_close });
        });
        steps
    }

    /// Reads what the steps send.
    pub fn contents<'a>(&self, capture: &'a Capture) -> Contents<'a> {
        Contents { capture, inflater: MessageReader::default() }
    }
}

/// Reads what steps send.
pub struct Contents<'a> {
    capture: &'a Capture,
    inflater: MessageReader,
}

impl Contents<'_> {
    /// What a step sends; `None` if the capture lacks it, such as a compressed message that refers to bytes before the capture.
    ///
    /// # Errors
    /// If the capture cannot be read.
    pub fn read(&mut self, step: &Step) -> io::Result<Option<Outgoing>> {
        let Some(record) = self.capture.record(step.no) else { return Ok(None) };
        let Some(opcode) = record.opcode() else { return Ok(None) };
        if record.compressed {
            let message = self.inflater.message(self.capture, &record, MAX_MESSAGE)?;
            return Ok(message.map(|message| whole(message.opcode, message.bytes)));
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
            opcode => Outgoing::Frame { fin: record.fin(), opcode, payload },
        }))
    }
}

/// A message in one frame. Text that is not UTF-8 is sent as it is, without compression.
fn whole(opcode: Opcode, payload: Vec<u8>) -> Outgoing {
    if opcode != Opcode::Text {
        return Outgoing::Binary(payload);
    }
    match String::from_utf8(payload) {
        Ok(text) => Outgoing::Text(text),
        Err(e) => Outgoing::Frame { fin: true, opcode, payload: e.into_bytes() },
    }
}
