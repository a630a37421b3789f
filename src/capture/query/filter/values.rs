//! The values that a field can be compared with, read from typed text.

use std::time::Duration;

use super::error::FilterProblem;
use super::expr::{TYPES, Value};
use super::fields::{FieldType, FilterField, nearest};
use crate::proto::dissected::Direction;
use crate::proto::rules::{Rule, Severity};
use crate::wire::opcode::Opcode;

/// The opcodes that have a name.
pub(super) const OPCODES: [Opcode; 6] =
    [Opcode::Text, Opcode::Binary, Opcode::Continuation, Opcode::Ping, Opcode::Pong, Opcode::Close];

/// The severities, the worst first.
pub(super) const SEVERITIES: [Severity; 3] = [Severity::Error, Severity::Warning, Severity::Info];

const SIZES: [(&str, u64); 9] = [
    ("b", 1),
    ("kb", 1000),
    ("kib", 1 << 10),
    ("mb", 1_000_000),
    ("mib", 1 << 20),
    ("gb", 1_000_000_000),
    ("gib", 1 << 30),
    ("tb", 1_000_000_000_000),
    ("tib", 1 << 40),
];

const TIMES: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1000),
    ("µs", 1000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("", 1_000_000_000),
];

/// Reads a value of a field. `quoted`: whether it was typed in quotes.
pub(super) fn read(field: FilterField, typed: &str, quoted: bool) -> Result<Value, FilterProblem> {
    let number_or = |number: Option<u64>, expected| match number {
        Some(number) => Ok(Value::Number(number)),
        None => Err(FilterProblem::Value { field, expected }),
    };
    match field.value_type() {
        FieldType::Flag => {
            let flag = match typed.to_ascii_lowercase().as_str() {
                "true" | "1" => Some(1),
                "false" | "0" => Some(0),
                _ => None,
            };
            number_or(flag, "true or false (1 or 0)")
        }
        FieldType::Number => number_or(number(typed), "a number, such as 1 or 0x1f"),
        FieldType::Size => number_or(number(typed).or_else(|| size(typed)), "a size, such as 125, 64KiB or 1.5MB"),
        FieldType::Time => number_or(scaled(typed, &TIMES), "a time, such as 3.5s, 250ms or 2min"),
        FieldType::Opcode => opcode(field, typed),
        FieldType::Direction => {
            let index = (0..).zip(Direction::BOTH).find(|(_, direction)| direction.name() == typed);
            number_or(index.map(|(index, _)| index), "c2s (client to server) or s2c (server to client)")
        }
        FieldType::Type => match (0..).zip(TYPES).find(|(_, word)| *word == typed) {
            Some((at, _)) => Ok(Value::Number(at)),
            None => Err(expected_word(field, typed, &TYPES, "")),
        },
        FieldType::Finding => finding(typed),
        FieldType::Text => Ok(Value::Text(typed.to_owned())),
        FieldType::Bytes if quoted => Ok(Value::Text(typed.to_owned())),
        FieldType::Bytes => hex_bytes(typed).map(Value::Bytes).ok_or(FilterProblem::Hex(field)),
        FieldType::Presence => Err(FilterProblem::NoValue(field)),
    }
}

fn opcode(field: FilterField, typed: &str) -> Result<Value, FilterProblem> {
    let named = OPCODES.iter().find(|opcode| opcode.name() == typed).map(|opcode| u64::from(opcode.to_wire()));
    match named.or_else(|| number(typed)) {
        Some(n) if n < 16 => Ok(Value::Number(n)),
        Some(_) => Err(FilterProblem::Opcode),
        None => Err(expected_word(field, typed, &OPCODES.map(Opcode::name), ", or 0 to 15")),
    }
}

fn finding(typed: &str) -> Result<Value, FilterProblem> {
    if let Some(severity) = SEVERITIES.into_iter().find(|severity| severity.name() == typed) {
        return Ok(Value::Severity(severity));
    }
    if let Some(rule) = Rule::ALL.iter().find(|rule| rule.id() == typed) {
        return Ok(Value::Rule(*rule));
    }
    let ids = Rule::ALL.iter().map(|rule| (rule.id(), rule.id()));
    let meant = nearest(typed, ids).or_else(|| {
        // The id may have been typed with its words in another order, or only some of them.
        let words: Vec<&str> = typed.split('-').filter(|word| !word.is_empty()).collect();
        let has_words = |rule: &&Rule| words.iter().all(|word| rule.id().contains(word));
        if words.is_empty() { None } else { Rule::ALL.iter().find(has_words).map(|rule| rule.id()) }
    });
    Err(FilterProblem::Rule(meant))
}

fn expected_word(field: FilterField, typed: &str, words: &[&'static str], or: &'static str) -> FilterProblem {
    let meant = nearest(typed, words.iter().map(|word| (*word, *word)));
    FilterProblem::Word { name: field.name(), words: words.to_vec(), meant, or }
}

/// Reads bytes: `81:05`, `81-05`, `8105`, `0x8105`.
pub fn hex_bytes(typed: &str) -> Option<Vec<u8>> {
    let digits = typed.strip_prefix("0x").unwrap_or(typed);
    let bytes = if digits.contains([':', '-']) {
        let pairs = digits.split([':', '-']).map(|pair| if pair.len() == 2 { hex::decode(pair).ok() } else { None });
        pairs.collect::<Option<Vec<_>>>()?.concat()
    } else {
        hex::decode(digits).ok()?
    };
    (!bytes.is_empty()).then_some(bytes)
}

fn number(typed: &str) -> Option<u64> {
    let (digits, radix) = match typed.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None => (typed, 10),
    };
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if plain { u64::from_str_radix(digits, radix).ok() } else { None }
}

/// Reads a size with its unit, such as 64KiB or 1.5MB. Returns bytes.
pub fn size(typed: &str) -> Option<u64> {
    scaled(&typed.to_ascii_lowercase(), &SIZES)
}

/// Reads a time with its unit, such as 500ms or 2s.
pub fn duration(typed: &str) -> Option<Duration> {
    let has_unit = typed.ends_with(|c: char| c.is_alphabetic());
    scaled(typed, &TIMES).filter(|_| has_unit).map(Duration::from_nanos)
}

/// Reads a decimal number with one of these units, exactly. Fractions of the smallest unit are dropped.
fn scaled(typed: &str, units: &[(&str, u64)]) -> Option<u64> {
    let end = typed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(typed.len());
    let (digits, unit) = typed.split_at(end);
    let scale = units.iter().find(|(name, _)| *name == unit)?.1;
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && part.is_empty() || part.contains('.') {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let part = part.get(..18).unwrap_or(part);
    let fraction = match part {
        "" => 0,
        part => u128::from(part.parse::<u64>().ok()?) * u128::from(scale) / 10u128.pow(u32::try_from(part.len()).ok()?),
    };
    whole.checked_mul(scale)?.checked_add(u64::try_from(fraction).ok()?)
}
