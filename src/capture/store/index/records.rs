//! The records of an index by their numbers.

use super::connection::ConnectionEntry;
use super::entry::{Entry, HAS_FINDINGS};
use super::extents::ExtentCursor;
use super::location::Location;
use super::{CHUNK, Index};
use crate::capture::store::record::Record;
use crate::proto::dissected::Kind;
use crate::proto::rules::Finding;
use crate::proto::time::Time;

impl Index {
    /// When a record was complete.
    pub fn time(&self, no: u64) -> Option<Time> {
        self.entry(no).map(|entry| Time(entry.time))
    }

    pub(super) fn entry(&self, no: u64) -> Option<&Entry> {
        let at = self.place(no)?;
        self.chunks.get(at / CHUNK)?.get(at % CHUNK)
    }

    pub(super) fn entry_mut(&mut self, no: u64) -> Option<&mut Entry> {
        let at = self.place(no)?;
        self.chunks.get_mut(at / CHUNK)?.get_mut(at % CHUNK)
    }

    /// The position of a record's entry in the chunks.
    fn place(&self, no: u64) -> Option<usize> {
        let at = no.checked_sub(self.base + 1).filter(|_| no >= self.totals.first)?;
        usize::try_from(at).ok()
    }

    /// The record with that number: one that is not evicted, or one of an evicted handshake whose connection is kept.
    pub fn record(&self, no: u64) -> Option<Record> {
        let Some(entry) = self.entry(no) else { return self.evicted_head(no) };
        let mut record = entry.bare(no);
        if entry.flags & HAS_FINDINGS != 0 {
            record.findings = self.findings_of(no).iter().map(|(_, finding)| finding.clone()).collect();
        }
        if record.message.is_none() {
            let linked = entry.link.checked_sub(1);
            record.answers = linked.and_then(|ordinal| {
                let owner = self.connection(entry.connection)?;
                let request_of = |[request, response]: [u64; 2]| (response == no).then_some(request);
                owner.number_of(ordinal).or_else(|| owner.handshake.and_then(request_of))
            });
        }
        Some(record)
    }

    fn evicted_head(&self, no: u64) -> Option<Record> {
        let owner = self.connection(*self.evicted_heads.get(&no)?)?;
        let mut heads = owner.kept_handshake.as_deref()?.iter();
        heads.find(|head| head.record.no == no).map(|head| head.record.clone())
    }

    /// Calls `see` with each record from number `from` on, at most `limit` of them, and with its findings. The records lack their
    /// findings and `answers`, so that nothing is allocated.
    pub fn scan(&self, from: u64, limit: usize, mut see: impl FnMut(&Record, &[(u64, Finding)])) {
        let Some(begin) = self.place(from) else { return };
        let entries = self.chunks.iter().skip(begin / CHUNK).flatten().skip(begin % CHUNK);
        for (no, entry) in (from..).zip(entries.take(limit)) {
            let findings = if entry.flags & HAS_FINDINGS != 0 { self.findings_of(no) } else { &[] };
            see(&entry.bare(no), findings);
        }
    }

    /// Replaces `out` by the locations of these records.
    pub fn positions(&self, records: &[Record], out: &mut Vec<Location>) {
        let mut latest: Option<(u32, &ConnectionEntry)> = None;
        let mut near = [ExtentCursor::default(); 2];
        let mut position = |record: &Record| {
            if latest.is_none_or(|(connection, _)| connection != record.connection) {
                latest = Some((record.connection, self.connection(record.connection)?));
                near = Default::default();
            }
            let way = record.direction.index();
            let (_, entry) = latest.filter(|_| record.kind != Kind::Gap)?;
            let piece = entry.streams[way].one_piece(record.offset, record.wire_len, &mut near[way]);
            piece.map(|(position, _)| position)
        };
        out.clear();
        out.extend(records.iter().map(|record| Location {
            connection: record.connection,
            direction: record.direction,
            offset: record.offset,
            position: position(record),
        }));
    }
}
