//! A parsed script.

use std::time::Duration;

use super::outgoing::Outgoing;
use crate::capture::query::filter::Filter;

/// A script: statements that run one after the other, and handlers of the peer's records.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    /// The sequences of statements: the script's own, then the handlers' bodies.
    pub(super) bodies: Vec<Body>,
    /// The lines of the text.
    pub(super) lines: Vec<String>,
    /// The name of its file, for messages.
    pub(super) name: String,
}

/// A sequence of statements.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Body {
    pub trigger: Trigger,
    pub statements: Vec<Statement>,
}

/// When a body runs.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Trigger {
    /// Once, when the connection is open.
    Open,
    /// At each record of the peer that matches.
    Record(Filter),
}

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Statement {
    /// Its line, from 1.
    pub line: usize,
    pub operation: Operation,
}

/// What a statement does.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operation {
    Send(Outgoing),
    /// Waits for a record of the peer that matches.
    Expect {
        filter: Filter,
        within: Duration,
    },
    Wait(Duration),
    /// Runs the statements up to the matching [`Self::Again`] this many times, at least once.
    Repeat(u32),
    /// Goes back to the statement at this position until the repetitions are done.
    Again(usize),
}

impl Script {
    /// The same script with the name of its file, for messages.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// The name of its file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text of a line, counted from 1.
    pub fn line(&self, line: usize) -> &str {
        line.checked_sub(1).and_then(|at| self.lines.get(at)).map_or("", String::as_str)
    }

    /// True if the script reacts to records of the peer for as long as the connection is open.
    pub fn has_handlers(&self) -> bool {
        self.bodies.iter().any(|body| matches!(body.trigger, Trigger::Record(_)))
    }
}
