//! The index: an entry of fixed size per record, and apart from those what few records have.

mod batch;
mod connection;
mod connections;
mod entry;
mod evict;
mod extents;
mod location;
mod proxied;
mod records;
mod round_trips;
mod stream;
mod tally;
mod windows;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use self::batch::Piece;
pub use self::batch::{Applied, IndexBatch, NEW};
pub use self::connection::{ConnectionEntry, Handshake, HandshakeHead};
use self::connections::Connections;
use self::entry::{COMPRESSED, Entry, HAS_FINDINGS, OUTSTANDING, UNDIRECTED, loss_flags, what};
pub use self::evict::Eviction;
pub use self::location::Location;
pub use self::round_trips::RoundTrips;
pub use self::stream::Extent;
pub use self::tally::Tally;
pub use self::windows::Window;
use self::windows::Windows;
use crate::capture::format::proxied::Proxied;
use crate::proto::dissected::{Direction, DissectedRecord, EndReason, HandshakeKey, Kind, RecordLink};
use crate::proto::rules::{Finding, Rule};
use crate::proto::time::Time;
use crate::wire::opcode::Opcode;
use crate::wire::tls::Protection;

/// Entries per chunk. A chunk is allocated once and never moved. The allocator rounds it up to whole pages, which must be small
/// against its size.
const CHUNK: usize = 65_536;

/// Counts over the whole capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// The number of the latest record.
    pub records: u64,
    /// The number of the first that is not evicted.
    pub first: u64,
    /// Connections, ended ones too.
    pub connections: u64,
    /// Connections that have not ended in both directions.
    pub open: u64,
    /// Connections whose bytes TLS had encrypted.
    pub decrypted: u64,
    /// Bytes from client to server and from server to client.
    pub bytes: [u64; 2],
    /// Findings by severity: info, warning, error.
    pub findings: [u64; 3],
}

impl Totals {
    /// How many records are evicted: those that a ring deleted with its oldest files.
    pub const fn evicted(&self) -> u64 {
        self.first - 1
    }

    /// How many records are kept: all that are not evicted.
    pub const fn kept(&self) -> u64 {
        self.records - self.evicted()
    }
}

impl Default for Totals {
    fn default() -> Self {
        Self { records: 0, first: 1, connections: 0, open: 0, decrypted: 0, bytes: [0; 2], findings: [0; 3] }
    }
}

#[derive(Debug)]
pub struct Index {
    chunks: VecDeque<Vec<Entry>>,
    /// How many entries were in chunks that were dropped.
    base: u64,
    /// (record number, finding), in order of the numbers.
    findings: Vec<(u64, Finding)>,
    /// A tally for each rule, in the order of the catalogue.
    pub tallies: [Tally; Rule::ALL.len()],
    /// The notes by record number: one line each.
    pub notes: BTreeMap<u64, String>,
    /// The numbers of the records whose notes were set while the capture is open; the file has the others.
    pub set_notes: BTreeSet<u64>,
    /// What `proxy` did with records, by their numbers.
    pub proxied: BTreeMap<u64, Proxied>,
    pub connections: Connections,
    pub totals: Totals,
    /// When the first connection began, and when the latest record was complete; `None` while there is no connection.
    pub span: Option<(Time, Time)>,
    /// When the first record of all was complete.
    pub origin: Option<Time>,
    windows: Windows,
    /// The number of the first request with each key, and its connection.
    keys: HashMap<[u8; 16], (u64, u32)>,
    /// The connections of the evicted records that are kept as handshakes, by their numbers.
    evicted_heads: HashMap<u64, u32>,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            chunks: VecDeque::new(),
            base: 0,
            findings: Vec::new(),
            tallies: std::array::from_fn(|i| Tally { rule: Rule::ALL[i], findings: 0, first: 0, last: 0 }),
            notes: BTreeMap::new(),
            set_notes: BTreeSet::new(),
            proxied: BTreeMap::new(),
            connections: Connections::default(),
            totals: Totals::default(),
            span: None,
            origin: None,
            windows: Windows::default(),
            keys: HashMap::new(),
            evicted_heads: HashMap::new(),
        }
    }
}

