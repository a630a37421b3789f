//! Runs a script on one connection.

use std::sync::Arc;
use std::time::Duration;

use super::outgoing::Outgoing;
use super::statement::{Operation, Script, Trigger};
use crate::capture::query::filter::Filter;

/// The most bodies that run at the same time: records can start handlers faster than handlers end.
const MAX_TASKS: usize = 1024;

/// The most records that one step looks at, so that the connection is served meanwhile.
const MAX_LOOKS: usize = 256;

/// The most statements that a task runs per turn, so that a task without waits does not starve the others.
const MAX_STATEMENTS: usize = 256;

/// The peer's records on the connection.
pub trait Peer {
    /// Why the capture cannot be read.
    type Error;

    /// The number of the first record of the peer after the record `after`, if it has arrived.
    ///
    /// # Errors
    /// If the capture cannot be read.
    fn next(&mut self, after: u64) -> Result<Option<u64>, Self::Error>;

    /// Whether a filter selects a record.
    ///
    /// # Errors
    /// If the capture cannot be read.
    fn matches(&mut self, no: u64, filter: &Filter) -> Result<bool, Self::Error>;

    /// True if the peer will send no further record, and nothing can be sent to it.
    fn is_over(&self) -> bool;
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Send this, then call [`Player::step`] again.
    Send(&'a Outgoing),
    /// Serve the connection, then call [`Player::step`] again.
    Busy,
    /// Nothing is to be done before another record of the peer arrives, or before this time.
    Wait(Option<Duration>),
    /// The script has ended.
    Done,
    /// An expectation failed. The script has ended.
    Failed(Failure),
}

/// Where and why a script failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The line of the script, from 1.
    pub line: usize,
    /// Why.
    pub reason: FailureReason,
    /// The number of the peer's latest record, if it sent one.
    pub latest: Option<u64>,
}

/// Why a script failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureReason {
    /// No record of the peer matched within this time.
    NotMet(Duration),
    /// The peer closed the connection before this line was done.
    PeerClosed,
    /// Handlers are started faster than they end.
    TooManyHandlers,
}

/// Runs a script on one connection. Times are counted from the beginning of the connection.
///
/// It works in rounds. In a round, each task runs until it must wait, in the order in which the tasks began. After a round, the tasks get
/// the peer's next record. So a script answers records in the same order, however many of them arrive at once.
#[derive(Debug)]
pub struct Player {
    script: Arc<Script>,
    tasks: Vec<Task>,
    /// The position in `tasks` of the one whose turn it is.
    turn: usize,
    /// How many statements it has run in this turn.
    statements: usize,
    /// What the tasks did in this round.
    round: Round,
    /// The latest record that was delivered to the tasks.
    delivered: u64,
    /// The latest record of the peer that the player has read.
    latest: Option<u64>,
    has_failed: bool,
}

/// What the tasks did in a round.
#[derive(Debug, Default)]
struct Round {
    /// True if a task did something.
    is_busy: bool,
    /// The earliest time at which a waiting task continues without another record.
    until: Option<Duration>,
}

/// A sequence of statements that runs.
#[derive(Debug)]
struct Task {
    body: usize,
    /// The position of its statement.
    at: usize,
    /// How often each repeat around that statement has to run, this time included.
    repeats: Vec<u32>,
    /// An expectation looks at the records after this one.
    seen: u64,
    /// When the wait or the expectation of its statement ends.
    until: Option<Duration>,
}

/// What a task did.
enum Advance {
    Send,
    Busy,
    Blocked(Duration),
    Ended,
    Failed(Failure),
}

impl Player {
    /// A player at the beginning of a script: the statements outside handlers, and `on open`.
    pub fn new(script: Arc<Script>) -> Self {
        let opening = |(body, trigger)| matches!(trigger, &Trigger::Open).then(|| Task::new(body, 0));
        let tasks = script.bodies.iter().map(|body| &body.trigger).enumerate().filter_map(opening).collect();
        let round = Round::default();
        Self { script, tasks, turn: 0, statements: 0, round, delivered: 0, latest: None, has_failed: false }
    }

