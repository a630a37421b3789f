//! A compiled expression: negations are moved to the tests, cheap tests come first, and tests are decided from the index if possible.

use std::cmp::Ordering;

use memchr::memmem::Finder;

use super::expr::{Comparison, Expr, Relation, Test, Value};
use super::fields::FilterField;
use crate::capture::store::record::Record;
use crate::proto::dissected::Kind;
use crate::proto::rules::{Finding, Rule};
use crate::proto::time::Time;
use crate::wire::opcode::Opcode;

/// A compiled expression. Only its leaves are negated, so a test of a field that the record lacks selects nothing.
#[derive(Debug)]
pub(super) enum Program {
    Any(Vec<Self>),
    All(Vec<Self>),
    Leaf(Box<Leaf>),
}

/// A test of one field.
#[derive(Debug)]
pub(super) struct Leaf {
    pub test: Test,
    /// The result that selects a record.
    pub want: bool,
    /// Finds the value of `contains`.
    pub finder: Option<Finder<'static>>,
    /// Its position among the leaves of the program.
    pub slot: usize,
}

/// The facts about a record that the index holds.
pub(super) struct IndexFacts<'a> {
    /// The record without its findings and without the number of the record that it answers.
    pub record: &'a Record,
    pub findings: &'a [(u64, Finding)],
    /// The time of the first record.
    pub start: Time,
}

/// The state of a record's field, as far as the index holds it.
pub(super) enum FieldState {
    /// The record lacks it.
    Absent,
    /// A number.
    Number(u64),
    /// The record has the field, and it has no value.
    Present,
    /// The record has findings, at least one.
    Findings,
    /// It depends on the connection's handshake or on the record's bytes.
    NotInIndex,
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

    /// 0: needs the record's index entry; 1: needs the connection's handshake; 2: reads bytes.
    fn cost(&self) -> u8 {
        match self {
            Self::Any(parts) | Self::All(parts) => parts.iter().map(Self::cost).max().unwrap_or(0),
            Self::Leaf(leaf) => leaf.cost(),
        }
    }

    pub fn reads_bytes(&self) -> bool {
        self.cost() > 1
    }

    /// Combines the results of the leaves: `None` if the result depends on a leaf for which `leaf` returns `None`.
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
            FilterField::Host | FilterField::Path => 1,
            FilterField::Text | FilterField::Bytes | FilterField::Payload | FilterField::MaskingKey => 2,
            _ => 0,
        }
    }

    /// Tests a record by its index entry; `None` if that is not enough.
    #[inline]
    pub fn test_index(&self, facts: &IndexFacts<'_>) -> Option<bool> {
        let present = matches!(self.test.relation, Relation::Present);
        match look_up(self.test.field, facts) {
            FieldState::NotInIndex => None,
            FieldState::Absent if present => Some(!self.want),
            FieldState::Absent => Some(false),
            _ if present => Some(self.want),
            FieldState::Number(number) => Some(self.test_number(number) == self.want),
            FieldState::Findings => {
                let any = facts.findings.iter().any(|(_, finding)| self.test_rule(finding.rule));
                Some(any == self.want)
            }
            FieldState::Present => Some(false),
        }
    }

    #[inline]
    fn test_number(&self, number: u64) -> bool {
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

    fn test_rule(&self, rule: Rule) -> bool {
        match &self.test.relation {
            Relation::Is(comparison, to) => comparison.holds(against(rule, to)),
            Relation::In(items) => items.iter().any(|(one, _)| against(rule, one).is_eq()),
            Relation::Contains(Value::Text(part)) => rule.id().contains(part.as_str()),
            Relation::Matches(pattern) => pattern.regex.is_match(rule.id().as_bytes()),
            _ => false,
        }
    }

    /// Tests a whole text or byte string.
    pub fn test_bytes(&self, bytes: &[u8]) -> bool {
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

/// Looks a field up in the record's index entry.
#[inline]
fn look_up(field: FilterField, facts: &IndexFacts<'_>) -> FieldState {
    let record = facts.record;
    let frame = matches!(record.kind, Kind::Frame | Kind::CutFrame);
    // A cut frame may lack its second byte.
    let second = frame && record.wire_len >= 2;
    let number_if = |present: bool, number: u64| if present { FieldState::Number(number) } else { FieldState::Absent };
    let present_if = |present: bool| if present { FieldState::Present } else { FieldState::Absent };
    let bit = |n: u8| number_if(frame, u64::from(record.lead[0] >> n & 1));
    let bytes_if = |present: bool| if present { FieldState::NotInIndex } else { FieldState::Absent };
    let opcode = record.opcode();
    match field {
        FilterField::No => FieldState::Number(record.no),
        FilterField::Type => FieldState::Number(type_of(record.kind)),
        FilterField::Conn => FieldState::Number(u64::from(record.connection)),
        FilterField::Stream => FieldState::Number(u64::from(record.connection) - 1),
        FilterField::Dir => number_if(record.known_direction().is_some(), record.direction as u64),
        // A record of another clock may be earlier than the first one: it counts as 0.
        FilterField::Time => FieldState::Number(u64::try_from(record.time.nanos_since(facts.start)).unwrap_or(0)),
        FilterField::Op => number_if(frame, opcode.map_or(0, |opcode| u64::from(opcode.to_wire()))),
        FilterField::Fin => bit(7),
        FilterField::Rsv1 => bit(6),
        FilterField::Rsv2 => bit(5),
        FilterField::Rsv3 => bit(4),
        FilterField::Rsv => number_if(frame, u64::from(record.lead[0] >> 4 & 7)),
        FilterField::Mask => number_if(second, u64::from(record.masked())),
        FilterField::PayloadLength => number_if(second, u64::from(record.len_code())),
        FilterField::Len => number_if(second, record.payload_len().unwrap_or(0)),
        FilterField::Compressed => number_if(frame, u64::from(record.compressed)),
        FilterField::Message => number_if(record.message.is_some(), u64::from(record.message.unwrap_or(0))),
        FilterField::Status => number_if(record.kind == Kind::Response, u64::from(record.code)),
        FilterField::CloseCode => number_if(opcode == Some(Opcode::Close) && record.code > 0, u64::from(record.code)),
        FilterField::Finding => match facts.findings {
            [] => FieldState::Absent,
            _ => FieldState::Findings,
        },
        FilterField::Websocket => present_if(frame),
        FilterField::Http => present_if(matches!(record.kind, Kind::Request | Kind::Response)),
        FilterField::Request => present_if(record.kind == Kind::Request),
        FilterField::Response => present_if(record.kind == Kind::Response),
        FilterField::Host | FilterField::Path => FieldState::NotInIndex,
        FilterField::Text => bytes_if(frame && (record.compressed || opcode != Some(Opcode::Binary))),
        FilterField::Payload => bytes_if(frame),
        FilterField::MaskingKey => bytes_if(second && record.masked()),
        FilterField::Bytes => bytes_if(record.wire_len > 0 && record.kind != Kind::Gap),
    }
}

/// The position of a kind's word in [`super::expr::TYPES`].
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
