//! Heartbeats: frames that only show that a connection is alive. These are pings, pongs, and short texts that a side repeats.

use std::collections::HashMap;

use crate::capture::store::Capture;
use crate::capture::store::record::Record;
use crate::capture::store::record_reader::RecordReader;
use crate::proto::dissected::{Direction, Kind};
use crate::wire::frame::{FrameHead, MAX_HEAD_LEN};
use crate::wire::mask;
use crate::wire::opcode::Opcode;

/// The longest text that counts as a heartbeat, in bytes.
pub const MAX_TEXT: u64 = 32;

/// Different short texts of a direction that are remembered.
const REMEMBERED: usize = 4;

/// Detects heartbeats among records in ascending order.
pub struct Heartbeats {
    reader: RecordReader,
    wire: Vec<u8>,
    /// The latest short texts of each direction.
    recent: HashMap<(u32, Direction), Vec<Box<[u8]>>>,
}

impl Heartbeats {
    /// A detector that has seen no record yet.
    pub fn new(capture: &Capture) -> Self {
        Self { reader: RecordReader::new(capture), wire: Vec::new(), recent: HashMap::new() }
    }

    /// Whether a record is a heartbeat: a ping, a pong, or an unfragmented text of at most 32 bytes that is equal to one of the last
    /// four of its direction. The first of equal texts is not a heartbeat, nor is a record with a finding. Compressed texts are not
    /// compared.
    pub fn is_one(&mut self, record: &Record) -> bool {
        if record.kind != Kind::Frame || !record.findings.is_empty() {
            return false;
        }
        match record.opcode() {
            Some(Opcode::Ping | Opcode::Pong) => true,
            Some(Opcode::Text) if record.fin() && !record.compressed => self.is_repeated(record),
            _ => false,
        }
    }

    fn is_repeated(&mut self, record: &Record) -> bool {
        let Some(1..=MAX_TEXT) = record.payload_len() else { return false };
        if self.reader.wire(record, 0..MAX_HEAD_LEN as u64 + MAX_TEXT, &mut self.wire).is_err() {
            return false;
        }
        let Some(head) = FrameHead::read(&self.wire) else { return false };
        let text = &mut self.wire[head.header_len()..];
        if let Some(key) = head.masking_key {
            mask::apply(text, key, 0);
        }
        let recent = self.recent.entry((record.connection, record.direction)).or_default();
        if let Some(at) = recent.iter().position(|earlier| **earlier == *text) {
            recent[at..].rotate_left(1);
            return true;
        }
        if recent.len() == REMEMBERED {
            recent.remove(0);
        }
        recent.push((&*text).into());
        false
    }
}

impl std::fmt::Debug for Heartbeats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Heartbeats").finish_non_exhaustive()
    }
}
