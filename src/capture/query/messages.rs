//! Data messages: the frames that carry each (RFC 6455 §5.4), and their joined payload.

use std::collections::HashMap;
use std::io;

use crate::capture::store::Capture;
use crate::capture::store::message_reader::Inflated;
use crate::capture::store::record::Record;
use crate::proto::dissected::{Direction, Kind};
use crate::proto::rules::Severity;
use crate::wire::opcode::Opcode;

/// Records of a connection that are searched at once for the frames of a message.
const REACH: u32 = 4096;

/// Records among which the frames of a message are searched: for all of them, and for its beginning.
const REMOTEST: usize = 200_000;
const NEAR: usize = 256;

/// Messages that are remembered.
const REMEMBERED: usize = 4096;

/// The most frames that are joined to a message.
const MAX_FRAMES: usize = 16 * 1024;

/// Whether a record opens a data message. In the messages view it is the row of its message.
pub const fn opens(record: &Record) -> bool {
    record.message.is_some() && !matches!(record.opcode(), Some(Opcode::Continuation))
}

/// Whether a record is a whole continuation frame of a message that an earlier record opened. A truncated one has its own row.
pub const fn goes_on(record: &Record) -> bool {
    record.message.is_some()
        && matches!(record.kind, Kind::Frame)
        && matches!(record.opcode(), Some(Opcode::Continuation))
}

/// The number of the record that opened the message of `record`, if it is among the 4,096 records before it in its connection.
pub fn opener(capture: &Capture, record: &Record) -> Option<u64> {
    (1..=i64::from(REACH)).find_map(|n| {
        let before = capture.record(capture.neighbour(record.connection, record.no, -n)?)?;
        let same = before.direction == record.direction && before.message == record.message;
        (same && opens(&before)).then_some(before.no)
    })
}

/// A data message with the frames that were found so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The number of its connection.
    pub connection: u32,
    /// Its direction.
    pub direction: Direction,
    /// The number of the record that opens it.
    pub first: u64,
    /// The number of its last record so far.
    pub last: u64,
    /// The number of its frames.
    pub frames: u32,
    /// Bytes of payload as sent: compressed, if the message is.
    pub len: u64,
    /// Whether it is compressed.
    pub compressed: bool,
    /// Whether its last frame was found.
    pub whole: bool,
    /// The worst severity of its frames' findings.
    pub severity: Option<Severity>,
    ordinal: Option<u32>,
    /// Whether no further frame can follow.
    over: bool,
    /// The number of the last record that was searched.
    looked_at: u64,
}

impl Message {
    /// A message with its first frame only.
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

    /// Searches the next [`REACH`] records of the connection for further frames.
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
                // Another message begins inside this one, which is a violation and ends it; or a frame is truncated.
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

    /// The records of its frames in ascending order, among `reach` records of its connection from its first on.
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

    /// The numbers of its records, in ascending order.
    pub fn records(&self, capture: &Capture) -> Vec<u64> {
        self.frames(capture, REMOTEST).map(|record| record.no).take(MAX_FRAMES).collect()
    }

    /// Joins the beginning of the payloads of an uncompressed message: about `most` bytes.
    ///
    /// # Errors
    /// If the file cannot be read.
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
        let empty = Inflated::empty(opcode.unwrap_or(Opcode::Binary));
        Inflated { len: self.len, compressed_len: self.len, ..empty }
    }

    /// Joins the payloads of an uncompressed message: at most the first `most` bytes. Returns the frames that carried them too.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn joined(&self, capture: &Capture, most: u64) -> io::Result<(Inflated, Vec<Carrier>)> {
        let records = capture.pick(self.records(capture));
        let (mut bytes, mut len) = (Vec::new(), 0);
        let mut carriers = Vec::with_capacity(records.len());
        for record in &records {
            carriers.push(Carrier { no: record.no, start: len });
            let wanted = most.saturating_sub(len);
            if wanted > 0 {
                bytes.extend(capture.payload(record, 0..wanted)?);
            }
            len += record.payload_len().unwrap_or(0);
        }
        let opcode = records.first().and_then(Record::opcode);
        Ok((Inflated { bytes, len, ..self.plain(opcode) }, carriers))
    }

    /// The frames of a compressed message: each with the position of the first inflated byte that became known with it.
    pub fn carriers(&self, capture: &Capture, inflated: &Inflated) -> Vec<Carrier> {
        let carried_before = |record: &Record| {
            let before = inflated.carried.partition_point(|(offset, _)| *offset < record.offset);
            before.checked_sub(1).map_or(0, |i| inflated.carried[i].1)
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
    /// The position in the message of the first byte that it carries.
    pub start: u64,
}

/// Finds the frame that carried byte `byte` of a message. Returns its index in `carriers`, and the byte's position in its part.
pub fn carrier_of(carriers: &[Carrier], byte: u64) -> Option<(usize, u64)> {
    let i = carriers.partition_point(|carrier| carrier.start <= byte).checked_sub(1)?;
    Some((i, byte - carriers[i].start))
}

/// A cache of messages, so that the frames of each are searched once.
#[derive(Debug, Default)]
pub struct Messages {
    known: HashMap<u64, Message>,
}

impl Messages {
    /// Searches further frames of the message that `record` opens; `None` for a record that opens none. A message with very many
    /// frames, or with many records between them, may need several calls.
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

    /// The message that record `no` opens, as far as it was searched.
    pub fn known(&self, no: u64) -> Option<&Message> {
        self.known.get(&no)
    }
}
