//! Runs a script on a connection whose records are in a capture.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use crate::capture::query::filter::{Filter, FilterEvaluator};
use crate::capture::query::summary;
use crate::capture::store::Capture;
use crate::capture::store::message_reader::MessageReader;
use crate::capture::store::record::Record;
use crate::proto::dissected::{Direction, Kind};
use crate::proto::rules::count;
use crate::script::{Failure, FailureReason, Outgoing, Peer, Player, Script, Step};

/// Records that are looked up at once.
const BATCH: usize = 64;

/// The most statements that run before the connection is served again: a script may never wait.
pub const MAX_STEPS: usize = 1024;

/// Runs a script on one connection.
pub struct ScriptRun {
    script: Arc<Script>,
    player: Player,
    peer: CapturePeer,
    started: Instant,
}

/// What a script did.
pub enum Played {
    /// It goes on at once.
    Busy,
    /// It goes on with the peer's next record, or at this time.
    Wait(Option<Instant>),
    /// It has ended; an error is one line for people.
    Ended(Result<(), String>),
}

impl ScriptRun {
    /// Begins a script on a connection of `capture` whose peer sends in the direction `from_peer`.
    pub fn new(script: &Arc<Script>, capture: &Capture, from_peer: Direction) -> Self {
        let peer = CapturePeer {
            capture: capture.clone(),
            connection: None,
            from_peer,
            evaluators: Vec::new(),
            ahead: Vec::new(),
            is_over: false,
        };
        let player = Player::new(Arc::clone(script));
        Self { script: Arc::clone(script), player, peer, started: Instant::now() }
    }

    /// Sets the number of the connection in the capture, and whether the peer is gone.
    pub const fn update(&mut self, connection: Option<u32>, is_over: bool) {
        self.peer.connection = connection;
        self.peer.is_over = is_over;
    }

    /// Runs the next statement. Calls `send` with what it sends.
    pub fn play(&mut self, send: impl FnOnce(&Outgoing)) -> Played {
        match self.player.step(self.started.elapsed(), &mut self.peer) {
            Ok(Step::Send(outgoing)) => {
                send(outgoing);
                Played::Busy
            }
            Ok(Step::Busy) => Played::Busy,
            Ok(Step::Wait(until)) => Played::Wait(until.and_then(|until| self.started.checked_add(until))),
            Ok(Step::Done) => Played::Ended(Ok(())),
            Ok(Step::Failed(failure)) => Played::Ended(Err(self.line(&failure))),
            Err(e) => {
                let name = self.script.name();
                Played::Ended(Err(format!("{name}: cannot read the capture ({e}); check that its file still exists")))
            }
        }
    }

    /// A failure in one line: the line of the script, why, and the peer's latest record.
    fn line(&self, failure: &Failure) -> String {
        let (name, statement) = (self.script.name(), self.script.line(failure.line).trim());
        let why = match failure.reason {
            FailureReason::NotMet(within) => format!("no record matched within {} s", within.as_secs_f64()),
            FailureReason::PeerClosed => "the connection ended before this was done".to_owned(),
            FailureReason::TooManyHandlers => "the handler runs too often at the same time".to_owned(),
        };
        let latest = failure.latest.and_then(|no| self.peer.capture.record(no));
        let latest = match latest {
            None => "no record of the peer has arrived".to_owned(),
            Some(record) => {
                let summary = summary::of(&self.peer.capture, &record, &mut MessageReader::default());
                let length = summary.length.map(|length| format!(" of {}", count(length, "byte"))).unwrap_or_default();
                let preview = if summary.preview.is_empty() { String::new() } else { format!(": {}", summary.preview) };
                format!("its latest record is {}, {}{length}{preview}", record.no, summary.kind)
            }
        };
        format!("{name}:{}: {statement}: {why}; {latest}", failure.line)
    }
}

/// The peer's records in a capture.
struct CapturePeer {
    capture: Capture,
    connection: Option<u32>,
    from_peer: Direction,
    evaluators: Vec<FilterEvaluator>,
    /// Numbers of the peer's records that were looked up, in order.
    ahead: Vec<u64>,
    is_over: bool,
}

impl Peer for CapturePeer {
    type Error = io::Error;

    fn next(&mut self, after: u64) -> io::Result<Option<u64>> {
        // Several tasks look at the same records.
        let known = |ahead: &[u64]| ahead.iter().copied().find(|no| *no > after);
        if let Some(no) = known(&self.ahead).filter(|_| self.ahead.first().is_some_and(|first| *first <= after + 1)) {
            return Ok(Some(no));
        }
        let Some(connection) = self.connection else { return Ok(None) };
        let mut from = after + 1;
        loop {
            let numbers = self.capture.numbers(connection, from, BATCH);
            let Some(last) = numbers.last() else { return Ok(None) };
            from = last + 1;
            let records = self.capture.pick(numbers);
            // The end of TCP is no record that a script sees: whether it comes in time depends on chance.
            let is_seen = |record: &&Record| record.direction == self.from_peer && !matches!(record.kind, Kind::End(_));
            self.ahead = records.iter().filter(is_seen).map(|record| record.no).collect();
            if let Some(no) = self.ahead.first() {
                return Ok(Some(*no));
            }
        }
    }

    fn matches(&mut self, no: u64, filter: &Filter) -> io::Result<bool> {
        let Some(record) = self.capture.record(no) else { return Ok(false) };
        let known = self.evaluators.iter().position(|evaluator| evaluator.filter() == filter);
        let at = known.unwrap_or_else(|| {
            self.evaluators.push(FilterEvaluator::new(filter, &self.capture));
            self.evaluators.len() - 1
        });
        match self.evaluators[at].passes(&record) {
            // It was evicted while it was read.
            Err(_) if no < self.capture.first() => Ok(false),
            result => result,
        }
    }

    fn is_over(&self) -> bool {
        self.is_over
    }
}
