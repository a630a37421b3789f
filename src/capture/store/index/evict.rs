//! What goes with the oldest file of a ring.
//!
//! The numbers of the records left stay. Before them, on numbers of some that are gone, stand those which make the rest readable by
//! itself, as they stand at the beginning of each of the ring's files: of every connection that goes on its handshake, and gaps in
//! place of everything else.

use std::collections::HashMap;

use super::Index;
use super::connection::ConnectionEntry;
use super::entry::{Entry, HAS_FINDINGS, RELINKED, kind_and_direction, what};
use super::windows::Window;
use crate::proto::dissected::{Direction, Kind};
use crate::proto::rules::{Finding, Rule};
use crate::proto::time::Time;
use crate::wire::opcode::Opcode;

/// A part of a capture that goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leaving {
    /// The number of its last record.
    pub until: u64,
    /// The position in the capture's files where the rest begins.
    pub position: u64,
    /// Records that began before that position and went on behind it: connection, direction, stream offset.
    pub torn: Vec<(u32, Direction, u64)>,
}

/// A record that stands in for others.
struct StandIn {
    entry: Entry,
    /// The number that it had; none for a gap.
    was: Option<u64>,
    findings: Vec<Finding>,
}

impl Index {
    /// Lets a part of the capture go.
    pub fn evict(&mut self, leaving: &Leaving) {
        let until = leaving.until;
        if let (Some((begin, _)), Some(entry)) = (self.span, self.entry(until + 1)) {
            self.span = self.span.map(|(_, end)| (begin.max(Time(entry.time)), end));
        }
        self.note_what_goes(until);
        self.forget_bytes(leaving);
        let mut stand_ins = Vec::new();
        let mut counts = Vec::new();
        for rank in 0..self.connections.count() {
            let Some(number) = self.connections.number(rank) else { continue };
            let before = stand_ins.len();
            if let Some(entry) = self.connections.get(number).filter(|entry| entry.base < entry.ordinal_from(until + 1))
            {
                self.stand_in(number, entry, until, &mut stand_ins);
            }
            counts.push((number, (stand_ins.len() - before) as u32));
        }
        let first = until + 1 - stand_ins.len() as u64;
        self.renumber(until, first, &stand_ins);
        let mut from = first;
        for (number, count) in counts {
            let Some(entry) = self.connections.get_mut(number) else { continue };
            entry.stand_in(until, count, from);
            from += u64::from(count);
        }
        self.totals.gone = until - stand_ins.iter().filter(|stand_in| stand_in.was.is_some()).count() as u64;
        (self.totals.first, self.totals.settled) = (first, until + 1);
        for (no, stand_in) in (first..).zip(stand_ins) {
            if let Some(entry) = self.entry_mut(no) {
                *entry = stand_in.entry;
            }
        }
        while let Some(chunk) = self.chunks.pop_front_if(|chunk| self.base + (chunk.len() as u64) < first) {
            self.base += chunk.len() as u64;
        }
        leaving.torn.iter().for_each(|(connection, direction, offset)| self.tear(*connection, *direction, *offset));
    }

    /// Keeps of each connection up to where its records go.
    fn note_what_goes(&mut self, until: u64) {
        for no in self.totals.first..=until {
            let Some(entry) = self.entry(no).copied() else { break };
            let (kind, direction) = kind_and_direction(entry.what);
            let Some(owner) = self.connections.get_mut(entry.connection) else { continue };
            let gone = &mut owner.gone[direction.index()];
            *gone = (gone.0.max(entry.offset + entry.wire_len), Time(entry.time));
            if let Kind::End(_) = kind {
                owner.end_gone[direction.index()] = Some(no);
            }
            if kind == Kind::Frame && Opcode::from_wire(entry.lead[0]) == Opcode::Close {
                owner.closes[direction.index()]
                    .as_mut()
                    .filter(|(close, _)| *close == no)
                    .into_iter()
                    .for_each(|c| c.0 = 0);
            }
        }
    }

    /// The bytes before a position are gone, and with them connections that have nothing else.
    fn forget_bytes(&mut self, leaving: &Leaving) {
        let over = |entry: &ConnectionEntry| {
            entry.ended.iter().all(Option::is_some) && entry.ordinal_from(leaving.until + 1) == entry.records
        };
        for entry in self.connections.iter_mut() {
            let over = over(entry);
            for stream in &mut entry.streams {
                stream.forget_before(leaving.position);
                let start = if over { u64::MAX } else { stream.start() };
                let stale = stream.checkpoints.partition_point(|(offset, _)| *offset < start);
                stream.checkpoints.drain(..stale);
            }
            for (direction, stream) in Direction::BOTH.into_iter().zip(&mut entry.streams) {
                // Messages that refer to no earlier one can be read from anywhere.
                let to = entry.gone[direction.index()].0;
                let alone = entry.about.deflate.is_some_and(|agreed| !agreed.takeover(direction));
                if alone && stream.checkpoints.front().is_none_or(|(offset, _)| *offset > to) {
                    stream.checkpoints.push_front((to, Window::default()));
                }
            }
        }
        self.connections.drop_where(over);
    }

