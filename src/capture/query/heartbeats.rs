//! Heartbeats: what two sides say only to say that they are there. Pings and pongs, and short texts that a side says again and
//! again.

use std::collections::HashMap;

use crate::capture::store::Capture;
use crate::capture::store::reader::Reader;
use crate::capture::store::record::Record;
use crate::proto::dissected::{Direction, Kind};
use crate::wire::frame::{FrameHead, HeadReading, MAX_HEAD_LEN};
use crate::wire::mask;
use crate::wire::opcode::Opcode;

/// The longest text that counts as a heartbeat, in bytes.
pub const MAX_TEXT: u64 = 32;

/// How many different short texts of a direction are remembered.
const REMEMBERED: usize = 4;

/// Tells heartbeats from what matters. Feed it records in order.
pub struct Heartbeats {
    reader: Reader,
    wire: Vec<u8>,
    said: HashMap<(u32, Direction), Vec<Box<[u8]>>>,
}

impl Heartbeats {
    /// Has heard nothing yet.
    pub fn new(capture: &Capture) -> Self {
        Self { reader: Reader::new(capture), wire: Vec::new(), said: HashMap::new() }
    }

    /// Whether a record is a heartbeat: a ping or pong, or an unfragmented text of at most 32 bytes that its side said
    /// lately, so that the first of them is none. A record with a finding never is. Compressed texts are not compared.
    pub fn is_one(&mut self, record: &Record) -> bool {
        if record.kind != Kind::Frame || !record.findings.is_empty() {
            return false;
        }
        match record.opcode() {
            Some(Opcode::Ping | Opcode::Pong) => true,
            Some(Opcode::Text) if record.fin() && !record.compressed => self.was_said(record),
            _ => false,
        }
    }

    fn was_said(&mut self, record: &Record) -> bool {
        let Some(1..=MAX_TEXT) = record.payload_len() else { return false };
        if self.reader.wire(record, 0..MAX_HEAD_LEN as u64 + MAX_TEXT, &mut self.wire).is_err() {
            return false;
        }
        let HeadReading::Complete(head) = FrameHead::read(&self.wire) else { return false };
        let text = &mut self.wire[head.header_len()..];
        if let Some(key) = head.masking_key {
            mask::apply(text, key, 0);
        }
        let said = self.said.entry((record.connection, record.direction)).or_default();
        if let Some(at) = said.iter().position(|earlier| **earlier == *text) {
            said[at..].rotate_left(1);
            return true;
        }
        if said.len() == REMEMBERED {
            said.remove(0);
        }
        said.push((&*text).into());
        false
    }
}

impl std::fmt::Debug for Heartbeats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Heartbeats").finish_non_exhaustive()
    }
}
