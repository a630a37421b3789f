//! Changes to the index that are collected without a lock and applied under one.

use std::io;
use std::iter::Take;
use std::vec::Drain;

use super::Index;
use super::connection::ConnectionEntry;
use super::stream::Extent;
use super::windows::{Window, Windows};
use crate::capture::format::file_markers::ProxiedLate;
use crate::capture::format::proxied::Proxied;
use crate::proto::connection::HandshakeSummary;
use crate::proto::dissected::{Direction, DissectedRecord, EndReason};
use crate::proto::time::Time;
use crate::wire::tls::Protection;

/// The number by which a batch refers to the connection that it opens itself.
pub const NEW: u32 = 0;

/// A note that waits.
#[derive(Debug)]
struct BatchedNote {
    /// How many records of the batch come before it.
    records: usize,
    /// How many records come between its record and the latest.
    back: u64,
    /// The time that the record must have.
    time: Option<Time>,
    note: String,
}

/// What was done with a record before it.
#[derive(Debug)]
struct BatchedProxied {
    /// How many records of the batch come before.
    records: usize,
    proxied: ProxiedLate,
    /// The time that a record in its place must have.
    time: Time,
}

/// Extents, records and notes that wait for [`Index::apply`], which empties the batch and keeps its memory.
#[derive(Debug, Default)]
pub struct IndexBatch {
    /// The file of the checkpoints' windows: the batch writes them, so that nobody holds the index meanwhile.
    windows: Windows,
    opened: Option<ConnectionEntry>,
    pieces: Runs<(u32, Direction), Piece>,
    records: Runs<u32, DissectedRecord>,
    /// Stream offsets of checkpoints with their windows; `None` where there was no space for the window.
    checkpoints: Vec<(u32, Direction, u64, Option<Window>)>,
    handshakes: Vec<(u32, HandshakeSummary)>,
    decrypted: Vec<(u32, Protection)>,
    /// Directions that end without a record.
    ends: Vec<(u32, Direction, EndReason)>,
    /// With how many records of the batch come before each.
    notes: Vec<BatchedNote>,
    proxied: Vec<BatchedProxied>,
    /// How many bytes the extents have together.
    bytes: u64,
}

#[derive(Debug)]
pub(super) enum Piece {
    Extent(Extent),
    /// So many bytes were not captured.
    Missing(u64),
}

/// Values in their order, with one key for each run of values that share it.
#[derive(Debug)]
struct Runs<K, V> {
    values: Vec<V>,
    /// Each run's key and length.
    runs: Vec<(K, usize)>,
}

/// The numbers that [`Index::apply`] assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The connection that the batch opened; [`NEW`] if it opened none.
    pub opened: u32,
    /// The first record of the batch; the others follow one by one.
    pub first_record: u64,
}

impl IndexBatch {
    /// An empty batch that writes windows into `windows`.
    pub fn new(windows: Windows) -> Self {
        Self { windows, ..Self::default() }
    }

    /// Opens a connection, which the batch then calls [`NEW`].
    pub fn open(&mut self, entry: ConnectionEntry) {
        self.opened = Some(entry);
    }

    /// Adds the extent that comes next in a direction.
    pub fn extend(&mut self, connection: u32, direction: Direction, extent: Extent) {
        self.bytes += u64::from(extent.len);
        self.pieces.push((connection, direction), Piece::Extent(extent));
    }

    /// Adds that the next `len` bytes of a direction were not captured.
    pub fn skip(&mut self, connection: u32, direction: Direction, len: u64) {
        self.pieces.push((connection, direction), Piece::Missing(len));
    }

    /// Adds a record; returns how many come before it in the batch. The window of its checkpoint is written to disk.
    pub fn push(&mut self, connection: u32, mut record: DissectedRecord) -> usize {
        self.take_checkpoint(connection, &mut record);
        self.records.push(connection, record)
    }

    /// Moves records of one connection to the end of the batch, as [`Self::push`] does.
    pub fn append(&mut self, connection: u32, records: &mut Vec<DissectedRecord>) {
        for record in records.iter_mut() {
            self.take_checkpoint(connection, record);
        }
        self.records.append(connection, records);
    }

    fn take_checkpoint(&mut self, connection: u32, record: &mut DissectedRecord) {
        let Some(checkpoint) = record.checkpoint.take() else { return };
        let window = match self.windows.keep(&checkpoint.window) {
            // Without the checkpoint, reading takes longer and yields the same.
            Err(e) if e.kind() != io::ErrorKind::StorageFull => return,
            kept => kept.ok(),
        };
        self.checkpoints.push((connection, record.direction, checkpoint.offset, window));
    }

