//! The open connections of a recording, whose handshakes the next file of a ring begins with.

use std::collections::BTreeMap;

use super::snapshot::{ConnectionSnapshot, FilePreamble};
use super::{Continuation, Ring};
use crate::capture::format::pcapng::{self, MAX_JUMP};
use crate::capture::store::Capture;
use crate::proto::time::Time;

/// The part of a file's share that incomplete records may take in its preamble: a half.
const INCOMPLETE_PART: u64 = 2;

/// The state of the open connections, by their serial numbers.
#[derive(Debug, Default)]
pub(in crate::capture) struct OpenConnections(BTreeMap<u32, ConnectionSnapshot>);

impl OpenConnections {
    /// Notes the state of a connection that has just committed, or that it has ended.
    pub fn note(&mut self, serial: u32, snapshot: ConnectionSnapshot) {
        if snapshot.is_over() {
            self.0.remove(&serial);
        } else {
            self.0.insert(serial, snapshot);
        }
    }

    /// The time since which a connection must have had a record for its handshake to fit into `free` bytes; `None` when all fit.
    fn since(&self, mut free: u64) -> Option<Time> {
        let mut latest: Vec<(Time, u64)> = self.0.values().map(|one| (one.latest(), one.handshake_len())).collect();
        if latest.iter().map(|(_, len)| len).sum::<u64>() <= free {
            return None;
        }
        latest.sort_unstable_by_key(|(time, _)| std::cmp::Reverse(*time));
        let mut fits = |len: u64| free.checked_sub(len).map(|rest| free = rest).is_some();
        let first = latest.iter().find(|(_, len)| !fits(*len));
        first.map(|(time, _)| Time(time.0 + 1))
    }
}

impl Continuation for OpenConnections {
    /// The head of a pcapng file, and synthesized packets about each connection.
    fn preamble(&self, capture: &Capture, ring: &Ring) -> FilePreamble {
        // A reader of several files mistakes a longer jump in the sequence numbers for old data.
        let free = (ring.share() / INCOMPLETE_PART).min(MAX_JUMP);
        let mut preamble = FilePreamble { free, ..FilePreamble::default() };
        pcapng::file_head(&mut preamble.blocks, None);
        let since = self.since(ring.share());
        for (serial, snapshot) in &self.0 {
            if since.is_none_or(|since| snapshot.latest() >= since) {
                snapshot.write(*serial, capture, &mut preamble);
            } else {
                preamble.left_out += 1;
            }
        }
        preamble
    }
}
