//! An expression made ready: negations moved to the comparisons, what costs less first, what the index tells decided there.

use std::cmp::Ordering;

use memchr::memmem::Finder;

use super::expr::{Comparison, Expr, Relation, Test, Value};
use super::fields::Field;
use crate::capture::store::record::Record;
use crate::proto::dissected::Kind;
use crate::proto::rules::{Finding, Rule};
use crate::proto::time::Time;
use crate::wire::opcode::Opcode;

/// What an expression asks. There is no negation but at the leaves, so a field that a record lacks is just not selected.
#[derive(Debug)]
pub(super) enum Program {
    Any(Vec<Self>),
    All(Vec<Self>),
    Leaf(Box<Leaf>),
}

/// A question about one field, and the answer that is wanted.
#[derive(Debug)]
pub(super) struct Leaf {
    pub test: Test,
    pub want: bool,
    /// What `contains` looks for.
    pub finder: Option<Finder<'static>>,
    /// Its place among the leaves of the program.
    pub slot: usize,
}

/// What the index knows of a record.
pub(super) struct Known<'a> {
    /// Without its findings and what it answers.
    pub record: &'a Record,
    pub findings: &'a [(u64, Finding)],
    /// When the first record was complete.
    pub start: Time,
}

/// What a field of a record is.
pub(super) enum Found {
    /// The record lacks it.
    Absent,
    /// The record has it, and it is a number.
    Number(u64),
    /// The record has it; nothing is to be compared.
    There,
    /// One of the record's findings, of which there is at least one.
    Findings,
    /// Only the connection's facts or the record's bytes tell.
    Elsewhere,
}

impl Program {
    pub fn new(expr: &Expr) -> Self {
        let mut slots = 0;
        Self::wanting(expr, true, &mut slots)
    }

    fn wanting(expr: &Expr, want: bool, slots: &mut usize) -> Self {
        let parts = |parts: &[Expr], slots: &mut usize| {
            let mut parts: Vec<Self> = parts.iter().map(|part| Self::wanting(part, want, slots)).collect();
            parts.sort_by_key(Self::cost);
            parts
        };
        match (expr, want) {
            (Expr::Not(inner), _) => Self::wanting(inner, !want, slots),
            (Expr::Any(all), true) | (Expr::All(all), false) => Self::Any(parts(all, slots)),
            (Expr::All(all), true) | (Expr::Any(all), false) => Self::All(parts(all, slots)),
            (Expr::Test(test), _) => {
                let slot = *slots;
                *slots += 1;
                Self::Leaf(Box::new(Leaf::new(test.clone(), want, slot)))
            }
        }
    }

    /// 0: the index tells. 1: the connection. 2: bytes.
    fn cost(&self) -> u8 {
        match self {
            Self::Any(parts) | Self::All(parts) => parts.iter().map(Self::cost).max().unwrap_or(0),
            Self::Leaf(leaf) => leaf.cost(),
        }
    }

    pub fn reads_bytes(&self) -> bool {
        self.cost() > 1
    }

    /// The answer, as far as `leaf` gives answers: `None` when it depends on what it does not tell.
    pub fn decide(&self, leaf: &mut impl FnMut(&Leaf) -> Option<bool>) -> Option<bool> {
        let (parts, settles) = match self {
            Self::Leaf(one) => return leaf(one),
            Self::Any(parts) => (parts, true),
            Self::All(parts) => (parts, false),
        };
        let mut answer = Some(!settles);
        for part in parts {
            match part.decide(leaf) {
                Some(is) if is == settles => return Some(settles),
                Some(_) => {}
                None => answer = None,
            }
        }
        answer
    }
}

impl Leaf {
    fn new(mut test: Test, mut want: bool, slot: usize) -> Self {
        if let Relation::Is(comparison @ Comparison::NotEqual, _) = &mut test.relation {
            *comparison = Comparison::Equal;
            want = !want;
        }
        let finder = match &test.relation {
            Relation::Contains(Value::Text(text)) => Some(Finder::new(text.as_bytes()).into_owned()),
            Relation::Contains(Value::Bytes(bytes)) => Some(Finder::new(bytes).into_owned()),
            _ => None,
        };
        Self { test, want, finder, slot }
    }

    fn cost(&self) -> u8 {
        match self.test.field {
            Field::Host | Field::Path => 1,
            Field::Text | Field::Bytes | Field::Payload | Field::MaskingKey => 2,
            _ => 0,
        }
    }

    /// What the index tells about the question; `None` when it is not enough.
    #[inline]
    pub fn of_index(&self, known: &Known<'_>) -> Option<bool> {
        let present = matches!(self.test.relation, Relation::Present);
        match found(self.test.field, known) {
            Found::Elsewhere => None,
            Found::Absent if present => Some(!self.want),
            Found::Absent => Some(false),
            _ if present => Some(self.want),
            Found::Number(number) => Some(self.of_number(number) == self.want),
            Found::Findings => {
                let any = known.findings.iter().any(|(_, finding)| self.of_rule(finding.rule));
                Some(any == self.want)
            }
            Found::There => Some(false),
        }
    }

