//! Writes to the receiver of a direction. From the first change on, it records what the receiver gets, and compresses the later messages
//! of a compressed direction again.

use std::sync::Arc;

use super::delivery::{Delivered, Delivery};
use super::encoder::Encoder;
use super::frames::Frames;
use super::gate::Part;
use super::link::Link;
use super::queue::{Item, Verdict};
use super::recompress::{Again, Recompressor};
use crate::capture::format::proxied::Proxied;
use crate::net::proxy::end::End;
use crate::net::wiretap::Remark;
use crate::proto::dissected::Direction;
use crate::script::Outgoing;

/// The note on a frame that was compressed again.
const AGAIN: &str = "compressed again by framescope, because an earlier message was changed";

/// Writes to the receiver of a direction.
pub struct Outlet {
    direction: Direction,
    delivery: Arc<Delivery>,
    /// Where frames end in what was written.
    frames: Frames,
    /// How many bytes were written after the head of the handshake.
    passed: u64,
    /// The recording of what the receiver gets, from the first change on.
    delivered: Option<Delivered>,
    /// Tracks the inflated bytes that later messages may refer to, while a message is held and from the first change on.
    recompressor: Option<Recompressor>,
    /// Whether messages are compressed again: from the first change on.
    compresses: bool,
    encoder: Encoder,
}

impl Outlet {
    pub fn new(direction: Direction, delivery: &Arc<Delivery>) -> Self {
        let (frames, encoder) = (Frames::default(), Encoder::new(direction));
        let delivery = Arc::clone(delivery);
        Self { direction, delivery, frames, passed: 0, delivered: None, recompressor: None, compresses: false, encoder }
    }

    /// Starts after `passed` bytes, which `frames` has tracked.
    pub fn adopt(&mut self, frames: Frames, passed: u64) {
        (self.frames, self.passed) = (frames, passed);
    }

    /// How many of these bytes belong to the message that has begun.
    pub fn begun(&self, bytes: &[u8]) -> usize {
        self.frames.clone().finish_message(bytes)
    }

    /// Returns true if neither a frame nor a message is unfinished.
    pub const fn is_between_messages(&self) -> bool {
        self.frames.is_between_messages()
    }

    /// Returns true if no frame is unfinished.
    pub const fn is_between_frames(&self) -> bool {
        self.frames.is_between_frames()
    }

    /// Returns true if bytes cannot be forwarded as they arrive, because messages are compressed again.
    pub const fn needs_frames(&self) -> bool {
        self.compresses
    }

    /// Returns true if it tracks the bytes that later compressed messages may refer to.
    pub const fn follows(&self) -> bool {
        self.recompressor.is_some()
    }

    /// Stops tracking the bytes that later messages may refer to, unless messages are compressed again: nothing is held any more.
    pub fn stop_following(&mut self) {
        if !self.compresses {
            self.recompressor = None;
        }
    }

    /// Writes bytes unchanged.
    pub fn pass(&mut self, link: &dyn Link, bytes: &[u8]) -> Result<(), End> {
        self.frames.track(bytes);
        self.write(link, bytes, None)
    }

    /// Writes complete frames unchanged, or compressed again.
    pub fn pass_parts(&mut self, link: &dyn Link, parts: &[Part]) -> Result<(), End> {
        for part in parts {
            let again = match &mut self.recompressor {
                Some(recompressor) if self.compresses => recompressor.frame(part, &mut self.encoder),
                Some(follower) => {
                    follower.skip(part);
                    Again::Same
                }
                None => Again::Same,
            };
            match again {
                Again::Same => self.pass(link, &part.bytes)?,
                Again::Invalid => {
                    self.delivery.notice(&format!(
                        "connection {}: a message cannot be inflated, so it was sent unchanged; its receiver may not be able to read it",
                        self.delivery.number()
                    ));
                    self.pass(link, &part.bytes)?;
                }
                Again::Compressed(bytes) => {
                    self.frames.track(&bytes);
                    self.write(link, &bytes, Some(&Remark::note(AGAIN.to_owned())))?;
                }
            }
        }
        Ok(())
    }

