//! What can stand next in an expression.

use super::expr::TYPES;
use super::fields::{Field, Sort};
use super::lexer::{self, What};
use super::values::{OPCODES, SEVERITIES};
use crate::proto::rules::Rule;
use crate::wire::opcode::Opcode;

/// What may replace the word that is being typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Where the word begins, in bytes of the expression.
    pub from: usize,
    /// What it may become, the likeliest first.
    pub words: Vec<&'static str>,
}

/// What was read last, and so what comes next.
enum Next {
    Field,
    Operator(Field),
    Value(Field, bool),
    Join,
}

/// What can stand at the end of `text`, which is an expression up to where it is typed.
pub fn complete(text: &str) -> Completion {
    let Ok(tokens) = lexer::tokens(text) else { return Completion::default() };
    let mut done = tokens.as_slice();
    let (mut from, mut typed) = (text.len(), "");
    if let Some((last, before)) = tokens.split_last()
        && let What::Word(_) = last.what
        && last.span.end == text.len()
    {
        (from, typed) = (last.span.start, &text[last.span.clone()]);
        done = before;
    }
    let next = done.iter().fold(Next::Field, |next, token| follow(next, &token.what));
    let mut words = candidates(&next);
    // A word that stands complete can be followed, but not become longer.
    words.retain(|word| word.starts_with(typed) && *word != typed);
    Completion { from, words }
}

fn follow(next: Next, what: &What) -> Next {
    let word = match what {
        What::Word(word) => word.as_str(),
        What::Sign(sign) => sign,
        What::Quoted(_) => "\"",
    };
    match (next, word) {
        (_, "and" | "or" | "not" | "&&" | "||" | "!" | "(") => Next::Field,
        (Next::Field, word) => match Field::named(word) {
            Some((field, _)) => Next::Operator(field),
            None => Next::Join,
        },
        (Next::Operator(_), ")") | (Next::Value(..), "}" | ")") => Next::Join,
        (Next::Operator(field), "in") => Next::Value(field, true),
        (Next::Operator(field), _) => Next::Value(field, false),
        (Next::Value(field, true), _) => Next::Value(field, true),
        (Next::Value(_, false) | Next::Join, _) => Next::Join,
    }
}

fn candidates(next: &Next) -> Vec<&'static str> {
    match next {
        Next::Field => Field::names().map(|(name, _)| name).chain(["not"]).collect(),
        Next::Operator(field) => match field.sort() {
            Sort::Flag => vec!["and", "or", "==", "!="],
            Sort::Presence => vec!["and", "or"],
            Sort::Number | Sort::Size | Sort::Time => vec![">", "<", "==", "!=", ">=", "<=", "in"],
            Sort::Opcode => vec!["==", "!=", "in", ">=", "<="],
            Sort::Direction | Sort::Type => vec!["==", "!=", "in"],
            Sort::Finding => vec!["==", "!=", ">=", "in", "contains", "matches", "and", "or"],
            Sort::Text | Sort::Bytes => vec!["contains", "matches", "==", "!=", "in"],
        },
        Next::Value(field, set) => {
            let mut words: Vec<&'static str> = match field.sort() {
                Sort::Flag => vec!["true", "false"],
                Sort::Opcode => OPCODES.map(Opcode::name).to_vec(),
                Sort::Direction => vec!["c2s", "s2c"],
                Sort::Type => TYPES.to_vec(),
                Sort::Finding => {
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
        Next::Join => vec!["and", "or"],
    }
}
