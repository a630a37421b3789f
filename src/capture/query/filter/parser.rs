//! From pieces to an expression, by recursive descent: or, and, not, then a question about a field.

use std::ops::Range;

use regex::bytes::RegexBuilder;

use super::FilterError;
use super::expr::{Comparison, Expr, Pattern, Relation, Test, Value};
use super::fields::{Field, Sort};
use super::lexer::{self, Token, What};
use super::values;

/// How deep parentheses and `not` may stand in each other.
const MAX_DEPTH: usize = 64;

/// The longest expression, in bytes.
pub(super) const MAX_LEN: usize = 4096;

/// How large a regular expression may become, in bytes.
const MAX_REGEX: usize = 1 << 20;

/// Reads an expression.
pub(super) fn parse(text: &str) -> Result<Expr, FilterError> {
    if text.len() > MAX_LEN {
        let sentence = format!("the expression is too long: at most {MAX_LEN} bytes");
        return Err(FilterError::new(text, 0..text.len(), sentence));
    }
    let tokens = lexer::tokens(text)?;
    let mut parser = Parser { text, tokens: &tokens, at: 0, depth: 0 };
    let expr = parser.any()?;
    match parser.peek() {
        None => Ok(expr),
        Some(What::Sign(")")) => Err(parser.wrong("there is no ( that this closes")),
        Some(What::Sign(sign @ ("&" | "="))) => Err(parser.wrong(&format!("write {sign}{sign}"))),
        Some(_) => Err(parser.wrong("expected and, or, or the end")),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&What> {
        self.tokens.get(self.at).map(|token| &token.what)
    }

    /// The place of the next piece, or the end.
    fn span(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(self.text.len()..self.text.len(), |token| token.span.clone())
    }

    fn wrong(&self, sentence: &str) -> FilterError {
        FilterError::new(self.text, self.span(), sentence.to_owned())
    }

    /// Takes the next piece if it is one of those words or signs.
    fn takes(&mut self, words: &[&str]) -> bool {
        let is = match self.peek() {
            Some(What::Word(word)) => words.contains(&word.as_str()),
            Some(What::Sign(sign)) => words.contains(sign),
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
            return Err(self.wrong(&format!("too deep: at most {MAX_DEPTH} parentheses and nots in each other")));
        }
        let expr = if self.takes(&["not", "!"]) {
            Expr::Not(Box::new(self.not()?))
        } else if matches!(self.peek(), Some(What::Sign("("))) {
            let open = self.span();
            self.at += 1;
            let inner = self.any()?;
            if !self.takes(&[")"]) {
                return Err(match self.peek() {
                    Some(_) => self.wrong("expected and, or, or )"),
                    None => FilterError::new(self.text, open, "this ( is never closed".to_owned()),
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
        let sort = field.sort();
        if self.takes(&["contains"]) {
            return self.holding(field, "contains", |parser| Ok(Relation::Contains(parser.part(field)?)));
        }
        if self.takes(&["matches", "~"]) {
            return self.holding(field, "matches", |parser| Ok(Relation::Matches(parser.pattern()?)));
        }
        if self.takes(&["in"]) {
            self.comparable(field)?;
            return Ok(Test { field, relation: Relation::In(self.set(field)?) });
        }
        let comparison = Comparison::ALL.into_iter().find(|(_, sign, word)| self.takes(&[sign, word]));
        let Some((comparison, sign, _)) = comparison else {
            if self.takes(&["="]) {
                self.at -= 1;
                return Err(self.wrong("write == to compare"));
            }
            let set = sort == Sort::Flag && !foreign;
            let relation = if set { Relation::Is(Comparison::Equal, Value::Number(1)) } else { Relation::Present };
            return Ok(Test { field, relation });
        };
        self.at -= 1;
        self.comparable(field)?;
        let ordered = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        if !ordered && !matches!(sort, Sort::Number | Sort::Size | Sort::Time | Sort::Opcode | Sort::Finding) {
            return Err(self.wrong(&format!("{} has no order: {sign} does not compare it; use == or !=", field.name())));
        }
        self.at += 1;
        let span = self.span();
        let value = self.value(field)?;
        if !ordered && matches!(value, Value::Rule(_)) {
            let sentence = format!("rules have no order; {sign} takes error, warning or info");
            return Err(FilterError::new(self.text, span, sentence));
        }
        Ok(Test { field, relation: Relation::Is(comparison, value) })
    }

    /// The field's name, and whether it is Wireshark's name.
    fn field(&mut self) -> Result<(Field, bool), FilterError> {
        let known = match self.peek() {
            Some(What::Word(word)) => match Field::named(word) {
                Some(known) => known,
                None => return Err(self.wrong(&no_field(word))),
            },
            Some(What::Quoted(_)) => return Err(self.wrong("expected a field, such as text contains \"…\"")),
            Some(What::Sign(sign)) => {
                return Err(self.wrong(&format!("expected a field, such as op or len, not {sign}")));
            }
            None if self.at == 0 => return Err(self.wrong("expected a field, such as op == ping")),
            None => return Err(self.wrong("something is missing here: expected a field, such as op or len")),
        };
        self.at += 1;
        Ok(known)
    }

    fn comparable(&self, field: Field) -> Result<(), FilterError> {
        if field.sort() != Sort::Presence {
            return Ok(());
        }
        Err(self.wrong(&format!("{} has no value: it stands alone", field.name())))
    }

    /// What follows `contains` or `matches`, for fields that have parts.
    fn holding(
        &mut self,
        field: Field,
        word: &str,
        read: impl FnOnce(&mut Self) -> Result<Relation, FilterError>,
    ) -> Result<Test, FilterError> {
        if matches!(field.sort(), Sort::Text | Sort::Bytes | Sort::Finding) {
            return Ok(Test { field, relation: read(self)? });
        }
        self.at -= 1;
        Err(self.wrong(&format!("{word} works on text, bytes, host, path and finding; {} has no parts", field.name())))
    }

    /// A value, and whether it is in quotes.
    fn word(&mut self, what: &str) -> Result<(String, bool), FilterError> {
        let word = match self.peek() {
            Some(What::Word(word)) if !lexer::is_keyword(word) => (word.clone(), false),
            Some(What::Quoted(text)) => (text.clone(), true),
            Some(_) => return Err(self.wrong(&format!("expected {what}; put it in quotes if it is meant as text"))),
            None => return Err(self.wrong(&format!("expected {what} here"))),
        };
        self.at += 1;
        Ok(word)
    }

    fn value(&mut self, field: Field) -> Result<Value, FilterError> {
        let span = self.span();
        let (word, quoted) = self.word(&format!("a value for {}", field.name()))?;
        values::read(field, &word, quoted).map_err(|sentence| FilterError::new(self.text, span, sentence))
    }

    /// What something may contain; of a finding, a part of its rule's id.
    fn part(&mut self, field: Field) -> Result<Value, FilterError> {
        let span = self.span();
        if field.sort() == Sort::Finding {
            return Ok(Value::Text(self.word("a part of a rule's id")?.0));
        }
        match self.value(field)? {
            Value::Text(text) if text.is_empty() => {
                Err(FilterError::new(self.text, span, "there is nothing to look for".to_owned()))
            }
            value => Ok(value),
        }
    }

    fn pattern(&mut self) -> Result<Pattern, FilterError> {
        let span = self.span();
        let (text, _) = self.word("a regular expression")?;
        let regex = RegexBuilder::new(&text)
            .case_insensitive(true)
            .size_limit(MAX_REGEX)
            .dfa_size_limit(MAX_REGEX)
            .nest_limit(100)
            .build();
        match regex {
            Ok(regex) => Ok(Pattern { text, regex }),
            Err(e) => Err(FilterError::new(self.text, span, regex_sentence(&e))),
        }
    }

    /// `{ping pong}`, `{1000..1003, 1011}`.
    fn set(&mut self, field: Field) -> Result<Vec<(Value, Option<Value>)>, FilterError> {
        if !self.takes(&["{"]) {
            return Err(self.wrong("expected a set, such as {ping pong}"));
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
            return Err(self.wrong("the set is empty"));
        }
        Ok(items)
    }

    fn item(&mut self, field: Field) -> Result<(Value, Option<Value>), FilterError> {
        let span = self.span();
        let ranges = matches!(field.sort(), Sort::Number | Sort::Size | Sort::Time | Sort::Opcode);
        let ends = match self.peek() {
            Some(What::Word(word)) if ranges => word.split_once(".."),
            _ => None,
        };
        let Some((from, to)) = ends.map(|(from, to)| (from.to_owned(), to.to_owned())) else {
            return Ok((self.value(field)?, None));
        };
        self.at += 1;
        let read = |word: &str| {
            values::read(field, word, false).map_err(|sentence| FilterError::new(self.text, span.clone(), sentence))
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

fn no_field(word: &str) -> String {
    if lexer::is_keyword(word) {
        return format!("expected a field, such as op or len, before {word}");
    }
    match Field::near(word) {
        Some(meant) if word == "frame.number" => {
            format!("it counts packets, and records are no packets; {meant} counts records")
        }
        Some(meant) => format!("there is no such field; did you mean {meant}?"),
        None => {
            let names: Vec<&str> =
                Field::ALL.iter().map(|field| field.name()).take_while(|name| !name.starts_with("web")).collect();
            format!("there is no such field; there are {}", names.join(" "))
        }
    }
}

/// The last line of what the regex crate has to say, which is the sentence.
fn regex_sentence(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "the regular expression is too large; use smaller counts".to_owned(),
        error => {
            let said = error.to_string();
            let last = said.lines().last().unwrap_or_default();
            format!("not a regular expression: {}", last.trim().trim_start_matches("error: "))
        }
    }
}
