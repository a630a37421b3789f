//! Reassembles IP fragments (RFC 791 §3.2, RFC 8200 §4.5). The fragments of a packet are kept, as file positions, until the packet
//! is complete: a receiver gets nothing before that either. Then each fragment gives its part of the TCP segment, or of a fragment
//! inside a tunnel.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::link::{self, FragmentHead, FragmentKey, PacketContent, TcpHead};
use crate::capture::store::files::Files;
use crate::proto::time::Time;

/// The most incomplete packets that are kept. Of more, the oldest is dropped.
const MAX_WAITING: usize = 1024;

/// How long an incomplete packet is kept, in nanoseconds: one minute (RFC 8200 §4.5). Later, the same identification means another packet.
const TIMEOUT: i64 = 60_000_000_000;

/// For how long a fragment of a packet that is complete is one that was captured twice, in nanoseconds. Later, or before that, the same
/// identification means another packet.
const REPEATED: i64 = 250_000_000;

/// How many complete packets are remembered.
const MAX_COMPLETE: usize = 4096;

/// The longest payload of an IP packet, in bytes.
const MAX_LEN: usize = 65_535;

/// In how many packets that were reassembled a fragment may be, at most.
const MAX_NESTING: u32 = 4;

/// The fragments of incomplete packets.
pub struct Fragments {
    files: Files,
    incomplete: HashMap<FragmentKey, Incomplete>,
    /// When the latest packets became complete.
    complete: HashMap<FragmentKey, Time>,
    /// Packets that had a fragment so far.
    begun: u64,
    /// Fragments that were dropped, except those of packets that contain no TCP.
    pub dropped: u64,
}

/// A packet of which fragments are missing.
struct Incomplete {
    /// When its first fragment was captured.
    since: Time,
    /// Its number among all packets with fragments.
    order: u64,
    /// Its bytes, by their offsets. Where fragments overlap, the first one counts.
    pieces: BTreeMap<usize, Piece>,
    /// How many fragments it has.
    count: u64,
    /// Whether it contains no TCP, as its first fragment shows.
    is_other: bool,
    /// Its length, once its last fragment was captured.
    len: Option<usize>,
    note: Option<String>,
}

/// Consecutive bytes of a packet that are consecutive in the file too.
#[derive(Clone, Copy)]
struct Piece {
    wire_len: usize,
    captured: usize,
    /// File position of its first byte.
    position: u64,
}

/// An IP packet's payload that was reassembled.
pub struct Reassembled {
    pub content: PacketContent,
    bytes: Vec<u8>,
    /// The parts of the fragments, with their offsets in `bytes`.
    pieces: Vec<(usize, Piece)>,
    /// How many fragments it had.
    pub count: u64,
    pub note: Option<String>,
}

impl Fragments {
    pub fn new(files: Files) -> Self {
        Self { files, incomplete: HashMap::new(), complete: HashMap::new(), begun: 0, dropped: 0 }
    }

    /// Adds the next fragment of the file, whose bytes are at `position`. Returns the payload of its packet if it is complete now.
    pub fn take(
        &mut self,
        head: &FragmentHead,
        position: u64,
        time: Time,
        note: Option<String>,
    ) -> Option<Reassembled> {
        let captured = head.bytes.1 - head.bytes.0;
        let piece = Piece { wire_len: head.wire_len, captured, position };
        let mut packet = self.add(head, &[(0, piece)], 1, time, note)?;
        for _ in 0..MAX_NESTING {
            let PacketContent::Fragment(inner) = packet.content else { return Some(packet) };
            let pieces = packet.pieces(inner.bytes.0..inner.bytes.0 + inner.wire_len);
            packet = self.add(&inner, &pieces, packet.count, time, packet.note)?;
        }
        self.dropped += packet.count;
        None
    }

    /// Adds a fragment of these pieces, each with its offset in the fragment. `count` fragments of the file contain it.
    fn add(
        &mut self,
        head: &FragmentHead,
        pieces: &[(usize, Piece)],
        count: u64,
        time: Time,
        note: Option<String>,
    ) -> Option<Reassembled> {
        let end = head.offset + head.wire_len;
        // All fragments but the last have a multiple of 8 bytes.
        if end > MAX_LEN || head.wire_len == 0 || head.more && !head.wire_len.is_multiple_of(8) {
            self.dropped += count;
            return None;
        }
        if self.complete.get(&head.of).is_some_and(|at| (0..REPEATED).contains(&time.nanos_since(*at))) {
            return None;
        }
        if self.incomplete.get(&head.of).is_some_and(|packet| time.nanos_since(packet.since) > TIMEOUT) {
            self.drop_packet(&head.of);
        }
        if !self.incomplete.contains_key(&head.of) {
            if self.incomplete.len() == MAX_WAITING
                && let Some(oldest) = self.incomplete.iter().min_by_key(|(_, packet)| packet.order).map(|(of, _)| *of)
            {
                self.drop_packet(&oldest);
            }
            self.begun += 1;
        }
        let order = self.begun;
        let packet = self.incomplete.entry(head.of).or_insert_with(|| Incomplete {
            since: time,
            order,
            pieces: BTreeMap::new(),
            count: 0,
            is_other: false,
            len: None,
            note: None,
        });
        packet.count += count;
        packet.is_other |= !head.may_contain_tcp;
        packet.note = packet.note.take().or(note);
        for (offset, piece) in pieces {
            packet.keep(head.offset + offset, *piece);
        }
        if !head.more {
            packet.len.get_or_insert(end);
        }
        let len = packet.len.filter(|len| packet.covers(*len))?;
        let packet = self.incomplete.remove(&head.of)?;
        if self.complete.len() == MAX_COMPLETE {
            self.complete.clear();
        }
        self.complete.insert(head.of, time);
        let count = packet.count;
        let reassembled = packet.reassemble(&self.files, &head.of, len);
        if reassembled.is_none() {
            self.dropped += count;
        }
        reassembled
    }

