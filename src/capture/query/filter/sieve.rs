//! A filter over a capture: what the index tells is asked under its lock, some thousands of records at a time; bytes are read
//! for those records alone that need it.

use std::io;

use super::Filter;
use super::expr::{Relation, Value};
use super::fields::Field;
use super::program::{Known, Leaf};
use crate::capture::query::selection::Selection;
use crate::capture::store::Capture;
use crate::capture::store::index::Index;
use crate::capture::store::message_reader::MessageReader;
use crate::capture::store::reader::Reader;
use crate::capture::store::record::Record;
use crate::proto::compressed_messages::EXPORTED_INFLATED;
use crate::proto::connection::HandshakeSummary;
use crate::proto::dissected::{Direction, Kind};
use crate::proto::rules::Finding;
use crate::wire::http::Head;
use crate::wire::mask;
use crate::wire::opcode::Opcode;

/// How many records are looked at under one lock: well under a millisecond.
const CHUNK: usize = 8192;

/// How much of a record is searched at once, in bytes.
const PIECE: u64 = 1 << 20;

/// How much of a payload regular expressions see, in bytes.
const MATCHED: u64 = 16 << 20;

/// Applies a filter to a capture that may grow.
pub struct Sieve {
    filter: Filter,
    capture: Capture,
    reader: Reader,
    inflater: MessageReader,
    memo: Memo,
    buffer: Vec<u8>,
    connections: Passed,
}

/// The connections of records that were let through: a bit for each, by number.
#[derive(Clone, Debug, Default)]
pub struct Passed {
    bits: Vec<u64>,
    count: usize,
    /// The latest: records of one connection often follow each other.
    latest: u32,
}

impl Passed {
    /// How many there are.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Their numbers, in order.
    pub fn numbers(&self) -> Vec<u32> {
        let words = (0u32..).zip(&self.bits);
        words
            .flat_map(|(word, bits)| (0..64).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| word * 64 + bit))
            .collect()
    }

    #[inline]
    fn add(&mut self, number: u32) {
        if std::mem::replace(&mut self.latest, number) == number {
            return;
        }
        let (word, bit) = (number as usize / 64, number % 64);
        if self.bits.len() <= word {
            self.bits.resize(word + 1, 0);
        }
        self.count += usize::from(self.bits[word] >> bit & 1 == 0);
        self.bits[word] |= 1 << bit;
    }
}

/// What was said of connections' frames: by the leaf's slot, then by the connection's number. A connection's frames come
/// behind all its requests, so its facts stand when the first is there.
#[derive(Default)]
struct Memo(Vec<Vec<Option<bool>>>);

impl Sieve {
    /// A filter over a capture, of which nothing was looked at.
    pub fn new(filter: &Filter, capture: &Capture) -> Self {
        Self {
            filter: filter.clone(),
            capture: capture.clone(),
            reader: Reader::new(capture),
            inflater: MessageReader::default(),
            memo: Memo::default(),
            buffer: Vec::new(),
            connections: Passed::default(),
        }
    }

    /// The connections of the records that [`Self::extend`] let through.
    pub const fn connections(&self) -> &Passed {
        &self.connections
    }

    /// The filter.
    pub const fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Looks at the records that `selection` has not looked at, until there are no more, or `go_on`, which is told how many were
    /// looked at, says no. It is asked after some thousand records, and before each whose bytes are read. Whether there are no more.
    ///
    /// # Errors
    /// When the capture's file cannot be read.
    pub fn extend(&mut self, selection: &mut Selection, mut go_on: impl FnMut(u64) -> bool) -> io::Result<bool> {
        let mut verdicts = Vec::with_capacity(CHUNK);
        loop {
            selection.pass(self.capture.first() - 1);
            let from = selection.looked_at() + 1;
            self.judge(from, &mut verdicts);
            if verdicts.is_empty() {
                return Ok(true);
            }
            if !go_on(selection.looked_at()) {
                return Ok(false);
            }
            // Those that have to be read, and where they stand, all at once.
            let records = if verdicts.contains(&None) {
                self.capture.records(from..from + verdicts.len() as u64)
            } else {
                Vec::new()
            };
            self.reader.look_up(&records);
            let first = records.first().map_or(0, |record| record.no);
            for verdict in &verdicts {
                let at = (selection.looked_at() + 1).checked_sub(first).and_then(|at| usize::try_from(at).ok());
                let passes = match verdict {
                    Some(passes) => *passes,
                    None if !go_on(selection.looked_at()) => return Ok(false),
                    None => match at.and_then(|at| records.get(at)) {
                        Some(record) => match self.passes(record) {
                            Ok(passes) => {
                                if passes {
                                    self.connections.add(record.connection);
                                }
                                passes
                            }
                            // It was evicted while its bytes were read.
                            Err(_) if record.no < self.capture.first() => false,
                            Err(e) => return Err(e),
                        },
                        None => false,
                    },
                };
                selection.look(passes);
            }
        }
    }

