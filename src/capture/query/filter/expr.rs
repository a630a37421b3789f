//! The expression tree of a filter, and its canonical text.

use std::fmt;

use regex::bytes::Regex;

use super::fields::{FieldType, FilterField};
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

/// A test of one field.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Test {
    pub field: FilterField,
    pub relation: Relation,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Relation {
    /// The record has the field.
    Present,
    /// The field compares to the value in this way.
    Is(Comparison, Value),
    /// The field contains the value.
    Contains(Value),
    /// A part of the field matches the regular expression.
    Matches(RegexPattern),
    /// The field is one of the values or in one of the ranges, both ends included.
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

/// A value that a field is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A number, size or flag; a time in nanoseconds; an opcode's wire value; a direction's index; a type's place in [`TYPES`].
    Number(u64),
    Rule(Rule),
    Severity(Severity),
    Text(String),
    /// Bytes that were typed as hex.
    Bytes(Vec<u8>),
}

/// A regular expression. Two are equal if their texts are.
#[derive(Clone, Debug)]
pub(super) struct RegexPattern {
    pub text: String,
    pub regex: Regex,
}

impl PartialEq for RegexPattern {
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

    /// Whether the comparison is true of a field with this order relative to the value.
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
        let value = |value: &Value| shown(self.field.value_type(), value);
        match &self.relation {
            // A flag's own name asks whether it is set, Wireshark's name whether the record has it.
            Relation::Present if self.field.value_type() == FieldType::Flag => {
                f.write_str(self.field.aliases().first().copied().unwrap_or(name))
            }
            Relation::Present => f.write_str(name),
            Relation::Is(Comparison::Equal, Value::Number(1)) if self.field.value_type() == FieldType::Flag => {
                f.write_str(name)
            }
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

/// Prints a value as it is typed.
pub(super) fn shown(field_type: FieldType, value: &Value) -> String {
    match value {
        Value::Number(n) => match field_type {
            FieldType::Flag => (*n != 0).to_string(),
            FieldType::Opcode => match Opcode::from_wire(u8::try_from(*n).unwrap_or(u8::MAX)) {
                Opcode::Reserved(n) => n.to_string(),
                opcode => opcode.name().to_owned(),
            },
            FieldType::Direction => Direction::BOTH[usize::from(*n != 0)].name().to_owned(),
            FieldType::Type => {
                usize::try_from(*n).ok().and_then(|at| TYPES.get(at)).copied().unwrap_or_default().to_owned()
            }
            FieldType::Time => seconds(*n),
            _ => n.to_string(),
        },
        Value::Rule(rule) => rule.id().to_owned(),
        Value::Severity(severity) => severity.name().to_owned(),
        Value::Text(text) => lexer::quote(text),
        Value::Bytes(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":"),
    }
}

/// Prints nanoseconds as seconds, exactly.
pub(super) fn seconds(nanos: u64) -> String {
    let text = format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000);
    format!("{}s", text.trim_end_matches('0').trim_end_matches('.'))
}
