//! An expression, taken apart, and printed again.

use std::fmt;

use regex::bytes::Regex;

use super::fields::{Field, Sort};
use super::lexer;
use crate::proto::dissected::Direction;
use crate::proto::rules::{Rule, Severity};
use crate::wire::opcode::Opcode;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    /// One of them; at least two, none itself an [`Expr::Any`].
    Any(Vec<Self>),
    /// All of them; at least two, none itself an [`Expr::All`].
    All(Vec<Self>),
    Not(Box<Self>),
    Test(Test),
}

/// A question about a field.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Test {
    pub field: Field,
    pub relation: Relation,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Relation {
    /// The record has the field.
    Present,
    /// The field compares so with the value.
    Is(Comparison, Value),
    /// The field holds the value somewhere.
    Contains(Value),
    /// The field matches the regular expression somewhere.
    Matches(Pattern),
    /// The field is one of the values or lies in one of the ranges, ends included.
    In(Vec<(Value, Option<Value>)>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// What a field is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A number, size or flag; a time in nanoseconds; an opcode's wire value; a direction's index; a type's place in [`TYPES`].
    Number(u64),
    Rule(Rule),
    Severity(Severity),
    Text(String),
    /// Bytes that were written as hex.
    Bytes(Vec<u8>),
}

/// A regular expression. Two are the same when their text is.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub text: String,
    pub regex: Regex,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// The words of `type`.
pub(super) const TYPES: [&str; 7] = ["request", "response", "frame", "gap", "junk", "cut", "end"];

impl Comparison {
    pub const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::Equal, "==", "eq"),
        (Self::NotEqual, "!=", "ne"),
        (Self::Less, "<", "lt"),
        (Self::AtMost, "<=", "le"),
        (Self::More, ">", "gt"),
        (Self::AtLeast, ">=", "ge"),
    ];

    /// Whether something is so when it stands in that order to the value.
    pub fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::More => order.is_gt(),
            Self::AtLeast => order.is_ge(),
        }
    }

    const fn sign(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut fmt::Formatter<'_>, parts: &[Self], word: &str, bracket: fn(&Self) -> bool| {
            for (i, part) in parts.iter().enumerate() {
                let between = if i > 0 { word } else { "" };
                if bracket(part) { write!(f, "{between}({part})")? } else { write!(f, "{between}{part}")? }
            }
            Ok(())
        };
        match self {
            Self::Any(parts) => joined(f, parts, " or ", |_| false),
            Self::All(parts) => joined(f, parts, " and ", |part| matches!(part, Self::Any(_))),
            Self::Not(inner) if matches!(**inner, Self::Any(_) | Self::All(_)) => write!(f, "not ({inner})"),
            Self::Not(inner) => write!(f, "not {inner}"),
            Self::Test(test) => test.fmt(f),
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.field.name();
        let value = |value: &Value| shown(self.field.sort(), value);
        match &self.relation {
            // A flag's own name asks whether it is set, Wireshark's whether it is there.
            Relation::Present if self.field.sort() == Sort::Flag => {
                f.write_str(self.field.aliases().first().copied().unwrap_or(name))
            }
            Relation::Present => f.write_str(name),
            Relation::Is(Comparison::Equal, Value::Number(1)) if self.field.sort() == Sort::Flag => f.write_str(name),
            Relation::Is(comparison, to) => write!(f, "{name} {} {}", comparison.sign(), value(to)),
            Relation::Contains(what) => write!(f, "{name} contains {}", value(what)),
            Relation::Matches(pattern) => write!(f, "{name} matches {}", lexer::quote(&pattern.text)),
            Relation::In(items) => {
                let items: Vec<String> = items
                    .iter()
                    .map(|(from, to)| match to {
                        Some(to) => format!("{}..{}", value(from), value(to)),
                        None => value(from),
                    })
                    .collect();
                write!(f, "{name} in {{{}}}", items.join(" "))
            }
        }
    }
}

/// A value as it is typed.
pub(super) fn shown(sort: Sort, value: &Value) -> String {
    match value {
        Value::Number(n) => match sort {
            Sort::Flag => (*n != 0).to_string(),
            Sort::Opcode => match Opcode::from_wire(*n as u8) {
                Opcode::Reserved(n) => n.to_string(),
                opcode => opcode.name().to_owned(),
            },
            Sort::Direction => Direction::BOTH[usize::from(*n != 0)].name().to_owned(),
            Sort::Type => TYPES.get(*n as usize).copied().unwrap_or_default().to_owned(),
            Sort::Time => seconds(*n),
            _ => n.to_string(),
        },
        Value::Rule(rule) => rule.id().to_owned(),
        Value::Severity(severity) => severity.name().to_owned(),
        Value::Text(text) => lexer::quote(text),
        Value::Bytes(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":"),
    }
}

/// Nanoseconds as seconds, exactly.
pub(super) fn seconds(nanos: u64) -> String {
    let text = format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000);
    format!("{}s", text.trim_end_matches('0').trim_end_matches('.'))
}
