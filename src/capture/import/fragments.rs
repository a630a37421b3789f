//! IP fragments (RFC 791 §3.2, RFC 8200 §4.5): those of a packet wait, as file positions, until all of them are there; a receiver
//! has nothing before that either. Then each brings its part of the TCP segment.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::net::IpAddr;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use super::link::{self, FragmentHead, Holds, TcpHead};
use crate::proto::time::Time;

/// How many packets may wait for fragments; of more, the oldest is given up.
const MAX_WAITING: usize = 1024;

/// How long they wait, in nanoseconds: RFC 8200 §4.5 gives them a minute. Later the same number means another packet.
const PATIENCE: i64 = 60_000_000_000;

/// The longest packet without its header, in bytes.
const MAX_LEN: usize = 65_535;

/// The fragments that wait.
pub struct Fragments {
    file: Arc<File>,
    waiting: HashMap<([IpAddr; 2], u32), Waiting>,
    /// Packets of which fragments came so far.
    begun: u64,
    /// Fragments that were given up.
    pub given_up: u64,
}

/// A packet of which fragments are there.
struct Waiting {
    /// When the first was seen, and as which of all.
    since: Time,
    order: u64,
    /// By their offsets: those that came first, where they overlap.
    pieces: BTreeMap<usize, Piece>,
    /// How many came.
    count: u64,
    /// Its length, once its last fragment is there.
    len: Option<usize>,
    note: Option<String>,
}

#[derive(Clone, Copy)]
struct Piece {
    wire_len: usize,
    captured: usize,
    /// File position of its first byte.
    position: u64,
}

/// A TCP segment that was put together.
pub struct Whole {
    bytes: Vec<u8>,
    tcp: TcpHead,
    /// (offset in `bytes`, piece).
    pieces: Vec<(usize, Piece)>,
    pub note: Option<String>,
}

impl Fragments {
    pub fn new(file: Arc<File>) -> Self {
        Self { file, waiting: HashMap::new(), begun: 0, given_up: 0 }
    }

    /// Takes the next fragment of the file, which stands at `position`; the segment, when it was the last that was missing.
    pub fn take(&mut self, head: FragmentHead, position: u64, time: Time, note: Option<String>) -> Option<Whole> {
        let end = head.offset + head.wire_len;
        // All but the last are multiples of 8 bytes long.
        if end > MAX_LEN || head.wire_len == 0 || head.more && !head.wire_len.is_multiple_of(8) {
            self.given_up += 1;
            return None;
        }
        if self.waiting.get(&head.of).is_some_and(|waiting| time.nanos_since(waiting.since) > PATIENCE) {
            self.give_up(head.of);
        }
        if !self.waiting.contains_key(&head.of) {
            if self.waiting.len() == MAX_WAITING
                && let Some(oldest) = self.waiting.iter().min_by_key(|(_, waiting)| waiting.order).map(|(of, _)| *of)
            {
                self.give_up(oldest);
            }
            self.begun += 1;
        }
        let order = self.begun;
        let waiting = self.waiting.entry(head.of).or_insert_with(|| Waiting {
            since: time,
            order,
            pieces: BTreeMap::new(),
            count: 0,
            len: None,
            note: None,
        });
        waiting.count += 1;
        waiting.note = waiting.note.take().or(note);
        let captured = head.bytes.1 - head.bytes.0;
        waiting.keep(head.offset, Piece { wire_len: head.wire_len, captured, position });
        if !head.more {
            waiting.len.get_or_insert(end);
        }
        let len = waiting.len.filter(|len| waiting.reaches(*len))?;
        let waiting = self.waiting.remove(&head.of)?;
        let count = waiting.count;
        let whole = waiting.whole(&self.file, head.of.0, len);
        if whole.is_none() {
            self.given_up += count;
        }
        whole
    }

    /// No more come.
    pub fn finish(&mut self) {
        self.given_up += self.waiting.drain().map(|(_, waiting)| waiting.count).sum::<u64>();
    }

    fn give_up(&mut self, of: ([IpAddr; 2], u32)) {
        self.given_up += self.waiting.remove(&of).map_or(0, |waiting| waiting.count);
    }
}

impl Waiting {
    /// Keeps what of a piece is not there yet.
    fn keep(&mut self, offset: usize, piece: Piece) {
        let end = offset + piece.wire_len;
        let mut at = offset;
        let before = self.pieces.range(..=offset).next_back().map(|(start, had)| (*start, *had));
        let behind: Vec<(usize, Piece)> =
            self.pieces.range(offset + 1..end).map(|(start, had)| (*start, *had)).collect();
        let close = (end, Piece { wire_len: 0, captured: 0, position: 0 });
        for (start, had) in before.into_iter().chain(behind).chain([close]) {
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

    /// Whether everything up to there has come.
    fn reaches(&self, len: usize) -> bool {
        let mut at = 0;
        for (start, piece) in &self.pieces {
            if *start > at {
                return false;
            }
            at = at.max(start + piece.wire_len);
        }
        at >= len
    }

    /// Puts the segment together: its head must have been captured.
    fn whole(self, file: &File, ends: [IpAddr; 2], len: usize) -> Option<Whole> {
        let mut bytes = vec![0; len];
        let mut captured = 0;
        let mut pieces = Vec::with_capacity(self.pieces.len());
        for (offset, piece) in self.pieces {
            let Some(room) = bytes.get_mut(offset..).map(|room| room.len().min(piece.captured)) else { break };
            file.read_exact_at(&mut bytes[offset..offset + room], piece.position).ok()?;
            if captured == offset {
                captured += room;
            }
            let wire_len = piece.wire_len.min(len - offset);
            pieces.push((offset, Piece { captured: room, wire_len, ..piece }));
        }
        match link::tcp(&bytes, ends, 0, len) {
            Holds::Tcp(tcp) if tcp.payload.0 <= captured => Some(Whole { bytes, tcp, pieces, note: self.note }),
            _ => None,
        }
    }
}

impl Whole {
    /// The parts of the segment, each as if it were one: with the file position of its payload. The first has the SYN, the last the
    /// FIN and the RST.
    pub fn segments(&self) -> impl Iterator<Item = (TcpHead, &[u8], u64)> {
        let header = self.tcp.payload.0;
        let last = self.pieces.len() - 1;
        let with_payload = |(offset, piece): &(usize, Piece)| offset + piece.wire_len > header;
        let first = self.pieces.iter().position(with_payload).unwrap_or(last);
        self.pieces.iter().enumerate().skip(first).map(move |(i, (offset, piece))| {
            let skip = header.saturating_sub(*offset).min(piece.wire_len);
            let begin = offset + skip;
            let end = (offset + piece.captured).max(begin);
            let mut tcp = self.tcp;
            tcp.seq = tcp.seq.wrapping_add((begin - header) as u32 + u32::from(tcp.flags.syn && i > first));
            tcp.wire_len = (piece.wire_len - skip) as u32;
            tcp.flags.syn &= i == first;
            tcp.flags.fin &= i == last;
            tcp.flags.rst &= i == last;
            tcp.payload = (begin, end);
            (tcp, &self.bytes[begin..end], piece.position + skip as u64)
        })
    }
}
