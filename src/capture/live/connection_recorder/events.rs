//! Events of a connection besides bytes: gaps, repeated bytes, ends.

use super::Recording;
use crate::capture::format::comments::comments_of;
use crate::capture::format::file_markers::{Gap, Marker};
use crate::capture::format::pcapng::MAX_STREAM;
use crate::proto::dissected::{Direction, EndReason, Missing};
use crate::proto::stated::StatedRecord;
use crate::proto::time::Time;
use crate::wire::tls::Protection;

impl Recording {
    /// Sets whether the receiver has bytes of a direction that come later, or are missing.
    pub fn outstanding(&mut self, direction: Direction, outstanding: bool) {
        self.connection.outstanding(direction, outstanding);
    }

    /// Records that the receiver of a direction got something else than the bytes of that direction, from here on.
    pub fn alter(&mut self, direction: Direction, time: Time) {
        self.begin(time);
        let Some(live) = &mut self.live else { return };
        self.connection.alter(direction);
        // An empty packet of the receiver.
        live.segments.comment(&mut self.batch.blocks, direction, time, &[Marker::Outstanding.comment()]);
        self.commit();
    }

    /// Puts a note on the record that contains the last of the next `len` bytes of a direction.
    pub fn note_next(&mut self, direction: Direction, len: u64, note: String) {
        let end = self.connection.position(direction).saturating_add(len);
        self.notes.push_back((direction, end, note));
    }

    /// The next bytes of a direction are this record.
    pub fn state_record(&mut self, direction: Direction, stated: StatedRecord) {
        let known = self.connection.about().websocket;
        self.connection.state_record(direction, stated, &mut self.records);
        self.batch_records();
        if let Some(live) = self.live.as_ref().filter(|_| self.connection.about().websocket != known) {
            self.batch.index.set_handshake(live.number, self.connection.about().clone());
        }
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
    pub fn gap(&mut self, direction: Direction, missing: Missing, time: Time) {
        let to = self.connection.position(direction).saturating_add(missing.bytes);
        if missing.bytes == 0 || to > MAX_STREAM || self.ended[direction.index()].is_some() {
            return;
        }
        self.begin(time);
        let Some(live) = &mut self.live else { return };
        self.batch.index.skip(live.number, direction, missing.bytes);
        self.connection.gap(direction, missing, time, &mut self.records);
        let gap = Gap { to: Some(to), begins: None, loss: missing.loss };
        live.segments.skip(&mut self.batch.blocks, direction, (missing.bytes, gap), time, &comments_of(&self.records));
        self.batch_records();
        self.commit();
    }

    /// The bytes that follow what was recorded so far are decrypted. A marker says so.
    pub fn decrypted(&mut self, tls: Protection, time: Time) {
        self.tls = Some(tls);
        if let Some(live) = &mut self.live {
            let marker = Marker::of(tls).comment();
            live.segments.comment(&mut self.batch.blocks, Direction::ServerToClient, time, &[marker]);
            self.batch.index.set_decrypted(live.number, tls);
        }
    }

    /// Notes the side that reset the connection, before the end of the first direction.
    pub fn reset_by(&mut self, by: Direction) {
        self.connection.reset_by(by);
    }

    /// Ends a direction.
    pub fn end(&mut self, direction: Direction, how: EndReason, time: Time) {
        let Some(live) = &mut self.live else {
            self.early_ends[direction.index()].get_or_insert(how);
            return;
        };
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
            EndReason::Rst => live.segments.rst(&mut self.batch.blocks, direction, time, &comments),
            EndReason::Capture => live.segments.unknown(&mut self.batch.blocks, direction, time, &comments),
        }
        self.batch_records();
        self.commit();
    }

    /// Ends the directions that ended before the connection had a byte: a side may end its own before the other one sends.
    pub fn end_early(&mut self, time: Time) {
        for direction in Direction::BOTH {
            if let Some(how) = self.early_ends[direction.index()].take() {
                self.end(direction, how, time);
            }
        }
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
