//! What a field can be compared with, read from what was typed.

use super::expr::{TYPES, Value};
use super::fields::{Field, Sort, nearest};
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

/// Reads a value of a field; what is expected instead, when it is none.
pub(super) fn read(field: Field, typed: &str, quoted: bool) -> Result<Value, String> {
    let name = field.name();
    match field.sort() {
        Sort::Flag => match typed.to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(Value::Number(1)),
            "false" | "0" => Ok(Value::Number(0)),
            _ => Err(format!("{name} is true or false (1 or 0)")),
        },
        Sort::Number => {
            number(typed).map(Value::Number).ok_or_else(|| format!("{name} is a number, such as 1 or 0x1f"))
        }
        Sort::Size => match number(typed).or_else(|| size(typed)) {
            Some(bytes) => Ok(Value::Number(bytes)),
            None => Err(format!("{name} is a size, such as 125, 64KiB or 1.5MB")),
        },
        Sort::Time => {
            let nanos = scaled(typed, &TIMES).map(Value::Number);
            nanos.ok_or_else(|| format!("{name} is a time, such as 3.5s, 250ms or 2min"))
        }
        Sort::Opcode => opcode(typed),
        Sort::Direction => match Direction::BOTH.iter().position(|direction| direction.name() == typed) {
            Some(index) => Ok(Value::Number(index as u64)),
            None => Err(format!("{name} is c2s (client to server) or s2c (server to client)")),
        },
        Sort::Type => match TYPES.iter().position(|word| *word == typed) {
            Some(at) => Ok(Value::Number(at as u64)),
            None => Err(expected(name, typed, &TYPES)),
        },
        Sort::Finding => finding(typed),
        Sort::Text => Ok(Value::Text(typed.to_owned())),
        Sort::Bytes if quoted => Ok(Value::Text(typed.to_owned())),
        Sort::Bytes => match hex_bytes(typed) {
            Some(bytes) => Ok(Value::Bytes(bytes)),
            None => Err(format!("{name} takes pairs of hex digits, such as 81:05, or text in quotes")),
        },
        Sort::Presence => Err(format!("{name} has no value: it stands alone")),
    }
}

fn opcode(typed: &str) -> Result<Value, String> {
    let named = OPCODES.iter().find(|opcode| opcode.name() == typed).map(|opcode| u64::from(opcode.to_wire()));
    match named.or_else(|| number(typed)) {
        Some(n) if n < 16 => Ok(Value::Number(n)),
        Some(_) => Err("an opcode has 4 bits: 0 to 15".to_owned()),
        None => Err(format!("{}, or 0 to 15", expected("op", typed, &OPCODES.map(Opcode::name)))),
    }
}

fn finding(typed: &str) -> Result<Value, String> {
    if let Some(severity) = SEVERITIES.into_iter().find(|severity| severity.name() == typed) {
        return Ok(Value::Severity(severity));
    }
    if let Some(rule) = Rule::ALL.iter().find(|rule| rule.id() == typed) {
        return Ok(Value::Rule(*rule));
    }
    let ids = Rule::ALL.iter().map(|rule| (rule.id(), rule.id()));
    let meant = nearest(typed, ids).or_else(|| {
        // Its words in another order, or some of them.
        let words: Vec<&str> = typed.split('-').filter(|word| !word.is_empty()).collect();
        let holds = |rule: &&Rule| words.iter().all(|word| rule.id().contains(word));
        if words.is_empty() { None } else { Rule::ALL.iter().find(holds).map(|rule| rule.id()) }
    });
    let meant = meant.map(|id| format!("did you mean {id}? ")).unwrap_or_default();
    Err(format!("no rule has this id; {meant}finding takes a rule's id, or error, warning or info"))
}

fn expected(name: &str, typed: &str, words: &[&str]) -> String {
    let meant = nearest(typed, words.iter().map(|word| (*word, *word)));
    let meant = meant.map(|word| format!("did you mean {word}? ")).unwrap_or_default();
    format!("{meant}{name} is one of {}", words.join(" "))
}

/// `81:05`, `81-05`, `8105`, `0x8105`.
fn hex_bytes(typed: &str) -> Option<Vec<u8>> {
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

/// A decimal number with its unit, exactly; what is smaller than the smallest unit is dropped.
/// Reads a size with its unit, such as 64KiB or 1.5MB, in bytes.
pub fn size(typed: &str) -> Option<u64> {
    scaled(&typed.to_ascii_lowercase(), &SIZES)
}

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
        part => u128::from(part.parse::<u64>().ok()?) * u128::from(scale) / 10u128.pow(part.len() as u32),
    };
    whole.checked_mul(scale)?.checked_add(u64::try_from(fraction).ok()?)
}
