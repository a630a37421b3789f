//! Parses tokens into an expression by recursive descent: or, and, not, then a test of a field.

use std::ops::Range;

use regex::bytes::RegexBuilder;

use super::error::{FilterError, FilterProblem};
use super::expr::{Comparison, Expr, RegexPattern, Relation, Test, Value};
use super::fields::{FieldType, FilterField};
use super::lexer::{self, Token, TokenKind};
use super::values;

/// How deeply parentheses and `not` may be nested.
const MAX_DEPTH: usize = 64;

/// The longest expression, in bytes.
const MAX_LEN: usize = 4096;

/// How large a regular expression may become, in bytes.
const MAX_REGEX: usize = 1 << 20;

/// Reads an expression.
pub(super) fn parse(text: &str) -> Result<Expr, FilterError> {
    if text.len() > MAX_LEN {
        return Err(FilterError::new(text, 0..text.len(), FilterProblem::TooLong(MAX_LEN)));
    }
    let tokens = lexer::tokens(text)?;
    let mut parser = Parser { text, tokens: &tokens, at: 0, depth: 0 };
    let expr = parser.any()?;
    match parser.peek() {
        None => Ok(expr),
        Some(TokenKind::Sign(")")) => Err(parser.wrong(FilterProblem::ClosedParenthesis)),
        Some(TokenKind::Sign("=")) => Err(parser.wrong(FilterProblem::SecondEquals)),
        Some(TokenKind::Sign("&")) => Err(parser.wrong(FilterProblem::SingleAnd)),
        Some(_) => Err(parser.wrong(FilterProblem::AfterTheEnd)),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&TokenKind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    /// The span of the next token; empty at the end of the expression.
    fn span(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(self.text.len()..self.text.len(), |token| token.span.clone())
    }

    fn wrong(&self, problem: FilterProblem) -> FilterError {
        FilterError::new(self.text, self.span(), problem)
    }

    /// Consumes the next token if it is one of these words or signs.
    fn takes(&mut self, words: &[&str]) -> bool {
        let is = match self.peek() {
            Some(TokenKind::Word(word)) => words.contains(&word.as_str()),
            Some(TokenKind::Sign(sign)) => words.contains(sign),
            _ => false,
        };
        self.at += usize::from(is);
        is
    }

    fn any(&mut self) -> Result<Expr, FilterError> {
        let mut parts = Vec::new();
        loop {
            match self.all()? {
                Expr::Any(inner) => parts.extend(inner),
                part => parts.push(part),
            }
            if !self.takes(&["or", "||"]) {
                return Ok(one_or(parts, Expr::Any));
            }
        }
    }

    fn all(&mut self) -> Result<Expr, FilterError> {
        let mut parts = Vec::new();
        loop {
            match self.not()? {
                Expr::All(inner) => parts.extend(inner),
                part => parts.push(part),
            }
            if !self.takes(&["and", "&&"]) {
                return Ok(one_or(parts, Expr::All));
            }
        }
    }

    fn not(&mut self) -> Result<Expr, FilterError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.wrong(FilterProblem::TooDeep(MAX_DEPTH)));
        }
        let expr = if self.takes(&["not", "!"]) {
            Expr::Not(Box::new(self.not()?))
        } else if matches!(self.peek(), Some(TokenKind::Sign("("))) {
            let open = self.span();
            self.at += 1;
            let inner = self.any()?;
            if !self.takes(&[")"]) {
                return Err(match self.peek() {
                    Some(_) => self.wrong(FilterProblem::BeforeParenthesis),
                    None => FilterError::new(self.text, open, FilterProblem::OpenParenthesis),
                });
            }
            inner
        } else {
            Expr::Test(self.test()?)
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn test(&mut self) -> Result<Test, FilterError> {
        let (field, foreign) = self.field()?;
        let field_type = field.value_type();
        if self.takes(&["contains"]) {
            return self.test_of_parts(field, "contains", |parser| Ok(Relation::Contains(parser.part(field)?)));
        }
        if self.takes(&["matches", "~"]) {
            return self.test_of_parts(field, "matches", |parser| Ok(Relation::Matches(parser.pattern()?)));
        }
        if self.takes(&["in"]) {
            self.comparable(field)?;
            return Ok(Test { field, relation: Relation::In(self.set(field)?) });
        }
        let is_meant = |parser: &mut Self, (of, sign, word): &(Comparison, &'static str, &'static str)| {
            // Many languages compare with a single sign, and no other meaning is possible.
            parser.takes(&[sign, word]) || *of == Comparison::Equal && parser.takes(&["="])
        };
        let comparison = Comparison::ALL.into_iter().find(|known| is_meant(self, known));
        let Some((comparison, sign, _)) = comparison else {
            let set = field_type == FieldType::Flag && !foreign;
            let relation = if set { Relation::Is(Comparison::Equal, Value::Number(1)) } else { Relation::Present };
            return Ok(Test { field, relation });
        };
        self.at -= 1;
        self.comparable(field)?;
        let ordered = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        if !ordered
            && !matches!(
                field_type,
                FieldType::Number | FieldType::Size | FieldType::Time | FieldType::Opcode | FieldType::Finding
            )
        {
            return Err(self.wrong(FilterProblem::NoOrder { field, sign }));
        }
        self.at += 1;
        let span = self.span();
        let value = self.value(field)?;
        if !ordered && matches!(value, Value::Rule(_)) {
            return Err(FilterError::new(self.text, span, FilterProblem::RulesHaveNoOrder(sign)));
        }
        Ok(Test { field, relation: Relation::Is(comparison, value) })
    }

    /// Reads a field. Returns whether it was named as in Wireshark too.
    fn field(&mut self) -> Result<(FilterField, bool), FilterError> {
        let known = match self.peek() {
            Some(TokenKind::Word(word)) => match FilterField::named(word) {
                Some(known) => known,
                None => return Err(self.wrong(not_a_field(word))),
            },
            Some(TokenKind::Quoted(_)) => return Err(self.wrong(FilterProblem::TextForField)),
            Some(TokenKind::Sign(sign)) => {
                return Err(self.wrong(FilterProblem::SignForField(sign)));
            }
            None if self.at == 0 => return Err(self.wrong(FilterProblem::Empty)),
            None => return Err(self.wrong(FilterProblem::NoField)),
        };
        self.at += 1;
        Ok(known)
    }

    fn comparable(&self, field: FilterField) -> Result<(), FilterError> {
        if field.value_type() != FieldType::Presence {
            return Ok(());
        }
        Err(self.wrong(FilterProblem::NoValue(field)))
    }

    /// Reads the value after `contains` or `matches`, for fields that have parts.
    fn test_of_parts(
        &mut self,
        field: FilterField,
        operator: &'static str,
        read: impl FnOnce(&mut Self) -> Result<Relation, FilterError>,
    ) -> Result<Test, FilterError> {
        if matches!(field.value_type(), FieldType::Text | FieldType::Bytes | FieldType::Finding) {
            return Ok(Test { field, relation: read(self)? });
        }
        self.at -= 1;
        Err(self.wrong(FilterProblem::NoParts { field, operator }))
    }

    /// Reads a value. Returns whether it is in quotes too.
    fn word(&mut self, expected: &str) -> Result<(String, bool), FilterError> {
        let word = match self.peek() {
            Some(TokenKind::Word(word)) if !lexer::is_keyword(word) => (word.clone(), false),
            Some(TokenKind::Quoted(text)) => (text.clone(), true),
            Some(_) => return Err(self.wrong(FilterProblem::NotAWord(expected.to_owned()))),
            None => return Err(self.wrong(FilterProblem::MissingWord(expected.to_owned()))),
        };
        self.at += 1;
        Ok(word)
    }

    fn value(&mut self, field: FilterField) -> Result<Value, FilterError> {
        let span = self.span();
        let (word, quoted) = self.word(&format!("a value for {}", field.name()))?;
        values::read(field, &word, quoted).map_err(|problem| FilterError::new(self.text, span, problem))
    }

    /// Reads the value after `contains`: for a finding, a part of its rule's id.
    fn part(&mut self, field: FilterField) -> Result<Value, FilterError> {
        let span = self.span();
        if field.value_type() == FieldType::Finding {
            return Ok(Value::Text(self.word("a part of a rule's id")?.0));
        }
        match self.value(field)? {
            Value::Text(text) if text.is_empty() => {
                Err(FilterError::new(self.text, span, FilterProblem::NothingToFind))
            }
            value => Ok(value),
        }
    }

    fn pattern(&mut self) -> Result<RegexPattern, FilterError> {
        let span = self.span();
        let (text, _) = self.word("a regular expression")?;
        let regex = RegexBuilder::new(&text)
            .case_insensitive(true)
            .size_limit(MAX_REGEX)
            .dfa_size_limit(MAX_REGEX)
            .nest_limit(100)
            .build();
        match regex {
            Ok(regex) => Ok(RegexPattern { text, regex }),
            Err(e) => Err(FilterError::new(self.text, span, FilterProblem::from(&e))),
        }
    }

    /// Reads `{ping pong}` or `{1000..1003, 1011}`.
    fn set(&mut self, field: FilterField) -> Result<Vec<(Value, Option<Value>)>, FilterError> {
        if !self.takes(&["{"]) {
            return Err(self.wrong(FilterProblem::NoSet));
        }
        let mut items = Vec::new();
        while !self.takes(&["}"]) {
            if !items.is_empty() {
                self.takes(&[","]);
            }
            items.push(self.item(field)?);
        }
        if items.is_empty() {
            self.at -= 1;
            return Err(self.wrong(FilterProblem::EmptySet));
        }
        Ok(items)
    }

    fn item(&mut self, field: FilterField) -> Result<(Value, Option<Value>), FilterError> {
        let span = self.span();
        let ranges =
            matches!(field.value_type(), FieldType::Number | FieldType::Size | FieldType::Time | FieldType::Opcode);
        let ends = match self.peek() {
            Some(TokenKind::Word(word)) if ranges => word.split_once(".."),
            _ => None,
        };
        let Some((from, to)) = ends.map(|(from, to)| (from.to_owned(), to.to_owned())) else {
            return Ok((self.value(field)?, None));
        };
        self.at += 1;
        let read = |word: &str| {
            values::read(field, word, false).map_err(|problem| FilterError::new(self.text, span.clone(), problem))
        };
        Ok((read(&from)?, Some(read(&to)?)))
    }
}

fn one_or(mut parts: Vec<Expr>, join: fn(Vec<Expr>) -> Expr) -> Expr {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            join(parts)
        }
    }
}

/// The problem with a word where a field is expected.
fn not_a_field(word: &str) -> FilterProblem {
    if lexer::is_keyword(word) {
        return FilterProblem::KeywordForField(word.to_owned());
    }
    match FilterField::near(word) {
        Some(meant) if word == "frame.number" => FilterProblem::PacketNumber(meant),
        meant => FilterProblem::UnknownField(meant),
    }
}