    /// What the index tells of the next records.
    fn judge(&mut self, from: u64, verdicts: &mut Vec<Option<bool>>) {
        verdicts.clear();
        let (program, memo, connections) = (&self.filter.program, &mut self.memo, &mut self.connections);
        let index = self.capture.index();
        let Some(start) = index.origin else { return };
        index.scan(from, CHUNK, |record, findings| {
            let known = Known { record, findings, start };
            let verdict =
                program.decide(&mut |leaf| leaf.of_index(&known).or_else(|| memo.of_connection(leaf, record, &index)));
            if verdict == Some(true) {
                connections.add(record.connection);
            }
            verdicts.push(verdict);
        });
    }

    /// Whether the filter lets a record of the capture through.
    ///
    /// # Errors
    /// When the capture's file cannot be read.
    pub fn passes(&mut self, record: &Record) -> io::Result<bool> {
        let Some(start) = self.capture.index().origin else { return Ok(false) };
        let findings: Vec<(u64, Finding)> = record.findings.iter().map(|f| (record.no, f.clone())).collect();
        let known = Known { record, findings: &findings, start };
        let filter = self.filter.clone();
        let mut failed = None;
        let decided = filter.program.decide(&mut |leaf| {
            if failed.is_some() {
                return Some(false);
            }
            let of_connection = |sieve: &mut Self| {
                let index = sieve.capture.index();
                sieve.memo.of_connection(leaf, record, &index)
            };
            let known = leaf.of_index(&known).or_else(|| of_connection(self));
            Some(known.unwrap_or_else(|| {
                self.of_bytes(leaf, record).unwrap_or_else(|e| {
                    failed = Some(e);
                    false
                })
            }))
        });
        failed.map_or(Ok(decided == Some(true)), Err)
    }

    /// The answer of a record's bytes.
    fn of_bytes(&mut self, leaf: &Leaf, record: &Record) -> io::Result<bool> {
        let head = record.header_len();
        let is = match leaf.test.field {
            Field::Host | Field::Path => self.said_in_request(leaf, record)?,
            Field::MaskingKey if record.wire_len < head => None,
            Field::MaskingKey => {
                self.reader.wire(record, head - 4..head, &mut self.buffer)?;
                Some(leaf.of_bytes(&self.buffer))
            }
            Field::Payload => Some(self.holds(leaf, record, head)?),
            Field::Bytes => {
                // What a payload that is not masked contains, the wire contains.
                let twice = record.payload_len().is_some()
                    && (record.masked() || !matches!(leaf.test.relation, Relation::Contains(_)));
                Some(self.holds(leaf, record, 0)? || twice && self.holds(leaf, record, head)?)
            }
            Field::Text if record.compressed => {
                let message = self.inflater.message(&self.capture, record, EXPORTED_INFLATED)?;
                message.filter(|message| message.opcode == Opcode::Text).map(|message| leaf.of_bytes(&message.bytes))
            }
            _ => {
                let code = if record.opcode() == Some(Opcode::Close) { 2 } else { 0 };
                Some(self.holds(leaf, record, head + code)?)
            }
        };
        Ok(match is {
            Some(is) => is == leaf.want,
            None => matches!(leaf.test.relation, Relation::Present) && !leaf.want,
        })
    }

