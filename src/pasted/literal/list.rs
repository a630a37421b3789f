//! Lists of bytes in brackets.

use super::escape_error;
use super::number::Number;
use super::token::{Quoted, Token, TokenKind};
use crate::pasted::error::PasteError;

/// The deepest nesting of lists.
const DEEPEST: usize = 4;

/// A list of bytes.
#[derive(Debug, Default)]
pub(super) struct List<'t> {
    pub items: Vec<Item<'t>>,
    /// Whether its numbers are hex without a prefix: `<Buffer 81 05>`.
    pub is_hex: bool,
    /// The number of items that the program which printed it left out: `... 12 more bytes`.
    pub missing: u64,
}

/// One item of a list.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item<'t> {
    Number(Number<'t>),
    Quoted(&'t Quoted<'t>),
}

impl<'t> List<'t> {
    /// Reads the list whose bracket is at `at`; returns it and the position after it. `None` if it contains something else than
    /// bytes.
    pub fn read(tokens: &'t [Token<'t>], at: usize) -> Option<(Self, usize)> {
        let mut list = Self::default();
        let after = list.fill(tokens, at, 0)?;
        Some((list, after))
    }

    /// The numbers in it.
    pub fn numbers(&self) -> impl Iterator<Item = Number<'t>> + '_ {
        self.items.iter().filter_map(|item| match item {
            Item::Number(number) => Some(*number),
            Item::Quoted(_) => None,
        })
    }

    /// The strings and characters in it.
    pub fn strings(&self) -> impl Iterator<Item = &'t Quoted<'t>> + '_ {
        self.items.iter().filter_map(|item| match item {
            Item::Quoted(quoted) => Some(*quoted),
            Item::Number(_) => None,
        })
    }

    /// Its bytes.
    ///
    /// # Errors
    /// A number is no byte, or an escape is damaged.
    pub fn bytes(&self, text: &str, in_hex: bool) -> Result<Vec<u8>, PasteError> {
        let mut bytes = Vec::with_capacity(self.items.len());
        for item in &self.items {
            match item {
                Item::Number(number) => bytes.push(number.byte(text, in_hex)?),
                Item::Quoted(quoted) => bytes
                    .extend(quoted.bytes().map_err(|(inside, escape)| escape_error(text, quoted.at + inside, escape))?),
            }
        }
        Ok(bytes)
    }

    fn fill(&mut self, tokens: &'t [Token<'t>], open: usize, depth: usize) -> Option<usize> {
        let TokenKind::Sign(bracket) = tokens[open].kind else { return None };
        let mut at = open + 1;
        let close = match bracket {
            '[' => ']',
            '{' => '}',
            '(' => ')',
            '<' => {
                at = self.angle(tokens, at)?;
                '>'
            }
            _ => return None,
        };
        let doubled = bracket == '<' && !self.is_hex;
        loop {
            let token = tokens.get(at)?;
            match &token.kind {
                TokenKind::Sign(sign) if *sign == close => {
                    return match doubled {
                        true => (tokens.get(at + 1)?.kind == TokenKind::Sign('>')).then_some(at + 2),
                        false => Some(at + 1),
                    };
                }
                TokenKind::Sign(',') => at += 1,
                // Chrome prints the properties of an array after its items.
                TokenKind::Word("buffer") if bracket == '[' && !self.items.is_empty() => {
                    at += tokens[at..].iter().position(|token| token.kind == TokenKind::Sign(close))?;
                }
                TokenKind::Sign('.' | '…') => at = self.left_out(tokens, at)?,
                TokenKind::Sign('[' | '{' | '(') => at = self.nested(tokens, at, depth)?,
                _ => at = self.item(tokens, at, bracket == '{')?,
            }
        }
    }

    /// `<Buffer 81 05>` and `<81 05>` are hex; `<<129, 5>>` is not. Returns the position of the first item.
    fn angle(&mut self, tokens: &[Token<'_>], at: usize) -> Option<usize> {
        match &tokens.get(at)?.kind {
            TokenKind::Sign('<') => return Some(at + 1),
            TokenKind::Word("Buffer" | "SlowBuffer") => self.is_hex = true,
            _ => {
                self.is_hex = true;
                return Some(at);
            }
        }
        Some(at + 1)
    }

    /// A cast such as `(byte)` is skipped, otherwise a list in the list is read.
    fn nested(&mut self, tokens: &'t [Token<'t>], at: usize, depth: usize) -> Option<usize> {
        let kind = |at: usize| tokens.get(at).map(|token| &token.kind);
        if let (Some(TokenKind::Sign('(')), Some(TokenKind::Word(name)), Some(TokenKind::Sign(')'))) =
            (kind(at), kind(at + 1), kind(at + 2))
            && ["byte", "Byte", "char", "uint8_t", "int8_t", "u_char", "sbyte"].contains(name)
        {
            return Some(at + 3);
        }
        (depth < DEEPEST).then(|| self.fill(tokens, at, depth + 1))?
    }

    /// `... 12 more bytes`
    fn left_out(&mut self, tokens: &[Token<'_>], at: usize) -> Option<usize> {
        let dots = tokens[at..].iter().take_while(|token| matches!(token.kind, TokenKind::Sign('.' | '…'))).count();
        let kind = |after: usize| tokens.get(at + dots + after).map(|token| &token.kind);
        match (kind(0), kind(1), kind(2)) {
            (Some(TokenKind::Number(n)), Some(TokenKind::Word("more")), Some(TokenKind::Word(what))) => {
                self.missing = n.parse().ok().filter(|_| what.starts_with("byte") || what.starts_with("item"))?;
                Some(at + dots + 3)
            }
            _ => None,
        }
    }

    /// A number or string, with what belongs to it: an index before it (`"0": 129`), a conversion after it (`as u8`).
    fn item(&mut self, tokens: &'t [Token<'t>], at: usize, is_object: bool) -> Option<usize> {
        let kind = |at: usize| tokens.get(at).map(|token| &token.kind);
        let index = self.items.len().to_string();
        let is_index = match kind(at)? {
            TokenKind::Number(digits) => *digits == index,
            TokenKind::Quoted(quoted) => quoted.inside == index,
            _ => false,
        };
        let at = if is_object && is_index && kind(at + 1) == Some(&TokenKind::Sign(':')) { at + 2 } else { at };
        let negative = kind(at) == Some(&TokenKind::Sign('-'));
        // Right after a number, a minus is no sign.
        let follows_item = !matches!(kind(at - 1), Some(TokenKind::Sign(_)));
        if negative && follows_item && !tokens[at].is_spaced {
            return None;
        }
        let at = at + usize::from(negative);
        let token = tokens.get(at)?;
        let number = |digits| Item::Number(Number { digits, negative, at: token.at });
        self.items.push(match &token.kind {
            TokenKind::Number(digits) => number(*digits),
            // A hex number may start with a letter.
            TokenKind::Word(word) if word.len() <= 2 && word.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                number(*word)
            }
            TokenKind::Quoted(quoted) if !negative => Item::Quoted(quoted),
            _ => return None,
        });
        let end = at + 1;
        match (kind(end), kind(end + 1)) {
            (Some(TokenKind::Word("as")), Some(TokenKind::Word(_))) => Some(end + 2),
            (Some(TokenKind::Sign('.')), Some(TokenKind::Word("toByte" | "toUByte"))) => Some(end + 4),
            _ => Some(end),
        }
    }
}
