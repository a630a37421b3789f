//! The content of a held message, for editing.

use super::queue::Item;
use super::{Hold, HoldError};
use crate::capture::store::Capture;
use crate::capture::store::message_reader::MessageReader;
use crate::wire::frame::FrameHead;
use crate::wire::mask;

/// The most inflated bytes of a message that are read to be edited: more than a prompt takes.
const MAX_INFLATED: u64 = 1 << 20;

/// The content of a message or control frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The head of its first frame.
    pub head: FrameHead,
    /// Whether it is compressed.
    pub is_compressed: bool,
    /// The payload of all its frames, unmasked and inflated.
    pub payload: Vec<u8>,
}

impl Hold {
    /// The content of a held message. `capture` is that of the proxy.
    ///
    /// # Errors
    /// [`HoldError::NotHeld`], [`HoldError::NotInflated`].
    pub fn content(&self, id: u64, capture: &Capture) -> Result<Content, HoldError> {
        let lanes = self.state().lanes();
        let found = lanes.iter().find_map(|(lane, _)| {
            let queue = lane.queue();
            let item = queue.items().find(|item| item.id == id)?;
            Some((Content::as_it_came(item), item.records))
        });
        let Some((Some(mut content), records)) = found else { return Err(HoldError::NotHeld) };
        if content.head.rsv1 && content.head.opcode.opens_message() {
            let record = records.and_then(|[_, last]| capture.record(last)).ok_or(HoldError::NotInflated)?;
            if record.compressed {
                let message = MessageReader::default().message(capture, &record, MAX_INFLATED);
                let message = message.ok().flatten().filter(|message| message.fault.is_none());
                content.payload = message.ok_or(HoldError::NotInflated)?.bytes;
                content.is_compressed = true;
            }
        }
        Ok(content)
    }
}

impl Content {
    /// The content of an item without inflating it.
    fn as_it_came(item: &Item) -> Option<Self> {
        let head = item.parts.first()?.head;
        let mut payload = Vec::new();
        for part in &item.parts {
            let masked = &part.bytes[part.head.header_len()..];
            match part.head.masking_key {
                Some(key) => mask::append(&mut payload, masked, key, 0),
                None => payload.extend_from_slice(masked),
            }
        }
        Some(Self { head, is_compressed: false, payload })
    }
}