impl Index {
    /// Begins a connection; returns its number, from 1.
    pub fn open(&mut self, entry: ConnectionEntry) -> u32 {
        let (first, last) = self.span.unwrap_or((entry.first, entry.last));
        self.span = Some((first.min(entry.first), last.max(entry.last)));
        self.totals.connections += 1;
        self.totals.open += 1;
        self.totals.decrypted += u64::from(entry.tls.is_some());
        self.connections.push(entry)
    }

    /// The bytes of a connection are those that TLS had encrypted.
    pub fn set_decrypted(&mut self, number: u32, tls: Protection) {
        if let Some(entry) = self.connections.get_mut(number) {
            self.totals.decrypted += u64::from(entry.tls.replace(tls).is_none());
        }
    }

    pub fn connection(&self, number: u32) -> Option<&ConnectionEntry> {
        self.connections.get(number)
    }

    pub fn connection_mut(&mut self, number: u32) -> Option<&mut ConnectionEntry> {
        self.connections.get_mut(number)
    }

    /// Adds the pieces that come next in a direction. The positions of extents are relative to `position`.
    fn extend(&mut self, connection: u32, direction: Direction, pieces: impl Iterator<Item = Piece>, position: u64) {
        let Some(entry) = self.connections.get_mut(connection) else { return };
        let stream = &mut entry.streams[direction.index()];
        for piece in pieces {
            match piece {
                Piece::Extent(extent) => {
                    self.totals.bytes[direction.index()] += u64::from(extent.len);
                    stream.push(Extent { position: position + extent.position, ..extent });
                }
                Piece::Missing(len) => stream.skip(len),
            }
        }
    }