    /// Sets what the handshake of a connection says.
    pub fn set_handshake(&mut self, connection: u32, about: HandshakeSummary) {
        self.handshakes.push((connection, about));
    }

    /// The bytes of a connection are those that TLS had encrypted, from some record on.
    pub fn set_decrypted(&mut self, connection: u32, tls: Protection) {
        self.decrypted.push((connection, tls));
    }

    /// Ends a direction without a record.
    pub fn end(&mut self, connection: u32, direction: Direction, how: EndReason) {
        self.ends.push((connection, direction, how));
    }

    /// Puts a note on the latest record.
    pub fn note(&mut self, note: String) {
        self.notes.push(BatchedNote { records: self.records.len(), back: 0, time: None, note });
    }

    /// Puts a note on the record that is `back` records before the latest, if it has that time.
    pub fn late_note(&mut self, back: u64, time: Time, note: String) {
        self.notes.push(BatchedNote { records: self.records.len(), back, time: Some(time), note });
    }

    /// Adds what was done with a record, if it has the time that the file says; `time` is that of a record in its place.
    pub fn proxied(&mut self, proxied: ProxiedLate, time: Time) {
        self.proxied.push(BatchedProxied { records: self.records.len(), proxied, time });
    }

    /// Puts a note on a record that is appended next, after `skipped` others.
    pub fn note_next(&mut self, skipped: usize, note: String) {
        let records = self.records.len() + skipped + 1;
        self.notes.push(BatchedNote { records, back: 0, time: None, note });
    }

    /// How many records it has.
    pub fn records(&self) -> u64 {
        self.records.len() as u64
    }

    /// How many captured bytes its extents have together.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many changes it makes.
    pub fn len(&self) -> usize {
        self.pieces.len() + self.records.len() + self.ends.len() + self.notes.len() + self.proxied.len()
    }

    /// Drops all changes.
    pub fn clear(&mut self) {
        self.opened = None;
        self.pieces.clear();
        self.records.clear();
        self.checkpoints.clear();
        self.handshakes.clear();
        self.ends.clear();
        self.notes.clear();
        self.proxied.clear();
        self.bytes = 0;
    }
}

impl<K: PartialEq, V> Runs<K, V> {
    /// Adds a value; returns how many come before it.
    fn push(&mut self, key: K, value: V) -> usize {
        self.extend_run(key, 1);
        self.values.push(value);
        self.values.len() - 1
    }

    /// Moves values to the end, all with one key.
    fn append(&mut self, key: K, values: &mut Vec<V>) {
        self.extend_run(key, values.len());
        self.values.append(values);
    }

    fn extend_run(&mut self, key: K, count: usize) {
        match self.runs.last_mut() {
            Some((latest, len)) if *latest == key => *len += count,
            _ => self.runs.push((key, count)),
        }
    }

