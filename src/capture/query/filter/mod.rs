//! A small language that chooses records: `op == ping and len > 125`.
//!
//! ```text
//! any   := all  { ("or"  | "||") all }
//! all   := not  { ("and" | "&&") not }
//! not   := ("not" | "!") not | "(" any ")" | test
//! test  := FIELD [ ("==" | "!=" | "<" | "<=" | ">" | ">=") VALUE
//!                | "contains" VALUE | ("matches" | "~") REGEX | "in" "{" VALUE { [","] VALUE } "}" ]
//! ```
//!
//! **Absent fields.** A comparison on a field that a record lacks is neither true nor false: it does not select the record, and
//! its negation does not either. So `not (len > 5)` selects frames of at most 5 bytes, and no handshake. `and`, `or` and `not`
//! extend this as Kleene's logic does; `not` thereby moves inwards to the comparisons, where a lacking field is simply not
//! selected (`program.rs`). `!=` is the negation of `==`. A bare flag (`fin`) asks whether it is set; any other bare field
//! (`close.code`) asks whether the record has it, which every record answers, so that `not finding` selects those without.
//!
//! A filter that asks for nothing but what the index holds is decided there, without building records (`sieve.rs`); whatever
//! needs bytes is asked last.

mod complete;
mod expr;
mod fields;
mod lexer;
mod parser;
mod program;
mod sieve;
mod values;

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

use unicode_width::UnicodeWidthStr as _;

pub use complete::{Completion, complete};
pub use fields::{Field, Sort};
pub use lexer::quote;
pub use sieve::{Passed, Sieve, path_of};
pub use values::size;

use crate::wire::printable;
use expr::Expr;
use program::Program;

/// A filter, ready to be applied. Clones share it.
#[derive(Clone, Debug)]
pub struct Filter {
    text: Arc<str>,
    expr: Arc<Expr>,
    program: Arc<Program>,
}

impl Filter {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let expr = parser::parse(text)?;
        let program = Program::new(&expr);
        Ok(Self { text: text.trim().into(), expr: Arc::new(expr), program: Arc::new(program) })
    }

    /// As it was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether bytes of records must be read to decide; otherwise the index tells.
    pub fn reads_bytes(&self) -> bool {
        self.program.reads_bytes()
    }
}

impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        self.expr == other.expr
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        Self::parse(text)
    }
}

/// In its canonical form, which [`Filter::parse`] reads back as the same filter.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expr.fmt(f)
    }
}

/// What is wrong with an expression: a sentence, and the place.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{sentence}")]
pub struct FilterError {
    /// What is expected there.
    pub sentence: String,
    /// The wrong word, in bytes of the expression; empty at its end when something is missing.
    pub span: Range<usize>,
    /// The expression.
    pub text: String,
}

impl FilterError {
    fn new(text: &str, span: Range<usize>, sentence: String) -> Self {
        Self { sentence, span, text: text.to_owned() }
    }

    /// How many columns stand before the wrong word, and how many it takes: at least one.
    pub fn columns(&self) -> (usize, usize) {
        let width = |part: &str| printable::text(part).width();
        let before = width(&self.text[..self.span.start]);
        (before, width(&self.text[self.span.clone()]).max(1))
    }

    /// The expression in a line, safe for a terminal, and a line with carets under the wrong word.
    pub fn carets(&self) -> [String; 2] {
        let (before, under) = self.columns();
        [printable::text(&self.text).into_owned(), format!("{}{}", " ".repeat(before), "^".repeat(under))]
    }
}
