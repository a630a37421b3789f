//! The compressed payload of a message of one frame, for the drawing of how it was inflated.

use crate::capture::store::Capture;
use crate::capture::store::message_reader::Inflated;
use crate::capture::store::record::Record;

/// The first bytes that are kept, and the last ones.
const FIRST: u64 = 24;
const LAST: u64 = 4;

/// A compressed payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    first: Vec<u8>,
    last: Vec<u8>,
    /// Its length in bytes.
    pub sent: u64,
    /// The length of the content in bytes.
    pub inflated: u64,
    /// How far pointers reach back, in bytes, if permessage-deflate was negotiated.
    pub window: Option<u64>,
}

impl Packed {
    /// Reads the payload of a frame whose message is `content`; `None` if the message has other frames, no content, or a fault.
    pub fn read(capture: &Capture, record: &Record, content: &Inflated) -> Option<Self> {
        let len = record.payload_len().filter(|len| *len > 0 && *len == content.compressed_len)?;
        if !record.compressed || content.fault.is_some() || !content.complete || content.len == 0 {
            return None;
        }
        let params = capture.connection(record.connection)?.about.deflate;
        Some(Self {
            first: capture.payload(record, 0..len.min(FIRST)).ok()?,
            last: capture.payload(record, len.saturating_sub(LAST)..len).ok()?,
            sent: len,
            inflated: content.len,
            window: params.map(|params| 1 << params.window_bits(record.direction)),
        })
    }

    /// The bytes in hex, in at most `columns` columns: all of them, or the first and the last ones.
    pub fn hex(&self, columns: usize) -> String {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
        if self.sent <= FIRST && hex(&self.first).len() <= columns {
            return hex(&self.first);
        }
        let last = hex(&self.last);
        let places = columns.saturating_sub(last.len() + 3) / 3;
        format!("{} … {last}", hex(&self.first[..places.min(self.first.len())]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_payload_shows_its_first_and_last_bytes() {
        let packed = |sent: u64| Packed {
            first: (0..u8::try_from(sent.min(FIRST)).expect("small")).collect(),
            last: vec![0xfc, 0xfd, 0xfe, 0xff],
            sent,
            inflated: 9,
            window: None,
        };
        assert_eq!(packed(3).hex(40), "00 01 02");
        assert_eq!(packed(100).hex(23), "00 01 02 … fc fd fe ff");
        assert!(packed(24).hex(40).len() <= 42, "{}", packed(24).hex(40));
    }
}
