//! Copies of the packets with which connections began, up to their upgrade. Each file of a ring begins with those of the open
//! connections, so that it can be read without the files before it.

use super::Flows;
use super::flow::Flow;
use super::opening::Opening;
use crate::capture::format::pcapng::MAX_JUMP;
use crate::capture::store::{Capture, to_usize};

/// The most packets until the upgrade. A connection with more of them, such as one for many HTTP requests, is not copied.
const MAX_PACKETS: usize = 64;

/// The most bytes of a copy.
const MAX_COPY: u64 = 64 * 1024;

impl Flows {
    /// The capture is a ring: keeps what its next file has to begin with, and the handshakes of open connections.
    pub fn keep_openings(&mut self) {
        self.keeps_openings = true;
    }

    /// The interfaces of the packets so far are not those of the packets that follow.
    pub fn drop_openings(&mut self) {
        self.flows.iter_mut().for_each(|flow| flow.opening = Opening::None);
    }

    /// Takes note of a packet of a flow, after its segment was taken.
    pub(super) fn add_to_opening(&mut self, i: usize, block: (u64, u64)) {
        let flow = &mut self.flows[i];
        flow.seen = block.1;
        let Opening::Pending(blocks) = &mut flow.opening else { return };
        blocks.push(block);
        let about = flow.connection.as_ref().map(|connection| connection.about());
        let is_upgraded = about.is_some_and(|about| about.websocket && about.target.is_some());
        if is_upgraded {
            flow.opening = copied(&self.capture, blocks).map_or(Opening::None, Opening::Copied);
        } else if blocks.len() == MAX_PACKETS || about.is_none_or(|about| about.websocket) {
            flow.opening = Opening::None;
        }
    }

    /// Appends the copies of the open connections, those with the latest packets first, as long as `free` bytes hold them. Returns how many
    /// copies were left out.
    pub fn copy_openings(&self, mut free: u64, blocks: &mut Vec<u8>) -> u64 {
        let mut copies: Vec<(u64, &[u8])> = self.flows.iter().filter_map(Flow::copied_opening).collect();
        copies.sort_unstable_by_key(|(seen, _)| std::cmp::Reverse(*seen));
        let mut left_out = 0;
        for (_, copy) in copies {
            match free.checked_sub(copy.len() as u64).filter(|_| left_out == 0) {
                Some(rest) => {
                    free = rest;
                    blocks.extend_from_slice(copy);
                }
                None => left_out += 1,
            }
        }
        left_out
    }

    /// Requests a checkpoint of each open connection, as the next file of a ring has begun.
    pub fn want_checkpoints(&mut self) {
        let open = self.flows.iter_mut().filter_map(|flow| flow.connection.as_mut());
        open.for_each(|connection| connection.want_checkpoints());
    }

    /// Keeps the handshakes of the connections that were upgraded in the batch that was committed.
    pub(super) fn keep_handshakes(&mut self) {
        for number in self.upgraded.drain(..) {
            let is_open = |ended: [Option<_>; 2]| ended.iter().any(Option::is_none);
            if self.capture.connection(number).is_some_and(|connection| is_open(connection.ended)) {
                self.capture.keep_handshake(number);
            }
        }
    }
}

impl Flow {
    /// The file position of its latest packet, and the copy of its first packets, if a file can begin with it.
    fn copied_opening(&self) -> Option<(u64, &[u8])> {
        // A reader mistakes a longer jump in the sequence numbers for old data.
        let is_near = self.sides.iter().all(|side| side.taken <= MAX_JUMP);
        match &self.opening {
            Opening::Copied(copy) if self.open > 0 && is_near => Some((self.seen, copy)),
            _ => None,
        }
    }
}

/// Copies the packets at these file positions; `None` if they are too long, or evicted.
fn copied(capture: &Capture, blocks: &[(u64, u64)]) -> Option<Box<[u8]>> {
    let len: u64 = blocks.iter().map(|(begin, end)| end - begin).sum();
    let mut copy = Vec::with_capacity(to_usize(Some(len).filter(|len| *len <= MAX_COPY)?));
    for (begin, end) in blocks {
        copy.extend(capture.read_file(*begin, to_usize(end - begin)).ok()?);
    }
    Some(copy.into())
}
