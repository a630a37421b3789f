//! The filter language, which selects records: `op == ping and len > 125`.
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
//! extend this as in Kleene's logic: `not` moves inwards to the comparisons, and a comparison on an absent field selects nothing
//! (`program.rs`). `!=` is the negation of `==`. A flag alone (`fin`) asks whether it is set; any other field alone
//! (`close.code`) asks whether the record has it. Every record answers that, so `not finding` selects the records without findings.
//!
//! A filter that needs only the index is decided there, without building records (`evaluator.rs`). Comparisons that read bytes are
//! evaluated last.

mod complete;
mod connection_facts;
mod connection_set;
mod error;
mod evaluator;
mod expr;
mod fields;
mod lexer;
mod parser;
mod program;
mod values;

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

pub use complete::{Completion, complete, last_field};
pub use connection_facts::path_of;
pub use connection_set::ConnectionSet;
pub use error::FilterError;
pub use evaluator::FilterEvaluator;
pub use fields::{FieldType, FilterField};
pub use lexer::{quote, unknown_escape, unquote};
pub use values::{duration, hex_bytes, size};

use expr::Expr;
use program::{IndexFacts, Leaf, Program};

use crate::capture::store::record::Record;
use crate::proto::direction::Direction;
use crate::proto::time::Time;

/// A parsed filter expression. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Filter {
    text: Arc<str>,
    expr: Arc<Expr>,
    program: Arc<Program>,
}

impl Filter {
    /// Parses an expression.
    ///
    /// # Errors
    /// If it is not one: what is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let expr = parser::parse(text)?;
        let program = Program::new(&expr);
        Ok(Self { text: text.trim().into(), expr: Arc::new(expr), program: Arc::new(program) })
    }

    /// The expression as it was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns false if the filter selects no record of that connection and direction, whatever it contains.
    pub fn may_select(&self, connection: u32, direction: Direction) -> bool {
        let record = Record::gap(0, connection, direction, 0..0, Time(0));
        let facts = IndexFacts { record: &record, findings: &[], start: Time(0) };
        let known = |leaf: &Leaf| matches!(leaf.test.field, FilterField::Dir | FilterField::Conn);
        let decided = self.program.decide(&mut |leaf| if known(leaf) { leaf.test_index(&facts) } else { None });
        decided != Some(false)
    }

    /// Whether bytes of records must be read to decide; otherwise the index is enough.
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

/// Prints the canonical form, which [`Filter::parse`] reads back as the same filter.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expr.fmt(f)
    }
}
