//! Events of a connection besides bytes: gaps, repeated bytes, ends.

use super::Recording;
use crate::capture::format::comments::comments_of;
use crate::capture::format::file_markers::Gap;
use crate::capture::format::pcapng::MAX_STREAM;
use crate::proto::dissected::{Direction, EndReason};
use crate::proto::time::Time;

impl Recording {
    /// The client sends what follows before the handshake with that ordinal in the connection is answered.
    pub const fn sent_before_answer(&mut self, handshake: u32) {
        self.connection.sent_before_answer(handshake);
    }

    /// Sets whether the receiver has bytes of a direction that come later, or are missing.
    pub fn outstanding(&mut self, direction: Direction, outstanding: bool) {
        self.connection.outstanding(direction, outstanding);
    }

    /// The next `len` bytes of a direction are unrecognized, however they look.
    pub fn unrecognized(&mut self, direction: Direction, len: u64) {
        self.connection.unrecognized(direction, len, &mut self.records);
        self.batch_records();
    }

    /// A frame or a head begins with the next byte of a side, whatever came before it.
    pub fn begins_here(&mut self, direction: Direction, time: Time) {
        let at = self.connection.position(direction);
        if self.connection.begins(direction, at, &mut self.records)
            && let Some(live) = &mut self.live
        {
            // Readers of the file need that, too.
            let gap = Gap { to: Some(at), begins: Some(at) };
            live.segments.skip(&mut self.batch.blocks, direction, (0, gap), time, &[]);
        }
        self.batch_records();
    }

    /// A record of a direction ends with its latest byte.
    pub fn record_ended(&mut self, direction: Direction) {
        self.connection.record_ended(direction, &mut self.records);
        self.batch_records();
    }

    /// Records that `differing` bytes of a direction were repeated with different content.
    pub fn overlapped(&mut self, direction: Direction, differing: u64, time: Time) {
        self.begin(time);
        if let Some(live) = &mut self.live {
            self.connection.overlapped(direction, differing);
            live.segments.overlap(&mut self.batch.blocks, direction, differing, time);
        }
    }

    /// The next `missing` bytes of a side were not captured.
    pub fn gap(&mut self, direction: Direction, missing: u64, time: Time) {
        let to = self.connection.position(direction).saturating_add(missing);
        if missing == 0 || to > MAX_STREAM || self.ended[direction.index()].is_some() {
            return;
        }
        self.begin(time);
        let Some(live) = &mut self.live else { return };
        self.batch.index.skip(live.number, direction, missing);
        self.connection.gap(direction, missing, time, &mut self.records);
        let gap = Gap { to: Some(to), begins: None };
        live.segments.skip(&mut self.batch.blocks, direction, (missing, gap), time, &comments_of(&self.records));
        self.batch_records();
        self.commit();
    }

    /// Ends a direction: the sender ended it cleanly (FIN), or the capture does not show what follows.
    pub fn end(&mut self, direction: Direction, how: EndReason, time: Time) {
        let Some(live) = &mut self.live else { return };
        if self.ended[direction.index()].is_some() {
            return;
        }
        self.ended[direction.index()] = Some(how);
        self.connection.end(direction, how, time, &mut self.records);
        if !self.connection.has_end_records() {
            self.batch.index.end(live.number, direction, how);
        }
        let comments = comments_of(&self.records);
        match how {
            EndReason::Fin => live.segments.fin(&mut self.batch.blocks, direction, time, &comments),
            _ => live.segments.unknown(&mut self.batch.blocks, direction, time, &comments),
        }
        self.batch_records();
        self.commit();
    }

    /// A side has reset the connection (RST): that ends both directions. Does nothing if both have ended.
    pub fn reset(&mut self, by: Direction, time: Time) {
        let Some(live) = &mut self.live else { return };
        if self.ended.iter().all(Option::is_some) {
            return;
        }
        self.connection.reset_by(by);
        for direction in [by, by.opposite()] {
            if self.ended[direction.index()].replace(EndReason::Rst).is_none() {
                self.connection.end(direction, EndReason::Rst, time, &mut self.records);
            }
        }
        live.segments.rst(&mut self.batch.blocks, by, time, &comments_of(&self.records));
        self.batch_records();
        self.commit();
    }

    /// Ends what has not ended: nobody records the connection any more, and how it ended is not known.
    pub fn end_unknown(&mut self) {
        let Some(latest) = self.live.as_ref().map(|live| live.latest) else { return };
        for direction in Direction::BOTH {
            self.end(direction, EndReason::Capture, latest[0].max(latest[1]));
        }
    }
}