    /// Carries out the decision about an item.
    pub fn finish(&mut self, link: &dyn Link, item: &Item) -> Result<(), End> {
        match &item.verdict {
            None | Some(Verdict::Send) => {
                self.pass_parts(link, &item.parts)?;
                if let (None, Some(window), Some(params)) = (&self.recompressor, &item.window, self.delivery.deflate())
                {
                    self.recompressor = Some(Recompressor::new(params, window));
                }
                self.delivery.note_sent(item);
                Ok(())
            }
            Some(Verdict::Drop) => {
                self.change(item);
                self.delivery.note_dropped(item);
                Ok(())
            }
            Some(Verdict::Replace(outgoing)) => {
                self.change(item);
                let is_compressed = item.parts.first().is_some_and(|part| part.head.rsv1);
                let deflate = self.delivery.deflate().filter(|_| is_compressed);
                let bytes = self.encoder.encode(outgoing, deflate);
                let remark = item.records.map(|[came, _]| {
                    let note = format!("framescope sent this in place of record {came}");
                    Remark::proxied(Proxied::InPlaceOf(came), note)
                });
                self.write(link, &bytes, remark.as_ref())?;
                self.delivery.note_replaced(item);
                Ok(())
            }
        }
    }

    /// Injects a message or frame, without compression. `received` is the offset of the first byte that was received and is not forwarded yet.
    pub fn inject(&mut self, link: &dyn Link, outgoing: &Outgoing, received: u64) -> Result<(), End> {
        self.begin_delivered();
        // The receiver can read what follows in any case; the recording of what it gets needs the later messages alone.
        if self.is_between_messages() {
            self.recompress(|delivery, direction| delivery.window_before(direction, received));
        }
        let bytes = self.encoder.encode(outgoing, None);
        let remark = Remark::proxied(Proxied::Added, "added by a user of framescope".to_owned());
        self.write(link, &bytes, Some(&remark))
    }

    /// Prepares for an item that is dropped or replaced.
    fn change(&mut self, item: &Item) {
        self.begin_delivered();
        if let Some(recompressor) = &mut self.recompressor {
            // Later messages may refer to it.
            item.parts.iter().for_each(|part| recompressor.skip(part));
        }
        let offset = item.parts.first().map_or(0, |part| part.offset);
        let is_compressed = item.parts.first().is_some_and(|part| part.head.rsv1);
        let is_known = self.recompress(|delivery, direction| match is_compressed {
            true => item.window.clone(),
            false => delivery.window_before(direction, offset),
        });
        if !is_known && is_compressed {
            self.delivery.notice(&format!(
                "connection {}: later messages may not be readable for their receiver, because what they refer to is not captured; connect again",
                self.delivery.number()
            ));
        }
    }

    /// Compresses the later messages again, if they may refer to earlier ones. `window` returns the bytes that they may refer to, unless
    /// these are tracked already. Returns false if they are unknown: then the later messages are sent unchanged.
    fn recompress(&mut self, window: impl FnOnce(&Delivery, Direction) -> Option<Vec<u8>>) -> bool {
        let direction = self.direction;
        let Some(params) = self.delivery.deflate().filter(|params| params.takeover(direction)) else { return true };
        if self.recompressor.is_none() {
            self.recompressor = window(&self.delivery, direction).map(|window| Recompressor::new(params, &window));
        }
        self.compresses = self.recompressor.is_some();
        self.compresses
    }

    fn begin_delivered(&mut self) {
        if self.delivered.is_none() {
            self.delivered = self.delivery.begin(self.direction, self.passed);
        }
    }

    /// Writes bytes. Frames of the user are not tracked: one with a wrong length or without FIN does not shift where the next one may
    /// begin.
    fn write(&mut self, link: &dyn Link, bytes: &[u8], remark: Option<&Remark>) -> Result<(), End> {
        self.passed += bytes.len() as u64;
        if let Some(delivered) = &self.delivered {
            delivered.record(self.direction, bytes, remark);
        }
        link.write(self.direction, bytes)
    }
}
