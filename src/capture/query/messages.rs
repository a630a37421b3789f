//! Data messages: which frames carry one (RFC 6455 §5.4), and what they say together.

use std::collections::HashMap;
use std::io;

use crate::capture::store::Capture;
use crate::capture::store::message_reader::Inflated;
use crate::capture::store::record::Record;
use crate::proto::dissected::{Direction, Kind};
use crate::proto::rules::Severity;
use crate::wire::opcode::Opcode;

/// How many records of a connection are looked at in one go for the frames of a message.
const REACH: u32 = 4096;

/// Among how many records the frames of a message are looked for, and of its beginning.
const REMOTEST: usize = 200_000;
const NEAR: usize = 256;

/// How many messages are remembered.
const REMEMBERED: usize = 4096;

/// The most frames of which a message is put together.
const MAX_FRAMES: usize = 16 * 1024;

/// Whether a record opens a data message: the one that stands for it where there is a row for each message.
pub const fn opens(record: &Record) -> bool {
    record.message.is_some() && !matches!(record.opcode(), Some(Opcode::Continuation))
}

/// Whether a record goes on with a message that an earlier one opened. One that was cut short stands for itself.
pub const fn goes_on(record: &Record) -> bool {
    record.message.is_some()
        && matches!(record.kind, Kind::Frame)
        && matches!(record.opcode(), Some(Opcode::Continuation))
}

/// The number of the record that opened the message which `record` goes on with, where it is within reach.
pub fn opener(capture: &Capture, record: &Record) -> Option<u64> {
    (1..=i64::from(REACH)).find_map(|n| {
        let before = capture.record(capture.neighbour(record.connection, record.no, -n)?)?;
        let same = before.direction == record.direction && before.message == record.message;
        (same && opens(&before)).then_some(before.no)
    })
}

/// A data message, as far as its frames were looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its connection.
    pub connection: u32,
    /// Which way it goes.
    pub direction: Direction,
    /// The record that opens it.
    pub first: u64,
    /// The latest of its records.
    pub last: u64,
    /// How many frames it has.
    pub frames: u32,
    /// Bytes of payload, as they were sent.
    pub len: u64,
    /// Whether it is compressed.
    pub compressed: bool,
    /// Whether its last frame is there.
    pub whole: bool,
    /// The worst of what its frames break.
    pub severity: Option<Severity>,
    ordinal: Option<u32>,
    /// Whether nothing more of it can come.
    over: bool,
    /// The last record that was looked at.
    looked_at: u64,
}

impl Message {
    /// The message that a record opens, without its other frames.
    fn opened(record: &Record) -> Self {
        Self {
            connection: record.connection,
            direction: record.direction,
            first: record.no,
            last: record.no,
            frames: 1,
            len: record.payload_len().unwrap_or(0),
            compressed: record.compressed,
            whole: record.fin() && record.kind == Kind::Frame,
            severity: record.severity(),
            ordinal: record.message,
            over: record.fin() || record.kind != Kind::Frame,
            looked_at: record.no,
        }
    }

    /// Looks for further frames of it, among so many records at most.
    fn extend(&mut self, capture: &Capture) {
        for _ in 0..REACH {
            if self.over {
                return;
            }
            let next = capture.neighbour(self.connection, self.looked_at + 1, 0);
            let Some(record) = next.and_then(|no| capture.record(no)) else { return };
            self.looked_at = record.no;
            if record.direction != self.direction {
                continue;
            }
            if let Kind::End(_) = record.kind {
                self.over = true;
            } else if goes_on(&record) && record.message == self.ordinal {
                self.take(&record);
            } else if record.message.is_some() {
                // Another message begins inside this one, which is a fault, and ends it; or a frame was cut short.
                self.over = true;
            }
        }
    }

    fn take(&mut self, record: &Record) {
        self.last = record.no;
        self.frames += 1;
        self.len += record.payload_len().unwrap_or(0);
        self.severity = self.severity.max(record.severity());
        self.whole = record.fin();
        self.over = record.fin();
    }

