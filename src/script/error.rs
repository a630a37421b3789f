//! Errors of scripts: what is wrong, and where.

use std::ops::Range;

use super::outgoing::OutgoingError;
use crate::capture::query::filter::FilterError;
use crate::wire::printable;

/// A script that cannot be read.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{problem}")]
pub struct ScriptError {
    /// What is wrong.
    pub(super) problem: ScriptProblem,
    /// The line, from 1.
    pub line: usize,
    /// The wrong word, in bytes of the line; empty at its end if something is missing there.
    pub span: Range<usize>,
    /// The line.
    pub text: String,
}

/// What is wrong with a script: each message says what is expected instead.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum ScriptProblem {
    #[error("the script is too long: at most {0} bytes")]
    TooLong(usize),
    #[error("no statement begins with {0:?}; the statements are send expect ping pong close wait repeat on end")]
    Unknown(String),
    #[error("write send text \"…\", send hex \"00ff\" or send file PATH")]
    SendWhat,
    #[error("expected text in quotes")]
    Quotes,
    #[error("this text has no end: {0} closes it")]
    OpenText(char),
    #[error("unknown escape; the escapes are \\n \\r \\t \\\\ \\\" \\' \\u{{1f600}}; send other bytes with send hex")]
    Escape,
    #[error("expected pairs of hex digits in quotes, such as \"00ff\"")]
    Hex,
    #[error("expected the path of a file")]
    NoPath,
    /// The file of `send file`, in the words of its reader.
    #[error("{0}")]
    File(String),
    #[error("expected a filter and a time, such as expect op == pong within 2s")]
    ExpectWhat,
    #[error("add how long to wait, such as within 2s")]
    NoWithin,
    #[error("expected a time with its unit, such as 500ms, 2s or 1min: more than 0, at most 24h")]
    Duration,
    #[error("expected how many times, from 1 to 4294967295, such as repeat 10")]
    Times,
    #[error("nothing is repeated: add a statement before end")]
    EmptyRepeat,
    #[error("too deep: at most {0} repeats inside each other")]
    TooDeep(usize),
    #[error("expected open, or a filter for the peer's records, such as on op == ping")]
    OnWhat,
    #[error("on cannot be inside {0}; move it to the end of the script")]
    NestedOn(&'static str),
    #[error("no repeat or on is open here that this end closes")]
    StrayEnd,
    #[error("this {0} has no end; add a line with end")]
    NoEnd(&'static str),
    #[error("expected the end of the line")]
    AfterTheEnd,
    #[error("a side sends nothing after its close (line {0}); move this line before it")]
    AfterClose(usize),
    #[error(transparent)]
    Filter(Box<FilterError>),
    #[error(transparent)]
    Outgoing(OutgoingError),
}

impl ScriptError {
    /// The line of the script, safe for a terminal, and a line with carets under the wrong word.
    pub fn carets(&self) -> [String; 2] {
        printable::carets(&self.text, &self.span)
    }
}
