//! Inflates the messages of a direction and compresses them again: the receiver has not got all bytes that they refer to (RFC 7692 §7.1.1).

use super::encoder::Encoder;
use super::gate::Part;
use crate::proto::deflate::MessageInflater;
use crate::proto::extensions::DeflateParams;
use crate::proto::judge::MAX_MESSAGE;
use crate::wire::mask;

/// The messages of a direction from the first change on.
pub struct Recompressor {
    params: DeflateParams,
    inflater: MessageInflater,
    /// Whether the current message is compressed.
    is_compressed: bool,
}

/// The frame that is sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Again {
    /// The original, which is not compressed.
    Same,
    /// A frame that was compressed again.
    Compressed(Vec<u8>),
    /// The original, because it cannot be inflated.
    Invalid,
}

impl Recompressor {
    /// Begins between two messages, after the inflated bytes `window`.
    pub fn new(params: DeflateParams, window: &[u8]) -> Self {
        Self { params, inflater: MessageInflater::resumed(true, MAX_MESSAGE, window), is_compressed: false }
    }

    /// The next frame, as it is sent.
    pub fn frame(&mut self, part: &Part, encoder: &mut Encoder) -> Again {
        match self.inflate(part) {
            None => Again::Same,
            Some(Err(())) => Again::Invalid,
            Some(Ok(payload)) => Again::Compressed(encoder.compressed(&part.head, &payload, self.params)),
        }
    }

    /// Takes a frame that is not sent. Later ones may refer to it.
    pub fn skip(&mut self, part: &Part) {
        let _ = self.inflate(part);
    }

    /// The inflated payload of a frame; `None` if it is not compressed.
    fn inflate(&mut self, part: &Part) -> Option<Result<Vec<u8>, ()>> {
        let head = &part.head;
        if head.opcode.is_control() {
            return None;
        }
        if head.opcode.opens_message() {
            self.is_compressed = head.rsv1;
            if head.rsv1 {
                self.inflater.begin();
            }
        }
        if !self.is_compressed {
            return None;
        }
        let masked = &part.bytes[head.header_len()..];
        let (mut scratch, mut payload) = (Vec::new(), Vec::new());
        let plain = mask::plain(masked, head.masking_key, 0, &mut scratch);
        let mut result = self.inflater.feed(plain, |piece| payload.extend_from_slice(piece));
        if head.fin && result.is_ok() {
            result = self.inflater.finish();
        }
        // After an error it inflates nothing, without another error.
        Some(if result.is_err() || self.inflater.is_lost() { Err(()) } else { Ok(payload) })
    }
}