    /// Drops all incomplete packets: the file has no more fragments.
    pub fn finish(&mut self) {
        self.dropped += self.incomplete.drain().map(|(_, packet)| packet.dropped()).sum::<u64>();
    }

    fn drop_packet(&mut self, of: &FragmentKey) {
        self.dropped += self.incomplete.remove(of).map_or(0, |packet| packet.dropped());
    }
}

impl Incomplete {
    /// Keeps the parts of a piece that no earlier piece covers.
    fn keep(&mut self, offset: usize, piece: Piece) {
        let end = offset + piece.wire_len;
        let mut at = offset;
        let before = self.pieces.range(..=offset).next_back().map(|(start, had)| (*start, *had));
        let after: Vec<(usize, Piece)> =
            self.pieces.range(offset + 1..end).map(|(start, had)| (*start, *had)).collect();
        let close = (end, Piece { wire_len: 0, captured: 0, position: 0 });
        for (start, had) in before.into_iter().chain(after).chain([close]) {
            if start > at {
                let skip = at - offset;
                let len = start.min(end) - at;
                let captured = piece.captured.saturating_sub(skip).min(len);
                let part = Piece { wire_len: len, captured, position: piece.position + skip as u64 };
                self.pieces.insert(at, part);
            }
            at = at.max(start + had.wire_len);
        }
    }

    /// How many fragments that may contain TCP are dropped with it.
    const fn dropped(&self) -> u64 {
        if self.is_other { 0 } else { self.count }
    }

    /// Returns true if the pieces cover the first `len` bytes.
    fn covers(&self, len: usize) -> bool {
        let mut at = 0;
        for (start, piece) in &self.pieces {
            if *start > at {
                return false;
            }
            at = at.max(start + piece.wire_len);
        }
        at >= len
    }

    /// Reads the pieces; `None` if the TCP header was not captured.
    fn reassemble(self, files: &Files, of: &FragmentKey, len: usize) -> Option<Reassembled> {
        let mut bytes = vec![0; len];
        let mut captured = 0;
        let mut pieces = Vec::with_capacity(self.pieces.len());
        for (offset, piece) in self.pieces {
            let Some(present) = bytes.get(offset..).map(|space| space.len().min(piece.captured)) else { break };
            files.read_exact_at(&mut bytes[offset..offset + present], piece.position).ok()?;
            if captured == offset {
                captured += present;
            }
            let wire_len = piece.wire_len.min(len - offset);
            pieces.push((offset, Piece { captured: present, wire_len, ..piece }));
        }
        let content = link::read_payload(&bytes, of, len);
        match &content {
            PacketContent::Tcp(tcp) if tcp.payload.0 > captured => return None,
            PacketContent::Fragment(inner) if inner.bytes.0 > captured => return None,
            _ => {}
        }
        Some(Reassembled { content, bytes, pieces, count: self.count, note: self.note })
    }
}

impl Reassembled {
    /// The parts of a TCP segment that it contains, each as a segment with its payload and the payload's file position. The first has
    /// the SYN, the last the FIN and the RST.
    pub fn segments(&self, segment: TcpHead) -> impl Iterator<Item = (TcpHead, &[u8], u64)> {
        let header = segment.payload.0;
        let mut pieces = self.pieces(header..header + segment.wire_len as usize);
        if pieces.is_empty() {
            pieces.push((0, Piece { wire_len: 0, captured: 0, position: 0 }));
        }
        let last = pieces.len() - 1;
        pieces.into_iter().enumerate().map(move |(i, (offset, piece))| {
            let begin = header + offset;
            let end = begin + piece.captured;
            let mut tcp = segment;
            tcp.seq = tcp.seq + (offset as u64 + u64::from(tcp.flags.syn && i > 0));
            tcp.wire_len = u32::try_from(piece.wire_len).unwrap_or(u32::MAX);
            tcp.flags.syn &= i == 0;
            tcp.flags.fin &= i == last;
            tcp.flags.rst &= i == last;
            tcp.payload = (begin, end);
            (tcp, &self.bytes[begin..end], piece.position)
        })
    }

    /// The pieces of a part, with their offsets in this part.
    fn pieces(&self, part: Range<usize>) -> Vec<(usize, Piece)> {
        let in_part = |(offset, piece): &(usize, Piece)| {
            let (begin, end) = (part.start.max(*offset), part.end.min(offset + piece.wire_len));
            let skip = begin - offset;
            let piece = Piece {
                wire_len: end.checked_sub(begin).filter(|len| *len > 0)?,
                captured: piece.captured.saturating_sub(skip).min(end - begin),
                position: piece.position + skip as u64,
            };
            Some((begin - part.start, piece))
        };
        self.pieces.iter().filter_map(in_part).collect()
    }
}
