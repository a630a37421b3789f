//! Eviction: what the index drops when the oldest file of a ring is deleted.
//!
//! Records are dropped in the order of their numbers, with their findings, notes and checkpoints. The numbers of the others do not
//! change, and the number of an evicted record is never used again. Of an open connection the index keeps what reading the rest of
//! it requires: the handshake, up to which offset each direction was evicted, and how it ended.

use super::Index;
use super::connection::ConnectionEntry;
use super::entry::{kind_and_direction, what};
use super::windows::Window;
use crate::proto::dissected::{Direction, Kind};
use crate::proto::time::Time;

/// The oldest part of a capture: what its oldest file holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Eviction {
    /// The number of its last record.
    pub last: u64,
    /// The position in the capture's files where the bytes that are kept begin.
    pub position: u64,
}

impl Index {
    /// Drops the oldest part of the capture.
    pub fn evict(&mut self, Eviction { last, position }: Eviction) {
        if let (Some((begin, end)), Some(time)) = (self.span, self.time(last + 1)) {
            self.span = Some((begin.max(time), end));
        }
        self.note_evicted(last);
        self.connections.iter_mut().for_each(|entry| entry.evict(last));
        self.totals.first = last + 1;
        self.evict_bytes(position);
        self.connections.remove_where(ConnectionEntry::is_over);
        while let Some(chunk) = self.chunks.pop_front_if(|chunk| self.base + chunk.len() as u64 <= last) {
            self.base += chunk.len() as u64;
        }
        self.evict_findings(last);
        let heads = self.connections.iter().filter_map(|entry| entry.kept_handshake.as_deref()).flatten();
        let evicted = heads.filter(|head| head.record.no <= last);
        self.evicted_heads = evicted.map(|head| (head.record.no, head.record.connection)).collect();
        self.mark_torn();
    }

    /// Notes at each connection which of its records are evicted.
    fn note_evicted(&mut self, last: u64) {
        for no in self.totals.first..=last {
            let Some(entry) = self.entry(no).copied() else { break };
            let (kind, direction) = kind_and_direction(entry.what);
            let end = if let Kind::End(_) = kind { self.record(no) } else { None };
            let Some(owner) = self.connections.get_mut(entry.connection) else { continue };
            let evicted = &mut owner.evicted.get_or_insert_default()[direction.index()];
            evicted.to = evicted.to.max(entry.offset + entry.wire_len);
            evicted.time = Time(entry.time);
            evicted.end = end.or(evicted.end.take());
        }
    }

    /// Drops the extents before a position of the files, and the checkpoints that need them.
    fn evict_bytes(&mut self, position: u64) {
        for entry in self.connections.iter_mut() {
            let is_over = entry.is_over();
            for direction in Direction::BOTH {
                let to = entry.evicted_to(direction);
                let stream = &mut entry.streams[direction.index()];
                stream.evict_before(position);
                let start = if is_over { u64::MAX } else { stream.start() };
                let stale = stream.checkpoints.partition_point(|(offset, _)| *offset < start);
                stream.checkpoints.drain(..stale);
                // Messages that refer to no earlier one can be read from anywhere (RFC 7692 §7.1.1).
                let refers_to_none = entry.about.deflate.is_some_and(|agreed| !agreed.takeover(direction));
                if refers_to_none && stream.checkpoints.front().is_none_or(|(offset, _)| *offset > to) {
                    stream.checkpoints.push_front((to, Window::default()));
                }
            }
        }
    }

    fn evict_findings(&mut self, last: u64) {
        self.findings.drain(..self.findings.partition_point(|(no, _)| *no <= last));
        self.tallies.iter_mut().for_each(|tally| (tally.findings, tally.first, tally.last) = (0, 0, 0));
        for (no, finding) in &self.findings {
            self.tallies[finding.rule as usize].take(*no);
        }
        self.notes = self.notes.split_off(&(last + 1));
        self.set_notes = self.set_notes.split_off(&(last + 1));
        self.proxied = self.proxied.split_off(&(last + 1));
        // The handshake of a connection that is kept stays, and its key with it.
        self.keys.retain(|_, (no, connection)| *no > last || self.connections.get(*connection).is_some());
    }

    /// Turns records that have evicted bytes into gaps: the rest of such a frame cannot be read.
    fn mark_torn(&mut self) {
        let torn: Vec<(u64, Direction)> = self
            .connections
            .iter()
            .flat_map(|entry| Direction::BOTH.map(|direction| (entry, direction)))
            .flat_map(|(entry, direction)| self.torn(entry, direction).into_iter().map(move |no| (no, direction)))
            .collect();
        for (no, direction) in torn {
            if let Some(entry) = self.entry_mut(no) {
                entry.what = what(Kind::Gap, direction);
            }
        }
    }

    /// The kept records of a direction that have evicted bytes. A live recording has at most one, the first; a direction whose
    /// segments were captured out of order, or were held, can have several.
    fn torn(&self, entry: &ConnectionEntry, direction: Direction) -> Vec<u64> {
        let stream = &entry.streams[direction.index()];
        let intact = stream.intact_from();
        if intact <= entry.evicted_to(direction) {
            return Vec::new();
        }
        let kept = (entry.first_kept..entry.records).filter_map(|ordinal| entry.number_of(ordinal));
        let own = kept
            .filter_map(|no| Some((no, self.entry(no).filter(|entry| kind_and_direction(entry.what).1 == direction)?)));
        let early = own.take_while(|(_, own)| own.offset < intact);
        early.filter(|(_, own)| stream.is_torn(own.offset, own.wire_len)).map(|(no, _)| no).collect()
    }
}
