//! Data frames: validates text, inflates compressed messages, and groups fragments into messages (RFC 6455 §5.4, §8.1).

use super::FrameReader;
use crate::proto::connection_state::ConnectionState;
use crate::proto::dissected::{DissectedRecord, RecordLink};
use crate::proto::rules::{Finding, Rule};
use crate::proto::utf8::Utf8;
use crate::wire::field::Span;
use crate::wire::frame::FrameHead;
use crate::wire::mask;
use crate::wire::opcode::Opcode;

/// Text is unmasked and validated in pieces of this many bytes.
const PIECE: usize = 16 * 1024;

/// An unfinished data message.
#[derive(Debug)]
pub(super) struct OpenMessage {
    /// Its number in its direction, counted from 1.
    pub ordinal: u32,
    /// The ordinal of its first frame in the connection, once that frame is a record.
    pub first_frame: Option<u32>,
    /// Validates its text. `None` for a binary or compressed message, and after invalid text.
    pub utf8: Option<Utf8>,
    /// True if its payload is compressed, or may be.
    pub compressed: bool,
    /// The length of its payloads so far in bytes, with the full announced length of the current frame.
    pub len: u64,
}

impl FrameReader {
    /// Takes the next piece of the payload of a data frame: inflates it or validates its text.
    #[inline]
    pub(super) fn take_data(&mut self, head: &FrameHead, seen: u64, bytes: &[u8]) {
        if let Some(inflating) =
            self.inflating.as_mut().filter(|_| self.open.as_ref().is_some_and(|open| open.compressed))
        {
            for (i, piece) in bytes.chunks(PIECE).enumerate() {
                let at = seen + (i * PIECE) as u64;
                let plain = mask::plain(piece, head.masking_key, at, &mut self.scratch);
                self.findings.extend(inflating.feed(head, at, plain));
            }
            return;
        }
        let Some(utf8) = self.open.as_mut().and_then(|open| open.utf8.as_mut()) else { return };
        let mut at = 0;
        let invalid = loop {
            let piece = &bytes[at..bytes.len().min(at + PIECE)];
            let offset = seen + at as u64;
            let fed = match head.masking_key {
                // The common case: ASCII is validated in place, without unmasking.
                Some(key) if utf8.is_complete() && mask::is_ascii(piece, key, offset) => Ok(()),
                key => utf8.feed(mask::plain(piece, key, offset, &mut self.scratch)),
            };
            if let Err(bad) = fed {
                break Some(seen + (at + bad) as u64);
            }
            at += piece.len();
            if at == bytes.len() {
                break None;
            }
        };
        if let Some(byte) = invalid {
            let at = head.header_len() as u64 + byte;
            self.findings.push(Finding::new(Rule::TextNotUtf8, Some(Span::bytes(at, at + 1))).number(byte));
            if let Some(open) = &mut self.open {
                open.utf8 = None;
            }
        }
    }

    /// Adds what a complete data frame means for its message to its record.
    pub(super) fn finish_data(&mut self, head: &FrameHead, record: &mut DissectedRecord, connection: &ConnectionState) {
        if head.fin {
            self.unsure = false;
        }
        let Some(open) = &mut self.open else { return };
        record.link = RecordLink::Message(open.ordinal);
        record.compressed = open.compressed;
        open.first_frame.get_or_insert(connection.next_ordinal());
        if let Some(inflating) = self.inflating.as_mut().filter(|_| open.compressed) {
            if head.fin {
                self.findings.extend(inflating.finish(head));
            }
            record.checkpoint = inflating.checkpoint(self.start, self.start + head.wire_len(), head.fin);
        }
        if head.fin {
            if open.utf8.is_some_and(|utf8| !utf8.is_complete()) {
                let end = head.wire_len();
                let last = (head.payload_len > 0).then(|| Span::bytes(end - 1, end));
                self.findings.push(Finding::new(Rule::TextCutCharacter, last));
            }
            self.open = None;
        }
    }
}

/// True if frames with this opcode belong to data messages.
#[inline]
pub(super) const fn is_data(opcode: Opcode) -> bool {
    matches!(opcode, Opcode::Continuation | Opcode::Text | Opcode::Binary)
}