    /// Adds a record; returns its number.
    fn push(&mut self, connection: u32, dissected: DissectedRecord) -> u64 {
        self.totals.records += 1;
        let no = self.totals.records;
        self.origin.get_or_insert(dissected.time);
        let reused = dissected.key.as_deref().and_then(|key| self.reused(no, connection, key));
        let mut flags = 0;
        if dissected.compressed {
            flags |= COMPRESSED;
        }
        if !dissected.findings.is_empty() || reused.is_some() {
            flags |= HAS_FINDINGS;
        }
        if dissected.undirected {
            flags |= UNDIRECTED;
        }
        if dissected.outstanding {
            flags |= OUTSTANDING;
        }
        flags |= loss_flags(dissected.loss);
        let entry = Entry {
            offset: dissected.offset,
            wire_len: dissected.wire_len,
            time: dissected.time.0,
            connection,
            link: match dissected.link {
                RecordLink::None => 0,
                RecordLink::Message(ordinal) => ordinal,
                RecordLink::Answers(ordinal) => ordinal + 1,
            },
            code: dissected.code,
            lead: dissected.lead,
            what: what(self.kind_of(connection, &dissected), dissected.direction),
            flags,
        };
        if self.chunks.back().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push_back(Vec::with_capacity(CHUNK));
        }
        if let Some(chunk) = self.chunks.back_mut() {
            chunk.push(entry);
        }
        for finding in dissected.findings.iter().chain(&reused) {
            self.totals.findings[finding.rule.severity() as usize] += 1;
            self.tallies[finding.rule as usize].take(no);
        }
        let found = dissected.findings.iter().chain(&reused).map(|finding| finding.rule.severity());
        let trip = self.round_trip(connection, &dissected);
        self.span = self.span.map(|(first, last)| (first, last.max(dissected.time)));
        if let Some(owner) = self.connection_mut(connection) {
            owner.number(no);
            owner.last = owner.last.max(dissected.time);
            found.for_each(|severity| owner.findings[severity as usize] += 1);
            if dissected.kind == Kind::Frame && Opcode::from_wire(dissected.lead[0]) == Opcode::Close {
                owner.closes[dissected.direction.index()].get_or_insert((no, dissected.code));
                owner.closed_first.get_or_insert(dissected.direction);
            }
            if dissected.kind == Kind::Response
                && dissected.code == 101
                && let RecordLink::Answers(ordinal) = dissected.link
                && owner.handshake.is_none()
            {
                owner.handshake = owner.number_of(ordinal).map(|request| [request, no]);
            }
            if let Some(trip) = trip {
                owner.trips.get_or_insert_default().take(trip);
            }
        }
        if let Kind::End(how) = dissected.kind {
            self.end(connection, dissected.direction, how);
        }
        for mut finding in dissected.findings {
            let ordinal = finding.about.and_then(|ordinal| u32::try_from(ordinal).ok());
            finding.about = ordinal.and_then(|ordinal| self.connection(connection)?.number_of(ordinal));
            self.findings.push((no, finding));
        }
        self.findings.extend(reused.map(|finding| (no, finding)));
        no
    }

    /// Ends a direction of a connection.
    fn end(&mut self, connection: u32, direction: Direction, how: EndReason) {
        let first_kept = self.totals.first;
        let Some(owner) = self.connections.get_mut(connection) else { return };
        owner.ended[direction.index()] = Some(how);
        owner.ended_first.get_or_insert(direction);
        if owner.ended.iter().any(Option::is_none) {
            return;
        }
        if owner.handshake.is_some_and(|[request, _]| request >= first_kept) {
            // It can be read from the file; eviction copies it again if the connection is kept.
            owner.kept_handshake = None;
        }
        self.totals.open -= 1;
    }

    /// RFC 6455 §4.1: each connection has a new, random key. The order of records decides, so that a live capture and its file have
    /// the same finding.
    fn reused(&mut self, no: u64, connection: u32, key: &HandshakeKey) -> Option<Finding> {
        let (first, owner) = *self.keys.entry(key.nonce).or_insert((no, connection));
        (owner != connection).then(|| Finding::new(Rule::KeyReused, Some(key.span)).about(Some(first)))
    }

    /// The time from a ping to the pong that answers it, in nanoseconds.
    fn round_trip(&self, connection: u32, dissected: &DissectedRecord) -> Option<u64> {
        let RecordLink::Answers(ordinal) = dissected.link else { return None };
        if dissected.kind != Kind::Frame || Opcode::from_wire(dissected.lead[0]) != Opcode::Pong {
            return None;
        }
        let ping = self.entry(self.connection(connection)?.number_of(ordinal)?)?;
        dissected.time.0.checked_sub(ping.time)
    }

    /// The kind of a record: a gap when bytes of it are evicted, as the rest of it cannot be read.
    fn kind_of(&self, connection: u32, dissected: &DissectedRecord) -> Kind {
        let torn = self.connection(connection).is_some_and(|owner| {
            owner.streams[dissected.direction.index()].is_torn(dissected.offset, dissected.wire_len)
        });
        if torn { Kind::Gap } else { dissected.kind }
    }

    /// The file of the windows of checkpoints.
    pub fn windows(&self) -> Windows {
        self.windows.clone()
    }

    /// How many bytes the windows of checkpoints take on disk.
    pub fn windows_len(&self) -> u64 {
        self.windows.len()
    }

    /// How many bytes they may take.
    pub fn limit_windows(&self, most: u64) {
        self.windows.limit(most);
    }

    /// The nearest checkpoint of a direction at stream offset `offset` or before: its offset, and its window on disk.
    pub fn checkpoint_before(&self, connection: u32, direction: Direction, offset: u64) -> Option<(u64, Window)> {
        let all = &self.connection(connection)?.streams[direction.index()].checkpoints;
        let i = all.partition_point(|(at, _)| *at <= offset).checked_sub(1)?;
        all.get(i).cloned()
    }

    /// The numbers of the records with findings, from record `from` on.
    pub fn found(&self, from: u64) -> impl Iterator<Item = u64> {
        let start = self.findings.partition_point(|(no, _)| *no < from);
        let mut before = 0;
        self.findings[start..].iter().map(|(no, _)| *no).filter(move |no| std::mem::replace(&mut before, *no) != *no)
    }

    /// All findings with their records' numbers.
    pub fn findings(&self) -> &[(u64, Finding)] {
        &self.findings
    }

    /// The findings of one record.
    pub fn findings_of(&self, no: u64) -> &[(u64, Finding)] {
        let rest = &self.findings[self.findings.partition_point(|(of, _)| *of < no)..];
        &rest[..rest.iter().take_while(|(of, _)| *of == no).count()]
    }
}
