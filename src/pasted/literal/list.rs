//! Lists of bytes in brackets.

use super::escape_error;
use super::number::{Number, are_hex};
use super::token::{Quoted, Token, TokenKind};
use crate::pasted::error::PasteError;
use crate::pasted::hex;

/// The deepest nesting of lists.
const DEEPEST: usize = 4;

/// The most repetitions of an item.
const MOST_REPEATS: usize = 64 * 1024;

/// A list of bytes.
#[derive(Debug, Default)]
pub(super) struct List<'t> {
    pub items: Vec<Item<'t>>,
    /// Whether its numbers are hex without a prefix: `<Buffer 81 05>`.
    pub is_hex: bool,
    /// Whether it is a binary of Erlang or Elixir, in which strings are bytes: `<<129, 5, "Hello">>`.
    pub is_binary: bool,
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
                Item::Number(number) if self.is_hex && number.is_word() => bytes.extend(hex::bytes(number.digits)),
                Item::Number(number) => bytes.push(number.byte(text, in_hex)?),
                Item::Quoted(quoted) => bytes
                    .extend(quoted.bytes().map_err(|(inside, escape)| escape_error(text, quoted.at + inside, escape))?),
            }
        }
        Ok(bytes)
    }

    /// Its bytes, as part of a line: `None` if it has fewer than two, or something else than bytes.
    pub fn line_bytes(&self, line: &str) -> Option<Vec<u8>> {
        let is_text = |quoted: &Quoted<'_>| !self.is_binary && quoted.bytes().is_ok_and(|bytes| bytes.len() != 1);
        if self.numbers().next().is_none() || self.strings().any(is_text) {
            return None;
        }
        let in_hex = self.is_hex || are_hex(self.numbers());
        self.bytes(line, in_hex).ok().filter(|bytes| bytes.len() > 1)
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
        self.is_binary |= doubled;
        if bracket == '(' {
            at = template(tokens, at);
        }
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
                TokenKind::Sign('<') if !self.items.is_empty() => at = self.repeated(tokens, at)?,
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

    /// `<repeats 12 times>`, as gdb prints after an item.
    fn repeated(&mut self, tokens: &[Token<'_>], at: usize) -> Option<usize> {
        let kind = |after: usize| tokens.get(at + after).map(|token| &token.kind);
        let [
            Some(TokenKind::Word("repeats")),
            Some(TokenKind::Number(times)),
            Some(TokenKind::Word("times")),
            Some(TokenKind::Sign('>')),
        ] = [1, 2, 3, 4].map(kind)
        else {
            return None;
        };
        let times = times.parse::<usize>().ok().filter(|times| (1..=MOST_REPEATS).contains(times))?;
        let item = *self.items.last()?;
        self.items.extend(std::iter::repeat_n(item, times - 1));
        Some(at + 5)
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
        let number = |digits, is_hex| Item::Number(Number { digits, negative, at: token.at, is_hex });
        // The base of Erlang: `16#81`.
        let is_based = kind(at) == Some(&TokenKind::Number("16")) && kind(at + 1) == Some(&TokenKind::Sign('#'));
        let at = if is_based { at + 2 } else { at };
        self.items.push(match kind(at)? {
            TokenKind::Number(digits) => number(*digits, is_based),
            // A hex number may start with a letter.
            TokenKind::Word(word)
                if (word.len() <= 2 || self.is_hex) && word.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
            {
                number(*word, is_based)
            }
            TokenKind::Quoted(quoted) if !negative && !is_based => Item::Quoted(quoted),
            _ => return None,
        });
        let end = at + 1;
        match (kind(end), kind(end + 1)) {
            (Some(TokenKind::Word("as")), Some(TokenKind::Word(_))) => Some(end + 2),
            (Some(TokenKind::Sign('.')), Some(TokenKind::Word("toByte" | "toUByte"))) => Some(end + 4),
            // The size of an Erlang integer, and the type of a string. Other sizes are no bytes.
            (Some(TokenKind::Sign(':')), Some(TokenKind::Number("8"))) if self.is_binary => Some(end + 2),
            (Some(TokenKind::Sign('/')), Some(TokenKind::Word("utf8" | "binary"))) if self.is_binary => Some(end + 2),
            _ => Some(end),
        }
    }
}

/// The position after the template of `pack("C*", 0x81, 5)`, if one is at `at`.
fn template(tokens: &[Token<'_>], at: usize) -> usize {
    match (tokens.get(at).map(|token| &token.kind), tokens.get(at + 1).map(|token| &token.kind)) {
        (Some(TokenKind::Quoted(quoted)), Some(TokenKind::Sign(','))) if is_template(quoted.inside) => at + 2,
        _ => at,
    }
}

/// Whether a string is the template of single bytes for `pack` of Perl, PHP, Python or Ruby: `C*`, `7B`, `>BB`.
pub(super) fn is_template(text: &str) -> bool {
    let kinds = text.trim_start_matches(['<', '>', '=', '!', '@']);
    let is_byte = |c: char| matches!(c, 'C' | 'c' | 'B' | 'b');
    kinds.contains(is_byte) && kinds.chars().all(|c| is_byte(c) || c.is_ascii_digit() || c == '*')
}
