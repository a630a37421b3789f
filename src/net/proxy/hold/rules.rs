//! The hold rules, and the test of a frame against them.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::capture::query::filter::{Filter, FilterEvaluator};
use crate::capture::store::Capture;
use crate::capture::store::record::Record;
use crate::proto::dissected::{Direction, Kind};

/// Records that are looked up at once.
const BATCH: usize = 64;

/// The number of a rule, unique in the proxy.
pub type RuleId = u64;

/// A hold rule: the proxy holds each message with a record that the filter matches.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its number.
    pub id: RuleId,
    /// The filter.
    pub filter: Filter,
}

/// Tests the frames of one direction of a connection, in their order, by their records in the capture.
pub struct Matcher {
    capture: Capture,
    connection: u32,
    direction: Direction,
    /// Records that were looked up and not tested yet.
    ahead: VecDeque<Record>,
    /// The number from which records are looked up next.
    next: u64,
    /// The rules, and their evaluators.
    rules: Vec<(RuleId, FilterEvaluator)>,
    /// The generation of the rules.
    generation: u64,
}

/// The result of testing a frame.
#[derive(Debug, Default)]
pub struct Match {
    /// The number of the record; `None` if the frame is not captured.
    pub record: Option<u64>,
    /// The rules that select it.
    pub rules: Vec<RuleId>,
}

impl Matcher {
    /// A matcher for frames from this offset of the stream on. Their records may be part of the capture already.
    pub fn new(capture: &Capture, connection: u32, direction: Direction, offset: u64) -> Self {
        let before = |record: &Record| record.direction == direction && record.offset < offset;
        let mut records = (1..).map_while(|steps| capture.record(capture.neighbour(connection, u64::MAX, -steps)?));
        let next = records.find(before).map_or(1, |record| record.no + 1);
        let (ahead, rules, generation) = (VecDeque::new(), Vec::new(), 0);
        Self { capture: capture.clone(), connection, direction, ahead, next, rules, generation }
    }

    /// Replaces the rules if the generation has changed.
    pub fn set_rules(&mut self, generation: u64, rules: &Arc<[Rule]>) {
        if self.generation != generation {
            let evaluator = |rule: &Rule| (rule.id, FilterEvaluator::new(&rule.filter, &self.capture));
            self.rules = rules.iter().map(evaluator).collect();
            self.generation = generation;
        }
    }

    /// Forgets the records before this offset: their frames are not tested any more.
    pub fn forget(&mut self, before: u64) {
        while self.ahead.front().is_some_and(|record| record.offset < before) {
            self.ahead.pop_front();
        }
    }

    /// Tests the frame at this offset.
    pub fn test(&mut self, offset: u64) -> Match {
        let Some(record) = self.record(offset) else { return Match::default() };
        // If the file cannot be read, the frame is sent on: a user could not see a held one.
        let selects =
            |(id, evaluator): &mut (RuleId, FilterEvaluator)| evaluator.passes(&record).unwrap_or(false).then_some(*id);
        Match { record: Some(record.no), rules: self.rules.iter_mut().filter_map(selects).collect() }
    }

    /// The record of the frame at this offset.
    fn record(&mut self, offset: u64) -> Option<Record> {
        loop {
            if let Some(record) = self.ahead.iter().find(|record| record.offset >= offset) {
                return (record.offset == offset && record.kind == Kind::Frame).then(|| record.clone());
            }
            let numbers = self.capture.numbers(self.connection, self.next, BATCH);
            self.next = numbers.last()? + 1;
            let records = self.capture.pick(numbers);
            self.ahead.extend(records.into_iter().filter(|record| record.direction == self.direction));
        }
    }
}