    /// Its records, in order, among the next `reach` records of its connection.
    fn frames<'a>(&'a self, capture: &'a Capture, reach: usize) -> impl Iterator<Item = Record> + 'a {
        let mut next = Some(self.first);
        let walk = std::iter::from_fn(move || {
            let record = capture.record(next.filter(|no| *no <= self.last)?)?;
            next = capture.neighbour(self.connection, record.no + 1, 0);
            Some(record)
        });
        let own = |record: &Record| {
            let same = record.direction == self.direction && record.message == self.ordinal;
            record.no == self.first || (same && goes_on(record))
        };
        walk.take(reach).filter(own)
    }

    /// The numbers of its records, in order.
    pub fn records(&self, capture: &Capture) -> Vec<u64> {
        self.frames(capture, REMOTEST).map(|record| record.no).take(MAX_FRAMES).collect()
    }

    /// The beginning of what its frames say together, where it is not compressed: about `most` bytes.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn beginning(&self, capture: &Capture, most: u64) -> io::Result<Inflated> {
        let (mut bytes, mut opcode) = (Vec::new(), None);
        for record in self.frames(capture, NEAR) {
            opcode = opcode.or(record.opcode());
            bytes.extend(capture.payload(&record, 0..most)?);
            if bytes.len() as u64 >= most {
                break;
            }
        }
        Ok(Inflated { bytes, ..self.plain(opcode) })
    }

    fn plain(&self, opcode: Option<Opcode>) -> Inflated {
        Inflated {
            opcode: opcode.unwrap_or(Opcode::Binary),
            bytes: Vec::new(),
            len: self.len,
            compressed_len: self.len,
            fault: None,
            carried: Vec::new(),
        }
    }

    /// The payloads of its frames together, where it is not compressed: at most the first `most` bytes. With the frames that
    /// brought them.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn joined(&self, capture: &Capture, most: u64) -> io::Result<(Inflated, Vec<Carrier>)> {
        let records = capture.pick(self.records(capture));
        let (mut bytes, mut len) = (Vec::new(), 0);
        let mut carriers = Vec::with_capacity(records.len());
        for record in &records {
            carriers.push(Carrier { no: record.no, start: len });
            let room = most.saturating_sub(len);
            if room > 0 {
                bytes.extend(capture.payload(record, 0..room)?);
            }
            len += record.payload_len().unwrap_or(0);
        }
        let opcode = records.first().and_then(Record::opcode);
        Ok((Inflated { bytes, len, ..self.plain(opcode) }, carriers))
    }

    /// The frames that brought what a compressed message inflates to: each from the first byte on that could be told after it.
    pub fn carriers(&self, capture: &Capture, said: &Inflated) -> Vec<Carrier> {
        let carried_before = |record: &Record| {
            let before = said.carried.partition_point(|(offset, _)| *offset < record.offset);
            before.checked_sub(1).map_or(0, |i| said.carried[i].1)
        };
        let records = capture.pick(self.records(capture));
        records.iter().map(|record| Carrier { no: record.no, start: carried_before(record) }).collect()
    }
}

/// A frame of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carrier {
    /// The number of its record.
    pub no: u64,
    /// The position in the message of the first byte that it brings.
    pub start: u64,
}

/// The frame that brought a byte of a message, counted from 0, and the byte's position in what that frame brought.
pub fn carrier_of(carriers: &[Carrier], byte: u64) -> Option<(usize, u64)> {
    let i = carriers.partition_point(|carrier| carrier.start <= byte).checked_sub(1)?;
    Some((i, byte - carriers[i].start))
}

/// Messages that were looked at, so that each is looked for once.
#[derive(Debug, Default)]
pub struct Messages {
    known: HashMap<u64, Message>,
}

impl Messages {
    /// Looks at the message that `record` opens, or looks further; `None` for a record that opens none. One with very many
    /// frames, or whose frames stand far apart, may need several looks.
    pub fn look(&mut self, capture: &Capture, record: &Record) -> Option<&Message> {
        if !opens(record) {
            return None;
        }
        if self.known.len() >= REMEMBERED && !self.known.contains_key(&record.no) {
            self.known.clear();
        }
        let message = self.known.entry(record.no).or_insert_with(|| Message::opened(record));
        message.extend(capture);
        Some(message)
    }

    /// What is known of the message that record `no` opens.
    pub fn known(&self, no: u64) -> Option<&Message> {
        self.known.get(&no)
    }
}
