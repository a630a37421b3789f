//! Evaluates a filter over a capture: first from the index, under its lock, some thousands of records at a time; then, without the
//! lock, from the bytes of the records that need it.

use std::io;

use super::Filter;
use super::connection_facts::{ConnectionFacts, path_of};
use super::connection_set::ConnectionSet;
use super::expr::{Relation, Value};
use super::fields::FilterField;
use super::program::{IndexFacts, Leaf};
use crate::capture::query::selection::SelectedRecords;
use crate::capture::store::Capture;
use crate::capture::store::message_reader::MessageReader;
use crate::capture::store::record::Record;
use crate::capture::store::record_reader::RecordReader;
use crate::proto::compressed_messages::EXPORTED_INFLATED;
use crate::proto::dissected::Direction;
use crate::proto::rules::Finding;
use crate::wire::http::Head;
use crate::wire::mask;
use crate::wire::opcode::Opcode;

/// Records that are evaluated under one lock, which takes well under a millisecond.
const CHUNK: usize = 8192;

/// Bytes of a record that are searched at once.
const PIECE: u64 = 1 << 20;

/// Bytes of a payload that regular expressions see.
const MATCHED: u64 = 16 << 20;

/// Evaluates a filter over a capture that may grow.
pub struct FilterEvaluator {
    filter: Filter,
    capture: Capture,
    reader: RecordReader,
    inflater: MessageReader,
    facts: ConnectionFacts,
    buffer: Vec<u8>,
    connections: ConnectionSet,
}

impl FilterEvaluator {
    /// An evaluator that has seen no record yet.
    pub fn new(filter: &Filter, capture: &Capture) -> Self {
        Self {
            filter: filter.clone(),
            capture: capture.clone(),
            reader: RecordReader::new(capture),
            inflater: MessageReader::default(),
            facts: ConnectionFacts::default(),
            buffer: Vec::new(),
            connections: ConnectionSet::default(),
        }
    }

    /// The connections of the records that [`Self::extend`] selected.
    pub const fn connections(&self) -> &ConnectionSet {
        &self.connections
    }