    /// What stands in for the records of a connection up to number `until`: its handshake, where that was written again, gaps, and
    /// the end of a direction.
    /// Each stands for one that is gone at least, so there are numbers for all.
    fn stand_in(&self, connection: u32, entry: &ConnectionEntry, until: u64, out: &mut Vec<StandIn>) {
        let begun = out.len();
        let mut at = [0; 2];
        let gap = |direction: Direction, from: u64, to: u64, time: u64| StandIn {
            entry: Entry {
                offset: from,
                wire_len: to - from,
                time,
                connection,
                link: 0,
                code: 0,
                lead: [0; 2],
                what: what(Kind::Gap, direction),
                flags: 0,
            },
            was: None,
            findings: Vec::new(),
        };
        let mut request = None;
        for no in entry.handshake.into_iter().flatten().filter(|no| *no <= until) {
            let Some(mut head) = self.entry(no).copied() else { continue };
            let (_, direction) = kind_and_direction(head.what);
            let pieces = entry.streams[direction.index()].pieces(head.offset, head.wire_len);
            if pieces.iter().map(|(_, len)| *len as u64).sum::<u64>() != head.wire_len {
                continue;
            }
            let at = &mut at[direction.index()];
            if head.offset > *at {
                out.push(gap(direction, *at, head.offset, head.time));
            }
            *at = head.offset + head.wire_len;
            match request {
                None => request = Some(out.len()),
                // Relative to the first of these, until their count is known.
                Some(request) => (head.link, head.flags) = ((request - begun) as u32 + 1, head.flags | RELINKED),
            }
            out.push(StandIn { entry: head, was: Some(no), findings: self.own_findings(no) });
        }
        for direction in Direction::BOTH {
            let (from, (to, time)) = (at[direction.index()], entry.gone[direction.index()]);
            if to > from {
                let mut gap = gap(direction, from, to, time.0);
                let stream = &entry.streams[direction.index()];
                let takeover = entry.about.deflate.is_some_and(|agreed| agreed.takeover(direction));
                let kept = stream.checkpoints.front().is_some_and(|(offset, _)| *offset <= to);
                if takeover && !kept {
                    gap.entry.flags |= HAS_FINDINGS;
                    gap.findings.push(Finding::new(Rule::ContextLost, None));
                }
                out.push(gap);
            }
            let end = entry.end_gone[direction.index()];
            out.extend(
                end.and_then(|no| Some(StandIn { entry: *self.entry(no)?, was: end, findings: self.own_findings(no) })),
            );
        }
        let base = entry.ordinal_from(until + 1) - (out.len() - begun) as u32;
        for stand_in in out[begun..].iter_mut().filter(|stand_in| stand_in.entry.flags & RELINKED != 0) {
            stand_in.entry.link += base;
        }
    }

    fn own_findings(&self, no: u64) -> Vec<Finding> {
        self.findings_of(no).iter().map(|(_, finding)| finding.clone()).collect()
    }

    /// Findings, notes, keys and handshakes keep to their records.
    fn renumber(&mut self, until: u64, first: u64, stand_ins: &[StandIn]) {
        let moved: HashMap<u64, u64> =
            (first..).zip(stand_ins).filter_map(|(no, stand_in)| Some((stand_in.was?, no))).collect();
        let now = |no: u64| if no > until { Some(no) } else { moved.get(&no).copied() };
        let of_stand_ins =
            (first..).zip(stand_ins).flat_map(|(no, stand_in)| stand_in.findings.iter().map(move |f| (no, f.clone())));
        let rest = self.findings.partition_point(|(no, _)| *no <= until);
        let mut findings: Vec<(u64, Finding)> = of_stand_ins.chain(self.findings.drain(..).skip(rest)).collect();
        for (_, finding) in &mut findings {
            finding.about = finding.about.and_then(now);
        }
        self.findings = findings;
        self.tallies.iter_mut().for_each(|tally| (tally.findings, tally.first, tally.last) = (0, 0, 0));
        for (no, finding) in &self.findings {
            self.tallies[finding.rule as usize].take(*no);
        }
        let notes = std::mem::take(&mut self.notes);
        self.notes = notes.into_iter().filter_map(|(no, note)| Some((now(no)?, note))).collect();
        self.keys.retain(|_, no| now(*no).map(|now| *no = now).is_some());
        for entry in self.connections.iter_mut() {
            entry.handshake = entry.handshake.and_then(|[request, response]| Some([now(request)?, now(response)?]));
        }
    }

    /// The beginning of a record is gone: the rest is no frame any more, but a gap.
    fn tear(&mut self, connection: u32, direction: Direction, offset: u64) {
        let Some(owner) = self.connections.get(connection) else { return };
        let mut numbers = (owner.settled..owner.records).filter_map(|ordinal| owner.number_of(ordinal));
        let torn = numbers.find(|no| {
            let entry = self.entry(*no);
            entry.is_some_and(|entry| kind_and_direction(entry.what).1 == direction && entry.offset == offset)
        });
        if let Some(entry) = torn.and_then(|no| self.entry_mut(no)) {
            entry.what = what(Kind::Gap, direction);
        }
    }
}
