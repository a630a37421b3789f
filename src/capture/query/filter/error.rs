//! Errors of filter expressions: what is wrong, and where.

use std::ops::Range;

use super::fields::FilterField;
use crate::wire::printable;

/// A filter expression that cannot be read.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{problem}")]
pub struct FilterError {
    /// What is wrong.
    pub(super) problem: FilterProblem,
    /// The wrong word, in bytes of the expression; empty at its end if something is missing there.
    pub span: Range<usize>,
    /// The expression.
    pub text: String,
}

/// What is wrong with an expression: each message says what is expected instead.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum FilterProblem {
    #[error("the expression is too long: at most {0} bytes")]
    TooLong(usize),
    #[error("too deep: at most {0} nested parentheses and nots")]
    TooDeep(usize),
    #[error("this text has no end: {0} closes it")]
    OpenText(char),
    #[error("{0:?} has no meaning here; put text in quotes")]
    Character(char),
    #[error("this ( is never closed")]
    OpenParenthesis,
    #[error("there is no ( that this closes")]
    ClosedParenthesis,
    #[error("write && or and")]
    SingleAnd,
    /// `=` does not follow a field.
    #[error("expected and, or, or the end; a comparison has one == and a field before it")]
    SecondEquals,
    #[error("expected and, or, or the end")]
    AfterTheEnd,
    #[error("expected and, or, or )")]
    BeforeParenthesis,
    #[error("expected a field, such as op == ping")]
    Empty,
    #[error("something is missing here: expected a field, such as op or len")]
    NoField,
    #[error("expected a field, such as text contains \"…\"")]
    TextForField,
    #[error("expected a field, such as op or len, not {0}")]
    SignForField(&'static str),
    #[error("expected a field, such as op or len, before {0}")]
    KeywordForField(String),
    /// Wireshark's number of a packet.
    #[error("frame.number counts packets; {0} counts records")]
    PacketNumber(&'static str),
    /// A word that is not a field, and the field that was probably meant.
    #[error("there is no such field; {}", meant_or_all(*.0))]
    UnknownField(Option<&'static str>),
    #[error("{} has no value: write its name alone", .0.name())]
    NoValue(FilterField),
    /// `<` and the like with values that have no order.
    #[error("{} has no order: {sign} does not compare it; use == or !=", field.name())]
    NoOrder { field: FilterField, sign: &'static str },
    /// `<` and the like with a rule.
    #[error("rules have no order; {0} takes error, warning or info")]
    RulesHaveNoOrder(&'static str),
    #[error("{operator} works on text, bytes, host, path and finding; {} has no parts", field.name())]
    NoParts { field: FilterField, operator: &'static str },
    #[error("expected {0} here")]
    MissingWord(String),
    #[error("expected {0}; put it in quotes if it is meant as text")]
    NotAWord(String),
    #[error("there is nothing to look for")]
    NothingToFind,
    #[error("expected a set, such as {{ping pong}}")]
    NoSet,
    #[error("the set is empty")]
    EmptySet,
    /// A value that the field cannot have; what it can be.
    #[error("{} is {expected}", field.name())]
    Value {
        field: FilterField,
        /// What its values are.
        expected: &'static str,
    },
    #[error("{}{name} is one of {}{or}", did_you_mean(*.meant), words.join(" "))]
    Word {
        name: &'static str,
        words: Vec<&'static str>,
        /// The word that was probably meant.
        meant: Option<&'static str>,
        /// What else the field can be, after a comma.
        or: &'static str,
    },
    #[error("an opcode has 4 bits: 0 to 15")]
    Opcode,
    #[error("no rule has this id; {}finding takes a rule's id, or error, warning or info", did_you_mean(*.0))]
    Rule(Option<&'static str>),
    #[error("{} takes pairs of hex digits, such as 81:05, or text in quotes", .0.name())]
    Hex(FilterField),
    #[error("the regular expression is too large; use smaller counts")]
    RegexTooLarge,
    /// A regular expression that the regex crate refuses: the last line of its message.
    #[error("not a regular expression: {0}")]
    Regex(String),
}

impl FilterError {
    pub(super) fn new(text: &str, span: Range<usize>, problem: FilterProblem) -> Self {
        Self { problem, span, text: text.to_owned() }
    }

    /// The number of columns before the wrong word, and its width in columns, at least 1.
    pub fn columns(&self) -> (usize, usize) {
        printable::columns(&self.text, &self.span)
    }

    /// The expression in one line, safe for a terminal, and a line with carets under the wrong word.
    pub fn carets(&self) -> [String; 2] {
        printable::carets(&self.text, &self.span)
    }
}

impl From<&regex::Error> for FilterProblem {
    fn from(error: &regex::Error) -> Self {
        if let regex::Error::CompiledTooBig(_) = error {
            return Self::RegexTooLarge;
        }
        // The lines before the last repeat the expression.
        let message = error.to_string();
        let last = message.lines().last().unwrap_or_default();
        Self::Regex(last.trim().trim_start_matches("error: ").to_owned())
    }
}

fn did_you_mean(meant: Option<&str>) -> String {
    meant.map(|word| format!("did you mean {word}? ")).unwrap_or_default()
}

fn meant_or_all(meant: Option<&str>) -> String {
    match meant {
        Some(meant) => format!("did you mean {meant}?"),
        None => {
            let names = FilterField::ALL.iter().map(|field| field.name());
            let names: Vec<&str> = names.take_while(|name| !name.starts_with("web")).collect();
            format!("the fields are {}", names.join(" "))
        }
    }
}