    /// The filter.
    pub const fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Evaluates the records after the last one that `selection` knows. Calls `go_on` with the number of evaluated records after some
    /// thousand records, and before each record whose bytes are read; stops if it returns false. Returns whether no records are left.
    ///
    /// # Errors
    /// If the capture's file cannot be read.
    pub fn extend(&mut self, selection: &mut SelectedRecords, mut go_on: impl FnMut(u64) -> bool) -> io::Result<bool> {
        let mut verdicts = Vec::with_capacity(CHUNK);
        loop {
            selection.pass(self.capture.first() - 1);
            let from = selection.looked_at() + 1;
            self.evaluate_index(from, &mut verdicts);
            if verdicts.is_empty() {
                return Ok(true);
            }
            if !go_on(selection.looked_at()) {
                return Ok(false);
            }
            // One look-up finds the positions of all records that have to be read.
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
                            // It was evicted while it was read.
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

    /// Evaluates the next records from the index; a verdict is `None` if the index is not enough.
    fn evaluate_index(&mut self, from: u64, verdicts: &mut Vec<Option<bool>>) {
        verdicts.clear();
        let (program, handshakes, connections) = (&self.filter.program, &mut self.facts, &mut self.connections);
        let index = self.capture.index();
        let Some(start) = index.origin else { return };
        index.scan(from, CHUNK, |record, findings| {
            let facts = IndexFacts { record, findings, start };
            let verdict =
                program.decide(&mut |leaf| leaf.test_index(&facts).or_else(|| handshakes.test(leaf, record, &index)));
            if verdict == Some(true) {
                connections.add(record.connection);
            }
            verdicts.push(verdict);
        });
    }

    /// Whether the filter selects a record of the capture.
    ///
    /// # Errors
    /// If the capture's file cannot be read.
    pub fn passes(&mut self, record: &Record) -> io::Result<bool> {
        let Some(start) = self.capture.index().origin else { return Ok(false) };
        let findings: Vec<(u64, Finding)> = record.findings.iter().map(|f| (record.no, f.clone())).collect();
        let facts = IndexFacts { record, findings: &findings, start };
        let filter = self.filter.clone();
        let mut failed = None;
        let decided = filter.program.decide(&mut |leaf| {
            if failed.is_some() {
                return Some(false);
            }
            let by_handshake = |evaluator: &mut Self| {
                let index = evaluator.capture.index();
                evaluator.facts.test(leaf, record, &index)
            };
            let known = leaf.test_index(&facts).or_else(|| by_handshake(self));
            Some(known.unwrap_or_else(|| {
                self.test_bytes(leaf, record).unwrap_or_else(|e| {
                    failed = Some(e);
                    false
                })
            }))
        });
        failed.map_or(Ok(decided == Some(true)), Err)
    }

    /// Tests a record by its bytes.
    fn test_bytes(&mut self, leaf: &Leaf, record: &Record) -> io::Result<bool> {
        let head = record.header_len();
        let result = match leaf.test.field {
            FilterField::Host | FilterField::Path => self.test_request(leaf, record)?,
            FilterField::MaskingKey if record.wire_len < head => None,
            FilterField::MaskingKey => {
                self.reader.wire(record, head - 4..head, &mut self.buffer)?;
                Some(leaf.test_bytes(&self.buffer))
            }
            FilterField::Payload => Some(self.test_range(leaf, record, head)?),
            FilterField::Bytes => {
                // The wire bytes contain an unmasked payload.
                let twice = record.payload_len().is_some()
                    && (record.masked() || !matches!(leaf.test.relation, Relation::Contains(_)));
                Some(self.test_range(leaf, record, 0)? || twice && self.test_range(leaf, record, head)?)
            }
            FilterField::Text if record.compressed => {
                let message = self.inflater.message(&self.capture, record, EXPORTED_INFLATED)?;
                message.filter(|message| message.opcode == Opcode::Text).map(|message| leaf.test_bytes(&message.bytes))
            }
            _ => {
                let code = if record.opcode() == Some(Opcode::Close) { 2 } else { 0 };
                Some(self.test_range(leaf, record, head + code)?)
            }
        };
        Ok(match result {
            Some(result) => result == leaf.want,
            None => matches!(leaf.test.relation, Relation::Present) && !leaf.want,
        })
    }

    /// Tests the bytes of a record from `start` on. From 0 they are the wire bytes, from the beginning of the payload they are unmasked.
    fn test_range(&mut self, leaf: &Leaf, record: &Record, start: u64) -> io::Result<bool> {
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
            // The first read includes the masking key.
            let skip = if at == 0 { start } else { 0 };
            let from = start + at - skip;
            self.reader.wire(record, from..(start + at).saturating_add(piece + overlap), &mut self.buffer)?;
            let skip = usize::try_from(skip).unwrap_or(usize::MAX).min(self.buffer.len());
            // A record may be longer than what was captured of it.
            let is_last = (self.buffer.len() - skip) as u64 <= piece;
            let (before, bytes) = self.buffer.split_at_mut(skip);
            if start > 0 && record.masked() {
                let head = record.header_len();
                if at == 0
                    && let Ok(end) = usize::try_from(head)
                    && let Some(found) = before.get(end - 4..end)
                {
                    key.copy_from_slice(found);
                }
                mask::apply(bytes, key, start - head + at);
            }
            if leaf.test_bytes(bytes) {
                return Ok(true);
            }
            at += piece;
            if is_last || at >= len || !matches!(leaf.test.relation, Relation::Contains(_)) {
                return Ok(false);
            }
        }
    }

    /// Tests `host` or `path` of the request that an HTTP record is or answers; `None` if there is no such request or value.
    fn test_request(&mut self, leaf: &Leaf, record: &Record) -> io::Result<Option<bool>> {
        let request = match record.direction {
            Direction::ClientToServer => Some(record.clone()),
            Direction::ServerToClient => record.answers.and_then(|no| self.capture.record(no)),
        };
        let Some(request) = request else { return Ok(None) };
        self.reader.wire(&request, 0..PIECE, &mut self.buffer)?;
        let head = Head::read(&self.buffer);
        let host = || head.value("Host").map(|host| String::from_utf8_lossy(host).into_owned());
        let target = || head.target().map(|target| String::from_utf8_lossy(target).into_owned());
        let value = if leaf.test.field == FilterField::Host { host() } else { target() };
        let test = |value: String| match leaf.test.field {
            FilterField::Path => leaf.test_bytes(path_of(&value).as_bytes()),
            _ => leaf.test_bytes(value.as_bytes()),
        };
        Ok(value.map(test))
    }
}

fn value_len(value: &Value) -> u64 {
    match value {
        Value::Text(text) => text.len() as u64,
        Value::Bytes(bytes) => bytes.len() as u64,
        _ => 0,
    }
}