    /// The answer of a record's bytes from `start` on: 0 is as on the wire, from the payload's beginning on unmasked.
    fn holds(&mut self, leaf: &Leaf, record: &Record, start: u64) -> io::Result<bool> {
        let len = record.wire_len.saturating_sub(start);
        let (piece, overlap) = match &leaf.test.relation {
            Relation::Present => return Ok(true),
            Relation::Is(_, value) if value_len(value) != len => return Ok(false),
            Relation::In(values) if values.iter().all(|(value, _)| value_len(value) != len) => return Ok(false),
            Relation::Contains(value) => (PIECE, value_len(value).saturating_sub(1)),
            _ => (MATCHED, 0),
        };
        let mut key = [0; 4];
        let mut at = 0;
        loop {
            // The first reading brings the key too.
            let skip = if at == 0 { start } else { 0 };
            let from = start + at - skip;
            self.reader.wire(record, from..(start + at).saturating_add(piece + overlap), &mut self.buffer)?;
            let skip = usize::try_from(skip).unwrap_or(usize::MAX).min(self.buffer.len());
            let (before, bytes) = self.buffer.split_at_mut(skip);
            if start > 0 && record.masked() {
                let head = record.header_len();
                if at == 0
                    && let Some(found) = before.get(head as usize - 4..head as usize)
                {
                    key.copy_from_slice(found);
                }
                mask::apply(bytes, key, start - head + at);
            }
            if leaf.of_bytes(bytes) {
                return Ok(true);
            }
            at += piece;
            if at >= len || !matches!(leaf.test.relation, Relation::Contains(_)) {
                return Ok(false);
            }
        }
    }

    /// What the request says that a record of HTTP is, or answers; `None` where there is none, or it does not say.
    fn said_in_request(&mut self, leaf: &Leaf, record: &Record) -> io::Result<Option<bool>> {
        let request = match record.direction {
            Direction::ClientToServer => Some(record.clone()),
            Direction::ServerToClient => record.answers.and_then(|no| self.capture.record(no)),
        };
        let Some(request) = request else { return Ok(None) };
        self.reader.wire(&request, 0..PIECE, &mut self.buffer)?;
        let head = Head::read(&self.buffer);
        let host = || head.value("Host").map(|host| String::from_utf8_lossy(host).into_owned());
        let target = || head.target().map(|target| String::from_utf8_lossy(target).into_owned());
        let said = if leaf.test.field == Field::Host { host() } else { target() };
        let asked = |said: String| match leaf.test.field {
            Field::Path => leaf.of_bytes(path_of(&said).as_bytes()),
            _ => leaf.of_bytes(said.as_bytes()),
        };
        Ok(said.map(asked))
    }
}

impl Memo {
    /// What a connection's facts tell; `None` when the question is not about them, or the record has facts of its own.
    #[inline]
    fn of_connection(&mut self, leaf: &Leaf, record: &Record, index: &Index) -> Option<bool> {
        let asks = matches!(leaf.test.field, Field::Host | Field::Path);
        if !asks || matches!(record.kind, Kind::Request | Kind::Response | Kind::CutHttp) {
            return None;
        }
        match self.0.get(leaf.slot).and_then(|connections| *connections.get(record.connection as usize)?) {
            Some(said) => Some(said),
            None => self.ask(leaf, record, index),
        }
    }

    fn ask(&mut self, leaf: &Leaf, record: &Record, index: &Index) -> Option<bool> {
        let said = fact(leaf.test.field, &index.connection(record.connection)?.about);
        let is = match said {
            Some(said) => leaf.of_bytes(said.as_bytes()) == leaf.want,
            None => matches!(leaf.test.relation, Relation::Present) && !leaf.want,
        };
        if record.kind == Kind::Frame {
            if self.0.len() <= leaf.slot {
                self.0.resize_with(leaf.slot + 1, Vec::new);
            }
            let connections = &mut self.0[leaf.slot];
            let at = record.connection as usize;
            if connections.len() <= at {
                connections.resize(at + 1, None);
            }
            connections[at] = Some(is);
        }
        Some(is)
    }
}

fn fact(field: Field, about: &HandshakeSummary) -> Option<&str> {
    match field {
        Field::Host => about.host.as_deref(),
        _ => about.target.as_deref().map(path_of),
    }
}

/// The path of a request's target: without a scheme and authority before it, and without its query.
pub fn path_of(target: &str) -> &str {
    let rest = match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => rest.find('/').map_or("/", |at| &rest[at..]),
        _ => target,
    };
    rest.split(['?', '#']).next().unwrap_or(rest)
}

fn value_len(value: &Value) -> u64 {
    match value {
        Value::Text(text) => text.len() as u64,
        Value::Bytes(bytes) => bytes.len() as u64,
        _ => 0,
    }
}