    #[inline]
    fn of_number(&self, number: u64) -> bool {
        match &self.test.relation {
            Relation::Is(comparison, Value::Number(to)) => comparison.holds(number.cmp(to)),
            Relation::In(items) => items.iter().any(|item| match item {
                (Value::Number(from), Some(Value::Number(to))) => (*from..=*to).contains(&number),
                (Value::Number(one), None) => number == *one,
                _ => false,
            }),
            _ => false,
        }
    }

    fn of_rule(&self, rule: Rule) -> bool {
        match &self.test.relation {
            Relation::Is(comparison, to) => comparison.holds(against(rule, to)),
            Relation::In(items) => items.iter().any(|(one, _)| against(rule, one).is_eq()),
            Relation::Contains(Value::Text(part)) => rule.id().contains(part.as_str()),
            Relation::Matches(pattern) => pattern.regex.is_match(rule.id().as_bytes()),
            _ => false,
        }
    }

    /// The answer for text or bytes that are at hand as a whole.
    pub fn of_bytes(&self, bytes: &[u8]) -> bool {
        match &self.test.relation {
            Relation::Is(_, value) => is_value(bytes, value),
            Relation::In(items) => items.iter().any(|(value, _)| is_value(bytes, value)),
            Relation::Contains(_) => self.finder.as_ref().is_some_and(|finder| finder.find(bytes).is_some()),
            Relation::Matches(pattern) => pattern.regex.is_match(bytes),
            Relation::Present => true,
        }
    }
}

fn against(rule: Rule, to: &Value) -> Ordering {
    match to {
        Value::Severity(severity) => rule.severity().cmp(severity),
        Value::Rule(other) => rule.cmp(other),
        _ => Ordering::Less,
    }
}

fn is_value(bytes: &[u8], value: &Value) -> bool {
    match value {
        Value::Text(text) => text.as_bytes() == bytes,
        Value::Bytes(other) => other == bytes,
        _ => false,
    }
}

/// A field of a record, as far as the index tells.
#[inline]
fn found(field: Field, known: &Known<'_>) -> Found {
    let record = known.record;
    let frame = matches!(record.kind, Kind::Frame | Kind::CutFrame);
    // What stands in the second byte is there only when that was captured.
    let second = frame && record.wire_len >= 2;
    let when = |there: bool, number: u64| if there { Found::Number(number) } else { Found::Absent };
    let there = |there: bool| if there { Found::There } else { Found::Absent };
    let bit = |n: u8| when(frame, u64::from(record.lead[0] >> n & 1));
    let elsewhere = |there: bool| if there { Found::Elsewhere } else { Found::Absent };
    let opcode = record.opcode();
    match field {
        Field::No => Found::Number(record.no),
        Field::Type => Found::Number(type_of(record.kind)),
        Field::Conn => Found::Number(u64::from(record.connection)),
        Field::Stream => Found::Number(u64::from(record.connection) - 1),
        Field::Dir => when(record.known_direction().is_some(), record.direction as u64),
        // What was seen before the first record, by another clock, counts as its beginning.
        Field::Time => Found::Number(u64::try_from(record.time.nanos_since(known.start)).unwrap_or(0)),
        Field::Op => when(frame, opcode.map_or(0, |opcode| u64::from(opcode.to_wire()))),
        Field::Fin => bit(7),
        Field::Rsv1 => bit(6),
        Field::Rsv2 => bit(5),
        Field::Rsv3 => bit(4),
        Field::Rsv => when(frame, u64::from(record.lead[0] >> 4 & 7)),
        Field::Mask => when(second, u64::from(record.masked())),
        Field::PayloadLength => when(second, u64::from(record.len_code())),
        Field::Len => when(second, record.payload_len().unwrap_or(0)),
        Field::Compressed => when(frame, u64::from(record.compressed)),
        Field::Message => when(record.message.is_some(), u64::from(record.message.unwrap_or(0))),
        Field::Status => when(record.kind == Kind::Response, u64::from(record.code)),
        Field::CloseCode => when(opcode == Some(Opcode::Close) && record.code > 0, u64::from(record.code)),
        Field::Finding => match known.findings {
            [] => Found::Absent,
            _ => Found::Findings,
        },
        Field::Websocket => there(frame),
        Field::Http => there(matches!(record.kind, Kind::Request | Kind::Response)),
        Field::Request => there(record.kind == Kind::Request),
        Field::Response => there(record.kind == Kind::Response),
        Field::Host | Field::Path => Found::Elsewhere,
        Field::Text => elsewhere(frame && (record.compressed || opcode != Some(Opcode::Binary))),
        Field::Payload => elsewhere(frame),
        Field::MaskingKey => elsewhere(second && record.masked()),
        Field::Bytes => elsewhere(record.wire_len > 0 && record.kind != Kind::Gap),
    }
}

/// The place of a kind's word in [`super::expr::TYPES`].
const fn type_of(kind: Kind) -> u64 {
    match kind {
        Kind::Request => 0,
        Kind::Response => 1,
        Kind::Frame => 2,
        Kind::Gap => 3,
        Kind::Junk => 4,
        Kind::CutHttp | Kind::CutFrame => 5,
        Kind::End(_) => 6,
    }
}