    /// Calls `take` with each run, in order, and removes all.
    fn drain(&mut self, mut take: impl FnMut(K, Take<&mut Drain<'_, V>>)) {
        let mut values = self.values.drain(..);
        for (key, len) in self.runs.drain(..) {
            take(key, values.by_ref().take(len));
        }
    }

    fn len(&self) -> usize {
        self.values.len()
    }

    fn clear(&mut self) {
        self.values.clear();
        self.runs.clear();
    }
}

impl<K, V> Default for Runs<K, V> {
    fn default() -> Self {
        Self { values: Vec::new(), runs: Vec::new() }
    }
}

impl Index {
    /// Applies a batch, of which the extents are relative to `position`, and empties it.
    pub fn apply(&mut self, batch: &mut IndexBatch, position: u64) -> Applied {
        let opened = batch.opened.take().map_or(NEW, |entry| self.open(entry));
        let number = |connection| if connection == NEW { opened } else { connection };
        batch.pieces.drain(|(connection, direction), pieces| {
            self.extend(number(connection), direction, pieces, position);
        });
        let first_record = self.totals.records + 1;
        batch.records.drain(|connection, records| {
            for record in records {
                self.push(number(connection), record);
            }
        });
        for (connection, direction, offset, window) in batch.checkpoints.drain(..) {
            if let Some(entry) = self.connection_mut(number(connection)) {
                entry.streams[direction.index()].add_checkpoint(offset, window);
            }
        }
        for (connection, about) in batch.handshakes.drain(..) {
            if let Some(entry) = self.connection_mut(number(connection)) {
                entry.about = about;
            }
        }
        for (connection, tls) in batch.decrypted.drain(..) {
            self.set_decrypted(number(connection), tls);
        }
        for (connection, direction, how) in batch.ends.drain(..) {
            self.end(number(connection), direction, how);
        }
        for BatchedNote { records, back, time, note } in batch.notes.drain(..) {
            let no = (first_record - 1 + records as u64).saturating_sub(back);
            if time.is_none_or(|time| self.time(no) == Some(time)) {
                self.notes.insert(no, note);
            }
        }
        for BatchedProxied { records, proxied: ProxiedLate { back, time: of, how }, time } in batch.proxied.drain(..) {
            let number = |back| (first_record - 1 + records as u64).saturating_sub(back);
            let has_time = |no, time| self.time(no) == Some(time);
            let how = match how {
                Proxied::ReplacedBy(back) if !has_time(number(back), time) => continue,
                Proxied::ReplacedBy(back) => Proxied::ReplacedBy(number(back)),
                other => other,
            };
            if has_time(number(back), Time(of)) {
                self.set_proxied(number(back), how);
            }
        }
        batch.bytes = 0;
        Applied { opened, first_record }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::dissected::{Checkpoint, Kind, Loss, RecordLink};
    use crate::proto::time::Time;

    const UP: Direction = Direction::ClientToServer;

    fn record(offset: u64, wire_len: u64, kind: Kind) -> DissectedRecord {
        DissectedRecord {
            kind,
            direction: UP,
            time: Time(2),
            offset,
            wire_len,
            lead: [0; 2],
            link: RecordLink::None,
            code: 0,
            compressed: false,
            undirected: false,
            outstanding: false,
            loss: Loss::Lost,
            findings: Vec::new(),
            key: None,
            checkpoint: None,
        }
    }

    #[test]
    fn windows_are_written_with_the_batch_and_the_second_oldest_makes_space() {
        let address = "127.0.0.1:1".parse().expect("an address");
        let mut index = Index::default();
        index.limit_windows(3 * 32 * 1024);
        let mut batch = IndexBatch::new(index.windows());
        batch.open(ConnectionEntry::new(address, address, Time(1)));
        for at in 0..5u8 {
            let window = vec![at; 100].into();
            let checkpoint = Some(Box::new(Checkpoint { offset: u64::from(at), window }));
            batch.push(NEW, DissectedRecord { checkpoint, ..record(u64::from(at), 1, Kind::Frame) });
        }
        index.apply(&mut batch, 0);
        let kept = |index: &Index, offset| {
            let (at, window) = index.checkpoint_before(1, UP, offset).expect("a checkpoint");
            (at, window.read().expect("read").to_vec())
        };
        assert_eq!(kept(&index, 9), (0, vec![0; 100]), "two were not written: the second and the third made space");
        let checkpoint = Some(Box::new(Checkpoint { offset: 5, window: vec![5; 200].into() }));
        batch.push(1, DissectedRecord { checkpoint, ..record(5, 1, Kind::Frame) });
        index.apply(&mut batch, 0);
        assert_eq!((kept(&index, 9), kept(&index, 4)), ((5, vec![5; 200]), (0, vec![0; 100])));
    }

    #[test]
    fn a_batch_is_applied_in_its_order_and_then_empty() {
        let address = "127.0.0.1:1".parse().expect("an address");
        let direction = UP;
        let mut index = Index::default();
        let mut batch = IndexBatch::default();
        batch.open(ConnectionEntry::new(address, address, Time(1)));
        batch.extend(NEW, direction, Extent { offset: 0, position: 10, len: 4 });
        batch.skip(NEW, direction, 2);
        batch.extend(NEW, direction, Extent { offset: 6, position: 30, len: 3 });
        assert_eq!(batch.bytes(), 7);
        assert_eq!(batch.push(NEW, record(0, 4, Kind::Junk)), 0);
        batch.note("a note".to_owned());
        assert_eq!(batch.push(NEW, record(4, 2, Kind::Gap)), 1);
        assert_eq!(index.apply(&mut batch, 1000), Applied { opened: 1, first_record: 1 });
        let stream = &index.connection(1).expect("opened").streams[0];
        assert_eq!((stream.len, stream.pieces(0, 9), stream.pieces(6, 9)), (9, vec![(1010, 4)], vec![(1030, 3)]));
        assert_eq!(index.notes.get(&1).map(String::as_str), Some("a note"));
        assert_eq!((batch.len(), batch.bytes()), (0, 0));
        batch.push(1, record(9, 0, Kind::End(EndReason::Fin)));
        assert_eq!(index.apply(&mut batch, 0), Applied { opened: NEW, first_record: 3 });
    }
}
