//! Completion: the words that can follow in an expression.

use super::expr::TYPES;
use super::fields::{FieldType, FilterField};
use super::lexer::{self, TokenKind};
use super::values::{OPCODES, SEVERITIES};
use crate::proto::rules::Rule;
use crate::wire::opcode::Opcode;

/// Words that may replace the word that is being typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Where the word begins, in bytes of the expression.
    pub from: usize,
    /// The words, the likeliest first.
    pub words: Vec<&'static str>,
}

/// The kind of word that is expected next.
enum Expected {
    FilterField,
    Operator(FilterField),
    /// A value of the field; inside a set if true.
    Value(FilterField, bool),
    Join,
}

/// Completes the last word of `text`, an unfinished expression.
pub fn complete(text: &str) -> Completion {
    let Ok(tokens) = lexer::tokens(text) else { return Completion::default() };
    let mut done = tokens.as_slice();
    let (mut from, mut typed) = (text.len(), "");
    if let Some((last, before)) = tokens.split_last()
        && let TokenKind::Word(_) = last.kind
        && last.span.end == text.len()
    {
        (from, typed) = (last.span.start, &text[last.span.clone()]);
        done = before;
    }
    let expected = done.iter().fold(Expected::FilterField, |expected, token| follow(expected, &token.kind));
    let mut words = candidates(&expected);
    if typed.is_empty() {
        // Wireshark's names are offered to those who begin to type them.
        words.retain(|word| FilterField::named(word).is_none_or(|(_, is_foreign)| !is_foreign));
    }
    // A complete word is not offered again.
    words.retain(|word| word.starts_with(typed) && *word != typed);
    Completion { from, words }
}

/// The last field that an unfinished expression names.
pub fn last_field(text: &str) -> Option<FilterField> {
    let tokens = lexer::tokens(text).ok()?;
    tokens.iter().rev().find_map(|token| match &token.kind {
        TokenKind::Word(word) => FilterField::named(word).map(|(field, _)| field),
        TokenKind::Sign(_) | TokenKind::Quoted(_) => None,
    })
}

fn follow(expected: Expected, kind: &TokenKind) -> Expected {
    let word = match kind {
        TokenKind::Word(word) => word.as_str(),
        TokenKind::Sign(sign) => sign,
        TokenKind::Quoted(_) => "\"",
    };
    match (expected, word) {
        (_, "and" | "or" | "not" | "&&" | "||" | "!" | "(") => Expected::FilterField,
        (Expected::FilterField, word) => match FilterField::named(word) {
            Some((field, _)) => Expected::Operator(field),
            None => Expected::Join,
        },
        (Expected::Operator(_), ")") | (Expected::Value(..), "}" | ")") => Expected::Join,
        (Expected::Operator(field), "in") => Expected::Value(field, true),
        (Expected::Operator(field), _) => Expected::Value(field, false),
        (Expected::Value(field, true), _) => Expected::Value(field, true),
        (Expected::Value(_, false) | Expected::Join, _) => Expected::Join,
    }
}

fn candidates(expected: &Expected) -> Vec<&'static str> {
    match expected {
        Expected::FilterField => FilterField::names().map(|(name, _)| name).chain(["not"]).collect(),
        Expected::Operator(field) => match field.value_type() {
            FieldType::Flag => vec!["and", "or", "==", "!="],
            FieldType::Presence => vec!["and", "or"],
            FieldType::Number | FieldType::Size | FieldType::Time => vec![">", "<", "==", "!=", ">=", "<=", "in"],
            FieldType::Opcode => vec!["==", "!=", "in", ">=", "<="],
            FieldType::Direction | FieldType::Type => vec!["==", "!=", "in"],
            FieldType::Finding => vec!["==", "!=", ">=", "in", "contains", "matches", "and", "or"],
            FieldType::Text | FieldType::Bytes => vec!["contains", "matches", "==", "!=", "in"],
        },
        Expected::Value(field, set) => {
            let mut words: Vec<&'static str> = match field.value_type() {
                FieldType::Flag => vec!["true", "false"],
                FieldType::Opcode => OPCODES.map(Opcode::name).to_vec(),
                FieldType::Direction => vec!["c2s", "s2c"],
                FieldType::Type => TYPES.to_vec(),
                FieldType::Finding => {
                    let severities = SEVERITIES.iter().map(|severity| severity.name());
                    severities.chain(Rule::ALL.iter().map(|rule| rule.id())).collect()
                }
                _ => Vec::new(),
            };
            if *set {
                words.extend(["{", "}"]);
            }
            words
        }
        Expected::Join => vec!["and", "or"],
    }
}