    /// Runs the next statement.
    ///
    /// # Errors
    /// If the capture cannot be read.
    pub fn step<P: Peer>(&mut self, now: Duration, peer: &mut P) -> Result<Step<'_>, P::Error> {
        if self.has_failed {
            return Ok(Step::Done);
        }
        while self.turn < self.tasks.len() {
            let turn = self.turn;
            let advance = self.advance(turn, now, peer)?;
            self.round.is_busy |= matches!(advance, Advance::Send | Advance::Busy | Advance::Ended);
            match advance {
                Advance::Send => {
                    self.count_statement();
                    let task = &self.tasks[turn];
                    match &self.script.bodies[task.body].statements[task.at - 1].operation {
                        Operation::Send(outgoing) => return Ok(Step::Send(outgoing)),
                        _ => return Ok(Step::Busy),
                    }
                }
                Advance::Busy => {
                    self.count_statement();
                    return Ok(Step::Busy);
                }
                Advance::Blocked(time) => {
                    self.round.until = Some(self.round.until.map_or(time, |until| until.min(time)));
                    self.next_turn();
                }
                Advance::Ended => {
                    self.tasks.remove(turn);
                    self.statements = 0;
                }
                Advance::Failed(failure) => {
                    self.has_failed = true;
                    return Ok(Step::Failed(failure));
                }
            }
        }
        let Round { is_busy, until } = std::mem::take(&mut self.round);
        self.turn = 0;
        if let Some(no) = peer.next(self.delivered)? {
            if let Some(failure) = self.deliver(no, peer)? {
                self.has_failed = true;
                return Ok(Step::Failed(failure));
            }
            return Ok(Step::Busy);
        }
        if is_busy {
            return Ok(Step::Busy);
        }
        let is_done = self.tasks.is_empty() && (peer.is_over() || !self.script.has_handlers());
        Ok(if is_done { Step::Done } else { Step::Wait(until) })
    }

    const fn next_turn(&mut self) {
        self.turn += 1;
        self.statements = 0;
    }

    const fn count_statement(&mut self) {
        self.statements += 1;
        if self.statements >= MAX_STATEMENTS {
            self.next_turn();
        }
    }

    /// Delivers a record to the tasks, and starts its handlers.
    fn deliver<P: Peer>(&mut self, no: u64, peer: &mut P) -> Result<Option<Failure>, P::Error> {
        (self.delivered, self.latest) = (no, self.latest.max(Some(no)));
        for (body, handler) in self.script.bodies.iter().enumerate() {
            if let Trigger::Record(filter) = &handler.trigger
                && peer.matches(no, filter)?
                && let Some(first) = handler.statements.first()
            {
                if self.tasks.len() >= MAX_TASKS {
                    let reason = FailureReason::TooManyHandlers;
                    return Ok(Some(Failure { line: first.line, reason, latest: self.latest }));
                }
                self.tasks.push(Task::new(body, no));
            }
        }
        Ok(None)
    }

    /// Runs a task up to its next statement that sends, or until it must wait.
    fn advance<P: Peer>(&mut self, turn: usize, now: Duration, peer: &mut P) -> Result<Advance, P::Error> {
        let task = &mut self.tasks[turn];
        let delivered = self.delivered;
        let is_handler = matches!(self.script.bodies[task.body].trigger, Trigger::Record(_));
        while let Some(statement) = self.script.bodies[task.body].statements.get(task.at) {
            let line = statement.line;
            let failed = |reason, latest| Ok(Advance::Failed(Failure { line, reason, latest }));
            match &statement.operation {
                // The peer may close before it gets the reply of a handler.
                Operation::Send(_) if peer.is_over() && is_handler => return Ok(Advance::Ended),
                Operation::Send(_) if peer.is_over() => return failed(FailureReason::PeerClosed, self.latest),
                Operation::Send(_) => {
                    task.at += 1;
                    return Ok(Advance::Send);
                }
                Operation::Wait(time) => {
                    let until = *task.until.get_or_insert(now.saturating_add(*time));
                    if now < until && !peer.is_over() {
                        return Ok(Advance::Blocked(until));
                    }
                    task.advance_past();
                    return Ok(Advance::Busy);
                }
                Operation::Expect { filter, within } => {
                    let until = *task.until.get_or_insert(now.saturating_add(*within));
                    for _ in 0..MAX_LOOKS {
                        let Some(no) = peer.next(task.seen)?.filter(|no| *no <= delivered) else {
                            if peer.next(delivered)?.is_some() {
                                return Ok(Advance::Blocked(until));
                            }
                            if peer.is_over() {
                                return failed(FailureReason::PeerClosed, self.latest);
                            }
                            if now >= until {
                                return failed(FailureReason::NotMet(*within), self.latest);
                            }
                            return Ok(Advance::Blocked(until));
                        };
                        task.seen = no;
                        if peer.matches(no, filter)? {
                            task.advance_past();
                            break;
                        }
                    }
                    return Ok(Advance::Busy);
                }
                Operation::Repeat(times) => {
                    task.repeats.push(*times);
                    task.at += 1;
                }
                Operation::Again(start) => match task.repeats.last_mut() {
                    Some(left) if *left > 1 => {
                        *left -= 1;
                        task.at = *start;
                    }
                    _ => {
                        task.repeats.pop();
                        task.at += 1;
                    }
                },
            }
        }
        Ok(Advance::Ended)
    }
}

impl Task {
    const fn new(body: usize, seen: u64) -> Self {
        Self { body, at: 0, repeats: Vec::new(), seen, until: None }
    }

    /// Continues with the next statement after a wait or an expectation.
    const fn advance_past(&mut self) {
        self.at += 1;
        self.until = None;
    }
}
